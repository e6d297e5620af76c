"""How a PATCH names what it changes, where the vendor's document leaves that open: learned from the server's answers.

The input model of an invoice is not published. Of the forms that its output model suggests, the one that a server takes is
found out with the first status that is written: a form that is refused changes nothing, one that is ignored in silence
shows in the record that comes back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.severa.registers import PATCH_OPERATION, WIRE_PATHS
from domain.errors import Refused
from domain.model import Json

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Spelled:
    """One way to write a PATCH: the operations, and the place of its form among those of the register."""

    form: int
    operations: list[dict[str, Any]]


class Spelling:
    """The forms of one organisation's server; what once worked is used from then on."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], int] = {}
        self._refused: dict[tuple[str, str], dict[int, Refused | None]] = {}
        # All were ignored: the form that is tried next, alone. All of them each time would be calls without end.
        self._next: dict[tuple[str, str], int] = {}

    def ways(self, register: str, changes: Mapping[str, object]) -> list[Spelled]:
        """The PATCH in every form that may be meant, likeliest first; one only where nothing is open, it is known, or no
        form was taken."""
        open_path = _open_path(register, changes)
        if open_path is None:
            return [Spelled(0, _operations(register, changes, 0))]
        known = self._known.get((register, open_path))
        refused = self._refused.get((register, open_path), {})
        alone = known if known is not None else self._next.get((register, open_path))
        forms = (
            [form for form in range(len(WIRE_PATHS[register][open_path])) if form not in refused]
            if alone is None
            else [alone]
        )
        return [Spelled(form, _operations(register, changes, form)) for form in forms]

    def learn(self, register: str, changes: Mapping[str, object], form: int) -> None:
        """This form is the one that the server takes."""
        open_path = _open_path(register, changes)
        if open_path is not None:
            self._known[register, open_path] = form
            self._refused.pop((register, open_path), None)
            self._next.pop((register, open_path), None)

    def refused(
        self, register: str, changes: Mapping[str, object], form: int, refusal: Refused | None
    ) -> None:
        """This form was refused (None: ignored in silence) and another one is left: it is not tried again before that."""
        open_path = _open_path(register, changes)
        if open_path is not None:
            self._refused.setdefault((register, open_path), {})[form] = refusal

    def refusal(self, register: str, changes: Mapping[str, object]) -> Refused | None:
        """The refusal that is remembered of a form tried before, None if there was none."""
        remembered = self._refused.get((register, _open_path(register, changes) or ""), {})
        return next((one for one in remembered.values() if one is not None), None)

    def give_up(self, register: str, changes: Mapping[str, object], ignored: int | None) -> None:
        """No form was taken, so it was not the form: all are open again. Where the last one was ``ignored`` in silence, nobody
        says no: then one is tried in each call, each in its turn, until one is taken."""
        open_path = _open_path(register, changes)
        if open_path is None:
            return
        self._refused.pop((register, open_path), None)
        if ignored is not None:
            self._next[register, open_path] = (ignored + 1) % len(WIRE_PATHS[register][open_path])


def taken(changes: Mapping[str, object], register: str, stored: Json) -> bool:
    """Whether a record shows the value that was written under the open path; True where nothing is open, and for a record
    that does not show the member at all."""
    open_path = _open_path(register, changes)
    return open_path is None or shows({open_path: changes[open_path]}, stored)


def shows(changes: Mapping[str, object], stored: Json) -> bool:
    """Whether a record shows what was written, as far as it shows the members at all; only scalars are compared, and a
    day equals the moment it was stored as."""
    return all(_is_shown(path, value, stored) for path, value in changes.items())


def _is_shown(path: str, written: object, stored: Json) -> bool:
    value: Any = stored
    for name in path.strip("/").split("/"):
        if not isinstance(value, Mapping) or name not in value:
            return True
        value = value[name]
    if isinstance(value, Mapping | list) or isinstance(written, Mapping | list):
        return True
    if isinstance(value, Decimal | int) and isinstance(written, Decimal | int):
        return value == written
    left, right = ("" if one is None else str(one).strip().casefold() for one in (value, written))
    return left == right or (_DAY.match(left) is not None and left[:10] == right[:10])


def _open_path(register: str, changes: Mapping[str, object]) -> str | None:
    return next((path for path in changes if len(WIRE_PATHS.get(register, {}).get(path, ())) > 1), None)


def _operations(register: str, changes: Mapping[str, object], form: int) -> list[dict[str, Any]]:
    operations: list[dict[str, Any]] = []
    for path, value in changes.items():
        forms = WIRE_PATHS.get(register, {}).get(path, (path,))
        wire = forms[min(form, len(forms) - 1)]
        # A path ``/status{guid}`` is ``/status`` with an object of that one member.
        name, brace, member = wire.removesuffix("}").partition("{")
        operations.append({"op": PATCH_OPERATION, "path": name, "value": {member: value} if brace else value})
    return operations
