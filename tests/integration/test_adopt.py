"""A restored or cloned database creates nothing before it was adopted and both systems were read anew (design, 10)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from integration.test_isolation import make_tenant
from integration.test_outbox import announce, take
from services import Database as Made

from db import installation, streams
from db.pool import Database


@pytest.fixture
def db(database: Made) -> Iterator[Database]:
    opened = Database(database.app_url, size=2)
    opened.open()
    yield opened
    opened.close()


def remember(made: Made, statement: LiteralString) -> None:
    """Makes the database remember another server or timeline, as a clone or a restored one does."""
    with psycopg.connect(made.owner_url, autocommit=True) as connection:
        connection.execute(statement)


def read_both(db: Database, tenant_id: UUID) -> None:
    """A complete poll of the tenant's connection, begun now."""
    with db.tenant(tenant_id) as connection:
        poll = streams.lease_one(connection, tenant_id, "severa", uuid4(), 60)
        assert poll is not None
        streams.ended(connection, poll, complete=True, changes=0, wait=60, error=None)


def test_a_clone_settles_nothing_until_it_is_adopted_and_read_anew(db: Database, database: Made) -> None:
    tenant = make_tenant(db, "one")
    read_both(db, tenant)
    announce(db, tenant)
    remember(database, "update installation set system_identifier = 'another'")
    with db.dispatch() as connection:
        assert installation.note(connection).writes == "off"
    assert take(db) == []
    with db.dispatch() as connection:
        installation.adopt(connection)
        assert installation.look(connection) == installation.Installation("on", moved=False, rewound=False)
    assert take(db) == []
    read_both(db, tenant)
    assert len(take(db)) == 1


def test_a_rewound_database_is_read_anew_by_itself(db: Database, database: Made) -> None:
    tenant = make_tenant(db, "one")
    read_both(db, tenant)
    with db.tenant(tenant) as connection:
        streams.complete(connection, tenant, "severa", "customers", watermark=None, whole=True, changes=0)
    announce(db, tenant)
    remember(database, "update installation set timeline = 99")
    with db.dispatch() as connection:
        assert installation.note(connection).rewound
    with db.tenant(tenant) as connection:
        assert streams.streams(connection, tenant, "severa")["customers"].complete_at is None
    assert take(db) == []
    read_both(db, tenant)
    assert len(take(db)) == 1


def test_the_same_database_is_left_alone(db: Database) -> None:
    tenant = make_tenant(db, "one")
    announce(db, tenant)
    with db.dispatch() as connection:
        assert installation.note(connection) == installation.Installation("on", moved=False, rewound=False)
    assert len(take(db)) == 1
