"""A poller on a real database, and a vendor whose pages are scripted: what is answered when, and what happens meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from integration.test_isolation import make_tenant
from psycopg.rows import dict_row
from services import Database as Made

from app.poller import Poller
from app.settings import Settings
from app.upkeep import Upkeep
from db import matters, records, streams
from db.pool import Database
from domain import clock
from domain.errors import NotFound
from domain.model import Json, LinkUpdate, Page
from domain.registers import Concern, Register

LEASE = 7200


class Killed(BaseException):
    """The process dies here: nothing after it happens, no lease is given back."""


def a_register(name: str, domain: str, **members: Any) -> Register:
    """A register of Severa whose rows are ``{"guid", "name", "stamp"}``, and concern themselves in one domain."""
    return Register(
        **{
            "system": "severa",
            "name": name,
            "identify": lambda body: body["guid"],
            "number": lambda body: body["guid"],
            "title": lambda body: body["name"],
            "projection": lambda body: {"name": body["name"]},
            "concerns": lambda body: (Concern(domain, name, body["guid"]),),
            "remote_time": lambda body: body.get("stamp") and datetime.fromisoformat(body["stamp"]),
            **members,
        }
    )


CUSTOMERS = a_register("customers", "customer")
INVOICES = a_register("invoices", "invoice")
# A register that the vendor shows as a list only.
LISTED = a_register("listed", "invoice", single=lambda _body: "")


@dataclass
class Vendor:
    """Rows per register, in the order they are listed in; a page is answered as it stands when it is asked for."""

    world: World
    rows: dict[str, dict[str, Json]] = field(default_factory=dict)
    size: int = 10
    # without it no answer carries a date
    dated: bool = True
    # what happens while the n-th page of a register is being asked for, before it is answered …
    before_answer: dict[tuple[str, int], Callable[[], object]] = field(default_factory=dict)
    # … after it was answered, and before the poll stores it (the last page only)
    after_last: dict[str, Callable[[], object]] = field(default_factory=dict)
    # … and after it was cut out of the register, before it is answered
    in_answer: dict[tuple[str, int], Callable[[], object]] = field(default_factory=dict)
    asked: list[tuple[str, datetime | None, int]] = field(default_factory=list)
    singly: list[tuple[str, str]] = field(default_factory=list)
    # how many single reads are answered 404 although the record is there
    denies: int = 0

    def put(self, register: str, guid: str, name: str, stamp: datetime | None = None) -> None:
        body = {"guid": guid, "name": name}
        if stamp is not None:
            body["stamp"] = stamp.isoformat()
        self.rows.setdefault(register, {})[guid] = body

    def fill(self, register: str, n: int, name: str = "as it was") -> None:
        for i in range(n):
            self.put(register, f"{i:05d}", name)

    def pages(
        self, register: str, *, changed_since: datetime | None = None, position: str | None = None
    ) -> Iterator[Page]:
        number = int(position or 0)
        while True:
            self.asked.append((register, changed_since, number))
            self.before_answer.get((register, number), lambda: None)()
            rows = [
                dict(body)
                for body in self.rows.get(register, {}).values()
                if changed_since is None
                or body.get("stamp") is None
                or datetime.fromisoformat(body["stamp"]) >= changed_since
            ]
            page = rows[number * self.size : (number + 1) * self.size]
            self.in_answer.get((register, number), lambda: None)()
            number += 1
            more = number * self.size < len(rows)
            yield Page(page, self.world.now() if self.dated else None, str(number) if more else None)
            if not more:
                break
        self.after_last.get(register, lambda: None)()

    def get(self, register: str, key: str) -> Json:
        self.singly.append((register, key))
        self.denies -= 1
        if self.denies >= 0 or key not in self.rows.get(register, {}):
            raise NotFound(system="severa", status=404, operation=f"GET {register}")
        return dict(self.rows[register][key])

    # ``app.clients.Connections``, as far as a poller asks it
    def refresh(self, _tenant_id: UUID) -> None:
        """Nobody changes the connection."""

    def severa(self, _tenant_id: UUID, *, poll: bool) -> Vendor:
        assert poll
        return self

    def pages_asked(self, register: str) -> list[int]:
        return [number for name, _, number in self.asked if name == register]


class Moved(clock.MachineClock):
    """The machine's clocks, moved."""

    def __init__(self) -> None:
        self.by = timedelta(0)

    def boot(self) -> float:
        return super().boot() + self.by.total_seconds()

    def wall(self) -> datetime:
        return super().wall() + self.by


