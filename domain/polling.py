"""What a poll decides, without asking anybody: which registers, since when, what is left of earlier readings, which of two
states is the newer one, how far the mark moves, and whether a reading looks like an accident. What its end means stands in
``domain.poll_end``.

Two things are kept apart. *Remote stamps* say what to ask for, nothing else: they go back (summer time), stand still
and lie. *Order* is told by when PostgreSQL's clock saw a state asked for and answered (docs/never-twice.md rule 13).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.errors import Forbidden, Refused
from domain.model import Json
from domain.registers import Register
from domain.setup.settings import TenantSettings

# The registers that people keep. A month's invoices or a day's payments may well change all at once.
BRAKED = frozenset({"customer", "product", "project"})
# A reading that was cut goes on where it stopped for so long; then it begins anew, and what it brought is judged.
GOES_ON = timedelta(hours=1)
# Registers in a row after which a poll whose answers are not understood is given up: it is the server then, not the register.
NOT_KNOWN_IN_A_ROW = 3


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


def is_the_server(in_a_row: int) -> bool:
    """Whether so many registers in a row whose answers nobody understood say that no other one will be understood."""
    return in_a_row >= NOT_KNOWN_IN_A_ROW


# ---------------------------------------------------------------- what is left of earlier readings


class Left(StrEnum):
    """What an earlier poll, or a person who resumed, left to be done with a reading."""

    LET_THROUGH = "let through"
    """the rest of what it brought is announced before anything is asked"""
    GIVE_UP = "give up"
    """it will never come to its end: what it brought is judged before anything is asked"""
    GO_ON = "go on"
    """it was cut, and is read on from where it stopped when its register's turn comes"""
    NOTHING = "nothing"
    """a person is asked about it, or it is over"""


def left(reading: Reading, now: datetime) -> Left:
    """``now``: PostgreSQL's time at which this poll began."""
    if reading.state == "let_through":
        return Left.LET_THROUGH
    if reading.state != "open":
        return Left.NOTHING
    return Left.GO_ON if goes_on(reading, now) else Left.GIVE_UP


def goes_on(reading: Reading, now: datetime) -> bool:
    """Whether a reading that was cut can be gone on with."""
    return reading.position is not None and now - reading.began_at < GOES_ON


def begins_anew(error: Refused) -> bool:
    """Whether a reading that is gone on with, and refused, is worth another one from the first page: a page token does not live
    for ever, but a right that is missing stays missing."""
    return not isinstance(error, Forbidden)


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


def newest(stamps: Iterable[datetime | None], server_time: datetime | None) -> datetime | None:
    """The latest stamp of a page's rows; one ahead of the answer's own clock would make the next poll miss what comes before
    it. None: no row has one that counts."""
    known = [time for time in stamps if time is not None]
    return max((time for time in known if server_time is None or time <= server_time), default=None)


def swept(reading: Reading, *, asked_about_absence: bool) -> bool:
    """Whether a complete reading stands for the whole register. ``asked_about_absence``: domains are paused because of what
    it did not show; that is looked at again in the next poll."""
    return reading.whole and not reading.left_out and not asked_about_absence


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


class Fate(StrEnum):
    """What becomes of a reading that has ended."""

    HELD = "held"
    """nobody is told before a person has looked"""
    ANNOUNCED = "announced"
    """whom it concerns is told, in transactions of their own"""
    EMPTY = "empty"
    """there is nobody to tell"""


def fate(*, held: bool, asked: Sequence[str], waiting: int, missing: int) -> Fate:
    """``held``: the register is held already, and later readings join it. ``asked``: the domains that a person is asked about
    because the brake stops it (``asked_domains``); none where only documents changed, which may well change all at once.
    ``waiting`` rows nobody was told of, ``missing`` ones it did not show."""
    if held or asked:
        return Fate.HELD
    return Fate.ANNOUNCED if waiting or missing else Fate.EMPTY


def joins(reading: Reading, *, held: bool) -> bool:
    """Whether a reading of a register that is held already leaves the question with what a person was shown; one that read
    everything takes its place."""
    return held and not reading.shows_absence


def may_answer(reading: Reading, *, asked: bool, paused: bool) -> bool:
    """Whether the question about what was missing is over once this reading lacks nothing: it must have read everything, and
    what was paused goes on only when a person says so."""
    return reading.shows_absence and asked and not paused


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
