"""The core of the road on both brokers: the same code, the same outcome."""

from __future__ import annotations

from decimal import Decimal

import pytest
from road import Road, book, hotel, hours, money


@pytest.mark.req(
    "R-CUS-1", "R-CUS-4", "R-PRJ-2", "R-PRJ-5", "R-INV-1", "R-INV-6", "R-INV-11", "R-INV-13", "R-PRO-3"
)
def test_customer_project_and_invoice_made_at_once_are_booked_in_their_order(either_road: Road) -> None:
    road = either_road
    customer = road.add_customer(
        "Havsörnen AB", vatNumber="SE556111222201", email="ekonomi@havsornen.example"
    )
    project = road.add_project(customer, "Örnprojektet")
    guid = road.approve(project, [hours(), book(), hotel()])
    road.settle()
    theirs = road.erp.one("customer", name="Havsörnen AB")
    assert road.severa.one("customers", guid=customer["guid"])["number"] == int(theirs["number"])
    assert road.erp.one("project", projectID=str(project["number"]))["customer"]["number"] == theirs["number"]
    document, invoice = road.document(guid), road.invoice(guid)
    assert document["status"] == "Open"
    assert road.releases(guid) == 1
    assert money(document["amountInCurrency"]) == money(invoice["totalIncludingTax"]) == Decimal("19121.40")
    assert str(invoice["number"]) == document["referenceNumber"]
    assert road.role(guid) == "transferred"
    assert road.problems() == []


@pytest.mark.req("R-PAY-1", "R-PRO-6")
def test_a_payment_in_the_erp_marks_the_sent_invoice_paid(either_road: Road) -> None:
    road = either_road
    customer = road.add_customer("Betalaren AB", vatNumber="SE556111222301")
    guid = road.approve(road.add_project(customer, "Betalprojektet"), [hours("1", "100")])
    road.settle()
    road.move(guid, "sent")
    number = road.document(guid)["referenceNumber"]
    road.erp.ask(
        "POST", "payments", {"lines": [{"number": number, "amount": "125.00"}], "date": "2026-11-23"}
    )
    road.settle()
    assert road.role(guid) == "paid"
    assert road.invoice(guid)["paymentDate"] == "2026-11-23"


@pytest.mark.req("R-CON-2")
def test_a_hundred_edits_before_a_poll_are_one_write(either_road: Road) -> None:
    road = either_road
    customer = road.add_customer("Många Ändringar AB", vatNumber="SE556111222401")
    road.settle()
    number = road.erp.one("customer", name="Många Ändringar AB")["number"]
    road.forget_calls()
    for n in range(100):
        road.severa.change("customers", customer["guid"], email=f"adress{n}@andring.example")
    road.settle()
    assert road.erp.one("customer", number=number)["mainContact"]["email"] == "adress99@andring.example"
    assert road.writes() == {"visma_net PUT /v1/customer/{customerCd}": 1}


@pytest.mark.req("R-CON-2")
def test_edits_while_the_bridge_is_at_work_end_with_the_last_one(either_road: Road) -> None:
    """Whatever was planned from an older state is settled again: both sides agree in the end."""
    road = either_road
    customer = road.add_customer("Bråttom AB", vatNumber="SE556111222501")
    road.settle()
    number = road.erp.one("customer", name="Bråttom AB")["number"]
    for n in range(20):
        road.severa.change("customers", customer["guid"], website=f"https://brattom{n}.example")
        road.ask()
    road.settle()
    assert road.erp.one("customer", number=number)["mainContact"]["web"] == "https://brattom19.example"
    assert road.severa.one("customers", guid=customer["guid"])["website"] == "https://brattom19.example"
