"""What time it is at each vendor. The machine's clock, unless a simulation gives a vendor one of its own.

The two vendors' clocks agree neither with each other nor with the bridge's: a schedule may step one of them alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Now = Callable[[], datetime]

SET_UP_BEFORE = timedelta(days=90)
"""So long before a firm is met its registers were entered: an interface that is asked for what changed lately shows none of them."""


def machine() -> datetime:
    """The machine's time, UTC."""
    return datetime.now(UTC)


class VendorClock:
    """One vendor's clock."""

    def __init__(self) -> None:
        self._now: Now = machine

    def now(self) -> datetime:
        """UTC, aware."""
        return self._now()

    def seconds(self) -> float:
        """The same, in seconds since 1970."""
        return self._now().timestamp()

    def use(self, now: Now) -> None:
        """Puts another clock in place; ``machine`` puts the old one back."""
        self._now = now


SEVERA = VendorClock()
ERP = VendorClock()
