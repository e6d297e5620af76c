"""Payments of the ERP as invoice statuses in Severa: up, down, waiting, and what only a person can decide."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from domain.errors import OutcomeUnknown, Refused, Stop, TryLater
from domain.invoice.model import ErpDocument
from domain.invoice.steps import settle as transfer
from domain.model import Json, Settled
from domain.payment.plan import money_of, settlement
from domain.payment.registers import REGISTERS, erp_time
from domain.payment.steps import settle
from tests.fakes_delivery import FakeDelivery
from tests.fakes_ledger import GUID, Firm, row

D = Decimal


def booked(status: str = "sent", *, partly_paid: bool = True) -> Firm:
    """A firm with one booked and linked invoice in a status; both sides polled."""
    firm = Firm(partly_paid=partly_paid)
    firm.invoice()
    delivery = firm.transfer()
    firm.finish(delivery, transfer(delivery))
    firm.in_severa_now()["status"] = {"guid": f"s-{status}", "name": status}
    polled(firm)
    firm.calls.clear()
    return firm


def polled(firm: Firm) -> None:
    firm.poll()
    firm.poll_documents()


def pay(firm: Firm, delivery: FakeDelivery | None = None) -> Settled:
    """One delivery of the payment, caused by the document, and what it leaves behind."""
    delivery = delivery or firm.delivery("payment", erp=("customerdocument", "Invoice/101"))
    settled = settle(delivery)
    if settled.effects.link is not None:
        link = firm.books.link("invoice", severa_id=GUID)
        assert link is not None
        firm.books.replace_link(link, state=settled.effects.link.state)
    firm.see(settled.effects.seen)
    return settled


def stopped(firm: Firm, delivery: FakeDelivery | None = None) -> Stop:
    with pytest.raises(Stop) as stop:
        pay(firm, delivery)
    return stop.value


def said_once(firm: Firm) -> FakeDelivery:
    """A vendor says once that a record is not there; the next attempt, when saying it again counts."""
    delivery = firm.delivery("payment", erp=("customerdocument", "Invoice/101"))
    with pytest.raises(TryLater) as later:
        pay(firm, delivery)
    assert (later.value.retry_after, later.value.costs_attempt) == (firm.limits.absence_seconds, False)
    firm.clock.forward(firm.limits.absence_seconds)
    return delivery.again()


def said(settled: Settled) -> list[str]:
    return [line.code for line in settled.effects.log]


def total(firm: Firm) -> Decimal:
    amount: Decimal = firm.in_severa_now()["totalIncludingTax"]["amount"]
    return amount


def status(firm: Firm) -> str:
    guid: str = firm.in_severa_now()["status"]["guid"]
    return guid.removeprefix("s-")


@pytest.mark.req("R-PAY-1")
def test_a_full_payment_makes_the_invoice_paid_on_the_day_of_the_last_application() -> None:
    firm = booked()
    firm.erp.pay("101", total(firm) - 100, "2026-11-20T00:00:00")
    firm.erp.pay("101", D(100), "2026-11-27T00:00:00")
    polled(firm)
    settled = pay(firm)
    assert status(firm) == "paid"
    assert firm.in_severa_now()["paymentDate"] == "2026-11-27"
    assert said(settled) == ["payment.paid"]
    assert [str(call) for call in firm.calls] == [
        "visma_net get customerinvoice 101",
        "severa get invoices inv-1",
        "bridge begin payment status",
        "severa patch invoices inv-1",
    ]


@pytest.mark.req("R-PAY-1")
def test_a_partial_payment_makes_it_partly_paid_without_a_date_and_the_rest_paid() -> None:
    firm = booked()
    firm.erp.pay("101", D(1000), "2026-11-20T00:00:00")
    polled(firm)
    assert said(pay(firm)) == ["payment.partly_paid"]
    assert status(firm) == "partly_paid"
    assert firm.in_severa_now()["paymentDate"] is None
    firm.erp.pay("101", total(firm) - 1000, "2026-11-25T00:00:00")
    polled(firm)
    pay(firm)
    assert (status(firm), firm.in_severa_now()["paymentDate"]) == ("paid", "2026-11-25")


@pytest.mark.req("R-PAY-1")
@pytest.mark.parametrize(("back", "role"), [(D(1), "partly_paid"), (None, "sent")])
def test_a_reversal_goes_back_the_same_way_and_clears_the_date(back: Decimal | None, role: str) -> None:
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-20T00:00:00")
    polled(firm)
    pay(firm)
    assert status(firm) == "paid"
    document = firm.document()
    document["applications"].clear()
    document |= {"status": "Open", "balanceInCurrency": back or total(firm)}
    polled(firm)
    pay(firm)
    assert status(firm) == role
    assert firm.in_severa_now()["paymentDate"] is None


@pytest.mark.req("R-PAY-1", "R-STA-1")
def test_without_a_partly_paid_status_a_partial_payment_shows_in_the_bridge_only_and_once() -> None:
    firm = booked(partly_paid=False)
    firm.erp.pay("101", D(1000), "2026-11-20T00:00:00")
    polled(firm)
    assert said(pay(firm)) == ["payment.part_shown_here"]
    assert said(pay(firm)) == []
    assert status(firm) == "sent"
    assert firm.calls == []


@pytest.mark.req("R-PAY-1")
def test_two_partial_payments_leave_it_partly_paid_and_the_second_changes_nothing() -> None:
    firm = booked()
    for day in ("2026-11-20", "2026-11-22"):
        firm.erp.pay("101", D(1000), f"{day}T00:00:00")
        polled(firm)
        pay(firm)
        assert (status(firm), firm.in_severa_now()["paymentDate"]) == ("partly_paid", None)
    assert len([call for call in firm.calls if call.method == "patch"]) == 1


@pytest.mark.req("R-PAY-1")
def test_a_credit_note_that_is_used_up_is_paid_like_an_invoice() -> None:
    firm = Firm()
    firm.invoice([row("CONS", "-1", "100", "25")], isCreditNote=True)
    delivery = firm.transfer()
    firm.finish(delivery, transfer(delivery))
    firm.in_severa_now()["status"] = {"guid": "s-sent", "name": "Skickad"}
    firm.erp.pay("101", D(125), "2026-11-24T00:00:00", register="customerCreditNote", docType="INV")
    polled(firm)
    settled = settle(firm.delivery("payment", erp=("customerdocument", "CreditNote/101")))
    assert said(settled) == ["payment.paid"]
    assert (status(firm), firm.in_severa_now()["paymentDate"]) == ("paid", "2026-11-24")


@pytest.mark.req("R-PAY-1")
def test_balance_and_amount_are_judged_in_the_documents_currency() -> None:
    """In company currency nothing is left for the rounding of the rate, in the document's ten euro are."""
    body: Json = {
        "documentType": "Invoice",
        "status": "Open",
        "currencyId": "EUR",
        "amount": D("1123.45"),
        "balance": D(0),
        "amountInCurrency": D(100),
        "balanceInCurrency": D(10),
    }
    assert money_of(ErpDocument.of(body)) == "partly"
    assert money_of(ErpDocument.of(body | {"balance": D(5), "balanceInCurrency": D(100)})) == "unpaid"


