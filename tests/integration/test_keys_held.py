"""What is about to be made is held by its natural key, by one matter at a time (docs/never-twice.md rule 2a)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest
from factories import LEASE, announce, begin, permitted, take
from isolation.statements import Gate, Part, every
from psycopg.errors import UniqueViolation
from services import Database as Made

from db import claim
from db.claim import Claimed
from db.pool import Database
from db.tenant import TenantDb
from domain.errors import LeaseLost


def finish(db: Database, row: Claimed) -> None:
    with db.tenant(row.tenant_id) as connection:
        claim.finish(connection, row, again=False)
        claim.give_back(connection, row)


def end(db: Database, row: Claimed) -> None:
    with db.tenant(row.tenant_id) as connection:
        claim.fail(connection, row, "failed")
        claim.give_back(connection, row)


def hold_key(db: Database, row: Claimed, key: str = "5566778899") -> UUID | None:
    with db.tenant(row.tenant_id) as connection:
        return claim.hold_key(connection, row, key, lease=LEASE)


def two_claimed(db: Database, tenant: UUID) -> tuple[Claimed, Claimed]:
    for n in (1, 2):
        announce(db, tenant, n, "customer")
    first, second = (begin(db, taken) for taken in take(db))
    assert first is not None
    assert second is not None
    return first, second


def wait(db: Database, row: Claimed) -> None:
    with db.tenant(row.tenant_id) as connection:
        claim.wait(connection, row, matter=None, register="countries", delay=30)
        claim.give_back(connection, row)


@pytest.mark.schedule("S31")
def test_a_natural_key_is_held_by_one_matter_until_it_comes_to_rest(db: Database, tenant: UUID) -> None:
    first, second = two_claimed(db, tenant)
    assert hold_key(db, first) is None
    assert hold_key(db, first) is None
    assert hold_key(db, second) == first.matter_id
    assert hold_key(db, second, "another") is None
    finish(db, first)
    assert hold_key(db, second) is None


@pytest.mark.parametrize("ended", [end, wait])
def test_a_key_behind_which_nothing_stands_is_free_when_the_attempt_ends(
    db: Database, tenant: UUID, ended: Callable[[Database, Claimed], None]
) -> None:
    first, second = two_claimed(db, tenant)
    hold_key(db, first)
    ended(db, first)
    assert hold_key(db, second) is None


@pytest.mark.parametrize("ended", [end, wait])
def test_a_key_stays_held_while_a_create_is_unanswered(
    db: Database, tenant: UUID, ended: Callable[[Database, Claimed], None]
) -> None:
    first, second = two_claimed(db, tenant)
    hold_key(db, first)
    assert permitted(db, first)
    ended(db, first)
    assert hold_key(db, second) == first.matter_id


def test_a_worker_without_the_lease_holds_no_key(db: Database, tenant: UUID) -> None:
    first, second = two_claimed(db, tenant)
    end(db, first)
    with pytest.raises(LeaseLost):
        hold_key(db, first)
    assert hold_key(db, second) is None


@pytest.mark.schedule("S31")
def test_of_two_that_take_the_same_key_in_the_same_moment_one_gets_it(
    database: Made, db: Database, tenant: UUID
) -> None:
    rows = two_claimed(db, tenant)

    def session(name: str, row: Claimed) -> Part:
        def run(gate: Gate) -> UUID | None:
            return claim.hold_key(TenantDb(gate, tenant), row, "5566778899", lease=LEASE)  # type: ignore[arg-type]

        def prepare(connection: psycopg.Connection[Any]) -> None:
            connection.execute("set role bridge_app")
            connection.execute("select set_config('app.tenant', %s, false)", [str(tenant)])

        return Part(name, run, prepare)

    def fresh(looking: psycopg.Connection[Any]) -> None:
        looking.execute("update matter set natural_key = null")

    def holders(looking: psycopg.Connection[Any]) -> int:
        found = looking.execute("select count(*) from matter where natural_key is not null").fetchone()
        return int(found[0]) if found else 0

    outcomes = list(
        every(
            database.owner_url,
            [session("one", rows[0]), session("two", rows[1])],
            fresh=fresh,
            after=holders,
        )
    )
    assert {outcome.after for outcome in outcomes} == {1}
    refused = [error for outcome in outcomes for error in outcome.errors.values()]
    assert refused
    assert all(isinstance(error, UniqueViolation) for error in refused)
