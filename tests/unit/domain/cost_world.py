"""Settling documents of costs and looking at what came of it."""

from __future__ import annotations

from decimal import Decimal

from domain.cost.steps import settle
from domain.errors import Stop
from domain.model import Effects, Json
from tests.fakes import World
from tests.fakes_costs import (
    INVOICE,
    fees,
    put,
)


def settled(made: World, place: tuple[str, str] = INVOICE) -> Effects:
    delivery = made.delivery("cost", erp=place)
    done = settle(delivery)
    made.finish(delivery, done)
    return done.effects


def brought(made: World, body: Json) -> list[Json]:
    settled(made, put(made, body))
    return fees(made)


def stopped(made: World, place: tuple[str, str] = INVOICE) -> Stop:
    (outcome,) = made.run(settle, made.delivery("cost", erp=place))
    assert isinstance(outcome.error, Stop)
    return outcome.error


def costs(made: World) -> list[Decimal]:
    return [fee["unitCost"]["amount"] for fee in fees(made)]


def creates(made: World) -> list[str]:
    return [str(call) for call in made.calls if call.method == "create"]
