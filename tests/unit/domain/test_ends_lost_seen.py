"""A delivery wrote, its end was lost, and one system is polled sooner than the other: what was sent is newer than what was seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.customer.steps import settle as settle_customer
from domain.product.steps import settle as settle_product
from tests.fakes import World
from tests.fakes_registers import poll
from tests.fakes_registers import world as products
from tests.unit.domain import customer_world, product_world
from tests.unit.domain.customer_world import linked
from tests.unit.domain.test_customer_contacts import pair
from tests.unit.domain.test_ends_lost import RULES, customers, ruled

pytestmark = pytest.mark.req("R-CON-1")


def sent(made: World, domain: Any, settle: Callable[..., Any], **which: Any) -> None:
    """A delivery that wrote and whose last transaction never came, a minute ago."""
    made.clock.forward(600)
    poll(made)
    settle(made.delivery(domain, **which))
    made.clock.forward(60)


@pytest.mark.parametrize("rule", RULES)
def test_a_customers_edit_that_is_taken_back_before_the_erp_is_polled_stands(rule: str) -> None:
    made = customers(rule)
    severa, erp = linked(made)
    before = severa["website"]
    severa["website"] = "https://first.example"
    sent(made, "customer", settle_customer, severa=("customers", "c1"))
    severa["website"] = before
    made.books.remember("severa", "customers", severa)
    customer_world.settled(made)
    customer_world.later(made)
    assert (severa["website"], erp["mainContact"]["web"]) == (before, before)


@pytest.mark.parametrize("rule", RULES)
def test_a_products_too(rule: str) -> None:
    made = ruled(products(), conflict_product=rule)
    severa, erp = product_world.linked(made)
    before = severa["name"]
    severa["name"] = "Första"
    sent(made, "product", settle_product, severa=("products", "p-LIC"))
    assert erp["description"] == "Första"
    severa["name"] = before
    made.books.remember("severa", "products", severa)
    delivery = made.delivery("product", severa=("products", "p-LIC"))
    made.finish(delivery, settle_product(delivery))
    product_world.settle_again(made)
    assert (severa["name"], erp["description"]) == (before, before)


def test_a_contacts_too() -> None:
    made = customers("ask")
    person, contact = pair(made)
    before = person["jobTitle"]
    person["jobTitle"] = "Första"
    sent(made, "customer", settle_customer, severa=("customers", "c1"))
    assert contact["position"] == "Första"
    person["jobTitle"] = before
    made.books.remember("severa", "contactpersons", person)
    customer_world.settled(made)
    customer_world.later(made)
    assert (person["jobTitle"], contact["position"]) == (before, before)
