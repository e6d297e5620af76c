"""The outbox's states: every move, the coalescing of changes, the fair claim, leases and fences."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from integration.test_isolation import make_tenant
from services import Database as Made

from db import attempts, links, outbox, tenants
from db.outbox import DOMAINS, Claimed, Taken
from db.pool import Database

START = UUID(int=0)


@pytest.fixture
def db(database: Made) -> Iterator[Database]:
    opened = Database(database.app_url, size=2)
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def tenant(db: Database) -> UUID:
    return make_tenant(db, "one")


def announce(db: Database, tenant_id: UUID, n: int | str = 1, domain: str = "invoice") -> str:
    subject = f"record:severa/invoices/{n}"
    with db.tenant(tenant_id) as connection:
        outbox.announce(
            connection, tenant_id, domain, subject, cause="changed", system="severa", register="invoices"
        )
    return subject


def take(
    db: Database, *, window: int = 100, per_tenant: int = 100, after: UUID = START, lease: float = 60
) -> list[Taken]:
    with db.dispatch() as connection:
        return outbox.take(
            connection, domains=DOMAINS, window=window, per_tenant=per_tenant, after=after, lease=lease
        )


def claim(db: Database, taken: Taken, lease: float = 60) -> Claimed | None:
    with db.tenant(taken.tenant_id) as connection:
        row = outbox.claim(connection, taken.tenant_id, taken.id, taken.generation, uuid4(), lease)
        if row:
            attempts.start(connection, row, "test")
        return row


def claimed(db: Database, tenant_id: UUID) -> Claimed:
    [taken] = take(db)
    row = claim(db, taken)
    assert row is not None
    assert row.tenant_id == tenant_id
    return row


def state(db: Database, tenant_id: UUID, subject: str) -> str | None:
    with db.tenant(tenant_id) as connection:
        return outbox.state_of(connection, tenant_id, "invoice", subject)


def test_a_hundred_edits_are_one_row(db: Database, tenant: UUID) -> None:
    for _ in range(100):
        announce(db, tenant)
    assert len(take(db)) == 1


def test_a_change_during_the_work_makes_it_once_more(db: Database, tenant: UUID) -> None:
    subject = announce(db, tenant)
    row = claimed(db, tenant)
    announce(db, tenant)
    with db.tenant(tenant) as connection:
        again = outbox.hold(connection, row)
        assert again is True
        outbox.finish(connection, row, again=again)
    assert state(db, tenant, subject) == "ready"
    assert claimed(db, tenant).delivery != row.delivery


def test_finishing_deletes_the_row(db: Database, tenant: UUID) -> None:
    subject = announce(db, tenant)
    row = claimed(db, tenant)
    with db.tenant(tenant) as connection:
        assert outbox.hold(connection, row) is False
        outbox.finish(connection, row, again=False)
    assert state(db, tenant, subject) is None


def test_only_the_message_of_the_present_generation_may_claim(db: Database, tenant: UUID) -> None:
    announce(db, tenant)
    [first] = take(db, lease=0.001)
    with db.dispatch() as connection:
        while not outbox.reap(connection):
            pass
    [second] = take(db)
    assert claim(db, first) is None
    assert claim(db, second) is not None
    assert claim(db, second) is None


@pytest.mark.req("R-INV-13")
def test_a_worker_whose_lease_ran_out_is_fenced(db: Database, tenant: UUID) -> None:
    announce(db, tenant)
    [taken] = take(db)
    row = claim(db, taken, lease=0.001)
    assert row is not None
    with db.dispatch() as connection:
        while not outbox.reap(connection):
            pass
    successor = claimed(db, tenant)
    with db.tenant(tenant) as connection:
        assert outbox.extend(connection, row, 60) is False
        assert outbox.hold(connection, row) is None
        assert outbox.extend(connection, successor, 60) is True
    assert successor.delivery == row.delivery
    assert successor.lost == 1


def test_a_lost_message_comes_back_without_counting_as_a_lost_worker(db: Database, tenant: UUID) -> None:
    announce(db, tenant)
    take(db, lease=0.001)
    with db.dispatch() as connection:
        while not outbox.reap(connection):
            pass
    assert claimed(db, tenant).lost == 0


@pytest.mark.req("R-SET-9")
def test_a_paused_tenant_is_neither_taken_nor_claimed(db: Database, tenant: UUID) -> None:
    announce(db, tenant)
    [taken] = take(db)
    with db.tenant(tenant) as connection:
        tenants.set_state(connection, tenant, "paused")
    assert claim(db, taken) is None
    announce(db, tenant, 2)
    assert take(db) == []


@pytest.mark.req("R-SET-9")
def test_pausing_a_domain_stops_work_that_has_not_begun_but_not_begun_work(
    db: Database, tenant: UUID
) -> None:
    announce(db, tenant)
    row = claimed(db, tenant)
    with db.tenant(tenant) as connection:
        tenants.set_paused_domains(connection, tenant, ["invoice"])
        assert outbox.extend(connection, row, 60) is False
        tenants.set_paused_domains(connection, tenant, [])
        assert outbox.extend(connection, row, 60) is True
        tenants.set_paused_domains(connection, tenant, ["invoice"])
        assert outbox.extend(connection, row, 60) is True


def test_a_failed_row_is_ready_again_when_its_source_changes_with_a_new_delivery(
    db: Database, tenant: UUID
) -> None:
    subject = announce(db, tenant)
    row = claimed(db, tenant)
    with db.tenant(tenant) as connection:
        outbox.fail(connection, row, "failed")
    assert state(db, tenant, subject) == "failed"
    assert take(db) == []
    announce(db, tenant)
    assert claimed(db, tenant).delivery != row.delivery


@pytest.mark.req("R-INV-13")
def test_a_failed_row_with_an_unanswered_call_keeps_its_delivery(db: Database, tenant: UUID) -> None:
    announce(db, tenant)
    row = claimed(db, tenant)
    with db.tenant(tenant) as connection:
        attempts.begin_step(connection, row, "create", {"customer": "10001"})
        outbox.fail(connection, row, "failed")
    announce(db, tenant)
    successor = claimed(db, tenant)
    assert successor.delivery == row.delivery
    with db.tenant(tenant) as connection:
        step = attempts.steps(connection, tenant, successor.delivery)["create"]
    assert step.sent_at is not None
    assert not step.done


def test_a_failure_while_the_source_changed_is_tried_again_at_once(db: Database, tenant: UUID) -> None:
    subject = announce(db, tenant)
    row = claimed(db, tenant)
    announce(db, tenant)
    with db.tenant(tenant) as connection:
        outbox.fail(connection, row, "failed")
    assert state(db, tenant, subject) == "ready"


@pytest.mark.req("R-PRJ-5", "R-INV-11")
def test_what_waits_is_woken_by_what_it_waits_for(db: Database, tenant: UUID) -> None:
    subject = announce(db, tenant)
    row = claimed(db, tenant)
    key = outbox.waits_key("customer", severa_id="c1")
    with db.tenant(tenant) as connection:
        outbox.wait(connection, row, waits_for=key, delay=3600)
    assert state(db, tenant, subject) == "waiting"
    assert take(db) == []
    with db.tenant(tenant) as connection:
        outbox.wake(connection, tenant, [outbox.waits_key("customer", severa_id="c2")])
    assert take(db) == []
    with db.tenant(tenant) as connection:
        outbox.wake(connection, tenant, [key])
    assert len(take(db)) == 1


def test_waiting_is_rechecked_even_when_nobody_wakes_it(db: Database, tenant: UUID) -> None:
    announce(db, tenant)
    row = claimed(db, tenant)
    with db.tenant(tenant) as connection:
        outbox.wait(connection, row, waits_for="customer:severa/c1", delay=0)
    assert len(take(db)) == 1


@pytest.mark.req("R-OPS-2")
def test_one_noisy_tenant_does_not_delay_the_others(db: Database, tenant: UUID) -> None:
    other = make_tenant(db, "other")
    for n in range(50):
        announce(db, tenant, n)
    announce(db, other)
    taken = take(db, window=10, per_tenant=4)
    assert {row.tenant_id for row in taken} == {tenant, other}
    assert sum(row.tenant_id == tenant for row in taken) == 4


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
    announce(db, tenant, "begun")
    row = claimed(db, tenant)
    announce(db, tenant, "new")
    with db.tenant(tenant) as connection:
        assert outbox.extend(connection, row, 60)
        outbox.later(connection, row, delay=0, costs_attempt=True)
    first, _second = take(db, per_tenant=1), take(db)
    assert [r.subject for r in first] == ["record:severa/invoices/begun"]


def test_no_more_rows_are_out_than_the_window(db: Database, tenant: UUID) -> None:
    for n in range(10):
        announce(db, tenant, n)
    assert len(take(db, window=3)) == 3
    assert take(db, window=3) == []


def test_a_row_that_the_broker_refused_is_ready_again(db: Database, tenant: UUID) -> None:
    subject = announce(db, tenant)
    [taken] = take(db)
    with db.dispatch() as connection:
        outbox.untake(connection, taken)
    assert state(db, tenant, subject) == "ready"


def test_states_that_do_not_fit_together_are_refused_by_the_table(db: Database, tenant: UUID) -> None:
    announce(db, tenant)
    with pytest.raises(psycopg.errors.CheckViolation), db.tenant(tenant) as connection:
        connection.execute("update outbox set state = 'started'")


def test_only_one_document_may_be_claimed_for_an_invoice(db: Database, tenant: UUID) -> None:
    with db.tenant(tenant) as connection:
        assert links.claim_document(connection, tenant, "s1", "customerdocument", ("Invoice", "100001"))
        assert links.claim_document(connection, tenant, "s1", "customerdocument", ("Invoice", "100001"))
        assert not links.claim_document(connection, tenant, "s1", "customerdocument", ("Invoice", "100002"))
    with pytest.raises(psycopg.errors.UniqueViolation), db.tenant(tenant) as connection:
        links.claim_document(connection, tenant, "s2", "customerdocument", ("Invoice", "100001"))
