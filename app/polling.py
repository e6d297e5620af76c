"""One poll of one leased connection: register after register, page after page.

Each page is one transaction: hold the lease, compare with what is stored, announce, write. Network calls happen between
transactions, never in one. What is decided is decided in ``domain.polling``; what a change means is not decided here.

A reading of a register goes on where it stopped. Registers that people keep hold their changes back until the reading has
come to its end and was let through; all others are announced with their page.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from typing import Any, Protocol

import structlog

from app import announcing, braking
from db import log, outbox, readings, records, streams, tenants
from db.clock import Anchor
from db.log import About
from db.pool import Database
from db.streams import DuePoll
from db.tenant import TenantDb
from domain import polling
from domain.errors import (
    BridgeError,
    Forbidden,
    LeaseLost,
    NotFound,
    NotKnown,
    Refused,
    RegisterMissing,
    ShortList,
    TryLater,
)
from domain.model import Json, Page, Stored, System
from domain.polling import Asked, Brake, Pace, Reading, Stream
from domain.registers import Register
from domain.setup.settings import TenantSettings, stored_settings

logger = structlog.get_logger("poller")

Progress = Callable[[System, str, int], None]

# Registers after which a poll whose answers are not understood is given up: it is the server then, not the register.
NOT_KNOWN_IN_A_ROW = 3
# So often a row is read singly before it is left for the next poll: each time somebody else wrote it meanwhile.
SINGLY = 2


class Client(Protocol):
    """What a poll needs of a vendor's client."""

    def pages(
        self, register: str, *, changed_since: datetime | None = None, position: str | None = None
    ) -> Iterator[Page]: ...

    def get(self, register: str, key: str, /) -> Json | Stored: ...


@dataclass(frozen=True, slots=True)
class Manner:
    """How an installation polls. ``lease`` in seconds."""

    lease: float
    pace: Pace
    brake: Brake
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a connection before its first call."""

    settings: TenantSettings
    streams: Mapping[str, Stream]
    readings: Sequence[Reading]
    # registers with rows that nobody was told of
    restless: set[str]
    # registers whose rows another one shows as well
    shown: frozenset[str]
    # rows whose order nobody could tell: (register, id, body)
    unsure: Sequence[tuple[str, str, Json]]


@dataclass(frozen=True, slots=True)
class _Fetched:
    """A page, and PostgreSQL's time around its request."""

    page: Page
    asked: Asked


@dataclass(slots=True)
class _Task:
    """One register being read. ``reading`` is None until something has to be remembered of it."""

    register: Register
    stream: Stream | None
    since: datetime | None
    start: date | None
    reading: Reading | None
    rows: int = 0


@dataclass(slots=True)
class _Rows:
    """A page's rows, once each; those that could not be read became problems."""

    rows: list[records.Row] = field(default_factory=list)
    unreadable: int = 0


