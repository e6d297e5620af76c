"""What an attack found that had read the specification only: one test of each kind."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from road import Json, Road

VAT = "SE556111333709"


def sweep(road: Road) -> None:
    """Each register is due to be read whole, as once a day."""
    road.sql("update stream set swept_at = null where tenant_id = %s", road.tenant_id)


def in_step(road: Road, name: str, vat: str | None = VAT) -> tuple[Json, Json]:
    made = road.add_customer(name, **({"vatNumber": vat} if vat else {}))
    road.settle()
    ours = road.severa.one("customers", guid=made["guid"])
    return ours, road.erp.one("customer", number=str(ours["number"]))


@pytest.mark.req("R-CUS-1", "R-CON-1")
def test_an_address_that_the_erp_set_apart_is_the_one_that_later_edits_are_of(
    new_firm: Callable[..., Road],
) -> None:
    """Another one has the same flag already, and came before it."""
    road = new_firm()
    ours, theirs = in_step(road, "Tvådelat AB")
    road.severa.add(
        "addresses", customer=ours["guid"], addressline="Box 2", postalCode="10002", city="Solna", country="SE",
        isBillingAddress=True,
    )  # fmt: skip
    road.settle()
    road.erp.change("customer", theirs["number"], invoiceAddress={"addressLine1": "Fack 3", "city": "Umeå"})
    road.settle()
    flagged = [
        row["addressline"]
        for row in road.severa.look("addresses")
        if row["isBillingAddress"] and row["customer"]["guid"] == ours["guid"]
    ]
    assert flagged == ["Fack 3"]
    before = road.erp.one("customer", number=theirs["number"])["invoiceAddress"]

    road.severa.change("customers", ours["guid"], website="https://tvadelat.example")
    road.settle()
    after = road.erp.one("customer", number=theirs["number"])
    assert after["mainContact"]["web"] == "https://tvadelat.example"
    assert after["invoiceAddress"] == before, "nobody edited it"
    assert road.codes() == []


@pytest.mark.req("R-LOG-3", "R-CUS-5")
@pytest.mark.parametrize("answer", ["renamed", "deleted"])
def test_an_answer_that_is_given_in_the_erp_ends_the_question(
    new_firm: Callable[..., Road], answer: str
) -> None:
    road = new_firm()
    ours = road.add_customer("Zeta AB")
    theirs = road.erp.add("customer", name="Zeta AB", customerClassId="1")
    road.settle()
    assert "customer.ambiguous" in road.codes()
    if answer == "renamed":
        road.erp.change("customer", theirs["number"], name="Zeta Annan AB")
    else:
        road.erp.ask("DELETE", f"customer/{theirs['number']}")
        sweep(road)
    road.settle()
    road.settle()
    assert road.codes() == []
    assert road.erp.count("customer", name="Zeta AB") == 1
    assert (
        str(road.severa.one("customers", guid=ours["guid"])["number"])
        == road.erp.one("customer", name="Zeta AB")["number"]
    )


@pytest.mark.req("R-CUS-8")
def test_who_takes_a_lost_customers_place_is_asked_and_not_made_a_second_time(
    new_firm: Callable[..., Road],
) -> None:
    road = new_firm()
    ours, theirs = in_step(road, "Arv A AB")
    road.erp.ask("DELETE", f"customer/{theirs['number']}")
    sweep(road)
    road.settle()
    assert road.codes() == ["customer.gone"]
    heir = road.erp.add("customer", name="Arv A Norr AB", customerClassId="1", vatRegistrationId=VAT)
    road.settle()
    assert set(road.codes()) == {"customer.merged"}
    assert sum(row.get("vatNumber") == VAT for row in road.severa.look("customers")) == 1
    wanted = {
        "severa_id": ours["guid"],
        "erp_id": str(road.erp.one("customer", name="Arv A Norr AB")["internalId"]),
    }
    assert all(problem["values"]["relink"] == wanted for problem in road.problems())
    assert heir


@pytest.mark.req("R-PRD-1", "R-PRD-4")
def test_an_item_that_becomes_another_registers_is_told_and_its_class_is_no_choice(
    new_firm: Callable[..., Road],
) -> None:
    road = new_firm()
    ours = road.severa.add(
        "products",
        name="Bytt",
        code="BYTT",
        type="Materials",
        unitPrice={"amount": 10, "currencyCode": "SEK"},
    )
    road.settle()
    road.erp.change("inventory", "BYTT", itemClass="LABOR")
    road.settle()
    assert road.codes() == ["product.type_differs"]
    road.severa.change("products", ours["guid"], name="Bytt igen")
    road.settle()
    assert road.erp.one("inventory", inventoryNumber="BYTT")["description"] == "Bytt"
    assert "product.class_taken_over" not in road.log()