class World:
    """One tenant whose Severa connection is polled when a test says so."""

    def __init__(self, db: Database, made: Made, *registers: Register, **settings: Any) -> None:
        self.db = db
        self.made = made
        self.clock = Moved()
        self.tenant_id = make_tenant(db, "one")
        self.vendor = Vendor(self)
        self.registers = list(registers) or [CUSTOMERS]
        # A reading may take an hour here, and its poll is never taken over.
        self.settings = Settings(
            database_url=made.app_url, secret_keys="x", **{"poll_lease_seconds": LEASE, **settings}
        )
        self.stop = threading.Event()

    # ---- time

    def later(self, by: timedelta) -> None:
        """Time passes for PostgreSQL and for this process alike."""
        self.clock.by += by
        self.step_database(self.clock.by)

    def step_database(self, by: timedelta) -> None:
        """PostgreSQL's clock alone."""
        seconds = by.total_seconds()
        self.sql(
            "create or replace function bridge_now() returns timestamptz language sql volatile parallel safe"
            f" as $$ select clock_timestamp() + {seconds} * interval '1 second' $$"
        )

    def now(self) -> datetime:
        return datetime.now(UTC) + self.clock.by

    # ---- the poller

    def poller(self) -> Poller:
        return Poller(self.db, self.vendor, self.registers, self.settings, self.stop)  # type: ignore[arg-type]

    def poll(self) -> int:
        """One poll to its end, whatever comes of it; the changed records."""
        with self.db.tenant(self.tenant_id) as db:
            due = streams.lease_one(db, "severa", uuid4(), LEASE)
        assert due is not None, "somebody is polling"
        return self.poller().poll(due)

    def poll_until_killed(self) -> None:
        with suppress(Killed):
            self.poll()
            raise AssertionError("nothing killed it")
        # its lease runs out
        self.sql("update connection set poll_lease_until = bridge_now() - interval '1 second'")

    def audit(self) -> None:
        """A minute later."""
        self.sql("update record set seen_at = seen_at - interval '5 minutes'")
        Upkeep(self.db, {(one.system, one.name): one for one in self.registers}, 0).round()

    # ---- a worker

    def own(
        self,
        register: Register,
        guid: str,
        name: str,
        asked_at: datetime,
        answered_at: datetime | None = None,
    ) -> None:
        """A delivery ends: what its own write gave back."""
        body = {"guid": guid, "name": name}
        with self.db.tenant(self.tenant_id) as db:
            row = records.row_of(register, body, None, UTC)
            records.put_own(db, register, row, asked_at, answered_at)

    def write(self, register: Register, guid: str, name: str) -> None:
        """A delivery's whole write: asked for now, changed at the vendor, answered now."""
        asked_at = self.db_now()
        self.vendor.put(register.name, guid, name)
        self.own(register, guid, name, asked_at, self.db_now())

    def link(self, domain: Any, register: str, guid: str) -> str:
        with self.db.tenant(self.tenant_id) as db:
            met = matters.meet(db, domain, "severa", register, [(guid, "")])
            update = LinkUpdate(register, guid, "", "erp", f"erp-{guid}", "")
            assert matters.put(db, met[guid], update) is None
        return f"{register}/{guid}"

    # ---- what stands where

    def db_now(self) -> datetime:
        with self.db.tenant(self.tenant_id) as db:
            return streams.now(db)

    def sql(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """By hand, as the owner of the tables."""
        with psycopg.connect(self.made.owner_url, autocommit=True, row_factory=dict_row) as db:
            done = db.execute(query.encode(), values)
            return done.fetchall() if done.description else []

    def work(self, domain: str | None = None) -> list[str]:
        """Register and id of everything that has a row in the outbox."""
        rows = self.sql(
            "select o.domain, m.severa_register || '/' || m.severa_id as what from outbox o"
            " join matter m on m.tenant_id = o.tenant_id and m.id = o.matter_id"
        )
        return sorted(row["what"] for row in rows if domain in (None, row["domain"]))

    def settle_all(self) -> None:
        """Workers have done everything."""
        self.sql("delete from outbox")
        self.sql("update record set settled_version = version where announced_version = version")

    def name(self, register: Register, guid: str) -> str:
        with self.db.tenant(self.tenant_id) as db:
            record = records.get(db, "severa", register.name, guid)
        assert record is not None
        return str(record.body["name"])

    def gone(self, register: Register) -> list[str]:
        rows = self.sql(
            "select id from record where register = %s and gone_at is not null order by id", register.name
        )
        return [row["id"] for row in rows]

    def readings(self) -> list[tuple[str, str]]:
        return [(row["register"], row["state"]) for row in self.sql("select * from reading order by id")]

    def problems(self) -> dict[str, dict[str, Any]]:
        """Code → values of the open problems."""
        return {
            row["code"]: row["values"]
            for row in self.sql("select * from problem where closed_at is null order by id")
        }

    def paused(self) -> list[str]:
        [row] = self.sql("select paused_domains from tenant")
        return list(row["paused_domains"])

    def watermark(self, register: Register) -> datetime | None:
        rows = self.sql("select watermark from stream where register = %s", register.name)
        return rows[0]["watermark"] if rows else None


@contextmanager
def world(made: Made, *registers: Register, **settings: Any) -> Iterator[World]:
    """On a database of its own."""
    db = Database(made.app_url, size=4)
    db.open()
    found = World(db, made, *registers, **settings)
    before = clock.use(found.clock)
    try:
        yield found
    finally:
        clock.use(before)
        db.close()
