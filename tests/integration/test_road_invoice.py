"""Invoices: to the cent, numbered by the ERP, never twice, and explained when they fail."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from road import Json, Road, book, hotel, hours, money
from stage import wait_for

from app import service


@pytest.fixture(scope="module")
def project(road: Road) -> Json:
    """An open project of a Swedish customer."""
    customer = road.add_customer("Fakturakund AB", vatNumber="SE556111555201", email="faktura@kund.example")
    made = road.add_project(customer, "Fakturaprojektet")
    road.settle()
    return made


@pytest.mark.req("R-INV-1", "R-INV-2", "R-INV-3", "R-INV-4", "R-INV-6", "R-PRO-4", "R-PRO-5")
def test_a_plain_invoice_is_booked_to_the_cent_and_gets_its_number_in_one_patch(
    road: Road, project: Json
) -> None:
    guid = road.approve(
        project, [hours("7.5", "1333.33")], orderNumber="PO-1", yourReference="Karin Lindqvist"
    )
    road.settle()
    document, invoice = road.document(guid), road.invoice(guid)
    assert money(document["amountInCurrency"]) == money(invoice["totalIncludingTax"])
    assert money(document["vatTotalInCurrency"]) == money(invoice["totalTax"])
    assert (document["documentDate"][:10], document["documentDueDate"][:10]) == ("2026-11-20", "2026-12-20")
    assert (document["status"], document["hold"]) == ("Open", False)
    [line] = document["invoiceLines"]
    assert (line["inventoryNumber"], line["projectTask"]["id"], line["branchNumber"]["number"]) == (
        "KONS",
        "10",
        "1",
    )
    assert document["project"]["id"] == str(project["number"])
    # One PATCH: number, then reference, then status. A numbered status first could make Severa give a number of its own.
    own = [entry for entry in invoice["history"] if entry["by"] == "api"]
    assert {entry["field"] for entry in own} == {"number", "referenceNumber", "status"}
    assert len({entry["time"] for entry in own}) == 1
    [traced] = service.trace(road.installation.bridge, road.name, "invoice", guid)
    [sent] = [call["request"] for call in traced.attempts[-1]["calls"] if call["method"] == "PATCH"]
    assert re.findall(r"/(number|referenceNumber|status)\b", sent) == ["number", "referenceNumber", "status"]
    assert str(invoice["number"]) == document["referenceNumber"]
    assert invoice["referenceNumber"] == document["paymentReference"]
    assert road.role(guid) == "transferred"
    assert (document["dontPrint"], document["dontEmail"], document["sendToAutoInvoice"]) == (
        True,
        True,
        False,
    )
    assert road.erp.ask("GET", "sent") == []


@pytest.mark.req("R-INV-1")
def test_an_invoice_before_the_transfer_status_is_left_alone(road: Road, project: Json) -> None:
    guid = road.approve(project, [hours()], status="draft")
    road.settle()
    assert road.documents(guid) == []
    assert road.invoice(guid)["number"] is None
    road.move(guid, "transfer")
    road.settle()
    assert road.role(guid) == "transferred"


@pytest.mark.req("R-INV-4", "R-INV-5")
def test_several_vat_rates_and_a_negative_row_agree_per_rate(road: Road, project: Json) -> None:
    guid = road.approve(
        project, [hours("10", "1250"), hours("-1", "333.33"), book("3", "249.50"), hotel("2", "1399.99")]
    )
    road.settle()
    document, invoice = road.document(guid), road.invoice(guid)
    assert money(document["amountInCurrency"]) == money(invoice["totalIncludingTax"])
    vat = {money(row["vatRate"]): money(row["vatAmount"]) for row in document["taxDetails"]}
    assert vat == {
        Decimal(25): Decimal("3041.67"),
        Decimal(6): Decimal("44.91"),
        Decimal(12): Decimal("336.00"),
    }
    assert road.problems() == []


@pytest.mark.req("R-INV-4", "R-INV-5", "R-INV-12", "R-INV-14", "R-LOG-3")
def test_a_wrong_vat_rate_fails_without_a_document_and_is_booked_once_repaired(
    road: Road, project: Json
) -> None:
    guid = road.approve(project, [hours("10", "1000", vat=12)])
    road.settle()
    assert road.role(guid) == "failed"
    assert road.documents(guid) == []
    assert road.releases(guid) == 0
    [problem] = [row for row in road.problems() if row["record_id"] == guid]
    assert problem["code"] == "invoice.total_would_differ"
    for amount in ("11 200,00 SEK", "12 500,00 SEK"):
        assert amount in problem["wrong"]
    assert problem["do"]
    assert problem["where"]
    [row] = road.invoice(guid)["rows"]
    road.severa.change("invoicerows", row["guid"], vatRate=25)
    road.move(guid, "transfer")
    road.settle()
    assert road.role(guid) == "transferred"
    assert money(road.document(guid)["amountInCurrency"]) == 12500
    assert [row for row in road.problems() if row["record_id"] == guid] == []


@pytest.mark.req("R-INV-4", "R-INV-5", "R-INV-12")
def test_a_document_that_comes_out_otherwise_is_removed_and_its_number_becomes_a_gap(
    road: Road, project: Json
) -> None:
    """The ERP's rate was changed after the bridge read it: only the proof of the held document can find that."""
    road.erp.change("vats", "U25", rate="24")
    try:
        guid = road.approve(project, [hours("10", "1000")])
        road.settle()
        assert road.role(guid) == "failed"
        assert road.documents(guid) == []
        assert road.releases(guid) == 0
        [gone] = road.erp.ask("GET", "removed")
        [gap] = road.sql(
            "select number, severa_id, reason from number_gap where tenant_id = %s", road.tenant_id
        )
        assert (gap["number"], gap["severa_id"]) == (str(gone["number"]), guid)
        [problem] = [row for row in road.problems() if row["record_id"] == guid]
        assert problem["code"] == "invoice.total_differs"
        assert "12 500,00 SEK" in problem["wrong"]
    finally:
        road.erp.change("vats", "U25", rate="25")
    road.move(guid, "transfer")
    road.settle()
    assert road.role(guid) == "transferred"
    assert len(road.documents(guid)) == 1