@pytest.mark.req("R-PAY-3")
@pytest.mark.parametrize(("off", "problem"), [("10", False), ("10.01", True)])
def test_the_tenants_limit_decides_what_a_small_write_off_is(off: str, problem: bool) -> None:  # noqa: FBT001
    firm = booked()
    firm.erp.pay("101", total(firm) - D(off), "2026-11-20T00:00:00")
    firm.erp.pay("101", D(off), "2026-11-21T00:00:00", docType="SMB")
    polled(firm)
    if problem:
        assert stopped(firm).values["amount"] == {"amount": "10.01", "currency": "SEK"}
    else:
        assert "payment.small_write_off" in said(pay(firm))


@pytest.mark.req("R-PAY-1")
def test_a_void_that_lists_a_payment_three_times_pays_nothing() -> None:
    line = {"documentType": "Invoice", "refNbr": "101"}
    payment = {
        "type": "VoidPayment",
        "refNbr": "9",
        "status": "Closed",
        "applicationDate": "2026-11-25T00:00:00",
    }
    lines = [line | {"amountPaid": D(amount)} for amount in ("100", "-100")]
    document = ErpDocument.of({"documentType": "Invoice", "referenceNumber": "101", "status": "Closed"})
    found = settlement(document, [{**payment, "paymentLines": lines}])
    assert found.day is None
    assert found.written_off == 0


