"""Migration 0017 on a database that knows a cost line twice: the first made counts."""

from __future__ import annotations

from uuid import UUID, uuid4

import psycopg
import pytest
from integration.test_migrated_keys import add_tenant, before
from services import Database as Made

from db.migrate import migrate

Owner = psycopg.Connection[tuple[object, ...]]


def add_step(owner: Owner, tenant: UUID, matter: object, name: str, *, hour: int, how: str) -> UUID:
    """A step of an attempt of its own, by ``how`` it ended: done, found, open or undone."""
    attempt = uuid4()
    owner.execute(
        "insert into attempt (tenant_id, id, delivery, outbox_id, domain, matter_id, worker) values (%s, %s, %s, 1, 'cost', %s, 'w')",
        [tenant, attempt, uuid4(), matter],
    )
    at = f"2026-11-30 0{hour}:00+00"
    owner.execute(
        "insert into step (tenant_id, attempt_id, name, delivery, matter_id, domain, sent_at, done_at, result)"
        " values (%s, %s, %s, %s, %s, 'cost', %s, %s, '{\"fee\": \"f\"}')",
        [
            *(tenant, attempt, name, uuid4(), matter),
            at if how in ("done", "open") else None,
            at if how in ("done", "found") else None,
        ],
    )
    return attempt


def test_of_two_steps_of_a_line_the_first_counts(
    empty_database: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    before(empty_database, "0017", monkeypatch)
    with psycopg.connect(empty_database.owner_url, autocommit=True) as owner:
        tenant = add_tenant(owner, "a", "c")
        [matter] = (
            owner.execute(
                "insert into matter (tenant_id, domain, erp_register, erp_id) values (%s, 'cost', 'supplierInvoice', 'Invoice/1') returning id",
                [tenant],
            ).fetchone()
            or ()
        )
        undone = add_step(owner, tenant, matter, "line 1", hour=1, how="undone")
        first = add_step(owner, tenant, matter, "line 1", hour=2, how="done")
        found = add_step(owner, tenant, matter, "line 1", hour=3, how="found")
        last = add_step(owner, tenant, matter, "line 1", hour=4, how="open")
        other = add_step(owner, tenant, matter, "line 2", hour=5, how="open")

    migrate(empty_database.owner_url, empty_database.app_url)

    with psycopg.connect(empty_database.owner_url) as owner:
        counting = owner.execute(
            "select attempt_id from step where sent_at is not null or done_at is not null"
        )
        assert {row[0] for row in counting} == {first, other}
        told = owner.execute("select attempt_id from step where result ? 'undone'")
        assert {row[0] for row in told} == {found, last}
        assert undone not in {first, other}
