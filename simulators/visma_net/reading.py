"""Reads an update document against its shape: unwraps ``{"value": ...}`` and refuses what does not fit."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from simulators.visma_net.answers import malformed
from simulators.visma_net.shapes import SHAPES, WORDS

_FRACTION = re.compile(r"\.(\d{1,7})")
_BY_LOWER = {name: {member.lower(): member for member in members} for name, members in SHAPES.items()}


class _MisfitError(Exception):
    def __init__(self, path: str, text: str) -> None:
        super().__init__(text)
        self.path = path
        self.text = text


def read_update(body: Any, shape: str, zone: tzinfo, *, bare: bool = False) -> dict[str, Any]:
    """The members that were sent, unwrapped: text as str, numbers as Decimal or int, times as naive local
    datetimes, nested blocks as dicts, arrays as lists. Unknown members are ignored, a null is "not sent".
    ``bare`` is for a person's moves, which come without the wrapping.

    Raises a 400 refusal that names the member when a wrapped one arrives bare, a bare one wrapped, or the
    value does not fit the type (docs/vendors/visma-net-erp.md E12).
    """
    if not isinstance(body, dict):
        raise malformed({"": "A JSON object is required."})
    try:
        return _members(body, shape, "", zone, bare=bare)
    except _MisfitError as misfit:
        raise malformed({misfit.path: misfit.text}) from misfit


def _members(body: dict[str, Any], shape: str, path: str, zone: tzinfo, *, bare: bool) -> dict[str, Any]:
    types, names = SHAPES[shape], _BY_LOWER[shape]
    found: dict[str, Any] = {}
    for sent, value in body.items():
        name = names.get(sent.lower())
        if name is None or value is None:
            continue
        where = f"{path}.{name}" if path else name
        kind = types[name]
        if kind.endswith("*") and not bare:
            if not isinstance(value, dict) or (value and not any(k.lower() == "value" for k in value)):
                raise _MisfitError(where, f'The member {name} must be sent as {{"value": ...}}.')
            value = next((v for k, v in value.items() if k.lower() == "value"), None)  # noqa: PLW2901 (unwrapping the loop value is the subject of this loop)
            if value is None:
                continue
        found[name] = _value(value, kind.rstrip("*"), where, zone, bare=bare)
    return found


def _value(value: Any, kind: str, where: str, zone: tzinfo, *, bare: bool) -> Any:
    if kind.startswith("["):
        if not isinstance(value, list):
            raise _MisfitError(where, "An array is required.")
        return [_value(item, kind[1:-1], f"{where}[{n}]", zone, bare=bare) for n, item in enumerate(value)]
    if kind in SHAPES:
        if not isinstance(value, dict):
            raise _MisfitError(where, "An object is required.")
        return _members(value, kind, where, zone, bare=bare)
    if isinstance(value, dict | list):
        raise _MisfitError(where, "A bare value is required here.")
    return _scalar(value, kind, where, zone)


def _scalar(value: Any, kind: str, where: str, zone: tzinfo) -> Any:
    try:
        match kind:
            case "s" | "b64":
                return str(value) if not isinstance(value, bool) else str(value).lower()
            case "i":
                return int(value)
            case "n":
                return Decimal(str(value)) if not isinstance(value, bool) else Decimal(int(value))
            case "b":
                return _boolean(value)
            case "dt":
                return read_time(str(value), zone)
            case "uuid":
                return str(uuid.UUID(str(value)))
    except (ValueError, InvalidOperation) as error:
        raise _MisfitError(where, f"'{value}' is not valid here.") from error
    for word in WORDS[kind]:
        if word.lower() == str(value).lower():
            return word
    raise _MisfitError(where, f"'{value}' is none of {', '.join(sorted(WORDS[kind]))}.")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    raise ValueError(value)


def read_time(text: str, zone: tzinfo) -> datetime:
    """A time of a BODY: with or without fraction, with or without Z or offset; answers local time, naive."""
    padded = _FRACTION.sub(lambda m: "." + m.group(1)[:6].ljust(6, "0"), text.strip())
    parsed = datetime.fromisoformat(padded)
    if parsed.tzinfo is not None:
        parsed = parsed.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    return parsed
