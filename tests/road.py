"""The whole road on real parts in this process: PostgreSQL, a broker, both simulators over HTTP, one bridge, tenants.

Polls come only when a test asks for them (``settle``), so calls and writes can be counted. What people do and what they
see goes over HTTP to the simulators; the proof of a test is what stands there.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import dramatiq
import httpx
import psycopg
import structlog
from cryptography.fernet import Fernet
from offices import Json, Office, Simulator, book, hotel, hours, money
from psycopg.rows import dict_row
from services import Database
from stage import wait_for

from app import idling, running, service
from app.bootstrap import Bridge, open_bridge
from app.poller import Poller
from app.relay import Relay
from app.settings import Settings
from db import outbox
from domain.setup.settings import TenantFile, read_tenant_file
from simulators.seed import Firm, scaled
from simulators.server import running as serving
from simulators.severa import create_app as severa_app
from simulators.visma_net import create_app as erp_app

__all__ = [
    "Installation",
    "Json",
    "Office",
    "Road",
    "Simulator",
    "book",
    "hotel",
    "hours",
    "installation",
    "money",
    "simulators",
]

# Waits that a test shortens. Polls come when they are asked for (the firms' own interval is an hour), and again soon
# after one that failed.
QUICK: Mapping[str, Any] = {
    "min_poll_seconds": 0.5,
    # what a person changed a moment ago must count at once
    "reference_cache_seconds": 0,
    "poll_threads": 2,
    "poller_seconds": 0.15,
    "visibility_lag_seconds": 0.2,
    "create_limit_seconds": 2,
    "read_timeout_seconds": 20,
    "create_timeout_seconds": 20,
    "claim_lease_seconds": 20,
    "lease_margin_seconds": 2,
    "not_after_seconds": 2,
    "unseen_seconds": 5,
    "status_seconds": 1,
    "absence_seconds": 0.5,
    "out_lease_seconds": 10,
    "backoff_seconds": 0.1,
    "look_up_seconds": 0.3,
    "backoff_most_seconds": 1,
    "waiting_seconds": 0.5,
    "sign_in_seconds": 0.5,
    "relay_seconds": 0.15,
    "audit_seconds": 0.5,
    "slot_lease_seconds": 5,
    "severa_calls_per_second": 2000,
    "worker_threads": 4,
    "stop_seconds": 20,
    "log_level": "error",
}
WRITES = ("POST", "PUT", "PATCH", "DELETE")


@dataclass
class Installation:
    """A bridge at work beside both simulators; firms are added and gone live one by one."""

    bridge: Bridge
    severa: Simulator
    erp: Simulator
    database: Database
    roads: list[Road] = field(default_factory=list)

    def add_firm(self, n: int, *, live: bool = True, **settings: Any) -> Road:
        """A firm of its own in both systems and in the bridge, registers settled."""
        firm = scaled(n)
        self.severa.ask("POST", "/orgs", {"firm": n})
        self.severa.ask("PATCH", f"/orgs/{firm.severa_client_id}/switches", {"calls_per_second": None})
        self.erp.ask("POST", "/companies", {"firm": n})
        name = f"firm{n}"
        file = tenant_file(name, firm, self.severa, self.erp, **settings)
        service.add_tenant(self.bridge, file)
        road = Road(
            self,
            name,
            service.find_tenant(self.bridge, name).id,
            firm,
            Office(self.severa, firm.severa_client_id),
            Office(self.erp, firm.erp_tenant_id.lower()),
        )
        self.roads.append(road)
        if live:
            road.go_live()
        return road


@dataclass
class Road:
    """One tenant, from its people's moves in one system to what stands in the other."""

    installation: Installation
    name: str
    tenant_id: UUID
    firm: Firm
    severa: Office
    erp: Office

    # ---- the bridge

    def go_live(self, *, settled: bool = True) -> None:
        """Reads both systems and switches the tenant on; ``settled``: waits until its registers are in step."""
        service.go_live(self.installation.bridge, self.name, lambda _system, _register, _rows: None)
        if settled:
            self.settle()

    def rest(self) -> None:
        """The firm is read no more, and nothing of it is waited for."""
        self.sql("update tenant set state = 'paused' where id = %s and state = 'live'", self.tenant_id)

    def settle(self, *, seconds: float = 40) -> None:
        """Both systems are read until nothing changes any more and no work is unfinished."""
        watch = idling.Idle(self.installation.bridge)
        try:
            wait_for("the bridge is idle", watch.idle, seconds=seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\nwork: {self.work()}\nproblems: {self.problems()}") from None

    def poll(self, *, seconds: float = 30) -> None:
        """Both systems are read once to the end, whatever comes of it."""
        self.ask()
        # A poll that was under way already does not count: it may have passed what is to be read.
        wait_for("both systems are read once more", lambda: not self._asked(), seconds=seconds)

    def ask(self) -> None:
        """Run now."""
        self.sql("update connection set asked_at = clock_timestamp() where tenant_id = %s", self.tenant_id)

    def _asked(self) -> list[str]:
        """Systems of which no poll that began after ``ask`` has ended."""
        rows = self.sql(
            "select system from connection where tenant_id = %s and asked_at is not null", self.tenant_id
        )
        return [row["system"] for row in rows]

    def problems(self) -> list[dict[str, Any]]:
        return service.problems(self.installation.bridge, self.name)

    def codes(self) -> list[str]:
        """Codes of the open problems, sorted."""
        return sorted(row["code"] for row in self.problems())

    def log(self) -> list[str]:
        """Codes of the transfer log, newest first."""
        rows = service.transfer_log(self.installation.bridge, self.name, limit=500)
        return [row["code"] for row in rows]

    def work(self) -> list[tuple[str, str, str]]:
        """Rows of the outbox: domain, the record's id, state."""
        with self.installation.bridge.db.tenant(self.tenant_id) as db:
            return [
                (row["domain"], row["severa_id"] or row["erp_id"], row["state"]) for row in outbox.rows(db)
            ]

    def states(self, domain: str) -> list[str]:
        return [state for its, _subject, state in self.work() if its == domain]

    def sql(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """By hand, as the owner of the tables."""
        with psycopg.connect(
            self.installation.database.owner_url, autocommit=True, row_factory=dict_row
        ) as db:
            done = db.execute(query, values)  # type: ignore[call-overload, unused-ignore]  # a test's own text
            return done.fetchall() if done.description else []

    # ---- counting

    def forget_calls(self) -> None:
        self.severa.calls(reset=True)
        self.erp.calls(reset=True)

    def calls(self) -> Counter[str]:
        """This firm's calls of both systems since ``forget_calls``, by system, method and path template."""
        found: Counter[str] = Counter()
        for name, office in (("severa", self.severa), ("visma_net", self.erp)):
            found.update({f"{name} {key}": count for key, count in office.calls().items()})
        return found

    def writes(self) -> dict[str, int]:
        return {key: n for key, n in self.calls().items() if key.split(" ")[1] in WRITES}

    # ---- people's moves that many tests need

    def add_customer(self, name: str, **members: Any) -> Json:
        """A Swedish customer in Severa, with its main address."""
        return self.severa.add(
            "customers",
            **{
                "name": name,
                "address": {"addressline": "Kungsgatan 1", "postalCode": "111 43", "city": "Stockholm", "country": "SE"},
                **members,
            },
        )  # fmt: skip

    def add_project(self, customer: Json, name: str, **members: Any) -> Json:
        return self.severa.add("projects", name=name, customer=customer["guid"], **members)

    def approve(
        self, project: Json, rows: Sequence[Json], *, status: str = "transfer", **members: Any
    ) -> str:
        """An invoice of a project in a status; its guid."""
        made = self.severa.add(
            "invoices",
            **{
                "customer": project["customer"]["guid"],
                "projects": [project["guid"]],
                "date": "2026-11-20",
                "dueDate": "2026-12-20",
                "status": status,
                "rows": list(rows),
                **members,
            },
        )
        guid: str = made["guid"]
        return guid

    def invoice(self, guid: str) -> Json:
        found: Json = self.severa.ask("GET", f"invoices/{guid}")
        return found

    def role(self, guid: str) -> str:
        """The role of an invoice's status: draft, transfer, failed, transferred, sent, …"""
        roles = next(
            org["roles"]
            for org in self.installation.severa.ask("GET", "/orgs")
            if org["client_id"] == self.severa.firm_id
        )
        status = self.invoice(guid)["status"]["guid"]
        return next(str(role) for role, its in roles.items() if its == status)

    def move(self, guid: str, status: str) -> None:
        """A person sets an invoice's status."""
        self.severa.ask("POST", f"invoices/{guid}/status", {"status": status})

    def documents(self, guid: str) -> list[Json]:
        """The ERP documents that carry the marker of a Severa invoice: type, number, status."""
        marked = self.erp.ask("GET", "marked?prefix=severa:")
        return list(marked.get(f"severa:{guid}", {"documents": []})["documents"])

    def releases(self, guid: str) -> int:
        """How often a document of a Severa invoice was released, ever."""
        marked = self.erp.ask("GET", "marked?prefix=severa:")
        count: int = marked.get(f"severa:{guid}", {"releases": 0})["releases"]
        return count

    def document(self, guid: str) -> Json:
        """The one ERP document of a Severa invoice, as the ERP shows it."""
        [found] = self.documents(guid)
        register = "customerinvoice" if found["type"] == "Invoice" else "customercreditnote"
        return self.erp.one(register, referenceNumber=found["number"])


# ---- putting it up


def tenant_file(name: str, firm: Firm, severa: Simulator, erp: Simulator, **settings: Any) -> TenantFile:
    """What an operator writes for a firm; polls come only when they are asked for."""
    return read_tenant_file(
        {
            "name": name,
            "severa": {
                "base_url": f"{severa.url}/rest-api",
                "client_id": firm.severa_client_id,
                "client_secret": firm.severa_client_secret,
            },
            "visma_net": {
                "base_url": erp.url,
                "auth_url": f"{erp.url}/connect",
                "client_id": firm.erp_client_id,
                "client_secret": firm.erp_client_secret,
                "tenant_id": firm.erp_tenant_id,
            },
            "settings": {"poll_interval_seconds": 3600, **settings},
        }
    )


@contextlib.contextmanager
def simulators() -> Iterator[tuple[Simulator, Simulator]]:
    """Both simulators, each in a thread."""
    with (
        serving(severa_app()) as severa,
        serving(erp_app()) as erp,
        httpx.Client(timeout=120, trust_env=False) as http,
    ):
        yield Simulator(severa, "/orgs", http), Simulator(erp, "/companies", http)


@contextlib.contextmanager
def installation(database: Database, amqp_url: str | None = None, **changed: Any) -> Iterator[Installation]:
    """A bridge at work: all in one without ``amqp_url``, else poller, relay and worker as apart as processes are."""
    settings = Settings(
        **{
            **QUICK,
            "database_url": database.app_url,
            "secret_keys": Fernet.generate_key().decode(),
            "amqp_url": amqp_url,
            **changed,
        }
    )
    with simulators() as (severa, erp), contextlib.ExitStack() as stack:
        stack.enter_context(warnings_only())
        # Opened first, closed last: tests look into the database through it.
        bridge = stack.enter_context(open_bridge(settings, threading.Event()))
        if amqp_url is None:
            everything = running.Everything(bridge, settings.worker_threads)
            stack.callback(everything.close)
            everything.start()
        else:
            stack.enter_context(apart(settings))
        yield Installation(bridge, severa, erp, database)


@contextlib.contextmanager
def warnings_only() -> Iterator[None]:
    """What goes well is proven by the tests and need not be told in their output."""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(30),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["level", "event"]),
        ],
    )
    try:
        yield
    finally:
        structlog.configure(**before)


@contextlib.contextmanager
def apart(settings: Settings) -> Iterator[None]:
    """Poller, relay and worker, each with pools and connections of its own, as separate processes have them."""
    stop = threading.Event()
    with contextlib.ExitStack() as stack:
        poller, relay, worker = (stack.enter_context(open_bridge(settings, stop)) for _ in range(3))
        loops: list[Callable[[], None]] = [
            Poller(poller.db, poller.connections, list(poller.registers.values()), settings, stop).run,
            Relay(
                relay.db, relay.publish(broker := relay.broker(), relay.actors(broker, relay.workshop())),
                settings, relay.registers, stop,
            ).run,
        ]  # fmt: skip
        theirs = worker.broker()
        worker.actors(theirs, worker.workshop())
        working = dramatiq.Worker(theirs, worker_threads=settings.worker_threads, worker_timeout=100)
        threads = [threading.Thread(target=loop) for loop in loops]
        stack.callback(working.stop, timeout=20_000)
        for thread in threads:
            stack.callback(thread.join)
        stack.callback(stop.set)
        working.start()
        for thread in threads:
            thread.start()
        yield
