"""A tenant that leaves: nothing of it is let through any more, and what has to be over before it may be erased (rule 23).

Every statement needs a transaction of the tenant, but ``erasures``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from db.codec import jsonb
from db.sql import SQL
from db.tenant import DispatchDb, TenantDb


@dataclass(frozen=True, slots=True)
class Waits:
    """What has to be over. ``at_work``: deliveries; ``unanswered``: calls without an answer; ``unsettled``: a settle time runs,
    of an answered call too; ``quiet``: a restored database's quiet time runs; ``until``: when all of it is over at the
    latest, unless a delivery begins another call. ``now``: PostgreSQL's time."""

    at_work: int
    unanswered: int
    until: datetime | None
    unsettled: bool
    quiet: bool
    steady: bool
    writes: bool
    now: datetime

    @property
    def over(self) -> bool:
        """Nothing is under way or may come true any more, in a database and at a time that can be believed."""
        return self.steady and self.writes and not (self.at_work or self.unsettled or self.quiet)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A matter that the vendors show unfinished: ``in_doubt``, ``held`` (its ``documents`` may stand on hold) or ``begun``.
    ``at_work``: a delivery is under way and may still end it."""

    what: Literal["in_doubt", "held", "begun"]
    domain: str
    severa_id: str | None
    erp_id: str | None
    number: str
    name: str
    documents: str
    at_work: bool


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is left of an erased tenant; ``ended_at`` None: not at its end. ``counts``: rows per table; ``unfinished``: matters by
    kind, as the operator was told; ``exported_to``: '' = nowhere."""

    id: UUID
    name: str
    who: str
    began_at: datetime
    ended_at: datetime | None
    exported_to: str
    counts: Mapping[str, int]
    unfinished: Mapping[str, int]


def leave(db: TenantDb) -> bool:
    """Nothing is let through from the commit on; False: it was leaving already."""
    # In the order of a poll, which holds its connection when it pauses a domain.
    db.execute(SQL["leaving.stop_polls"])
    return db.execute(SQL["leaving.leave"]).fetchone() is not None


def waits(db: TenantDb) -> Waits:
    """Looked at now; leases that have run out are taken back first."""
    db.execute(SQL["leaving.reap"])
    row = db.execute(SQL["leaving.waits"]).fetchone()
    if row is None:  # a select of expressions has one row
        raise RuntimeError("PostgreSQL gave no time")
    return Waits(**row)


def unfinished(db: TenantDb) -> list[Unfinished]:
    """In doubt, held and begun, by kind."""
    return [Unfinished(**row) for row in db.execute(SQL["leaving.unfinished"])]


def begin_erasing(db: TenantDb, who: str, exported_to: str, left: Mapping[str, int]) -> bool:
    """The last look, then nothing leads back; False: something is not over, or it stays after all."""
    if db.execute(SQL["leaving.begin_erasing"]).fetchone() is None:
        return False
    values = {"who": who, "exported_to": exported_to, "unfinished": jsonb(left)}
    db.execute(SQL["leaving.begun_erasing"], values)
    return True


def count(db: TenantDb, table: str, rows: int) -> None:
    """Adds to what was erased, in the transaction that erases it."""
    db.execute(SQL["leaving.count"], {"table": table, "n": rows})


def lock(db: TenantDb) -> bool:
    """Waits for whoever writes about the tenant; afterwards nobody begins to. False: it is not being erased."""
    return db.execute(SQL["leaving.lock"]).fetchone() is not None


def end(db: TenantDb) -> Erasure:
    """The tenant itself goes. Raises psycopg's ForeignKeyViolation when something of it came in meanwhile."""
    if db.execute(SQL["leaving.erased"]).fetchone() is None:
        raise RuntimeError("the tenant was not erased")
    row = db.execute(SQL["leaving.ended"]).fetchone()
    if row is None:
        raise RuntimeError("an erasure is written before it begins")
    return Erasure(**row)


def erasure(db: TenantDb) -> Erasure | None:
    """This tenant's own, once it has begun."""
    row = db.execute(SQL["leaving.erasure"]).fetchone()
    return Erasure(**row) if row else None


def erasures(db: DispatchDb) -> list[Erasure]:
    """All of this installation, oldest first."""
    return [Erasure(**row) for row in db.execute(SQL["leaving.erasures"])]
