"""What the relay does each turn so that it never works on the wrong database, nor by a wrong clock (docs/never-twice.md rules 10, 22).

Each second a beat: PostgreSQL takes it only while it is surely the database that was last written to. When it does not, the
facts are judged (``app/standing.py``): the same history goes on, a rewound one begins a new epoch, everything else waits
for a person.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

import structlog

from app import standing
from app.memory import Memory, memory
from app.settings import Settings
from app.standing import STOPS, Verdict
from db import installation
from db.installation import Facts
from db.pool import Database
from db.tenant import DispatchDb
from domain import clock

logger = structlog.get_logger("keeper")

BEAT_SECONDS = 1.0
# Before a database counts as rewound: does the one that it was copied from still beat somewhere?
LISTEN_BEATS = 4
STEP_SECONDS = 5.0
# What clocks that are being slewed may differ: NTP slews 0.05 %.
_DRIFT = 0.001


class Steps:
    """Tells a step of PostgreSQL's clock by this process's boot-time clock, which has none."""

    def __init__(self) -> None:
        self._offset: float | None = None
        self._looked = 0.0

    def seen(self, before: float, now: datetime, after: float) -> float:
        """Seconds that PostgreSQL's clock has stepped since the last look, 0.0 for none.

        ``before``, ``after``: the boot-time clock around the question. How long the answer took is no step; a clock that is
        slewed is followed, so that a slow difference never adds up to one.
        """
        least, most = now.timestamp() - after, now.timestamp() - before
        if self._offset is None:
            self._offset, self._looked = (least + most) / 2, after
            return 0.0
        away = min(max(self._offset, least), most) - self._offset
        if abs(away) > STEP_SECONDS:
            self._offset, self._looked = (least + most) / 2, after
            return away
        most_drift = _DRIFT * max(0.0, after - self._looked)
        self._offset += max(-most_drift, min(most_drift, away))
        self._looked = after
        return 0.0


class Keeper:
    """``turn`` before the relay takes anything; ``steady`` before it frees anything."""

    def __init__(
        self, db: Database, settings: Settings, stop: threading.Event, kept: Memory | None = None
    ) -> None:
        self._db = db
        self._settings = settings
        self._stop = stop
        self._memory = kept or memory(settings)
        self._steps = Steps()
        self._beat_at = 0.0
        self._on = False
        self._said: Verdict | None = None
        # the boot-time clock's second at which the present pause ends, None = no pause known
        self._pause_ends: float | None = None

    # ---- the database

    def turn(self) -> bool:
        """Beats when a second has passed; False: nothing may be taken, the database is not surely the right one."""
        now = clock.monotonic()
        if now >= self._beat_at:
            self._on = self._beat() or self._looked()
            self._beat_at = now + BEAT_SECONDS
        return self._on

    def close(self) -> None:
        """Closes what remembers."""
        self._memory.close()

    def _beat(self) -> bool:
        with self._db.dispatch() as db:
            beat = installation.beat(db, uuid4())
        if beat is None:
            return False
        self._memory.remember(beat)
        self._said = None
        return True

    def _looked(self) -> bool:
        """The beat was not taken: what is this database? True: the relay may go on at once."""
        facts, verdict = self.examine()
        if verdict is Verdict.COPIED and not self._memory.sure:
            # RabbitMQ may remember: it is asked again before a person is. Without it nothing is published anyhow.
            return False
        if verdict is Verdict.REWOUND and self._lives_elsewhere(facts):
            verdict = Verdict.COPIED
        self._act(facts, verdict)
        # The same: another relay has looked meanwhile, and carried the history on.
        if verdict in {Verdict.SAME, Verdict.STARTED, Verdict.FIRST, Verdict.REWOUND} and self._beat():
            return True
        if verdict is Verdict.SAME:
            return False
        self._say(verdict, facts)
        return False

    def examine(self) -> tuple[Facts | None, Verdict]:
        """Facts and judgement, without acting."""
        return examined(self._look, self._memory)

    def _look(self) -> Facts | None:
        with self._db.dispatch() as db:
            return installation.look(db)

    def _lives_elsewhere(self, facts: Facts | None) -> bool:
        """Whether the remembered beat moves while this database does not beat."""
        if facts is None or facts.same_start:
            return False
        before = self._memory.recall(facts.history)
        self._stop.wait(BEAT_SECONDS * LISTEN_BEATS)
        return self._memory.recall(facts.history) != before

    def _act(self, facts: Facts | None, verdict: Verdict) -> None:
        if facts is None:
            return
        with self._db.dispatch() as db:
            if verdict in {Verdict.STARTED, Verdict.FIRST}:
                installation.carry_on(db, facts.history)
            elif verdict is Verdict.REWOUND:
                installation.begin_epoch(db, facts.history, self._settings.settle_seconds)
            elif reason := STOPS.get(verdict):
                installation.stop(db, facts.history, reason)
        if verdict is Verdict.REWOUND:
            logger.error("database_rewound", reason=standing.found(verdict, facts))

    def _say(self, verdict: Verdict, facts: Facts | None) -> None:
        # stopping makes "off" of what was found: the same news
        if self._said is None or verdict not in {self._said, Verdict.OFF}:
            logger.error("writes_are_off", reason=standing.sentence(verdict, facts))
        self._said = verdict

    # ---- its clock

    def steady(self, db: DispatchDb) -> bool:
        """False: leases and waits mean nothing at present. Needs the dispatch transaction that acts on the answer."""
        before = clock.boot()
        now, steady = installation.read_clock(db)
        after = clock.boot()
        step = self._steps.seen(before, now, after)
        if step:
            logger.error("clock_stepped", seconds=round(step, 1), reason=standing.STEPPED)
        if step or (not steady and self._pause_ends is None):
            self._pause_ends = after + self._settings.longest_lease_seconds + self._settings.settle_seconds
            installation.set_steady(db, steady=False)
            return False
        if steady or self._pause_ends is None:
            self._pause_ends = None
            return steady
        if after < self._pause_ends:
            return False
        self._pause_ends = None
        installation.set_steady(db, steady=True)
        installation.within_reach(
            db,
            wait=self._settings.backoff_most_seconds,
            poll=self._settings.min_poll_seconds,
            lease=self._settings.longest_lease_seconds,
        )
        logger.warning("clock_steady")
        return True


def examined(look: Callable[[], Facts | None], kept: Memory) -> tuple[Facts | None, Verdict]:
    """Facts and judgement; the memories are asked only where they decide.

    What is remembered counts as it was before the facts: another relay that carries the history on meanwhile beats on, and
    its beat must not look like a future that this database has lost.
    """
    facts = look()
    if facts is None or facts.writes != "on" or facts.same_start:
        return facts, standing.judge(facts, None)
    history = facts.history
    remembered, another_here = kept.recall(history), kept.another_here(history)
    facts = look()
    if facts is not None and facts.history != history:
        return examined(look, kept)
    return facts, standing.judge(facts, remembered, another_here=another_here)
