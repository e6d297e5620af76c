"""What surrounds the booking: review before it, credit notes left open, the marker index, and whom a problem waits for."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import OutcomeUnknown, Stop, TryLater
from domain.invoice.steps import settle
from domain.model import ActionResult, Booked, Document, Json
from domain.setup.settings import TenantSettings
from tests.fakes_ledger import GUID, Firm, row
from tests.saying import wrong
from tests.unit.domain.invoice_surroundings import asked, firm_with, said, stopped


@pytest.mark.req("R-INV-15")
def test_a_held_invoice_makes_no_document_until_a_person_lets_it_go() -> None:
    firm = firm_with(hold_invoices=True)
    firm.invoice()
    stop = stopped(firm)
    assert stop.code == "invoice.held_for_review"
    assert stop.values["total"] == {"amount": "15352.79", "currency": "SEK"}
    assert "Moms: 25 %: 11 604,00 + 2 901,00; 6 %: 799,80 + 47,99." in wrong(stop)
    assert "Konton: 3010: 11 604,00 SEK; 3050: 799,80 SEK." in wrong(stop)
    assert asked(firm, "create", "patch") == []
    # What 0.1.0 kept says nothing of what was seen.
    firm.books.choices["invoice", GUID] = "released"
    assert stopped(firm).code == "invoice.held_for_review"
    firm.books.choices["invoice", GUID] = f"released:{stop.values['seen']}"
    settle(firm.transfer())
    assert firm.in_severa_now()["number"] == 101


@pytest.mark.req("R-INV-15")
def test_invoices_and_credit_notes_are_held_separately() -> None:
    held = firm_with(hold_credit_notes=True)
    held.invoice()
    settle(held.transfer())
    assert held.in_severa_now()["number"] == 101
    note = firm_with(hold_credit_notes=True)
    note.invoice([row("CONS", "-1", "100", "25")], isCreditNote=True)
    stop = stopped(note)
    assert (stop.code, stop.values["total"]) == (
        "invoice.held_for_review",
        {"amount": "125.00", "currency": "SEK"},
    )


@pytest.mark.req("R-INV-15")
def test_a_document_that_was_sent_already_is_not_held_any_more() -> None:
    firm = Firm()
    firm.invoice()
    firm.faults.arm("create", "customerinvoice", OutcomeUnknown(), after=True)
    delivery = firm.transfer()
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    firm.tenant = replace(firm.tenant, settings=TenantSettings.model_validate({"hold_invoices": True}))
    settle(delivery.again())
    assert firm.in_severa_now()["number"] == 101


@pytest.mark.req("R-INV-11")
@pytest.mark.parametrize(("domain", "guid"), [("customer", "c-1"), ("project", "p-1"), ("product", "i-CONS")])
def test_a_problem_that_points_at_another_record_waits_for_it(domain: str, guid: str) -> None:
    firm = Firm()
    firm.books.links = [link for link in firm.books.links if link.severa_id != guid]
    firm.books.problems.add(("severa", guid))
    firm.invoice()
    stop = stopped(firm)
    assert stop.waits_for is not None
    assert (stop.waits_for.domain, stop.waits_for.severa_id) == (domain, guid)
    assert firm.in_severa_now()["status"]["guid"] == "s-transfer"


@pytest.mark.req("R-INV-7", "R-INV-11")
def test_a_credit_note_points_at_its_original_that_is_in_error_and_goes_on_when_it_is_booked() -> None:
    firm = Firm()
    firm.books.problems.add(("severa", "inv-0"))
    firm.invoice([row("CONS", "-1", "100", "25")], isCreditNote=True, reimburseInvoice={"guid": "inv-0"})
    stop = stopped(firm)
    assert stop.code == "invoice.original_in_error"
    assert stop.waits_for is not None
    assert (stop.waits_for.domain, stop.waits_for.severa_id) == ("invoice", "inv-0")
    assert firm.in_severa_now()["status"]["guid"] == "s-transfer"


@pytest.mark.req("R-LOG-3", "R-INV-12")
@pytest.mark.parametrize(
    ("status", "stays"), [("s-failed", True), ("s-draft", False), ("s-transferred", False)]
)
def test_a_problem_stays_while_the_invoice_stands_in_the_failed_status(status: str, stays: bool) -> None:  # noqa: FBT001
    firm = Firm()
    firm.invoice(status={"guid": status, "name": ""})
    settled = settle(firm.transfer())
    assert settled.problems_stay is stays


@pytest.mark.req("R-LOG-3", "R-INV-6")
def test_a_booked_invoice_that_stands_before_transferred_keeps_its_problem() -> None:
    firm = Firm()
    firm.invoice(number=90, status={"guid": "s-draft", "name": "Utkast"})
    record = firm.books.record("severa", "invoices", GUID)
    document = {"documentType": "Invoice", "referenceNumber": "90", "status": "Open"}
    erp = firm.books.remember("visma_net", "customerdocument", document, number="90")
    assert record is not None
    link = firm.books.connect("invoice", record, erp, document=("Invoice", "90"))
    firm.books.replace_link(link, state={"total": "0", "numbered": "90"})
    firm.is_booked("90")
    assert settle(firm.transfer()).problems_stay is True


@pytest.mark.schedule("S2")
@pytest.mark.req("R-INV-6")
@pytest.mark.parametrize("status", ["s-draft", "s-failed"])
def test_a_booked_invoice_that_was_moved_before_it_had_its_number_is_told(status: str) -> None:
    """Booked by an attempt whose write-back surely did not go out, so that no step of it stands open."""
    firm = Firm()
    firm.invoice()
    firm.faults.arm("patch", "invoices", TryLater("no connection"))
    with pytest.raises(TryLater):
        settle(firm.transfer())
    firm.in_severa_now()["status"] = {"guid": status, "name": ""}
    firm.poll()
    with pytest.raises(Stop) as stop:
        settle(firm.transfer())
    assert (stop.value.code, stop.value.values["number"]) == ("invoice.moved_after_booking", "101")
    assert firm.in_severa_now()["number"] == 101


@pytest.mark.req("R-LOG-1")
def test_what_was_cut_is_told_by_the_worker_that_ends_the_delivery() -> None:
    firm = Firm()
    firm.invoice([row("CONS", "1", "100", "25", description="x" * 300)])
    firm.erp.release_result = ActionResult("Queued", "")
    delivery = firm.transfer()
    with pytest.raises(TryLater):
        settle(delivery)
    firm.erp.finish_release("customerinvoice", "101")
    assert "invoice.description_cut" in said(settle(delivery.again()))


@pytest.mark.req("R-STA-2")
def test_statuses_are_read_again_before_a_set_up_is_called_wrong_and_waited_for_if_it_is() -> None:
    firm = Firm()
    firm.invoice()
    seen = firm.books.record("severa", "invoicestatuses", "s-failed")
    assert seen is not None
    firm.books.remember("severa", "invoicestatuses", seen.body | {"isDefault": True})
    settle(firm.transfer())
    assert firm.in_severa_now()["number"] == 101
    firm.severa.stored("invoicestatuses", "s-failed")["isDefault"] = True
    stop = stopped(firm)
    assert stop.code == "statuses.failed_is_default"
    assert stop.waits_for is not None
    assert (stop.waits_for.domain, stop.waits_for.severa_id) == ("reference", "invoicestatuses")


@pytest.mark.req("R-INV-5", "R-INV-12")
def test_a_no_from_memory_is_asked_again_before_the_invoice_fails() -> None:
    """The VAT was repaired in the ERP since its tables were read: the invoice is booked, not failed a second time."""
    firm = Firm()
    firm.know_vat()
    for record in firm.books.all("visma_net", "vat"):
        firm.erp.store("vat", record.body)
    stale = firm.books.record("visma_net", "vat", "U25")
    assert stale is not None
    schedule = {"startDate": "2000-01-01T00:00:00", "vatRate": 24, "groupType": "Output"}
    firm.books.remember("visma_net", "vat", stale.body | {"schedules": [schedule]})
    firm.invoice()
    settle(firm.transfer())
    assert firm.in_severa_now()["number"] == 101


@pytest.mark.req("R-INV-12", "R-INV-14")
def test_a_period_opened_since_it_was_read_does_not_fail_the_invoice() -> None:
    firm = Firm()
    period = {"period": "202611", "startDate": "2026-11-01T00:00:00", "closedInCustomerLedger": True}
    firm.books.remember("visma_net", "financialPeriod", period, id="202611")
    firm.invoice()
    assert stopped(firm).code == "invoice.period_closed"
    firm.erp.store("financialPeriod", period | {"closedInCustomerLedger": False}, key="202611")
    firm.invoice()
    settle(firm.transfer())
    assert firm.in_severa_now()["number"] == 101


def indexed(firm: Firm, **more: Any) -> Json:
    """A held document of the invoice whose marker the index knows although its last row showed no note."""
    document: Json = {
        "documentType": "Invoice",
        "referenceNumber": "77",
        "status": "Hold",
        "hold": True,
        "customer": {"number": "10001"},
        "note": f"severa:{GUID} prod.n0",
    } | more
    # Asked for by a delivery that gave it up, because it did not show in time.
    firm.matter("invoice", GUID).documents.append(Document("Invoice", "", "n0", "void"))
    firm.erp.store("customerinvoice", document, key="77")
    firm.books.remember("visma_net", "customerdocument", document)
    firm.books.remember("visma_net", "customerdocument", {**document, "note": None})
    return document


@pytest.mark.req("R-INV-13")
def test_a_document_row_without_its_note_does_not_blind_the_marker_index() -> None:
    firm = Firm()
    firm.invoice()
    indexed(firm)
    # The document is ours but not of the invoice as it stands: it goes, and is no fault of the invoice.
    settled = settle(firm.transfer())
    assert firm.erp.deleted == ["Invoice/77"]
    assert [(gap.number, gap.reason) for gap in settled.effects.gaps] == [("77", "invoice.changed")]
    assert [one["referenceNumber"] for one in firm.erp.documents()] == ["101"]
    assert firm.erp.released == [f"severa:{GUID}"]


@pytest.mark.req("R-INV-13")
def test_a_document_whose_marker_a_person_took_away_is_not_adopted() -> None:
    firm = Firm()
    firm.invoice()
    indexed(firm)
    firm.erp.stored("customerinvoice", "77")["note"] = "Sparas till nästa månad"
    settle(firm.transfer())
    assert firm.in_severa_now()["number"] == 101
    assert firm.erp.deleted == []


def crediting(firm: Firm, original: Json) -> None:
    """A credit note of 125.00 for invoice 90, which the bridge transferred."""
    body: Json = {
        "documentType": "Invoice",
        "referenceNumber": "90",
        "status": "Open",
        "customer": {"number": "10001"},
        "currencyId": "SEK",
        "amountInCurrency": 1000,
        "balanceInCurrency": 1000,
    }
    firm.erp.store("customerinvoice", body | original, key="90")
    erp = firm.books.remember("visma_net", "customerdocument", body | original, number="90")
    ours = firm.books.remember("severa", "invoices", {"guid": "inv-0"})
    firm.books.connect("invoice", ours, erp, booked=Booked("Invoice", "90", Decimal(1000)))
    firm.invoice(
        [row("CONS", "-1", "100", "25")], isCreditNote=True, reimburseInvoice={"guid": "inv-0", "number": 90}
    )


@pytest.mark.req("R-INV-7")
@pytest.mark.parametrize(
    "original",
    [
        {"status": "Closed", "balanceInCurrency": 0},
        {"customer": {"number": "10002"}},
        {"currencyId": "EUR"},
        {"status": "Voided"},
    ],
)
def test_a_credit_note_is_left_open_and_listed_when_its_original_cannot_take_it(original: Json) -> None:
    firm = Firm()
    crediting(firm, original)
    settled = settle(firm.transfer())
    assert firm.document()["applications"] == []
    told = next(line for line in settled.effects.log if line.code == "invoice.credit_left_open")
    assert (told.level, told.values["original"], told.values["number"]) == ("warning", "90", "101")
    assert firm.document()["invoiceText"].startswith("Kredit av faktura 90 (Credit of invoice 90)")


@pytest.mark.req("R-INV-7")
@pytest.mark.parametrize(("balance", "applied"), [(1000, "125"), (50, "50")])
def test_a_credit_note_is_applied_for_its_total_or_what_its_original_has_left(
    balance: int, applied: str
) -> None:
    firm = Firm()
    crediting(firm, {"balanceInCurrency": balance})
    settled = settle(firm.transfer())
    [application] = firm.document()["applications"]
    assert (application["refNbr"], application["amountPaid"]) == ("90", int(applied))
    assert "invoice.credit_left_open" not in said(settled)
