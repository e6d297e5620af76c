"""A tenant that leaves: what is let through no more, and what has to be over before it may be erased (docs/never-twice.md rule 23)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from factories import LEASE, announce, asked, begin, claimed, make_tenant, meet, permitted, state, take
from services import Database as Made

from db import attempts, claim, installation, leaving, streams, tenants
from db.claim import Done
from db.leaving import Waits
from db.pool import Database
from domain.errors import LeaseLost


@pytest.fixture
def by_hand(database: Made) -> Callable[..., Any]:
    """A statement of the owner's; the first value of its first row."""

    def run(query: LiteralString, *values: object) -> Any:
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            done = owner.execute(query, values)
            row = done.fetchone() if done.description else None
            return row[0] if row else None

    return run


def leave(db: Database, tenant: UUID) -> bool:
    with db.tenant(tenant) as connection:
        return leaving.leave(connection)


def waits(db: Database, tenant: UUID) -> Waits:
    with db.tenant(tenant) as connection:
        return leaving.waits(connection)


def begin_erasing(db: Database, tenant: UUID) -> bool:
    with db.tenant(tenant) as connection:
        return leaving.begin_erasing(connection, "test", "", {})


def settled(by_hand: Callable[..., Any]) -> None:
    by_hand("update step set settles_at = bridge_now() - interval '1 second'")


class TestNothingIsLetThrough:
    def test_a_leaving_tenant_is_neither_taken_nor_claimed(self, db: Database, tenant: UUID) -> None:
        announce(db, tenant)
        [taken] = take(db)
        leave(db, tenant)
        assert begin(db, taken) is None
        assert take(db) == []

    def test_a_delivery_under_way_may_end_what_it_has_begun_and_begins_nothing_new(
        self, db: Database, tenant: UUID
    ) -> None:
        announce(db, tenant)
        row = claimed(db, tenant)
        leave(db, tenant)
        assert not permitted(db, row)
        other = make_tenant(db, "other")
        announce(db, other)
        begun = claimed(db, other)
        assert permitted(db, begun)
        leave(db, other)
        assert permitted(db, begun, "release")

    def test_a_poll_under_way_stores_no_further_page_and_none_is_due(
        self, db: Database, tenant: UUID
    ) -> None:
        with db.dispatch() as connection:
            [poll] = streams.due(connection, uuid4(), lease=LEASE, limit=9)
        leave(db, tenant)
        with db.tenant(tenant) as connection:
            assert streams.hold(connection, poll, LEASE) is None
            streams.ask(connection)
            assert streams.lease_one(connection, "severa", uuid4(), LEASE) is None
        with db.dispatch() as connection:
            assert streams.due(connection, uuid4(), lease=LEASE, limit=9) == []

    def test_a_poll_whose_lease_was_being_taken_stores_no_page_either(
        self, db: Database, tenant: UUID, by_hand: Callable[..., Any]
    ) -> None:
        with db.dispatch() as connection:
            [poll] = streams.due(connection, uuid4(), lease=LEASE, limit=9)
        leave(db, tenant)
        by_hand(
            "update connection set poll_token = %s, poll_lease_until = bridge_now() + interval '1 minute'",
            poll.token,
        )
        with db.tenant(tenant) as connection:
            assert streams.hold(connection, poll, LEASE) is None

    @pytest.mark.parametrize("cause", ["changed", "marker", "audit", "gone", "setting", "person"])
    def test_nobody_announces_anything(self, db: Database, tenant: UUID, cause: str) -> None:
        leave(db, tenant)
        assert state(db, tenant, announce(db, tenant, cause=cause)) is None

    @pytest.mark.parametrize("cause", ["followed", "seen", "waited for"])
    def test_what_an_ending_delivery_leaves_behind_is_remembered_in_case_the_tenant_stays(
        self, db: Database, tenant: UUID, cause: str
    ) -> None:
        leave(db, tenant)
        assert state(db, tenant, announce(db, tenant, cause=cause)) == "ready"

    def test_nothing_but_a_persons_word_brings_it_back_and_nothing_ends_an_erasure(
        self, db: Database, tenant: UUID
    ) -> None:
        leave(db, tenant)
        with db.tenant(tenant) as connection:
            # a delivery under way meets somebody else's marker; a go-live comes to its end
            assert not tenants.set_state(connection, "paused")
            assert not tenants.set_state(connection, "live")
            assert tenants.set_state(connection, "live", stays=True)
        leave(db, tenant)
        assert begin_erasing(db, tenant)
        with db.tenant(tenant) as connection:
            assert not tenants.set_state(connection, "live", stays=True)

    def test_leaving_twice_is_leaving_once(self, db: Database, tenant: UUID) -> None:
        assert leave(db, tenant)
        assert not leave(db, tenant)


