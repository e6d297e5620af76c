"""The status that a payment moves: one call that may not leave late, and nobody reads past one that is unanswered."""

from __future__ import annotations

import pytest

from domain.errors import NotSent, OutcomeUnknown, TryLater
from tests.unit.domain.test_payment_steps import booked, pay, polled, said, status, total


@pytest.mark.schedule("S22")
def test_a_late_status_of_a_payment_is_waited_for_and_a_voided_one_is_told_after_it() -> None:
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-20T00:00:00")
    polled(firm)
    firm.faults.arm("patch", "invoices", OutcomeUnknown())
    with pytest.raises(OutcomeUnknown):
        pay(firm)
    # The payment is voided, and only then the first PATCH arrives.
    firm.document()["applications"].clear()
    firm.document().update(status="Open", balanceInCurrency=total(firm))
    polled(firm)
    with pytest.raises(TryLater):
        pay(firm)
    firm.in_severa_now().update(status={"guid": "s-paid", "name": "paid"}, paymentDate="2026-11-20")
    firm.clock.forward(firm.settle_seconds)
    polled(firm)
    assert said(pay(firm)) == ["payment.reversed"]
    assert status(firm) == "sent"


def test_a_worker_paused_before_the_status_of_a_payment_moves_nothing() -> None:
    firm = booked()
    firm.erp.pay("101", total(firm), "2026-11-20T00:00:00")
    polled(firm)
    firm.severa.pauses["patch", "invoices"] = 60.0
    with pytest.raises(NotSent):
        pay(firm)
    assert status(firm) == "sent"
