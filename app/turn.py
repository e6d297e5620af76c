"""What the parts of one poll share: the lease, PostgreSQL's time, the client, and what has come of it so far.

Records, readings and marks are written in ``Turn.held`` only. ``get`` and ``walk`` note PostgreSQL's time around each request.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Protocol

from db import streams
from db.clock import Anchor
from db.log import About
from db.pool import Database
from db.streams import DuePoll
from db.tenant import TenantDb
from domain.errors import BridgeError, LeaseLost
from domain.model import Json, Page, Stored, System
from domain.polling import Asked, Brake, Pace, Reading, Stream
from domain.registers import Register


class Client(Protocol):
    """What a poll needs of a vendor's client."""

    def pages(
        self, register: str, *, changed_since: datetime | None = None, position: str | None = None
    ) -> Iterator[Page]:
        """A register page by page, from ``position`` on; whole when ``changed_since`` is None."""
        ...

    def get(self, register: str, key: str, /) -> Json | Stored:
        """One row. Raises NotFound."""
        ...


@dataclass(frozen=True, slots=True)
class Manner:
    """How an installation polls. ``lease`` in seconds."""

    lease: float
    pace: Pace
    brake: Brake
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page, and PostgreSQL's time around its request."""

    page: Page
    asked: Asked


@dataclass(slots=True)
class Task:
    """One register being read. ``reading`` is None until something has to be remembered of it."""

    register: Register
    stream: Stream | None
    since: datetime | None
    start: date | None
    reading: Reading | None
    rows: int = 0


class Turn:
    """A connection's lease while it is polled. ``anchor`` is PostgreSQL's time, taken anew with every transaction."""

    def __init__(
        self, db: Database, client: Client, due: DuePoll, manner: Manner, stop: threading.Event
    ) -> None:
        self.db = db
        self.client = client
        self.due = due
        self.manner = manner
        self.stop = stop
        self.anchor: Anchor = due.anchor
        # registers with rows that nobody was told of
        self.restless: set[str] = set()
        # changed records
        self.changes = 0
        # registers read to their end
        self.complete: list[str] = []

    @contextmanager
    def held(self) -> Iterator[TenantDb]:
        """A transaction of this poll: without the lease nothing is written. PostgreSQL's time is taken anew with it."""
        with self.db.tenant(self.due.tenant_id) as db:
            anchor = streams.hold(db, self.due, self.manner.lease)
            if anchor is None:
                raise LeaseLost
            self.anchor = anchor
            yield db

    def answered_by_now(self, asked: Asked) -> Asked:
        """The answer came before this transaction, whatever the bound says; so that the next page, asked for after it, is
        seen to be newer."""
        return Asked(asked.asked_at, min(asked.answered_at, self.anchor.db_time))

    def get(self, register: Register, key: str) -> tuple[Json, Asked]:
        """One row, read singly. Raises NotFound."""
        asked_at = self.anchor.asked()
        found = self.client.get(register.name, key)
        asked = Asked(asked_at, self.anchor.answered())
        return (found.body if isinstance(found, Stored) else found), asked

    def _fetch(self, pages: Iterator[Page]) -> Fetched | None:
        """The next page, None at the end."""
        asked_at = self.anchor.asked()
        page = next(pages, None)
        return None if page is None else Fetched(page, Asked(asked_at, self.anchor.answered()))

    def walk(self, pages: Iterator[Page]) -> Iterator[tuple[Fetched, bool | BridgeError]]:
        """Pages, each with whether the list has ended behind it, or what it ended with.

        A page that names no position is most often the last one: looking behind it asks nobody, and page and end become
        one transaction.
        """
        fetched = self._fetch(pages)
        while fetched is not None:
            following: Fetched | None = None
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


def about(system: System, register: str) -> About:
    """What a register's problems are about."""
    return About("poll", subject=f"register:{system}/{register}", system=system, register=register)
