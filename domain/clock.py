"""The only place that asks what time it is, so that a simulation can put its own clock in (never twice, rule 22).

Three clocks, for three questions:

    boot       how long ago, counted through sleep and pause of the machine: until when something is permitted
    monotonic  how long ago, for waits and time limits within a process
    wall       which day and hour, for what people and vendors read
"""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """The machine's clocks. A subclass that answers otherwise is put in with ``use``; nobody waits through a clock."""

    def boot(self) -> float:
        """Seconds since the machine started, its sleep counted; without sleep where the platform has no such clock."""
        if hasattr(time, "CLOCK_BOOTTIME"):
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic()

    def monotonic(self) -> float:
        """Seconds that never run backwards; only differences mean anything."""
        return time.monotonic()

    def wall(self) -> datetime:
        """The time of day (UTC, aware), as right as the machine is."""
        return datetime.now(UTC)


_source = Clock()


def use(clock: Clock) -> Clock:
    """Put another clock in for the whole process; the one before is given back, to be put in again."""
    global _source
    before, _source = _source, clock
    return before


def boot() -> float:
    """Seconds since the machine started: what ``not_after`` is reckoned in."""
    return _source.boot()


def monotonic() -> float:
    """Seconds for waits and time limits."""
    return _source.monotonic()


def wall() -> datetime:
    """Now, UTC and aware."""
    return _source.wall()