@pytest.mark.schedule("S46")
class TestWhatHasToBeOver:
    def test_a_delivery_under_way_is_waited_for_and_then_its_call(
        self, db: Database, tenant: UUID, by_hand: Callable[..., Any]
    ) -> None:
        announce(db, tenant)
        row = claimed(db, tenant)
        assert permitted(db, row)
        leave(db, tenant)
        found = waits(db, tenant)
        assert (found.at_work, found.unanswered, found.over) == (1, 1, False)
        assert not begin_erasing(db, tenant)
        with db.tenant(tenant) as connection:
            claim.later(connection, row, delay=1, costs_attempt=True)
            claim.give_back(connection, row)
        found = waits(db, tenant)
        assert (found.at_work, found.unanswered, found.over) == (0, 1, False)
        assert found.until == by_hand("select settles_at from step")
        assert not begin_erasing(db, tenant)
        settled(by_hand)
        assert waits(db, tenant).over
        assert begin_erasing(db, tenant)

    def test_a_call_that_was_answered_is_waited_for_until_what_it_made_must_show(
        self, db: Database, tenant: UUID, by_hand: Callable[..., Any]
    ) -> None:
        announce(db, tenant)
        row = claimed(db, tenant)
        assert permitted(db, row)
        with db.tenant(tenant) as connection:
            claim.record(connection, row, [Done("create", 1, {"type": "Invoice", "number": "7"})])
            claim.hold(connection, row)
            claim.finish(connection, row, again=False)
            claim.give_back(connection, row)
        leave(db, tenant)
        found = waits(db, tenant)
        assert (found.at_work, found.unanswered, found.unsettled, found.over) == (0, 0, True, False)
        assert not begin_erasing(db, tenant)
        settled(by_hand)
        assert begin_erasing(db, tenant)

    def test_what_was_surely_not_done_is_not_waited_for(self, db: Database, tenant: UUID) -> None:
        announce(db, tenant)
        row = claimed(db, tenant)
        assert permitted(db, row)
        with db.tenant(tenant) as connection:
            claim.undo(connection, row, "create", 1, "", "refused")
            claim.later(connection, row, delay=1, costs_attempt=True)
            claim.give_back(connection, row)
        leave(db, tenant)
        assert waits(db, tenant).over

    def test_a_lease_that_is_over_is_taken_back_without_a_relay_and_permits_nothing(
        self, db: Database, tenant: UUID, by_hand: Callable[..., Any]
    ) -> None:
        matter = announce(db, tenant)
        row = claimed(db, tenant)
        assert permitted(db, row)
        leave(db, tenant)
        by_hand("update matter set lease_until = bridge_now() - interval '1 second'")
        settled(by_hand)
        assert not begin_erasing(db, tenant), "nobody has taken it back yet"
        assert waits(db, tenant).over
        assert state(db, tenant, matter) == "ready"
        assert begin_erasing(db, tenant)
        assert not permitted(db, row)

    def test_while_the_clock_is_unsteady_no_lease_and_no_settle_time_is_over(
        self, db: Database, tenant: UUID, by_hand: Callable[..., Any]
    ) -> None:
        announce(db, tenant)
        claimed(db, tenant)
        leave(db, tenant)
        by_hand("update matter set lease_until = bridge_now() - interval '1 second'")
        with db.dispatch() as connection:
            installation.set_steady(connection, steady=False)
        found = waits(db, tenant)
        assert (found.at_work, found.steady, found.over) == (1, False, False)
        idle = make_tenant(db, "idle")
        leave(db, idle)
        assert not begin_erasing(db, tenant)
        assert not begin_erasing(db, idle), "a settle time that is over may not be over"

    def test_the_quiet_time_after_a_restore_is_waited_for(self, db: Database, tenant: UUID) -> None:
        with db.dispatch() as connection:
            facts = installation.look(connection)
            assert facts is not None
            installation.begin_epoch(connection, facts.history, 60)
        leave(db, tenant)
        found = waits(db, tenant)
        assert (found.quiet, found.over) == (True, False)
        assert not begin_erasing(db, tenant)

    def test_nothing_is_erased_in_a_database_that_may_not_be_the_one(
        self, db: Database, tenant: UUID
    ) -> None:
        with db.dispatch() as connection:
            facts = installation.look(connection)
            assert facts is not None
            installation.stop(connection, facts.history, "restored")
        leave(db, tenant)
        assert not waits(db, tenant).writes
        assert not begin_erasing(db, tenant)


