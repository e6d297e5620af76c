"""A worker whose claim was taken back by a restore beneath it: fenced out, without a defect (S24, S26)."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import psycopg
import pytest
from factories import LEASE, announce, asked, claimed, make_tenant
from services import Database as Made

from db import claim
from db.claim import Claimed, Done
from db.pool import Database
from domain.errors import LeaseLost

DONE = Done("create", 1, {"number": "101"})


@pytest.fixture
def row(database: Made, db: Database) -> Claimed:
    """A claim of which the restored database knows nothing."""
    tenant: UUID = make_tenant(db, "one")
    announce(db, tenant)
    found = claimed(db, tenant)
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("update matter set token = null, lease_until = null")
        owner.execute("update outbox set state = 'ready', token = null")
        owner.execute("delete from attempt")
    return found


@pytest.mark.schedule("S24")
def test_what_it_did_before_its_next_call_breaks_nothing_and_the_call_is_not_permitted(
    db: Database, row: Claimed
) -> None:
    def next_call() -> None:
        with db.tenant(row.tenant_id) as connection:
            claim.record(connection, row, [DONE])
            claim.begin(connection, row, asked("write back"), lease=LEASE)

    with pytest.raises(LeaseLost):
        next_call()


@pytest.mark.schedule("S24")
def test_its_end_is_quiet(db: Database, row: Claimed, database: Made) -> None:
    with db.tenant(row.tenant_id) as connection:
        assert claim.hold(connection, row) is None
        claim.record(connection, row, [DONE])
        claim.undo(connection, row, "create", 1, "", "said no")
        claim.make_due(connection, row)
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        assert owner.execute("select count(*) from step").fetchone() == (0,)


def test_a_step_of_an_attempt_that_is_there_is_written(db: Database, database: Made) -> None:
    tenant = make_tenant(db, "two")
    announce(db, tenant)
    there = claimed(db, tenant)
    with db.tenant(tenant) as connection:
        claim.record(connection, there, [DONE])
        claim.record(connection, replace(there, token=uuid4()), [replace(DONE, name="other")])
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        assert owner.execute("select name from step").fetchall() == [("create",)]
