"""The poller: leases connections whose time has come, and polls each in a thread of its own.

What one poll does stands in ``app.polling``; here stands what becomes of it: when the connection is asked next, and what a
person has to be told. Whatever cuts a poll, its lease is given back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import structlog

from actors.connections import (
    close_connection_problem,
    close_setting_problem,
    open_connection_problem,
    open_setting_problem,
)
from app.polling import Poll, Progress
from app.settings import Settings
from app.systems import Connections
from app.turn import Manner, about
from db import log, streams
from db.pool import REBUILT, Database
from db.streams import DuePoll
from db.tenant import TenantDb
from domain import clock
from domain.errors import (
    BridgeError,
    Forbidden,
    LeaseLost,
    NotKnown,
    SettingUnusable,
    ShortList,
    SignInFailed,
    TryLater,
    Unavailable,
)
from domain.model import System
from domain.polling import Brake, Pace
from domain.registers import Register

logger = structlog.get_logger("poller")

DEFECT = "poll.defect"
NOT_BEGUN = "poll.not_begun"
NOT_UNDERSTOOD = "poll.not_understood"
# Polls in a row after which a person is told of answers that are not understood: once is a bad moment of the vendor's.
TOLD_AFTER = 3


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
        self._manners: dict[System, Manner] = {
            "severa": _manner(settings, settings.severa_overlap_seconds),
            "visma_net": _manner(settings, settings.erp_overlap_seconds),
        }

    # ---- the loop

    def run(self, beat: Callable[[], None] = lambda: None) -> None:
        """Leases due connections and polls them in threads until stopped."""
        running: dict[Future[int], DuePoll] = {}
        pause = self._settings.poller_seconds
        with ThreadPoolExecutor(self._settings.poll_threads, thread_name_prefix="poll") as pool:
            while not self._stop.is_set():
                beat()
                for done in [future for future in running if future.done()]:
                    was = running.pop(done)
                    if error := done.exception():
                        logger.error("poll_broke", **_names(was), error=str(error), kind=type(error).__name__)
                room = self._settings.poll_threads - len(running)
                found = self._due(room) if room > 0 else []
                for poll in found:
                    running[pool.submit(self.poll, poll)] = poll
                self._stop.wait(min(0.1, pause) if found or running else pause)

    def _due(self, room: int) -> list[DuePoll]:
        try:
            with self._db.dispatch() as db:
                return streams.due(db, uuid4(), lease=self._settings.poll_lease_seconds, limit=room)
        except (TryLater, REBUILT) as error:
            logger.warning("database_away", error=str(error).strip())
        return []

    # ---- one connection

    def poll(self, due: DuePoll, *, progress: Progress | None = None, quiet: bool = False) -> int:
        """Reads every register of a leased connection; the number of changed records.

        ``quiet``: errors are raised instead of being written to the connection and a problem (go-live shows them).
        """
        # Whoever logs within a poll, of whatever module, says whose it is.
        with structlog.contextvars.bound_contextvars(**_names(due)):
            return self._polled(due, progress, quiet=quiet)

    def _polled(self, due: DuePoll, progress: Progress | None, *, quiet: bool) -> int:
        poll: Poll | None = None
        looked = False
        error: Exception | None = None
        wait, began = self._settings.min_poll_seconds, clock.monotonic()
        try:
            self._connections.refresh(due.tenant_id)
            # Making the client may fail, too: a connection without a row, a secret under a lost key.
            poll = self._poll(due, progress)
            known = poll.look()
            looked = True
            wait = max(wait, float(known.settings.poll_interval_seconds))
            poll.run(known)
        except LeaseLost:
            logger.warning("poll_taken_over")
            if quiet:
                # A go-live must not take half a reading for the whole.
                raise
            return poll.changes if poll else 0
        except Exception as caught:  # noqa: BLE001 - whatever cuts a poll, its lease is given back and somebody is told
            error = _meant(caught, due.system)
        try:
            self._given_back(
                began,
                lambda: self._end(due, poll, self._wait(wait, error), error, quiet=quiet, looked=looked),
            )
        except BridgeError:
            raise
        except Exception as defect:  # noqa: BLE001 - a poll whose end cannot be written is one that a defect cut
            error = broke = defect
            self._given_back(began, lambda: self._cut(due, poll, broke, quiet=quiet))
        if error is not None:
            if quiet:
                raise error
            logger.warning(
                "poll_failed",
                register=poll.register if poll else "",
                error=str(error),
                exc_info=None if isinstance(error, BridgeError) else error,
            )
        return poll.changes if poll else 0

    def _poll(self, due: DuePoll, progress: Progress | None) -> Poll:
        client = (
            self._connections.severa(due.tenant_id, poll=True)
            if due.system == "severa"
            else self._connections.erp(due.tenant_id, poll=True)
        )
        return Poll(
            self._db,
            client,
            self._by_system[due.system],
            due,
            self._manners[due.system],
            self._stop,
            **({} if progress is None else {"progress": progress}),
        )

    def _wait(self, wait: float, error: Exception | None) -> float:
        """Seconds until the next poll."""
        if isinstance(error, TryLater) and not isinstance(error, ShortList):
            # A list that stays short is not asked for more often than a whole one.
            least = self._settings.min_poll_seconds
            soon = error.retry_after or least
            # Some answer every call with 'in a second'; only the bridge's own waits are as short as they say.
            return min(wait, max(soon, least) if error.fields.get("system") else soon)
        return self._settings.sign_in_seconds if isinstance(error, SignInFailed | SettingUnusable) else wait

    def _given_back(self, began: float, end: Callable[[], None]) -> None:
        """Again and again while the database is away, until the lease has run out anyhow: whoever asks for a poll in the first
        moment after a restart would else wait for the whole lease. Raises Unavailable."""
        while True:
            try:
                return end()
            except Unavailable as error:
                over = clock.monotonic() - began > self._settings.poll_lease_seconds
                if over or self._stop.wait(self._settings.poller_seconds):
                    raise
                logger.warning("database_away", error=error.message)

    def _end(
        self,
        due: DuePoll,
        poll: Poll | None,
        wait: float,
        error: Exception | None,
        *,
        quiet: bool,
        looked: bool,
    ) -> None:
        """Gives the lease back, and tells people what they have to know. ``looked``: the settings could be used."""
        told = None if quiet else error
        with self._db.tenant(due.tenant_id) as db:
            streams.ended(
                db,
                due,
                complete=error is None,
                changes=poll.changes if poll else 0,
                wait=wait,
                error=_text(told) if told else None,
            )
            if looked:
                close_setting_problem(db)
            if isinstance(told, SignInFailed):
                open_connection_problem(db, told)
            elif error is None or isinstance(told, ShortList):
                close_connection_problem(db, due.system)
                # What cut a poll before its first register is nobody's register: it is over when one came to its end.
                log.close_problems(db, about(due.system, ""), "settled")
            elif isinstance(told, SettingUnusable):
                open_setting_problem(db, told)
            elif told is not None and not isinstance(told, TryLater):
                self._tell(db, due, poll, told)
            if poll is not None:
                if not quiet:
                    self._tell_not_known(db, due, poll, error)
                for name in poll.complete:
                    log.close_problems(db, about(due.system, name), "settled")

    def _cut(self, due: DuePoll, poll: Poll | None, error: Exception, *, quiet: bool) -> None:
        """What is left to do when the end of a poll itself breaks: the lease first, in a transaction of its own, or nobody would
        read the connection before it runs out; then the problem, which may be what cannot be written."""
        with self._db.tenant(due.tenant_id) as db:
            streams.ended(
                db,
                due,
                complete=False,
                changes=poll.changes if poll else 0,
                wait=self._settings.min_poll_seconds,
                error=None if quiet else _text(error),
            )
        if quiet:
            return
        try:
            with self._db.tenant(due.tenant_id) as db:
                self._tell(db, due, poll, error)
        except Exception as untold:  # noqa: BLE001 - the log says what the problem would have
            logger.error("problem_not_told", error=str(untold), kind=type(untold).__name__)

    @staticmethod
    def _tell_not_known(db: TenantDb, due: DuePoll, poll: Poll, error: Exception | None) -> None:
        """Opens a problem for each register that has not been understood for long; its next whole reading closes it."""
        if isinstance(error, NotKnown) and not isinstance(error, ShortList):
            poll.not_known.setdefault(poll.register, error.message)
        for name, text in sorted(poll.not_known.items()):
            if streams.not_understood(db, due.system, name) >= TOLD_AFTER:
                values = {"system": due.system, "register": name, "text": text}
                log.open_problem(db, about(due.system, name), NOT_UNDERSTOOD, values)

    def _tell(self, db: TenantDb, due: DuePoll, poll: Poll | None, error: Exception) -> None:
        register = poll.register if poll else ""
        values = {"system": due.system, "text": _text(error)}
        if register:
            values["register"] = register
        log.open_problem(db, about(due.system, register), DEFECT if register else NOT_BEGUN, values)


def _names(due: DuePoll) -> dict[str, str]:
    """What a log line says of a poll: tenant's name and id, and the system."""
    return {"tenant": due.tenant, "tenant_id": str(due.tenant_id), "system": due.system}


def _meant(error: Exception, system: System) -> Exception:
    """A right or scope that was taken away is a sign-in that fails: nothing can be read until it is given back."""
    if isinstance(error, Forbidden):
        return SignInFailed(error.message, system=system, reason="not_allowed")
    return error


def _text(error: Exception) -> str:
    return error.message if isinstance(error, BridgeError) else f"{type(error).__name__}: {error}"


def _manner(settings: Settings, overlap: float) -> Manner:
    return Manner(
        lease=settings.poll_lease_seconds,
        pace=Pace(
            sweep=timedelta(seconds=settings.sweep_seconds),
            reference=timedelta(seconds=settings.reference_seconds),
            overlap=timedelta(seconds=overlap),
        ),
        brake=Brake(settings.brake_percent, settings.brake_records),
        zone=ZoneInfo(settings.erp_time_zone),
    )
