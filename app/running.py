"""The long-running processes: poller, relay, worker, and ``up`` which is all of them in one.

Each stops cleanly on SIGINT and SIGTERM: loops end, running work is finished, prefetched messages go back.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import IntEnum

import dramatiq
import structlog

from app import idling
from app.bootstrap import Bridge
from app.health import heart
from app.poller import Poller
from app.relay import Relay
from domain import clock
from domain.errors import InputError
from domain.model import DOMAINS

logger = structlog.get_logger("running")


class Ended(IntEnum):
    """Exit codes of ``up --until-idle``."""

    CLEAN = 0
    WITH_PROBLEMS = 3
    TIMED_OUT = 4
    STOPPED = 130


@dataclass(frozen=True, slots=True)
class Outcome:
    """How ``up`` ended. ``problems``: tenant → open problems; ``waits_for``: of a time-out, a sentence each."""

    ended: Ended
    problems: Mapping[str, int] = field(default_factory=dict)
    waits_for: Sequence[str] = ()


@contextmanager
def stopping(stop: threading.Event) -> Iterator[None]:
    """SIGINT and SIGTERM set ``stop``; a second one is Python's own (KeyboardInterrupt, death)."""

    def ask(number: int, _frame: object) -> None:
        logger.info("stopping", signal=signal.Signals(number).name)
        stop.set()
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, old[name])

    old = {name: signal.signal(name, ask) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for name, handler in old.items():
            signal.signal(name, handler)


def run_poller(bridge: Bridge) -> None:
    """Until stopped."""
    poller = Poller(
        bridge.db, bridge.connections, list(bridge.registers.values()), bridge.settings, bridge.stop
    )
    poller.run(heart(bridge.settings.health_file))


def run_relay(bridge: Bridge) -> None:
    """Until stopped."""
    broker = bridge.broker()
    publish = bridge.publish(broker, bridge.actors(broker, bridge.workshop()))
    relay = Relay(bridge.db, publish, bridge.settings, bridge.registers, bridge.stop)
    relay.run(heart(bridge.settings.health_file))


def run_worker(bridge: Bridge, queues: Sequence[str], threads: int) -> None:
    """Until stopped. Raises InputError for an unknown queue; ends with an error when a worker thread has died."""
    if unknown := sorted(set(queues) - set(DOMAINS)):
        raise InputError(f"There is no queue '{unknown[0]}': choose from {', '.join(DOMAINS)}.")
    broker = bridge.broker()
    shop = bridge.workshop()
    bridge.actors(broker, shop)
    worker = dramatiq.Worker(broker, queues=set(queues), worker_threads=threads, worker_timeout=200)
    worker.start()
    beat = heart(bridge.settings.health_file)
    with shop.renewing():
        try:
            while not bridge.stop.wait(1.0):
                if dead := [thread.name for thread in worker.workers if not thread.is_alive()]:
                    # Dramatiq neither notices nor replaces a dead thread: end, and let the supervisor start afresh.
                    raise RuntimeError(f"worker threads have died: {', '.join(dead)}")
                beat()
        finally:
            worker.stop(timeout=int(bridge.settings.stop_seconds * 1000))


class Everything:
    """Poller, relay and workers of all queues in this process (``up``)."""

    def __init__(self, bridge: Bridge, threads: int) -> None:
        self._bridge = bridge
        broker = bridge.broker()
        self._shop = bridge.workshop()
        declared = bridge.actors(broker, self._shop)
        self._worker = dramatiq.Worker(broker, worker_threads=threads, worker_timeout=100)
        settings = bridge.settings
        poller = Poller(bridge.db, bridge.connections, list(bridge.registers.values()), settings, bridge.stop)
        relay = Relay(bridge.db, bridge.publish(broker, declared), settings, bridge.registers, bridge.stop)
        self._threads = [
            threading.Thread(target=self._guarded(poller.run), name="poller"),
            threading.Thread(target=self._guarded(relay.run), name="relay"),
        ]
        self.error: BaseException | None = None
        self._renewing = ExitStack()

    def _guarded(self, run: Callable[[], None]) -> Callable[[], None]:
        def guarded() -> None:
            try:
                run()
            except BaseException as error:
                logger.exception("loop_died")
                self.error = error
                self._bridge.stop.set()

        return guarded

    def start(self) -> None:
        """Starts worker, poller and relay, each in threads of its own."""
        self._worker.start()
        self._renewing.enter_context(self._shop.renewing())
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Ends the loops, then lets running work finish."""
        self._bridge.stop.set()
        with self._renewing:
            for thread in self._threads:
                thread.join()
            self._worker.stop(timeout=int(self._bridge.settings.stop_seconds * 1000))

    def healthy(self) -> bool:
        """Whether nothing has failed and every worker thread lives."""
        return self.error is None and all(thread.is_alive() for thread in self._worker.workers)


def run_everything(
    bridge: Bridge,
    *,
    threads: int,
    until_idle: bool = False,
    timeout: float | None = None,
    progress: Callable[[int | None], None] = lambda _unfinished: None,
) -> Outcome:
    """``up``: until stopped, idle (``until_idle``) or out of time (seconds). ``progress`` is called at every look, with the rows
    that are unfinished where it is known."""
    everything = Everything(bridge, threads)
    beat = heart(bridge.settings.health_file)
    deadline = None if timeout is None else clock.monotonic() + timeout
    watch = idling.Idle(bridge) if until_idle else None
    everything.start()
    try:
        while not bridge.stop.wait(0.2):
            if not everything.healthy():
                raise RuntimeError("a part of the bridge has died; see the log above")
            beat()
            if watch is not None and watch.idle():
                found = idling.open_problems(bridge)
                return Outcome(Ended.WITH_PROBLEMS if found else Ended.CLEAN, found)
            progress(watch.unfinished if watch is not None else None)
            if deadline is not None and clock.monotonic() > deadline:
                return Outcome(Ended.TIMED_OUT, idling.open_problems(bridge), idling.waits_for(bridge, watch))
        if everything.error is not None:
            raise everything.error
        return Outcome(Ended.STOPPED)
    finally:
        everything.close()
