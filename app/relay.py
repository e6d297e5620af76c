"""The relay: from ready rows to change events.

Commits rows ``out`` with a lease and a generation, fairly over tenants, and publishes only then. A message that is lost
costs a lease, never a row: whatever nobody claimed in time is ready again. No transaction is open while it talks to
the broker.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol
from uuid import UUID, uuid4

import dramatiq
import structlog

from actors import topology
from actors.publisher import ConfirmingPublisher, Outgoing
from app.keeper import Keeper
from app.settings import Settings
from app.upkeep import Upkeep
from db import outbox
from db.outbox import Taken
from db.pool import REBUILT, Database
from domain.errors import TryLater
from domain.model import DOMAINS
from domain.registers import Register

logger = structlog.get_logger("relay")

SCHEMA_VERSION = 2


class Publish(Protocol):
    """Hands change events to the broker."""

    def __call__(self, rows: Sequence[Taken]) -> list[bool]:
        """True per row that it took. Raises TryLater when it took none, for all anybody knows."""
        ...


def event(row: Taken) -> dict[str, Any]:
    """The change event: who is to settle what, and for outside subscribers what changed. Carries no data of the record."""
    return {
        "v": SCHEMA_VERSION,
        "outbox_id": row.id,
        "generation": row.generation,
        "tenant": str(row.tenant_id),
        "trace": uuid4().hex,
        "change": {"system": row.system, "register": row.register, "id": str(row.matter_id)},
    }


def in_process(actors: dict[str, dramatiq.Actor[..., Any]]) -> Publish:
    """Publishing to the in-process broker: the same messages, enqueued directly."""

    def publish(rows: Sequence[Taken]) -> list[bool]:
        for row in rows:
            actors[row.domain].send_with_options(kwargs=event(row))
        return [True] * len(rows)

    return publish


def by_rabbitmq(
    actors: dict[str, dramatiq.Actor[..., Any]], publisher: ConfirmingPublisher, timeout: float
) -> Publish:
    """Publishing to the topic exchange, in one batch with streaming confirms; envelopes are Dramatiq's own."""

    def publish(rows: Sequence[Taken]) -> list[bool]:
        batch = [
            Outgoing(
                topology.routing_key(row.system, row.domain),
                actors[row.domain].message_with_options(kwargs=event(row)).encode(),
            )
            for row in rows
        ]
        return publisher.publish(batch, timeout=timeout)

    return publish


class Relay:
    """``run`` until ``stop`` is set; ``turn`` once."""

    def __init__(
        self,
        db: Database,
        publish: Publish,
        settings: Settings,
        registers: dict[tuple[str, str], Register],
        stop: threading.Event,
        *,
        domains: Sequence[str] = DOMAINS,
        keeper: Keeper | None = None,
    ) -> None:
        self._db = db
        self._publish = publish
        self._settings = settings
        self._upkeep = Upkeep(db, registers, settings.audit_seconds)
        self._stop = stop
        self._domains = domains
        self._keeper = keeper or Keeper(db, settings, stop)
        self._after = UUID(int=0)
        self._turns = 0

    def run(self, beat: Callable[[], None] = lambda: None) -> None:
        """Turns until stopped; pauses when there is nothing to take, and longer while PostgreSQL or the broker is away."""
        try:
            while not self._stop.is_set():
                beat()
                self._stop.wait(self._again())
        finally:
            self._keeper.close()

    def _again(self) -> float:
        """One turn; how long to wait for the next."""
        try:
            self._upkeep.turn()
            return 0.0 if self.turn() else self._settings.relay_seconds
        except (TryLater, REBUILT) as error:
            logger.warning("relay_waits", error=str(error).strip())
        return min(5.0, self._settings.relay_seconds * 4)

    def turn(self) -> int:
        """Takes and publishes once; how many rows. Nothing while the database or its clock is not surely the right one."""
        if not self._keeper.turn():
            return 0
        with self._db.dispatch() as db:
            if not self._keeper.steady(db):
                return 0
            freed = outbox.reap(db)
        if freed:
            logger.warning("leases_ran_out", rows=freed)
        self._turns += 1
        with self._db.dispatch() as db:
            taken = outbox.take(
                db,
                domains=self._domains,
                window=self._settings.relay_window,
                per_tenant=self._settings.relay_per_tenant,
                after=self._after,
                lease=self._settings.out_lease_seconds,
                lowest_first=self._turns % 4 == 0,
            )
        if not taken:
            return 0
        # The next turn begins behind the last tenant served, so that all have their turn when the window is small.
        self._after = max(row.tenant_id for row in taken)
        try:
            results = self._publish(taken)
        except TryLater:
            results = [False] * len(taken)
            self._give_back(taken, results)
            raise
        self._give_back(taken, results)
        return len(taken)

    def _give_back(self, taken: Sequence[Taken], results: Sequence[bool]) -> None:
        refused = [row for row, ok in zip(taken, results, strict=True) if not ok]
        if not refused:
            return
        logger.warning("broker_refused", rows=len(refused))
        with self._db.dispatch() as db:
            for row in refused:
                outbox.untake(db, row)
