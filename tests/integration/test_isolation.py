"""Tenants are isolated by PostgreSQL itself, whatever a query forgets (R-OPS-2)."""

from __future__ import annotations

import psycopg
import pytest
from factories import announce, make_tenant
from services import Database as Made

from db import outbox
from db.pool import Database
from domain.errors import InputError


@pytest.mark.req("R-OPS-2")
def test_a_tenant_sees_nothing_of_another(db: Database) -> None:
    one, other = make_tenant(db, "one"), make_tenant(db, "other")
    announce(db, other)
    with db.tenant(one) as connection:
        assert connection.execute("select count(*) as n from outbox").fetchone() == {"n": 0}
        assert [row["name"] for row in connection.execute("select name from tenant")] == ["one"]
        asked = connection.execute("select count(*) as n from connection where tenant_id = %s", [other])
        assert asked.fetchone() == {"n": 0}


@pytest.mark.req("R-OPS-2")
def test_a_tenant_cannot_write_for_another(db: Database) -> None:
    one, other = make_tenant(db, "one"), make_tenant(db, "other")
    matter = announce(db, other)
    with db.tenant(one) as connection:
        made = outbox.announce(
            connection, "invoice", [matter], cause="changed", system="severa", register="invoices"
        )
        assert made == 0, "another tenant's matter is not there to be announced"
    with pytest.raises(psycopg.errors.InsufficientPrivilege), db.tenant(one) as connection:
        connection.execute(
            "insert into matter (tenant_id, domain, severa_register, severa_id) values (%s, 'invoice', 'invoices', 'x')",
            [other],
        )


@pytest.mark.req("R-OPS-2")
@pytest.mark.parametrize(
    "query",
    [
        "select body from record",
        "select secret from connection",
        "select token from connection",
        "select base from matter",
        "select token from matter",
        "select nonce from document",
        "select values from problem",
        "select values from transfer_log",
        "select request from payload",
        "select token from outbox",
    ],
)
def test_the_dispatcher_sees_no_bodies_and_no_secrets(db: Database, query: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), db.dispatch() as connection:
        connection.execute(query.encode())


@pytest.mark.req("R-OPS-2")
def test_a_login_that_could_bypass_the_policies_is_refused(database: Made) -> None:
    with pytest.raises(InputError, match="superuser"):
        Database(database.owner_url).open()


@pytest.mark.req("R-OPS-2")
def test_every_table_of_a_tenant_shows_only_that_tenants_rows(database: Made) -> None:
    with psycopg.connect(database.owner_url) as owner:
        tables = owner.execute(
            """select c.relname, c.relrowsecurity,
                      exists (select from pg_policy p where p.polrelid = c.oid
                              and pg_get_expr(p.polqual, p.polrelid) like '%app.tenant%'
                              and coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') like '%app.tenant%') as of_tenant,
                      has_table_privilege('bridge_app', c.oid, 'select') as granted, c.relispartition
               from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
               where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace"""
        ).fetchall()
    open_ones = {
        name
        for name, secured, of_tenant, _, partition in tables
        if not partition and not (secured and of_tenant)
    }
    assert open_ones == set()
    # A partition has no policy of its own: nobody may ask it directly.
    assert {name for name, _, _, granted, partition in tables if partition and granted} == set()
    assert {"step", "payload", "matter", "document"} <= {name for name, *_ in tables}


def test_the_log_can_be_written_but_not_changed(db: Database) -> None:
    tenant_id = make_tenant(db, "one")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), db.tenant(tenant_id) as connection:
        connection.execute("update transfer_log set code = 'x'")
