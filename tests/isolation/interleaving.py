"""All interleavings of two (or more) transactions by statement, on connections of their own, as PostgreSQL's isolation tester
does: what switching only at commits never finds (a lock wait, a deadlock, a condition that is not looked at again).

    for outcome in every(url, [Session("take", take), Session("announce", announce)], fresh=reset, after=look):
        assert outcome.after == …

A transaction is a function of its connection; each statement that it executes, and its commit, is a step. A step that has
to wait for a lock is seen in ``pg_blocking_pids``, and the others go on meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row

Connection = psycopg.Connection[dict[str, Any]]
Transaction = Callable[[Connection], Any]
DEADLOCK_TIMEOUT = "30ms"
_LOOK_AGAIN = 0.002
_GIVEN_UP = 60.0


@dataclass(frozen=True, slots=True)
class Session:
    """One transaction. ``prepare`` runs on its connection before it (role, tenant), and is no step."""

    name: str
    run: Transaction
    prepare: Transaction | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One statement as it was run. ``waited``: for a lock that another held."""

    session: str
    text: str
    waited: bool

    def __str__(self) -> str:
        return f"{self.session}: {self.text}{' (waited for a lock)' if self.waited else ''}"


@dataclass
class Outcome:
    """One interleaving: what was run in which order, what each session gave or raised, and what stood there afterwards."""

    steps: list[Step] = field(default_factory=list)
    results: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)
    after: Any = None

    @property
    def waited(self) -> bool:
        """Somebody waited for a lock."""
        return any(step.waited for step in self.steps)

    @property
    def deadlocked(self) -> bool:
        """PostgreSQL ended one of them."""
        return any(isinstance(error, psycopg.errors.DeadlockDetected) for error in self.errors.values())

    def __str__(self) -> str:
        said = [str(step) for step in self.steps]
        said += [f"{name} raised {type(error).__name__}" for name, error in self.errors.items()]
        return "\n".join([*said, f"afterwards: {self.after}"])


def every(
    url: str,
    sessions: Sequence[Session],
    *,
    fresh: Callable[[psycopg.Connection[Any]], None],
    after: Callable[[psycopg.Connection[Any]], Any],
    most: int = 5_000,
) -> Iterator[Outcome]:
    """Every interleaving once. ``url``: a superuser's; ``fresh`` makes the state each begins with, ``after`` looks.

    Raises RuntimeError beyond ``most`` interleavings.
    """
    with psycopg.connect(url, autocommit=True) as looking:
        prefix: list[int] = []
        for _ in range(most):
            fresh(looking)
            run = _Run(url, sessions, looking, prefix)
            outcome = run.play()
            outcome.after = after(looking)
            yield outcome
            prefix = _following(run.decisions)
            if not prefix:
                return
    raise RuntimeError(f"more than {most} interleavings: take smaller transactions")


def _following(decisions: list[tuple[int, int]]) -> list[int]:
    """The choices of the next interleaving: the last one that had another possibility takes it; [] = there is none."""
    chosen = [index for index, _ in decisions]
    while chosen:
        index, possible = chosen.pop(), decisions[len(chosen)][1]
        if index + 1 < possible:
            return [*chosen, index + 1]
    return []


class _Gated(psycopg.Connection[dict[str, Any]]):
    """A connection whose statements ask first."""

    gate: Callable[[str], None] | None = None

    def execute(self, query: Any, *args: Any, **more: Any) -> Any:
        if self.gate is not None:
            self.gate(_short(query))
        return super().execute(query, *args, **more)

    def commit(self) -> None:
        if self.gate is not None:
            self.gate("commit")
        super().commit()


@dataclass(eq=False)
class _Player:
    """One session at work."""

    session: Session
    connection: _Gated
    pid: int
    thread: threading.Thread | None = None
    granted: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    wants: str = ""
    state: str = "running"
    step: int = -1


class _Run:
    """One interleaving."""

    def __init__(
        self, url: str, sessions: Sequence[Session], looking: psycopg.Connection[Any], prefix: list[int]
    ) -> None:
        self.decisions: list[tuple[int, int]] = []
        self._prefix = prefix
        self._looking = looking
        self._moved = threading.Condition()
        self._outcome = Outcome()
        self._players = [self._player(url, session) for session in sessions]

    def _player(self, url: str, session: Session) -> _Player:
        connection = _Gated.connect(url, row_factory=dict_row)
        connection.execute(f"set deadlock_timeout = '{DEADLOCK_TIMEOUT}'")
        if session.prepare is not None:
            session.prepare(connection)
        psycopg.Connection.commit(connection)
        return _Player(session, connection, connection.info.backend_pid)

    def play(self) -> Outcome:
        """Runs it to its end."""
        try:
            for player in self._players:
                self._start(player)
            while self._grant_one():
                pass
        finally:
            for player in self._players:
                player.connection.gate = None
                player.connection.close()
        return self._outcome

    def _start(self, player: _Player) -> None:
        def gate(text: str) -> None:
            with self._moved:
                player.wants, player.state = text, "ready"
                self._moved.notify_all()
            player.granted.acquire()

        def run() -> None:
            try:
                self._outcome.results[player.session.name] = player.session.run(player.connection)
                player.connection.commit()
            except Exception as error:  # noqa: BLE001 - whatever a transaction meets is what the test looks at
                self._outcome.errors[player.session.name] = error
                psycopg.Connection.rollback(player.connection)
            with self._moved:
                player.state = "done"
                self._moved.notify_all()

        player.connection.gate = gate
        player.thread = threading.Thread(target=run, name=player.session.name, daemon=True)
        player.thread.start()

    def _grant_one(self) -> bool:
        """Lets one step run; False when all are done."""
        ready = self._settled()
        if not ready:
            return False
        at = len(self.decisions)
        chosen = self._prefix[at] if at < len(self._prefix) else 0
        self.decisions.append((chosen, len(ready)))
        player = ready[chosen]
        player.step = len(self._outcome.steps)
        self._outcome.steps.append(Step(player.session.name, player.wants, waited=False))
        with self._moved:
            player.state = "running"
        player.granted.release()
        return True

    def _settled(self) -> list[_Player]:
        """Who can go on, once everybody else is done or waits for a lock; [] when all are done."""
        waited = 0.0
        while True:
            with self._moved:
                if not any(player.state == "running" for player in self._players):
                    return [player for player in self._players if player.state == "ready"]
                self._moved.wait(_LOOK_AGAIN)
                running = [player for player in self._players if player.state == "running"]
                ready = [player for player in self._players if player.state == "ready"]
            blocked = [player for player in running if self._blocked(player)]
            for player in blocked:
                old = self._outcome.steps[player.step]
                self._outcome.steps[player.step] = Step(old.session, old.text, waited=True)
            if running and len(blocked) == len(running) and ready:
                with self._moved:
                    # One of them may have come through while the others were looked at.
                    if all(player.state == "running" for player in blocked):
                        return ready
            waited += _LOOK_AGAIN
            if waited > _GIVEN_UP:
                raise RuntimeError(f"no session goes on:\n{self._outcome}")

    def _blocked(self, player: _Player) -> bool:
        """Whether PostgreSQL says that this session waits for a lock of another one."""
        row = self._looking.execute("select cardinality(pg_blocking_pids(%s)) > 0", [player.pid]).fetchone()
        return bool(row and row[0])


def _short(query: Any) -> str:
    """A statement's first line that is no comment, for the words of an outcome."""
    lines = [line.strip() for line in str(query).splitlines()]
    return next((line for line in lines if line and not line.startswith("--")), "")[:80]
