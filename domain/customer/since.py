"""What people have changed since a customer was made by a delivery that never came to its end (docs/decisions/0017).

What was sent stands with the matter (``domain.sent``): all that the create meant under its step, and what was written next over
what the new record had been given under the pair that it made. A value that is neither is somebody's edit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from domain.customer import addresses, plan
from domain.customer.table import CUSTOMER
from domain.merge import Base, stood
from domain.model import Json
from domain.sent import Values, joined

# What a new record has in a field that its create does not carry; () when the create carries it: then it stands for sure. None =
# nobody can tell.
Birth = Callable[[str, str], tuple[str, ...] | None]


def meant(sides: plan.Sides, values: Mapping[str, str]) -> dict[str, str]:
    """Of one side's values those that are merged."""
    return {name: values[name] for name in sides.rules() if name in values}


def in_erp(sides: plan.Sides, made: Values, met: Values) -> Base:
    """The base of every field that somebody edited on either side since the ERP customer was made: field → [severa, erp].

    ``made`` and ``met``: what was sent with the create and after it.
    """
    now = sides.values()[1]

    def birth(name: str, value: str) -> tuple[str, ...] | None:
        if name == "name":
            return ()
        if name == "active":
            return ("true",)
        if name == "payment_term":
            # Given by the class, which does not tell it.
            return None
        return _of_address(name, value, now, carried=True) if name in addresses.FIELD_NAMES else ("",)

    return _edited(sides, joined(_born(made, birth), met))


def in_severa(sides: plan.Sides, body: Json, made: Values, met: Values) -> Base:
    """The same of a Severa customer; ``body``: what its create carried. Its addresses are made by themselves."""
    now = sides.values()[0]

    def birth(name: str, value: str) -> tuple[str, ...] | None:
        if name in addresses.FIELD_NAMES:
            return _of_address(name, value, now, carried=False)
        return () if CUSTOMER[name].written("severa") in body else ("",)

    return _edited(sides, joined(_born(made, birth), met))


def _of_address(name: str, value: str, now: Mapping[str, str], *, carried: bool) -> tuple[str, ...] | None:
    """A role that has no address of its own yet is the main one, whatever that is by now."""
    role, part = addresses.role_of(name)
    if role != "main":
        return (now.get(part, ""),)
    if carried and value:
        return ()
    # Without one the class gives it: the ERP requires a country.
    return None if carried and part == "country" else ("",)


def _born(made: Values, birth: Birth) -> Values:
    found: dict[str, list[list[str]]] = {}
    for name, entries in made.items():
        for system, value in entries:
            given = birth(name, value)
            if given is not None:
                found.setdefault(name, []).append([system, value, *given])
    return found


def _edited(sides: plan.Sides, entries: Values) -> Base:
    severa, erp = sides.values()
    found: Base = {}
    for name, rule in sides.rules().items():
        if name not in entries or name not in severa or name not in erp or rule.same(severa[name], erp[name]):
            continue
        pair = stood(entries[name], severa[name], erp[name], rule)
        if pair is not None and pair != (severa[name], erp[name]):
            found[name] = list(pair)
    return found
