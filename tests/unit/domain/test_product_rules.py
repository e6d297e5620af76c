"""The tenant's rule for products, the ping-pong guard, and records whose place another has taken."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import Stop
from domain.product.steps import settle
from domain.setup.settings import TenantSettings
from tests.fakes import World
from tests.fakes_registers import poll, put_erp, put_severa, world
from tests.unit.domain.test_product_steps import changed, item, linked, product, settle_again, stopped


def ruled(**settings: Any) -> World:
    made = world()
    made.tenant = replace(made.tenant, settings=TenantSettings.model_validate(settings))
    return made


@pytest.mark.req("R-CON-1")
@pytest.mark.parametrize(("rule", "winner"), [("severa", "Från Severa"), ("visma_net", "Från ERP")])
def test_the_tenants_rule_decides_and_the_log_shows_what_lost(rule: str, winner: str) -> None:
    made = ruled(conflict_product=rule)
    severa, erp = linked(made)
    severa["name"], erp["description"] = "Från Severa", "Från ERP"

    effects = settle_again(made)

    assert severa["name"] == erp["description"] == winner
    (said,) = [line for line in effects.log if line.code == "product.overruled"]
    assert said.values["lost"] == ({"Från Severa", "Från ERP"} - {winner}).pop()
    made.calls.clear()
    assert settle_again(made).log == ()
    assert changed(made) == []


@pytest.mark.req("R-CON-1")
def test_of_two_products_that_meet_the_rule_says_which_name_stays() -> None:
    made = ruled(conflict_product="visma_net")
    severa, erp = linked(made, severa=product(name="Licens"), erp=item(description="Licence 1"))

    assert (severa["name"], erp["description"]) == ("Licence 1", "Licence 1")


@pytest.mark.req("R-CON-1")
def test_without_a_rule_two_products_that_meet_keep_what_they_have() -> None:
    made = ruled()
    put_severa(made, "products", product(name="Licens"))
    put_erp(made, "inventory", "LIC", item(description="Licence 1"))
    delivery = made.delivery("product", severa=("products", "p-LIC"))

    (outcome,) = made.run(settle, delivery)

    assert isinstance(outcome.error, Stop)
    assert outcome.error.code == "product.met_differently"
    assert outcome.error.values["fields"] == [{"field": "name", "severa": "Licens", "erp": "Licence 1"}]
    assert changed(made) == []
    made.clock.forward(600)
    poll(made)
    assert stopped(made, severa=("products", "p-LIC")).code == "product.met_differently"
    # A person answers in either system.
    made.severa.stored("products", "p-LIC")["name"] = "Licence 1"
    assert settle_again(made).log == ()
    assert changed(made) == []


@pytest.mark.req("R-CON-2")
def test_a_field_that_is_written_twice_in_each_direction_stops_with_a_problem() -> None:
    made = world()
    severa, erp = linked(made)
    for n in range(2):
        severa["name"] = f"Severa {n}"
        settle_again(made)
        erp["description"] = f"ERP {n}"
        settle_again(made)
    severa["name"], severa["unitPrice"] = "Severa 9", {"amount": Decimal(5), "currencyCode": "SEK"}
    made.clock.forward(600)
    poll(made)

    stop = stopped(made, severa=("products", "p-LIC"))

    assert (stop.code, stop.values["fields"]) == ("product.ping_pong", ["name"])
    assert (erp["description"], erp["defaultPrice"]) == ("ERP 1", Decimal(5))


@pytest.mark.req("R-CUS-8")
@pytest.mark.parametrize("system", ["severa", "visma_net"])
def test_a_record_whose_code_another_has_taken_is_reported_with_a_relink(system: str) -> None:
    made = world()
    linked(made)
    if system == "severa":
        put_severa(made, "products", product(guid="p-new"))
        key = ("severa", "products", "p-LIC")
        del made.severa.records["products"]["p-LIC"]
    else:
        old = str(made.erp.records["inventory"].pop("LIC")["inventoryId"])
        put_erp(made, "inventory", "LIC", item(inventoryId=77_777))
        key = ("visma_net", "inventory", old)
    made.books.records[key] = replace(made.books.records[key], gone=True)

    stop = stopped(made, severa=("products", "p-LIC"))

    assert stop.code == "product.merged"
    erp_id = made.books.link("product", severa_id="p-LIC")
    assert erp_id is not None
    severa_id, wanted = ("p-new", erp_id.erp_id) if system == "severa" else ("p-LIC", "77777")
    assert stop.values["relink"] == {"severa_id": severa_id, "erp_id": wanted}


@pytest.mark.req("R-PRD-4")
def test_a_record_that_is_gone_makes_no_item() -> None:
    made = world()
    put_severa(made, "products", product())
    key = ("severa", "products", "p-LIC")
    made.books.records[key] = replace(made.books.records[key], gone=True)

    settle(made.delivery("product", severa=("products", "p-LIC")))

    assert changed(made) == []
