"""Items and products that exist on both sides: merges, prices, changed codes (R-PRD-1..3)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.errors import Stop
from domain.product.steps import settle
from tests.fakes_registers import ITEM_CLASSES, poll, put_severa, world
from tests.unit.domain.product_world import changed, linked, product, settle_again

pytestmark = pytest.mark.req("R-PRD-1", "R-PRD-2", "R-PRD-3")


def test_changes_travel_both_ways_field_by_field() -> None:
    made = world()
    severa, erp = linked(made)
    severa["name"] = "Licence, yearly"
    erp["defaultPrice"] = Decimal("1300")

    effects = settle_again(made)

    assert made.erp.stored("inventory", "LIC")["description"] == "Licence, yearly"
    assert made.severa.stored("products", "p-LIC")["unitPrice"] == {
        "amount": Decimal(1300),
        "currencyCode": "SEK",
    }
    assert {line.code for line in effects.log} == {"product.updated_in_erp", "product.updated_in_severa"}
    made.calls.clear()
    assert settle_again(made).log == ()
    assert changed(made) == []


@pytest.mark.schedule("S14")
def test_an_edit_since_the_last_poll_is_asked_about_however_lately_that_was() -> None:
    made = world()
    severa, erp = linked(made)
    erp["description"] = "Licence of the ERP"
    poll(made)
    made.clock.forward(1)
    severa["name"] = "Licence of Severa"

    with pytest.raises(Stop) as caught:
        settle(made.delivery("product", severa=("products", "p-LIC")))

    assert caught.value.code == "product.conflict"
    assert severa["name"] == "Licence of Severa"
    assert made.erp.stored("inventory", "LIC")["description"] == "Licence of the ERP"


def test_the_status_is_written_only_when_the_boolean_changes() -> None:
    made = world()
    severa, erp = linked(made)
    erp["status"] = "NoPurchases"
    settle_again(made)
    assert changed(made) == []

    severa["isActive"] = False
    settle_again(made)
    assert made.erp.stored("inventory", "LIC")["status"] == "Inactive"

    erp["status"] = "Unknown"
    settle_again(made)
    assert made.severa.stored("products", "p-LIC")["isActive"] is False

    erp["status"] = "Active"
    settle_again(made)
    assert made.severa.stored("products", "p-LIC")["isActive"] is True


def test_what_employees_are_paid_is_never_overwritten_by_the_erps_price() -> None:
    made = world()
    paid = {"amount": Decimal("2.5"), "currencyCode": "SEK"}
    body = {
        "guid": "t",
        "name": "Km",
        "code": "KM",
        "expenseClass": "Mileage",
        "isActive": True,
        "unitCost": paid,
    }
    put_severa(made, "travelexpensetypes", body)
    delivery = made.delivery("product", severa=("travelexpensetypes", "t"))
    made.finish(delivery, settle(delivery))
    made.erp.stored("inventory", "KM")["defaultPrice"] = Decimal(9)
    made.calls.clear()
    made.clock.forward(600)
    poll(made)

    settle(made.delivery("product", severa=("travelexpensetypes", "t")))

    assert changed(made) == []


def test_a_price_in_another_currency_is_not_carried_over_and_says_so() -> None:
    made = world()
    put_severa(made, "products", product(unitPrice={"amount": Decimal(100), "currencyCode": "EUR"}))

    settled = settle(made.delivery("product", severa=("products", "p-LIC")))

    assert made.erp.stored("inventory", "LIC")["defaultPrice"] == 0
    assert "product.foreign_price" in [line.code for line in settled.effects.log]


def test_a_name_that_the_erp_shortens_is_written_once() -> None:
    made = world()
    made.erp.description_limit = 10
    severa, _ = linked(made)
    severa["name"] = "Licence, yearly"
    settle_again(made)
    made.calls.clear()

    settle_again(made)

    assert changed(made) == []
    assert made.severa.stored("products", "p-LIC")["name"] == "Licence, yearly"


@pytest.mark.req("R-CON-1")
def test_both_changed_differently_stops_but_other_fields_go_on() -> None:
    made = world()
    severa, erp = linked(made)
    severa["name"], erp["description"] = "Ours", "Theirs"
    severa["isActive"] = False
    made.clock.forward(600)
    poll(made)
    delivery = made.delivery("product", severa=("products", "p-LIC"))

    (outcome,) = made.run(settle, delivery)

    assert isinstance(outcome.error, Stop)
    assert outcome.error.code == "product.conflict"
    assert "Ours" in [one["severa"] for one in outcome.error.values["fields"]]
    assert made.erp.stored("inventory", "LIC")["status"] == "Inactive"
    erp["description"] = "Ours"
    assert {line.code for line in settle_again(made).log} <= {"product.updated_in_erp"}


@pytest.mark.req("R-PRD-4")
def test_a_class_chosen_later_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    made = world()
    linked(made)
    monkeypatch.setitem(ITEM_CLASSES, "LICENCE", "NonStockItem")
    made.books.remember("visma_net", "inventory/itemClass", {"id": "LICENCE", "type": "NonStockItem"})
    settle_again(made)
    assert changed(made) == []

    made.books.choices["product", "p-LIC"] = "LICENCE"
    settle_again(made)

    assert made.erp.stored("inventory", "LIC")["itemClass"]["id"] == "LICENCE"


@pytest.mark.req("R-PRD-4")
@pytest.mark.parametrize("chosen", [None, "PRODUCT"])
def test_a_class_changed_in_the_erp_becomes_the_choice(chosen: str | None) -> None:
    made = world()
    _, erp = linked(made)
    if chosen is not None:
        made.books.choices["product", "p-LIC"] = chosen
    erp["itemClass"] = {"id": "LICENCE", "type": "NonStockItem"}
    effects = settle_again(made)

    assert made.erp.stored("inventory", "LIC")["itemClass"]["id"] == "LICENCE"
    assert made.books.choices["product", "p-LIC"] == "LICENCE"
    assert [(line.code, line.values) for line in effects.log] == [
        ("product.class_taken_over", {"code": "LIC", "name": "Licence", "item_class": "LICENCE"})
    ]
    made.calls.clear()
    assert settle_again(made).log == ()
    assert changed(made) == []


@pytest.mark.req("R-PRD-4", "R-CON-1")
def test_a_class_changed_in_the_erp_and_another_chosen_is_asked_about() -> None:
    made = world()
    _, erp = linked(made)
    made.books.choices["product", "p-LIC"] = "OTHER"
    erp["itemClass"] = {"id": "LICENCE", "type": "NonStockItem"}
    poll(made)
    made.clock.forward(600)

    (outcome,) = made.run(settle, made.delivery("product", severa=("products", "p-LIC")))

    assert isinstance(outcome.error, Stop)
    assert outcome.error.code == "product.conflict"
    assert made.books.choices["product", "p-LIC"] == "OTHER"
    assert made.erp.stored("inventory", "LIC")["itemClass"]["id"] == "LICENCE"


@pytest.mark.req("R-CUS-8")
def test_a_code_changed_on_one_side_is_reported_and_data_keeps_flowing() -> None:
    made = world()
    severa, erp = linked(made)
    severa.update(code="NEW", name="Renamed")
    made.clock.forward(600)
    poll(made)

    (outcome,) = made.run(settle, made.delivery("product", severa=("products", "p-LIC")))

    assert isinstance(outcome.error, Stop)
    assert outcome.error.code == "product.renumbered"
    assert erp["description"] == "Renamed"
    link = made.books.link("product", severa_id="p-LIC")
    assert link is not None
    assert link.severa_number == "LIC"


def test_a_code_changed_alike_on_both_sides_is_followed() -> None:
    made = world()
    severa, erp = linked(made)
    severa["code"] = erp["inventoryNumber"] = "NEW"
    made.erp.records["inventory"]["NEW"] = made.erp.records["inventory"].pop("LIC")

    settle_again(made)

    link = made.books.link("product", severa_id="p-LIC")
    assert link is not None
    assert (link.severa_number, link.erp_number) == ("NEW", "NEW")
