"""Poll leases and watermarks: which connection is asked when, and how far each register has been read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.clock import Anchor
from db.sql import SQL
from db.tenant import Connection, DispatchDb, TenantDb
from domain import clock
from domain.model import System
from domain.polling import Stream


@dataclass(frozen=True, slots=True)
class DuePoll:
    """A leased poll of one connection; ``tenant`` is the tenant's name, ``began`` the database's time of the lease, ``anchor``
    what tells its time later."""

    tenant_id: UUID
    tenant: str
    system: System
    token: UUID
    began: datetime
    anchor: Anchor


def due(db: DispatchDb, token: UUID, *, lease: float, limit: int) -> list[DuePoll]:
    """Leases connections whose time has come."""
    before = clock.boot()
    rows = db.execute(SQL["streams.due"], {"token": token, "lease": lease, "limit": limit}).fetchall()
    after = clock.boot()
    return [
        DuePoll(
            row["tenant_id"],
            row["tenant"],
            row["system"],
            token,
            row["now"],
            Anchor(row["now"], before, after),
        )
        for row in rows
    ]


def lease_one(db: TenantDb, system: System, token: UUID, lease: float) -> DuePoll | None:
    """Leases one connection, live or not; None: somebody else is reading it."""
    before = clock.boot()
    row = db.execute(
        SQL["streams.lease_one"],
        {"system": system, "token": token, "lease": lease},
    ).fetchone()
    if row is None:
        return None
    anchor = Anchor(row["now"], before, clock.boot())
    return DuePoll(db.tenant_id, row["tenant"], system, token, row["now"], anchor)


def hold(db: TenantDb, poll: DuePoll, lease: float) -> Anchor | None:
    """Extends the lease while it is ours; an anchor of PostgreSQL's present time. None: nothing of this poll may be
    written any more."""
    before = clock.boot()
    row = db.execute(
        SQL["streams.hold"],
        {"system": poll.system, "token": poll.token, "lease": lease},
    ).fetchone()
    return Anchor(row["now"], before, clock.boot()) if row else None


def ended(
    db: TenantDb, poll: DuePoll, *, complete: bool, changes: int, wait: float, error: str | None
) -> None:
    """Gives the lease of a poll back, with what came of it; ``wait``: seconds until the next one. Writes nothing without the lease."""
    db.execute(
        SQL["streams.ended"],
        {
            "system": poll.system,
            "token": poll.token,
            "began": poll.began,
            "complete": complete,
            "changes": changes,
            "wait": wait,
            "error": error,
        },
    )


def ask(db: TenantDb) -> None:
    """'Run now' for the tenant."""
    db.execute(SQL["streams.ask"])


def ask_all(db: DispatchDb) -> None:
    """'Run now' for every tenant."""
    db.execute(SQL["streams.ask_all"])


def checked_since(db: DispatchDb, since: datetime) -> tuple[int, int]:
    """(connections not completely polled since then, changes their last polls brought)."""
    row = db.execute(SQL["streams.checked"], {"since": since}).fetchone()
    return (row["unchecked"], row["changes"]) if row else (0, 0)


def unchecked(db: DispatchDb, since: datetime | None) -> Sequence[Mapping[str, Any]]:
    """Connections not completely polled since then (None: ever) as (tenant, system, checked_at, paused_until, being_read)."""
    return db.execute(SQL["streams.unchecked"], {"since": since}).fetchall()


def streams(db: TenantDb, system: System) -> dict[str, Stream]:
    """Register → how far it has been read."""
    rows = db.execute(SQL["streams.get"], {"system": system})
    return {row["register"]: Stream(**row) for row in rows}


def complete(
    db: TenantDb,
    system: System,
    register: str,
    *,
    watermark: datetime | None,
    whole: bool,
    changes: int,
) -> None:
    """A register was read to its end; only now the mark moves."""
    db.execute(
        SQL["streams.complete"],
        {
            "system": system,
            "register": register,
            "watermark": watermark,
            "whole": whole,
            "changes": changes,
        },
    )


def not_understood(db: TenantDb, system: System, register: str) -> int:
    """A poll could not understand a register's answers; how many in a row."""
    values = {"system": system, "register": register}
    row = db.execute(SQL["streams.not_understood"], values).fetchone()
    return row["not_understood"] if row else 0


def swept(db: TenantDb, system: str, register: str, at: datetime) -> None:
    """What a whole reading showed then is so: the next one comes when the sweep is due."""
    db.execute(SQL["streams.swept"], {"system": system, "register": register, "at": at})


def now(db: Connection) -> datetime:
    """The database's clock."""
    row = db.execute(SQL["streams.now"]).fetchone()
    if row is None:  # a select of an expression has one row
        raise RuntimeError("PostgreSQL gave no time")
    at: datetime = row["now"]
    return at
