"""Booked invoices that one of the systems does not show any more, and what a payment asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes_ledger import GUID, Firm
from unit.domain.test_payment_steps import booked, pay, polled, said, said_once, status, stopped, total

from domain.errors import NotFound, TryLater
from domain.model import Json
from domain.payment.asks import asks


def deleted_in_severa(firm: Firm) -> None:
    """A whole reading of Severa's invoices did not show it any more."""
    del firm.severa.records["invoices"][GUID]
    key = ("severa", "invoices", GUID)
    firm.books.records[key] = replace(firm.books.records[key], gone=True)


@pytest.mark.req("R-PAY-1")
@pytest.mark.parametrize("standing", ["sent", "paid", "transferred"])
def test_a_booked_invoice_that_severa_deleted_is_told_until_it_is_credited(standing: str) -> None:
    firm = booked(standing)
    whole = total(firm)
    deleted_in_severa(firm)
    stop = stopped(firm)
    assert (stop.code, stop.values["number"]) == ("payment.invoice_gone", "101")
    assert stop.effects is not None
    assert stop.effects.link is not None
    link = firm.books.link("invoice", severa_id=GUID)
    assert link is not None
    firm.books.replace_link(link, state=stop.effects.link.state)
    firm.erp.pay("101", whole, "2026-11-20T00:00:00")
    firm.poll_documents()
    assert said(pay(firm)) == []


@pytest.mark.req("R-PAY-1")
def test_an_invoice_that_severa_shows_after_all_is_settled_as_ever() -> None:
    firm = booked()
    key = ("severa", "invoices", GUID)
    firm.books.records[key] = replace(firm.books.records[key], gone=True)
    assert said(pay(firm)) == []
    assert status(firm) == "sent"


@pytest.mark.req("R-PAY-1")
def test_a_document_that_a_whole_reading_did_not_show_is_asked_for() -> None:
    firm = booked()
    del firm.erp.records["customerinvoice"]["101"]
    key = ("visma_net", "customerdocument", "Invoice/101")
    firm.books.records[key] = replace(firm.books.records[key], gone=True)
    assert stopped(firm).code == "payment.document_gone"


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({"type": "Payment", "refNbr": "9", "paymentLines": [{"documentType": "Invoice", "refNbr": "101"}]}, True),
        ({"type": "Payment", "refNbr": "9", "paymentLines": []}, False),
        ({"type": "Payment", "refNbr": "9"}, False),
    ],
)  # fmt: skip
def test_a_payment_asks_for_its_move_when_it_is_applied_to_anything(body: Json, *, asked: bool) -> None:
    firm = booked()
    assert asks("visma_net", "customerPayment", body, firm.books, firm.tenant.settings) is asked


@pytest.mark.req("R-PAY-1")
@pytest.mark.parametrize("gone", [False, True])
def test_a_document_that_does_not_answer_is_gone_only_when_its_register_says_so(gone: bool) -> None:  # noqa: FBT001
    firm = booked("paid")
    del firm.erp.records["customerinvoice"]["101"]
    key = ("visma_net", "customerdocument", "Invoice/101")
    firm.books.records[key] = replace(firm.books.records[key], gone=gone)
    if gone:
        assert stopped(firm).code == "payment.document_gone"
    else:
        with pytest.raises(TryLater):
            pay(firm)
    assert status(firm) == "paid"


@pytest.mark.req("R-PAY-1")
def test_an_invoice_that_severa_denies_once_is_settled_when_it_is_asked_for_again() -> None:
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-20T00:00:00")
    polled(firm)
    firm.faults.arm("get", "invoices", NotFound("Not found", system="severa", status=404))
    attempt = said_once(firm)
    assert said(pay(firm, attempt)) == ["payment.paid"]
    assert status(firm) == "paid"


@pytest.mark.req("R-PAY-1")
def test_an_invoice_that_severa_denies_twice_is_told() -> None:
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-20T00:00:00")
    polled(firm)
    del firm.severa.records["invoices"][GUID]
    assert stopped(firm, said_once(firm)).code == "payment.invoice_gone"


@pytest.mark.req("R-PAY-1")
def test_a_document_that_no_register_knows_and_the_erp_denies_twice_is_told_and_the_status_stays() -> None:
    firm = booked("paid")
    del firm.erp.records["customerinvoice"]["101"]
    del firm.books.records["visma_net", "customerdocument", "Invoice/101"]
    stop = stopped(firm, said_once(firm))
    assert (stop.code, stop.values["number"]) == ("payment.document_gone", "101")
    assert status(firm) == "paid"
