"""Reading Severa's lists to their end, safely: no page twice, no row twice, no misspelt filter unnoticed.

The server ignores query names that it does not know (docs/vendors/severa.md S16): a filter that was ignored gives everything, and
everything would then be taken for what was asked for. So each row is held against the filter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from connectors.listing import Batch, End, Reading, Row
from connectors.meaning import Odd, Question, json_of, key_text, unsound
from connectors.severa.amounts import AMOUNTS
from connectors.severa.errors import SYSTEM
from connectors.severa.models import format_time, parse_time, server_time
from connectors.severa.registers import Check, Register
from domain.errors import NotFound, NotKnown
from domain.model import Filter, Json

PAGE = 100
"""Rows asked for: the maximum that the document names for most lists."""
SMALLEST_PAGE = 20
"""The documented default. A first page shorter than this is the whole list, whatever the server cuts pages to."""

BARREN_PAGES = 20
"""Pages in a row that bring nothing new, each with a token for the next, after which the list is given up."""

Wire = str | int | bool | list[str]
Read = Callable[[Mapping[str, Wire]], httpx.Response]
"""One GET of the list with this query."""


@dataclass(slots=True)
class _Pages:
    """What one reading of a list has seen: keys, whole pages (by their keys), and rows that cannot be used."""

    register: Register
    usable_amounts: bool
    keys: set[str] = field(default_factory=set)
    pages: set[tuple[str, ...]] = field(default_factory=set)
    bad: int = 0
    repeated: bool = False
    barren: int = 0
    length: int = 0

    def take(self, answer: httpx.Response) -> Batch:
        """The page's rows in shape. Raises NotKnown for an answer that is no list."""
        body = _list_in(answer, self.register)
        rows = [Row(_key(row, self.register), row) for row in body if self._is_good(row)]
        self.length = len(body)
        self.bad += len(body) - len(rows)
        keys = tuple(str(row.key) for row in rows)
        fresh = not self.keys.issuperset(keys)
        # A page without a row that can be used would be asked for without end where no token says that it is the last.
        self.repeated = bool(body) and (
            (bool(keys) and keys in self.pages) or not (fresh or self.register.paging == "token")
        )
        self.barren = 0 if fresh else self.barren + 1
        self.pages.add(keys)
        self.keys.update(keys)
        return Batch(rows, server_time(answer.headers.get("date")))

    def end(self, short: str = "") -> End:
        """How the reading ended."""
        return End(short, bad=self.bad)

    def _is_good(self, row: object) -> bool:
        if not isinstance(row, dict) or not _key(row, self.register):
            return False
        # A number that fills the memory is none in any member, and for the poller too.
        return unsound(row, AMOUNTS if self.usable_amounts else ()) is None


def read_once(
    register: Register,
    query: Mapping[str, Wire],
    read: Read,
    *,
    usable_amounts: bool,
    position: str | None = None,
) -> Reading:
    """One reading of a list from its first page on, or behind the page that gave ``position``.

    The end is said by the missing token, or by a short page; a page that comes again, or that is refused or out of shape
    after the first, makes the list a short one. ``usable_amounts``: a row whose amounts are garbage is a bad one.
    Raises NotKnown for a first page that is no list, and what ``read`` raises.
    """
    pages = _Pages(register, usable_amounts)
    if register.paging == "token":
        return (yield from _by_token(pages, query, read, position))
    if register.paging == "rows":
        return (yield from _by_rows(pages, query, read, int(position or 0)))
    yield pages.take(read(query))
    return pages.end()


def _by_token(pages: _Pages, query: Mapping[str, Wire], read: Read, token: str | None) -> Reading:
    used: set[str] = set()
    while True:
        # The filters are repeated with the token: the token alone does not carry them everywhere (docs/vendors/severa.md S12).
        with_paging = {**query, "rowCount": PAGE, **({"pageToken": token} if token else {})}
        try:
            answer = read(with_paging)
            batch = pages.take(answer)
        except (NotFound, NotKnown) as trouble:
            if token is None:
                raise
            return pages.end(f"a later page: {trouble.message}")
        token = answer.headers.get("nextpagetoken") or None
        yield replace(batch, position=token)
        if pages.repeated:
            return pages.end("a page came again")
        if token is None:
            return pages.end()
        if token in used:
            return pages.end("a page token came again")
        used.add(token)
        if pages.barren >= BARREN_PAGES:
            question = Question(SYSTEM, f"GET {pages.register.list_path}")
            raise question.not_known(f"{BARREN_PAGES} pages without a new row, each naming a next one")


def _by_rows(pages: _Pages, query: Mapping[str, Wire], read: Read, first: int) -> Reading:
    size = 0
    while True:
        try:
            batch = pages.take(read({**query, "firstRow": first, "rowCount": PAGE}))
        except (NotFound, NotKnown) as trouble:
            if first == 0:
                raise
            return pages.end(f"a later page: {trouble.message}")
        if pages.repeated and size > PAGE:
            # More rows than asked for, and the same again: the server does not page this list, all of it is here (docs/vendors/severa.md S14).
            return pages.end()
        # There is no mark for "more follows", and the server may cut pages below what was asked for: a page is the last
        # one when it is shorter than its predecessors, not when it is shorter than 100 (docs/vendors/severa.md S13).
        size = size or pages.length
        last = pages.length < max(size, SMALLEST_PAGE)
        first += pages.length
        yield replace(batch, position=None if last else str(first))
        if pages.repeated:
            return pages.end("a page came again")
        if last:
            return pages.end()


def _list_in(answer: httpx.Response, register: Register) -> list[Any]:
    question = Question(SYSTEM, f"GET {register.list_path}")
    try:
        body = json_of(answer)
    except Odd as odd:
        raise question.not_known(odd) from odd
    if register.paging == "single" and isinstance(body, dict) and _key(body, register):
        return [body]
    if register.paging == "single" or not isinstance(body, list):
        raise question.not_known("it is not a list" if register.paging != "single" else "it is no record")
    return body


def _key(row: Json, register: Register) -> str:
    if register.shows == ("guid",):
        return key_text(row.get("guid")).casefold()
    return register.name if any(name in row for name in register.shows) else ""


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


def _plain(value: object) -> str:
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    # Spaces, dashes and case are no difference: VAT numbers and codes are found in any spelling.
    return "".join(letter for letter in str(value).casefold() if letter.isalnum())


def _in_time(found: Sequence[object], kind: str, wanted: Filter) -> bool:
    limit = wanted if isinstance(wanted, datetime) else parse_time(wanted)
    times = [time for time in map(parse_time, found) if time is not None]
    if limit is None or not times or limit.tzinfo is None:
        return True
    # A date is compared in the organisation's zone, which is not known here: a day either way proves nothing.
    day = timedelta(days=1)
    return any(time >= limit - day if kind == "from" else time <= limit + day for time in times)


def _values(value: object, path: Sequence[str]) -> Iterator[Any]:
    if not path:
        yield value
        return
    name = path[0].removesuffix("[]")
    member = value.get(name) if isinstance(value, Mapping) else None
    for one in member if isinstance(member, list) else [member]:
        yield from _values(one, path[1:])
