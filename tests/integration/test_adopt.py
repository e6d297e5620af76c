"""Which database is this? What `bridge_epoch()` compares, what an epoch voids, and who may be served in it (docs/never-twice.md rule 10)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from factories import announce, begin, claimed, make_tenant, permitted, state, take
from services import Database as Made

from app import standing
from app.standing import Verdict
from db import claim, installation, streams, tenants
from db.installation import Facts
from db.pool import Database

ROOT = Path(__file__).parents[2]


def by_hand(made: Made, *statements: LiteralString) -> Any:
    """As the owner, each statement a transaction of its own; the last one's first value."""
    with psycopg.connect(made.owner_url, autocommit=True) as connection:
        for statement in statements:
            done = connection.execute(statement)
        row = done.fetchone() if done.description else None
        return row[0] if row else None


def facts(db: Database) -> Facts:
    with db.dispatch() as connection:
        found = installation.look(connection)
    assert found is not None
    return found


def epoch(made: Made) -> int | None:
    found: int | None = by_hand(made, "select bridge_epoch()")
    return found


def begin_epoch(db: Database, settle: float = 0.0) -> int | None:
    history = facts(db).history
    with db.dispatch() as connection:
        return installation.begin_epoch(connection, history, settle)


def read(db: Database, tenant_id: UUID) -> bool:
    """A complete poll of the tenant's connection, begun now; False: it may not be read yet."""
    with db.tenant(tenant_id) as connection:
        poll = streams.lease_one(connection, "severa", uuid4(), 60)
        if poll is not None:
            streams.ended(connection, poll, complete=True, changes=0, wait=60, error=None)
        return poll is not None


# What a restore does to the row, each alone. The statements are not the bridge's own: none writes its transaction's number.
BROKEN: dict[str, tuple[LiteralString, Verdict]] = {
    "brought from another server": ("update installation set system_identifier = '1', written_by = pg_current_xact_id()", Verdict.MOVED),
    "brought into another database": ("update installation set database_oid = 1, written_by = pg_current_xact_id()", Verdict.RESTORED),
    "written by a restore": ("update installation set epoch = epoch", Verdict.RESTORED),
    "without its beat": ("delete from beat", Verdict.RESTORED),
    "on another timeline": ("update installation set timeline = 99, written_by = pg_current_xact_id()", Verdict.REWOUND),
    "started anew, and nobody remembers": (
        "with b as (update beat set number = 2) update installation set started_at = '2020-01-01Z', written_by = pg_current_xact_id()",
        Verdict.COPIED,
    ),
    "switched off": ("update installation set writes = 'off', written_by = pg_current_xact_id()", Verdict.OFF),
}  # fmt: skip


@pytest.mark.parametrize("how", BROKEN)
def test_nothing_is_taken_claimed_or_begun_in_another_database(
    db: Database, database: Made, how: str
) -> None:
    tenant = make_tenant(db, "one")
    announce(db, tenant, 1)
    row = claimed(db, tenant)
    announce(db, tenant, 2)
    [out] = take(db)
    announce(db, tenant, 3)
    statement, verdict = BROKEN[how]
    by_hand(database, statement)
    if how != "without its beat":
        assert epoch(database) is None
        assert take(db) == []
        assert begin(db, out) is None
        assert not permitted(db, row)
    with db.dispatch() as connection:
        assert installation.beat(connection, uuid4()) is None
    assert standing.judge(facts(db), None) is verdict


def test_the_row_is_known_again_after_freezing_and_rewriting_the_table(db: Database, database: Made) -> None:
    assert epoch(database) == 1
    before = by_hand(database, "select xmin::text from installation")
    by_hand(database, "vacuum (freeze) installation")
    frozen = by_hand(
        database, "select relfrozenxid::text::bigint from pg_class where relname = 'installation'"
    )
    assert int(frozen) > int(before), "nothing was frozen, so nothing is proven"
    assert epoch(database) == 1
    by_hand(database, "vacuum (full, freeze) installation", "vacuum (freeze) installation")
    assert epoch(database) == 1
    assert standing.judge(facts(db), None) is Verdict.SAME


def test_no_statement_heals_what_a_restore_has_broken(db: Database, database: Made) -> None:
    by_hand(database, "update installation set steady_after = null")
    history = facts(db).history
    with db.dispatch() as connection:
        installation.set_steady(connection, steady=False)
        installation.carry_on(connection, history)
    by_hand(database, "update installation set steady_after = 'infinity'")
    with db.dispatch() as connection:
        installation.set_steady(connection, steady=True)
    assert epoch(database) is None


def test_every_statement_that_updates_the_row_writes_its_own_transaction_into_it() -> None:
    texts = [(ROOT / "db" / "queries" / "installation.sql").read_text(), (ROOT / "db" / "migrations" / "0008_epoch.sql").read_text()]  # fmt: skip
    others = [path for path in (ROOT / "db" / "queries").glob("*.sql") if path.name != "installation.sql"]
    found = [
        part
        for text in texts
        for part in re.findall(r"update installation\b.*?(?:;|\n\n|\Z)", text, re.DOTALL)
    ]
    assert len(found) >= 5
    assert [part for part in found if "written_by = pg_current_xact_id()" not in part] == []
    assert [
        path.name for path in others if re.search(r"(update|into) installation\b", path.read_text())
    ] == []


