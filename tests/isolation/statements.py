"""Transactions on connections of their own, stepped statement by statement in every order, as PostgreSQL's own isolation
tester does it.

A session is a thread that stops before each of its statements and before its COMMIT (or ROLLBACK). The walk lets one go at a
time and then asks PostgreSQL (``pg_blocking_pids``) whether it is done or waits for a lock; one that waits is no choice
until it is free. Nothing sleeps, and no time is measured.

    for run in every(url, [Part("take", take), Part("announce", announce)], fresh=reset, after=look):
        assert run.after == …, run.told()
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import DictRow, dict_row

from db.sql import SQL
from db.tenant import TenantDb

NAMES = {text: name for name, text in SQL.items()}

Connection = psycopg.Connection[DictRow]
Work = Callable[["Gate"], Any]


class Gate:
    """A connection that waits for its turn before each statement; what ``TenantDb`` and ``DispatchDb`` stand on."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def execute(self, query: Any, values: Any = None) -> psycopg.Cursor[DictRow]:
        self._session.stop_before(NAMES.get(query, str(query)))
        return self._session.connection.execute(query, values)

    @contextmanager
    def tenant(self, tenant_id: UUID) -> Iterator[TenantDb]:
        """As ``db.pool.Database.tenant``, for what makes its transactions itself; several may follow each other."""
        connection = self._session.connection
        try:
            yield TenantDb(self, tenant_id)  # type: ignore[arg-type]
        except BaseException:
            self._session.stop_before("rollback")
            connection.rollback()
            raise
        self._session.stop_before("commit")
        connection.commit()


class Session:
    """One transaction of one connection. ``result`` or ``error`` once it is ``finished``."""

    def __init__(self, name: str, connection: Connection, work: Work) -> None:
        self.name = name
        self.connection = connection
        self.finished = False
        self.result: Any = None
        self.error: BaseException | None = None
        self.next = ""
        self._work = work
        self._idle = threading.Event()
        self._go = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def pid(self) -> int:
        return self.connection.info.backend_pid

    @property
    def idle(self) -> bool:
        """It stands before its next statement, or is finished."""
        return self._idle.is_set()

    def begin(self) -> None:
        """Comes to its first statement."""
        self._thread.start()
        self._idle.wait()

    def go(self) -> None:
        """One statement."""
        self._idle.clear()
        self._go.release()

    def join(self) -> None:
        self._thread.join()

    def stop_before(self, statement: str) -> None:
        self.next = statement
        self._idle.set()
        self._go.acquire()

    def _run(self) -> None:
        try:
            self.result = self._work(Gate(self))
            self.stop_before("commit")
            self.connection.commit()
        except BaseException as error:  # noqa: BLE001 - the judge looks at whatever it is
            self.error = error
            self.stop_before("rollback")
            self.connection.rollback()
        self.finished = True
        self._idle.set()


@dataclass(frozen=True, slots=True)
class Event:
    """``statement`` of a session came to its end (``how`` done), or waits for a lock (waits)."""

    session: str
    statement: str
    how: str

    def __str__(self) -> str:
        return f"{self.session}: {self.statement}" + (" (waits)" if self.how == "waits" else "")


