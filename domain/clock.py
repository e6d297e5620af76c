"""The only place that asks the machine for the time.

``wall``       UTC, for what people read. Never for leases or due times: those are PostgreSQL's (``bridge_now()``).
``monotonic``  seconds of a clock that never steps back, for durations.
``boot``       seconds since the machine started, sleep included: what a permission that runs out (``not_after``) is
               reckoned by. A laptop lid or a paused virtual machine must not make an old permission look young.

A simulation puts its own clock here (``use``), so that a schedule decides what time it is. A test forbids every other
call of ``time`` and ``datetime.now`` in the bridge.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

_BOOT = getattr(time, "CLOCK_BOOTTIME", None)


class Clock(Protocol):
    """What a simulation replaces."""

    def wall(self) -> datetime:
        """UTC, for people."""
        ...

    def monotonic(self) -> float:
        """Seconds, for durations."""
        ...

    def boot(self) -> float:
        """Seconds with sleep included, for permissions."""
        ...

    def pause(self, seconds: float) -> None:
        """Waits."""
        ...


class MachineClock:
    """The machine's own clocks."""

    def wall(self) -> datetime:
        """The machine's UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """``time.monotonic``."""
        return time.monotonic()

    def boot(self) -> float:
        """``CLOCK_BOOTTIME`` where the system has it."""
        # Where there is no such clock (macOS, Windows), the monotonic one stands still while the machine sleeps: the
        # lease is then checked by PostgreSQL's clock only.
        return time.monotonic() if _BOOT is None else time.clock_gettime(_BOOT)

    def pause(self, seconds: float) -> None:
        """``time.sleep``."""
        time.sleep(seconds)


_clock: Clock = MachineClock()


def use(clock: Clock) -> Clock:
    """Puts another clock in place for this process; the one that stood there before."""
    global _clock
    before, _clock = _clock, clock
    return before


def wall() -> datetime:
    """The time for people, UTC."""
    return _clock.wall()


def monotonic() -> float:
    """Seconds; only differences mean anything."""
    return _clock.monotonic()


def boot() -> float:
    """Seconds since the machine started, sleep included; only differences mean anything."""
    return _clock.boot()


def pause(seconds: float) -> None:
    """Do nothing for a while; only for waits on another program's start, never on work."""
    _clock.pause(seconds)


def settle_time(*, not_after: float, limit: float, margin: float, visibility: float) -> float:
    """Seconds from a call's ``begin`` until it has been carried out or never will be, and shows: it may leave until its
    not-after, lasts no longer than its limit (``margin``: and the writing down), and what it made shows after the vendor's
    visibility time. A step is judged after it, and a new epoch is quiet for it: what the lost future sent last ends so
    (docs/never-twice.md rules 5 and 10)."""
    return not_after + limit + margin + visibility