@pytest.mark.req("R-INV-13")
def test_a_new_epoch_voids_what_the_lost_future_holds(db: Database, database: Made) -> None:
    tenant = make_tenant(db, "one")
    started = announce(db, tenant, 1)
    row = claimed(db, tenant)
    announce(db, tenant, 2)
    [out] = take(db)
    with db.tenant(tenant) as connection:
        poll = streams.lease_one(connection, "severa", uuid4(), 60)
        assert poll is not None
        assert tenants.lease_refresh(connection, "severa", 1)
        streams.complete(connection, "severa", "customers", watermark=None, whole=True, changes=0)
    assert begin_epoch(db) == 2
    assert state(db, tenant, started) == "ready"
    assert not permitted(db, row)
    with db.tenant(tenant) as connection:
        assert claim.hold(connection, row) is None
        assert streams.hold(connection, poll, 60) is None
        assert tenants.lease_refresh(connection, "severa", 1)
        assert streams.streams(connection, "severa")["customers"].complete_at is None
    assert read(db, tenant)
    assert begin(db, out) is None
    taken = take(db)
    assert len(taken) == 2
    assert all(begin(db, one) for one in taken)


@pytest.mark.schedule("S26")
def test_only_a_reading_that_began_after_the_quiet_time_opens_a_tenant(db: Database, database: Made) -> None:
    tenant = make_tenant(db, "one")
    announce(db, tenant)
    with db.tenant(tenant) as connection:
        underway = streams.lease_one(connection, "severa", uuid4(), 60)
    assert underway is not None
    assert begin_epoch(db, settle=3600) == 2
    with db.tenant(tenant) as connection:
        streams.ended(connection, underway, complete=True, changes=0, wait=0, error=None)
    with db.dispatch() as connection:
        streams.ask_all(connection)
        assert streams.due(connection, uuid4(), lease=60, limit=9) == []
    assert not read(db, tenant)
    assert take(db) == []
    by_hand(database, "update connection set epoch_at = bridge_now() - interval '1 second'")
    assert take(db) == []
    assert read(db, tenant)
    assert len(take(db)) == 1


def test_both_connections_must_have_been_read(db: Database) -> None:
    tenant = make_tenant(db, "one")
    with db.tenant(tenant) as connection:
        tenants.put_connection(connection, "visma_net", {"base_url": "http://x"}, b"sealed")
    announce(db, tenant)
    assert begin_epoch(db) == 2
    assert read(db, tenant)
    assert take(db) == []
    with db.tenant(tenant) as connection:
        poll = streams.lease_one(connection, "visma_net", uuid4(), 60)
        assert poll is not None
        streams.ended(connection, poll, complete=False, changes=0, wait=0, error="cut")
    assert take(db) == []
    with db.tenant(tenant) as connection:
        poll = streams.lease_one(connection, "visma_net", uuid4(), 60)
        assert poll is not None
        streams.ended(connection, poll, complete=True, changes=0, wait=0, error=None)
    assert len(take(db)) == 1


def test_a_tenant_added_within_the_quiet_time_waits_as_the_others_do(db: Database, database: Made) -> None:
    assert begin_epoch(db, settle=3600) == 2
    late = make_tenant(db, "late")
    announce(db, late)
    assert take(db) == []
    by_hand(database, "update installation set quiet_until = bridge_now(), written_by = pg_current_xact_id()")
    later = make_tenant(db, "later")
    announce(db, later)
    assert [row.tenant_id for row in take(db)] == [later]


def test_an_adoption_that_was_looked_at_before_another_one_changes_nothing(db: Database) -> None:
    history = facts(db).history
    assert begin_epoch(db) == 2
    with db.dispatch() as connection:
        assert installation.begin_epoch(connection, history, 0) is None
    assert facts(db).epoch == 2


def test_tenants_without_a_row_of_the_installation_are_a_restore(db: Database, database: Made) -> None:
    from db.migrate import migrate  # noqa: PLC0415 - what every start of the embedded bridge runs

    make_tenant(db, "one")
    by_hand(database, "delete from installation")
    with db.dispatch() as connection:
        assert installation.look(connection) is None
    migrate(database.owner_url, database.app_url)
    assert epoch(database) is None
    assert facts(db).reason == "restored"


@pytest.mark.schedule("S30")
def test_while_the_clock_is_unsteady_nothing_is_taken_or_claimed_whatever_the_time_is(
    db: Database, database: Made
) -> None:
    tenant = make_tenant(db, "one")
    announce(db, tenant, 1)
    [out] = take(db)
    announce(db, tenant, 2)
    with db.dispatch() as connection:
        installation.set_steady(connection, steady=False)
    assert take(db) == []
    assert begin(db, out) is None
    by_hand(database, "create or replace function bridge_now() returns timestamptz language sql as $$ select clock_timestamp() + interval '100 years' $$")  # fmt: skip
    assert begin(db, out) is None
    with db.dispatch() as connection:
        installation.set_steady(connection, steady=True)
    taken = take(db)
    assert len(taken) == 2, "what was refused went back"
    assert all(begin(db, one) for one in taken)
    assert epoch(database) == 1
