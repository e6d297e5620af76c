"""``make faults``: a whole installation as real processes, under fire, and one ledger at the end.

    make faults MINUTES=30 SEED=7 INVOICES=400

Two pollers, two relays and four workers on RabbitMQ and a PostgreSQL of the run's own; both vendors' simulators. While people
approve, withdraw, edit, pay and void (``people``), everything in ``strikes`` happens, by a seed. Then nothing strikes any
more, what is under way comes to rest, and the ledger is read from the vendors' side (``ledger``). The seed decides what
happens in which order; the machine decides what it meets.

Exit code 0 when lost, doubled, stuck and unexpected are all 0, 1 when not, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).parents[2]
for folder in (ROOT, ROOT / "tests"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import psycopg  # noqa: E402 - the tests' folder must be on the path first
from faults.ledger import Ledger  # noqa: E402
from faults.people import People  # noqa: E402
from faults.strikes import Strikes  # noqa: E402
from restoring import Cluster, directory  # noqa: E402
from services import RabbitServer, Services  # noqa: E402
from stage import Stage, stage  # noqa: E402

# Short enough that a run meets every limit many times, long enough that a busy machine keeps the vendors' own.
SETTINGS = {
    "BRIDGE_MIN_POLL_SECONDS": "2",
    "BRIDGE_POLL_LEASE_SECONDS": "12",
    "BRIDGE_SWEEP_SECONDS": "90",
    "BRIDGE_REFERENCE_SECONDS": "60",
    "BRIDGE_SEVERA_OVERLAP_SECONDS": "60",
    "BRIDGE_ERP_OVERLAP_SECONDS": "60",
    "BRIDGE_BRAKE_PERCENT": "100",
    "BRIDGE_CLAIM_LEASE_SECONDS": "20",
    "BRIDGE_OUT_LEASE_SECONDS": "8",
    "BRIDGE_NOT_AFTER_SECONDS": "3",
    "BRIDGE_LEASE_MARGIN_SECONDS": "2",
    "BRIDGE_CREATE_TIMEOUT_SECONDS": "5",
    "BRIDGE_READ_TIMEOUT_SECONDS": "5",
    "BRIDGE_CREATE_LIMIT_SECONDS": "10",
    "BRIDGE_VISIBILITY_LAG_SECONDS": "3",
    "BRIDGE_ABSENCE_SECONDS": "5",
    "BRIDGE_SIGN_IN_SECONDS": "3",
    "BRIDGE_SLOT_LEASE_SECONDS": "8",
    "BRIDGE_SEVERA_CALLS_PER_SECOND": "100",
}
VISIBLE_AFTER_SECONDS = 1.0
"""How long a document is missing from the ERP's lists; below the visibility lag."""

# Nothing is given up while anything moves. Without a move: so long, and so many polls of each connection.
STILL_SECONDS = 300.0
STILL_POLLS = 15


@dataclass(frozen=True)
class Told:
    """The end of a run."""

    ledger: Ledger
    struck: dict[str, int]
    did: dict[str, int]
    ended: dict[str, int]
    seconds: float
    came_to_rest: bool


