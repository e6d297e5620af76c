"""One poll of one leased connection: register after register, page after page.

Each page is one transaction (``app.reading``); the end of a register (``app.concluding``) shares that of its last page where it
can. Network calls happen between transactions, never in one. What is decided is decided in ``domain.polling``; what a change
means is not decided here.

A reading of a register goes on where it stopped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import structlog

from app.concluding import Conclusion
from app.reading import Pages
from app.turn import Client, Manner, Task, Turn
from db import pending, readings, records, streams, tenants
from db.pool import Database
from db.streams import DuePoll
from domain import polling
from domain.errors import (
    BridgeError,
    NotFound,
    NotKnown,
    Refused,
    RegisterMissing,
    ShortList,
    TryLater,
)
from domain.model import Json, Page, System
from domain.polling import Left, Reading, Stream
from domain.registers import Register
from domain.setup.settings import TenantSettings, stored_settings

logger = structlog.get_logger("poller")

Progress = Callable[[System, str, int], None]


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
        self._turn = Turn(db, client, due, manner, stop)
        self._conclusion = Conclusion(self._turn)
        self._pages = Pages(self._turn, self._conclusion)
        self._progress = progress
        self._all = list(registers)
        self.register = ""
        # registers whose answers nobody understood, with what was answered
        self.not_known: dict[str, str] = {}

    @property
    def changes(self) -> int:
        """How many changed records it has seen so far."""
        return self._turn.changes

    @property
    def complete(self) -> list[str]:
        """Registers read to their end."""
        return self._turn.complete

    def run(self, known: Known) -> None:
        """``known``: what ``look`` gave. Raises what cuts the poll: TryLater, SignInFailed, Forbidden, LeaseLost, or a
        defect."""
        self._turn.restless = known.restless
        error: NotKnown | None = None
        in_a_row = 0
        registers = {one.name: one.of_tenant(known.settings) for one in self._all}
        for reading in known.readings:
            if reading.register in registers:
                self._clear(registers[reading.register], reading)
        self._read_unsure(registers, known.settings, known.unsure)
        open_ones = {one.register: one for one in known.readings if self._left(one) is Left.GO_ON}
        for register in polling.wanted(
            registers.values(),
            known.streams,
            known.settings,
            self._turn.due.began,
            self._turn.manner.pace,
            shown=known.shown,
            open_ones=frozenset(open_ones),
        ):
            if self._turn.stop.is_set():
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
            if polling.is_the_server(in_a_row):
                break
        if error is not None:
            raise error

    def look(self) -> Known:
        """One transaction for everything that is asked before the first call."""
        tenant_id, system = self._turn.due.tenant_id, self._turn.due.system
        with self._turn.db.tenant(tenant_id) as db:
            settings = stored_settings(tenants.settings(db))
            shown = {
                one.name
                for one in self._all
                if one.shown_by is not None and records.all_in(db, system, one.name, one.shown_by)
            }
            return Known(
                settings,
                streams.streams(db, system),
                readings.of_connection(db, system),
                pending.restless(db, system),
                frozenset(shown),
                pending.to_read_again(db, system),
            )

    # ---- one register

    def _read(
        self, register: Register, stream: Stream | None, settings: TenantSettings, reading: Reading | None
    ) -> int:
        """The rows it brought."""
        pace = self._turn.manner.pace
        since = reading.since if reading else polling.since(register, stream, self._turn.due.began, pace)
        task = Task(register, stream, since, register.start(settings), reading)
        try:
            self._read_pages(task, reading.position if reading else None)
        except Refused as error:
            if reading is None or not polling.begins_anew(error):
                raise
            # The reading ends here, and another one begins.
            logger.warning("reading_cannot_go_on", register=register.name, error=error.message)
            self._conclusion.give_up(register, task.reading or reading)
            return self._read(register, stream, settings, None)
        return task.rows

    def _read_pages(self, task: Task, position: str | None) -> None:
        pages = (
            self._singly(task.register)
            if task.register.singly
            else self._turn.client.pages(
                task.register.name,
                changed_since=task.since,
                **({} if position is None else {"position": position}),
            )
        )
        end: bool | BridgeError = False
        try:
            for fetched, end in self._turn.walk(pages):
                self._pages.store(task, fetched, ended=end is True)
                if end is False and self._turn.stop.is_set():
                    raise TryLater("stopped")
        except RegisterMissing as missing:
            if task.reading is None and position is None and not self._known(task.register):
                # A register that this company does not have (an add-on, an older API): read, and nothing known by it.
                self._conclusion.end_without_page(task)
                return
            end = self._lost(task.register, missing)
        except ShortList as error:
            end = error
        if isinstance(end, ShortList):
            self._conclusion.short(task, end)
            raise end
        if isinstance(end, BridgeError):
            raise end
        if end is False:
            self._conclusion.end_without_page(task)

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
        with self._turn.db.tenant(self._turn.due.tenant_id) as db:
            return pending.unannounced(db, register.system, register.name).known

    def _singly(self, register: Register) -> Iterator[Page]:
        rows = []
        for key in register.singly:
            try:
                rows.append(self._turn.get(register, key)[0])
            except NotFound:
                continue
        yield Page(rows, None)

    # ---- what earlier polls left

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
            if self._pages.read_again(register, body, register.start(settings), None):
                with self._turn.held() as db:
                    pending.sure(db, register, [row_id])

    def _left(self, reading: Reading) -> Left:
        return polling.left(reading, self._turn.due.began)

    def _clear(self, register: Register, reading: Reading) -> None:
        """Does with a reading what has to be done before anything is asked."""
        match self._left(reading):
            case Left.LET_THROUGH:
                self._conclusion.let_through(register, reading)
            case Left.GIVE_UP:
                self._conclusion.give_up(register, reading)
            case Left.GO_ON | Left.NOTHING:
                pass