@dataclass(slots=True)
class Run:
    """One interleaving: its choices with what else could have been chosen, and what happened in order."""

    sessions: Sequence[Session]
    chosen: list[str] = field(default_factory=list)
    options: list[tuple[str, ...]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    after: Any = None

    @property
    def results(self) -> dict[str, Any]:
        return {one.name: one.result for one in self.sessions if one.error is None}

    @property
    def errors(self) -> dict[str, BaseException]:
        return {one.name: one.error for one in self.sessions if one.error is not None}

    @property
    def waited(self) -> bool:
        """Somebody waited for a lock."""
        return any(event.how == "waits" for event in self.events)

    @property
    def deadlocked(self) -> bool:
        """PostgreSQL ended one of them."""
        return any(isinstance(error, psycopg.errors.DeadlockDetected) for error in self.errors.values())

    def session(self, name: str) -> Session | None:
        return next((one for one in self.sessions if one.name == name), None)

    def succeeded(self, name: str) -> bool:
        found = self.session(name)
        return found is not None and found.error is None

    def at(self, name: str, statement: str) -> int:
        """Index of the event with which a statement came to its end, -1 when it never did."""
        wanted = Event(name, statement, "done")
        return self.events.index(wanted) if wanted in self.events else -1

    def told(self) -> str:
        return "\n".join(f"  {number:2} {event}" for number, event in enumerate(self.events))


class Walker:
    """Runs sessions in a given order, then in the order in which they come."""

    def __init__(self, watch: psycopg.Connection[Any]) -> None:
        """``watch``: a connection in autocommit that none of the sessions uses."""
        self._watch = watch

    def walk(self, sessions: Sequence[Session], order: Sequence[str]) -> Run:
        run = Run(sessions)
        for session in sessions:
            session.begin()
        waiting: dict[str, str] = {}
        while not all(one.finished for one in sessions):
            free = [one for one in sessions if not one.finished and one.name not in waiting]
            if free:
                self._step(run, free, order, waiting)
            self._settle(run, waiting)
        for session in sessions:
            session.join()
        return run

    @staticmethod
    def _step(run: Run, free: Sequence[Session], order: Sequence[str], waiting: dict[str, str]) -> None:
        number = len(run.chosen)
        wanted = order[number] if number < len(order) else (run.chosen[-1] if run.chosen else "")
        one = next((each for each in free if each.name == wanted), free[0])
        run.options.append(tuple(each.name for each in free))
        run.chosen.append(one.name)
        waiting[one.name] = one.next
        one.go()

    def _settle(self, run: Run, waiting: dict[str, str]) -> None:
        """Until every session that is under way is done with its statement or waits for another one of them."""
        said = {(event.session, event.statement) for event in run.events if event.how == "waits"}
        while waiting:
            ended = [one for one in run.sessions if one.name in waiting and one.idle]
            for one in ended:
                run.events.append(Event(one.name, waiting.pop(one.name), "done"))
            if ended:
                continue
            blocked = self._blocked([one for one in run.sessions if one.name in waiting])
            # One may have come to its end between the look and the question: then it is seen at the next look.
            if any(one.idle for one in run.sessions if one.name in waiting):
                continue
            if len(blocked) == len(waiting) and self._somebody_is_free(run, waiting):
                run.events += [
                    Event(name, waiting[name], "waits")
                    for name in sorted(blocked)
                    if (name, waiting[name]) not in said
                ]
                return

    @staticmethod
    def _somebody_is_free(run: Run, waiting: dict[str, str]) -> bool:
        """When all wait it is a deadlock, which PostgreSQL ends by itself."""
        return any(not one.finished and one.name not in waiting for one in run.sessions)

    def _blocked(self, sessions: Sequence[Session]) -> set[str]:
        rows = self._watch.execute(
            "select p from unnest(%s::int[]) as p where cardinality(pg_blocking_pids(p)) > 0",
            [[one.pid for one in sessions]],
        )
        pids = {row[0] for row in rows}
        return {one.name for one in sessions if one.pid in pids}


def interleavings(walk: Callable[[Sequence[str]], Run], *, most_switches: int | None = None) -> Iterator[Run]:
    """Every order there is, each once; ``walk`` makes a fresh state and runs one.

    ``most_switches``: only orders that leave a session which could have gone on at most so often.
    """
    ahead: list[list[str]] = [[]]
    while ahead:
        order = ahead.pop()
        run = walk(order)
        yield run
        for number in range(len(order), len(run.chosen)):
            for other in run.options[number]:
                taken = [*run.chosen[:number], other]
                if other != run.chosen[number] and _within(run, taken, most_switches):
                    ahead.append(taken)


def _within(run: Run, order: Sequence[str], most: int | None) -> bool:
    if most is None:
        return True
    left = sum(
        order[number] != order[number - 1] and order[number - 1] in run.options[number]
        for number in range(1, len(order))
    )
    return left <= most


# ---------------------------------------------------------------- from a state, for a test


# A deadlock is a finding: it shall not take a second each time.
DEADLOCK_TIMEOUT = "30ms"


@dataclass(frozen=True, slots=True)
class Part:
    """One transaction of a test. ``prepare`` runs on its connection before it (role, tenant), and is no step."""

    name: str
    work: Work
    prepare: Callable[[Connection], Any] | None = None


def every(
    url: str,
    parts: Sequence[Part],
    *,
    fresh: Callable[[psycopg.Connection[Any]], None],
    after: Callable[[psycopg.Connection[Any]], Any],
    most_switches: int | None = None,
) -> Iterator[Run]:
    """Every order once. ``url``: a superuser's; ``fresh`` makes the state each begins with, ``after`` looks."""
    with ExitStack() as stack:
        looking = stack.enter_context(psycopg.connect(url, autocommit=True))
        connections: list[Connection] = []
        for part in parts:
            made: Connection = stack.enter_context(psycopg.connect(url, row_factory=dict_row))
            made.execute(f"set deadlock_timeout = '{DEADLOCK_TIMEOUT}'")
            if part.prepare is not None:
                part.prepare(made)
            made.commit()
            connections.append(made)

        def walk(order: Sequence[str]) -> Run:
            fresh(looking)
            sessions = [
                Session(part.name, one, part.work) for part, one in zip(parts, connections, strict=True)
            ]
            run = Walker(looking).walk(sessions, order)
            run.after = after(looking)
            return run

        yield from interleavings(walk, most_switches=most_switches)
