"""How long work waits that somebody put off, over the real database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from factories import announce, take
from integration.test_settling import settle, workshop

from db import tenants
from db.pool import Database
from domain.errors import RateLimited, TryLater, Unavailable
from domain.model import Effects, Settled
from domain.ports import Delivery


@pytest.mark.parametrize(
    ("error", "least", "most"),
    [
        (lambda: RateLimited(retry_after=1, costs_attempt=True), 1, (1, 4, 8, 16, 32)),
        (lambda: Unavailable(retry_after=0), 0, (0, 4, 8, 16, 32)),
        (lambda: Unavailable(retry_after=10), 10, (10, 10, 10, 16, 32)),
        (Unavailable, 0, (2, 4, 8, 16, 32)),
        # Nobody was asked, or the bridge itself knows for how long.
        (lambda: RateLimited(retry_after=1), 1, (1, 1, 1, 1, 1)),
        (lambda: TryLater(retry_after=5, costs_attempt=False), 5, (5, 5, 5, 5, 5)),
    ],
    ids=["429", "503", "503 for long", "no answer", "budget", "own wait"],
)
def test_a_vendors_word_is_taken_once_and_is_the_least_that_is_waited_from_then_on(
    db: Database, tenant: UUID, error: Callable[[], TryLater], least: float, most: Sequence[float]
) -> None:
    def put_off(_: Delivery) -> Settled:
        raise error()

    announce(db, tenant)
    for longest in most:
        [taken] = take(db)
        assert settle(workshop(db, put_off), taken) == "later"
        with db.tenant(tenant) as connection:
            [row] = connection.execute(
                "select extract(epoch from due_at - changed_at)::float8 as s from outbox"
            )
            connection.execute("update outbox set due_at = bridge_now()")
        waited = round(row["s"], 3)
        # A back-off lies between half of what it has grown to and the whole.
        assert max(least, longest / 2 if longest > least else 0) <= waited <= longest


def test_the_lease_outlives_whatever_a_permission_for_registers_lets_leave(
    db: Database, tenant: UUID
) -> None:
    left: list[float] = []

    def write(delivery: Delivery) -> Settled:
        delivery.sending({"name": "Ny"}, {})
        with db.tenant(tenant) as connection:
            [row] = connection.execute(
                "select extract(epoch from lease_until - bridge_now())::float8 as s from matter"
            )
        left.append(row["s"])
        return Settled(Effects())

    announce(db, tenant)
    [taken] = take(db)
    shop = workshop(db, write)
    settle(replace(shop, pace=replace(shop.pace, claim_lease=1.0)), taken)
    limits, pace = shop.limits, shop.pace
    assert left[0] > pace.not_after + limits.create_seconds + pace.lease_margin - 5


@pytest.mark.req("R-SET-9")
def test_a_delivery_whose_domain_is_paused_before_its_first_effect_gives_its_row_back(
    db: Database, tenant: UUID
) -> None:
    def paused_under_it(delivery: Delivery) -> Settled:
        with db.tenant(tenant) as connection:
            tenants.set_paused_domains(connection, ["invoice"])
        delivery.begin("create", {}, limit_seconds=1)
        raise AssertionError("permitted")

    matter = announce(db, tenant)
    for _ in range(4):
        [taken] = take(db)
        assert settle(workshop(db, paused_under_it), taken) == "later"
        with db.tenant(tenant) as connection:
            [row] = connection.execute("select state, lost, attempts from outbox")
            [held] = connection.execute("select token from matter where id = %s", [matter])
            connection.execute("update outbox set due_at = bridge_now()")
            assert take(db) == []
            tenants.set_paused_domains(connection, [])
        assert (row, held["token"]) == ({"state": "ready", "lost": 0, "attempts": 0}, None)