class Fire:
    """One run. ``say``: one line of progress."""

    def __init__(
        self,
        one: Stage,
        cluster: Cluster,
        rabbit: RabbitServer,
        seed: int,
        say: Callable[[str], None],
        *,
        invoices: int,
    ) -> None:
        random = Random(seed)
        self.stage = one
        self.cluster = cluster
        self.say = say
        self.strikes = Strikes(one, cluster, rabbit, Random(random.random()), say)
        self.people = People(one, Random(random.random()), invoices=invoices)
        self.random = random
        self._shown: list[str] = []

    def meet(self) -> bool:
        """Waits until both registers of every firm were read and joined; False: nothing moves.

        An edit made before two records have met is no edit to the bridge but how it found them.
        """
        return self.until(lambda: self._polled_since({}, 3) and self._unfinished() == 0, self._polls)

    # ---- under fire

    def burn(self, seconds: float, *, every_kind: bool = False) -> None:
        """Load and strikes for so long. ``every_kind``: each kind of strike at least once, however long that takes."""
        began = time.monotonic()
        first = self.strikes.every_kind() if every_kind else []
        # People work evenly over the whole time; strikes come at random.
        pause = seconds / (self.people.most * 2.2)
        moves_at = strikes_at = began
        while (now := time.monotonic()) < began + seconds or first:
            if now >= moves_at:
                self.people.move()
                moves_at += pause
            if now >= strikes_at:
                (first.pop() if first else self.strikes.strike)()
                strikes_at = time.monotonic() + self.random.uniform(0.5, 4)
            self.people.go_on()
            self.strikes.go_on()
            self._tell(began, seconds)
            time.sleep(0.05)  # a beat of this loop; nothing waits for it
        while len(self.people.papers) < self.people.most:
            self.people.approve()

    _told = 0.0

    def _tell(self, began: float, seconds: float) -> None:
        if time.monotonic() > self._told + 30:
            self._told = time.monotonic()
            passed = time.monotonic() - began
            self.say(
                f"-- {passed:.0f} of {seconds:.0f} s, {len(self.people.papers)} invoices, {self.stage.booked()} released"
            )

    # ---- at rest

    def rest(self) -> bool:
        """Nothing strikes any more; waits until everything is as it should be, and stays so. False: nothing moves."""
        self.strikes.end()
        self.people.finish()
        self.say("-- nothing strikes any more")
        return self.until(self._all_well, lambda: self._shown) and self._stays_so()

    def _all_well(self) -> bool:
        self.people.try_again()
        problems = self._problems()
        self._retry_poison(problems)
        ledger, work = self.people.ledger(problems), self._unfinished()
        self._shown = sorted(map(str, ledger.lines))
        self.say(f"-- {ledger}; {work} rows of work")
        for line in ledger.wrong if len(ledger.wrong) < 6 else ():
            self.say(f"   {line}")
        return ledger.clean and work == 0

    def _retry_poison(self, problems: Mapping[str, list[dict[str, Any]]]) -> None:
        """What took three workers with it waits for a person (R-LOG-3); under fire three blows may meet one invoice."""
        for n, firm in enumerate(self.stage.firms, 1):
            if any(problem["code"] == "work.poison" for problem in problems[firm.name]):
                done = self.stage.run("retry", f"firm{n}", "work.poison")
                assert done.returncode == 0, done.stdout + done.stderr
                self.people.did["tried again after three blows"] += 1

    def until(self, condition: Callable[[], bool], moved: Callable[[], Any]) -> bool:
        """Asks until the condition holds. False when what ``moved`` gives has stood still for long, by time and by polls."""
        seen: Any = None
        since, polls = time.monotonic(), self._polls()
        while not condition():
            now = (moved(), self._unfinished())
            if now != seen:
                seen, since, polls = now, time.monotonic(), self._polls()
            elif time.monotonic() > since + STILL_SECONDS and self._polled_since(polls):
                return False
            self.strikes.go_on()
            time.sleep(2.0)  # a beat of this loop; nothing waits for it
        return True

    def _stays_so(self) -> bool:
        """What was still on its way anywhere has arrived, and two more polls have seen it."""
        polls, until = self._polls(), time.monotonic() + self.strikes.settings.settle_seconds
        self.say("-- at rest; looking once more when everything late must have come")
        while time.monotonic() < until or not self._polled_since(polls, 3):
            self.strikes.go_on()
            time.sleep(0.5)  # a beat of this loop; nothing waits for it
        return True

    def _polls(self) -> dict[str, int]:
        with psycopg.connect(self.cluster.urls.owner_url) as db:
            rows = db.execute("select tenant_id::text || system, polls from connection").fetchall()
        return {name: int(polls) for name, polls in rows}

    def _polled_since(self, before: dict[str, int], times: int = STILL_POLLS) -> bool:
        now = self._polls()
        return bool(now) and all(polls >= before.get(name, 0) + times for name, polls in now.items())

    def _unfinished(self) -> int:
        with psycopg.connect(self.cluster.urls.owner_url) as db:
            row = db.execute(
                "select count(*) from outbox where state not in ('failed', 'in_doubt')"
            ).fetchone()
        return int(row[0]) if row else 0

    def ledger(self) -> Ledger:
        """As both vendors show it now, with the bridge's own list of problems."""
        return self.people.ledger(self._problems())

    def _problems(self) -> dict[str, list[dict[str, Any]]]:
        """The open ones, by firm's name."""
        found: dict[str, list[dict[str, Any]]] = {}
        for n, firm in enumerate(self.stage.firms, 1):
            done = self.stage.run("problems", f"firm{n}", "--json")
            assert done.returncode == 0, done.stdout + done.stderr
            found[firm.name] = json.loads(done.stdout)
        return found


