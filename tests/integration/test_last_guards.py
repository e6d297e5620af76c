"""What holds when everything before it has failed: the table's own indexes, the fences of a lease that nobody has noticed to be
over, of messages that come back late, of documents that are named (never-twice.md rules 1, 4 and 6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from factories import announce, begin, claimed, meet, state, take

from db import claim, matters, outbox, records
from db.claim import Asked, Claimed
from db.outbox import Rank
from db.pool import Database
from db.tenant import TenantDb
from domain.errors import LeaseLost
from domain.model import Document

LEASE = 60.0
ASKED = Asked("create", 1, {}, 30.0, 240.0, 300.0)
# Everything that permits an effect.
PERMITTED: Mapping[str, Callable[[TenantDb, Claimed], object]] = {
    "begin": lambda db, row: claim.begin(db, row, ASKED, lease=LEASE),
    "claim a document": lambda db, row: claim.claim_document(db, row, "Invoice", "1", lease=LEASE),
    "adopt": lambda db, row: claim.adopt(db, row, Document("Invoice", "1", "", "made"), lease=LEASE),
    "drop": lambda db, row: claim.drop(
        db, row, "Invoice", "1", "changed", surplus=False, lease=LEASE, visibility=300
    ),
    "hold a key": lambda db, row: claim.hold_key(db, row, "556677-8899", lease=LEASE),
}


def by_hand(db: Database, tenant: UUID, query: LiteralString, *values: object) -> None:
    with db.tenant(tenant) as connection:
        connection.execute(query, values)


def let_the_lease_end(db: Database, tenant: UUID) -> None:
    """It is over, and no relay has been there yet."""
    by_hand(
        db,
        tenant,
        "update matter set lease_until = bridge_now() - interval '1 second' where token is not null",
    )


# ---------------------------------------------------------------- a lease that is over, unnoticed


@pytest.mark.schedule("S39")
@pytest.mark.parametrize("what", PERMITTED)
def test_a_lease_that_is_over_permits_nothing_though_nobody_has_taken_it_back(
    db: Database, tenant: UUID, what: str
) -> None:
    announce(db, tenant)
    row = claimed(db, tenant)
    let_the_lease_end(db, tenant)
    with pytest.raises(LeaseLost), db.tenant(tenant) as connection:
        PERMITTED[what](connection, row)


def test_a_row_whose_worker_is_lost_is_ready_when_another_domain_takes_the_matter_over(
    db: Database, tenant: UUID
) -> None:
    matter = announce(db, tenant)
    lost = claimed(db, tenant)
    let_the_lease_end(db, tenant)
    with db.tenant(tenant) as connection:
        outbox.announce(
            connection, "payment", [matter], cause="changed", system="severa", register="invoices"
        )
    [payment] = take(db)
    successor = begin(db, payment)
    assert successor is not None
    assert state(db, tenant, matter) == "ready"
    with db.tenant(tenant) as connection:
        assert claim.hold(connection, lost) is None
        assert claim.hold(connection, successor) is not None


def test_a_refused_message_that_is_told_late_does_not_give_back_what_was_sent_again(
    db: Database, tenant: UUID
) -> None:
    matter = announce(db, tenant)
    [late] = take(db, lease=0.001)
    with db.dispatch() as connection:
        while not outbox.reap(connection):
            pass
    [again] = take(db)
    with db.dispatch() as connection:
        outbox.untake(connection, late)
    assert state(db, tenant, matter) == "out"
    assert begin(db, again) is not None


@pytest.mark.schedule("S50")
def test_an_approved_invoice_goes_before_another_domains_changed_setting(db: Database, tenant: UUID) -> None:
    for n in range(3):
        announce(db, tenant, n, "product", cause="setting", rank=Rank.SWEEP)
    invoice = announce(db, tenant, "approved")
    assert [one.matter_id for one in take(db, per_tenant=1)] == [invoice]


# ---------------------------------------------------------------- documents


def document(db: Database, row: Claimed, number: str, nonce: str = "") -> bool:
    with db.tenant(row.tenant_id) as connection:
        return claim.adopt(connection, row, Document("Invoice", number, nonce, "made"), lease=LEASE)


def states(db: Database, row: Claimed) -> dict[str, str]:
    with db.tenant(row.tenant_id) as connection:
        return {one.number: one.state for one in claim.documents(connection, row)}


@pytest.mark.req("R-INV-13")
@pytest.mark.parametrize(
    "second",
    [
        "values (%s, %s, 'Invoice', '2', 'b', 'claimed')",
        "values (%s, %s, 'Invoice', '2', 'b', 'released')",
    ],
    ids=["claimed", "released"],
)
def test_the_table_itself_refuses_a_second_document_that_may_be_released(
    db: Database, tenant: UUID, second: LiteralString
) -> None:
    matter = meet(db, tenant)
    insert: LiteralString = "insert into document (tenant_id, matter_id, type, number, nonce, state) "
    by_hand(db, tenant, insert + "values (%s, %s, 'Invoice', '1', 'a', 'claimed')", tenant, matter)
    with pytest.raises(psycopg.errors.UniqueViolation, match="document_one"):
        by_hand(db, tenant, insert + second, tenant, matter)


def test_the_table_itself_refuses_a_number_or_a_nonce_that_is_anothers(db: Database, tenant: UUID) -> None:
    one, other = meet(db, tenant, "1"), meet(db, tenant, "2")
    insert: LiteralString = (
        "insert into document (tenant_id, matter_id, type, number, nonce, state) "
        "values (%s, %s, 'Invoice', %s, %s, 'made')"
    )
    by_hand(db, tenant, insert, tenant, one, "1", "a")
    with pytest.raises(psycopg.errors.UniqueViolation, match="document_number"):
        by_hand(db, tenant, insert, tenant, other, "1", "b")
    with pytest.raises(psycopg.errors.UniqueViolation, match="document_nonce"):
        by_hand(db, tenant, insert, tenant, other, "2", "a")


def test_the_table_itself_refuses_a_natural_key_that_is_held(db: Database, tenant: UUID) -> None:
    one, other = meet(db, tenant, "1"), meet(db, tenant, "2")
    hold: LiteralString = "update matter set natural_key = 'k' where id = %s"
    by_hand(db, tenant, hold, one)
    with pytest.raises(psycopg.errors.UniqueViolation, match="matter_key"):
        by_hand(db, tenant, hold, other)


def test_whoever_finds_a_natural_key_held_is_told_by_whom(db: Database, tenant: UUID) -> None:
    first = announce(db, tenant, 1)
    row = claimed(db, tenant)
    announce(db, tenant, 2)
    second = claimed(db, tenant)
    with db.tenant(tenant) as connection:
        assert claim.hold_key(connection, row, "k", lease=LEASE) is None
    with db.tenant(tenant) as connection:
        assert claim.hold_key(connection, second, "k", lease=LEASE) == first


def test_dropping_names_one_document_and_never_a_released_one(db: Database, tenant: UUID) -> None:
    announce(db, tenant)
    row = claimed(db, tenant)
    assert document(db, row, "1")
    assert document(db, row, "2")
    with db.tenant(tenant) as connection:
        claim.drop(connection, row, "Invoice", "1", "changed", surplus=False, lease=LEASE, visibility=300)
    assert states(db, row) == {"1": "removed", "2": "made"}
    with db.tenant(tenant) as connection:
        claim.book(connection, row, "Invoice", "2", Decimal("100.00"))
    with pytest.raises(LeaseLost), db.tenant(tenant) as connection:
        claim.drop(connection, row, "Invoice", "2", "changed", surplus=False, lease=LEASE, visibility=300)
    assert states(db, row) == {"1": "removed", "2": "released"}


@pytest.mark.schedule("S28")
def test_a_document_with_the_nonce_of_another_one_is_a_copy_and_not_taken(db: Database, tenant: UUID) -> None:
    announce(db, tenant)
    row = claimed(db, tenant)
    assert document(db, row, "1", "a")
    with db.tenant(tenant) as connection:
        assert claim.claim_document(connection, row, "Invoice", "1", lease=LEASE)
    assert not document(db, row, "2", "a")
    assert states(db, row) == {"1": "claimed"}


def test_what_an_answer_tells_goes_to_the_document_of_its_nonce(db: Database, tenant: UUID) -> None:
    announce(db, tenant)
    row = claimed(db, tenant)
    for number, nonce in ((1, "a"), (2, "b")):
        asked = Asked("create", number, {}, 30.0, 240.0, 300.0, "Invoice", nonce)
        with db.tenant(tenant) as connection:
            claim.begin(connection, row, asked, lease=LEASE)
    with db.tenant(tenant) as connection:
        claim.record(connection, row, [claim.Done("create", 1, {"type": "Invoice", "number": "7"}, "a")])
        found = {one.nonce: (one.number, one.state) for one in claim.documents(connection, row)}
    assert found == {"a": ("7", "made"), "b": ("", "asked")}


# ---------------------------------------------------------------- steps, decisions, joins


def test_an_unanswered_call_is_found_by_whichever_delivery_comes_next(db: Database, tenant: UUID) -> None:
    announce(db, tenant)
    row = claimed(db, tenant)
    with db.tenant(tenant) as connection:
        claim.begin(connection, row, ASKED, lease=LEASE)
        claim.finish(connection, row, again=True)
        claim.give_back(connection, row)
    successor = claimed(db, tenant)
    assert successor.delivery != row.delivery
    with db.tenant(tenant) as connection:
        assert ("create", 1) in claim.steps(connection, successor)


@pytest.mark.schedule("S44")
def test_a_decision_about_a_matter_that_moved_or_is_at_work_is_refused(db: Database, tenant: UUID) -> None:
    matter = announce(db, tenant)
    row = claimed(db, tenant)

    def decided(generation: int) -> bool:
        with db.tenant(tenant) as connection:
            return matters.decide(connection, matter, generation, {"kind": "make"})

    assert not decided(row.matter_generation)
    with db.tenant(tenant) as connection:
        claim.fail(connection, row, "in_doubt")
        claim.give_back(connection, row)
    assert not decided(row.matter_generation - 1)
    assert decided(row.matter_generation)


def test_a_changed_setting_leaves_alone_what_is_in_doubt(db: Database, tenant: UUID) -> None:
    matter = announce(db, tenant)
    row = claimed(db, tenant)
    with db.tenant(tenant) as connection:
        claim.fail(connection, row, "in_doubt")
        claim.give_back(connection, row)
    announce(db, tenant, cause="setting", rank=Rank.SWEEP)
    assert state(db, tenant, matter) == "in_doubt"


@pytest.mark.parametrize("why", ["leased", "unsettled"])
def test_a_matter_at_work_or_with_an_unanswered_call_is_not_joined(
    db: Database, tenant: UUID, why: str
) -> None:
    matter = announce(db, tenant)
    row = claimed(db, tenant)
    if why == "unsettled":
        with db.tenant(tenant) as connection:
            claim.begin(connection, row, ASKED, lease=LEASE)
            claim.later(connection, row, delay=0, costs_attempt=False)
            claim.give_back(connection, row)
    other = meet(db, tenant, "Invoice/9", system="visma_net", register="customerdocument")
    with db.tenant(tenant) as connection:
        busy = matters.join(connection, other, matter)
        assert busy is not None
        assert busy.leased is (why == "leased")
        found = matters.get(connection, matter)
    assert found is not None
    assert found.id == matter


def test_a_paired_matter_is_never_joined_into_another_pair(db: Database, tenant: UUID) -> None:
    one, other = meet(db, tenant, "1"), meet(db, tenant, "2")
    by_hand(db, tenant, "update matter set erp_register = 'customerdocument', erp_id = severa_id")
    with pytest.raises(ValueError, match="two pairs"), db.tenant(tenant) as connection:
        matters.join(connection, one, other)


def test_only_the_token_that_is_there_gives_a_matter_back(db: Database, tenant: UUID) -> None:
    announce(db, tenant)
    row = claimed(db, tenant)
    by_hand(db, tenant, "update matter set token = %s", uuid4())
    with db.tenant(tenant) as connection:
        claim.give_back(connection, row)
    by_hand(db, tenant, "select 1 / (select count(*) from matter where token is not null)")


@pytest.mark.schedule("S8")
def test_what_was_seen_before_a_moment_was_known_then_and_nothing_else(db: Database, tenant: UUID) -> None:
    by_hand(
        db,
        tenant,
        "insert into record (tenant_id, system, register, id, body, hash, mapping_version, asked_at, answered_at, in_scope,"
        " first_seen_at) values (%s, 'visma_net', 'customerdocument', 'Invoice/1', '{}', '', 1, bridge_now(), bridge_now(), true, %s)",
        tenant,
        datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
    )
    with db.tenant(tenant) as connection:
        known = [
            records.known_before(connection, "visma_net", "customerdocument", "Invoice/1", moment)
            for moment in (
                datetime(2026, 11, 20, 12, 1, tzinfo=UTC),
                datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
            )
        ]
    assert known == [True, False]
