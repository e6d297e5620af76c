"""The composition root: the only place that knows whether PostgreSQL and the broker are embedded or services.

``Bridge`` holds what a process needs; ``open_bridge`` makes it and takes it apart again.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, cast
from zoneinfo import ZoneInfo

import dramatiq
import structlog
from dramatiq.broker import Broker
from pydantic import SecretStr

import actors.cost
import actors.customer
import actors.invoice
import actors.payment
import actors.product
import actors.project
from actors import topology
from actors.broker import EventBroker, InProcessBroker, make_broker, with_timeouts
from actors.dependencies import Patience
from actors.publisher import ConfirmingPublisher
from actors.recording import Recorder
from actors.work import Pace, Workshop
from app import standing
from app.clients import Connections
from app.embedded import embedded_database, make_data_dir
from app.relay import Publish, by_rabbitmq, in_process
from app.settings import Settings
from db import installation, outbox
from db.books import ReferenceCache
from db.pool import Database
from db.secrets import Secrets, read_key_file
from domain import catalogue
from domain.errors import InputError
from domain.model import Limits
from domain.registers import Register

logger = structlog.get_logger("bootstrap")

_MODULES = {
    "customer": actors.customer,
    "product": actors.product,
    "project": actors.project,
    "invoice": actors.invoice,
    "payment": actors.payment,
    "cost": actors.cost,
}


@dataclass(frozen=True, slots=True)
class Bridge:
    """One process's wiring."""

    settings: Settings
    db: Database
    secrets: Secrets
    connections: Connections
    registers: dict[tuple[str, str], Register]
    stop: threading.Event
    stack: ExitStack
    recorder: Recorder

    def workshop(self) -> Workshop:
        """What the actors of this process work with."""
        s = self.settings
        return Workshop(
            db=self.db,
            systems=self.connections,
            specs=catalogue.SPECS,
            registers=self.registers,
            limits=Limits(
                create_seconds=s.create_limit_seconds,
                visibility_seconds=s.visibility_lag_seconds,
                fresh_seconds=s.fresh_seconds,
                status_seconds=s.status_seconds,
                release_wait_seconds=s.release_wait_seconds,
                absence_seconds=s.absence_seconds,
                total_tolerance=s.total_tolerance,
            ),
            recorder=self.recorder,
            stop=self.stop,
            references=ReferenceCache(s.reference_cache_seconds),
            worker=f"{socket.gethostname()}/{os.getpid()}",
            erp_zone=ZoneInfo(s.erp_time_zone),
            pace=Pace(
                claim_lease=s.claim_lease_seconds,
                lease_margin=s.lease_margin_seconds,
                not_after=s.not_after_seconds,
                wait=s.waiting_seconds,
                patience=Patience(s.waiting_most_seconds, s.unseen_seconds, 3 * s.waiting_seconds),
                backoff=s.backoff_seconds,
                unknown_wait=s.look_up_seconds,
                backoff_most=s.backoff_most_seconds,
                sign_in_wait=s.sign_in_seconds,
                tell_after=s.tell_after_attempts,
            ),
        )

    def broker(self) -> Broker:
        """RabbitMQ or the in-process broker; closed with the bridge. Raises InputError when RabbitMQ is unreachable."""
        url = self.settings.amqp_url
        broker = make_broker(url.get_secret_value() if url else None, quorum=self.settings.quorum_queues)
        self.stack.callback(broker.close)
        if isinstance(broker, EventBroker):
            try:
                topology.declare(broker)
            except Exception as error:
                raise InputError(
                    f"RabbitMQ cannot be used ({_reason(error)}): check BRIDGE_AMQP_URL and that it runs."
                ) from error
        return broker

    def actors(self, broker: Broker, shop: Workshop) -> dict[str, dramatiq.Actor[..., Any]]:
        """Every domain's actor, declared on the broker."""
        return {name: module.declare(broker, shop) for name, module in _MODULES.items()}

    def publish(self, broker: Broker, declared: dict[str, dramatiq.Actor[..., Any]]) -> Publish:
        """How the relay hands events to this broker."""
        if isinstance(broker, InProcessBroker):
            return in_process(declared)
        url = cast("SecretStr", self.settings.amqp_url).get_secret_value()
        publisher = ConfirmingPublisher(with_timeouts(url), topology.EXCHANGE)
        self.stack.callback(publisher.close)
        return by_rabbitmq(declared, publisher, self.settings.publish_seconds)


@contextmanager
def open_bridge(
    settings: Settings,
    stop: threading.Event | None = None,
    *,
    threads: int | None = None,
    polls: bool = False,
) -> Iterator[Bridge]:
    """Opens the database (embedded or by URL), keys and connections. Raises InputError with what to do.

    ``threads``: worker threads of this process, ``polls``: whether it runs a poller; both size the pool.
    """
    stop = stop or threading.Event()
    with ExitStack() as stack:
        if settings.embedded_database:
            url = stack.enter_context(embedded_database(settings.data))
        else:
            url = cast("str", settings.database_url)
        secrets = Secrets(_keys(settings))
        # A thread that never waits for a connection cannot starve; a command works in one thread.
        db = Database(url, size=2 + (threads or 0) + (settings.poll_threads if polls else 0))
        # registered before opening, so that a half-opened database is closed too
        stack.callback(db.close)
        db.open()
        say_writes(db)
        if settings.embedded_database and settings.amqp_url is None and threads:
            # one process at a time: whatever was out when the last one ended is free
            with db.dispatch() as connection:
                outbox.reset_leases(connection)
        recorder = Recorder(keep_payloads=settings.keep_payloads)
        connections = Connections(
            db, secrets, settings, recorder, stop=stop, slot_share=3 if settings.amqp_url is None else 2
        )
        stack.callback(connections.close)
        registers: dict[tuple[str, str], Register] = {
            (register.system, register.name): register for register in catalogue.registers()
        }
        yield Bridge(settings, db, secrets, connections, registers, stop, stack, recorder)


def say_writes(db: Database) -> None:
    """Every process that starts says once that writes are off. A server that was started anew is the relay's to judge."""
    with db.dispatch() as connection:
        facts = installation.look(connection)
    verdict = standing.judge(facts, None)
    relays = {
        standing.Verdict.SAME,
        standing.Verdict.FIRST,
        standing.Verdict.COPIED,
        standing.Verdict.REWOUND,
    }
    if verdict not in relays:
        logger.error("writes_are_off", reason=standing.sentence(verdict, facts))


def _keys(settings: Settings) -> list[str]:
    if settings.secret_keys is not None:
        return [key.strip() for key in settings.secret_keys.get_secret_value().split(",") if key.strip()]
    if settings.secret_key_file is not None:
        return read_key_file(settings.secret_key_file, create=False)
    if not settings.embedded_database:
        raise InputError(
            "There is no key for the stored secrets: set BRIDGE_SECRET_KEYS or BRIDGE_SECRET_KEY_FILE."
        )
    make_data_dir(settings.data)
    return read_key_file(settings.data / "secret.keys", create=True)


def _reason(error: Exception) -> str:
    return str(error).strip() or type(error).__name__
