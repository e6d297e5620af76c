"""Bodies as they come: wrapped scalars, envelopes, metadata, spellings; and whether a row fits the filter it was asked by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.meaning import Odd, key_text
from connectors.visma_net.models import Count
from connectors.visma_net.register import DATE_ONLY, Register
from connectors.visma_net.times import parse_time
from domain.model import Filter, Json

TIME_SLACK = timedelta(hours=3)
"""A filter read in another zone than the rows are written in shifts by hours, an ignored filter by weeks."""
DAY_SLACK = timedelta(days=1)

_DOCUMENT_TYPES = {"documentType", "docType"}


def plain(value: object) -> Any:
    """The value with every ``{"value": x}`` replaced by x, and document types spelt as in the vendor's enumeration."""
    if isinstance(value, Mapping):
        if len(value) == 1 and "value" in value:
            return plain(value["value"])
        return {
            name: _without_spaces(member) if name in _DOCUMENT_TYPES else plain(member)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [plain(member) for member in value]
    return value


def list_in(body: object, register: Register, *, further: bool = False) -> tuple[list[Any], Count]:
    """The rows of a list's answer, and what it says of their number.

    An array where the document shows an envelope is taken as the other lists are, but for an empty one: nothing says then that
    there is nothing, unless it is a ``further`` page. Raises Odd.
    """
    count, body = Count(), plain(body)
    if register.paging == "envelope" and not (isinstance(body, list) and (body or further)):
        if not isinstance(body, Mapping) or not isinstance(body.get("records"), list):
            raise Odd("it is not a list with its count")
        count, body = Count.of_envelope(body), body["records"]
        if count.total is None:
            raise Odd("it does not say how many there are")
    if not isinstance(body, list):
        raise Odd("it is not a list")
    return body, count


def row_of(row: object, register: Register) -> Json | None:
    """A row in shape: an object that shows what identifies it (a word where the list is one of words), else None."""
    if register.words:
        row = {"id": row} if isinstance(row, str) else None
    if not isinstance(row, dict) or identity(row, register) is None:
        return None
    if register.paging == "lines" and not _has_lines(row):
        return None
    return row


def _has_lines(batch: Json) -> bool:
    lines = batch.get("journalTransactionLines")
    return lines is None or (isinstance(lines, list) and all(isinstance(line, Mapping) for line in lines))


def member(row: object, path: str) -> Iterator[Any]:
    """The values at a dotted path; arrays on the way give one value per element. Absent members give nothing."""
    if path == "":
        yield row
        return
    if isinstance(row, list):
        for element in row:
            yield from member(element, path)
        return
    name, _, rest = path.partition(".")
    if isinstance(row, Mapping) and name in row:
        yield from member(row[name], rest)


def first(row: object, path: str) -> str:
    """The first value at a path as text, '' if there is none."""
    return next((str(value) for value in member(row, path) if value is not None), "")


def _identifying(row: Json, path: str) -> str:
    return next((text for value in member(row, path) if (text := key_text(value))), "")


def identity(row: Json, register: Register) -> tuple[str, ...] | None:
    """What identifies a row within its register, None if the row does not show it."""
    for group in register.identity:
        values = tuple(_identifying(row, path) for path in group)
        if all(values):
            return (",".join(group), *values)
    return None


def fits(row: Json, name: str, wanted: Filter, *, condition: str, register: Register, time_zone: str) -> bool:
    """False if the row shows the filtered member and it is another than was asked for.

    Times are compared with some slack: the aim is to notice a filter that the server ignored, not to filter again.
    """
    # A time of a row has the name of its filter in every register.
    paths = register.checks.get(name, (name,) if name.endswith("DateTime") else ())
    shown = [
        value
        for path in paths
        for value in member(row, path)
        if value is not None and not isinstance(value, Mapping | list)
    ]
    if not shown:
        return True
    if isinstance(wanted, datetime) or name in DATE_ONLY or name.endswith("DateTime"):
        return any(
            _in_time(value, wanted, condition=condition, name=name, time_zone=time_zone) for value in shown
        )
    choices = [wanted] if isinstance(wanted, str | int | bool) else list(wanted)
    return any(_same(value, choice, name) for value in shown for choice in choices)


def _same(value: object, wanted: object, name: str) -> bool:
    if isinstance(value, Decimal | int) and not isinstance(value, bool) and not isinstance(wanted, bool):
        try:
            return Decimal(value) == Decimal(str(wanted))
        except ArithmeticError:
            return False
    left, right = _folded(value), _folded(wanted)
    # The module filter takes GL, the rows show ModuleGL.
    return left == right or (name == "module" and left == f"module{right}")


def _folded(value: object) -> str:
    # Blanks and punctuation differ between a number as typed and as stored, never between two records.
    return re.sub(r"[\W_]+", "", str(value)).casefold() or str(value).strip().casefold()


def _in_time(value: object, wanted: Filter, *, condition: str, name: str, time_zone: str) -> bool:
    asked = wanted if isinstance(wanted, datetime | str) else str(wanted)
    try:
        left = parse_time(str(value), time_zone)
        if isinstance(asked, str):
            right = parse_time(asked, time_zone)
        else:
            right = asked if asked.tzinfo else parse_time(asked.isoformat(), time_zone)
    except ValueError:
        return True
    slack = DAY_SLACK if name in DATE_ONLY else TIME_SLACK
    if condition in (">", ">="):
        return left >= right - slack
    if condition in ("<", "<="):
        return left <= right + slack
    return abs(left - right) <= slack


def _without_spaces(value: object) -> Any:
    value = plain(value)
    return value.replace(" ", "") if isinstance(value, str) else value


def merge_lines(batches: Sequence[Json]) -> list[Json]:
    """Journal batches with the lines of each gathered: a batch may be split over two pages (register ``lines``)."""
    merged: dict[tuple[str, str], Json] = {}
    for batch in batches:
        key = (str(batch.get("module") or ""), str(batch.get("batchNumber") or ""))
        if key not in merged:
            merged[key] = dict(batch)
            continue
        known = merged[key]
        lines = list(known.get("journalTransactionLines") or [])
        numbers = {line.get("lineNumber") for line in lines}
        lines.extend(
            line
            for line in batch.get("journalTransactionLines") or []
            if line.get("lineNumber") is None or line.get("lineNumber") not in numbers
        )
        known["journalTransactionLines"] = lines
    return list(merged.values())
