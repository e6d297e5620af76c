"""A delivery wrote, and its last transaction was lost: what stands on the other side is ours and no person's edit (R-CON-1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from domain.customer.steps import settle as settle_customer
from domain.merge import FieldRule, merge
from domain.product.steps import settle as settle_product
from domain.setup.settings import TenantSettings
from tests.fakes import World
from tests.fakes_registers import poll
from tests.fakes_registers import world as products
from tests.unit.domain import product_world
from tests.unit.domain.customer_world import later, linked, stopped, world
from tests.unit.domain.test_customer_contacts import pair

pytestmark = pytest.mark.req("R-CON-1")

RULES = ("ask", "latest", "severa", "visma_net")


def ruled(made: World, **settings: str) -> World:
    made.tenant = replace(made.tenant, settings=TenantSettings.model_validate(settings))
    return made


def customers(rule: str) -> World:
    return ruled(world(), conflict_customer=rule)


def lost(made: World, domain: Any, settle: Callable[..., Any], **which: Any) -> None:
    """A delivery whose last transaction never came: what it saw and agreed on is forgotten."""
    made.clock.forward(600)
    poll(made)
    settle(made.delivery(domain, **which))
    made.clock.forward(600)
    poll(made)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("times", [1, 2])
def test_the_last_edit_in_severa_stands_and_nobody_is_asked(rule: str, times: int) -> None:
    made = customers(rule)
    severa, erp = linked(made)
    for n in range(times):
        severa["website"] = f"https://{n}.example"
        lost(made, "customer", settle_customer, severa=("customers", "c1"))
        assert erp["mainContact"]["web"] == f"https://{n}.example"
    severa["website"] = "https://last.example"

    later(made)

    assert (severa["website"], erp["mainContact"]["web"]) == ("https://last.example", "https://last.example")
    made.calls.clear()
    later(made)
    assert made.calls == []


@pytest.mark.parametrize("rule", RULES)
def test_the_last_edit_in_the_erp_stands_and_nobody_is_asked(rule: str) -> None:
    made = customers(rule)
    severa, erp = linked(made)
    erp["mainContact"]["web"] = "https://first.example"
    lost(made, "customer", settle_customer, severa=("customers", "c1"))
    erp["mainContact"]["web"] = "https://last.example"

    later(made)

    assert (severa["website"], erp["mainContact"]["web"]) == ("https://last.example", "https://last.example")


def test_an_edit_that_is_taken_back_is_carried_over_too() -> None:
    made = customers("ask")
    severa, erp = linked(made)
    before = severa["website"]
    severa["website"] = "https://first.example"
    lost(made, "customer", settle_customer, severa=("customers", "c1"))
    severa["website"] = before

    later(made)

    assert erp["mainContact"]["web"] == before


def test_a_person_who_edits_what_we_sent_is_still_asked_about() -> None:
    made = customers("ask")
    severa, erp = linked(made)
    severa["website"] = "https://first.example"
    lost(made, "customer", settle_customer, severa=("customers", "c1"))
    severa["website"], erp["mainContact"]["web"] = "https://ours.example", "https://theirs.example"
    made.clock.forward(600)
    poll(made)

    assert stopped(made).code == "customer.conflict"


def test_what_was_sent_is_forgotten_with_the_end_that_tells_of_it() -> None:
    """Else a person who sets the same value again, months later, would be taken for us."""
    made = customers("ask")
    severa, erp = linked(made)
    severa["website"] = "https://first.example"
    lost(made, "customer", settle_customer, severa=("customers", "c1"))
    later(made)
    link = made.books.link("customer", severa_id="c1")
    assert link is not None
    assert "sent" not in link.state
    erp["mainContact"]["web"] = "https://second.example"
    later(made)
    severa["website"], erp["mainContact"]["web"] = "https://third.example", "https://first.example"
    made.clock.forward(600)
    poll(made)

    assert stopped(made).code == "customer.conflict"


def test_of_a_contact_as_of_its_customer() -> None:
    made = customers("ask")
    person, contact = pair(made)
    person["jobTitle"] = "Första"
    lost(made, "customer", settle_customer, severa=("customers", "c1"))
    assert contact["position"] == "Första"
    person["jobTitle"] = "Sista"

    later(made)

    assert (person["jobTitle"], contact["position"]) == ("Sista", "Sista")
    link = made.books.link("customer", severa_id="c1")
    assert link is not None
    assert "sent" not in link.state


@pytest.mark.parametrize("rule", RULES)
def test_of_a_product_as_of_a_customer(rule: str) -> None:
    made = ruled(products(), conflict_product=rule)
    severa, erp = product_world.linked(made)
    severa["name"] = "Första"
    lost(made, "product", settle_product, severa=("products", "p-LIC"))
    assert erp["description"] == "Första"
    severa["name"] = "Sista"

    product_world.settle_again(made)

    assert (severa["name"], erp["description"]) == ("Sista", "Sista")


def test_a_value_that_the_erp_keeps_in_its_own_way_is_ours_as_well() -> None:
    long = "Ett mycket långt namn som inte får plats"
    rules = {"name": FieldRule("ask")}
    sent = {"name": [["visma_net", long]]}
    merged = merge({"name": ["A", "A"]}, {"name": long}, {"name": long[:24]}, rules, sent=sent)
    assert (merged.asked, merged.to_erp, merged.agreed) == ((), {}, {"name": [long, long[:24]]})
    merged = merge({"name": ["A", "A"]}, {"name": "B"}, {"name": long[:24]}, rules, sent=sent)
    assert (merged.asked, merged.to_erp) == ((), {"name": "B"})
