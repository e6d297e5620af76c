"""Tenants are isolated by PostgreSQL itself, whatever a query forgets (R-OPS-2)."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from services import Database as Made

from db import outbox, tenants
from db.pool import Database
from domain.errors import InputError


@pytest.fixture
def db(database: Made) -> Iterator[Database]:
    opened = Database(database.app_url, size=2)
    opened.open()
    yield opened
    opened.close()


def make_tenant(db: Database, name: str) -> UUID:
    tenant_id = uuid4()
    with db.tenant(tenant_id) as connection:
        tenants.add(connection, tenant_id, name, "sv", "Europe/Stockholm")
        tenants.put_connection(connection, tenant_id, "severa", {"base_url": "http://x"}, b"sealed")
        tenants.set_state(connection, tenant_id, "live")
    return tenant_id


@pytest.mark.req("R-OPS-2")
def test_a_tenant_sees_nothing_of_another(db: Database) -> None:
    one, other = make_tenant(db, "one"), make_tenant(db, "other")
    with db.tenant(other) as connection:
        outbox.announce(
            connection, other, "invoice", "record:severa/invoices/1",
            cause="changed", system="severa", register="invoices",
        )  # fmt: skip
    with db.tenant(one) as connection:
        assert connection.execute("select count(*) as n from outbox").fetchone() == {"n": 0}
        assert [row["name"] for row in connection.execute("select name from tenant")] == ["one"]
        assert tenants.connection(connection, other, "severa") is None


@pytest.mark.req("R-OPS-2")
def test_a_tenant_cannot_write_for_another(db: Database) -> None:
    one, other = make_tenant(db, "one"), make_tenant(db, "other")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), db.tenant(one) as connection:
        outbox.announce(
            connection, other, "invoice", "record:severa/invoices/1",
            cause="changed", system="severa", register="invoices",
        )  # fmt: skip


@pytest.mark.req("R-OPS-2")
@pytest.mark.parametrize(
    "query",
    [
        "select body from record",
        "select secret from connection",
        "select token from connection",
        "select base from link",
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


def test_the_log_can_be_written_but_not_changed(db: Database) -> None:
    tenant_id = make_tenant(db, "one")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), db.tenant(tenant_id) as connection:
        connection.execute("update transfer_log set code = 'x'")
