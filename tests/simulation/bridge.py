"""Every place where the simulation touches the bridge. Nothing else of the harness knows the bridge's insides.

What is used: ``open_bridge`` (one per process of a play, all over one pool of real connections), ``Poller.poll`` of a
leased connection, ``Upkeep.turn`` and ``Relay.turn``, ``Workshop.settle``, and the services that people use. Put in place
of the machine: the clock, the pools, ids and randomness, the state file of beats, and what ``connectors.wire`` sends with.
"""

from __future__ import annotations

import contextlib
import logging
import random
import secrets
import sys
import types
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import httpcore
import structlog
from cryptography.fernet import Fernet
from services import Database as TestDatabase

import app.adopting
import app.bootstrap
import connectors.wire
from app import adopting, doubting, leaving, reviewing, service
from app.bootstrap import Bridge, open_bridge
from app.keeper import Keeper
from app.memory import Memory, StateFile
from app.poller import Poller
from app.relay import Relay, event
from app.settings import Settings
from app.standing import STOPS, Verdict
from db import streams
from db.installation import Beat
from db.pool import Database
from db.sql import SQL
from domain import clock
from domain.setup.settings import read_tenant_file
from simulation.kernel import ActorsClock, Kernel, StopEvent
from simulation.wire import ERP, SEVERA, Wire
from simulators.seed import Firm

# Polls come when a play asks for them; everything else as an installation has it by default.
SETTINGS: dict[str, Any] = {
    "secret_keys": Fernet.generate_key().decode(),
    # never connected to: says only that poller, relay and workers are processes of their own
    "amqp_url": "amqp://nobody@simulation/",
    "keep_payloads": False,
    # set-up that nobody changes in a play is read once, before it
    "reference_seconds": 86_400,
    "audit_seconds": 300,
    # so few that a play with a handful of customers can have an accident
    "brake_records": 3,
    "log_level": "error",
}
POLL_INTERVAL = 86_400
SWEEP = "update stream set swept_at = null returning 1"
"""By the owner: the sweep of every register is due."""


@dataclass(frozen=True, slots=True)
class Note:
    """A change event on its way to a worker."""

    domain: str
    body: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.domain} {self.body.get('outbox_id')}/{self.body.get('generation')}"


class Office:
    """The connections to PostgreSQL that all processes of all plays of this operating system process share."""

    state_file: StateFile

    def __init__(self, database: TestDatabase) -> None:
        self.database = database
        self.settings = Settings(database_url=database.app_url, **SETTINGS)
        # One actor runs at a time, and nobody stands still with a transaction open: so few, so that each has its
        # statements prepared and planned soon.
        self.db = Database(database.app_url, size=3, dispatch_size=2)
        self.db.open()

    def close(self) -> None:
        self.db.close()

    def bridge(self, stop: StopEvent) -> contextlib.AbstractContextManager[Bridge]:
        """A process of the bridge, freshly started."""
        return open_bridge(self.settings, stop, threads=1)

    @contextlib.contextmanager
    def installed(self, kernel: Kernel, wire: Wire, seed: int) -> Iterator[None]:
        """Clock, wire and randomness of a play are the bridge's, in this whole operating system process."""
        before = clock.use(ActorsClock(kernel))
        new_pool, memory = connectors.wire._new_pool, app.adopting.memory
        connectors.wire._new_pool = lambda *_: _Pool(wire)  # type: ignore[assignment, return-value]
        # A state file outlives every process of the play; there is no broker to keep a beat in.
        self.state_file = _RememberedBeat()
        app.adopting.memory = lambda _settings: Memory(self.state_file, None)
        shared = app.bootstrap.Database
        app.bootstrap.Database = lambda *_a, **_k: _Shared(self.db)  # type: ignore[assignment, misc]
        logs = structlog.get_config()

        def told(_logger: Any, _level: str, line: dict[str, Any]) -> Any:
            # What the bridge logs belongs into the words of a schedule; ids that say nothing to a reader are left out.
            values = ", ".join(
                f"{k} {v}" for k, v in line.items() if k not in ("event", "subject", "tenant_id", "seconds")
            )
            kernel.say(f"  {line['event']}: {values}"[:160])
            raise structlog.DropEvent

        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            processors=[told],
            cache_logger_on_first_use=False,
        )
        try:
            with _chance(Random(f"bridge/{seed}")):
                yield
        finally:
            structlog.configure(**logs)
            app.bootstrap.Database = shared  # type: ignore[misc]
            connectors.wire._new_pool, app.adopting.memory = new_pool, memory
            clock.use(before)


