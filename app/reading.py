"""One page of a register: compared with what is stored, announced and written in one transaction.

Registers that people keep hold their changes back until the reading has come to its end and was let through; all others
are announced with their page. Rows whose order nobody can tell are read again singly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import structlog

from app import announcing
from app.concluding import Conclusion
from app.turn import Fetched, Task, Turn, about
from db import log, outbox, readings, records
from db.tenant import TenantDb
from domain import polling
from domain.errors import NotFound
from domain.invoice.registers import DOCUMENTS
from domain.model import Json, Page
from domain.polling import Asked, Reading
from domain.registers import Register

logger = structlog.get_logger("poller")

# So often a row is read singly before it is left for the next poll: each time somebody else wrote it meanwhile.
SINGLY = 2


@dataclass(slots=True)
class _Rows:
    """A page's rows, once each; those that could not be read became problems."""

    rows: list[records.Row] = field(default_factory=list)
    unreadable: int = 0


class Pages:
    """Stores the pages of one poll; the last one of a register ends its reading too."""

    def __init__(self, turn: Turn, conclusion: Conclusion) -> None:
        self._turn = turn
        self._conclusion = conclusion

    def store(self, task: Task, fetched: Fetched, *, ended: bool) -> None:
        """One page, and the end of the register when it is the last one."""
        found = self._rows(task, fetched.page)
        task.rows += len(found.rows)
        newest = polling.newest((row.remote_time for row in found.rows), fetched.page.server_time)
        mark_at = polling.first_mark(fetched.page.server_time, fetched.asked.asked_at, self._turn.manner.pace)
        more = False
        with self._turn.held() as db:
            asked = self._turn.answered_by_now(fetched.asked)
            compared = self._compared(db, task.register, found.rows, asked)
            nothing = not (compared.changed or compared.overlaps or found.unreadable)
            if ended and nothing and task.reading is None and self._may_be_forgotten(task):
                # An idle register: nothing is remembered of its reading but that it was made.
                self._write(db, task.register, compared, asked, None)
                self._conclusion.move_mark(db, task, newest, mark_at, whole=False)
                return
            if task.reading is None:
                task.reading = readings.begin(
                    db,
                    self._turn.due.system,
                    task.register.name,
                    since=task.since,
                    began_at=fetched.asked.asked_at,
                    mark_at=mark_at,
                )
            raced = self._write(db, task.register, compared, asked, task.reading.id)
            again = [*compared.overlaps, *raced]
            task.reading = readings.page(
                db,
                task.reading,
                position=fetched.page.position,
                rows=len(found.rows),
                changed=sum(row.in_scope and row.seen_version is not None for row in compared.changed),
                unreadable=found.unreadable,
                # Until they have been read singly nobody has seen them.
                left_out=len(again),
                newest=newest,
            )
            if ended and not again:
                more = self._conclusion.finish(db, task, task.reading)
        if again:
            self._again(task, again)
            if ended:
                with self._turn.held() as db:
                    more = self._conclusion.finish(db, task, task.reading)
        if more:
            self._conclusion.let_through(task.register, task.reading)

    def _may_be_forgotten(self, task: Task) -> bool:
        return task.since is not None and task.register.name not in self._turn.restless

    def _rows(self, task: Task, page: Page) -> _Rows:
        """One that cannot be read becomes a problem and is left out: it must not stop its page."""
        found: dict[str, records.Row] = {}
        made = _Rows()
        for body in page.rows:
            try:
                row = records.row_of(task.register, body, task.start, self._turn.manner.zone)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one row must not stop its page
                self._unreadable(task.register, body, error)
                made.unreadable += 1
                continue
            if row.id:
                found[row.id] = row
        made.rows = list(found.values())
        return made

    def _compared(
        self, db: TenantDb, register: Register, rows: Sequence[records.Row], asked: Asked
    ) -> records.Compared:
        return records.compare(db, register, rows, asked, self._turn.anchor.db_time)

    def _write(
        self,
        db: TenantDb,
        register: Register,
        compared: records.Compared,
        asked: Asked,
        reading_id: int | None,
    ) -> list[records.Row]:
        """Announces what need not be held back, then writes; the rows that somebody else wrote in between.

        In this order, because whoever ends a delivery locks its matter first, its work then, and its records last.
        """
        announced = [row for row in compared.changed if row.in_scope]
        held = {row.id for row in announced if polling.held_back(register, row.json)}
        at_once = [(row.id, row.json) for row in announced if row.id not in held]
        due = announcing.documents(db, compared, asked.asked_at) if register.name == DOCUMENTS else set()
        settled: Collection[str] = ()
        if at_once or due:
            settled = announcing.announce(db, register, at_once, also=due)
        if due:
            announcing.marked(db, due)
        if held:
            self._turn.restless.add(register.name)
        if compared.changed and register.reference:
            # What failed for a set-up that is wrong there (invoice statuses) goes on once it is repaired.
            outbox.wake_register(db, register.name)
        # What is out of scope or only looked up changes nothing that has to be settled.
        self._turn.changes += len(announced)
        return records.write(
            db,
            register,
            compared,
            asked,
            reading_id=reading_id,
            held=held,
            settled=settled,
        )

    def _again(self, task: Task, rows: Sequence[records.Row]) -> None:
        """Reads rows singly that were written while they were asked for; what cannot be read so stays left out, and the
        next poll asks for it again."""
        for row in rows:
            if self.read_again(task.register, row.json, task.start, task.reading):
                with self._turn.held() as db:
                    if task.reading is not None:
                        task.reading = readings.cleared(db, task.reading, 1)

    def read_again(self, register: Register, body: Json, start: date | None, reading: Reading | None) -> bool:
        """Whether the row's order is known now. Not so for one that the vendor denies: it is asked for once more, from a list or
        at the next poll, and whether it is gone is the sweep's business (docs/never-twice.md rule 11)."""
        key = register.key(body)
        if not key:
            return False
        for _ in range(SINGLY):
            try:
                fresh, asked = self._turn.get(register, key)
            except NotFound:
                return False
            row = records.row_of(register, fresh, start, self._turn.manner.zone)
            with self._turn.held() as db:
                asked = self._turn.answered_by_now(asked)
                compared = self._compared(db, register, [row], asked)
                raced = self._write(db, register, compared, asked, reading.id if reading else None)
            if not (compared.overlaps or raced):
                return True
        # It may have changed, for all anybody knows: nothing is idle before another poll has seen it.
        self._turn.changes += 1
        return False

    def _unreadable(self, register: Register, body: Json, error: Exception) -> None:
        logger.error("row_unreadable", register=register.name, error=str(error), kind=type(error).__name__)
        shown = str(body)[:300]
        mark = hashlib.sha256(shown.encode("utf-8", "replace")).hexdigest()[:16]
        which = replace(
            about(register.system, register.name), subject=f"row:{register.system}/{register.name}/{mark}"
        )
        values = {
            "register": register.name,
            "text": f"{type(error).__name__}: {error}",
            "row": shown,
        }
        with self._turn.db.tenant(self._turn.due.tenant_id) as db:
            log.open_problem(db, which, "poll.unreadable", values)
