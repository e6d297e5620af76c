"""Reading and writing the vendors' bodies by dotted path.

Visma.net ERP wraps every member of an update body, ``{"name": {"value": "Ada"}}``, and address and contact blocks
doubly, ``{"mainAddress": {"value": {"city": {"value": "Umeå"}}}}``; bare are only a few members and arrays. Reads are
bare, but a wrapped one is read as well. Severa changes a record by paths, ``/unitPrice``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from domain.model import Json
from domain.money import factor_of_double, of_double
from domain.text import canonical, clean

BARE = frozenset({"operation", "overrideWithClassValues"})


def unwrap(value: Any) -> Any:
    """A value that may come as ``{"value": x}``."""
    while isinstance(value, dict) and value.keys() == {"value"}:
        value = value["value"]
    return value


def read(body: Mapping[str, Any] | None, path: str) -> Any:
    """What stands at a dotted path, wrapped or bare; None where a member is missing or null."""
    found: Any = body
    for name in path.split("."):
        found = unwrap(found)
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return unwrap(found)


def text(body: Mapping[str, Any] | None, path: str) -> str:
    """The canonical text at a dotted path ('' where there is none)."""
    return canonical(read(body, path))


def update_body(members: Mapping[str, Any]) -> Json:
    """An update body of Visma.net ERP from dotted paths: leaves wrapped, blocks doubly, arrays and ``BARE`` as they are.

    Arrays hold objects of plain members, which are wrapped in the same way. Members with value None are left out:
    the vendor does not say what a null means.
    """
    body: Json = {}
    for path, value in members.items():
        if value is None:
            continue
        *blocks, leaf = path.split(".")
        place = body
        for block in blocks:
            place = place.setdefault(block, {"value": {}})["value"]
        place[leaf] = _written(leaf, value)
    return body


def nested(members: Mapping[str, Any]) -> Json:
    """A body of Severa from dotted paths."""
    body: Json = {}
    for path, value in members.items():
        *blocks, last = path.split(".")
        there = body
        for name in blocks:
            there = there.setdefault(name, {})
        there[last] = value
    return body


def _written(name: str, value: Any) -> Any:
    if name in BARE:
        return value
    if isinstance(value, str):
        return {"value": clean(value)}
    if isinstance(value, Sequence):
        return [update_body(item) if isinstance(item, Mapping) else item for item in value]
    return {"value": value}


def patch(members: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of a Severa record by path, from dotted member names; the order stays (R-INV-6 needs it)."""
    return {"/" + path.replace(".", "/"): value for path, value in members.items()}


def day(value: Any) -> date | None:
    """The day of a vendor's date or date-time text (with or without time, fraction and zone), None if there is none."""
    if not isinstance(value, str) or len(value) < 10:
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def flag(value: Any, *, default: bool = True) -> bool:
    """A boolean that may be missing or null; also accepts the words true and false."""
    if isinstance(value, str):
        return value.strip().casefold() == "true"
    return default if value is None else bool(value)


def decimal(value: Any) -> Decimal | None:
    """A number as Decimal, None if there is none. Raises TypeError for a float: it was never exact."""
    if value is None or value == "":
        return None
    if isinstance(value, float):
        raise TypeError("money must never pass through float")
    return Decimal(value)


def known_money(value: Any) -> Decimal | None:
    """An amount without a double's noise, None where there is none."""
    found = decimal(value)
    return of_double(found) if found is not None else None


def known_factor(value: Any) -> Decimal | None:
    """A price or percentage without a double's noise, None where there is none."""
    found = decimal(value)
    return factor_of_double(found) if found is not None else None


def moment(value: Any) -> datetime | None:
    """A vendor's date-time text, aware if the text has a zone; None if there is none or it cannot be read."""
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def latest_time(body: Mapping[str, Any]) -> datetime | None:
    """The later of created and updated: aware for Severa, zone-less local time for Visma.net ERP."""
    names = ("lastUpdatedDateTime", "lastModifiedDateTime", "createdDateTime")
    found = [time for name in names if (time := moment(read(body, name))) is not None]
    # One record may not mix both kinds; should it do so, the order is what matters, not the hour.
    return max(found, key=lambda time: time if time.tzinfo else time.replace(tzinfo=UTC), default=None)
