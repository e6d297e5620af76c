"""Lists: pages, filters by time and by value, and the metadata on every row (docs/vendors/visma-net-erp.md E26)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from simulators.visma_net.answers import malformed
from simulators.visma_net.state import Company, Stamp

if TYPE_CHECKING:
    from simulators.visma_net.call import Call

T = TypeVar("T")

_FILTER_TIME = re.compile(r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}:\d{2}(\.\d{1,7})?)?$")
_CONDITIONS: dict[str, Callable[[str, str], bool]] = {
    # The vendor's operator table reads ">" as "after and on".
    ">": lambda value, limit: value >= limit,
    ">=": lambda value, limit: value >= limit,
    "<": lambda value, limit: value < limit,
    "<=": lambda value, limit: value <= limit,
}


def filter_time(name: str, text: str) -> str:
    """A filter's time in comparable form; 400 for a Z or an offset, which filters do not take."""
    if not _FILTER_TIME.match(text.strip()):
        raise malformed({name: f"The value '{text}' is not valid for {name}."})
    try:
        parsed = datetime.fromisoformat(text.strip()[:26])
    except ValueError as error:
        raise malformed({name: f"The value '{text}' is not valid for {name}."}) from error
    return parsed.isoformat(timespec="milliseconds")


def time_test(call: Call, name: str) -> Callable[[str], bool] | None:
    """The test of one time filter; None when it was not sent, or was sent without its Condition (docs/vendors/visma-net-erp.md E30)."""
    text = call.query.get(name.lower())
    if not text:
        return None
    limit = filter_time(name, text)
    compare = _CONDITIONS.get(call.query.get(f"{name.lower()}condition", "").strip())
    if compare is None:
        return None
    return lambda value: compare(value, limit)


def by_times(
    call: Call, rows: Iterable[T], modified: Callable[[T], Stamp], created: Callable[[T], Stamp] | None = None
) -> Iterable[T]:
    """Apply lastModifiedDateTime and createdDateTime, each with its Condition."""
    company = call.company
    changed_test = time_test(call, "lastModifiedDateTime")
    if changed_test is not None:
        rows = [row for row in rows if changed_test(company.text(modified(row)))]
    created_test = time_test(call, "createdDateTime") if created else None
    if created is not None and created_test is not None:
        rows = [row for row in rows if created_test(company.text(created(row)))]
    return rows


def max_size(company: Company, *, inventory: bool = False) -> int:
    """The most rows of a page, whatever was asked for."""
    switches = company.switches
    return switches.max_page_size_inventory if inventory else switches.max_page_size


def page(
    call: Call,
    rows: Iterable[T],
    render: Callable[[T], dict[str, Any]],
    *,
    inventory: bool = False,
    counted: bool = True,
) -> list[dict[str, Any]]:
    """The asked page: pageSize is cut silently, past the end is ``[]``, every row carries the counts (unless
    its shape has no place for them: ``counted`` False)."""
    found = rows if isinstance(rows, list) else list(rows)
    limit = max_size(call.company, inventory=inventory)
    size = min(call.whole("pageSize") or call.company.switches.default_page_size, limit)
    number = max(call.whole("pageNumber") or 1, 1)
    rows_of_page = found[(number - 1) * size : number * size]
    if not counted:
        return [render(row) for row in rows_of_page]
    metadata = {"totalCount": len(found), "maxPageSize": limit}
    return [{**render(row), "metadata": metadata} for row in rows_of_page]


def whole_list(call: Call, rows: Iterable[T], render: Callable[[T], dict[str, Any]]) -> list[dict[str, Any]]:
    """A list that knows no paging parameters: all rows at once, each with the counts."""
    found = list(rows)
    metadata = {"totalCount": len(found), "maxPageSize": max_size(call.company)}
    return [{**render(row), "metadata": metadata} for row in found]


def envelope(call: Call, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The lists that come in an envelope instead of a bare array."""
    limit = max_size(call.company)
    size = min(call.whole("pageSize") or 50, limit)
    number = max(call.whole("pageNumber") or 1, 1)
    return {
        "pageNumber": number,
        "pageSize": size,
        "totalCount": len(rows),
        "records": rows[(number - 1) * size : number * size],
    }