@pytest.mark.req("R-PAY-2")
def test_a_payment_waits_while_the_invoice_is_transferred_and_says_so_once() -> None:
    firm = booked("transferred")
    firm.erp.pay("101", total(firm), "2026-11-20T00:00:00")
    polled(firm)
    assert said(pay(firm)) == ["payment.waits_until_sent"]
    assert said(pay(firm)) == []
    assert status(firm) == "transferred"
    firm.in_severa_now()["status"] = {"guid": "s-sent", "name": "Skickad"}
    polled(firm)
    assert said(pay(firm)) == ["payment.paid"]
    assert status(firm) == "paid"
    link = firm.books.link("invoice", severa_id=GUID)
    assert link is not None
    assert link.state["payment_waits"] is False


@pytest.mark.req("R-PAY-2")
@pytest.mark.parametrize("present", ["failed", "draft", "transfer"])
def test_an_invoice_that_is_not_out_yet_is_never_moved_by_a_payment(present: str) -> None:
    firm = booked(present)
    firm.erp.pay("101", total(firm), "2026-11-20T00:00:00")
    polled(firm)
    assert pay(firm).effects.log == ()
    assert status(firm) == present


def test_records_that_agree_already_cost_no_call() -> None:
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-20T00:00:00")
    polled(firm)
    pay(firm)
    polled(firm)
    firm.calls.clear()
    assert pay(firm).effects == Settled().effects
    assert firm.calls == []


def test_a_move_whose_answer_was_lost_is_seen_and_not_made_twice() -> None:
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-20T00:00:00")
    polled(firm)
    firm.faults.arm("patch", "invoices", OutcomeUnknown(), after=True)
    with pytest.raises(OutcomeUnknown):
        pay(firm)
    with pytest.raises(TryLater) as later:
        pay(firm)
    assert (later.value.retry_after, later.value.costs_attempt) == (firm.settle_seconds, False)
    firm.clock.forward(firm.settle_seconds)
    pay(firm)
    assert status(firm) == "paid"
    assert len([call for call in firm.calls if call.method == "patch"]) == 1


def test_an_invoice_moved_by_a_person_meanwhile_is_not_moved_back() -> None:
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-20T00:00:00")
    polled(firm)
    firm.in_severa_now()["status"] = {"guid": "s-draft", "name": "Utkast"}
    assert pay(firm).effects.log == ()
    assert status(firm) == "draft"


@pytest.mark.req("R-PAY-3")
def test_a_credit_note_applied_to_the_invoice_counts_as_its_payment() -> None:
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-20T00:00:00", docType="CRM", refNbr="201")
    polled(firm)
    pay(firm)
    assert status(firm) == "paid"


@pytest.mark.req("R-PAY-3")
def test_a_small_write_off_counts_as_paid_and_is_named_and_a_large_one_is_a_problem() -> None:
    firm = booked()
    firm.erp.pay("101", total(firm) - D("0.79"), "2026-11-20T00:00:00")
    firm.erp.pay("101", D("0.79"), "2026-11-21T00:00:00", docType="SMB")
    polled(firm)
    assert said(pay(firm)) == ["payment.paid", "payment.small_write_off"]
    assert firm.in_severa_now()["paymentDate"] == "2026-11-21"

    other = booked()
    other.erp.pay("101", total(other), "2026-11-21T00:00:00", docType="SMB")
    polled(other)
    assert stopped(other).code == "payment.written_off"
    assert status(other) == "sent"


@pytest.mark.req("R-PAY-3")
def test_a_write_off_inside_a_payment_is_found_on_the_payments_lines() -> None:
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-20T00:00:00")
    firm.document()["applications"][0]["amountPaid"] = total(firm) - 500
    line = {
        "documentType": "Invoice",
        "refNbr": "101",
        "amountPaid": total(firm) - 500,
        "balanceWriteOff": D(500),
    }
    payment = {"type": "Payment", "refNbr": "9", "status": "Closed", "applicationDate": "2026-11-20T00:00:00"}
    firm.erp.store("customerPayment", {**payment, "paymentLines": [line]}, "9")
    polled(firm)
    assert stopped(firm).values["amount"] == {"amount": "500.00", "currency": "SEK"}


