"""The floor: a bare Dramatiq actor on the same broker that does nothing but commit K transactions per event.

Run as a worker process by ``road.py``: ``python -m benchmarks.floor`` with FLOOR_AMQP, FLOOR_DATABASE, FLOOR_TRANSACTIONS.
"""

from __future__ import annotations

import os
import signal
import threading
from uuid import uuid4

import dramatiq
from psycopg_pool import ConnectionPool

from actors.broker import EventBroker, with_timeouts

QUEUE = "floor"


def declare(broker: EventBroker, pool: ConnectionPool | None, transactions: int) -> dramatiq.Actor[..., None]:
    """The actor of the floor: ``transactions`` commits per event, the last of which deletes its row."""

    @dramatiq.actor(broker=broker, actor_name="floor", queue_name=QUEUE)
    def floor(*, n: int) -> None:
        assert pool is not None
        for _ in range(transactions - 1):
            with pool.connection() as db:
                db.execute("select set_config('app.tenant', %s, true)", [str(uuid4())])
                db.execute("update floor_work set hits = hits + 1 where id = %s", [n])
        with pool.connection() as db:
            db.execute("delete from floor_work where id = %s", [n])

    return floor


def main() -> None:
    """A worker process of the floor, until it is told to stop; what it needs stands in ``FLOOR_…``."""
    broker = EventBroker(with_timeouts(os.environ["FLOOR_AMQP"]), quorum=False)
    threads = int(os.environ["FLOOR_THREADS"])
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with ConnectionPool(os.environ["FLOOR_DATABASE"], min_size=threads, max_size=threads, open=True) as pool:
        declare(broker, pool, int(os.environ["FLOOR_TRANSACTIONS"]))
        worker = dramatiq.Worker(broker, queues={QUEUE}, worker_threads=threads, worker_timeout=100)
        worker.start()
        stop.wait()
        worker.stop()


if __name__ == "__main__":
    main()
