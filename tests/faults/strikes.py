"""What strikes an installation of real processes, and how each of it is over again: data and one function per kind.

How long something lasts is taken from the installation's own settings (a pause outlasts every lease that it grants), never
from a number chosen here.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit

from faults.skewed import JUMP_MINUTES
from psycopg import OperationalError
from restoring import Cluster
from services import RabbitServer
from stage import Stage

from actors.topology import QUEUES
from app.settings import Settings

HTML = "<!doctype html><html><body><h1>Sign in to the network</h1></body></html>"

# What an answer can be, besides the right one. `seconds` in shares of a limit of the installation.
ANSWERS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("answered 500, not done", {"kind": "status", "status": 500, "body": "Internal Server Error"}),
    ("answered 503 with a page, not done", {"kind": "status", "status": 503, "body": HTML}),
    ("answered 429, not done", {"kind": "status", "status": 429, "body": "", "headers": {"Retry-After": "1"}}),
    ("answered 200 with a page, not done", {"kind": "status", "status": 200, "body": HTML, "headers": {"content-type": "text/html"}}),
    ("answered 200 with nothing, not done", {"kind": "status", "status": 200, "body": ""}),
    ("lost before it was done", {"kind": "drop"}),
    ("lost after it was done", {"kind": "commit_then_drop"}),
    ("answered 502 after it was done", {"kind": "commit_then_status", "status": 502, "body": "Bad Gateway"}),
    ("answered 500 after it was done", {"kind": "commit_then_status", "status": 500, "body": ""}),
    ("cut after it was done", {"kind": "cut"}),
    ("done late", {"kind": "delay", "seconds": 0.7}),
    ("answered late", {"kind": "delay_after", "seconds": 0.7}),
)  # fmt: skip
LISTS: tuple[tuple[str, Mapping[str, Any]], ...] = (("a list too short", {"kind": "short"}),)
MISSING: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("answered 404 right after it was made", {"kind": "status", "status": 404, "body": ""}),
)

# Whose calls, which method, which path (a regular expression); the road of an invoice first, and most often.
CALLS: tuple[tuple[str, str, str], ...] = (
    ("erp", "POST", "/customerinvoice$"),
    ("erp", "GET", "/customerinvoice/[^/]+$"),
    ("erp", "PUT", "/customerinvoice/[^/]+$"),
    ("erp", "POST", "/action/release$"),
    ("erp", "DELETE", "/customerinvoice/[^/]+$"),
    ("severa", "PATCH", "/invoices/[^/]+$"),
    ("severa", "GET", "/invoices/[^/]+$"),
    ("severa", "GET", "/invoicerows"),
    ("severa", "GET", "/invoices$"),
    ("erp", "GET", "/customerdocument$"),
    ("erp", "GET", "/customerinvoice$"),
    ("erp", "GET", "/customerpayment$"),
    ("erp", "POST", "/customer$"),
    ("erp", "GET", "/customer$"),
    ("erp", "PUT", "/customer/[^/]+$"),
    ("erp", "POST", "/project$"),
    ("severa", "GET", "/customers$"),
    ("severa", "PATCH", "/customers/[^/]+$"),
    ("severa", "POST", "/token$"),
    ("erp", "POST", "/token$"),
)
ROAD = 6
"""So many of the calls above belong to the booking itself."""

PROCESSES: Mapping[str, tuple[str, ...]] = {
    "poller1": ("poller",),
    "poller2": ("poller",),
    "relay1": ("relay",),
    "relay2": ("relay",),
    "worker1": ("worker", "--threads", "3"),
    "worker2": ("worker", "--threads", "3"),
    "worker3": ("worker", "--threads", "3"),
    "worker4": ("worker", "--threads", "3"),
}


@dataclass
class Strikes:
    """Everything that goes wrong in one run, chosen by ``random``."""

    stage: Stage
    cluster: Cluster
    rabbit: RabbitServer
    random: Random
    say: Callable[[str], None] = lambda _line: None
    struck: Counter[str] = field(default_factory=Counter)
    paused: set[str] = field(default_factory=set)
    ended: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        env = {name.removeprefix("BRIDGE_").lower(): value for name, value in self.stage.env.items() if name.startswith("BRIDGE_")}  # fmt: skip
        self.settings = Settings(**env)  # type: ignore[arg-type]  # texts, checked by the model
        self._over: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._ahead = 0
        self._most_ahead = 0
        self._down = False
        self._weights: dict[Callable[[], None], int] = {
            self.lie: 14,
            self.kill: 4,
            self.pause: 4,
            self.pause_all_workers: 1,
            self.restart: 2,
            self.purge: 2,
            self.restart_rabbitmq: 1,
            self.restart_postgresql: 1,
            self.step_clock: 1,
        }
        if self.rabbit.control is None:
            del self._weights[self.restart_rabbitmq]

    # ---- one after the other

    def strike(self) -> None:
        """The next thing that goes wrong."""
        [chosen] = self.random.choices(list(self._weights), list(self._weights.values()))
        chosen()

    def every_kind(self) -> list[Callable[[], None]]:
        """Each kind once, in a random order: what a short run begins with."""
        kinds = list(self._weights)
        self.random.shuffle(kinds)
        return kinds

    def go_on(self) -> None:
        """Ends what has lasted long enough, and starts again what has ended, as a supervisor does."""
        while self._over and self._over[0][0] <= time.monotonic():
            heapq.heappop(self._over)[2]()
        self._supervise()

    def end(self) -> None:
        """Nothing strikes any more: everything runs, answers and tells the truth."""
        while self._over:
            heapq.heappop(self._over)[2]()
        for base in (self.stage.severa_sim, self.stage.erp_sim):
            base("DELETE", "/faults")
        # Forward: what was put off by a clock that stood ahead would come only when the right one is there too.
        self._set_clock(self._most_ahead)
        self._supervise()

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._over, (time.monotonic() + seconds, next(self._count), act))

    def _note(self, kind: str, detail: str = "") -> None:
        self.struck[kind] += 1
        self.say(f"{kind}{f': {detail}' if detail else ''}")

    # ---- processes

    def start(self) -> None:
        """All of them, each on a clock of its own."""
        for name in PROCESSES:
            self._start(name)

    def _start(self, name: str) -> None:
        minutes = self.random.choice((-JUMP_MINUTES, 0, JUMP_MINUTES))
        self.stage.start(name, f"--minutes={minutes}", *PROCESSES[name], module="faults.skewed")

    def stop(self) -> None:
        """SIGTERM for all of them, and their ends."""
        while self._over:
            heapq.heappop(self._over)[2]()
        for name in PROCESSES:
            self.stage.processes[name].send_signal(signal.SIGTERM)
        for name in PROCESSES:
            self.stage.processes.pop(name).wait(self.settings.stop_seconds * 10)

    def _supervise(self) -> None:
        for name in PROCESSES:
            process = self.stage.processes.get(name)
            if process is not None and process.poll() is not None:
                self.ended[f"{name.rstrip('0123456789')} {process.returncode}"] += 1
                del self.stage.processes[name]
                self._after(1.0, lambda name=name: self._start(name))  # type: ignore[misc]

    def _running(self, prefix: str = "") -> list[str]:
        return [
            name
            for name in PROCESSES
            if name.startswith(prefix)
            and name not in self.paused
            and (process := self.stage.processes.get(name)) is not None
            and process.poll() is None
        ]

    def kill(self) -> None:
        """SIGKILL; started again after a while."""
        if names := self._running():
            name = self.random.choice(names)
            self._note("killed", name)
            self.stage.kill(name)
            self._after(self.random.uniform(0, 4), lambda: self._start(name))

    def restart(self) -> None:
        """SIGTERM; the supervisor starts it again when it has ended."""
        if names := self._running():
            name = self.random.choice(names)
            self._note("restarted", name)
            self.stage.processes[name].send_signal(signal.SIGTERM)

    def pause(self) -> None:
        """SIGSTOP for longer than any lease, then SIGCONT: it wakes up in the middle of what it did."""
        if len(self.paused) < 2 and (names := self._running()):
            self._pause(self.random.choice(names))

    def pause_all_workers(self) -> None:
        """Every worker stands still while calls are out; they wake up one after the other."""
        for name in self._running("worker"):
            self._pause(name)

    def _pause(self, name: str) -> None:
        process = self.stage.processes[name]
        seconds = self.settings.longest_lease_seconds + self.random.uniform(0.5, self.settings.settle_seconds)
        self._note("paused beyond every lease", f"{name} for {seconds:.0f} s")
        self.paused.add(name)
        os.kill(process.pid, signal.SIGSTOP)

        def wake() -> None:
            self.paused.discard(name)
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)

        self._after(seconds, wake)

    # ---- services

    def purge(self) -> None:
        """Every queue is emptied."""
        self._note("queues purged")
        vhost = urlsplit(self.stage.env["BRIDGE_AMQP_URL"]).path.lstrip("/")
        for queue in QUEUES:
            with contextlib.suppress(URLError, OSError):  # the broker is just away
                self.rabbit.management("DELETE", f"/api/queues/{vhost}/{queue}/contents")

    def restart_rabbitmq(self) -> None:
        """The broker is stopped and, after a while, started."""
        if self._down:
            return
        self._down = True
        self._note("RabbitMQ restarted")
        self.rabbit.rabbitmqctl("stop_app")

        def start() -> None:
            self.rabbit.rabbitmqctl("start_app")
            self._down = False

        self._after(self.random.uniform(0.5, 5), start)

    def restart_postgresql(self) -> None:
        """PostgreSQL is stopped (in order, or as by a crash) and started; the same history goes on."""
        crash = self.random.random() < 0.5
        self._note("PostgreSQL restarted", "by a crash" if crash else "in order")
        if crash:
            self.cluster.server.stop(0.0)
        self.cluster.stop()
        time.sleep(self.random.uniform(0, 2))  # how long it is away
        self.cluster.start()

    # ---- clocks

    def prepare_clock(self) -> None:
        """In this database ``bridge_now()`` is PostgreSQL's clock and an offset, which ``step_clock`` moves."""
        self.cluster.sql(
            "create table fault_clock (single boolean primary key default true, ahead interval not null)",
            "insert into fault_clock (ahead) values ('0')",
            "grant select on fault_clock to public",
            "create or replace function bridge_now() returns timestamptz language sql volatile parallel safe as "
            "$$ select clock_timestamp() + (select ahead from public.fault_clock) $$",
        )

    def step_clock(self) -> None:
        """PostgreSQL's clock steps forward or back."""
        ahead = self.random.choice([m for m in (-JUMP_MINUTES, 0, JUMP_MINUTES) if m != self._ahead])
        self._note("PostgreSQL's clock stepped", f"{ahead - self._ahead:+d} minutes")
        self._set_clock(ahead)

    def _set_clock(self, ahead: int) -> None:
        if ahead != self._ahead:
            self._ahead, self._most_ahead = ahead, max(ahead, self._most_ahead)
            with contextlib.suppress(OperationalError):  # cut by a restart of the same moment
                self.cluster.sql(f"update fault_clock set ahead = '{ahead} minutes'")  # noqa: S608 - a number

    # ---- answers

    def lie(self) -> None:
        """The next call or calls of a kind are lost, late, cut or answered wrongly."""
        road = self.random.random() < 0.6
        system, method, path = self.random.choice(CALLS[:ROAD] if road else CALLS)
        kinds = [*ANSWERS]
        if method == "GET":
            # A shorter list of Severa's cannot be told from a shorter register: it carries no count.
            kinds += (
                LISTS * 3
                if system == "erp" and path.endswith(("document$", "payment$", "customer$", "invoice$"))
                else ()
            )
            kinds += MISSING * 2 if path == "/customerinvoice/[^/]+$" else ()
        name, fault = self.random.choice(kinds)
        armed = {**fault, "path": path, "method": method, "times": self.random.choice((1, 1, 1, 2, 3))}
        if "seconds" in armed:
            # Later than the caller waits, and earlier than the vendor's own limit for carrying a call out.
            armed["seconds"] = self._late(armed["seconds"])
        self._note(name, f"{armed['times']} x {system} {method} {path}")
        (self.stage.severa_sim if system == "severa" else self.stage.erp_sim)("POST", "/faults", armed)

    def _late(self, share: float) -> float:
        waits = max(self.settings.create_timeout_seconds, self.settings.read_timeout_seconds)
        return waits + (self.settings.create_limit_seconds - waits) * share * self.random.random()
