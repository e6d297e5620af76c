"""PostgreSQL's time around something that PostgreSQL does not see: a request to a vendor.

What was asked for when is told by PostgreSQL's clock (docs/never-twice.md rule 13), but a statement before and after each
request would double the transactions of a poll. Any statement that returned ``bridge_now()`` is an anchor: the moment it
shows lies between the two readings of this machine's boot-time clock around the statement, so that PostgreSQL's time at
any later moment is known within the statement's own duration.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain import clock

# Two clocks of good machines part by less than this share of the time that passed since they were compared.
DRIFT = 0.001


@dataclass(frozen=True, slots=True)
class Anchor:
    """``db_time`` as a statement returned it; ``boot_before`` and ``boot_after`` are ``domain.clock.boot()`` around it."""

    db_time: datetime
    boot_before: float
    boot_after: float

    def asked(self, boot: float | None = None) -> datetime:
        """A lower bound of PostgreSQL's time at ``boot`` (default: now): it was not earlier than this.

        Right for the moment before a request: whatever was answered before this moment is older.
        """
        since = (clock.boot() if boot is None else boot) - self.boot_after
        return self.db_time + timedelta(seconds=since - abs(since) * DRIFT)

    def answered(self, boot: float | None = None) -> datetime:
        """An upper bound of PostgreSQL's time at ``boot`` (default: now): it was not later than this."""
        since = (clock.boot() if boot is None else boot) - self.boot_before
        return self.db_time + timedelta(seconds=since + abs(since) * DRIFT)
