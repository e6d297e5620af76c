"""One of the bridge's processes on a machine whose clocks are wrong: the program as it is, with another clock put in place.

    python -m faults.skewed --minutes=-20 worker --threads 4

The clock for people is off by so many minutes; the boot-time and the monotonic clock begin elsewhere, as they do on another
machine. For `simulators` (without minutes) both vendors' clocks are off, one forward and one back. PostgreSQL's clock is
stepped by ``strikes`` itself.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta

from domain import clock
from simulators.clock import ERP, SEVERA, machine

JUMP_MINUTES = 20


class SkewedClock(clock.MachineClock):
    """The machine's clocks, ``minutes`` away."""

    def __init__(self, minutes: float) -> None:
        self._away = timedelta(minutes=minutes)

    def wall(self) -> datetime:
        return super().wall() + self._away

    def monotonic(self) -> float:
        return super().monotonic() + abs(self._away).total_seconds()

    def boot(self) -> float:
        return super().boot() + abs(self._away).total_seconds()


def main() -> None:
    """Takes the option off the command line and goes on as ``severa-bridge``."""
    if sys.argv[1] == "simulators":
        SEVERA.use(lambda: machine() + timedelta(minutes=JUMP_MINUTES))
        ERP.use(lambda: machine() - timedelta(minutes=JUMP_MINUTES))
    else:
        clock.use(SkewedClock(float(sys.argv.pop(1).removeprefix("--minutes="))))
    from app.cli import main as bridge  # noqa: PLC0415 - nothing may ask for the time before the clock stands

    bridge()


if __name__ == "__main__":
    main()
