"""Staying within the vendors' call budgets, in process: even spacing for Severa, an hourly budget for the ERP.

No shared counter is kept in the database: Severa's ten calls per second are cut into slots that are leased, the ERP says
itself in every answer what is left (R-OPS-2).
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from connectors.verdict import LONGEST_WAIT as LONGEST_WINDOW
from connectors.verdict import limited_for, number
from domain import clock
from domain.errors import RateLimited, Unavailable

SEVERA_SLOTS = 4
CALLS_PER_SLOT = 2.0
"""Calls per second and slot: four slots make eight of the ten that Severa admits."""
LONGEST_WAIT = 10.0
MARKS = (50, 20, 5)
RESERVED_PERCENT = 20
"""Below this share only begun work goes on (the hour's last fifth is kept for it)."""
DEFAULT_PAUSE = 60.0
BRIEF_PAUSE = 5.0
"""After a 429 that says nothing while budget is left: too many calls at a time, not too many in the window."""

Purpose = Literal["poll", "new", "begun"]
"""What a call is made for: a poll, a delivery, or a delivery that has begun something remote and must not stop half way."""
Sleep = Callable[[float], None]


class Pacer(Protocol):
    """Keeps a connection within the vendor's call budget; one per connection, shared by threads."""

    def before(self, purpose: Purpose) -> None:
        """Before every call: may wait a bounded time, may raise RateLimited."""
        ...

    def after(self, status: int, headers: Mapping[str, str]) -> None:
        """After every answer; ``headers`` compare their names without regard to case."""
        ...


class SlotSource(Protocol):
    """Tells how many slots this process holds of a connection; the database leases them."""

    def held(self) -> int:
        """How many slots this process holds now."""
        ...


class FixedSlots:
    """A fixed number of slots: one process that has the connection to itself."""

    def __init__(self, count: int = SEVERA_SLOTS) -> None:
        self._count = count

    def held(self) -> int:
        """The number."""
        return self._count


class BudgetSink(Protocol):
    """Is told about a connection's budget only when something changes that others must know."""

    def crossed(self, percent: int) -> None:
        """The rest of the window's budget fell below 50, 20 or 5 percent."""
        ...

    def paused(self, seconds: float) -> None:
        """The vendor answered 429: no call for so long from now. Seconds, since only the database's clock is everybody's."""
        ...


class NoSink:
    """A BudgetSink that keeps nothing."""

    def crossed(self, percent: int) -> None:
        """Nothing."""

    def paused(self, seconds: float) -> None:
        """Nothing."""


class NoPacing:
    """A Pacer that never waits (tests against a simulator without a limit)."""

    def before(self, purpose: Purpose) -> None:
        """Nothing."""

    def after(self, status: int, headers: Mapping[str, str]) -> None:
        """Nothing."""


def _sleeper(stop: threading.Event | None) -> Sleep:
    waiting = stop or threading.Event()

    def sleep(seconds: float) -> None:
        if waiting.wait(seconds):
            raise Unavailable("stopping", costs_attempt=False)

    return sleep


class SlotPacer:
    """Spaces calls evenly: 2 per second and slot held; after a 429 nobody calls for ``Retry-After`` or about a second."""

    def __init__(
        self,
        slots: SlotSource | None = None,
        *,
        calls_per_slot: float = CALLS_PER_SLOT,
        longest_wait: float = LONGEST_WAIT,
        clock: Callable[[], float] = clock.monotonic,
        sleep: Sleep | None = None,
        jitter: Callable[[], float] = random.random,
        stop: threading.Event | None = None,
    ) -> None:
        """``longest_wait`` in seconds: a call that would have to wait longer raises RateLimited instead. ``jitter``
        gives 0 … 1. ``sleep`` replaces the wait that ``stop`` interrupts (then Unavailable is raised)."""
        self._slots = slots or FixedSlots()
        self._rate = calls_per_slot
        self._longest = longest_wait
        self._clock = clock
        self._sleep = sleep or _sleeper(stop)
        self._jitter = jitter
        self._lock = threading.Lock()
        self._next = float("-inf")
        self._resume = float("-inf")

    def before(self, purpose: Purpose) -> None:
        """Waits for this caller's turn. Raises RateLimited when the turn is too far away or no slot is held."""
        deadline = self._clock() + self._longest
        while (held := self._slots.held()) <= 0:
            # Slots come back within a second or two, when another process finishes its delivery.
            if self._clock() + 0.25 > deadline:
                raise RateLimited("no call slot is free", retry_after=1.0)
            self._sleep(0.25)
        with self._lock:
            now = self._clock()
            turn = max(now, self._next, self._resume)
            if turn > deadline:
                raise RateLimited("the call budget is used up", retry_after=turn - now)
            self._next = turn + 1.0 / (held * self._rate)
        # A 429 that another thread met in the meantime moves the end of the pause, not the turns already given.
        while (wait := max(turn, self._resume) - self._clock()) > 0:
            if self._clock() + wait > deadline + self._longest:
                raise RateLimited("the call budget is used up", retry_after=wait)
            self._sleep(wait)

    def after(self, status: int, headers: Mapping[str, str]) -> None:
        """Notes a 429."""
        if status != 429:
            return
        pause = limited_for(headers)
        with self._lock:
            base = 1.0 if pause is None else pause
            self._resume = max(self._resume, self._clock() + base + self._jitter() * 0.5)


class BudgetPacer:
    """Learns an hourly budget from ``X-RateLimit-Limit/-Remaining/-Reset`` and keeps its last fifth for begun work.

    Never waits: what does not fit now goes back to the queue with RateLimited, which costs no attempt.
    """

    def __init__(
        self,
        sink: BudgetSink | None = None,
        *,
        paused_for: float = 0.0,
        clock: Callable[[], float] = clock.monotonic,
    ) -> None:
        """``paused_for``: seconds that are left of a pause that another process already met."""
        self._sink = sink or NoSink()
        self._clock = clock
        self._lock = threading.Lock()
        self._limit = 0
        self._left: int | None = None
        self._reset = float("-inf")
        self._pause = clock() + paused_for
        self._mark = 100

    @property
    def percent(self) -> int | None:
        """Share of the window's budget that is left, None = not known."""
        with self._lock:
            return self._percent()

    def before(self, purpose: Purpose) -> None:
        """Raises RateLimited(retry_after = the window's end) for "new" and "poll" below 20 %, for all when nothing is left."""
        with self._lock:
            now = self._clock()
            if now < self._pause:
                raise RateLimited(retry_after=self._pause - now)
            left = self._percent()
            if left is None or self._left is None:
                return
            wait = max(0.0, self._reset - now)
            if self._left <= 0 or (left < RESERVED_PERCENT and purpose != "begun"):
                raise RateLimited(retry_after=wait)
            # Threads that call at the same time share what the last answer left; the next answer sets it right.
            self._left -= 1

    def after(self, status: int, headers: Mapping[str, str]) -> None:
        """Learns from the answer; tells the sink at most once per mark and window."""
        with self._lock:
            now = self._clock()
            self._learn(headers, now)
            pause = self._met(headers, now) if status == 429 else None
            marks = self._marks()
        # Outside the lock: the sink writes to the database.
        if marks:
            self._sink.crossed(marks[-1])
        if pause is not None:
            self._sink.paused(pause)

    def _learn(self, headers: Mapping[str, str], now: float) -> None:
        limit, left = number(headers, "x-ratelimit-limit"), number(headers, "x-ratelimit-remaining")
        reset = number(headers, "x-ratelimit-reset")
        if now >= self._reset:
            self._mark = 100
        if limit and left is not None:
            self._limit, self._left = limit, left
            self._reset = now + min(DEFAULT_PAUSE if reset is None else float(reset), LONGEST_WINDOW)

    def _met(self, headers: Mapping[str, str], now: float) -> float | None:
        """The pause after a 429, None when a longer one is running already."""
        pause = limited_for(headers)
        if pause is None:
            pause = BRIEF_PAUSE if number(headers, "x-ratelimit-remaining") else DEFAULT_PAUSE
        if now + pause <= self._pause:
            return None
        self._pause = now + pause
        return pause

    def _marks(self) -> list[int]:
        percent = self._percent()
        if percent is None:
            return []
        marks = [mark for mark in MARKS if percent < mark < self._mark]
        self._mark = min([self._mark, *marks])
        return marks

    def _percent(self) -> int | None:
        if not self._limit or self._left is None or self._clock() >= self._reset:
            return None
        return max(0, self._left) * 100 // self._limit