class _Shared:
    """The shared pools, as a process sees its own: opened and closed with it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    def open(self) -> None:
        """Open already."""

    def close(self) -> None:
        """Stays open for the next play."""


class _RememberedBeat(StateFile):
    """The state file of all relays of a play, without a disk."""

    def __init__(self) -> None:
        self._kept: Beat | None = None

    def write(self, beat: Beat) -> None:
        self._kept = beat

    def check(self) -> None:
        """Could always be written."""

    def read(self) -> Beat | None:
        return self._kept


class _Pool:
    """What ``connectors.wire`` takes for a pool of connections: each request goes by the play's wire."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """There is no connection to close."""

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        return self._wire.handle(request, _Limits(connectors.wire._progress.get(), request))


class _Limits:
    """The bridge's own limits of a call, asked where httpcore asks them on a real connection."""

    def __init__(self, progress: connectors.wire.Progress, request: httpcore.Request) -> None:
        self._progress = progress
        self._request = {"request": request}

    def connecting(self) -> None:
        self._progress.left(httpcore.ConnectTimeout)

    def head(self) -> None:
        self._progress.trace("http11.send_request_headers.started", self._request)
        self._progress.writing()
        self._progress.left(httpcore.WriteTimeout)

    def body(self) -> None:
        self._progress.trace("http11.send_request_body.started", self._request)
        self._progress.left(httpcore.WriteTimeout)

    def answer(self) -> float:
        return self._progress.left(httpcore.ReadTimeout)

    def heard(self, size: int) -> None:
        self._progress.left(httpcore.ReadTimeout)
        self._progress.took(size)
        self._progress.trace("http11.receive_response_headers.complete", {})


_OURS = ("actors", "app", "connectors", "db", "domain", "simulators")


@contextlib.contextmanager
def _chance(rng: Random) -> Iterator[None]:
    """Ids and randomness of the bridge and of the simulators come from the seed, at every place where one is imported."""

    def uuid4() -> uuid.UUID:
        return uuid.UUID(int=rng.getrandbits(128), version=4)

    def token_urlsafe(size: int = 32) -> str:
        return f"{rng.getrandbits(size * 6):x}"

    instead = {uuid.uuid4: uuid4, secrets.token_urlsafe: token_urlsafe}
    put_back: list[tuple[Any, str, Any]] = []

    def put(target: Any, name: str, value: Any) -> None:
        put_back.append((target, name, getattr(target, name)))
        setattr(target, name, value)

    put(uuid, "uuid4", uuid4)
    put(secrets, "token_urlsafe", token_urlsafe)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in _OURS:
            continue
        for key, value in list(vars(module).items()):
            if value is random:
                put(module, key, rng)
            elif (
                isinstance(value, types.FunctionType | types.MethodType | types.BuiltinFunctionType)
                and value in instead
            ):
                put(module, key, instead[value])
    random.seed(rng.getrandbits(64))
    try:
        yield
    finally:
        for target, key, value in reversed(put_back):
            setattr(target, key, value)


_NAMES = {text: name for name, text in SQL.items()}


def statement(query: str) -> str:
    """The name of a statement, for the words of a schedule; '' for one without."""
    return _NAMES.get(query, "")


# ---- what the processes do


FEW = frozenset(
    {"customers", "projects", "invoices", "customer", "project", "customerdocument", "customerPayment"}
)
"""The registers of a play about invoices; a play about everything reads all of them."""


def poll_due(bridge: Bridge, *, few: bool = False) -> int:
    """Leases the connections that are due and polls them one after the other; how many. ``few``: see ``FEW``."""
    with bridge.db.dispatch() as db:
        found = streams.due(db, uuid.uuid4(), lease=bridge.settings.poll_lease_seconds, limit=2)
    registers = [one for one in bridge.registers.values() if not few or one.name in FEW or one.reference]
    poller = Poller(bridge.db, bridge.connections, registers, bridge.settings, bridge.stop)
    for due in found:
        poller.poll(due)
    return len(found)


def relay(
    bridge: Bridge, publish: Callable[[Sequence[Note]], list[bool]], state_file: StateFile
) -> Callable[[], int]:
    """The relay's loop body: upkeep, then one turn; how many rows it published."""
    settings = bridge.settings
    made = Relay(
        bridge.db,
        lambda rows: publish([Note(row.domain, event(row)) for row in rows]),
        settings,
        bridge.registers,
        bridge.stop,
        keeper=Keeper(bridge.db, settings, bridge.stop, Memory(state_file, None)),
    )

    def turn() -> int:
        made._upkeep.turn()
        return made.turn()

    return turn


