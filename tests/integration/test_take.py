"""The fair take: whose turn it is, how much is out, and what goes back."""

from __future__ import annotations

from uuid import UUID

import pytest
from factories import announce, claimed, make_tenant, permitted, state, take

from db import claim, outbox
from db.outbox import Rank
from db.pool import Database
from domain.model import DOMAINS

START = UUID(int=0)


def test_tenants_take_turns_when_the_window_is_small(db: Database) -> None:
    ids = sorted(make_tenant(db, f"t{n}") for n in range(3))
    for tenant_id in ids:
        announce(db, tenant_id)
    served = []
    after = START
    for n in range(3):
        [row] = take(db, window=n + 1, per_tenant=1, after=after)
        served.append(row.tenant_id)
        after = row.tenant_id
    assert served == ids


def test_begun_deliveries_go_before_new_ones(db: Database, tenant: UUID) -> None:
    matter = announce(db, tenant, "begun")
    row = claimed(db, tenant)
    announce(db, tenant, "new")
    assert permitted(db, row)
    with db.tenant(tenant) as connection:
        claim.later(connection, row, delay=0, costs_attempt=True)
        claim.give_back(connection, row)
    assert [one.matter_id for one in take(db, per_tenant=1)] == [matter]


@pytest.mark.schedule("S50")
def test_an_approved_invoice_does_not_wait_behind_a_changed_setting(db: Database, tenant: UUID) -> None:
    for n in range(20):
        announce(db, tenant, f"setting {n}", cause="setting", rank=Rank.SWEEP)
    invoice = announce(db, tenant, "approved")
    assert invoice in {one.matter_id for one in take(db, per_tenant=2)}


@pytest.mark.schedule("S50")
def test_what_is_taken_is_sent_in_the_order_of_its_rank(db: Database, tenant: UUID) -> None:
    """A queue hands out its messages as they came."""
    settings = [announce(db, tenant, f"setting {n}", cause="setting", rank=Rank.SWEEP) for n in range(5)]
    changes = [announce(db, tenant, f"change {n}") for n in range(3)]
    invoice = announce(db, tenant, "approved", rank=Rank.PERSON)
    with db.tenant(tenant) as connection:
        # Of what is due at the same moment, the older row goes first.
        connection.execute("update outbox set due_at = date_trunc('hour', due_at) - interval '1 hour'")
    with db.dispatch() as connection:
        # A large table is joined by hash or merge, which gives rows back in any order.
        connection.execute("set local enable_nestloop = off")
        taken = outbox.take(connection, domains=DOMAINS, window=100, per_tenant=100, after=START, lease=60)
    assert [one.matter_id for one in taken] == [invoice, *changes, *settings]


def test_what_a_setting_announced_has_its_turn_too(db: Database, tenant: UUID) -> None:
    setting = announce(db, tenant, "setting", cause="setting", rank=Rank.SWEEP)
    for n in range(20):
        announce(db, tenant, f"change {n}")
    assert [one.matter_id for one in take(db, per_tenant=1, lowest_first=True)] == [setting]


def test_the_limit_of_a_tenant_counts_over_all_domains(db: Database, tenant: UUID) -> None:
    for domain in DOMAINS:
        for n in range(4):
            announce(db, tenant, f"{domain} {n}", "invoice" if domain == "payment" else domain)
    assert len(take(db, per_tenant=4)) == 4


def test_no_more_rows_are_out_than_the_window(db: Database, tenant: UUID) -> None:
    for n in range(10):
        announce(db, tenant, n)
    assert len(take(db, window=3)) == 3
    assert take(db, window=3) == []


def test_a_row_that_the_broker_refused_is_ready_again(db: Database, tenant: UUID) -> None:
    matter = announce(db, tenant)
    [taken] = take(db)
    with db.dispatch() as connection:
        outbox.untake(connection, taken)
    assert state(db, tenant, matter) == "ready"
