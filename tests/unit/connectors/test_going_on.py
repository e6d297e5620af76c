"""A reading of a register goes on behind the page that it stopped at (docs/never-twice.md rule 16)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from connectors.listing import Batch, Reading, read_whole
from connectors.severa import paging as severa
from connectors.severa.registers import REGISTERS as SEVERA
from connectors.visma_net.paging import Fetched, read_once
from connectors.visma_net.registers import register as erp_register
from connectors.visma_net.rows import Count

ROWS = [{"guid": f"{n:03d}", "number": str(n)} for n in range(250)]


class Lists:
    """A server of both of Severa's ways of paging; what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []

    def __call__(self, query: Mapping[str, Any]) -> httpx.Response:
        self.asked.append(query)
        first = int(query.get("pageToken") or query.get("firstRow") or 0)
        rows = ROWS[first : first + 100]
        more = first + 100 < len(ROWS)
        headers = {"nextpagetoken": str(first + 100)} if more and "firstRow" not in query else {}
        return httpx.Response(200, json=rows, headers=headers)


def severa_pages(register: Any, server: Lists, position: str | None = None) -> list[Batch]:
    def once(begin: str | None) -> Reading:
        return severa.read_once(register, {"changedSince": "x"}, server, usable_amounts=False, position=begin)

    return list(read_whole(once, system="severa", register=register.name, position=position))


@pytest.mark.schedule("S40")
@pytest.mark.parametrize("name", ["customers", "contactpersons"])
def test_severa_goes_on_behind_the_page_that_gave_the_position(name: str) -> None:
    register = SEVERA[name]
    whole = severa_pages(register, Lists())
    assert [page.position is None for page in whole] == [False, False, True]
    for stopped in (0, 1):
        server = Lists()
        rest = severa_pages(register, server, whole[stopped].position)
        assert [page.rows for page in rest] == [page.rows for page in whole[stopped + 1 :]]
        first = server.asked[0].get("pageToken") or server.asked[0].get("firstRow")
        assert int(first or 0) == (stopped + 1) * 100, "what is known is not asked for again"
        assert all(query["changedSince"] == "x" for query in server.asked), (
            "the token does not carry the filter"
        )


@pytest.mark.schedule("S40")
@pytest.mark.parametrize("total", [True, False])
def test_the_erp_goes_on_behind_the_page_that_gave_the_position(*, total: bool) -> None:
    register = erp_register("customer")
    rows = [
        {"internalId": n, "number": str(n), **({"metadata": {"totalCount": 250}} if total else {})}
        for n in range(250)
    ]

    def fetch(number: int) -> Fetched:
        asked.append(number)
        return Fetched(rows[(number - 1) * 100 : number * 100], Count(None, None), None)

    def pages(position: str | None = None) -> list[Batch]:
        def once(begin: str | None) -> Reading:
            return read_once(
                register,
                fetch,
                check=lambda found: found,
                usable_amounts=False,
                sure_of_none=False,
                stop=threading.Event(),
                position=begin,
            )

        return list(read_whole(once, system="visma_net", register="customer", position=position))

    asked: list[int] = []
    whole = pages()
    assert [row.body["internalId"] for page in whole for row in page.rows] == list(range(250))
    # Without a count only the empty page behind it says that a page was the last.
    assert (whole[-1].position is None) is total
    asked.clear()
    rest = pages(whole[1].position)
    assert [row.body["internalId"] for page in rest for row in page.rows] == list(range(200, 250))
    assert asked[0] == 3
    assert len(asked) == (1 if total else 2), "the count of what came before is carried on"