class Poll:
    """``run`` reads everything that is wanted; ``changes`` counts the changed records, ``register`` is the one being read."""

    def __init__(
        self,
        db: Database,
        client: Client,
        registers: Sequence[Register],
        due: DuePoll,
        manner: Manner,
        stop: threading.Event,
        *,
        progress: Progress = lambda _system, _register, _rows: None,
    ) -> None:
        self._db = db
        self._client = client
        self._due = due
        self._manner = manner
        self._stop = stop
        self._progress = progress
        self._anchor: Anchor = due.anchor
        self._all = list(registers)
        self._restless: set[str] = set()
        self.changes = 0
        self.register = ""
        # registers read to their end
        self.complete: list[str] = []
        # registers whose answers nobody understood, with what was answered
        self.not_known: dict[str, str] = {}

    def run(self, known: Known) -> None:
        """``known``: what ``look`` gave. Raises what cuts the poll: TryLater, SignInFailed, Forbidden, LeaseLost, or a
        defect."""
        self._restless = known.restless
        error: NotKnown | None = None
        in_a_row = 0
        registers = {one.name: one.of_tenant(known.settings) for one in self._all}
        for reading in known.readings:
            if reading.register in registers:
                self._owed(registers[reading.register], reading)
        self._read_unsure(registers, known.settings, known.unsure)
        open_ones = {one.register: one for one in known.readings if self._goes_on(one)}
        for register in polling.wanted(
            registers.values(),
            known.streams,
            known.settings,
            self._due.began,
            self._manner.pace,
            shown=known.shown,
            open_ones=frozenset(open_ones),
        ):
            if self._stop.is_set():
                raise TryLater("stopped")
            self.register = register.name
            stream, begun = known.streams.get(register.name), open_ones.get(register.name)
            try:
                self._progress(
                    register.system, register.name, self._read(register, stream, known.settings, begun)
                )
                in_a_row = 0
            except NotKnown as caught:
                # What one register answers says nothing of the others.
                error = error or caught
                if not isinstance(caught, ShortList):
                    in_a_row += 1
                    self.not_known[register.name] = caught.message
            if in_a_row >= NOT_KNOWN_IN_A_ROW:
                break
        if error is not None:
            raise error

    def look(self) -> Known:
        """One transaction for everything that is asked before the first call."""
        tenant_id, system = self._due.tenant_id, self._due.system
        with self._db.tenant(tenant_id) as db:
            settings = stored_settings(tenants.settings(db, tenant_id))
            shown = {
                one.name
                for one in self._all
                if one.shown_by is not None and records.all_in(db, tenant_id, system, one.name, one.shown_by)
            }
            return Known(
                settings,
                streams.streams(db, tenant_id, system),
                readings.of_connection(db, tenant_id, system),
                records.restless(db, tenant_id, system),
                frozenset(shown),
                records.to_read_again(db, tenant_id, system),
            )

    # ---- transactions and requests

    @contextmanager
    def _held(self) -> Iterator[TenantDb]:
        """A transaction of this poll: without the lease nothing is written. PostgreSQL's time is taken anew with it."""
        with self._db.tenant(self._due.tenant_id) as db:
            anchor = streams.hold(db, self._due, self._manner.lease)
            if anchor is None:
                raise LeaseLost
            self._anchor = anchor
            yield db

    def _answered_by_now(self, asked: Asked) -> Asked:
        """The answer came before this transaction, whatever the bound says; so that the next page, asked for after it, is
        seen to be newer."""
        return Asked(asked.asked_at, min(asked.answered_at, self._anchor.db_time))

    def _get(self, register: Register, key: str) -> tuple[Json, Asked]:
        """One row, read singly. Raises NotFound."""
        asked_at = self._anchor.asked()
        found = self._client.get(register.name, key)
        asked = Asked(asked_at, self._anchor.answered())
        return (found.body if isinstance(found, Stored) else found), asked

    def _fetch(self, pages: Iterator[Page]) -> _Fetched | None:
        """The next page, None at the end."""
        asked_at = self._anchor.asked()
        page = next(pages, None)
        return None if page is None else _Fetched(page, Asked(asked_at, self._anchor.answered()))

    def _walk(self, pages: Iterator[Page]) -> Iterator[tuple[_Fetched, bool | BridgeError]]:
        """Pages, each with whether the list has ended behind it, or what it ended with.

        A page that names no position is most often the last one: looking behind it asks nobody, and page and end become
        one transaction.
        """
        fetched = self._fetch(pages)
        while fetched is not None:
            following: _Fetched | None = None
            end: bool | BridgeError = False
            if fetched.page.position is None:
                try:
                    following = self._fetch(pages)
                    end = following is None
                except BridgeError as error:
                    end = error
            yield fetched, end
            if end is not False:
                return
            fetched = following or self._fetch(pages)

    # ---- one register

    def _read(
        self, register: Register, stream: Stream | None, settings: TenantSettings, reading: Reading | None
    ) -> int:
        """The rows it brought."""
        start = getattr(settings, register.start_setting) if register.start_setting else None
        pace = self._manner.pace
        since = reading.since if reading else polling.since(register, stream, self._due.began, pace)
        task = _Task(register, stream, since, start, reading)
        try:
            self._read_pages(task, reading.position if reading else None)
        except Refused as error:
            if reading is None or isinstance(error, Forbidden):
                raise
            # A page token does not live for ever: the reading ends here, and another one begins.
            logger.warning("reading_cannot_go_on", register=register.name, error=error.message)
            self._give_up(register, task.reading or reading)
            return self._read(register, stream, settings, None)
        return task.rows

    def _read_pages(self, task: _Task, position: str | None) -> None:
        pages = (
            self._singly(task.register)
            if task.register.singly
            else self._client.pages(
                task.register.name,
                changed_since=task.since,
                **({} if position is None else {"position": position}),
            )
        )
        end: bool | BridgeError = False
        try:
            for fetched, end in self._walk(pages):
                self._store(task, fetched, ended=end is True)
                if end is False and self._stop.is_set():
                    raise TryLater("stopped")
        except RegisterMissing as missing:
            if task.reading is None and position is None and not self._known(task.register):
                # A register that this company does not have (an add-on, an older API): read, and nothing known by it.
                self._end_without_page(task)
                return
            end = self._lost(task.register, missing)
        except ShortList as error:
            end = error
        if isinstance(end, ShortList):
            self._short(task, end)
            raise end
        if isinstance(end, BridgeError):
            raise end
        if end is False:
            self._end_without_page(task)

    def _lost(self, register: Register, missing: RegisterMissing) -> ShortList:
        """A register with known rows that is not there any more: what it lacks may be there all the same."""
        return ShortList(
            missing.message,
            system=missing.system,
            register=missing.register,
            expected=self._known(register),
            got=0,
        )

    def _known(self, register: Register) -> int:
        """How many records of a register are there as far as anybody knows."""
        with self._db.tenant(self._due.tenant_id) as db:
            return records.unannounced(db, self._due.tenant_id, register.system, register.name).known

    def _singly(self, register: Register) -> Iterator[Page]:
        rows = []
        for key in register.singly:
            try:
                rows.append(self._get(register, key)[0])
            except NotFound:
                continue
        yield Page(rows, None)

    # ---- one page

    def _store(self, task: _Task, fetched: _Fetched, *, ended: bool) -> None:
        """One page, and the end of the register when it is the last one."""
        found = self._rows(task, fetched.page)
        task.rows += len(found.rows)
        newest = _newest(found.rows, fetched.page.server_time)
        mark_at = polling.first_mark(fetched.page.server_time, fetched.asked.asked_at, self._manner.pace)
        more = False
        with self._held() as db:
            asked = self._answered_by_now(fetched.asked)
            compared = self._compared(db, task.register, found.rows, asked)
            nothing = not (compared.changed or compared.overlaps or found.unreadable)
            if ended and nothing and task.reading is None and self._may_be_forgotten(task):
                # An idle register: nothing is remembered of its reading but that it was made.
                self._write(db, task.register, compared, asked, None)
                self._move_mark(db, task, newest, mark_at, whole=False)
                return
            if task.reading is None:
                task.reading = readings.begin(
                    db,
                    self._due.tenant_id,
                    self._due.system,
                    task.register.name,
                    since=task.since,
                    began_at=fetched.asked.asked_at,
                    mark_at=mark_at,
                )
            raced = self._write(db, task.register, compared, asked, task.reading.id)
            again = [*compared.overlaps, *raced]
            task.reading = readings.page(
                db,
                self._due.tenant_id,
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
                more = self._finish(db, task, task.reading)
        if again:
            self._again(task, again)
            if ended:
                with self._held() as db:
                    more = self._finish(db, task, task.reading)
        if more:
            self._let_through(task.register, task.reading)

    def _may_be_forgotten(self, task: _Task) -> bool:
        return task.since is not None and task.register.name not in self._restless

    def _rows(self, task: _Task, page: Page) -> _Rows:
        """One that cannot be read becomes a problem and is left out: it must not stop its page."""
        found: dict[str, records.Row] = {}
        made = _Rows()
        for body in page.rows:
            try:
                row = records.row_of(task.register, body, task.start, self._manner.zone)
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
        return records.compare(db, self._due.tenant_id, register, rows, asked, self._anchor.db_time)

    def _write(
        self,
        db: TenantDb,
        register: Register,
        compared: records.Compared,
        asked: Asked,
        reading_id: int | None,
    ) -> list[records.Row]:
        """Announces what need not be held back, then writes; the rows that somebody else wrote in between.

        In this order, because whoever ends a delivery locks its work first and its records after.
        """
        announced = [row for row in compared.changed if row.in_scope]
        held = {row.id for row in announced if polling.held_back(register, row.json)}
        at_once = [(row.id, row.json) for row in announced if row.id not in held]
        settled: Collection[str] = ()
        if at_once:
            settled = announcing.announce(db, register, at_once)
        if held:
            self._restless.add(register.name)
        if compared.changed and register.reference:
            # What failed for a set-up that is wrong there (invoice statuses) goes on once it is repaired.
            outbox.wake_register(db, register.name)
        announcing.marked(db, compared.changed)
        # What is out of scope or only looked up changes nothing that has to be settled.
        self.changes += len(announced)
        return records.write(
            db,
            self._due.tenant_id,
            register,
            compared,
            asked,
            reading_id=reading_id,
            held=held,
            settled=settled,
        )

    # ---- rows whose order nobody can tell

    def _again(self, task: _Task, rows: Sequence[records.Row]) -> None:
        """Reads rows singly that were written while they were asked for; what cannot be read so stays left out, and the
        next poll asks for it again."""
        for row in rows:
            if self._read_again(task.register, row.json, task.start, task.reading):
                with self._held() as db:
                    if task.reading is not None:
                        task.reading = readings.cleared(db, self._due.tenant_id, task.reading, 1)

    def _read_again(
        self, register: Register, body: Json, start: date | None, reading: Reading | None
    ) -> bool:
        """Whether the row's order is known now. A record that is not there any more is the sweep's business."""
        key = register.key(body)
        if not key:
            return False
        for _ in range(SINGLY):
            try:
                fresh, asked = self._get(register, key)
            except NotFound:
                return True
            row = records.row_of(register, fresh, start, self._manner.zone)
            with self._held() as db:
                asked = self._answered_by_now(asked)
                compared = self._compared(db, register, [row], asked)
                raced = self._write(db, register, compared, asked, reading.id if reading else None)
            if not (compared.overlaps or raced):
                return True
        return False

    def _read_unsure(
        self,
        registers: Mapping[str, Register],
        settings: TenantSettings,
        unsure: Sequence[tuple[str, str, Json]],
    ) -> None:
        """What a delivery's own answer overlapped with since the last poll. Registers without a single read are asked from
        before it instead (``Stream.unsure_since``)."""
        for name, row_id, body in unsure:
            register = registers.get(name)
            if register is None:
                continue
            self.register = name
            start = getattr(settings, register.start_setting) if register.start_setting else None
            if self._read_again(register, body, start, None):
                with self._held() as db:
                    records.sure(db, self._due.tenant_id, register, [row_id])

    # ---- the end of a register

    def _end_without_page(self, task: _Task) -> None:
        """The list ended behind a page that is stored already, or there is none."""
        more = False
        with self._held() as db:
            if task.reading is not None:
                more = self._finish(db, task, task.reading)
            else:
                self._move_mark(db, task, None, self._due.began, whole=task.since is None)
        if more:
            self._let_through(task.register, task.reading)

    def _finish(self, db: TenantDb, task: _Task, reading: Reading) -> bool:
        """The last page is in: what it brought is let through or held, and the mark moves. Whether announcing goes on."""
        reading = readings.end(db, self._due.tenant_id, reading, "complete", completed=True)
        more, held = self._judge(db, task.register, reading)
        # Absence for which something is paused is looked at again in the next poll.
        unsure = held is not None and held.missing and held.pauses
        whole = reading.whole and not reading.left_out and not unsure
        self._move_mark(
            db, task, reading.newest, reading.mark_at, whole=whole, left_out=reading.left_out, since=reading
        )
        task.reading = reading
        return more

    def _move_mark(
        self,
        db: TenantDb,
        task: _Task,
        newest: datetime | None,
        mark_at: datetime,
        *,
        whole: bool,
        left_out: int = 0,
        since: Reading | None = None,
    ) -> None:
        before = task.stream.watermark if task.stream else None
        streams.complete(
            db,
            self._due.tenant_id,
            self._due.system,
            task.register.name,
            watermark=polling.mark(before, newest, mark_at, left_out=left_out),
            whole=whole,
            changes=since.changed if since else 0,
        )
        if task.stream is not None and task.stream.unsure_since is not None and not left_out:
            # This reading asked from before them: what it did not show again is as it was.
            began = since.began_at if since else self._due.began
            records.sure(db, self._due.tenant_id, task.register, before=began)
        self.complete.append(task.register.name)

    def _judge(self, db: TenantDb, register: Register, reading: Reading) -> tuple[bool, braking.Held | None]:
        """Lets an ended reading through, or holds it (R-CON-3): (whether announcing goes on, what is held)."""
        tenant_id = self._due.tenant_id
        count, waiting = braking.count(db, tenant_id, register, reading)
        held = [
            one
            for one in readings.of_connection(db, tenant_id, register.system)
            if one.register == register.name and one.state == "held"
        ]
        if held and braking.release(db, tenant_id, register, reading):
            held = []
        if held or self._manner.brake.stops(register, count):
            waits = records.next_unannounced(db, tenant_id, register, None, announcing.SLICE)
            missing = (
                records.next_missing(db, tenant_id, register.system, reading, announcing.SLICE)
                if count.missing
                else []
            )
            domains = polling.asked_domains(
                register,
                [one.body for one in waits],
                [body for _, body in missing],
                many=count.missing >= self._manner.brake.records,
            )
            if held or domains:
                found = braking.hold(db, tenant_id, register, reading, domains)
                logger.error("poll_braked", tenant_id=str(tenant_id), **found.values())
                return False, found
        if not waiting and not count.missing:
            self._told(db, register, reading, 0, more=False)
            return False, None
        return self._slice(db, register, reading), None

    def _slice(self, db: TenantDb, register: Register, reading: Reading) -> bool:
        """Announces the next rows of a reading that is let through, then the next missing ones; whether more are left."""
        tenant_id = self._due.tenant_id
        open_one = readings.open_one(db, tenant_id, register.system, register.name)
        before = open_one.began_at if open_one is not None and open_one.id != reading.id else None
        waiting = records.next_unannounced(db, tenant_id, register, before, announcing.SLICE)
        if waiting:
            settled = announcing.announce(db, register, [(one.id, one.body) for one in waiting])
            versions = {one.id: one.version for one in waiting}
            records.announced(db, tenant_id, register, versions, settled)
        room = announcing.SLICE - len(waiting)
        missing = (
            records.next_missing(db, tenant_id, register.system, reading, room)
            if room and reading.shows_absence
            else []
        )
        if missing:
            # Looked at singly by whoever settles them (R-CUS-8); rows leave a passing register in everyday use.
            if not register.passing:
                announcing.announce(db, register, missing, cause="gone", only_linked=True)
            records.gone(db, tenant_id, register.system, reading, [row_id for row_id, _ in missing])
        self.changes += len(missing)
        more = len(waiting) + len(missing) >= announcing.SLICE
        self._told(db, register, reading, sum(one.known for one in waiting), more=more)
        return more

    def _told(self, db: TenantDb, register: Register, reading: Reading, n: int, *, more: bool) -> None:
        """So many rows that had been known before were announced with a reading; a complete one stands for all before it."""
        done = "complete" if reading.completed_at is not None else "dead"
        readings.announced(db, self._due.tenant_id, reading, n, state="let_through" if more else done)
        if not more:
            self._restless.discard(register.name)
            if reading.completed_at is not None:
                readings.clear(db, self._due.tenant_id, register.system, reading)

    def _let_through(self, register: Register, reading: Reading | None) -> None:
        """The rest of a large announcement, a thousand rows in a transaction."""
        more = reading is not None
        while more and reading is not None:
            with self._held() as db:
                more = self._slice(db, register, reading)

    # ---- readings that are owed something

    def _goes_on(self, reading: Reading) -> bool:
        return reading.state == "open" and polling.goes_on(reading, self._due.began)

    def _owed(self, register: Register, reading: Reading) -> None:
        """What an earlier poll, or a person who resumed, left to be done before anything is asked."""
        if reading.state == "let_through":
            self._let_through(register, reading)
        elif reading.state == "open" and not self._goes_on(reading):
            self._give_up(register, reading)

    def _give_up(self, register: Register, reading: Reading) -> None:
        """A reading that never came to its end: what it brought is judged like what a whole one brings, and neither mark nor
        absence comes of it."""
        with self._held() as db:
            reading = readings.end(db, self._due.tenant_id, reading, "dead", completed=False)
            more, _ = self._judge(db, register, reading)
        if more:
            self._let_through(register, reading)

    def _short(self, task: _Task, error: ShortList) -> None:
        """The list ended before it was complete: what came counts, what did not come is not absent, a person is told."""
        logger.warning("short_list", register=error.register, expected=error.expected, got=error.got)
        if task.reading is not None:
            self._give_up(task.register, task.reading)
        values = {
            "system": task.register.system,
            "register": task.register.name,
            "expected": "?" if error.expected is None else error.expected,
            "got": error.got,
        }
        with self._held() as db:
            log.open_problem(
                db,
                about(task.register.system, task.register.name),
                "poll.short_list",
                values,
            )

    def _unreadable(self, register: Register, body: Json, error: Exception) -> None:
        logger.error("row_unreadable", register=register.name, error=str(error), kind=type(error).__name__)
        shown = str(body)[:300]
        mark = hashlib.sha256(shown.encode("utf-8", "replace")).hexdigest()[:16]
        which = replace(
            about(register.system, register.name), subject=f"row:{register.system}/{register.name}/{mark}"
        )
        values: dict[str, Any] = {
            "register": register.name,
            "text": f"{type(error).__name__}: {error}",
            "row": shown,
        }
        with self._db.tenant(self._due.tenant_id) as db:
            log.open_problem(db, which, "poll.unreadable", values)


def about(system: System, register: str) -> About:
    """What a register's problems are about."""
    return About("poll", subject=f"register:{system}/{register}", system=system, register=register)


def _newest(rows: Sequence[records.Row], server_time: datetime | None) -> datetime | None:
    """The latest stamp; one ahead of the answer's own clock would make the next poll miss what comes before it."""
    stamps = [
        row.remote_time
        for row in rows
        if row.remote_time is not None and (server_time is None or row.remote_time <= server_time)
    ]
    return max(stamps, default=None)
