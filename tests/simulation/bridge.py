"""Every place where the simulation touches the bridge. Nothing else of the harness knows the bridge's insides.

What is used: ``open_bridge`` (one per process of a play, all over one pool of real connections), ``Poller.poll`` of a
leased connection, ``Relay.maintain``/``turn``, ``Workshop.settle``, and the services that people use.
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
from datetime import datetime
from random import Random
from typing import Any

import httpx
import structlog
from cryptography.fernet import Fernet
from services import Database as TestDatabase

import app.bootstrap
from app import reviewing, service
from app.bootstrap import Bridge, open_bridge
from app.poller import Poller
from app.relay import Relay, event
from app.settings import Settings
from db import installation, streams
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


@dataclass(frozen=True, slots=True)
class Note:
    """A change event on its way to a worker."""

    domain: str
    body: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.domain} {self.body.get('outbox_id')}/{self.body.get('generation')}"


class Office:
    """The connections to PostgreSQL that all processes of all plays of this operating system process share."""

    def __init__(self, database: TestDatabase) -> None:
        self.database = database
        self.settings = Settings(database_url=database.app_url, **SETTINGS)
        self.db = Database(database.app_url, size=10, dispatch_size=6)
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
        handle = httpx.HTTPTransport.handle_request
        httpx.HTTPTransport.handle_request = lambda _self, request: wire.handle(request)  # type: ignore[method-assign, assignment]
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
            httpx.HTTPTransport.handle_request = handle  # type: ignore[method-assign]
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


_OURS = ("actors", "app", "connectors", "db", "domain", "simulators")


@contextlib.contextmanager
def _chance(rng: Random) -> Iterator[None]:
    """Ids and randomness of the bridge and of the simulators come from the seed, at every place where one is imported.

    A module that still asks ``time`` or ``datetime`` itself is given the play's clock in the same way.
    """

    def uuid4() -> uuid.UUID:
        return uuid.UUID(int=rng.getrandbits(128), version=4)

    def token_urlsafe(size: int = 32) -> str:
        return f"{rng.getrandbits(size * 6):x}"

    class Either(type):
        def __instancecheck__(cls, thing: object) -> bool:
            return isinstance(thing, datetime)

    class Now(datetime, metaclass=Either):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return clock.wall().astimezone(tz)

    fake_time = types.SimpleNamespace(
        monotonic=clock.monotonic,
        time=lambda: clock.wall().timestamp(),
        sleep=clock.pause,
        perf_counter=clock.monotonic,
    )
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
            elif name.startswith("connectors") and key == "time" and isinstance(value, types.ModuleType):
                put(module, key, fake_time)
            elif name.startswith("connectors") and key == "datetime" and value is datetime:
                put(module, key, Now)
    defaults = _own_clocks()
    random.seed(rng.getrandbits(64))
    try:
        yield
    finally:
        for target, key, value in reversed(put_back):
            setattr(target, key, value)
        for kept, old in defaults:
            kept.clear()
            kept.update(old)


def _own_clocks() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Pacers take their clock as a default argument; what it was."""
    pacing = sys.modules.get("connectors.pacing")
    changed = []
    for name in ("SlotPacer", "BudgetPacer"):
        known = getattr(getattr(pacing, name, None), "__init__", None)
        kept = getattr(known, "__kwdefaults__", None)
        if kept and "clock" in kept:
            changed.append((kept, dict(kept)))
            kept["clock"] = clock.monotonic
            if "now" in kept:
                kept["now"] = clock.wall
    return changed


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


def relay(bridge: Bridge, publish: Callable[[Sequence[Note]], list[bool]]) -> Callable[[], int]:
    """The relay's loop body: upkeep, then one turn; how many rows it published."""
    made = Relay(
        bridge.db,
        lambda rows: publish([Note(row.domain, event(row)) for row in rows]),
        bridge.settings,
        bridge.registers,
        bridge.stop,
    )

    def turn() -> int:
        made.maintain()
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


def ask_poll(bridge: Bridge, name: str) -> None:
    """Run now."""
    tenant = service.find_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        streams.ask(db, tenant.id)


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


def release(bridge: Bridge, name: str, invoice: str) -> None:
    """A person lets an invoice go."""
    reviewing.release(bridge, name, invoice)


def writes_off(bridge: Bridge) -> bool:
    """Whether the bridge says that this database was restored or cloned, and transfers nothing until it is adopted."""
    with bridge.db.dispatch() as db:
        return installation.note(db).writes != "on"


def adopt(bridge: Bridge) -> None:
    """The operator says that this is the one."""
    with bridge.db.dispatch() as db:
        installation.adopt(db)


def decide(bridge: Bridge, name: str, problem: dict[str, Any], how: str) -> bool:
    """A person's decision on a doubt: 'wait', 'make it', or 'this one:<number>'. False while the bridge knows none."""
    return False


__all__ = [
    "Note",
    "Office",
    "add_tenant",
    "adopt",
    "ask_poll",
    "decide",
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
