"""A customer's three addresses in both systems: which Severa address holds which role, and what moves when one changes.

Severa marks addresses with flags, and one address may hold several roles; Visma.net ERP has three blocks. A role that no
Severa address holds is the same as the main address (mapping 'Customers').
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.customer.places import ADDRESS, BLOCKS, FLAGS, PARTS, ROLES, Role, country, field_name
from domain.mapper import read, text
from domain.model import Json
from domain.text import canonical

Values = dict[str, str]

FIELD_NAMES = tuple(field_name(role, part) for role in ROLES for part in PARTS)
_ROLE_OF: Mapping[str, tuple[Role, str]] = {
    field_name(role, part): (role, part) for role in ROLES for part in PARTS
}


def role_of(name: str) -> tuple[Role, str]:
    """Role and part of an address field."""
    return _ROLE_OF[name]


def role_values(values: Mapping[str, str], role: Role) -> Values:
    """The parts of one role that are known."""
    return {part: values[name] for part in PARTS if (name := field_name(role, part)) in values}


# ---------------------------------------------------------------- Severa


def places(customer: Json, addresses: Iterable[Json]) -> dict[Role, Json | None]:
    """The Severa address of each role; None where none holds it.

    Main: the headquarter address (its own fields where its address is not known), else the first created one for
    visits. Several addresses with one flag: the first created.
    """
    rows = sorted(addresses, key=lambda row: (text(row, "createdDateTime"), text(row, "guid")))
    found: dict[Role, Json | None] = {
        role: next((row for row in rows if read(row, flag) is True), None) for role, flag in FLAGS.items()
    }
    headquarter = read(customer, "headquarterAddress")
    if headquarter:
        own = text(headquarter, "guid")
        found["main"] = next((row for row in rows if text(row, "guid") == own), headquarter)
    return found


def place_values(place: Json, countries: Iterable[Json]) -> Values:
    """Parts of a Severa address as canonical strings; a country that is not resolved is left out."""
    return _parts(ADDRESS.where(country=country(countries)).values("severa", place))


def _parts(values: Mapping[str, str]) -> Values:
    return {part: values[part] for part in PARTS if part in values}


def severa_values(
    customer: Json, addresses: Iterable[Json], countries: tuple[Json, ...], base: Mapping[str, Any]
) -> Values:
    """All three roles of a Severa customer. A role without an address is the same as the main one; without any address
    nothing was changed (what is removed in one system is never removed in the other, R-CUS-7)."""
    held = places(customer, addresses)
    values: Values = {}
    for role in ROLES:
        place = held[role] or held["main"]
        for part in PARTS:
            name = field_name(role, part)
            if place is None:
                values[name] = canonical(base[name][0]) if name in base else ""
        if place is not None:
            values |= {
                field_name(role, part): value for part, value in place_values(place, countries).items()
            }
    return values


# ---------------------------------------------------------------- Visma.net ERP


def erp_values(customer: Json) -> Values:
    """All three roles of an ERP customer; a block that is not shown is the same as the main one."""
    values: Values = {}
    for role in ROLES:
        block = read(customer, BLOCKS[role]) or read(customer, BLOCKS["main"]) or {}
        parts = _parts(ADDRESS.values("visma_net", block))
        values |= {field_name(role, part): value for part, value in parts.items()}
    return values


def erp_members(role: Role, parts: Mapping[str, str]) -> dict[str, Any]:
    """Members of an ERP customer's update for parts of one role. A country is never cleared: the ERP requires one."""
    members = ADDRESS.members("visma_net", parts, {})
    return {f"{BLOCKS[role]}.{path}": value for path, value in members.items()}


def erp_update(wanted: Mapping[str, str], before: Json, expected: Mapping[str, str]) -> dict[str, Any]:
    """Members for the address fields to be written (``wanted``).

    ``before``: the ERP customer; ``expected``: all its address fields as they shall be. A role that is the main address
    there and shall stay so is not sent: sending it would make it an address of its own.
    """
    members: dict[str, Any] = {}
    for role in ROLES:
        parts = {
            part: value for name, value in wanted.items() for own, part in [role_of(name)] if own == role
        }
        if not parts:
            continue
        if role != "main" and same_as_main(before, role):
            if role_values(expected, role) == role_values(expected, "main"):
                continue
            parts = role_values(expected, role)
        members |= erp_members(role, parts)
    return members


def same_as_main(customer: Json, role: Role) -> bool:
    """Whether the ERP's block is the main address itself, told by its content and, where it has one, its id."""
    main, own = read(customer, BLOCKS["main"]) or {}, read(customer, BLOCKS[role])
    if not own:
        return True
    ids = {text(main, "addressId"), text(own, "addressId")}
    values = erp_values(customer)
    return (len(ids) == 1 or "" in ids) and role_values(values, role) == role_values(values, "main")


# ---------------------------------------------------------------- what moves in Severa


@dataclass(slots=True)
class NewAddress:
    """An address to be made in Severa, for one or several roles."""

    values: Values
    roles: list[Role] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Moves:
    """Severa addresses to change (guid → parts), to take a flag from (guid → flags), and to make."""

    changed: dict[str, Values]
    unflagged: dict[str, list[str]]
    made: list[NewAddress]

    def __bool__(self) -> bool:
        return bool(self.changed or self.unflagged or self.made)


def moves(held: Mapping[Role, Json | None], now: Mapping[str, str], wanted: Mapping[str, str]) -> Moves:
    """What must happen in Severa so that every role has its wanted values.

    ``now`` and ``wanted``: all address fields as Severa shows them and as they shall be. An address that several roles
    share and only some change is split: the unchanged ones keep it, the others get a new one with their flag. The main
    role always keeps its address (a headquarter is not moved by flags); then it is the others that get a new one.
    """
    changed: dict[str, Values] = {}
    unflagged: dict[str, list[str]] = {}
    made: list[NewAddress] = []
    keeps: dict[str, Values] = {}

    def differs(role: Role) -> bool:
        return role_values(now, role) != role_values(wanted, role)

    order: list[Role] = ["main", *sorted((role for role in ROLES if role != "main"), key=differs)]
    for role in order:
        place, values = held[role] or held["main"], role_values(wanted, role)
        guid = text(place, "guid") if place is not None else ""
        if guid and keeps.setdefault(guid, values) == values:
            before = role_values(now, role)
            parts = {part: value for part, value in values.items() if before.get(part) != value}
            if parts and held[role] is not None:
                changed[guid] = parts
            continue
        if not any(values.get(part) for part in ("address_line", "postal_code", "city")):
            continue
        if guid and held[role] is not None:
            unflagged.setdefault(guid, []).append(FLAGS[role])
        for new in made:
            if new.values == values:
                new.roles.append(role)
                break
        else:
            made.append(NewAddress(values, [role]))
    return Moves(changed, unflagged, made)


def severa_members(parts: Mapping[str, str], countries: Iterable[Json]) -> dict[str, Any]:
    """Members of a Severa address for its parts. A county is a reference that the bridge does not resolve: left out, as is a
    country that Severa's list does not have."""
    return ADDRESS.where(country=country(countries)).members("severa", parts, {})


def new_address(new: NewAddress, countries: Iterable[Json]) -> Json:
    """The body of a new Severa address."""
    return {
        **severa_members(new.values, countries),
        **{flag: role in new.roles for role, flag in FLAGS.items()},
    }
