"""A whole installation as processes on RabbitMQ, while workers are killed and PostgreSQL and RabbitMQ come and go.

Small on purpose; `benchmarks/rehearsal.py` does the same at size. The proof is the vendors' side alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from services import Database, PostgresServer, RabbitServer
from stage import Stage, stage, wait_for

from actors.topology import QUEUES
from simulators.seed import Firm


@dataclass
class Rehearsal:
    """The stage with one live firm, its project, and the invoices approved so far."""

    stage: Stage
    database: Database
    firm: Firm
    project: Any
    invoices: list[str] = field(default_factory=list)

    def approve(self, count: int) -> None:
        for _ in range(count):
            self.invoices.append(self.stage.approve_invoice(self.firm, self.project, len(self.invoices)))

    def booked(self, count: int) -> None:
        """Waits as a supervisor does: what gave up is started again."""
        self._wait(f"{count} invoices are booked", lambda: self.stage.booked() >= count)

    def _wait(self, what: str, condition: Callable[[], bool]) -> None:
        def supervised() -> bool:
            _restart_what_ended(self.stage)
            return condition()

        try:
            wait_for(what, supervised, seconds=120)
        except AssertionError as late:
            late.add_note(self.stage.processes_now())
            raise

    def unfinished(self) -> int:
        with psycopg.connect(self.database.owner_url) as db:
            row = db.execute("select count(*) from outbox").fetchone()
        return int(row[0]) if row else 0

    def proven(self) -> None:
        """Every invoice once, right and numbered; nothing held, nothing unfinished, nothing failed."""
        self.booked(len(self.invoices))
        self._wait("nothing is left to do", lambda: self.unfinished() == 0)
        ledger = self.stage.ledger({self.firm: self.invoices})
        assert ledger.clean(), ledger
        assert ledger.invoices == len(self.invoices)


@pytest.fixture(scope="module")
def rehearsal(postgres_server: PostgresServer, rabbitmq: RabbitServer) -> Iterator[Rehearsal]:
    database, amqp_url = postgres_server.create(), rabbitmq.create_vhost()
    with stage(
        database, amqp_url, BRIDGE_SEVERA_CALLS_PER_SECOND="100", BRIDGE_POLL_LEASE_SECONDS="12"
    ) as made:
        made.severa_sim("PATCH", "/settings", {"calls_per_second": None})
        firm = made.add_firm(1)
        made.start("poller", "poller")
        made.start("relay", "relay")
        for name in ("worker1", "worker2"):
            made.start(name, "worker", "--threads", "3")
        found = Rehearsal(made, database, firm, made.open_project(firm))
        wait_for("the registers are in step", lambda: found.unfinished() == 0, seconds=120)
        yield found
    postgres_server.drop(database)
    rabbitmq.drop_vhost(amqp_url)


@pytest.mark.req("R-INV-13", "R-OPS-1")
def test_workers_killed_three_times_in_the_middle_lose_and_double_nothing(rehearsal: Rehearsal) -> None:
    before = len(rehearsal.invoices)
    rehearsal.approve(12)
    for kill in range(3):
        rehearsal.booked(before + 1 + 3 * kill)
        rehearsal.stage.kill("worker1")
        rehearsal.stage.start("worker1", "worker", "--threads", "3")
    rehearsal.proven()


@pytest.mark.req("R-INV-13", "R-OPS-1")
def test_a_killed_poller_and_a_killed_relay_only_delay(rehearsal: Rehearsal) -> None:
    before = len(rehearsal.invoices)
    rehearsal.approve(4)
    for name in ("poller", "relay"):
        rehearsal.stage.kill(name)
    rehearsal.approve(2)
    for name in ("poller", "relay"):
        rehearsal.stage.start(name, name)
    rehearsal.booked(before + 6)
    rehearsal.proven()


@pytest.mark.req("R-INV-13")
def test_purged_queues_cost_a_lease_and_nothing_else(rehearsal: Rehearsal, rabbitmq: RabbitServer) -> None:
    before = len(rehearsal.invoices)
    vhost = urlsplit(rehearsal.stage.env["BRIDGE_AMQP_URL"]).path.lstrip("/")
    rehearsal.approve(6)
    for booked in (1, 3):
        rehearsal.booked(before + booked)
        for queue in QUEUES:
            rabbitmq.management("DELETE", f"/api/queues/{vhost}/{queue}/contents")
    rehearsal.proven()


@pytest.mark.req("R-INV-13", "R-OPS-1")
def test_rabbitmq_stopped_and_started_in_the_middle_only_delays(
    rehearsal: Rehearsal, rabbitmq: RabbitServer
) -> None:
    if rabbitmq.control is None:
        pytest.skip("the broker of TEST_AMQP_URL is not ours to stop")
    before = len(rehearsal.invoices)
    rehearsal.approve(6)
    rehearsal.booked(before + 1)
    rabbitmq.rabbitmqctl("stop_app")
    rehearsal.approve(2)
    rabbitmq.rabbitmqctl("start_app")
    rehearsal.proven()


@pytest.mark.req("R-INV-13", "R-OPS-1")
def test_postgresql_connections_cut_in_the_middle_only_delay(
    rehearsal: Rehearsal, postgres_server: PostgresServer
) -> None:
    before = len(rehearsal.invoices)
    rehearsal.approve(6)
    for booked in (1, 3, 5):
        rehearsal.booked(before + booked)
        # What was cut a moment ago may not have come back yet.
        wait_for("connections were cut", lambda: _cut(rehearsal, postgres_server), seconds=60)
    rehearsal.proven()


def _cut(one: Rehearsal, server: PostgresServer) -> int:
    """How many connections of the bridge were cut."""
    _restart_what_ended(one.stage)
    with psycopg.connect(server.url, autocommit=True) as db:
        row = db.execute(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = %s and pid <> pg_backend_pid()",
            [one.database.name],
        ).fetchone()
    return int(row[0]) if row else 0


def _restart_what_ended(one: Stage) -> None:
    """What a supervisor does with a process that gave up; a process that stays up is left alone."""
    arguments = {
        "poller": ["poller"],
        "relay": ["relay"],
        "worker1": ["worker", "--threads", "3"],
        "worker2": ["worker", "--threads", "3"],
    }
    for name, command in arguments.items():
        if one.processes[name].poll() is not None:
            one.start(name, *command)
