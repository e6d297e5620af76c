"""The poller: leases connections whose time has come, and polls each in a thread of its own.

What one poll does stands in ``app.polling``; here its end is written down: when the connection is asked next, and what a person
is told (decided in ``domain.poll_end``). Whatever cuts a poll, its lease is given back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Protocol
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import structlog

from actors.connections import (
    close_connection_problem,
    close_setting_problem,
    open_connection_problem,
    open_setting_problem,
)
from actors.misfits import say_misfits
from app.polling import Poll, Progress
from app.settings import Settings
from app.turn import Client, Manner, about
from db import log, streams
from db.pool import REBUILT, Database
from db.streams import DuePoll
from db.tenant import TenantDb
from domain import clock, poll_end
from domain.errors import BridgeError, LeaseLost, SettingUnusable, SignInFailed, TryLater, Unavailable
from domain.model import System
from domain.poll_end import News, Waits
from domain.polling import Brake, Pace
from domain.registers import Register

logger = structlog.get_logger("poller")

DEFECT = "poll.defect"
NOT_BEGUN = "poll.not_begun"
NOT_UNDERSTOOD = "poll.not_understood"


class Clients(Protocol):
    """What the loop needs of this process's clients; ``app.clients.Connections``."""

    def refresh(self, tenant_id: UUID, /) -> None:
        """Before every poll: drops the clients of a connection that was changed."""
        ...

    def severa(self, tenant_id: UUID, /, *, poll: bool) -> Client:
        """The one for polls. Raises InputError when there is no connection."""
        ...

    def erp(self, tenant_id: UUID, /, *, poll: bool) -> Client:
        """The same of the ERP."""
        ...


class Poller:
    """Polls whatever is due. ``run`` until ``stop`` is set, or ``poll`` one leased connection."""

    def __init__(
        self,
        db: Database,
        clients: Clients,
        registers: Sequence[Register],
        settings: Settings,
        stop: threading.Event,
    ) -> None:
        self._db = db
        self._clients = clients
        self._settings = settings
        self._stop = stop
        self._waits = Waits(settings.min_poll_seconds, settings.sign_in_seconds)
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
        wait, began = self._waits.usual(None), clock.monotonic()
        try:
            self._clients.refresh(due.tenant_id)
            # Making the client may fail, too: a connection without a row, a secret under a lost key.
            poll = self._poll(due, progress)
            known = poll.look()
            looked = True
            wait = self._waits.usual(known.settings.poll_interval_seconds)
            poll.run(known)
        except LeaseLost:
            logger.warning("poll_taken_over")
            if quiet:
                # A go-live must not take half a reading for the whole.
                raise
            return poll.changes if poll else 0
        except Exception as caught:  # noqa: BLE001 - whatever cuts a poll, its lease is given back and somebody is told
            error = poll_end.meant(caught, due.system)
        wait = self._waits.after(error, wait)
        say_misfits()
        try:
            self._given_back(began, lambda: self._end(due, poll, wait, error, quiet=quiet, looked=looked))
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
            self._clients.severa(due.tenant_id, poll=True)
            if due.system == "severa"
            else self._clients.erp(due.tenant_id, poll=True)
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
        with self._db.tenant(due.tenant_id) as db:
            streams.ended(
                db,
                due,
                complete=error is None,
                changes=poll.changes if poll else 0,
                wait=wait,
                error=None if error is None or quiet else poll_end.text(error),
            )
            if looked:
                close_setting_problem(db)
            self._tell(db, due, poll, error, poll_end.news(error, quiet=quiet))
            if poll is not None:
                if not quiet:
                    self._tell_not_understood(db, due, poll, error)
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
                error=None if quiet else poll_end.text(error),
            )
        if quiet:
            return
        try:
            with self._db.tenant(due.tenant_id) as db:
                self._tell(db, due, poll, error, News.DEFECT)
        except Exception as untold:  # noqa: BLE001 - the log says what the problem would have
            logger.error("problem_not_told", error=str(untold), kind=type(untold).__name__)

    @staticmethod
    def _tell(db: TenantDb, due: DuePoll, poll: Poll | None, error: Exception | None, news: News) -> None:
        """Opens or closes what is the connection's own."""
        match news, error:
            case News.SIGN_IN, SignInFailed() as refused:
                open_connection_problem(db, refused)
            case News.SETTING, SettingUnusable() as setting:
                open_setting_problem(db, setting)
            case News.WORKS, _:
                close_connection_problem(db, due.system)
                # What cut a poll before its first register is nobody's register: it is over when one came to its end.
                log.close_problems(db, about(due.system, ""), "settled")
            case News.DEFECT, Exception() as fault:
                register = poll.register if poll else ""
                values = {"system": due.system, "text": poll_end.text(fault)}
                if register:
                    values["register"] = register
                log.open_problem(db, about(due.system, register), DEFECT if register else NOT_BEGUN, values)

    @staticmethod
    def _tell_not_understood(db: TenantDb, due: DuePoll, poll: Poll, error: Exception | None) -> None:
        """Opens a problem for each register that has not been understood for long; its next whole reading closes it."""
        for name, text in sorted(poll_end.not_understood(error, poll.register, poll.not_known).items()):
            if streams.not_understood(db, due.system, name) >= poll_end.TOLD_AFTER:
                values = {"system": due.system, "register": name, "text": text}
                log.open_problem(db, about(due.system, name), NOT_UNDERSTOOD, values)


def _names(due: DuePoll) -> dict[str, str]:
    """What a log line says of a poll: tenant's name and id, and the system."""
    return {"tenant": due.tenant, "tenant_id": str(due.tenant_id), "system": due.system}


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
