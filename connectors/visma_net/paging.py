"""One reading of a list to its end without losing or doubling a row, whatever the server makes of the page numbers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.listing import Batch, End, Reading, Row
from connectors.meaning import unsound
from connectors.visma_net.amounts import AMOUNTS
from connectors.visma_net.models import Count
from connectors.visma_net.register import Register
from connectors.visma_net.rows import identity, merge_lines, row_of
from domain.errors import NotFound, NotKnown, Unavailable
from domain.model import Json


@dataclass(frozen=True, slots=True)
class Fetched:
    """One page in the shape of its register: its rows as they came, what it says of their number, and its ``Date``."""

    rows: list[Any]
    count: Count
    server_time: datetime | None


Fetch = Callable[[int], Fetched]
"""Reads a page (from 1). Raises NotKnown for another shape, and what every read raises."""
Check = Callable[[list[Row]], list[Row]]
"""Sees the rows of a page; may drop some, may raise."""
Units = Callable[[Json], list[Hashable]]
"""What the list's count counts in a row: the row itself, or its lines."""


@dataclass(slots=True)
class _Tally:
    """What one reading has seen so far. ``units`` is what the count counts; ``shrunk``: the count went down meanwhile, so
    rows may have slipped onto a page that was read already."""

    register: Register
    usable_amounts: bool
    counted: Units
    units: set[Hashable] = field(default_factory=set)
    total: int | None = None
    shrunk: bool = False
    bad: int = 0
    barren: bool = False
    full: bool = False
    before: int = 0

    def take(self, page: Fetched) -> list[Row]:
        """The page's rows in shape."""
        rows: list[Row] = []
        for raw in page.rows:
            row = row_of(raw, self.register)
            # A number that fills the memory is none in any member, and for the poller too.
            if row is None or unsound(row, AMOUNTS if self.usable_amounts else ()) is not None:
                self.bad += 1
            else:
                rows.append(Row(identity(row, self.register), row))
        self._count(page, rows)
        units = [unit for row in rows for unit in self.counted(row.body)]
        # A page that brings nothing new was here before (a server that ignores pageNumber gives page 1 again, docs/vendors/visma-net-erp.md E27), or has no
        # row that can be used: either way asking on would never end.
        self.barren = bool(page.rows) and self.units.issuperset(units)
        self.full = len(units) >= min(self.register.page_size, page.count.per_page or self.register.page_size)
        self.units.update(units)
        return rows

    def _count(self, page: Fetched, rows: list[Row]) -> None:
        counts = [page.count, *(Count.of_row(row.body) for row in rows)]
        told = [count.total for count in counts if count.total is not None]
        if not told:
            return
        self.shrunk = self.shrunk or (self.total is not None and max(told) < self.total)
        self.total = max(told)

    @property
    def received(self) -> int:
        """How many came until now, those before the position included."""
        return self.before + len(self.units) + self.bad

    @property
    def is_met(self) -> bool:
        """Whether as many rows are here as the last page told."""
        return self.total is not None and self.received >= self.total

    def end(self, short: str = "") -> End:
        """How the reading ended: whole, unless the count is not met or something else is known against it."""
        if not short and self.total is not None and not self.is_met:
            short = f"{self.received - self.bad} of {self.total}"
        if not short and self.shrunk:
            short = "rows were removed while it was read"
        return End(short, expected=self.total, bad=self.bad)


def read_once(
    register: Register,
    fetch: Fetch,
    *,
    check: Check,
    usable_amounts: bool,
    sure_of_none: bool,
    stop: threading.Event,
    position: str | None = None,
) -> Reading:
    """One reading of a list from page 1 on, or behind the page that gave ``position`` (the next number, and how many rows
    came until then).

    The end is said by the count of the last page (``metadata.totalCount``; pageSize may be cut silently, and a page may be
    short), and where the register has none by an empty page. A page that comes again, that is refused or out of shape
    after the first, or an end before the count is met make the list a short one. ``check`` sees each page and may drop
    rows or raise. ``sure_of_none``: that the whole register is empty is asked twice. A register that counts lines is given
    in one batch at the end, its split batches put together.
    """
    counted = _lines(register) if register.paging == "lines" else _itself(register)
    begin, _, before = (position or "1/0").partition("/")
    tally = _Tally(register, usable_amounts, counted, before=int(before))
    pages = _pages(tally, fetch, int(begin), sure_of_none=sure_of_none, stop=stop)
    if register.paging == "lines":
        return (yield from _gathered(pages, register, check))
    while True:
        try:
            batch = next(pages)
        except StopIteration as end:
            return _end_of(end)
        yield Batch(check(batch.rows), batch.server_time, batch.position)


def _pages(tally: _Tally, fetch: Fetch, begin: int, *, sure_of_none: bool, stop: threading.Event) -> Reading:
    for number in _numbers(stop, begin):
        try:
            page = fetch(number)
            if number == 1 and sure_of_none and not page.rows:
                page = fetch(number)
        except (NotFound, NotKnown) as trouble:
            if number == 1:
                raise
            return tally.end(f"page {number}: {trouble.message}")
        rows = tally.take(page)
        if tally.barren and number > begin:
            return tally.end("" if tally.is_met else f"page {number} brings no new row")
        last = tally.barren or not page.rows or tally.register.paging == "whole" or _is_last(tally)
        yield Batch(rows, page.server_time, None if last else f"{number + 1}/{tally.received}")
        if last:
            return tally.end()
    raise AssertionError("unreachable: the numbers do not end")


def _is_last(tally: _Tally) -> bool:
    # Should a server count batches where lines are meant, their total is met too early: then only a page that is not full
    # by either count, or an empty one, is the last.
    return tally.is_met and not (tally.register.paging == "lines" and tally.full)


def _gathered(pages: Reading, register: Register, check: Check) -> Reading:
    batches: list[Json] = []
    server_time: datetime | None = None
    while True:
        try:
            batch = next(pages)
        except StopIteration as end:
            whole = merge_lines(batches)
            yield Batch(check([Row(identity(one, register), one) for one in whole]), server_time)
            return _end_of(end)
        batches.extend(row.body for row in batch.rows)
        server_time = batch.server_time or server_time


def _end_of(stopped: StopIteration) -> End:
    end: End = stopped.value
    return end


def _itself(register: Register) -> Units:
    return lambda row: [identity(row, register)]


def _lines(register: Register) -> Units:
    def units(row: Json) -> list[Hashable]:
        lines = row.get("journalTransactionLines") or [{}]
        key = identity(row, register)
        return [(key, str(line.get("lineNumber", index))) for index, line in enumerate(lines)]

    return units


def _numbers(stop: threading.Event, number: int) -> Iterator[int]:
    while True:
        if stop.is_set():
            raise Unavailable("stopping", costs_attempt=False)
        yield number
        number += 1
