"""What stands of a payment: voided and reversed parts, the date that both systems agree on, and what is said once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import Stop
from domain.invoice.model import ErpDocument
from domain.invoice.steps import settle as transfer
from domain.model import Json, Settled
from domain.payment.plan import settlement
from domain.payment.steps import settle
from tests.fakes_ledger import GUID, Firm, row
from tests.unit.domain.test_payment_steps import booked, pay, polled, said, status, stopped, total

D = Decimal


def listed(firm: Firm) -> None:
    """The poller sees both sides as lists show them: a document without its applications."""
    firm.poll()
    for document in firm.erp.documents():
        shown = {
            name: value for name, value in document.items() if name not in {"applications", "invoiceLines"}
        }
        firm.books.remember("visma_net", "customerdocument", shown)


def dated(firm: Firm) -> str | None:
    found: str | None = firm.in_severa_now()["paymentDate"]
    return found


# ---------------------------------------------------------------- voided, reversed, paid again


@pytest.mark.schedule("S20")
@pytest.mark.req("R-PAY-1")
@pytest.mark.parametrize("poll", [listed, polled])
def test_paid_voided_and_paid_again_between_two_polls_moves_the_date(poll: Any) -> None:
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-20T00:00:00")
    poll(firm)
    pay(firm)
    assert (status(firm), dated(firm)) == ("paid", "2026-11-20")
    document = firm.document()
    document["applications"][0] |= {"voided": True}
    document["applications"].append(
        document["applications"][0]
        | {"docType": "RPM", "amountPaid": -total(firm), "applicationDate": "2026-11-25"}
    )
    document["balanceInCurrency"] = total(firm)
    firm.erp.pay("101", total(firm), "2026-11-27T00:00:00", refNbr="10")
    poll(firm)
    settled = pay(firm)
    assert (status(firm), dated(firm)) == ("paid", "2026-11-27")
    assert said(settled) == ["payment.date_changed"]
    assert settled.effects.log[0].values["date"] == "2026-11-27"
    poll(firm)
    assert said(pay(firm)) == []
    assert len([call for call in firm.calls if call.method == "patch"]) == 2


@pytest.mark.req("R-PAY-1")
def test_a_paid_invoice_whose_date_agrees_costs_one_reading_and_writes_nothing() -> None:
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-20T00:00:00")
    listed(firm)
    pay(firm)
    listed(firm)
    firm.calls.clear()
    assert said(pay(firm)) == []
    assert [str(call) for call in firm.calls] == ["visma_net get customerinvoice 101"]
    seen = firm.books.record("visma_net", "customerdocument", "Invoice/101")
    assert seen is not None
    # Kept, it would be taken for what stands there at the next payment.
    assert "applications" not in seen.body


@pytest.mark.req("R-PAY-1")
def test_a_date_that_was_typed_otherwise_is_put_right() -> None:
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-20T00:00:00")
    firm.in_severa_now()["status"] = {"guid": "s-paid", "name": "Betalad"}
    firm.in_severa_now()["paymentDate"] = "2026-11-03"
    listed(firm)
    assert said(pay(firm)) == ["payment.date_changed"]
    assert (status(firm), dated(firm)) == ("paid", "2026-11-20")


def applied(*rows: tuple[str, str, str, str], voided: str = "") -> ErpDocument:
    """A closed invoice of 100 with applications (type, number, amount, day of November)."""
    return ErpDocument.of(
        {
            "documentType": "Invoice",
            "referenceNumber": "101",
            "status": "Closed",
            "amountInCurrency": D(100),
            "applications": [
                {
                    "docType": kind,
                    "refNbr": number,
                    "amountPaid": D(amount),
                    "applicationDate": f"2026-11-{on}T00:00:00",
                    "released": True,
                    "voided": bool(voided) and number == voided,
                }
                for kind, number, amount, on in rows
            ],
        }
    )


@pytest.mark.req("R-PAY-1")
@pytest.mark.parametrize(
    ("document", "day", "amount"),
    [
        # Voided without a mark: the voiding document bears the payment's number.
        (applied(("PMT", "1", "100", "20"), ("RPM", "1", "-100", "25"), ("PMT", "2", "100", "22")), 22, 100),
        (
            applied(("PMT", "1", "100", "20"), ("VoidPayment", "1", "-100", "25"), ("CRM", "1", "100", "21")),
            21,
            100,
        ),
        (applied(("Payment", "1", "100", "20"), ("Void Payment", "1", "-100", "25")), None, 0),
        # Taken off the invoice and put on again: + − +.
        (applied(("PMT", "1", "100", "20"), ("PMT", "1", "-100", "25"), ("PMT", "1", "100", "27")), 27, 100),
        (applied(("PMT", "1", "100", "20"), ("PMT", "1", "-100", "25")), None, 0),
        (applied(("PMT", "1", "100", "20"), ("PMT", "1", "-40", "25"), ("PMT", "2", "40", "21")), 21, 100),
        # A refund of the same number is another document than the voided payment.
        (applied(("REF", "1", "100", "23"), ("PMT", "1", "5", "20"), ("RPM", "1", "-5", "25")), 23, 100),
        (applied(("PMT", "1", "100", "20"), ("PMT", "9", "100", "28"), voided="9"), 20, 100),
    ],
)
def test_what_was_taken_back_neither_counts_nor_gives_its_date(
    document: ErpDocument, day: int | None, amount: int
) -> None:
    found = settlement(document)
    assert found.day == (date(2026, 11, day) if day else None)
    assert found.applied == amount


@pytest.mark.req("R-PAY-3")
def test_a_write_off_that_was_taken_back_is_none() -> None:
    document = applied(("SMB", "1", "50", "20"), ("SMB", "1", "-50", "21"), ("PMT", "2", "100", "22"))
    assert settlement(document).written_off == 0


# ---------------------------------------------------------------- payments of a document that does not tell


def payment(kind: str, number: str, on: str, *lines: tuple[str, str, str], state: str = "Closed") -> Json:
    return {
        "type": kind,
        "refNbr": number,
        "status": state,
        "applicationDate": f"2026-11-{on}T00:00:00",
        "paymentLines": [
            {"documentType": kind_of, "refNbr": about, "amountPaid": D(amount)}
            for kind_of, about, amount in lines
        ],
    }


SILENT = ErpDocument.of(
    {"documentType": "Invoice", "referenceNumber": "101", "status": "Closed", "amountInCurrency": D(100)}
)


@pytest.mark.req("R-PAY-1")
@pytest.mark.parametrize(
    ("payments", "day"),
    [
        # A credit note may have the same number as the invoice.
        ([payment("Payment", "1", "20", ("Invoice", "101", "100")), payment("Payment", "2", "28", ("CreditNote", "101", "100"))], 20),
        ([payment("Payment", "2", "28", ("Credit Note", "101", "100"))], None),
        ([payment("Payment", "1", "20", ("DebitNote", "101", "100"))], None),
        # The void comes later than what paid the invoice in the end.
        (
            [
                payment("Payment", "1", "20", ("Invoice", "101", "100"), state="Voided"),
                payment("VoidPayment", "1", "29", ("Invoice", "101", "-100")),
                payment("Payment", "2", "27", ("Invoice", "101", "100")),
            ],
            27,
        ),
        # Neither does a payment count that its void does not mark.
        (
            [
                payment("Payment", "1", "28", ("Invoice", "101", "100")),
                payment("Void Payment", "1", "29", ("Invoice", "101", "100"), ("Invoice", "101", "-100"), ("Invoice", "101", "100")),
                payment("Refund", "1", "26", ("Invoice", "101", "-10")),
            ],
            26,
        ),
        ([payment("Payment", "1", "20", ("Invoice", "101", "100"), ("Invoice", "101", "-100"))], None),
        ([payment("Payment", "1", "20", ("Invoice", "101", "100"), state="Balanced")], None),
    ],
)  # fmt: skip
def test_payments_are_matched_by_type_and_number_and_only_those_that_stand(
    payments: list[Json], day: int | None
) -> None:
    assert settlement(SILENT, payments).day == (date(2026, 11, day) if day else None)


@pytest.mark.req("R-PAY-1", "R-INV-7")
def test_a_payment_of_a_credit_note_does_not_date_the_invoice_of_the_same_number() -> None:
    credit = ErpDocument.of({"documentType": "CreditNote", "referenceNumber": "101", "status": "Closed"})
    rows = [payment("Refund", "1", "24", ("CreditNote", "101", "-100"))]
    assert settlement(credit, rows).day == date(2026, 11, 24)
    assert settlement(SILENT, rows).day is None


# ---------------------------------------------------------------- said once


def again(firm: Firm, stop: Stop) -> Settled:
    """The other register announces the same invoice: what the first delivery left behind is there."""
    assert stop.effects is not None
    assert stop.effects.link is not None
    link = firm.books.link("invoice", severa_id=GUID)
    assert link is not None
    firm.books.replace_link(link, state=stop.effects.link.state)
    firm.books.problems.add(("severa", GUID))
    return pay(firm)


@pytest.mark.req("R-LOG-3", "R-PAY-3")
def test_a_write_off_is_told_once_although_document_and_payment_announce_it() -> None:
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-21T00:00:00", docType="SMB")
    listed(firm)
    stop = stopped(firm)
    settled = again(firm, stop)
    assert settled.problems_stay
    assert said(settled) == []
    # Another amount is another problem.
    firm.document()["applications"][0]["amountPaid"] = D("20")
    firm.document()["applications"].append(
        firm.document()["applications"][0] | {"docType": "PMT", "refNbr": "8", "amountPaid": total(firm) - 20}
    )
    listed(firm)
    assert stopped(firm).values["amount"] == {"amount": "20.00", "currency": "SEK"}


@pytest.mark.req("R-LOG-3")
def test_a_problem_that_was_closed_is_told_again_when_it_is_met_again() -> None:
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-21T00:00:00", docType="SMB")
    listed(firm)
    again(firm, stopped(firm))
    firm.books.problems.clear()
    assert stopped(firm).code == "payment.written_off"


@pytest.mark.req("R-LOG-3")
def test_every_problem_of_a_payment_is_told_once() -> None:
    firm = booked("paid")
    firm.document()["status"] = "Voided"
    listed(firm)
    assert again(firm, stopped(firm)).problems_stay


@pytest.mark.req("R-PAY-3")
def test_an_invoice_that_a_person_set_to_paid_after_a_write_off_is_at_rest() -> None:
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-21T00:00:00", docType="SMB")
    listed(firm)
    stop = stopped(firm)
    firm.in_severa_now()["status"] = {"guid": "s-paid", "name": "Betalad"}
    firm.in_severa_now()["paymentDate"] = "2026-11-21"
    listed(firm)
    settled = again(firm, stop)
    assert not settled.problems_stay
    assert settled.effects.link is not None
    assert settled.effects.link.state["payment_problem"] is None


@pytest.mark.req("R-CON-2")
def test_a_status_that_is_always_moved_back_is_not_moved_for_ever() -> None:
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-20T00:00:00")
    for _ in range(2):
        listed(firm)
        pay(firm)
        assert status(firm) == "paid"
        firm.clock.forward(60)
        firm.in_severa_now()["status"] = {"guid": "s-sent", "name": "Skickad"}
    listed(firm)
    stop = stopped(firm)
    assert (stop.code, stop.values["status"]) == ("payment.moved_back", "Skickad")
    firm.clock.forward(25 * 3600)
    listed(firm)
    pay(firm)
    assert status(firm) == "paid"


@pytest.mark.req("R-PAY-1")
def test_reversals_of_the_erp_are_no_ping_pong() -> None:
    firm = booked()
    for _ in range(4):
        firm.erp.pay("101", total(firm), "2026-11-20T00:00:00")
        listed(firm)
        pay(firm)
        assert status(firm) == "paid"
        firm.document()["applications"].clear()
        firm.document().update({"status": "Open", "balanceInCurrency": total(firm)})
        listed(firm)
        pay(firm)
        assert status(firm) == "sent"


# ---------------------------------------------------------------- amounts


@pytest.mark.req("R-PAY-1")
def test_a_rest_that_is_a_doubles_noise_is_no_rest() -> None:
    body = {"documentType": "Invoice", "status": "Open", "amountInCurrency": D(100)}
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-20T00:00:00")
    firm.document()["balanceInCurrency"] = D("0.00000000000003")
    listed(firm)
    pay(firm)
    assert status(firm) == "paid"
    assert ErpDocument.of(body | {"balanceInCurrency": D("99.99999999999997")}).balance == 100


@pytest.mark.req("R-PAY-1", "R-INV-7")
def test_a_credit_note_of_zero_is_paid_on_its_own_date() -> None:
    firm = Firm()
    firm.invoice([row("FREE", "-1", "125", "0"), row("CONS", "1", "100", "25")], isCreditNote=True)
    delivery = firm.transfer()
    firm.finish(delivery, transfer(delivery))
    firm.in_severa_now()["status"] = {"guid": "s-sent", "name": "Skickad"}
    polled(firm)
    settle(firm.delivery("payment", erp=("customerdocument", "CreditNote/101")))
    assert (status(firm), dated(firm)) == ("paid", "2026-11-02")
