"""Lists are read until they are whole, or known not to be: short ones again at once, then what came is given and the
reader is told (an answer is known or not known)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import simplejson
import structlog

from domain.errors import ShortList
from domain.model import Json

READINGS = 3
"""A short list is read again at once, twice: most often a row was removed while its pages went by."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Row:
    """One row in shape; ``key`` identifies it within its list."""

    key: Hashable
    body: Json


@dataclass(frozen=True, slots=True)
class Batch:
    """One page's rows in shape; ``server_time`` is the answer's ``Date``; ``position``: where a reading can go on behind
    it, None for the last page and where it cannot."""

    rows: list[Row]
    server_time: datetime | None
    position: str | None = None


@dataclass(frozen=True, slots=True)
class End:
    """How one reading ended. ``short`` says why it is not whole ('' = it is); ``expected`` rows as the vendor told;
    ``bad`` rows that are no objects or lack what identifies them."""

    short: str = ""
    expected: int | None = None
    bad: int = 0


Reading = Generator[Batch, None, End]
"""One reading of a list from a position, or its first page, on: its pages, then how it ended."""


def read_whole(
    once: Callable[[str | None], Reading], *, system: str, register: str, position: str | None = None
) -> Iterator[Batch]:
    """The pages of a list, each row once, a row that changed meanwhile again; at least one page, which may be empty.

    ``position``: of an earlier page, to go on behind it; a short list is read again from its beginning.

    Raises ShortList after the last row when the list did not come whole in any of three readings, or had rows that
    cannot be used (reading again does not mend those).
    """
    seen: dict[Hashable, int] = {}
    end = End()
    for attempt in range(READINGS):
        end = yield from _fresh(once(None if attempt else position), seen, first=attempt == 0)
        if not end.short:
            break
        _log.warning("list_short", system=system, register=register, reason=end.short, attempt=attempt + 1)
    if end.short or end.bad:
        told = None if end.expected is None and not end.bad else max(end.expected or 0, len(seen) + end.bad)
        reason = end.short or f"{end.bad} rows cannot be used"
        raise ShortList(
            f"the list of {register} did not come whole: {reason}",
            system=system,
            register=register,
            expected=told,
            got=len(seen),
            reason=reason,
        )


def _fresh(reading: Reading, seen: dict[Hashable, int], *, first: bool) -> Generator[Batch, None, End]:
    while True:
        try:
            batch = next(reading)
        except StopIteration as stop:
            end: End = stop.value
            return end
        rows = [row for row in batch.rows if _is_news(row, seen)]
        if rows or first:
            yield Batch(rows, batch.server_time, batch.position)
        first = False


def _is_news(row: Row, seen: dict[Hashable, int]) -> bool:
    mark = _mark(row.body)
    if seen.get(row.key) == mark:
        return False
    seen[row.key] = mark
    return True


def _mark(body: Json) -> int:
    # The count of the list stands in each row of the ERP: that it grew is no change of the row.
    shown: dict[str, Any] = {name: value for name, value in body.items() if name != "metadata"}
    return hash(simplejson.dumps(shown, use_decimal=True, sort_keys=True))


def once_each(batches: Iterator[Batch]) -> Iterator[Json]:
    """The rows of a list, each id once, as it came first: for look-ups, where two rows of one id are not two hits."""
    known: set[Hashable] = set()
    for batch in batches:
        for row in batch.rows:
            if row.key not in known:
                known.add(row.key)
                yield row.body
