"""A vendor that says that a record is not there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.errors import NotFound, Stop, TryLater
from domain.model import System
from tests.fakes import FakeDelivery, World


def denied(made: World, system: System, *registers: str) -> None:
    """A gateway says 404 once of what is there: to each of these reads."""
    for register in registers:
        made.faults.arm("get", register, NotFound("Resource not found", system=system, status=404))


def said_once(made: World, settle: Callable[[FakeDelivery], object], delivery: FakeDelivery) -> FakeDelivery:
    """It is said once, which says nothing; the next attempt, when saying it again counts."""
    with pytest.raises(TryLater) as later:
        settle(delivery)
    assert (later.value.retry_after, later.value.costs_attempt) == (made.limits.absence_seconds, False)
    made.clock.forward(made.limits.absence_seconds)
    return delivery.again()


def said_twice(made: World, settle: Callable[[FakeDelivery], object], delivery: FakeDelivery) -> Stop:
    """It is said twice; what a person is told."""
    delivery = said_once(made, settle, delivery)
    with pytest.raises(Stop) as stop:
        settle(delivery)
    return stop.value
