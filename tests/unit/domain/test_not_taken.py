"""A change that a system answered with a yes and does not show (docs/never-twice.md rule 15): written once more, then told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from domain.customer.steps import settle as settle_customer
from domain.errors import Stop, TryLater
from domain.model import Domain, Settled
from domain.product.steps import settle
from domain.setup.settings import TenantSettings
from tests.fakes import World
from tests.fakes_delivery import FakeDelivery
from tests.fakes_registers import poll, put_erp, put_severa, world
from tests.unit.domain.customer_world import later, ours, theirs
from tests.unit.domain.customer_world import linked as met
from tests.unit.domain.customer_world import world as customer_world
from tests.unit.domain.product_world import item, linked, product
from tests.unit.domain.test_customer_contacts import contact, person

Settle = Callable[[FakeDelivery], Settled]


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


# ---------------------------------------------------------------- when two meet


def _until_told(made: World, domain: Domain, settle: Settle, **which: tuple[str, str]) -> None:
    """A first meeting whose write is never taken: tried once more, then a person is told, and the pair is kept."""
    delivery = made.delivery(domain, **which)
    with pytest.raises(TryLater):
        settle(delivery)
    with pytest.raises(Stop) as caught:
        settle(delivery.again())
    stop = caught.value
    assert stop.code == "work.not_taken"
    assert stop.effects is not None
    assert stop.effects.link is not None
    made.books.write_link(domain, stop.effects.link)
    made.see(stop.effects.seen)


def _then(made: World, domain: Domain, settle: Settle, **which: tuple[str, str]) -> list[str]:
    made.clock.forward(3600)
    poll(made)
    after = made.delivery(domain, **which)
    settled = settle(after)
    made.finish(after, settled)
    return [line.code for line in settled.effects.log]


@pytest.mark.req("R-CON-1")
def test_what_was_not_taken_when_two_products_met_is_still_decided_by_the_rule() -> None:
    made = world()
    made.tenant = replace(made.tenant, settings=TenantSettings(conflict_product="severa"))
    put_severa(made, "products", product(name="Licence 2"))
    put_erp(made, "inventory", "LIC", item())
    made.erp.lies["update", "inventory"] = 2

    _until_told(made, "product", settle, severa=("products", "p-LIC"))
    said = _then(made, "product", settle, severa=("products", "p-LIC"))

    assert made.erp.stored("inventory", "LIC")["description"] == "Licence 2"
    assert said == ["product.updated_in_erp", "product.overruled"]


@pytest.mark.req("R-CON-1")
def test_what_was_not_taken_when_two_customers_met_is_still_decided_by_the_rule() -> None:
    made = customer_world()
    made.tenant = replace(made.tenant, settings=TenantSettings(conflict_customer="severa"))
    put_severa(made, "customers", ours(website="https://severa.example"))
    put_erp(made, "customer", "20001", theirs(mainContact={"web": "https://erp.example"}))
    made.erp.lies["update", "customer"] = 2

    _until_told(made, "customer", settle_customer, severa=("customers", "c1"))
    _then(made, "customer", settle_customer, severa=("customers", "c1"))

    assert made.erp.stored("customer", "20001")["mainContact"]["web"] == "https://severa.example"


@pytest.mark.req("R-CON-1")
def test_a_word_that_nobody_knew_when_two_contacts_met_is_still_decided_by_the_rule() -> None:
    made = customer_world()
    made.tenant = replace(made.tenant, settings=TenantSettings(conflict_customer="visma_net"))
    put_severa(made, "contactpersons", person(salutation=None))
    put_erp(made, "contact", "700", contact(title="Doctor"))
    met(made)
    there = made.erp.stored("contact", "700")
    assert made.severa.stored("contactpersons", "p1")["salutation"] is None
    there["title"] = "Mr"

    later(made)

    assert made.severa.stored("contactpersons", "p1")["salutation"] == "Mr."
