"""Reading Severa's lists to their end, safely: no page twice, no row twice, no misspelt filter unnoticed.

The server ignores query names that it does not know (api.md 1.6): a filter that was ignored gives everything, and
everything would then be taken for what was asked for. So each row is held against the filter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import simplejson
import structlog

from connectors.http import parsed
from connectors.severa.models import format_time, parse_time, server_time
from connectors.severa.registers import Check, Register
from domain.errors import Unavailable
from domain.ports import Filter, Json, Page

PAGE = 100
"""Rows asked for: the maximum that the document names for most lists."""
SMALLEST_PAGE = 20
"""The documented default. A first page shorter than this is the whole list, whatever the server cuts pages to."""

EMPTY_PAGES = 20
"""Empty pages in a row, each with a token for the next, after which the list is given up."""

Wire = str | int | bool | list[str]
Read = Callable[[Mapping[str, Wire]], httpx.Response]
"""One GET of the list with this query."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    hashes: dict[str, int]

    def new(self, rows: Sequence[Json]) -> list[Json]:
        """The rows that were not there before; a row that changed between two pages counts as new."""
        fresh: list[Json] = []
        for row in rows:
            content = simplejson.dumps(row, use_decimal=True, sort_keys=True)
            key, mark = str(row.get("guid") or content), hash(content)
            if self.hashes.get(key) != mark:
                self.hashes[key] = mark
                fresh.append(row)
        return fresh


def read_pages(
    register: Register, query: Mapping[str, Wire], read: Read, position: str | None = None
) -> Iterator[Page]:
    """All pages of a list, without repeated rows; at least one page, which may be empty. ``position``: of an earlier page,
    to go on behind it.

    Ends on the last page, and on a page that brings nothing new (a server that ignores the paging gives page one
    again). Raises Unavailable for an answer that is no list.
    """
    seen = _Seen({})
    if register.paging == "token":
        yield from _by_token(register, query, read, seen, position)
    elif register.paging == "rows":
        yield from _by_rows(register, query, read, seen, int(position or 0))
    else:
        answer = read(query)
        yield Page(seen.new(rows_of(answer, register)), server_time(answer.headers.get("date")))


def _by_token(
    register: Register, query: Mapping[str, Wire], read: Read, seen: _Seen, token: str | None
) -> Iterator[Page]:
    used: set[str] = set()
    empty = 0
    while True:
        # The filters are repeated with the token: the token alone does not carry them everywhere (api.md 1.6).
        answer = read({**query, "rowCount": PAGE, **({"pageToken": token} if token else {})})
        rows = rows_of(answer, register)
        fresh = seen.new(rows)
        token = answer.headers.get("nextpagetoken") or None
        repeated = bool(rows) and not fresh
        if fresh or not used:
            yield Page(fresh, server_time(answer.headers.get("date")), token)
        if token is None:
            return
        if token in used or repeated:
            _log.warning("page_repeated", register=register.name, rows=len(seen.hashes))
            return
        used.add(token)
        empty = 0 if rows else empty + 1
        if empty >= EMPTY_PAGES:
            raise Unavailable(f"{register.list_path} gives only empty pages", system="severa")


def _by_rows(
    register: Register, query: Mapping[str, Wire], read: Read, seen: _Seen, first: int
) -> Iterator[Page]:
    size = 0
    begin = first
    while True:
        answer = read({**query, "firstRow": first, "rowCount": PAGE})
        rows = rows_of(answer, register)
        fresh = seen.new(rows)
        # There is no mark for "more follows", and the server may cut pages below what was asked for: a page is the last
        # one when it is shorter than its predecessors, not when it is shorter than 100.
        size = size or len(rows)
        last = len(rows) < max(size, SMALLEST_PAGE)
        if fresh or first == begin:
            position = None if last else str(first + len(rows))
            yield Page(fresh, server_time(answer.headers.get("date")), position)
        if last:
            return
        if not fresh:
            _log.warning("page_repeated", register=register.name, rows=len(seen.hashes))
            return
        first += len(rows)


def rows_of(answer: httpx.Response, register: Register) -> list[Json]:
    """The rows of a list answer. Raises Unavailable when it is none (a maintenance page answered with 200)."""
    if answer.status_code == 204:
        return []
    body = parsed(answer)
    if register.paging == "single" and isinstance(body, Mapping):
        body = [body]
    if not isinstance(body, list):
        raise Unavailable(f"the answer to {register.list_path} is not a list", system="severa")
    rows = [row for row in body if isinstance(row, dict)]
    if len(rows) != len(body):
        _log.warning("row_is_no_object", register=register.name, rows=len(body) - len(rows))
    return rows


def query_of(register: Register, filters: Mapping[str, Filter]) -> dict[str, Wire]:
    """The filters as they go on the wire. Raises ValueError for a name that the register does not have."""
    unknown = sorted(set(filters) - set(register.filters))
    if unknown:
        known = ", ".join(sorted(register.filters)) or "none"
        raise ValueError(f"{register.name} has no filter {', '.join(unknown)}; known: {known}")
    return {name: _wire(value) for name, value in filters.items()}


def _wire(value: Filter) -> Wire:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, str | int):
        return value
    return [str(one) for one in value]


def agrees(row: Json, check: Check, wanted: Filter) -> bool | None:
    """Whether a row is what the filter asked for; None = found by the server's looser search, to be left out."""
    if check.kind == "unchecked":
        return True
    found = [
        value for member in check.members for value in _values(row, member.split(".")) if value is not None
    ]
    if not found:
        return True
    if check.kind in ("from", "to"):
        return _in_time(found, check.kind, wanted)
    values = [wanted] if isinstance(wanted, str | int | datetime) else list(wanted)
    asked = {_plain(value) for value in values}
    if any(_plain(value) in asked for value in found):
        return True
    if check.kind == "text" and any(part and part in _plain(value) for value in found for part in asked):
        return None
    return False


def _plain(value: Any) -> str:
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    # Spaces, dashes and case are no difference: VAT numbers and codes are found in any spelling.
    return "".join(letter for letter in str(value).casefold() if letter.isalnum())


def _in_time(found: Sequence[Any], kind: str, wanted: Filter) -> bool:
    limit = wanted if isinstance(wanted, datetime) else parse_time(wanted)
    times = [time for time in map(parse_time, found) if time is not None]
    if limit is None or not times or limit.tzinfo is None:
        return True
    # A date is compared in the organisation's zone, which is not known here: a day either way proves nothing.
    day = timedelta(days=1)
    return any(time >= limit - day if kind == "from" else time <= limit + day for time in times)


def _values(value: Any, path: Sequence[str]) -> Iterator[Any]:
    if not path:
        yield value
        return
    name = path[0].removesuffix("[]")
    member = value.get(name) if isinstance(value, Mapping) else None
    for one in member if isinstance(member, list) else [member]:
        yield from _values(one, path[1:])
