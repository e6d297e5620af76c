"""Reading a list to its end without losing or doubling a row, whatever the server makes of the page numbers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from connectors.visma_net.register import Register
from connectors.visma_net.rows import identity, merge_lines, rows_of
from domain.errors import Unavailable
from domain.ports import Json, Page

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Fetched:
    """One answer of a list: its parsed body and its ``Date``."""

    body: Any
    server_time: datetime | None


def walk(
    register: Register,
    fetch: Callable[[int], Fetched],
    *,
    check: Callable[[list[Json]], list[Json]],
    stop: threading.Event | None = None,
    position: str | None = None,
) -> Iterator[Page]:
    """The pages of a list, rows without repetition.

    The end is known by the rows received, not by page numbers: pageSize may be cut silently, and a page may be short.
    It is reached when ``metadata.totalCount`` rows are there, a page is empty, or a page brings nothing new (a server
    that ignores pageNumber). ``position``: of an earlier page, to go on behind it (its next number, and the rows received
    until then). ``check`` sees each page as it came and may drop rows or raise. A register that counts
    lines is given whole at the end, its split batches put together.
    """
    if register.paging == "lines":
        yield _gathered(register, fetch, check=check, stop=stop)
        return
    seen: set[tuple[str, ...]] = set()
    first, received = _place(position)
    previous: list[Json] = []
    for number in _numbers(stop, first):
        answer = fetch(number)
        rows, count = rows_of(answer.body)
        fresh = [row for row in rows if _is_new(identity(row, register), seen)]
        if number > first and rows and (not fresh or rows == previous):
            _log.warning("page_repeated", system="visma_net", register=register.name, page=number)
            return
        received += len(fresh)
        last = register.paging == "whole" or not rows or (count.total is not None and received >= count.total)
        yield Page(check(fresh), answer.server_time, None if last else f"{number + 1}/{received}")
        if last:
            if count.total is not None and received < count.total:
                _log.warning(
                    "list_incomplete",
                    system="visma_net",
                    register=register.name,
                    received=received,
                    total=count.total,
                )
            return
        previous = rows


def _gathered(
    register: Register,
    fetch: Callable[[int], Fetched],
    *,
    check: Callable[[list[Json]], list[Json]],
    stop: threading.Event | None,
) -> Page:
    batches: list[Json] = []
    seen: set[tuple[str, ...]] = set()
    server_time: datetime | None = None
    for number in _numbers(stop):
        answer = fetch(number)
        server_time = answer.server_time or server_time
        rows, count = rows_of(answer.body)
        units = [unit for row in rows for unit in _lines(row, register)]
        if not rows or all(unit in seen for unit in units):
            break
        seen.update(units)
        batches.extend(rows)
        # Should a server count batches after all, then its total is met too early: only a page that is not full
        # by either count, or an empty one, is the last.
        if (
            count.total is not None
            and len(seen) >= count.total
            and len(units) < _size(register, count.per_page)
        ):
            break
    return Page(check(merge_lines(batches)), server_time)


def _lines(row: Json, register: Register) -> list[tuple[str, ...]]:
    key = identity(row, register) or (repr(row),)
    lines = row.get("journalTransactionLines") or [{}]
    return [(*key, str(line.get("lineNumber", index))) for index, line in enumerate(lines)]


def _size(register: Register, per_page: int | None) -> int:
    return min(register.page_size, per_page or register.page_size)


def _is_new(key: tuple[str, ...] | None, seen: set[tuple[str, ...]]) -> bool:
    if key is None:
        return True
    if key in seen:
        return False
    seen.add(key)
    return True


def _place(position: str | None) -> tuple[int, int]:
    """(number of the next page, rows received before it)."""
    number, _, received = (position or "1/0").partition("/")
    return int(number), int(received)


def _numbers(stop: threading.Event | None, first: int = 1) -> Iterator[int]:
    number = first
    while True:
        if stop is not None and stop.is_set():
            raise Unavailable("stopping", costs_attempt=False)
        yield number
        number += 1