class TestWhatWouldBeLeftBehind:
    def test_doubts_held_documents_and_begun_deliveries_are_named(self, db: Database, tenant: UUID) -> None:
        meet(db, tenant, "idle")
        for number, ends in (("1", "in_doubt"), ("2", "failed"), ("3", "later")):
            announce(db, tenant, number)
            row = claimed(db, tenant)
            with db.tenant(tenant) as connection:
                if ends == "failed":
                    claim.begin(connection, row, asked("create", "Invoice", "n2"), lease=LEASE)
                    claim.record(
                        connection, row, [Done("create", 1, {"type": "Invoice", "number": "77"}, "n2")]
                    )
                else:
                    claim.begin(connection, row, asked("status"), lease=LEASE)
                if ends == "later":
                    claim.later(connection, row, delay=60, costs_attempt=True)
                else:
                    claim.fail(connection, row, ends)
                claim.give_back(connection, row)
        with db.tenant(tenant) as connection:
            found = [
                (one.what, one.number, one.documents, one.at_work) for one in leaving.unfinished(connection)
            ]
        assert found == [
            ("begun", "3", "", False),
            ("held", "2", "Invoice/77", False),
            ("in_doubt", "1", "", False),
        ]


class TestTheTablesThemselves:
    @pytest.mark.parametrize("table", ["matter", "document", "transfer_log", "audit_log", "tenant"])
    def test_nothing_of_them_is_deleted_but_by_an_erasure(
        self, db: Database, tenant: UUID, by_hand: Callable[..., Any], table: str
    ) -> None:
        matter = meet(db, tenant)
        by_hand(
            "insert into document (tenant_id, matter_id, type, state) values (%s, %s, 'Invoice', 'void')",
            tenant,
            matter,
        )
        by_hand("insert into transfer_log (tenant_id, domain, subject, direction, system, register, record_id, level, outcome, code)"
                " values (%s, 'invoice', '', 'from_severa', 'severa', 'invoices', '1', 'info', 'done', 'x')", tenant)  # fmt: skip
        with db.tenant(tenant) as connection:
            tenants.audit(connection, "test", "test", {})
        key = "id" if table == "tenant" else "tenant_id"

        def deleted() -> int:
            try:
                with db.tenant(tenant) as connection:
                    query = f"with gone as (delete from {table} where {key} = %s returning 1) select count(*) as n from gone"  # noqa: S608
                    row = connection.execute(query.encode(), [tenant]).fetchone()
                    return row["n"] if row else -1
            except psycopg.errors.ForeignKeyViolation:
                return 1  # it would have gone

        for now in ("live", "paused", "leaving"):
            by_hand("update tenant set state = %s", now)
            assert deleted() == 0
        by_hand("update tenant set state = 'erasing'")
        assert deleted() == 1

    def test_the_ending_of_an_attempt_that_is_not_there_writes_nothing(
        self, db: Database, tenant: UUID, by_hand: Callable[..., Any]
    ) -> None:
        exchange = {"at": by_hand("select bridge_now()"), "system": "severa", "method": "GET", "path": "/", "status": 200,
                    "seconds": 0.1, "request": "", "response": "", "error": None}  # fmt: skip
        announce(db, tenant)
        row = claimed(db, tenant)
        with db.tenant(tenant) as connection:
            attempts.put_payloads(connection, row.token, [exchange])
            attempts.put_payloads(connection, uuid4(), [exchange])
        assert by_hand("select count(*) from payload") == 1

    def test_of_a_tenant_that_is_going_no_line_is_written(
        self, db: Database, tenant: UUID, by_hand: Callable[..., Any]
    ) -> None:
        leave(db, tenant)
        begin_erasing(db, tenant)
        with db.tenant(tenant) as connection:
            tenants.audit(connection, "test", "test", {})
        with db.tenant(uuid4()) as connection:
            tenants.audit(connection, "test", "test", {})
        assert by_hand("select count(*) from audit_log") == 0


def test_a_worker_whose_tenant_was_erased_is_fenced(
    db: Database, tenant: UUID, by_hand: Callable[..., Any]
) -> None:
    announce(db, tenant)
    row = claimed(db, tenant)
    assert permitted(db, row)
    by_hand("truncate tenant cascade")
    with db.tenant(tenant) as connection:
        assert claim.hold(connection, row) is None
        claim.record(connection, row, [Done("create", 1, {"type": "Invoice", "number": "7"}, "n")])
        claim.make_due(connection, row)
    with pytest.raises(LeaseLost), db.tenant(tenant) as connection:
        claim.begin(connection, row, asked(), lease=LEASE)
    assert by_hand("select count(*) from step") == 0
