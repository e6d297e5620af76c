"""The poller: per connection, register after register, from the watermark of the last complete poll.

Each page is one transaction that first takes the poll lease under its token, then stores the rows and upserts an outbox
row for every record whose mapped fields changed. What a change means is not decided here. A bad row is a problem; its
page goes on. A register whose answers are not known is read again at the next poll; the others go on.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import structlog

from actors.connections import (
    close_connection_problem,
    close_short_list_problem,
    open_connection_problem,
    open_short_list_problem,
)
from app import announcing
from app.settings import Settings
from app.systems import Connections
from connectors.severa import SeveraClient
from connectors.visma_net import VismaNetClient
from db import log, outbox, records, streams, tenants
from db.pool import Connection, Database
from db.streams import DuePoll, Stream
from domain.errors import (
    BridgeError,
    Forbidden,
    LeaseLost,
    NotFound,
    NotKnown,
    RegisterMissing,
    ShortList,
    SignInFailed,
    TryLater,
)
from domain.ports import Json, Page, Stored, System
from domain.registers import Register
from domain.setup.settings import TenantSettings

logger = structlog.get_logger("poller")

Progress = Callable[[System, str, int], None]

NOT_KNOWN_IN_A_ROW = 3
"""Registers after which a poll whose answers are not understood is given up: it is the server then, not the register."""


@dataclass(slots=True)
class _Reading:
    """One register being read in one poll."""

    register: Register
    start: date | None = None
    seen: set[str] = field(default_factory=set)
    newest: datetime | None = None
    changes: int = 0
    rows: int = 0
    known: int = 0
    unreadable: bool = False
    held: announcing.Held = field(default_factory=announcing.Held)


class Poller:
    """Polls whatever is due. ``run`` until ``stop`` is set, or ``poll`` one leased connection."""

    def __init__(
        self,
        db: Database,
        connections: Connections,
        registers: Sequence[Register],
        settings: Settings,
        stop: threading.Event,
    ) -> None:
        self._db = db
        self._connections = connections
        self._settings = settings
        self._stop = stop
        self._by_system: dict[System, list[Register]] = {"severa": [], "visma_net": []}
        for register in registers:
            self._by_system[register.system].append(register)
        self._registers: dict[tuple[str, str], Register] = {
            (register.system, register.name): register for register in registers
        }
        self._brake = announcing.Brake(settings.brake_percent, settings.brake_records)
        self._zone = ZoneInfo(settings.erp_time_zone)

    # ---- the loop

    def run(self, beat: Callable[[], None] = lambda: None) -> None:
        """Leases due connections and polls them in threads until stopped."""
        running: dict[Future[int], DuePoll] = {}
        pause = self._settings.poller_seconds
        with ThreadPoolExecutor(self._settings.poll_threads, thread_name_prefix="poll") as pool:
            while not self._stop.is_set():
                beat()
                for done in [future for future in running if future.done()]:
                    running.pop(done)
                    if error := done.exception():
                        logger.error("poll_broke", error=str(error), kind=type(error).__name__)
                room = self._settings.poll_threads - len(running)
                found: list[DuePoll] = []
                if room > 0:
                    try:
                        with self._db.dispatch() as db:
                            found = streams.due(
                                db, uuid4(), lease=self._settings.poll_lease_seconds, limit=room
                            )
                    except TryLater as error:
                        logger.warning("database_away", error=error.message)
                for poll in found:
                    running[pool.submit(self.poll, poll)] = poll
                self._stop.wait(min(0.1, pause) if found or running else pause)

    # ---- one connection

    def poll(self, poll: DuePoll, *, progress: Progress | None = None, quiet: bool = False) -> int:
        """Reads every register of a leased connection; the number of changed records.

        ``quiet``: errors are raised instead of being written to the connection and a problem (go-live shows them).
        """
        settings = self._tenant_settings(poll.tenant_id)
        wait = max(self._settings.min_poll_seconds, float(settings.poll_interval_seconds))
        changes = 0
        error: BridgeError | None = None
        try:
            self._connections.refresh(poll.tenant_id)
            for reading in self._readings(poll, settings):
                changes += reading.changes
                if progress:
                    progress(reading.register.system, reading.register.name, reading.rows)
        except LeaseLost:
            logger.warning("poll_taken_over", tenant_id=str(poll.tenant_id), system=poll.system)
            return changes
        except BridgeError as caught:
            error = caught
        if isinstance(error, TryLater) and not isinstance(error, ShortList):
            # A list that stays short is not asked for more often than a whole one.
            wait = min(wait, error.retry_after or self._settings.min_poll_seconds)
        elif isinstance(error, Forbidden):
            # A right or scope was taken away: a person must know, and nothing can be read until it is given back.
            error = SignInFailed(error.message, system=poll.system, reason="not_allowed")
        if isinstance(error, SignInFailed):
            wait = self._settings.sign_in_seconds
        self._end(poll, changes, wait, None if quiet else error)
        if error is not None:
            if quiet:
                raise error
            logger.warning(
                "poll_failed",
                tenant_id=str(poll.tenant_id),
                system=poll.system,
                error=error.message,
            )
        return changes

    def _readings(self, poll: DuePoll, settings: TenantSettings) -> Iterator[_Reading]:
        """The readings of this poll's registers. What one register answers says nothing of the others: the first that was
        not known is raised after the last of them."""
        error: NotKnown | None = None
        in_a_row = 0
        for register in self._wanted(poll, settings):
            if self._stop.is_set():
                raise TryLater("stopped")
            reading = _Reading(register)
            try:
                self._read(poll, reading, settings)
                in_a_row = 0
            except NotKnown as caught:
                error = error or caught
                in_a_row += not isinstance(caught, ShortList)
            yield reading
            if error is not None and in_a_row >= NOT_KNOWN_IN_A_ROW:
                break
        if error is not None:
            raise error

    def _end(self, poll: DuePoll, changes: int, wait: float, error: BridgeError | None) -> None:
        with self._db.tenant(poll.tenant_id) as db:
            streams.ended(
                db,
                poll,
                complete=error is None,
                changes=changes,
                wait=wait,
                error=error.message if error else None,
            )
            if isinstance(error, SignInFailed):
                open_connection_problem(db, poll.tenant_id, error)
            elif error is None or isinstance(error, ShortList):
                close_connection_problem(db, poll.tenant_id, poll.system)

    def _tenant_settings(self, tenant_id: UUID) -> TenantSettings:
        with self._db.tenant(tenant_id) as db:
            return TenantSettings.model_validate(tenants.settings(db, tenant_id))

    def _wanted(self, poll: DuePoll, settings: TenantSettings) -> list[Register]:
        """The registers of this poll: reference registers only when they are due again."""
        with self._db.tenant(poll.tenant_id) as db:
            known = streams.streams(db, poll.tenant_id, poll.system)
        old = poll.began - timedelta(seconds=self._settings.reference_seconds)
        wanted = []
        # Reference registers first: what is planned from a page needs them.
        for register in sorted(self._by_system[poll.system], key=lambda r: not r.reference):
            if not register.wanted(settings):
                continue
            stream = known.get(register.name)
            read_at = stream.complete_at if stream else None
            seldom = register.reference or register.slow or self._shown(poll, register)
            if seldom and read_at is not None and read_at > old:
                continue
            wanted.append(register)
        return wanted

    def _shown(self, poll: DuePoll, register: Register) -> bool:
        """Whether another register showed every row of this one (open question: are sales cases among the projects?)."""
        if register.shown_by is None:
            return False
        with self._db.tenant(poll.tenant_id) as db:
            return records.all_in(db, poll.tenant_id, poll.system, register.name, register.shown_by)

    # ---- one register

    def _read(self, poll: DuePoll, reading: _Reading, settings: TenantSettings) -> None:
        register = reading.register = reading.register.of_tenant(settings)
        with self._db.tenant(poll.tenant_id) as db:
            stream = streams.streams(db, poll.tenant_id, poll.system).get(register.name)
            reading.known = records.count(db, poll.tenant_id, poll.system, register.name) if stream else 0
        since, whole = self._since(poll, register, stream)
        reading.start = getattr(settings, register.start_setting) if register.start_setting else None
        reading.newest = stream.watermark if stream else None
        client = (
            self._connections.severa(poll.tenant_id, poll=True)
            if poll.system == "severa"
            else self._connections.erp(poll.tenant_id, poll=True)
        )
        pages = (
            self._singly(client, register)
            if register.singly
            else client.pages(register.name, changed_since=since)
        )
        try:
            self._pages(poll, reading, pages)
        except BridgeError as error:
            # What was stored is announced even so: the next reading finds it unchanged.
            if not isinstance(error, LeaseLost):
                self._finish(poll, reading, whole=False, short=error)
            raise
        self._finish(poll, reading, whole=whole)

    def _pages(self, poll: DuePoll, reading: _Reading, pages: Iterator[Page]) -> None:
        while True:
            requested_at = datetime.now(UTC)
            try:
                page = next(pages, None)
            except RegisterMissing as missing:
                # A register that this company does not have (an add-on, an older API) is an empty one; what was there
                # before is not gone for that.
                if reading.known:
                    raise _lost(missing, reading.known) from missing
                page = None
            if page is None:
                return
            self._store(poll, reading, page, requested_at)
            if self._stop.is_set():
                raise TryLater("stopped")

    @staticmethod
    def _singly(client: SeveraClient | VismaNetClient, register: Register) -> Iterator[Page]:
        rows = []
        for key in register.singly:
            try:
                found = client.get(register.name, key)
            except NotFound:
                continue
            rows.append(found.body if isinstance(found, Stored) else found)
        yield Page(rows, None)

    def _since(
        self, poll: DuePoll, register: Register, stream: Stream | None
    ) -> tuple[datetime | None, bool]:
        """(from when, whole?): the watermark minus the overlap, or everything at first and once per sweep."""
        if stream is None or stream.watermark is None or register.reference:
            return None, True
        sweep = timedelta(seconds=self._settings.sweep_seconds)
        if stream.swept_at is None or stream.swept_at < poll.began - sweep:
            return None, True
        overlap = (
            self._settings.severa_overlap_seconds
            if poll.system == "severa"
            else self._settings.erp_overlap_seconds
        )
        return stream.watermark - timedelta(seconds=overlap), False

    def _store(self, poll: DuePoll, reading: _Reading, page: Page, requested_at: datetime) -> None:
        rows = self._rows(poll, reading, page)
        with self._db.tenant(poll.tenant_id) as db:
            if not streams.hold(db, poll, self._settings.poll_lease_seconds):
                raise LeaseLost
            changed = records.store(db, poll.tenant_id, reading.register, rows, requested_at)
            if changed and reading.register.reference:
                # What failed for a set-up that is wrong there (invoice statuses) goes on once it is repaired.
                key = outbox.waits_key("reference", severa_id=reading.register.name)
                outbox.wake(db, poll.tenant_id, [key])
        announced = [row for row in changed if row.in_scope]
        reading.held.add(announced)
        # What is out of scope or only looked up changes nothing that has to be settled.
        reading.changes += len(announced)
        reading.rows += len(rows)
        reading.seen.update(row.id for row in rows)
        for row in rows:
            # A time ahead of the answer's own clock would make the next poll miss what comes before it.
            if row.remote_time and (page.server_time is None or row.remote_time <= page.server_time):
                reading.newest = max(reading.newest or row.remote_time, row.remote_time)

    def _rows(self, poll: DuePoll, reading: _Reading, page: Page) -> list[records.Row]:
        """The page's rows, once each; one that cannot be read becomes a problem and is left out."""
        found: dict[str, records.Row] = {}
        for body in page.rows:
            try:
                row = records.row_of(reading.register, body, reading.start, self._zone)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one row must not stop its page
                self._unreadable(poll, reading.register, body, error)
                reading.unreadable = True
                continue
            if row.id:
                found[row.id] = row
        return list(found.values())

    def _unreadable(self, poll: DuePoll, register: Register, body: Json, error: Exception) -> None:
        logger.error("row_unreadable", register=register.name, error=str(error), kind=type(error).__name__)
        shown = str(body)[:300]
        about = {
            "domain": "poll",
            "subject": f"row:{register.system}/{register.name}/{hashlib.sha256(shown.encode('utf-8', 'replace')).hexdigest()[:16]}",
            "system": register.system,
            "register": register.name,
            "record_id": "",
            "number": "",
            "name": "",
        }
        with self._db.tenant(poll.tenant_id) as db:
            log.open_problem(
                db,
                poll.tenant_id,
                about,
                "poll.unreadable",
                {"register": register.name, "text": f"{type(error).__name__}: {error}", "row": shown},
            )

    def _finish(
        self, poll: DuePoll, reading: _Reading, *, whole: bool, short: BridgeError | None = None
    ) -> None:
        """The last page is in: announces what changed, or brakes; the mark moves only after a complete reading.

        ``short``: what the reading ended with instead of its last page. A list that did not come whole is a problem until
        the register was read completely again.
        """
        register, held = reading.register, reading.held
        with self._db.tenant(poll.tenant_id) as db:
            if not streams.hold(db, poll, self._settings.poll_lease_seconds):
                raise LeaseLost
            missing: list[str] = []
            # A row that could not be read is not absent.
            if whole and not reading.unreadable:
                missing = sorted(records.ids(db, poll.tenant_id, poll.system, register.name) - reading.seen)
            braked = self._braked(db, poll, reading, missing)
            rows = [(row.id, row.json) for row in held.rows.values()]
            announcing.announce(db, poll.tenant_id, self._registers, register, rows)
            if missing and not braked:
                announcing.gone(db, poll.tenant_id, self._registers, register, missing)
            if isinstance(short, ShortList):
                open_short_list_problem(db, poll.tenant_id, poll.system, register.name, short)
            if short is None:
                close_short_list_problem(db, poll.tenant_id, poll.system, register.name)
                streams.complete(
                    db,
                    poll.tenant_id,
                    poll.system,
                    register.name,
                    watermark=reading.newest,
                    # Absence that nobody has confirmed is looked at again in the next poll.
                    whole=whole and not (braked and missing),
                    changes=reading.changes,
                )

    def _braked(self, db: Connection, poll: DuePoll, reading: _Reading, missing: list[str]) -> bool:
        """Whether the reading looks like an accident (R-CON-3); then its domains are paused and a problem asks."""
        register, known = reading.register, reading.known
        changed = reading.held.changed + (0 if register.passing else len(missing))
        empty = bool(missing) and not reading.rows and not register.passing
        if not known or not (empty or self._brake.stops(changed, known)):
            return False
        bodies = [row.json for row in reading.held.rows.values()]
        if missing:
            first = records.get(db, poll.tenant_id, poll.system, register.name, missing[0])
            bodies += [first.body] if first is not None else []
        domains = announcing.domains_of(register, bodies) & announcing.BRAKED
        if not domains:
            return False
        values = {"changed": changed, "known": known, "missing": len(missing)}
        braked = announcing.brake(db, poll.tenant_id, register, domains, values)
        if braked:
            logger.error("poll_braked", tenant_id=str(poll.tenant_id), register=register.name, **values)
        return braked


def _lost(missing: RegisterMissing, known: int) -> ShortList:
    return ShortList(missing.message, system=missing.system, register=missing.register, expected=known, got=0)
