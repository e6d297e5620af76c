"""An invoice that Severa changes meanwhile, that has to wait, or that the ERP refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.errors import (
    Forbidden,
    NotFound,
    RateLimited,
    Refused,
    Stop,
    TryLater,
    Unavailable,
    Waiting,
)
from domain.invoice.steps import settle
from domain.model import ActionResult
from tests.fakes import Killed
from tests.fakes_ledger import GUID, Firm, row, totals
from tests.fakes_vendors import Call
from tests.unit.domain.invoice_booking import D, stopped, wrong_vat


@pytest.mark.req("R-INV-4")
def test_an_invoice_edited_just_before_release_gets_a_new_document_and_the_held_one_goes() -> None:
    firm = Firm()
    firm.invoice()

    def edit(call: Call) -> bool:
        if call.method == "get" and call.register == "customerinvoice" and call.key == "101":
            body = firm.in_severa_now()
            body |= {"orderNumber": "PO 2", "lastUpdatedDateTime": "2026-11-02T09:00:00+00:00"}
        return False

    firm.faults.arm_nth(1, AssertionError("never raised"), only=edit)
    settled = settle(firm.transfer())
    assert firm.erp.deleted == ["Invoice/101"]
    assert firm.document("102")["customerRefNumber"] == "PO 2"
    assert firm.erp.released == [f"severa:{GUID}"]
    assert [gap.number for gap in settled.effects.gaps] == ["101"]
    assert firm.in_severa_now()["number"] == 102


@pytest.mark.req("R-INV-4")
def test_an_invoice_taken_out_of_transfer_just_before_release_loses_its_held_document() -> None:
    firm = Firm()
    firm.invoice()

    def move(call: Call) -> bool:
        if call.method == "get" and call.register == "customerinvoice":
            firm.in_severa_now()["status"] = {"guid": "s-draft", "name": "Utkast"}
        return False

    firm.faults.arm_nth(1, AssertionError("never raised"), only=move)
    settled = settle(firm.transfer())
    assert firm.erp.documents() == []
    assert firm.erp.released == []
    assert [gap.reason for gap in settled.effects.gaps] == ["invoice.withdrawn"]
    assert firm.in_severa_now()["number"] is None
    assert firm.in_severa_now()["status"]["guid"] == "s-draft"


def test_a_stale_poll_does_not_fail_an_invoice_that_was_corrected_since() -> None:
    firm = Firm()
    firm.know_vat()
    firm.invoice([row("TRAIN", "1", "200", "25")])
    # The user corrected the VAT after the poll; rows are read fresh, the header of the last poll is not.
    corrected = [row("TRAIN", "1", "200", "6", guid="r-1", sortOrder=1)]
    firm.severa.children["invoices/invoicerows", GUID] = corrected
    firm.in_severa_now().update(totals(corrected), lastUpdatedDateTime="2026-11-02T09:00:00+00:00")
    settle(firm.transfer())
    assert firm.in_severa_now()["number"] == 101
    assert firm.document()["amountInCurrency"] == D("212.00")


@pytest.mark.req("R-INV-12")
def test_a_failed_invoice_set_back_to_transfer_is_tried_again_from_the_start() -> None:
    firm = Firm()
    wrong_vat(firm)
    firm.invoice()
    delivery = firm.transfer()
    with pytest.raises(Stop):
        settle(delivery)
    firm.erp.rates["CONS"] = D(25)
    firm.in_severa_now().update(
        status={"guid": "s-transfer", "name": "x"}, lastUpdatedDateTime="2026-11-02T10:00:00+00:00"
    )
    firm.poll()
    # The same delivery with its steps kept, and one without them: both begin anew.
    settle(delivery.again())
    assert firm.in_severa_now()["number"] == 102
    assert firm.erp.released == [f"severa:{GUID}"]


@pytest.mark.req("R-INV-11")
def test_an_invoice_waits_for_its_customer_and_stays_in_transfer() -> None:
    firm = Firm()
    firm.books.links = [link for link in firm.books.links if link.domain != "customer"]
    firm.invoice()
    with pytest.raises(Waiting) as waiting:
        settle(firm.transfer())
    assert (waiting.value.domain, waiting.value.severa_id) == ("customer", "c-1")
    assert firm.in_severa_now()["status"]["guid"] == "s-transfer"


@pytest.mark.req("R-INV-11")
@pytest.mark.parametrize(("domain", "guid"), [("customer", "c-1"), ("project", "p-1"), ("product", "i-CONS")])
def test_an_invoice_points_at_the_record_that_is_itself_in_error(domain: str, guid: str) -> None:
    firm = Firm()
    firm.books.links = [link for link in firm.books.links if link.severa_id != guid]
    firm.books.problems.add(("severa", guid))
    firm.invoice()
    stop = stopped(firm)
    assert stop.code == {"product": "invoice.item_in_error"}.get(domain, f"invoice.{domain}_in_error")
    assert firm.in_severa_now()["status"]["guid"] == "s-transfer"


def test_a_code_that_no_register_knows_fails_only_once_the_registers_are_read() -> None:
    firm = Firm()
    firm.invoice([row("NEW", "1", "10", "25")])
    firm.books.incomplete.add(("severa", "worktypes"))
    with pytest.raises(TryLater) as later:
        settle(firm.transfer())
    assert later.value.costs_attempt is False
    firm.books.incomplete.clear()
    assert stopped(firm).code == "invoice.item_unknown"
    assert firm.in_severa_now()["status"]["guid"] == "s-failed"


@pytest.mark.req("R-INV-14")
@pytest.mark.parametrize(
    ("said", "code"),
    [
        (
            "VismaId: 1. Error creating document. Error: TaxCategoryID '0' cannot be found in the system.",
            "invoice.vat_mismatch",
        ),
        ("TaxID '01' cannot be found in the system", "invoice.vat_mismatch"),
        (
            "The financial period 11-2026 is closed in the Accounts Receivable module.",
            "invoice.period_closed",
        ),
        ("The customer status is 'Inactive'.", "invoice.customer_refused"),
        ("Inventory Item status is 'No Sales'.", "invoice.item_refused"),
        ("Project '4711' is not active.", "invoice.project_refused"),
        ("Project task '10' is completed.", "invoice.task_refused"),
        ("Something nobody has seen before.", "invoice.refused"),
    ],
)
def test_a_refusal_is_explained_by_its_cause_and_fails_the_invoice(said: str, code: str) -> None:
    firm = Firm()
    firm.invoice()
    firm.faults.arm("create", "customerinvoice", Refused(said, system="visma_net", status=400))
    stop = stopped(firm)
    assert stop.code == code
    assert said in stop.values["text"]
    assert firm.in_severa_now()["status"]["guid"] == "s-failed"


def test_a_missing_right_is_no_fault_of_the_invoice() -> None:
    firm = Firm()
    firm.invoice()
    firm.faults.arm("create", "customerinvoice", Forbidden("scope", system="visma_net", status=403))
    assert stopped(firm).code == "invoice.not_allowed"
    assert firm.in_severa_now()["status"]["guid"] == "s-transfer"


@pytest.mark.req("R-INV-12")
@pytest.mark.parametrize("error", [RateLimited(retry_after=60), Unavailable()])
def test_a_temporary_error_leaves_the_invoice_in_transfer_and_nothing_begun(error: TryLater) -> None:
    firm = Firm()
    firm.invoice()
    firm.faults.arm("create", "customerinvoice", error)
    delivery = firm.transfer()
    with pytest.raises(type(error)):
        settle(delivery)
    assert delivery.step("create") is None
    assert firm.in_severa_now()["status"]["guid"] == "s-transfer"
    settle(delivery.again())
    assert firm.in_severa_now()["number"] == 101


@pytest.mark.req("R-INV-4")
@pytest.mark.parametrize("status", ["PendingPrint", "PendingEmail", "CreditHold"])
def test_a_document_that_does_not_open_is_removed_and_the_invoice_fails(status: str) -> None:
    firm = Firm()
    firm.erp.release_status = status
    firm.invoice()
    stop = stopped(firm)
    assert (stop.code, stop.values["status"]) == ("invoice.not_releasable", status)
    assert firm.erp.documents() == []
    assert firm.in_severa_now()["status"]["guid"] == "s-failed"


@pytest.mark.req("R-INV-4")
def test_a_document_that_must_be_printed_first_is_removed_with_that_reason() -> None:
    firm = Firm()
    firm.invoice()

    def demand_print(call: Call) -> bool:
        if call.method == "act":
            firm.document()["status"] = "PendingPrint"
        return call.method == "act"

    firm.faults.arm_nth(1, Refused("can't be released", system="visma_net", status=400), only=demand_print)
    stop = stopped(firm)
    assert (stop.code, stop.values["status"]) == ("invoice.not_releasable", "PendingPrint")
    assert firm.erp.documents() == []


@pytest.mark.req("R-INV-13")
def test_a_held_document_that_a_person_released_in_the_erp_is_numbered_and_not_made_again() -> None:
    firm = Firm()
    firm.invoice()

    def release_by_hand(call: Call) -> bool:
        if call.method == "update":
            firm.document()["status"] = "Balanced"
            firm.erp.finish_release("customerinvoice", "101")
        return False

    firm.faults.arm_nth(1, AssertionError("never raised"), only=release_by_hand)
    settle(firm.transfer())
    assert firm.in_severa_now()["number"] == 101
    assert len(firm.erp.documents()) == 1


@pytest.mark.req("R-INV-6")
def test_an_invoice_moved_after_release_gets_its_number_but_a_person_must_move_it_on() -> None:
    firm = Firm()
    firm.invoice()
    firm.faults.arm("act", "customerinvoice/release", Killed(), after=True)
    delivery = firm.transfer()
    with pytest.raises(Killed):
        settle(delivery)
    firm.in_severa_now()["status"] = {"guid": "s-draft", "name": "Utkast"}
    with pytest.raises(Stop) as stop:
        settle(delivery.again())
    assert (stop.value.code, stop.value.values["number"]) == ("invoice.moved_after_booking", "101")
    assert firm.in_severa_now()["number"] == 101
    assert firm.in_severa_now()["status"]["guid"] == "s-draft"


@pytest.mark.req("R-INV-13")
def test_a_deleted_invoice_takes_its_held_document_with_it() -> None:
    firm = Firm()
    firm.invoice()
    firm.faults.arm("create", "customerinvoice", Killed(), after=True)
    delivery = firm.transfer()
    with pytest.raises(Killed):
        settle(delivery)
    del firm.severa.records["invoices"][GUID]
    # A gateway may say 404 of what is there: it is asked once more a minute later.
    second = delivery.again()
    with pytest.raises(TryLater) as later:
        settle(second)
    assert (later.value.retry_after, later.value.costs_attempt, firm.erp.deleted) == (60, False, [])
    firm.clock.forward(60)
    settled = settle(second.again())
    assert firm.erp.documents() == []
    assert [gap.number for gap in settled.effects.gaps] == ["101"]


@pytest.mark.req("R-LOG-3")
@pytest.mark.parametrize("status", ["s-failed", "s-transfer", "s-draft"])
def test_an_invoice_that_was_never_booked_and_is_deleted_leaves_no_problem_behind(status: str) -> None:
    firm = Firm()
    firm.invoice(status={"guid": status, "name": status})
    delivery = firm.transfer()
    record = firm.books.records["severa", "invoices", GUID]
    firm.books.records["severa", "invoices", GUID] = replace(record, gone=True)
    del firm.severa.records["invoices"][GUID]

    assert settle(delivery).problems_stay is False
    assert firm.erp.documents() == []


@pytest.mark.parametrize("status", ["s-failed", "s-transfer"])
def test_an_invoice_that_a_reading_left_out_and_that_is_there_is_as_it_was(status: str) -> None:
    firm = Firm()
    firm.invoice(status={"guid": status, "name": status})
    record = firm.books.records["severa", "invoices", GUID]
    firm.books.records["severa", "invoices", GUID] = replace(record, gone=True)

    assert settle(firm.transfer()).problems_stay is (status == "s-failed")
    assert firm.in_severa_now()["number"] == (101 if status == "s-transfer" else None)


def test_an_invoice_that_answers_404_once_is_booked_all_the_same() -> None:
    """Seeds 115 and 117: taken for deleted, its document removed, and never looked at again."""
    firm = Firm()
    firm.invoice()
    firm.faults.arm(
        "get", "invoices", NotFound("Resource not found", system="severa", operation="GET invoices")
    )
    delivery = firm.transfer()
    with pytest.raises(TryLater):
        settle(delivery)
    firm.clock.forward(60)
    settle(delivery.again())
    assert (firm.in_severa_now()["number"], firm.erp.deleted) == (101, [])


@pytest.mark.req("R-INV-4")
def test_a_release_that_fails_removes_the_document_with_the_erps_reason() -> None:
    firm = Firm()
    firm.erp.release_result = ActionResult("Failed", "Period 112026 is closed.")
    firm.invoice()
    stop = stopped(firm)
    assert stop.code == "invoice.period_closed"
    assert firm.erp.documents() == []


@pytest.mark.req("R-INV-4")
def test_a_queued_release_is_waited_for_without_costing_attempts() -> None:
    firm = Firm()
    firm.erp.release_result = ActionResult("Queued", "")
    firm.invoice()
    delivery = firm.transfer()
    for _ in range(3):
        with pytest.raises(TryLater) as later:
            settle(delivery)
        assert later.value.costs_attempt is False
        delivery = delivery.again()
        firm.clock.forward(5)
    firm.erp.finish_release("customerinvoice", "101")
    settle(delivery)
    assert firm.in_severa_now()["number"] == 101
    assert len([call for call in firm.calls if call.method == "act"]) == 1
