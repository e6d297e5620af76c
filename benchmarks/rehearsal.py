"""Many invoices of many tenants on RabbitMQ with two worker processes, while things break on the way.

    python benchmarks/rehearsal.py --invoices 200 --tenants 5 --kills 10      # one worker is killed ten times
    python benchmarks/rehearsal.py --invoices 200 --tenants 5 --purges 5      # all queues are purged five times

Prints lost, duplicated, stuck, and API calls per invoice; exit code 1 unless all three are 0.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1]))

import psycopg
from services import Services
from stage import Ledger, Stage, stage, wait_for

from actors.topology import QUEUES


def unfinished(url: str) -> int:
    with psycopg.connect(url) as db:
        row = db.execute("select count(*) from outbox where state not in ('failed', 'in_doubt')").fetchone()
    return row[0] if row else 0


def stuck(url: str) -> list[tuple[str, str, str]]:
    with psycopg.connect(url) as db:
        return db.execute("select domain, subject, state from outbox order by 1, 2").fetchall()


def problems(url: str) -> list[tuple[str, str]]:
    with psycopg.connect(url) as db:
        return db.execute("select code, values::text from problem where closed_at is null").fetchall()


def rehearse(
    one: Stage,
    owner_url: str,
    *,
    invoices: int,
    tenants: int,
    kills: int,
    purge: list[int],
    amqp_purge: object,
) -> tuple[Ledger, Counter[str], float, list[tuple[str, str, str]]]:
    firms = [one.add_firm(n) for n in range(1, tenants + 1)]
    one.start("poller", "poller")
    one.start("relay", "relay")
    for name in ("worker1", "worker2"):
        one.start(name, "worker", "--threads", "4")
    wait_for("the registers are settled", lambda: unfinished(owner_url) == 0, seconds=120)
    one.calls(reset=True)
    polls_before = _polls(owner_url)
    began = time.monotonic()
    made = {firm: [] for firm in firms}
    projects = {firm: one.open_project(firm) for firm in firms}
    for n in range(invoices):
        firm = firms[n % tenants]
        made[firm].append(one.approve_invoice(firm, projects[firm], n))
    marks = [invoices * (k + 1) // (kills + 1) for k in range(kills)]
    for mark in marks:
        wait_for(f"{mark} invoices are booked", lambda mark=mark: one.booked() >= mark, seconds=600)
        one.kill("worker1")
        one.start("worker1", "worker", "--threads", "4")
    for mark in purge:
        wait_for(f"{mark} invoices are booked", lambda mark=mark: one.booked() >= mark, seconds=600)
        amqp_purge()  # type: ignore[operator]
    wait_for(
        "every invoice is booked and nothing is unfinished",
        lambda: one.booked() >= invoices and unfinished(owner_url) == 0,
        seconds=900,
    )
    took = time.monotonic() - began
    calls = one.calls()
    calls["polls"] = _polls(owner_url) - polls_before
    return one.ledger(made), calls, took, stuck(owner_url)


def _polls(url: str) -> int:
    with psycopg.connect(url) as db:
        row = db.execute("select coalesce(sum(polls), 0) from connection").fetchone()
    return int(row[0]) if row else 0


# Registers that polls read; everything else is work for one invoice.
POLLED = ("customers", "products", "worktypes", "travelexpensetypes", "projects", "salescases", "invoices",
          "customer", "inventory", "project", "customerdocument", "customerpayment",
          "contactpersons", "contactcommunications", "addresses", "contact")  # fmt: skip


def per_invoice(calls: Counter[str], invoices: int) -> dict[str, float]:
    """Calls of the work itself by path, per invoice (polls of registers and sign-ins left out)."""
    found = {}
    for key, count in sorted(calls.items()):
        _, _, last = key.rpartition("/v1/")
        if key == "polls" or (" GET " in key and last.lower() in POLLED) or "token" in key:
            continue
        found[key] = count / invoices
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--invoices", type=int, default=200)
    parser.add_argument("--tenants", type=int, default=5)
    parser.add_argument("--kills", type=int, default=0, help="how often one of the two workers gets SIGKILL")
    parser.add_argument("--purges", type=int, default=0, help="how often all queues are purged")
    parser.add_argument("--keep-logs", type=Path, help="copy the processes' logs here")
    chosen = parser.parse_args()
    services = Services()
    try:
        server, rabbit = services.postgres(), services.rabbitmq()
        print(" · ".join(services.said()))
        database, amqp = server.create(), rabbit.create_vhost()

        def purge() -> None:
            vhost = amqp.rsplit("/", 1)[1]
            for queue in QUEUES:
                rabbit.rabbitmqctl("purge_queue", "-p", vhost, queue)

        marks = [chosen.invoices * (k + 1) // (chosen.purges + 1) for k in range(chosen.purges)]
        with stage(database, amqp) as one:
            try:
                ledger, calls, took, left = rehearse(
                    one, database.owner_url, invoices=chosen.invoices, tenants=chosen.tenants,
                    kills=chosen.kills, purge=marks, amqp_purge=purge,
                )  # fmt: skip
            finally:
                if chosen.keep_logs:
                    chosen.keep_logs.mkdir(parents=True, exist_ok=True)
                    for log in one.directory.glob("*.log"):
                        (chosen.keep_logs / log.name).write_bytes(log.read_bytes())
            found = problems(database.owner_url)
    finally:
        services.stop()
    print(f"{ledger}; stuck {len(left)}; open problems {len(found)}")
    print(f"killed {chosen.kills} times, purged {chosen.purges} times, {took:.0f} s")
    work = per_invoice(calls, chosen.invoices)
    for key, count in work.items():
        print(f"  {count:5.2f} per invoice  {key}")
    print(f"  {sum(work.values()):5.2f} API calls per invoice besides the shared polls")
    for code, values in found[:10]:
        print("  problem:", code, values)
    return 0 if ledger.clean() and not left else 1


if __name__ == "__main__":
    sys.exit(main())