@contextlib.contextmanager
def prepared(
    rabbit: RabbitServer,
    seed: int,
    say: Callable[[str], None],
    *,
    firms: int,
    invoices: int,
    steps: bool = True,
) -> Iterator[Fire]:
    """Everything started; ended when left, whatever has happened. ``steps``: PostgreSQL's clock may be stepped."""
    with directory() as place, ExitStack() as stack:
        cluster = Cluster(place)
        cluster.make()
        stack.callback(cluster.server.stop)
        amqp = rabbit.create_vhost()
        stack.callback(rabbit.drop_vhost, amqp)
        env = {
            **SETTINGS,
            "BRIDGE_STATE_FILE": str(place / "state" / "beat.json"),
            "PYTHONPATH": str(ROOT / "tests"),
        }
        one = stack.enter_context(stage(cluster.urls, amqp, simulators="faults.skewed", **env))
        one.severa_sim("PATCH", "/settings", {"calls_per_second": None})
        one.erp_sim(
            "PATCH", "/settings", {"visible_after_seconds": VISIBLE_AFTER_SECONDS, "concurrent_calls": 0}
        )
        for n in range(1, firms + 1):
            one.add_firm(n)
        fire = Fire(one, cluster, rabbit, seed, say, invoices=invoices)
        if steps:
            fire.strikes.prepare_clock()
        stack.callback(_wake, fire)
        fire.strikes.start()
        yield fire


def _wake(fire: Fire) -> None:
    """A stopped process cannot be ended in order, and a broker that is away cannot be cleaned."""
    for name in fire.strikes.paused:
        with contextlib.suppress(ProcessLookupError):
            fire.stage.processes[name].send_signal(signal.SIGCONT)
    with contextlib.suppress(RuntimeError):
        if fire.strikes.rabbit.control is not None:
            fire.strikes.rabbit.rabbitmqctl("start_app")


def run(
    rabbit: RabbitServer, seed: int, seconds: float, say: Callable[[str], None], *,
    firms: int, invoices: int, every_kind: bool = False, keep_logs: Path | None = None,
) -> Told:  # fmt: skip
    """The whole of it."""
    with prepared(rabbit, seed, say, firms=firms, invoices=invoices) as fire:
        try:
            assert fire.meet(), "the registers do not meet"
            began = time.monotonic()
            fire.burn(seconds, every_kind=every_kind)
            came = fire.rest()
            return Told(
                fire.ledger(), dict(fire.strikes.struck), dict(fire.people.did), dict(fire.strikes.ended),
                time.monotonic() - began, came,
            )  # fmt: skip
        finally:
            if keep_logs is not None:
                shutil.copytree(fire.stage.directory, keep_logs, dirs_exist_ok=True)


def endable() -> None:
    """Ctrl-C and SIGTERM alike end a run in order, also one that a shell has put into the background."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def table(told: Told) -> str:
    """The result as a Markdown table, and what happened below it."""
    counts = told.ledger.count()
    lines = [" | ".join(counts), " | ".join("---:" for _ in counts), " | ".join(map(str, counts.values()))]
    text = "\n".join(f"| {line} |" for line in lines)
    for title, happened in (
        ("Struck", told.struck),
        ("People", told.did),
        ("Ended by themselves", told.ended),
    ):
        text += f"\n\n{title}: " + ", ".join(f"{name} {count}" for name, count in sorted(happened.items()))
    return text + f"\n\nIn all {told.seconds:.0f} s"


def main() -> int:
    """The command line; see ``--help``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30, help="how long it is under fire (30)")
    parser.add_argument(
        "--seed", type=int, help="what happens in which order; by default another one each time"
    )
    parser.add_argument("--invoices", type=int, help="how many are made; by default ten a minute")
    parser.add_argument("--firms", type=int, default=3, help="tenants (3)")
    parser.add_argument(
        "--keep-logs", type=Path, metavar="DIRECTORY", help="the processes' logs are copied here"
    )
    parser.add_argument("--quiet", action="store_true", help="only the result")
    chosen = parser.parse_args()
    seed = chosen.seed if chosen.seed is not None else Random().randrange(1_000_000)
    began = time.monotonic()
    endable()

    def say(line: str) -> None:
        if not chosen.quiet:
            print(f"{time.monotonic() - began:7.1f}  {line}", flush=True)  # noqa: T201 - a program's progress

    services = Services()
    try:
        say(f"seed {seed}")
        told = run(
            services.rabbitmq(), seed, chosen.minutes * 60, say, firms=chosen.firms,
            invoices=chosen.invoices or max(10, round(10 * chosen.minutes)), keep_logs=chosen.keep_logs,
        )  # fmt: skip
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)  # noqa: T201
        return 130
    finally:
        services.stop()
    print(f"\nseed {seed}\n\n{table(told)}")  # noqa: T201 - the result
    for line in [*told.ledger.wrong, *(one for one in told.ledger.lines if one.verdict == "explained")]:
        print(line)  # noqa: T201
    return 0 if told.ledger.clean and told.came_to_rest else 1


if __name__ == "__main__":
    sys.exit(main())
