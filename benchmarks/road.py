"""Events per second through the whole road, beside the same machine's floor in the same run.

    python -m benchmarks.road --tenants 5 --events 300 --invoices 100

Real PostgreSQL and RabbitMQ, real processes (poller, relay, two workers), both simulators answering at once, limits off.
Three kinds of events: a draft invoice edited (no call: seen, announced, looked at, left alone), a product renamed in
Severa (three calls: the ERP item is read, changed and read back), and an invoice booked (eight calls). The simulators are
Python and share the machine's cores, so a call costs about as much there as here: their share of the CPU time is told
beside each ratio. The floor is a bare Dramatiq actor, two workers with the same threads, committing as many transactions per event
as the road was measured to commit, and calling nobody.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import psycopg  # noqa: E402 - the tests' folder must be on the path first
from services import Services  # noqa: E402
from stage import Firm, Stage, stage, wait_for  # noqa: E402

from actors.broker import EventBroker, with_timeouts  # noqa: E402
from actors.publisher import ConfirmingPublisher, Outgoing  # noqa: E402
from benchmarks.floor import QUEUE, declare  # noqa: E402

THREADS = 8


def count(url: str, query: str) -> int:
    """The one number that a query gives, 0 without a row."""
    with psycopg.connect(url, autocommit=True) as db:
        row = db.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def run(url: str, statement: LiteralString) -> None:
    """One statement by hand, committed."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(statement)


COMMITS = "select xact_commit from pg_stat_database where datname = current_database()"
ASK: LiteralString = "update connection set asked_at = clock_timestamp()"
LINKED = "select count(*) from matter where domain = 'product' and severa_id is not null and erp_id is not null and joined_into is null"
UNFINISHED = "select count(*) from outbox where state not in ('failed', 'in_doubt')"


@dataclass(frozen=True)
class Measured:
    """Events per second seen and announced, and delivered and proven; transactions and CPU milliseconds per event."""

    events: int
    announced: float
    delivered: float
    transactions: float
    simulators_ms: float
    workers_ms: float


def cpu_seconds(*processes: subprocess.Popen[bytes]) -> float:
    """User and system time of running processes so far."""
    ticks = 0
    for process in processes:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measured(one: Stage, url: str, events: int, change: Callable[[], None]) -> Measured:
    """One kind of event through the road: first seen and announced, then delivered and proven."""
    # Held back by a pause of the domains, so that no process has to be started while the clock runs.
    run(url, "update tenant set paused_domains = '{product,invoice}'")
    change()
    began = time.monotonic()
    run(url, ASK)
    wait_for(f"{events} events are announced", lambda: count(url, UNFINISHED) >= events, seconds=300)
    announced = time.monotonic() - began
    before = count(url, COMMITS)
    simulators, workers = [one.processes["simulators"]], [one.processes["worker1"], one.processes["worker2"]]
    cpu = cpu_seconds(*simulators), cpu_seconds(*workers)
    began = time.monotonic()
    run(url, "update tenant set paused_domains = '{}'")
    wait_for("everything is settled", lambda: count(url, UNFINISHED) == 0, seconds=600)
    delivered = time.monotonic() - began
    spent = cpu_seconds(*simulators) - cpu[0], cpu_seconds(*workers) - cpu[1]
    # A backend that has gone idle publishes its counters after ten seconds.
    time.sleep(11)
    transactions = (count(url, COMMITS) - before) / events
    return Measured(
        events,
        events / announced,
        events / delivered,
        transactions,
        1000 * spent[0] / events,
        1000 * spent[1] / events,
    )


def floor(amqp: str, owner_url: str, events: int, transactions: int) -> float:
    """Events per second of the bare actor."""
    with psycopg.connect(owner_url, autocommit=True) as db:
        db.execute("drop table if exists floor_work")
        db.execute("create table floor_work (id bigint primary key, hits integer not null default 0)")
        db.execute("insert into floor_work select n from generate_series(1, %s) n", [events])
    broker = EventBroker(with_timeouts(amqp), quorum=False)
    actor = declare(broker, None, transactions)
    broker.declare_queue(QUEUE, ensure=True)
    publisher = ConfirmingPublisher(with_timeouts(amqp), "")
    env = {
        **os.environ,
        "FLOOR_AMQP": amqp,
        "FLOOR_DATABASE": owner_url,
        "FLOOR_TRANSACTIONS": str(transactions),
        "FLOOR_THREADS": str(THREADS),
    }
    workers = [
        subprocess.Popen([sys.executable, "-m", "benchmarks.floor"], env=env, cwd=ROOT) for _ in range(2)
    ]
    try:
        time.sleep(2)  # both workers are up before the clock starts: the road's workers are, too
        began = time.monotonic()
        publisher.publish(
            [
                Outgoing(QUEUE, actor.message_with_options(kwargs={"n": n}).encode())
                for n in range(1, events + 1)
            ],
            timeout=60,
        )
        wait_for(
            "the floor is done", lambda: count(owner_url, "select count(*) from floor_work") == 0, seconds=600
        )
        return events / (time.monotonic() - began)
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(20)
        publisher.close()
        broker.close()


