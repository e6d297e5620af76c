"""What the bridge costs in transactions: per plain invoice in a worker, per idle poll of both systems.

Measured on the road with the cache that installations have: 12 and 20. 0.1.0 took 24.5 and 50.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from road import Road, book, hours, installation
from services import Database

from db.pool import Database as Pools

# Twelve, and room for one that is taken twice.
PER_INVOICE = 13
# Twenty; one more when a lease is lengthened.
PER_IDLE_CYCLE = 22
INVOICES = 10


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many transactions were begun, by the kind of thread: ``poll`` or ``worker``; others are loops and the test."""
    counts: Counter[str] = Counter()
    plain = Pools._transaction

    @contextmanager
    def counting(pools: Pools, pool: Any) -> Iterator[Any]:
        name = threading.current_thread().name
        kind = "poll" if name.startswith("poll_") else type(threading.current_thread()).__name__
        counts["worker" if "Worker" in kind else kind] += 1
        with plain(pools, pool) as connection:
            yield connection

    monkeypatch.setattr(Pools, "_transaction", counting)
    return counts


@pytest.mark.req("R-OPS-2")
def test_a_plain_invoice_and_an_idle_poll_stay_within_their_transactions(
    database: Database, counted: Counter[str]
) -> None:
    with installation(database, reference_cache_seconds=600) as made:
        road: Road = made.add_firm(1)
        project = road.add_project(road.severa.one("customers", number=10001), "Budgetprojektet")
        road.approve(project, [hours("1"), book()])
        road.settle()
        road.poll()
        counted.clear()
        road.poll()
        assert counted["poll"] <= PER_IDLE_CYCLE, counted
        counted.clear()
        guids = [road.approve(project, [hours(str(n + 1)), book()]) for n in range(INVOICES)]
        road.settle()
        assert {road.role(guid) for guid in guids} == {"transferred"}
        assert counted["worker"] <= PER_INVOICE * INVOICES, counted
