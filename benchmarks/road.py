"""Events per second through the whole road, beside the same machine's floor in the same run.

    python -m benchmarks.road --tenants 5 --events 300 --invoices 100

Real PostgreSQL and RabbitMQ, real processes (poller, relay, two workers), both simulators answering at once, limits off.
Two kinds of events: a product renamed in Severa (the ERP item is read, changed and read back), and an invoice (eight
calls). The floor is a bare Dramatiq actor, two workers with the same threads, committing as many transactions per event
as the road was measured to commit, and calling nobody.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import psycopg  # noqa: E402 - the tests' folder must be on the path first
from services import Services  # noqa: E402
from stage import Stage, free_port, stage, wait_for  # noqa: E402, F401

from actors.broker import EventBroker, with_timeouts  # noqa: E402
from actors.publisher import ConfirmingPublisher, Outgoing  # noqa: E402
from benchmarks.floor import QUEUE, declare  # noqa: E402

THREADS = 8


def count(url: str, query: str) -> int:
    with psycopg.connect(url, autocommit=True) as db:
        row = db.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


COMMITS = "select xact_commit from pg_stat_database where datname = current_database()"
UNFINISHED = "select count(*) from outbox where state not in ('failed', 'in_doubt')"


def measured(one: Stage, url: str, events: int, change: Callable[[], None]) -> tuple[float, float, float]:
    """(events per second seen and announced, events per second delivered and proven, transactions per event)."""
    one.stop("relay")
    one.stop("poller")
    change()
    began = time.monotonic()
    one.start("poller", "poller")
    wait_for(f"{events} events are announced", lambda: count(url, UNFINISHED) >= events, seconds=300)
    announced = time.monotonic() - began
    one.stop("poller")
    before = count(url, COMMITS)
    began = time.monotonic()
    one.start("relay", "relay")
    wait_for("everything is settled", lambda: count(url, UNFINISHED) == 0, seconds=600)
    delivered = time.monotonic() - began
    # PostgreSQL publishes its counters with a delay of up to a second per backend
    time.sleep(1.5)
    transactions = (count(url, COMMITS) - before) / events
    one.start("poller", "poller")
    return events / announced, events / delivered, transactions


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


def main() -> int:
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
            BRIDGE_BRAKE_PERCENT="100",
        ) as one:
            one.severa_sim("PATCH", "/settings", {"calls_per_second": None})
            one.erp_sim("PATCH", "/settings", {"concurrent_calls": 0})
            each = chosen.events // chosen.tenants
            firms = [one.add_firm(n) for n in range(1, chosen.tenants + 1)]
            products = {
                firm: [
                    one.severa_sim(
                        "POST",
                        one.org(firm, "/products"),
                        {"name": f"Produkt {n}", "code": f"P{n:04d}", "type": "Materials", "vatRate": 25},
                    )["guid"]
                    for n in range(each)
                ]
                for firm in firms
            }
            one.start("poller", "poller")
            one.start("relay", "relay")
            for name in ("worker1", "worker2"):
                one.start(name, "worker", "--threads", str(THREADS))
            url = database.owner_url
            wait_for(
                "the registers are settled",
                lambda: (
                    count(url, "select count(*) from link where domain = 'product'") >= chosen.events
                    and count(url, UNFINISHED) == 0
                ),
                seconds=300,
            )

            def rename() -> None:
                for firm, guids in products.items():
                    for guid in guids:
                        one.severa_sim(
                            "PATCH", one.org(firm, f"/products/{guid}"), {"name": f"Ny {guid[:8]}"}
                        )

            def approve() -> None:
                for n in range(chosen.invoices):
                    firm = firms[n % len(firms)]
                    one.approve_invoice(firm, one.open_project(firm), n)

            results = [
                ("product renamed", chosen.events, measured(one, url, each * len(firms), rename)),
                ("invoice booked", chosen.invoices, measured(one, url, chosen.invoices, approve)),
            ]
        for what, events, (announced, delivered, transactions) in results:
            base = floor(amqp, database.owner_url, max(events, 300), round(transactions))
            print(
                f"{what:<16} {delivered:7.1f} events/s delivered and proven, {announced:7.1f} events/s seen and announced, "
                f"{transactions:5.1f} transactions per event; floor {base:7.1f} events/s; ratio {delivered / base:.2f}"
            )
    finally:
        services.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
