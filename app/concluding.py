"""The end of a register's reading: what it brought is let through or held, and the mark moves or stays.

A reading that never came to its end is judged like one that did, but neither mark nor absence comes of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog

from app import announcing, braking
from app.turn import Task, Turn, about
from db import log, pending, readings, streams
from db.tenant import TenantDb
from domain import polling
from domain.errors import ShortList
from domain.polling import Count, Fate, Reading
from domain.registers import Register

logger = structlog.get_logger("poller")


class Conclusion:
    """Ends the readings of one poll."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    def end_without_page(self, task: Task) -> None:
        """The list ended behind a page that is stored already, or there is none."""
        more = False
        with self._turn.held() as db:
            if task.reading is not None:
                more = self.finish(db, task, task.reading)
            else:
                self.move_mark(db, task, None, self._turn.due.began, whole=task.since is None)
        if more:
            self.let_through(task.register, task.reading)

    def finish(self, db: TenantDb, task: Task, reading: Reading) -> bool:
        """The last page is in: what it brought is let through or held, and the mark moves. Whether announcing goes on."""
        reading = readings.end(db, reading, "complete", completed=True)
        more, held = self._judge(db, task.register, reading)
        asked = held is not None and held.missing > 0 and held.pauses
        whole = polling.swept(reading, asked_about_absence=asked)
        self.move_mark(
            db, task, reading.newest, reading.mark_at, whole=whole, left_out=reading.left_out, since=reading
        )
        task.reading = reading
        return more

    def move_mark(
        self,
        db: TenantDb,
        task: Task,
        newest: datetime | None,
        mark_at: datetime,
        *,
        whole: bool,
        left_out: int = 0,
        since: Reading | None = None,
    ) -> None:
        """The register has been read to its end. ``newest``: latest stamp of its rows; ``mark_at``: no mark may be later;
        ``whole``: the reading stands for the whole register; ``since``: it, where it is remembered."""
        before = task.stream.watermark if task.stream else None
        streams.complete(
            db,
            self._turn.due.system,
            task.register.name,
            watermark=polling.mark(before, newest, mark_at, left_out=left_out),
            whole=whole,
            changes=since.changed if since else 0,
        )
        if task.stream is not None and task.stream.unsure_since is not None and not left_out:
            # This reading asked from before them: what it did not show again is as it was.
            began = since.began_at if since else self._turn.due.began
            pending.sure(db, task.register, before=began)
        self._turn.complete.append(task.register.name)

    def _judge(self, db: TenantDb, register: Register, reading: Reading) -> tuple[bool, braking.Held | None]:
        """Lets an ended reading through, or holds it (R-CON-3): (whether announcing goes on, what is held)."""
        count, waiting = braking.count(db, register, reading)
        held = [
            one
            for one in readings.of_connection(db, register.system)
            if one.register == register.name and one.state == "held"
        ]
        if held and braking.release(db, register, reading):
            held = []
        stops = bool(held) or self._turn.manner.brake.stops(register, count)
        asked = self._asked(db, register, reading, count) if stops else []
        fate = polling.fate(held=bool(held), asked=asked, waiting=waiting, missing=count.missing)
        if fate is Fate.HELD:
            found = braking.hold(db, register, reading, asked)
            logger.error("poll_braked", **found.values())
            return False, found
        if fate is Fate.EMPTY:
            self._told(db, register, reading, 0, more=False)
            return False, None
        # Announced in a transaction of its own: matters are asked for before records are written, never behind them.
        self._told(db, register, reading, 0, more=True)
        return True, None

    def _asked(self, db: TenantDb, register: Register, reading: Reading, count: Count) -> list[str]:
        """The domains that a person is asked about, by the first rows that would be announced, and the first missing ones."""
        waits = pending.next_unannounced(db, register, None, announcing.SLICE)
        missing = (
            pending.next_missing(db, register.system, reading, announcing.SLICE) if count.missing else []
        )
        return polling.asked_domains(
            register,
            [one.body for one in waits],
            [body for _, body in missing],
            many=count.missing >= self._turn.manner.brake.records,
        )

    def _slice(self, db: TenantDb, register: Register, reading: Reading) -> bool:
        """Announces the next rows of a reading that is let through, or, behind them, the next missing ones; whether more are
        left. Never both in one transaction: the second would ask for matters while it holds the first one's records."""
        open_one = readings.open_one(db, register.system, register.name)
        before = open_one.began_at if open_one is not None and open_one.id != reading.id else None
        waiting = pending.next_unannounced(db, register, before, announcing.SLICE)
        if waiting:
            settled = announcing.announce(db, register, [(one.id, one.body) for one in waiting])
            versions = {one.id: one.version for one in waiting}
            pending.announced(db, register, versions, settled)
        missing = (
            pending.next_missing(db, register.system, reading, announcing.SLICE)
            if reading.shows_absence and not waiting
            else []
        )
        if missing:
            # Looked at singly by whoever settles them (R-CUS-8); rows leave a passing register in everyday use.
            if not register.passing:
                announcing.announce(db, register, missing, cause="gone")
            pending.gone(db, register.system, reading, [row_id for row_id, _ in missing])
        self._turn.changes += len(missing)
        more = len(waiting) + len(missing) >= announcing.SLICE or bool(waiting and reading.shows_absence)
        self._told(db, register, reading, sum(one.known for one in waiting), more=more)
        return more

    def _told(self, db: TenantDb, register: Register, reading: Reading, n: int, *, more: bool) -> None:
        """So many rows that had been known before were announced with a reading; a complete one stands for all before it."""
        done = "complete" if reading.completed_at is not None else "dead"
        readings.announced(db, reading, n, state="let_through" if more else done)
        if not more:
            self._turn.restless.discard(register.name)
            if reading.completed_at is not None:
                readings.clear(db, register.system, reading)

    def let_through(self, register: Register, reading: Reading | None) -> None:
        """The rest of a large announcement, a thousand rows in a transaction."""
        more = reading is not None
        while more and reading is not None:
            with self._turn.held() as db:
                more = self._slice(db, register, reading)

    def give_up(self, register: Register, reading: Reading) -> None:
        """A reading that never came to its end: what it brought is judged like what a whole one brings, and neither mark nor
        absence comes of it."""
        with self._turn.held() as db:
            reading = readings.end(db, reading, "dead", completed=False)
            more, _ = self._judge(db, register, reading)
        if more:
            self.let_through(register, reading)

    def short(self, task: Task, error: ShortList) -> None:
        """The list ended before it was complete: what came counts, what did not come is not absent, a person is told."""
        logger.warning("short_list", register=error.register, expected=error.expected, got=error.got)
        if task.reading is not None:
            self.give_up(task.register, task.reading)
        values: dict[str, Any] = {
            "system": task.register.system,
            "register": task.register.name,
            "got": error.got,
        }
        if error.expected is not None:
            values["expected"] = error.expected
        with self._turn.held() as db:
            log.open_problem(
                db,
                about(task.register.system, task.register.name),
                "poll.short_list",
                values,
            )
