"""A change that a system answered with a yes and does not show (docs/never-twice.md rule 15): written once more, then told."""

from __future__ import annotations

import pytest

from domain.errors import Stop, TryLater
from domain.product.steps import settle
from tests.fakes import World
from tests.fakes_registers import poll, world
from tests.unit.domain.product_world import linked


@pytest.fixture
def edited() -> World:
    """A product that was renamed in Severa, polled."""
    made = world()
    linked(made)
    made.clock.forward(3600)
    made.severa.patch("products", "p-LIC", {"/name": "Licence 2"})
    poll(made)
    return made


def test_one_that_was_not_taken_is_written_again_and_then_agreed(edited: World) -> None:
    edited.erp.lies["update", "inventory"] = 1
    delivery = edited.delivery("product", severa=("products", "p-LIC"))
    with pytest.raises(TryLater, match="name"):
        settle(delivery)
    again = delivery.again()
    settled = settle(again)
    edited.finish(again, settled)
    assert edited.erp.stored("inventory", "LIC")["description"] == "Licence 2"
    assert [line.code for line in settled.effects.log] == ["product.updated_in_erp"]


def test_one_that_is_never_taken_is_told_and_stays_a_change(edited: World) -> None:
    edited.erp.lies["update", "inventory"] = 2
    delivery = edited.delivery("product", severa=("products", "p-LIC"))
    with pytest.raises(TryLater):
        settle(delivery)
    with pytest.raises(Stop) as caught:
        settle(delivery.again())
    stop = caught.value
    assert (stop.code, stop.values["fields"], stop.values["system"]) == (
        "work.not_taken",
        ["name"],
        "visma_net",
    )
    assert stop.effects is not None
    assert stop.effects.log == ()
    assert stop.effects.link is not None
    assert stop.effects.link.base is not None
    assert stop.effects.link.base["name"] == ["Licence", "Licence"]
    # Once it is taken the next delivery brings it.
    edited.books.write_link("product", stop.effects.link)
    edited.see(stop.effects.seen)
    after = edited.delivery("product", severa=("products", "p-LIC"))
    edited.finish(after, settle(after))
    assert edited.erp.stored("inventory", "LIC")["description"] == "Licence 2"
