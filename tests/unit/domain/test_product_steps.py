"""Products, work types and travel expense types against one inventory (R-PRD-1..4)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.errors import OutcomeUnknown, Refused, Stop, TryLater
from domain.model import Effects, Json, Stored
from domain.product.registers import REGISTERS
from domain.product.steps import settle
from tests.fakes_registers import poll, put_erp, put_severa, world
from tests.unit.domain.absences import said_twice
from tests.unit.domain.product_world import changed, item, linked, product, settle_again, stopped

pytestmark = pytest.mark.req("R-PRD-1", "R-PRD-2", "R-PRD-3")


@pytest.mark.parametrize(
    ("register", "body", "item_class", "price"),
    [
        ("products", product(), "PRODUCT", Decimal("1200.50")),
        ("worktypes", {"guid": "w", "name": "Senior", "code": "SEN", "isActive": True}, "LABOR", 0),
        (
            "travelexpensetypes",
            {
                "guid": "t",
                "name": "Km",
                "code": "KM",
                "isActive": True,
                "expenseClass": "Mileage",
                "unitCost": {"amount": Decimal("2.5"), "currencyCode": "SEK"},
            },
            "EXPENSE",
            Decimal("2.5"),
        ),
    ],
)
def test_a_record_of_each_severa_register_becomes_an_item_of_its_class(
    register: str, body: Json, item_class: str, price: object
) -> None:
    made = world()
    put_severa(made, register, body)
    delivery = made.delivery("product", severa=(register, body["guid"]))

    settled = settle(delivery)
    made.finish(delivery, settled)

    stored = made.erp.stored("inventory", body["code"])
    assert (stored["description"], stored["itemClass"]["id"]) == (body["name"], item_class)
    assert stored["defaultPrice"] == price
    link = made.books.link("product", severa_id=body["guid"])
    assert link is not None
    assert (link.erp_number, link.erp_id) == (body["code"], str(stored["inventoryId"]))
    assert [line.code for line in settled.effects.log] == ["product.created_in_erp"]


def test_the_echo_of_our_own_create_causes_nothing() -> None:
    made = world()
    put_severa(made, "products", product())
    delivery = made.delivery("product", severa=("products", "p-LIC"))
    made.finish(delivery, settle(delivery))
    made.calls.clear()

    effects = settle_again(made)

    assert made.calls == []
    assert effects.log == ()


@pytest.mark.parametrize(
    ("kind", "register", "more"),
    [
        ("NonStockItem", "products", {"type": "Materials"}),
        ("ServiceItem", "products", {"type": "Materials"}),
        ("LaborItem", "worktypes", {"isProductive": True}),
        ("ExpenseItem", "travelexpensetypes", {"expenseClass": "OtherTravelExpense", "includeTime": False}),
    ],
)
def test_an_item_becomes_a_record_of_the_register_that_its_type_says(
    kind: str, register: str, more: Json
) -> None:
    made = world()
    body = put_erp(made, "inventory", "LIC", item(kind=kind))
    delivery = made.delivery("product", erp=("inventory", str(body["inventoryId"])))

    settled = settle(delivery)

    (new,) = made.severa.records[register].values()
    assert {name: new[name] for name in more} == more
    assert (new["name"], new["code"], new["isActive"]) == ("Licence", "LIC", True)
    money = {"products": "unitPrice", "travelexpensetypes": "unitCost"}.get(register)
    if money is not None:
        assert new[money] == {"amount": Decimal("1200.5"), "currencyCode": "SEK"}
    assert [line.code for line in settled.effects.log] == ["product.created_in_severa"]


@pytest.mark.parametrize("kind", ["ChargeItem", "FinishedGoodItem", "ComponentPartItem", "SubassemblyItem"])
def test_charge_and_stock_items_are_left_alone(kind: str) -> None:
    made = world()
    body = put_erp(made, "inventory", "LIC", item(kind=kind))

    settled = settle(made.delivery("product", erp=("inventory", str(body["inventoryId"]))))

    assert settled.effects == Effects()
    assert made.calls == []


def test_records_of_one_code_are_linked_and_nothing_is_created() -> None:
    made = world()
    linked(made)

    link = made.books.link("product", severa_id="p-LIC")
    assert link is not None
    assert changed(made) == []
    assert link.base["price"] == ["1200.5", "1200.5"]


def test_nothing_is_matched_or_created_before_every_register_was_read() -> None:
    made = world()
    put_severa(made, "products", product())
    made.books.incomplete.add(("severa", "worktypes"))

    with pytest.raises(TryLater) as caught:
        settle(made.delivery("product", severa=("products", "p-LIC")))

    assert caught.value.costs_attempt is False
    assert made.calls == []


def test_a_record_without_code_is_a_problem() -> None:
    made = world()
    put_severa(made, "products", product(None))

    assert stopped(made, severa=("products", "p-None")).code == "product.code_missing"


def test_one_code_in_two_registers_is_a_problem_that_names_both_records() -> None:
    made = world()
    put_severa(made, "products", product())
    put_severa(made, "worktypes", {"guid": "w", "name": "Senior", "code": "lic", "isActive": True})

    stop = stopped(made, severa=("products", "p-LIC"))

    assert stop.code == "product.code_not_unique"
    assert (stop.values["name"], stop.values["other"]) == ("Licence", "Senior")
    assert made.calls == []


def test_a_code_longer_than_the_inventory_key_is_never_sent() -> None:
    made = world()
    put_severa(made, "products", product("LICENCE-YEARLY"))

    stop = stopped(made, severa=("products", "p-LICENCE-YEARLY"))

    assert (stop.code, stop.values["limit"]) == ("product.code_too_long", 12)
    assert changed(made) == []


def test_an_item_of_another_type_with_our_code_is_a_problem() -> None:
    made = world()
    put_severa(made, "products", product())
    put_erp(made, "inventory", "LIC", item(kind="LaborItem"))

    assert stopped(made, severa=("products", "p-LIC")).code == "product.type_differs"


@pytest.mark.req("R-PRD-4")
@pytest.mark.parametrize(
    ("choice", "code"), [("LABOR", "product.class_type"), ("NONE", "product.class_unknown")]
)
def test_an_item_class_must_exist_and_be_of_the_registers_type(choice: str, code: str) -> None:
    made = world()
    put_severa(made, "products", product())
    made.books.choices["product", "p-LIC"] = choice

    assert stopped(made, severa=("products", "p-LIC")).code == code
    assert changed(made) == []


def test_a_lost_answer_to_a_create_is_looked_up_and_adopted() -> None:
    made = world()
    put_severa(made, "products", product())
    made.faults.arm("create", "inventory", OutcomeUnknown(), after=True)

    *before, last = made.run(settle, made.delivery("product", severa=("products", "p-LIC")))

    assert isinstance(before[0].error, OutcomeUnknown)
    assert last.settled is not None
    assert changed(made) == ["visma_net create inventory"]


def test_a_create_that_never_arrived_is_sent_again_only_after_every_limit() -> None:
    made = world()
    put_severa(made, "products", product())
    made.faults.arm("create", "inventory", OutcomeUnknown())
    delivery = made.delivery("product", severa=("products", "p-LIC"))
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    made.clock.forward(100)

    with pytest.raises(TryLater) as caught:
        settle(delivery.again())

    assert caught.value.retry_after == made.settle_seconds - 100
    assert caught.value.costs_attempt is False
    made.clock.forward(caught.value.retry_after)
    settle(delivery.again())
    assert list(made.erp.records["inventory"]) == ["LIC"]


def test_a_lost_answer_from_severa_does_not_make_a_second_product() -> None:
    made = world()
    body = put_erp(made, "inventory", "LIC", item())
    made.faults.arm("create", "products", OutcomeUnknown(), after=True)

    *_, last = made.run(settle, made.delivery("product", erp=("inventory", str(body["inventoryId"]))))

    assert last.settled is not None
    assert len(made.severa.records["products"]) == 1


def test_a_refusal_is_a_problem_with_the_vendors_own_words_and_the_create_may_be_made_again() -> None:
    made = world()
    put_severa(made, "products", product())
    refused = Refused(
        "ItemClassID cannot be found", system="visma_net", status=400, operation="POST /v1/inventory"
    )
    made.faults.arm("create", "inventory", refused)
    delivery = made.delivery("product", severa=("products", "p-LIC"))

    with pytest.raises(Stop) as caught:
        settle(delivery)

    assert (caught.value.code, caught.value.values["text"]) == (
        "product.refused",
        "ItemClassID cannot be found",
    )
    assert settle(delivery.again()).effects.link is not None


def test_a_record_that_is_gone_is_a_problem() -> None:
    made = world()
    severa, _ = linked(made)
    severa["name"] = "Renamed"
    made.clock.forward(600)
    poll(made)
    del made.erp.records["inventory"]["LIC"]

    stop = said_twice(made, settle, made.delivery("product", severa=("products", "p-LIC")))
    assert stop.code == "product.gone"


def test_registers_tell_what_changed_and_whom_it_concerns() -> None:
    registers = {(register.system, register.name): register for register in REGISTERS}
    products = registers["severa", "products"]
    inventory = registers["visma_net", "inventory"]

    assert products.identify(product()) == "p-LIC"
    assert products.projection(product()) == products.projection(
        product(lastUpdatedDateTime="2026-01-01T00:00:00Z")
    )
    assert products.projection(product()) != products.projection(product(name="Other"))
    (concern,) = inventory.concerns(item())
    assert (concern.domain, concern.register, concern.only_linked) == ("product", "inventory", False)
    assert inventory.projection(item(status="NoPurchases")) == inventory.projection(item())
    assert inventory.projection(item(defaultPrice=Decimal("1200.50"))) == inventory.projection(item())


def test_an_item_that_somebody_changed_between_read_and_update_is_planned_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = world()
    ours, theirs = linked(made)
    ours["name"] = "Licence, renamed"
    read = made.erp.get

    def read_before_an_edit(register: str, key: str) -> Stored:
        found = read(register, key)
        theirs["description"] = "Licence, renamed in the ERP"
        made.erp._touch("inventory", "LIC")
        return found

    monkeypatch.setattr(made.erp, "get", read_before_an_edit)
    with pytest.raises(TryLater):
        settle_again(made)
    assert made.erp.stored("inventory", "LIC")["description"] == "Licence, renamed in the ERP"


@pytest.mark.req("R-CON-2")
def test_the_noise_of_a_double_is_no_change_of_a_price() -> None:
    made = world()
    ours, theirs = linked(made)
    ours["unitPrice"] = {"amount": Decimal("1200.5000000000002"), "currencyCode": "SEK"}
    theirs["defaultPrice"] = Decimal("1200.4999999999998")
    settle_again(made)
    assert changed(made) == []
