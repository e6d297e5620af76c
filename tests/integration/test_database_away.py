"""PostgreSQL goes away while a delivery ends: the row is given back, and no worker counts as lost over it."""

from __future__ import annotations

import threading
from dataclasses import replace
from uuid import UUID

import psycopg
import pytest
from factories import announce, state, take
from integration.test_settling import problems, settle, workshop
from services import PostgresServer

from db.outbox import Taken
from db.pool import Database
from domain.errors import Unavailable
from domain.model import Effects, Settled
from domain.ports import Delivery


def ready_again(db: Database, tenant: UUID) -> Taken:
    """The row as the relay takes it when its wait is over."""
    with db.tenant(tenant) as connection:
        connection.execute("update outbox set due_at = bridge_now() where tenant_id = %(tenant_id)s", {})
    [taken] = take(db)
    return taken


def test_a_database_that_goes_away_at_the_end_costs_no_worker_however_often(
    db: Database, tenant: UUID, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times in a row were taken for the row's own fault: a person had to act on everything that was at work."""
    monkeypatch.setattr("db.pool.IDLE_SECONDS", float("inf"))

    def cut(_: Delivery) -> Settled:
        """Every connection is dead when the end of this delivery wants one, and when it is to be tried again."""
        at_work._app.wait(120)
        with psycopg.connect(postgres_server.url, autocommit=True) as server:
            [killed] = server.execute(
                "select count(pg_terminate_backend(pid, 60000)) from pg_stat_activity where application_name = 'cut'"
            ).fetchall()
            assert killed[0] >= 3
        return Settled(Effects())

    matter = announce(db, tenant)
    at_work = Database(db.url, size=3, dispatch_size=1, name="cut")
    at_work.open()
    try:
        for _ in range(3):
            assert settle(workshop(at_work, cut), ready_again(db, tenant)) == "later"
        assert problems(db, tenant) == []
        assert settle(workshop(at_work, lambda _: Settled(Effects())), ready_again(db, tenant)) == "done"
    finally:
        at_work.close()
    assert state(db, tenant, matter) is None


def test_where_one_connection_is_dead_the_others_are_looked_at_before_they_are_used(
    db: Database, tenant: UUID, postgres_server: PostgresServer
) -> None:
    at_work = Database(db.url, size=3, dispatch_size=1, name="cut off")
    at_work.open()
    try:
        with at_work.tenant(tenant) as a, at_work.tenant(tenant) as b, at_work.tenant(tenant) as c:
            for used in (a, b, c):
                used.execute("select 1").fetchone()
        with psycopg.connect(postgres_server.url, autocommit=True) as server:
            server.execute(
                "select pg_terminate_backend(pid, 60000) from pg_stat_activity where application_name = 'cut off'"
            )
        with pytest.raises(Unavailable), at_work.tenant(tenant) as connection:
            connection.execute("select 1").fetchone()
        with at_work.tenant(tenant) as connection:
            assert connection.execute("select 1").fetchone()
    finally:
        at_work.close()


class Ending(threading.Event):
    """A process that is told to end while a worker waits; how often it waited."""

    waited = 0

    def wait(self, timeout: float | None = None) -> bool:
        self.waited += 1
        if self.waited > 5:
            raise AssertionError("it was told to end, and goes on waiting")
        return super().wait(timeout)


def test_a_worker_that_is_to_end_does_not_wait_for_a_database(db: Database, tenant: UUID) -> None:
    announce(db, tenant)
    [taken] = take(db)
    stop = Ending()

    def gone(_: Delivery) -> Settled:
        db.close()
        stop.set()
        return Settled(Effects())

    with pytest.raises(Unavailable):
        settle(replace(workshop(db, gone), stop=stop), taken)
    assert stop.waited == 1