def make_products(one: Stage, firm: Firm, how_many: int) -> list[str]:
    """New products of a firm; their guids."""
    return [
        one.severa_sim(
            "POST",
            one.org(firm, "/products"),
            {"name": f"Produkt {n}", "code": f"P{n:04d}", "type": "Materials", "vatRate": 25},
        )["guid"]
        for n in range(how_many)
    ]


def change_all(
    one: Stage, of: Mapping[Firm, Iterable[str]], register: str, change: Callable[[str], dict[str, str]]
) -> None:
    """Every record is changed in Severa, as people do."""
    for firm, guids in of.items():
        for guid in guids:
            one.severa_sim("PATCH", one.org(firm, f"/{register}/{guid}"), change(guid))


def main() -> int:
    """Command line; prints floor and road of the same machine."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tenants", type=int, default=5)
    parser.add_argument("--events", type=int, default=300)
    parser.add_argument("--invoices", type=int, default=100)
    chosen = parser.parse_args()
    services = Services()
    try:
        server, rabbit = services.postgres(), services.rabbitmq()
        print(" · ".join(services.said()))
        database, amqp = server.create(), rabbit.create_vhost()
        with stage(
            database,
            amqp,
            BRIDGE_SEVERA_CALLS_PER_SECOND="100000",
            BRIDGE_RELAY_WINDOW="400",
            BRIDGE_RELAY_PER_TENANT="100",
            BRIDGE_CLAIM_LEASE_SECONDS="60",
            BRIDGE_OUT_LEASE_SECONDS="60",
            BRIDGE_LOG_LEVEL="warning",
            BRIDGE_MIN_POLL_SECONDS="3600",
            BRIDGE_BRAKE_PERCENT="100",
        ) as one:
            one.severa_sim("PATCH", "/settings", {"calls_per_second": None})
            one.erp_sim("PATCH", "/settings", {"concurrent_calls": 0})
            each = chosen.events // chosen.tenants
            firms = [one.add_firm(n, poll_interval_seconds=3600) for n in range(1, chosen.tenants + 1)]
            products = {firm: make_products(one, firm, each) for firm in firms}
            one.start("poller", "poller")
            one.start("relay", "relay")
            for name in ("worker1", "worker2"):
                one.start(name, "worker", "--threads", str(THREADS))
            url = database.owner_url
            run(url, ASK)
            wait_for(
                "the registers are settled",
                lambda: count(url, LINKED) >= chosen.events and count(url, UNFINISHED) == 0,
                seconds=300,
            )

            def rename() -> None:
                change_all(one, products, "products", lambda guid: {"name": f"Ny {guid[:8]}"})

            def approve() -> None:
                for n in range(chosen.invoices):
                    firm = firms[n % len(firms)]
                    one.approve_invoice(firm, projects[firm], n)

            def edit() -> None:
                change_all(one, drafts, "invoices", lambda guid: {"yourReference": guid[:8]})

            projects = {firm: one.open_project(firm) for firm in firms}
            drafts = {
                firm: [one.approve_invoice(firm, projects[firm], n, status="draft") for n in range(each)]
                for firm in firms
            }
            run(url, ASK)
            wait_for(
                "the drafts are seen",
                lambda: (
                    count(url, "select count(*) from record where register = 'invoices'") >= each * len(firms)
                    and count(url, UNFINISHED) == 0
                ),
                seconds=120,
            )
            results = {
                "draft edited, 0 calls": measured(one, url, each * len(firms), edit),
                "product renamed, 3 calls": measured(one, url, each * len(firms), rename),
                "invoice booked, 8 calls": measured(one, url, chosen.invoices, approve),
            }
        for what, found in results.items():
            base = floor(amqp, database.owner_url, max(found.events, 300), max(1, round(found.transactions)))
            print(
                f"{what:<25} {found.delivered:6.1f} events/s delivered and proven ({found.announced:6.1f} seen and announced); "
                f"{found.transactions:4.1f} transactions per event, floor {base:6.1f} events/s; ratio {found.delivered / base:.2f}; "
                f"CPU per event: workers {found.workers_ms:4.1f} ms, simulators {found.simulators_ms:4.1f} ms"
            )
    finally:
        services.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