def test_a_document_without_applications_is_dated_by_its_payments() -> None:
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-20T00:00:00")
    firm.document()["applications"].clear()
    line = {"documentType": "Invoice", "refNbr": "101", "amountPaid": total(firm)}
    payment = {"type": "Payment", "refNbr": "9", "status": "Closed", "applicationDate": "2026-11-19T00:00:00"}
    firm.erp.store("customerPayment", {**payment, "paymentLines": [line]}, "9")
    polled(firm)
    pay(firm)
    assert firm.in_severa_now()["paymentDate"] == "2026-11-19"


@pytest.mark.req("R-PAY-3")
def test_an_open_rest_no_larger_than_the_difference_at_transfer_is_listed() -> None:
    firm = booked()
    link = firm.books.link("invoice", severa_id=GUID)
    assert link is not None
    firm.books.replace_link(link, state={"difference": "0.05"})
    firm.erp.pay("101", total(firm) - D("0.05"), "2026-11-20T00:00:00")
    polled(firm)
    assert said(pay(firm)) == ["payment.partly_paid", "payment.rounding_balance"]


@pytest.mark.req("R-PAY-1")
@pytest.mark.parametrize("change", ["Voided", "Reserved"])
def test_a_document_that_is_cancelled_is_a_problem_and_the_status_stays(change: str) -> None:
    firm = booked("paid")
    firm.document()["status"] = change
    polled(firm)
    stop = stopped(firm)
    assert (stop.code, stop.values["number"]) == (f"payment.document_{change.lower()}", "101")
    assert status(firm) == "paid"


def test_a_refusal_of_severa_is_a_problem_with_its_text() -> None:
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-20T00:00:00")
    polled(firm)
    firm.faults.arm("patch", "invoices", Refused("locked", system="severa", status=400))
    assert stopped(firm).values["text"] == "locked"


def test_the_document_as_read_singly_is_no_change_against_its_row_in_the_list() -> None:
    firm = booked()
    register = next(one for one in REGISTERS if one.name == "customerdocument")
    single = firm.document()
    listed = {
        name: value for name, value in single.items() if name not in {"invoiceLines", "applications", "note"}
    }
    assert register.projection(single) == register.projection(listed)


def test_unreleased_and_voided_applications_do_not_count() -> None:
    body: Json = {
        "documentType": "Invoice",
        "status": "Closed",
        "amountInCurrency": D(100),
        "applications": [
            {"docType": "PMT", "amountPaid": D(100), "applicationDate": "2026-11-01T00:00:00"},
            {
                "docType": "PMT",
                "amountPaid": D(100),
                "applicationDate": "2026-11-09T00:00:00",
                "voided": True,
            },
            {
                "docType": "PMT",
                "amountPaid": D(100),
                "applicationDate": "2026-11-08T00:00:00",
                "released": False,
            },
        ],
    }
    assert settlement(ErpDocument.of(body)).day == date(2026, 11, 1)


def test_a_total_of_zero_is_paid_on_the_documents_own_date() -> None:
    body: Json = {
        "documentType": "Invoice",
        "status": "Closed",
        "amountInCurrency": D(0),
        "documentDate": "2026-11-02T00:00:00",
    }
    assert settlement(ErpDocument.of(body)).day == date(2026, 11, 2)


@pytest.mark.parametrize(
    "text", ["2026-03-20T06:35:22.1534567", "2026-03-20T06:35:22.15", "2026-03-20T06:35:22"]
)
def test_times_of_the_erp_come_with_any_number_of_fraction_digits(text: str) -> None:
    found = erp_time({"lastModifiedDateTime": text})
    assert found is not None
    assert found.replace(microsecond=0) == datetime(2026, 3, 20, 6, 35, 22)  # noqa: DTZ001 - the ERP's times have no zone


def test_a_payment_concerns_each_of_its_documents_once_and_only_linked_ones() -> None:
    register = next(one for one in REGISTERS if one.name == "customerPayment")
    lines = [
        {"documentType": kind, "refNbr": "101"} for kind in ("Invoice", "Invoice", "CreditNote", "DebitNote")
    ]
    concerns = register.concerns({"type": "VoidPayment", "refNbr": "9", "paymentLines": lines})
    assert [(one.id, one.only_linked) for one in concerns] == [
        ("CreditNote/101", True),
        ("Invoice/101", True),
    ]
    documents = next(one for one in REGISTERS if one.name == "customerdocument")
    assert documents.concerns({"documentType": "Payment", "referenceNumber": "9"}) == ()
    assert documents.identify({"documentType": "Credit Note", "referenceNumber": "7"}) == "CreditNote/7"
