"""``up --until-idle``: when nothing is left to do, whose problems are open then, and what is waited for until then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from app.bootstrap import Bridge
from app.words import SYSTEM_NAMES
from db import log, outbox, streams

_STATES = {
    "ready": "to be done",
    "waiting": "waiting for another record",
    "out": "handed to a worker",
    "started": "being worked on",
}


class Idle:
    """Tells when nothing is left to do: no unfinished row, and every connection polled once more without a change since
    the last delivery.

    A delivery may leave a record behind whose order nobody can tell; the first poll after it reads that one again.
    """

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._asked_at: datetime | None = None
        self._claims = 0
        self.unfinished = 0

    def idle(self) -> bool:
        """Whether it is so by now; asks for a reading where nothing else is left."""
        with self._bridge.db.dispatch() as db:
            self.unfinished = outbox.unfinished(db)
            if self.unfinished:
                self._asked_at = None
                return False
            if self._asked_at is None:
                # polls begun from now on count; the extra moment keeps one that began in this instant out
                self._asked_at = streams.now(db) + timedelta(microseconds=1)
                self._claims = outbox.claims(db)
                streams.ask_all(db)
                return False
            unchecked, changes = streams.checked_since(db, self._asked_at)
            if unchecked:
                return False
            if changes or outbox.claims(db) != self._claims:
                self._asked_at = None
                return False
            return True

    @property
    def asked_at(self) -> datetime | None:
        """Since when both systems must have been read once more; None: something is unfinished."""
        return self._asked_at


def open_problems(bridge: Bridge) -> dict[str, int]:
    """Tenant → how many."""
    with bridge.db.dispatch() as db:
        return log.open_problems_of(db)


def waits_for(bridge: Bridge, watch: Idle | None) -> list[str]:
    """What is not at its end, a sentence each: work by tenant, then connections that were not read to their end (``watch``: since
    it asked)."""
    with bridge.db.dispatch() as db:
        now = streams.now(db)
        work = list(outbox.unfinished_by(db))
        unread = list(streams.unchecked(db, watch.asked_at if watch else None)) if not work else []
    return [*_work(work, now), *(_unread(row, now) for row in unread)]


def _work(rows: list[Mapping[str, Any]], now: datetime) -> Iterator[str]:
    for tenant, found in groupby(rows, key=lambda row: row["tenant"]):
        yield f"{tenant}: {', '.join(_some(row, now) for row in found)}"


def _some(row: Mapping[str, Any], now: datetime) -> str:
    later = (row["due_at"] - now).total_seconds() if row["state"] == "ready" else 0
    state = f"tried again in {later:.0f} s" if later >= 1 else _STATES[row["state"]]
    return f"{row['n']} of {row['domain']} ({state})"


def _unread(row: Mapping[str, Any], now: datetime) -> str:
    system = SYSTEM_NAMES[row["system"]]
    if row["being_read"]:
        return f"{row['tenant']}: {system} is being read"
    if row["paused_until"] is not None and row["paused_until"] > now:
        return f"{row['tenant']}: {system} wants no calls for another {(row['paused_until'] - now).total_seconds():.0f} s"
    return f"{row['tenant']}: {system} was not read to its end"