@pytest.mark.req("R-INV-7", "R-PAY-3")
def test_a_credit_note_is_booked_names_its_invoice_and_is_applied_to_it(road: Road, project: Json) -> None:
    guid = road.approve(project, [hours("4", "1000")])
    road.settle()
    road.move(guid, "sent")
    note = road.severa.add("invoices", credit_of=guid)["guid"]
    road.settle()
    credit, original = road.document(note), road.document(guid)
    assert credit["documentType"] == "CreditNote"
    assert money(credit["amountInCurrency"]) == 5000
    assert str(road.invoice(note)["number"]) == credit["referenceNumber"]
    assert original["referenceNumber"] in credit["note"] + str(credit)
    assert money(original["balanceInCurrency"]) == 0
    assert road.role(guid) == "paid"


@pytest.mark.req("R-INV-12", "R-INV-13")
def test_a_booked_invoice_set_back_to_transfer_gets_its_number_again_and_no_second_document(
    road: Road, project: Json
) -> None:
    guid = road.approve(project, [hours("3", "900")])
    road.settle()
    number = road.invoice(guid)["number"]
    road.severa.change("invoices", guid, number=None)
    road.move(guid, "transfer")
    road.settle()
    assert road.invoice(guid)["number"] == number
    assert road.role(guid) == "transferred"
    assert road.releases(guid) == 1
    assert len(road.documents(guid)) == 1


@pytest.mark.req("R-INV-12", "R-INV-13")
def test_a_booked_invoice_with_another_content_is_never_booked_again(road: Road, project: Json) -> None:
    guid = road.approve(project, [hours("3", "800")])
    road.settle()
    [row] = road.invoice(guid)["rows"]
    road.severa.change("invoicerows", row["guid"], quantity="5")
    road.move(guid, "transfer")
    road.settle()
    [problem] = [one for one in road.problems() if one["record_id"] == guid]
    assert problem["code"] == "invoice.already_booked"
    assert road.releases(guid) == 1
    assert len(road.documents(guid)) == 1


@pytest.mark.req("R-INV-14", "R-INV-12", "R-LOG-3")
def test_a_closed_period_is_explained_and_the_invoice_goes_when_it_is_opened(
    road: Road, project: Json
) -> None:
    road.erp.change("periods", "202611", closed_receivables=True)
    road.sql("delete from stream where tenant_id = %s and register = 'financialPeriod'", road.tenant_id)
    guid = road.approve(project, [hours("1", "700")])
    road.settle()
    assert road.role(guid) == "failed"
    [problem] = [row for row in road.problems() if row["record_id"] == guid]
    assert problem["code"] == "invoice.period_closed"
    assert "202611" in problem["wrong"]
    road.erp.change("periods", "202611", closed_receivables=False)
    road.sql("delete from stream where tenant_id = %s and register = 'financialPeriod'", road.tenant_id)
    road.move(guid, "transfer")
    road.settle()
    assert road.role(guid) == "transferred"


@pytest.mark.req("R-INV-4")
def test_an_invoice_taken_back_before_its_release_leaves_no_document(road: Road, project: Json) -> None:
    """It is moved to draft while the held document is being read back: nothing is released, the document goes."""
    road.erp.arm("delay", "^/v1/customerinvoice/[0-9]+$", method="GET", seconds=1.5)
    guid = road.approve(project, [hours("1", "650")])
    road.ask()
    wait_for("the document is made on hold", lambda: road.documents(guid), seconds=20)
    road.move(guid, "draft")
    road.settle()
    assert road.documents(guid) == []
    assert road.releases(guid) == 0
    assert road.role(guid) == "draft"
