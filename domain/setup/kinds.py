"""Kinds of values that a tenant's settings have: codes are words whatever they are made of, days are days of the calendar.

A value's kind is its setting's, never what its spelling looks like: 2 is a class, 86400 no day, true no number.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, get_args, get_origin

from pydantic import BeforeValidator, ValidationInfo
from pydantic.fields import FieldInfo

LONGEST_CODE = 60
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
"""Days that can be set: with earlier or later ones no zone and no calendar of the vendors can reckon."""


def _code(value: Any, info: ValidationInfo) -> Any:
    """Codes, classes and numbers of the ERP are words, and most are made of digits: 2 means '2'.

    What no record can be called is refused when a person sets it; what was stored before that was checked stays.
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        return value
    word = str(value).strip()
    if info.context and info.field_name in info.context and not 0 < len(word) <= LONGEST_CODE:
        raise ValueError(f"it must be a word of 1 to {LONGEST_CODE} characters")
    return word


def _day(value: Any) -> Any:
    found = value
    if isinstance(value, str):
        try:
            found = date.fromisoformat(value) if len(value) == len("2026-01-31") else None
        except ValueError:
            found = None
    if value is not None and (
        not isinstance(found, date) or isinstance(found, datetime) or not FIRST_DAY <= found <= LAST_DAY
    ):
        raise ValueError(f"it must be {DAYS}")
    return found


DAYS = f"a date from {FIRST_DAY} to {LAST_DAY}, such as 2026-01-31"
Code = Annotated[str, BeforeValidator(_code)]
Day = Annotated[date, BeforeValidator(_day)]


def numbers_are_no_truths(value: Any, field: FieldInfo) -> Any:
    """True and false are 1 and 0 to Python; to who set them they are neither."""
    return str(value) if isinstance(value, bool) and field.annotation in (int, Decimal) else value


def typed(field: FieldInfo, text: str) -> Any:
    """What a person typed for a setting: JSON for a table or a list, else the word as it stands. Quotes around a word come off,
    and ``null`` unsets what may be unset. Raises ValueError saying how a table or a list is written."""
    wanted = {
        dict: 'a table, written as JSON such as \'{"a": "b"}\'',
        tuple: "a list, written as JSON such as '[\"a\"]'",
    }
    form = wanted.get(get_origin(field.annotation) or str)
    if form is None and not text.startswith('"'):
        return None if text == "null" and type(None) in get_args(field.annotation) else text
    try:
        value = json.loads(text, parse_float=str, parse_int=str)
    except ValueError:
        value = text
    if form is not None and not isinstance(value, list if get_origin(field.annotation) is tuple else dict):
        raise ValueError(f"it must be {form}")
    return value


def limits(field: FieldInfo) -> str:
    """``a whole number from 1 to 604800``, ``a number above 0 and up to 10000``; '' for a field without an upper bound."""
    found = {
        kind: getattr(one, kind)
        for one in field.metadata
        for kind in ("ge", "gt", "le")
        if getattr(one, kind, None) is not None
    }
    if "le" not in found or not found.keys() & {"ge", "gt"}:
        return ""
    return bounded(field.annotation, found.get("ge"), found.get("gt"), found["le"])


def bounded(kind: Any, ge: Any, gt: Any, le: Any) -> str:
    """The same of single bounds; one of ``ge`` and ``gt`` is None."""
    what = "a whole number" if kind is int else "a number"
    return f"{what} from {ge} to {le}" if ge is not None else f"{what} above {gt} and up to {le}"
