"""Is this still the database that the bridge last wrote to? A restored, copied or rewound one must not create blindly.

The row ``installation`` knows the server, the database and the transaction that wrote it: no dump can bring all three
back. A physical copy brings them all, so a beat is written each second, and processes remember the last one elsewhere
(``app/memory.py``). ``bridge_epoch()`` compares in every claim; here is what people and the relay ask.

Every statement that updates the row writes its own transaction's number into it, outside any savepoint, and none does
so where that number was already wrong: that would heal what a restore has broken.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from db.sql import SQL
from db.tenant import DispatchDb, TenantDb

Reason = Literal["restored", "moved", "copied"]


@dataclass(frozen=True, slots=True)
class Beat:
    """One beat: of which history, the how many-th, and a random number of its own."""

    history: UUID
    number: int
    random: UUID


@dataclass(frozen=True, slots=True)
class Facts:
    """How the database stands to what it remembers of itself. ``recent``: its last beats' random numbers, newest last.

    ``served``: a tenant has gone live in it, so something may have been sent. ``stepped``: a step of PostgreSQL's clock is
    being waited out. ``now``: PostgreSQL's time.
    """

    writes: str
    reason: Reason | None
    history: UUID
    epoch: int
    quiet_until: datetime | None
    now: datetime
    stepped: bool
    same_server: bool
    same_database: bool
    same_row: bool
    same_timeline: bool
    same_start: bool
    number: int
    recent: list[UUID]
    served: bool

    def position(self, beat: Beat) -> int | None:
        """How many beats ago the database wrote this one; None: it did not, or too long ago to tell."""
        ago = self.number - beat.number
        if not 0 <= ago < len(self.recent) or self.recent[-1 - ago] != beat.random:
            return None
        return ago


def look(db: DispatchDb) -> Facts | None:
    """None: a database without the row, which is being restored."""
    row = db.execute(SQL["installation.look"]).fetchone()
    return Facts(**row) if row else None


def beat(db: DispatchDb, random: UUID) -> Beat | None:
    """The next beat; None: this is not surely the same database, or writes are off."""
    row = db.execute(SQL["installation.beat"], {"random": random}).fetchone()
    return Beat(row["history"], row["number"], random) if row else None


def carry_on(db: DispatchDb, history: UUID) -> None:
    """The server was started anew and nothing is missing."""
    db.execute(SQL["installation.carry_on"], {"history": history})


def stop(db: DispatchDb, history: UUID, reason: Reason) -> None:
    """Nothing is claimed until ``begin_epoch``."""
    db.execute(SQL["installation.stop"], {"history": history, "reason": reason})


def begin_epoch(db: DispatchDb, history: UUID, settle: float) -> int | None:
    """This database counts from now on: leases and tokens void, quiet for ``settle`` seconds, every register read anew.

    None: somebody else has begun one since ``history`` was seen.
    """
    row = db.execute(SQL["installation.begin_epoch"], {"settle": settle, "history": history}).fetchone()
    return row["epoch"] if row else None


def read_clock(db: DispatchDb) -> tuple[datetime, bool]:
    """The database's time, and whether leases mean something (False: a step is being waited out)."""
    row = db.execute(SQL["installation.clock"]).fetchone()
    if row is None:  # a select of expressions has one row
        raise RuntimeError("PostgreSQL gave no time")
    return row["now"], row["steady"]


def set_steady(db: DispatchDb, *, steady: bool) -> None:
    """Ends or begins the pause after a step of the clock."""
    db.execute(SQL["installation.steady" if steady else "installation.unsteady"])


def within_reach(db: DispatchDb, *, wait: float, poll: float, lease: float) -> None:
    """After a step back of the clock: no wait, poll or lease lies further ahead than any may. Seconds. Tells nothing new to
    a clock that stepped forward."""
    values = {"wait": wait, "poll": poll, "lease": lease}
    for name in ("work", "polls", "messages", "matters"):
        db.execute(SQL[f"installation.reachable_{name}"], values)


def read_anew_if_served(db: TenantDb, settle: float) -> bool:
    """A tenant whose books show documents of the bridge at its first reading: both systems are read once more, later.

    False: nobody has served this pair before, and nothing has to be waited for.
    """
    values = {"settle": settle}
    row = db.execute(SQL["installation.served_before"], values).fetchone()
    if row is None or not row["found"]:
        return False
    db.execute(SQL["installation.read_anew"], values)
    db.execute(SQL["installation.forget_marks"], values)
    db.execute(SQL["readings.forget"], values)
    return True
