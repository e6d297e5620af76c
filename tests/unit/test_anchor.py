"""PostgreSQL's time around a request, known from one statement: the true moment always lies within the bounds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.clock import Anchor
from domain import clock

NOON = datetime(2026, 10, 25, 12, tzinfo=UTC)
SECONDS = st.floats(0, 5_000)


class Standing(clock.MachineClock):
    """A boot-time clock that stands where a test puts it."""

    def __init__(self, at: float) -> None:
        self.at = at

    def boot(self) -> float:
        return self.at


@given(before=SECONDS, there=SECONDS, back=SECONDS, later=SECONDS, drift=st.floats(-0.0005, 0.0005))
def test_the_true_time_lies_within_the_bounds(
    before: float, there: float, back: float, later: float, drift: float
) -> None:
    """The statement took ``there`` to reach PostgreSQL and ``back`` to return; its clock runs a little fast or slow."""
    anchor = Anchor(NOON, before, before + there + back)
    boot = before + there + back + later
    true = NOON + timedelta(seconds=(back + later) * (1 + drift))
    slack = timedelta(microseconds=2)
    assert anchor.asked(boot) <= true + slack
    assert true - slack <= anchor.answered(boot)


def test_the_bounds_are_as_far_apart_as_the_statement_took() -> None:
    anchor = Anchor(NOON, 10.0, 10.2)
    assert anchor.answered(10.2) - anchor.asked(10.2) == pytest.approx(
        timedelta(seconds=0.2), abs=timedelta(seconds=0.001)
    )


def test_what_is_asked_after_the_anchor_is_never_dated_before_it() -> None:
    """The next request of a poll is asked after the store of the page before it, and must be seen to be."""
    assert Anchor(NOON, 10.0, 10.2).asked(10.2) >= NOON


def test_a_pause_of_the_machine_counts() -> None:
    """The boot-time clock goes on while a laptop sleeps; both bounds move with it."""
    standing = Standing(10.0)
    before = clock.use(standing)
    try:
        anchor = Anchor(NOON, 10.0, 10.0)
        standing.at = 3610.0
        hour = timedelta(hours=1)
        assert anchor.asked() <= NOON + hour <= anchor.answered()
        assert anchor.asked() == pytest.approx(NOON + hour, abs=timedelta(seconds=4))
    finally:
        clock.use(before)
