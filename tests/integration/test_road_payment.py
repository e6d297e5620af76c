"""Payments from the ERP to Severa, judged by the role of the invoice's status."""

from __future__ import annotations

import pytest
from road import Json, Road, hours

from app import service


@pytest.fixture(scope="module")
def project(road: Road) -> Json:
    customer = road.add_customer("Betalande AB", vatNumber="SE556111666201")
    made = road.add_project(customer, "Betalprojektet")
    road.settle()
    return made


def sent(road: Road, project: Json) -> tuple[str, str]:
    """A booked invoice of 1 250.00 that has been sent: guid and number."""
    guid = road.approve(project, [hours("1", "1000")])
    road.settle()
    road.move(guid, "sent")
    return guid, road.document(guid)["referenceNumber"]


def pay(road: Road, number: str, amount: str, date: str) -> str:
    paid = road.erp.ask("POST", "payments", {"lines": [{"number": number, "amount": amount}], "date": date})
    return str(paid["refNbr"])


@pytest.mark.req("R-PAY-1", "R-PRO-6")
def test_a_partial_and_a_last_payment_move_the_invoice_to_partly_paid_and_paid(
    road: Road, project: Json
) -> None:
    guid, number = sent(road, project)
    pay(road, number, "500.00", "2026-11-21")
    road.settle()
    assert road.role(guid) == "partly_paid"
    assert road.invoice(guid)["paymentDate"] is None
    pay(road, number, "750.00", "2026-11-23")
    road.settle()
    assert road.role(guid) == "paid"
    assert road.invoice(guid)["paymentDate"] == "2026-11-23"
    road.forget_calls()
    road.poll()
    road.settle()
    assert road.writes() == {}


@pytest.mark.req("R-PAY-1")
def test_a_voided_payment_takes_the_invoice_back_to_sent_and_clears_the_date(
    road: Road, project: Json
) -> None:
    guid, number = sent(road, project)
    payment = pay(road, number, "1250.00", "2026-11-22")
    road.settle()
    assert road.role(guid) == "paid"
    road.erp.ask("POST", f"payments/{payment}/void", {})
    road.settle()
    assert road.role(guid) == "sent"
    assert road.invoice(guid)["paymentDate"] is None


@pytest.mark.req("R-PAY-2")
def test_a_payment_before_the_invoice_is_sent_waits_and_is_applied_then(road: Road, project: Json) -> None:
    guid = road.approve(project, [hours("1", "1000")])
    road.settle()
    pay(road, road.document(guid)["referenceNumber"], "1250.00", "2026-11-22")
    road.settle()
    assert road.role(guid) == "transferred"
    assert "payment.waits_until_sent" in road.log()
    road.move(guid, "sent")
    road.settle()
    assert road.role(guid) == "paid"
    assert road.invoice(guid)["paymentDate"] == "2026-11-22"


@pytest.mark.req("R-PAY-3", "R-PAY-1")
def test_a_small_write_off_counts_as_paid_and_a_large_one_is_a_problem(road: Road, project: Json) -> None:
    guid, number = sent(road, project)
    road.erp.ask("POST", "payments", {"lines": [{"number": number, "amount": "1245.00", "write_off": "5.00"}], "date": "2026-11-22"})  # fmt: skip
    other, its_number = sent(road, project)
    road.erp.ask("POST", "payments", {"lines": [{"number": its_number, "amount": "250.00", "write_off": "1000.00"}], "date": "2026-11-22"})  # fmt: skip
    road.settle()
    assert road.role(guid) == "paid"
    assert road.role(other) == "sent"
    [problem] = [row for row in road.problems() if row["code"] == "payment.written_off"]
    assert "1 000,00 SEK" in problem["wrong"]
    # What is small is the tenant's to say, of what was told before as well (rule 19).
    bridge = road.installation.bridge
    # Met again, a problem that was told stands without work of its own.
    road.sql(
        "update outbox set state = 'ready', due_at = bridge_now() where tenant_id = %s and domain = 'payment'",
        road.tenant_id,
    )
    road.settle()
    assert road.states("payment") == []
    assert service.set_setting(bridge, road.name, "small_balance_limit", "1000") == 1
    road.settle()
    assert road.role(other) == "paid"
    assert "payment.written_off" not in road.codes()
    assert service.set_setting(bridge, road.name, "small_balance_limit", "10") == 0


@pytest.mark.req("R-PAY-1")
def test_a_booked_invoice_that_is_deleted_in_severa_is_told_after_a_whole_reading(
    road: Road, project: Json
) -> None:
    guid, number = sent(road, project)
    road.settle()
    road.severa.ask("DELETE", f"invoices/{guid}")
    road.sql("update stream set swept_at = null where tenant_id = %s", road.tenant_id)
    road.settle()
    told = [one["code"] for one in road.problems() if one["values"].get("number") == number]
    assert told == ["payment.invoice_gone"]
    assert road.erp.one("customerinvoice", referenceNumber=number)["status"] == "Open"
