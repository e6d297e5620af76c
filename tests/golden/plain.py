"""Answers as plain JSON, so that 0.1.0's and today's can be compared member by member."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from golden.shapes import Json


def plain(value: Any) -> Any:
    """Numbers as text behind ``=``, with their decimals as they stand; dates as text, sets in order."""
    match value:
        case None | bool():
            return value
        case int() | Decimal():
            return f"={value}"
        case str():
            return str(value)
        case date():
            return value.isoformat()
        case Mapping():
            # In one order: some come out of sets, which have another one in every process.
            return {name: plain(value[name]) for name in sorted(value)}
        case set() | frozenset():
            return sorted(plain(one) for one in value)
        case list() | tuple():
            return [plain(one) for one in value]
        case _:
            raise TypeError(f"{type(value).__name__} is no answer")


def members(value: Any, *names: str) -> Json:
    """Some attributes of an object."""
    return {name: plain(getattr(value, name)) for name in names}


def told(ask: Callable[[], Any]) -> Any:
    """An answer, or how it was refused: a stop by its code, everything else by its kind."""
    try:
        return plain(ask())
    except Exception as error:  # noqa: BLE001 - whatever it is, it must be the same in both
        code = getattr(error, "code", None)
        return {"refused": f"{type(error).__name__} {code}" if code else type(error).__name__}
