"""Edits that fall into the moment of the bridge's own write: none is swallowed by its echo (R-CON-2)."""

from __future__ import annotations

import pytest
from road import Road, hours, money
from stage import wait_for


@pytest.mark.req("R-CON-1", "R-CON-2")
def test_a_price_changed_in_severa_while_the_bridge_writes_the_name_reaches_the_erp_too(road: Road) -> None:
    made = road.severa.add(
        "products", name="Förstudie", code="MEANWHILE", type="Materials", unitPrice={"amount": 100, "currencyCode": "SEK"}
    )  # fmt: skip
    road.settle()
    road.forget_calls()
    fault = road.severa.arm("delay", f"products/{made['guid']}", method="PATCH", seconds=2.0, times=1)
    item = road.erp.one("inventory", inventoryNumber="MEANWHILE")
    road.erp.change("inventory", item["inventoryNumber"], description="Förstudie, ny")
    road.ask()
    wait_for(
        "the bridge's write is on its way",
        lambda: (
            any(one["id"] == fault and one["hits"] for one in road.severa.simulator.armed())
            or not any(one["id"] == fault for one in road.severa.simulator.armed())
        ),
        seconds=20,
    )
    road.severa.change("products", made["guid"], unitPrice={"amount": 125, "currencyCode": "SEK"})
    road.settle()
    there = road.erp.one("inventory", inventoryNumber="MEANWHILE")
    assert (there["description"], money(there["defaultPrice"])) == ("Förstudie, ny", 125)
    assert road.severa.one("products", code="MEANWHILE")["name"] == "Förstudie, ny"


@pytest.mark.req("R-CON-2", "R-PAY-1")
@pytest.mark.schedule("S11")
def test_an_invoice_that_only_a_payments_delivery_saw_in_transfer_again_is_taken_up(road: Road) -> None:
    project = road.add_project(road.add_customer("Betald Och Ändrad AB"), "Betald och ändrad")
    road.settle()
    guid = road.approve(project, [hours("1", "1000")])
    road.settle()
    road.move(guid, "sent")
    road.settle()
    number = road.document(guid)["referenceNumber"]
    # No poll tells of the invoice: what the payment's own look finds is all that anybody sees of it.
    fault = road.severa.arm("status", "/v1/invoices$", method="GET", status=503, times=None)
    road.move(guid, "transfer")
    road.erp.ask(
        "POST", "payments", {"lines": [{"number": number, "amount": "500.00"}], "date": "2026-11-22"}
    )
    road.ask()
    wait_for("the invoice is taken up", lambda: road.role(guid) == "transferred", seconds=40)
    road.severa.simulator.ask("DELETE", f"/faults/{fault}")
    road.settle()
    assert [one["number"] for one in road.documents(guid)] == [number]
    assert road.releases(guid) == 1
