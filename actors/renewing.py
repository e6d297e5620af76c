"""A worker that works tells so: the leases of this process's deliveries are lengthened while they make progress.

So a lease that runs out says that its worker is dead, frozen or stuck, not that a vendor was slow. Whoever is frozen is frozen
with this thread; whoever is stuck makes no progress and is not spoken for.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import structlog

from actors.delivery import LiveDelivery
from db import claim
from db.pool import Database
from domain import clock
from domain.errors import TryLater

logger = structlog.get_logger("work")


@dataclass(slots=True)
class AtWork:
    """The deliveries that are under way in this process."""

    _found: dict[int, LiveDelivery] = field(default_factory=dict)

    @contextmanager
    def with_(self, delivery: LiveDelivery) -> Iterator[None]:
        """The delivery is under way until the block ends."""
        self._found[id(delivery)] = delivery
        try:
            yield
        finally:
            del self._found[id(delivery)]

    def now(self) -> list[LiveDelivery]:
        """A copy: worker threads come and go."""
        return list(self._found.values())


def renew(db: Database, at_work: AtWork, lease: float, silent_most: float) -> int:
    """Lengthens the lease (seconds) of every delivery that has made progress in ``silent_most`` seconds; how many."""
    renewed = 0
    for delivery in at_work.now():
        if clock.boot() - delivery.progress() > silent_most:
            continue
        try:
            with db.tenant(delivery.row.tenant_id) as connection:
                renewed += claim.renew(connection, delivery.row, lease)
        except (TryLater, psycopg.Error) as error:
            # Its lease may run out: then it is fenced out and looked at again, as ever.
            row = delivery.row
            logger.warning(
                "not_renewed",
                tenant=row.tenant_name,
                tenant_id=str(row.tenant_id),
                matter=str(row.matter_id),
                error=str(error).strip(),
            )
    return renewed


@contextmanager
def renewing(
    db: Database, at_work: AtWork, lease: float, silent_most: float, *, every: float
) -> Iterator[None]:
    """A thread that renews each ``every`` seconds until the block ends, running work included."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(every):
            renew(db, at_work, lease, silent_most)

    thread = threading.Thread(target=run, name="renewing", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
