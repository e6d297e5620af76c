"""One process, many actors, one clock: who goes on, and when, is decided by a schedule and never by the machine.

An actor is a thread that holds the baton while it runs; at every control point (``wait``, a call, a commit) it gives it
back and says when it wants to go on. Exactly one thread runs at a time, so a run depends on nothing but its seed. Time
stands still while somebody runs and jumps to the next thing that happens when all wait.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
"""When every play begins: a Friday morning."""


def _held() -> threading.Lock:
    """A baton that nobody has been given yet: a bare lock, because it changes hands thousands of times in a play."""
    lock = threading.Lock()
    lock.acquire()
    return lock


class Crashed(BaseException):
    """The process of this actor is dead. Not an Exception: nothing may catch it, and nothing that still runs on the way
    out (``finally``) reaches the database or a vendor any more."""


class PlayError(Exception):
    """The simulation itself cannot go on: an actor broke, or a play never comes to an end."""


@dataclass(eq=False)
class Process:
    """What dies together and shares clocks: boot-time and wall clock can be apart from the true time, each alone."""

    name: str
    boot_ahead: float = 0.0
    wall_ahead: float = 0.0
    dead: bool = False


@dataclass(eq=False)
class Actor:
    """One thread of a process."""

    name: str
    process: Process
    run: Callable[[], None]
    thread: threading.Thread | None = None
    baton: threading.Lock = field(default_factory=_held)
    ended: bool = False
    ticket: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """Who did what, when (seconds since the play's start)."""

    at: float
    who: str
    what: str

    def __str__(self) -> str:
        return (
            f"{(START + timedelta(seconds=self.at)).strftime('%H:%M:%S.%f')[:-3]}  {self.who:<9} {self.what}"
        )


class Kernel:
    """Actors, their time, and what they did."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.now = 0.0
        self.trace: list[Line] = []
        self.steps = 0
        self._order = itertools.count()
        # (time, tie-break, ticket, actor or function)
        self._agenda: list[tuple[float, int, int, Actor | Callable[[], None]]] = []
        self._actors: list[Actor] = []
        self._main = _held()
        self._running = threading.local()
        self._broken: BaseException | None = None
        self._until = 0.0

    # ---- what actors see

    def current(self) -> Actor | None:
        """The actor that holds the baton, None outside of the play (a person's move, the judge)."""
        return getattr(self._running, "actor", None)

    def say(self, what: str, who: str = "") -> None:
        """One line of the schedule in words."""
        actor = self.current()
        self.trace.append(Line(self.now, who or (actor.name if actor else "–"), what))

    def wait(self, seconds: float) -> None:
        """Gives the baton away for a while. Raises Crashed in a process that died meanwhile."""
        actor = self.current()
        if actor is None:
            return
        self.alive(actor)
        wake = self.now + max(0.0, seconds)
        if wake <= self._until and (not self._agenda or self._agenda[0][0] > wake):
            # Nobody else has anything to do before: the same without two switches of threads.
            self.now = wake
            self.steps += 1
            return
        self._push(wake, actor)
        self._park(actor)

    def park(self, seconds: float) -> None:
        """Like ``wait``, but ``wake`` ends it earlier."""
        actor = self.current()
        if actor is None:
            raise PlayError("only an actor can be parked")
        self.alive(actor)
        self._push(self.now + seconds, actor)
        self._park(actor)

    def wake(self, actor: Actor) -> None:
        """Ends another actor's ``park`` now."""
        if not actor.ended:
            actor.ticket += 1
            self._push(self.now, actor)

    def alive(self, actor: Actor | None = None) -> None:
        """Raises Crashed when the caller's process is dead: whatever still runs there does nothing any more."""
        actor = actor or self.current()
        if actor is not None and actor.process.dead:
            raise Crashed(actor.name)

    # ---- what a play does

    def spawn(self, process: Process, name: str, run: Callable[[], None], *, after: float = 0.0) -> Actor:
        """Starts an actor; it runs for the first time ``after`` seconds from now."""
        actor = Actor(name, process, run)
        self._actors.append(actor)
        actor.thread = threading.Thread(target=self._body, args=[actor], name=name, daemon=True)
        actor.thread.start()
        self._push(self.now + after, actor)
        return actor

    def at(self, seconds: float, move: Callable[[], None]) -> None:
        """Something that is not an actor happens ``seconds`` from now: a person's move, a byte that arrives."""
        heapq.heappush(self._agenda, (self.now + seconds, next(self._order), -1, move))

    def kill(self, process: Process) -> None:
        """The process dies where it stands: its actors never do anything again."""
        process.dead = True
        for actor in self._actors:
            if actor.process is process and not actor.ended and actor is not self.current():
                self.wake(actor)

    def run(self, until: float) -> None:
        """Lets everything happen that happens before ``until``. Raises PlayError when an actor broke."""
        self._until = until
        while self._agenda and self._agenda[0][0] <= until:
            at, _, ticket, whose = heapq.heappop(self._agenda)
            if isinstance(whose, Actor):
                if whose.ended or ticket != whose.ticket:
                    continue
                self.now = max(self.now, at)
                self.steps += 1
                self._give(whose)
            else:
                self.now = max(self.now, at)
                whose()
        self.now = max(self.now, until)

    def close(self) -> None:
        """Ends every actor, wherever it stands."""
        for actor in self._actors:
            actor.process.dead = True
        for actor in self._actors:
            if not actor.ended:
                self._give(actor, quiet=True)
            if actor.thread is not None:
                actor.thread.join(10)

    # ---- inside

    def _push(self, at: float, actor: Actor) -> None:
        actor.ticket += 1
        heapq.heappush(self._agenda, (at, next(self._order), actor.ticket, actor))

    def _park(self, actor: Actor) -> None:
        self._main.release()
        actor.baton.acquire()
        self.alive(actor)

    def _give(self, actor: Actor, *, quiet: bool = False) -> None:
        actor.baton.release()
        self._main.acquire()
        if self._broken is not None and not quiet:
            broken, self._broken = self._broken, None
            raise PlayError(f"an actor broke: {type(broken).__name__}: {broken}") from broken

    def _body(self, actor: Actor) -> None:
        actor.baton.acquire()
        self._running.actor = actor
        try:
            self.alive(actor)
            actor.run()
        except Crashed:
            pass
        except BaseException as error:  # noqa: BLE001 - whatever it is, the play must not go on without this actor
            if not actor.process.dead:
                self._broken = error
        finally:
            actor.ended = True
            self._main.release()


class ActorsClock:
    """``domain.clock.Clock`` of whoever asks: each process has a boot-time and a wall clock of its own."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def _of(self) -> Process | None:
        actor = self._kernel.current()
        return actor.process if actor else None

    def wall(self) -> datetime:
        """The process's wall clock."""
        process = self._of()
        return START + timedelta(seconds=self._kernel.now + (process.wall_ahead if process else 0.0))

    def monotonic(self) -> float:
        """The same as ``boot``: no machine of a play sleeps."""
        return self.boot()

    def boot(self) -> float:
        """The process's boot-time clock."""
        process = self._of()
        return 1_000.0 + self._kernel.now + (process.boot_ahead if process else 0.0)

    def pause(self, seconds: float) -> None:
        """A wait like every other."""
        self._kernel.wait(seconds)


class StopEvent(threading.Event):
    """The bridge's stop event: its waits are waits of the play."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__()
        self._kernel = kernel

    def wait(self, timeout: float | None = None) -> bool:
        """Never set while a play runs."""
        self._kernel.wait(3600.0 if timeout is None else timeout)
        return self.is_set()
