"""A database of 0.1.0 is carried over: order, announcing and marks stand as they were."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.rows import dict_row
from services import Database as Made

from db import migrate


def test_records_of_the_first_version_stand_as_they_were_announced(
    empty_database: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = migrate.migrations()
    monkeypatch.setattr(migrate, "migrations", lambda: [one for one in every if one.version < "0009"])
    migrate.migrate(empty_database.owner_url, empty_database.app_url)
    with psycopg.connect(empty_database.owner_url, autocommit=True, row_factory=dict_row) as db:
        db.execute(
            "insert into tenant (id, name, language, time_zone) values (gen_random_uuid(), 'one', 'sv', 'Europe/Stockholm')"
        )
        db.execute(
            "insert into connection (tenant_id, system, config, secret) select id, 'severa', '{}', 'x' from tenant"
        )
        db.execute(
            """insert into record (tenant_id, system, register, id, body, hash, mapping_version, requested_at, version, settled_version, in_scope)
               select tenant.id, 'severa', 'customers', v.id, '{}', 'h', 1, '2026-03-01 12:00+00', v.version, v.settled, true
               from tenant, (values ('settled', 3, 3), ('announced', 4, 2), ('lost', 5, 1)) as v (id, version, settled)"""
        )
        db.execute(
            """with met as (insert into matter (tenant_id, domain, severa_register, severa_id)
                           select id, 'customer', 'customers', 'announced' from tenant returning tenant_id, id)
               insert into outbox (tenant_id, domain, matter_id, cause, system, register)
               select tenant_id, 'customer', id, 'changed', 'severa', 'customers' from met"""
        )
        db.execute(
            "insert into stream (tenant_id, system, register, watermark) select id, 'severa', 'customers', '2026-03-01 11:00+00' from tenant"
        )
        monkeypatch.undo()
        assert "0009" in migrate.migrate(empty_database.owner_url, empty_database.app_url)
        rows = {row["id"]: row for row in db.execute("select * from record")}
        for row in rows.values():
            assert row["asked_at"] == row["answered_at"]
            assert row["asked_at"].isoformat().startswith("2026-03-01T12:00")
            assert row["announced_version"] == row["version"]
            assert (row["reading_id"], row["read_again"]) == (None, False)
        # An unsettled one without work is the audit's, which looks at what was announced.
        unsettled = sorted(row["id"] for row in rows.values() if row["version"] > row["settled_version"])
        assert unsettled == ["announced", "lost"]
        [stream] = db.execute("select watermark from stream").fetchall()
        assert stream["watermark"].isoformat().startswith("2026-03-01T11:00")
