"""What a poll decides, without asking anybody: which registers, since when, which of two states is the newer one, how far
the mark moves, and whether a reading looks like an accident.

Two things are kept apart. *Remote stamps* say what to ask for, nothing else: they go back (summer time), stand still
and lie. *Order* is told by when PostgreSQL's clock saw a state asked for and answered (docs/never-twice.md rule 13).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.model import Json
from domain.registers import Register
from domain.setup.settings import TenantSettings

# The registers that people keep. A month's invoices or a day's payments may well change all at once.
BRAKED = frozenset({"customer", "product", "project"})
# A reading that was cut goes on where it stopped for so long; then it begins anew, and what it brought is judged.
GOES_ON = timedelta(hours=1)


# ---------------------------------------------------------------- what is known


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a register, as far as it has come.

    ``since`` None: it reads everything. ``began_at``: PostgreSQL's time before its first request. ``mark_at``: no mark
    may be later (the server's time of the first answer). ``unreadable`` rows were a problem each, ``left_out`` ones are
    asked for again since nobody can tell their order.
    """

    id: int
    register: str
    state: str
    whole: bool
    since: datetime | None
    began_at: datetime
    completed_at: datetime | None
    position: str | None
    mark_at: datetime
    newest: datetime | None
    rows: int = 0
    changed: int = 0
    unreadable: int = 0
    left_out: int = 0
    announced: int = 0

    @property
    def shows_absence(self) -> bool:
        """Whether a record that it did not show is missing: everything was asked for, read to the end, and readable."""
        return self.whole and self.completed_at is not None and not self.left_out and not self.unreadable


@dataclass(frozen=True, slots=True)
class Stream:
    """How far a register has been read. ``unsure_since``: the earliest record whose order is not known (``read_again``)."""

    register: str
    watermark: datetime | None
    complete_at: datetime | None
    swept_at: datetime | None
    unsure_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """The installation's waits: how often whole registers are read, how far before the mark is asked again."""

    sweep: timedelta
    reference: timedelta
    overlap: timedelta


# ---------------------------------------------------------------- which registers, since when


def wanted(
    registers: Iterable[Register],
    streams: Mapping[str, Stream],
    settings: TenantSettings,
    began: datetime,
    pace: Pace,
    *,
    shown: frozenset[str] = frozenset(),
    open_ones: frozenset[str] = frozenset(),
) -> list[Register]:
    """The registers of this poll, in order: reference registers first, since what is planned from a page needs them.

    ``shown``: registers whose rows another one shows as well. ``open_ones``: registers whose last reading was cut; they come
    last, so that one that breaks every time does not keep the others from being read.
    """
    found = []
    for register in registers:
        if not register.wanted(settings):
            continue
        stream = streams.get(register.name)
        read_at = stream.complete_at if stream else None
        seldom = register.reference or register.slow or register.name in shown
        if seldom and read_at is not None and read_at > began - pace.reference:
            continue
        found.append(register)
    return sorted(found, key=lambda one: (one.name in open_ones, not one.reference))


def since(register: Register, stream: Stream | None, began: datetime, pace: Pace) -> datetime | None:
    """From when changes are asked for; None = everything: at first, once per sweep, and of reference registers."""
    if stream is None or stream.watermark is None or register.reference:
        return None
    if stream.swept_at is None or stream.swept_at < began - pace.sweep:
        return None
    return min(stream.watermark, stream.unsure_since or stream.watermark) - pace.overlap


def goes_on(reading: Reading, now: datetime) -> bool:
    """Whether a reading that was cut can be gone on with."""
    return reading.position is not None and now - reading.began_at < GOES_ON


# ---------------------------------------------------------------- which of two states is newer


class Order(StrEnum):
    """How a state that was just answered stands to the one that is stored."""

    NEWER = "newer"
    """asked for after the stored one had been answered"""
    OLDER = "older"
    """answered before the stored one was asked for"""
    OVERLAPS = "overlaps"
    """nobody can tell: it is read again"""


@dataclass(frozen=True, slots=True)
class Asked:
    """PostgreSQL's time before a request and after its answer."""

    asked_at: datetime
    answered_at: datetime


def order(new: Asked, stored: Asked, now: datetime) -> Order:
    """A stored time that is still to come was written before PostgreSQL's clock was set back: it orders nothing."""
    if stored.answered_at <= new.asked_at or stored.answered_at > now:
        return Order.NEWER
    if new.answered_at <= stored.asked_at:
        return Order.OLDER
    return Order.OVERLAPS


# ---------------------------------------------------------------- how far the mark moves


def first_mark(server_time: datetime | None, asked_at: datetime, pace: Pace) -> datetime:
    """No mark of a reading may be later than this: the server's time of its first answer, or, when that says none, the
    time before it was asked for, less the overlap (the server's clock may be behind ours)."""
    return server_time if server_time is not None else asked_at - pace.overlap


def mark(
    before: datetime | None, newest: datetime | None, mark_at: datetime, *, left_out: int = 0
) -> datetime | None:
    """The watermark after a complete reading; None = none yet (the register is read whole again).

    ``before``: the one it had; ``newest``: latest stamp of its rows; ``mark_at``: the server's time of its first answer, and
    never later than that: rows that were read early may have changed while the later pages were read. It may go back: a
    clock that was ahead must not hide changes until it is reached. ``left_out`` rows are asked for again.
    """
    stamps = [time for time in (before, newest) if time is not None]
    if left_out or not stamps:
        return before
    return min(max(stamps), mark_at)


# ---------------------------------------------------------------- let through or held


@dataclass(frozen=True, slots=True)
class Count:
    """What a reading of a register would have announced: records ``known`` before, of them ``changed`` (over all readings
    that were not announced, dead ones included) and ``missing``; ``rows`` it showed."""

    known: int
    changed: int
    missing: int
    rows: int


@dataclass(frozen=True, slots=True)
class Brake:
    """The installation's limits: more than ``percent`` of a register and at least ``records`` of it (R-CON-3)."""

    percent: int
    records: int

    def stops(self, register: Register, count: Count) -> bool:
        """Whether it looks like an accident. Rows leave a passing register in everyday use: absence says nothing there."""
        if not count.known:
            return False
        missing = 0 if register.passing else count.missing
        if missing and not count.rows:
            return True
        changed = count.changed + missing
        return changed >= self.records and changed * 100 > count.known * self.percent


def domains(register: Register, bodies: Iterable[Json]) -> set[str]:
    """The domains that rows of a register concern."""
    return {concern.domain for body in bodies for concern in register.concerns(body)}


def held_back(register: Register, body: Json) -> bool:
    """Whether a changed row waits until its reading is let through; others are announced with their page."""
    return not BRAKED.isdisjoint(domains(register, [body]))


def asked_domains(
    register: Register, waiting: Sequence[Json], missing: Sequence[Json], *, many: bool
) -> list[str]:
    """The domains that a person is asked about: those that people keep, for changes and for absence; any other only when
    ``many`` are missing (a few are looked at singly). Rows leave a passing register in everyday use."""
    absent = set() if register.passing else domains(register, missing)
    return sorted((domains(register, waiting) & BRAKED) | (absent if many else absent & BRAKED))
