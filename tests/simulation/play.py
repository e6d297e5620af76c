"""One play: a firm or two, the processes of a bridge, people and both vendors, from the first move to a fair end.

``Theatre`` is made once per operating system process (a migrated database, tenants gone live, everything kept aside);
``Play`` is one run on it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from services import Database as TestDatabase

from domain.errors import TryLater
from simulation import bridge as contact
from simulation.broker import Queue
from simulation.kernel import Actor, Crashed, Kernel, PlayError, Process, StopEvent
from simulation.points import Calm, Crash, Director
from simulation.store import DatabaseClock, Store
from simulation.vendors import Firms, Vendors, small
from simulation.wire import Wire

BASE_SEED = 0
QUIET = 1_200.0
"""So long (seconds) nothing is written any more before a play counts as at rest."""
LONGEST_END = 6 * 3_600.0
# How soon the relay and the poller look again: at once while somebody works, seldom when all stand still.
LOOKS = (1.0, 120.0)


class Theatre:
    """Everything that plays share: the database, the pools, the simulators, and the state that each begins with."""

    def __init__(self, database: TestDatabase, *, firms: int = 2, **settings: Any) -> None:
        self.store = Store(database)
        self.office = contact.Office(database)
        self.vendors = Vendors()
        for n in range(1, firms + 1):
            self.vendors.add(small(n))
        with Play(self, BASE_SEED, base=True, few=False, taking_part=firms).running() as play:
            for n, firm in enumerate(self.vendors.firms, 1):
                play.aside(
                    lambda bridge, n=n, firm=firm: contact.add_tenant(bridge, f"firm{n}", firm, **settings)
                )
                play.kernel.run(play.kernel.now + 600)
            play.rest()
            open_problems = [problem for firm in play.firms for problem in play.problems(firm)]
            if open_problems:
                raise PlayError(f"the plays would begin with problems: {open_problems}")
        self.start = play.kernel.now
        self.store.keep()
        self.vendors.keep()

    def close(self) -> None:
        """Gives the connections back."""
        self.office.close()
        self.store.close()


@dataclass
class Play:
    """One run. ``director`` decides what goes wrong; ``Calm`` nothing."""

    theatre: Theatre
    seed: int
    director: Director = field(default_factory=Calm)
    workers: int = 2
    few: bool = True
    taking_part: int = 1
    base: bool = False

    kernel: Kernel = field(init=False)
    wire: Wire = field(init=False)
    queue: Queue = field(init=False)
    firms: list[Firms] = field(init=False)
    database: DatabaseClock = field(init=False)
    processes: dict[str, Process] = field(default_factory=dict)
    outcomes: list[tuple[str, str]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kernel = Kernel(self.seed)
        if not self.base:
            self.kernel.now = self.theatre.start
        vendors = self.theatre.vendors
        self.wire = Wire(self.kernel, vendors.apps, self._crash, vendors.remember)
        self.wire.director = self.director
        self.queue = Queue(self.kernel, self.wire)
        self.firms = [Firms(vendors, firm, f"firm{n}") for n, firm in enumerate(vendors.firms, 1)]
        self._commits_seen: dict[str, int] = {}

    @contextlib.contextmanager
    def running(self) -> Iterator[Play]:
        """The stage is set; all processes are started; everything is taken down afterwards."""
        theatre = self.theatre
        theatre.vendors.begin_play(self.kernel)
        if not self.base:
            theatre.store.begin_play(self.seed)
        try:
            with (
                theatre.office.installed(self.kernel, self.wire, self.seed),
                theatre.store.played(self.kernel, self.wire, self.seed, contact.statement) as self.database,
            ):
                self.start("poller")
                self.start("relay")
                for n in range(1, self.workers + 1):
                    self.start(f"worker{n}")
                try:
                    yield self
                finally:
                    self.kernel.close()
        finally:
            theatre.vendors.end_play()

    # ---- processes

    def start(self, name: str, *, after: float = 0.0) -> None:
        """Starts a process of the bridge (again): nothing of its predecessor's memory is left."""
        before = self.processes.get(name)
        process = Process(name)
        if before is not None:
            # The machine's clocks stay what they are.
            process.boot_ahead, process.wall_ahead = before.boot_ahead, before.wall_ahead
        self.processes[name] = process
        run = {"poller": self._poller, "relay": self._relay}.get(name.rstrip("0123456789"), self._worker)
        self.kernel.spawn(process, name, run, after=after)

    def kill(self, name: str, *, restart: float | None = 20.0) -> None:
        """SIGKILL from outside."""
        self.kernel.say(f"{name} is killed", "play")
        self.kernel.kill(self.processes[name])
        if restart is not None:
            self.kernel.at(restart, lambda: self.start(name))

    def _crash(self, actor: Actor, crash: Crash) -> None:
        name = actor.process.name
        self.kernel.kill(actor.process)
        if name in self.processes and self.processes[name] is actor.process:
            self.kernel.at(crash.restart, lambda: self.start(name))

    def actor(self, name: str) -> Actor | None:
        """The living actor of a process."""
        process = self.processes[name]
        return next((one for one in self.kernel._actors if one.process is process and not one.ended), None)

    def _stop(self) -> StopEvent:
        return StopEvent(self.kernel)

    def _poller(self) -> None:
        with self.theatre.office.bridge(self._stop()) as bridge:
            pause = LOOKS[0]
            while True:
                found = self._guarded("poll", lambda: contact.poll_due(bridge, few=self.few))
                pause = LOOKS[0] if found else min(LOOKS[1], pause * 3)
                if found:
                    self.call("relay")
                if self._called("poller", pause):
                    pause = LOOKS[0]

    def _relay(self) -> None:
        with self.theatre.office.bridge(self._stop()) as bridge:
            turn = contact.relay(bridge, self.queue.publish, self.theatre.office.state_file)
            pause = LOOKS[0]
            while True:
                pause = LOOKS[0] if self._guarded("relay", turn) else min(LOOKS[1], pause * 3)
                if self._called("relay", pause):
                    pause = LOOKS[0]

    def _guarded(self, what: str, run: Callable[[], Any]) -> Any:
        """A loop of the bridge goes on after an error that it does not know; the judge counts it."""
        try:
            return run()
        except TryLater as error:
            self.kernel.say(f"{what} waits: {error.message}")
            self.kernel.wait(5.0)
        except Exception as error:  # noqa: BLE001 - whatever it is, the judge must hear of it
            self.kernel.say(f"{what} BREAKS: {type(error).__name__}: {error}")
            self.broken.append(f"{what}: {type(error).__name__}: {error}")
            self.kernel.wait(5.0)
        return None

    def _called(self, name: str, seconds: float) -> bool:
        """Waits; whether somebody's ``call`` ended it earlier."""
        actor, began = self.kernel.current(), self.kernel.now
        self._resting[name] = actor
        self.kernel.park(seconds)
        return self.kernel.now < began + seconds

    @property
    def cast(self) -> list[Firms]:
        """The firms in which something happens."""
        return self.firms[: self.taking_part]

    _resting: dict[str, Any] = field(default_factory=dict)

    def call(self, name: str) -> None:
        """Lets the poller or relay look now, if it only waits for its next look."""
        actor = self._resting.pop(name, None)
        if actor is not None and not actor.ended and actor.process is self.processes[name]:
            self.kernel.wake(actor)

    def _worker(self) -> None:
        name = self.kernel.current().name  # type: ignore[union-attr]
        with self.theatre.office.bridge(self._stop()) as bridge:
            settle = contact.worker(bridge, name)
            while True:
                delivery = self.queue.take()
                try:
                    self.kernel.say(f"takes {delivery.note}")
                    outcome = self._guarded("delivery", lambda d=delivery: settle(d.note)) or "raised"
                except Crashed:
                    self.queue.back(delivery, "its consumer is gone")
                    raise
                self.queue.ack(delivery)
                self.outcomes.append((delivery.note.domain, outcome))
                self.kernel.say(f"{delivery.note}: {outcome}")
                self.call("relay")

    def aside(self, what: Callable[[Any], None], *, name: str = "operator") -> None:
        """A command of its own process, as an operator runs it."""

        def run() -> None:
            with self.theatre.office.bridge(self._stop()) as bridge:
                what(bridge)

        self.kernel.spawn(Process(name), name, run)

    # ---- time

    def at(self, seconds: float, move: Callable[[], None], what: str = "") -> None:
        """Somebody does something ``seconds`` from now."""

        def moved() -> None:
            if what:
                self.kernel.say(what, "people")
            move()

        self.kernel.at(seconds, moved)

    def run(self, seconds: float) -> None:
        """Lets so much time pass."""
        self.kernel.run(self.kernel.now + seconds)

    def poll_soon(self, seconds: float = 0.0, firm: Firms | None = None) -> None:
        """Both systems of a firm are read, or those of every firm that takes part."""

        def ask() -> None:
            with self.theatre.office.bridge(self._stop()) as bridge:
                for one in [firm] if firm else self.cast:
                    contact.ask_poll(bridge, one.name)
            self.call("poller")

        self.kernel.at(seconds, ask)

    def fair(self) -> None:
        """From now on nothing goes wrong any more; whoever is dead is started, whoever stands still goes on."""
        self.kernel.say("from here on nothing goes wrong any more", "play")
        self.wire.director = Calm()
        for name, process in list(self.processes.items()):
            if process.dead:
                self.start(name, after=1.0)
        for actor in self.wire.pausing:
            if not actor.process.dead:
                self.kernel.wake(actor)

    def rest(self) -> bool:
        """Polls and waits until nothing is written any more; False when that never happens (an endless wait, an echo)."""
        ends = self.kernel.now + LONGEST_END
        while self.kernel.now < ends:
            before = self._movement()
            self.poll_soon()
            self.run(QUIET)
            if self._movement() == before:
                return True
        return False

    def _movement(self) -> int:
        return len(self.wire.writes)

    # ---- looking

    def problems(self, firm: Firms) -> list[dict[str, Any]]:
        """The problem list that the tenant's people see."""
        with self.theatre.office.bridge(self._stop()) as bridge:
            return contact.problems(bridge, firm.name)

    def words(self, last: int | None = None) -> str:
        """The schedule in words."""
        lines = self.kernel.trace if last is None else self.kernel.trace[-last:]
        return "\n".join(str(line) for line in lines)