def worker(bridge: Bridge, name: str) -> Callable[[Note], str]:
    """What an actor of a worker process calls with a message."""
    shop = bridge.workshop()

    def settle(note: Note) -> str:
        return shop.settle(note.domain, note.body["tenant"], note.body["outbox_id"], note.body["generation"])

    return settle


# ---- what people do with the bridge


def add_tenant(bridge: Bridge, name: str, firm: Firm, **settings: Any) -> None:
    """Adds a firm and takes it live."""
    file = read_tenant_file(
        {
            "name": name,
            "severa": {
                "base_url": f"{SEVERA}/rest-api",
                "client_id": firm.severa_client_id,
                "client_secret": firm.severa_client_secret,
            },
            "visma_net": {
                "base_url": ERP,
                "auth_url": f"{ERP}/connect",
                "client_id": firm.erp_client_id,
                "client_secret": firm.erp_client_secret,
                "tenant_id": firm.erp_tenant_id,
            },
            "settings": {"poll_interval_seconds": POLL_INTERVAL, **settings},
        }
    )
    service.add_tenant(bridge, file)
    service.go_live(bridge, name, lambda _system, _register, _rows: None)


def erase(bridge: Bridge, name: str, *, anyway: bool = False) -> None:
    """Has a tenant leave, and erases it when everything that was sent is over."""
    leaving.erase(bridge, name, export_to=None, anyway=anyway)


def ask_poll(bridge: Bridge, name: str) -> None:
    """Run now."""
    tenant = service.find_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        streams.ask(db)


def problems(bridge: Bridge, name: str) -> list[dict[str, Any]]:
    """Open problems of a tenant."""
    return service.problems(bridge, name)


def retry(bridge: Bridge, name: str, problem: dict[str, Any]) -> None:
    """A person tries a problem's record again."""
    service.retry(bridge, name, str(problem["id"]))


def pause(bridge: Bridge, name: str, *, paused: bool, domain: str | None = None) -> None:
    """A person pauses or resumes a tenant, or one of its domains."""
    service.set_paused(bridge, name, paused=paused, domain=domain)


def set_setting(bridge: Bridge, name: str, key: str, text: str) -> None:
    """A person changes a setting."""
    service.set_setting(bridge, name, key, text)


def held(bridge: Bridge, name: str) -> list[dict[str, Any]]:
    """Invoices that wait for a person's release."""
    return reviewing.held(bridge, name)


def release(bridge: Bridge, name: str, invoice: str, seen: str = "") -> None:
    """A person lets an invoice go as it was ``seen``, or looks at it first."""
    marks = {seen} if seen else {row["seen"] for row in reviewing.held(bridge, name)}
    reviewing.release(bridge, name, invoice, marks)


def gaps(bridge: Bridge, name: str) -> list[str]:
    """Numbers of the gap list."""
    return [str(one["number"]) for one in reviewing.gaps(bridge, name)]


def writes_off(bridge: Bridge) -> bool:
    """Whether the bridge says that this database was restored or cloned, and transfers nothing until it is adopted."""
    return adopting.look(bridge).verdict in {Verdict.OFF, *STOPS}


def adopt(bridge: Bridge) -> None:
    """The operator says that this is the one."""
    adopting.adopt(bridge, adopting.look(bridge))


def doubts(bridge: Bridge, name: str) -> list[dict[str, Any]]:
    """What is in doubt, with the candidates that a person is shown."""
    return doubting.doubts(bridge, name)


def decide(bridge: Bridge, name: str, doubt: dict[str, Any], how: str) -> None:
    """A person's decision on one of the ``doubts`` as shown: 'wait', 'make', or 'this:<type>/<number>'. Raises InputError."""
    kind, _, document = how.partition(":")
    choice = doubting.Choice(kind, document)  # type: ignore[arg-type]
    doubting.decide(bridge, name, str(doubt["id"]), choice, doubt["seen"])


__all__ = [
    "SWEEP",
    "Note",
    "Office",
    "add_tenant",
    "adopt",
    "ask_poll",
    "decide",
    "doubts",
    "erase",
    "gaps",
    "held",
    "pause",
    "poll_due",
    "problems",
    "relay",
    "release",
    "retry",
    "set_setting",
    "statement",
    "worker",
    "writes_off",
]
