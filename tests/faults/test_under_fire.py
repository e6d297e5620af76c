"""The short form of ``make faults``: every kind of strike once, on real processes, and the four zeros."""

from __future__ import annotations

import pytest
from faults.firing import run, table
from services import RabbitServer

SEED = 20_261_130
SECONDS = 60.0


@pytest.mark.req("R-INV-13", "R-OPS-1", "R-CUS-1")
@pytest.mark.timeout(0)  # given up only when nothing has moved for long
def test_nothing_is_lost_doubled_stuck_or_unexpected_under_fire(rabbitmq: RabbitServer) -> None:
    told = run(rabbitmq, SEED, SECONDS, print, firms=2, invoices=20, every_kind=True)
    print(table(told))  # noqa: T201 - what happened, when a test fails
    assert told.ledger.wrong == []
    assert told.came_to_rest
    assert told.ledger.count()["accepted"] >= 20
