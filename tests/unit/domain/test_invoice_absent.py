"""The ERP says that a document is not there: once says nothing, whoever asked (docs/never-twice.md rule 11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from domain.errors import InDoubt, NotFound, OutcomeUnknown, Refused, Stop, TryLater, Unavailable
from domain.model import ActionResult, Booked
from tests.fakes_delivery import FakeDelivery
from tests.fakes_ledger import GUID, Firm
from tests.unit.domain.invoice_booking import D
from tests.unit.domain.invoice_schedules import creates, status_of, to_status
from tests.unit.domain.test_invoice_phases import (
    absent,
    done,
    ends,
    held,
    meanwhile,
    release_lost,
    unanswered,
)

KEY = ("visma_net", "customerdocument", "Invoice/101")


@pytest.fixture
def firm() -> Firm:
    made = Firm()
    made.invoice()
    return made


def hidden(firm: Firm, times: int = 1, *, skip: int = 0) -> None:
    """A gateway says 404 of what is there."""
    lost = NotFound("Not found", system="visma_net", status=404, operation="GET customerinvoice")
    firm.faults.arm("get", "customerinvoice", lost, times=times, skip=skip)


def released(firm: Firm) -> FakeDelivery:
    return release_lost(firm)


def booked(firm: Firm) -> FakeDelivery:
    done(firm)
    to_status(firm, "s-transfer")
    return firm.transfer()


@pytest.mark.schedule("S9")
@pytest.mark.parametrize("where", [released, booked])
def test_a_document_that_answers_404_once_is_no_doubt(
    firm: Firm, where: Callable[[Firm], FakeDelivery]
) -> None:
    """Under fire: in doubt as gone after one 404, and it was there, unreleased."""
    delivery = where(firm)
    hidden(firm)
    done(firm, absent(firm, delivery))
    assert firm.matter("invoice", GUID).booked == Booked("Invoice", "101", D("15352.79"))
    assert (creates(firm), firm.in_severa_now()["number"], status_of(firm)) == (1, 101, "s-transferred")


@pytest.mark.schedule("S9")
@pytest.mark.parametrize("where", [released, booked])
def test_one_that_is_said_again_too_soon_is_waited_for_until_it_counts(
    firm: Firm, where: Callable[[Firm], FakeDelivery]
) -> None:
    delivery = where(firm)
    del firm.erp.records["customerinvoice"]["101"]
    ends(firm, TryLater, delivery)
    firm.clock.forward(firm.limits.absence_seconds - 1)
    delivery = delivery.again()
    later = ends(firm, TryLater, delivery)
    assert isinstance(later, TryLater)
    assert later.retry_after == 1
    firm.clock.forward(1)
    stop = ends(firm, InDoubt, delivery.again())
    assert isinstance(stop, Stop)
    assert (stop.code, creates(firm)) == ("invoice.document_gone", 1)


@pytest.mark.schedule("S9")
def test_what_was_shown_in_between_withdraws_what_was_said_before(firm: Firm) -> None:
    delivery = booked(firm)
    hidden(firm)
    delivery = absent(firm, delivery)
    firm.faults.arm("get", "invoices", Unavailable())
    ends(firm, Unavailable, delivery)
    hidden(firm)
    done(firm, absent(firm, delivery.again()))
    assert (creates(firm), firm.in_severa_now()["number"]) == (1, 101)


@pytest.mark.schedule("S9")
@pytest.mark.parametrize("where", [released, booked])
def test_a_whole_reading_that_does_not_show_it_is_the_second_word(
    firm: Firm, where: Callable[[Firm], FakeDelivery]
) -> None:
    delivery = where(firm)
    firm.poll_documents()
    del firm.erp.records["customerinvoice"]["101"]
    firm.books.records[KEY] = replace(firm.books.records[KEY], gone=True)
    stop = ends(firm, InDoubt, delivery)
    assert isinstance(stop, Stop)
    assert (stop.code, creates(firm)) == ("invoice.document_gone", 1)


@pytest.mark.req("R-INV-4")
def test_a_held_document_that_must_show_by_now_is_not_removed_for_one_404(firm: Firm) -> None:
    delivery = held(firm)
    firm.clock.forward(firm.settle_seconds)
    # It is found by its marker before.
    hidden(firm, skip=1)
    done(firm, absent(firm, delivery))
    assert (creates(firm), firm.erp.deleted, firm.in_severa_now()["number"]) == (1, [], 101)


@pytest.mark.schedule("S2")
def test_a_removal_that_was_refused_is_not_done_for_one_404(firm: Firm) -> None:
    """It was released by hand, which is why it was refused: a second one would be booked beside it."""
    delivery = held(firm)
    firm.in_severa_now()["status"] = {"guid": "s-draft", "name": "x"}
    firm.faults.arm("delete", "customerinvoice", Refused("released", system="visma_net", status=400))
    # It is found, and read, before.
    hidden(firm, skip=2)
    delivery = absent(firm, delivery)
    firm.document()["status"] = "Balanced"
    firm.erp.finish_release("customerinvoice", "101")
    stop = ends(firm, Stop, delivery)
    assert isinstance(stop, Stop)
    assert stop.code == "invoice.moved_after_booking"
    assert firm.matter("invoice", GUID).booked == Booked("Invoice", "101", D("15352.79"))
    assert (creates(firm), firm.erp.deleted) == (1, [])


@pytest.mark.schedule("S26")
def test_a_document_of_a_lost_history_that_answers_404_once_is_taken_and_not_made_again(firm: Firm) -> None:
    """The index shows it; without that a second one would be made and released beside it."""
    firm.faults.arm("patch", "invoices", OutcomeUnknown())
    ends(firm, OutcomeUnknown)
    assert firm.document()["status"] == "Open"
    firm.poll_documents()
    firm.poll()
    firm.rewind()
    firm.clock.forward(firm.settle_seconds)
    hidden(firm, times=2)
    done(firm, absent(firm))
    assert (creates(firm), firm.in_severa_now()["number"]) == (1, 101)


def denied(firm: Firm, times: int = 1) -> None:
    """The ERP says of a DELETE that there is no such document, and it is there."""
    deleted = firm.erp.on_delete
    left = [times]

    def answered(register: str, key: str) -> bool:
        left[0] -= 1
        return False if left[0] >= 0 else deleted(register, key)

    firm.erp.on_delete = answered  # type: ignore[method-assign]


@pytest.mark.schedule("S2")
def test_a_removal_whose_document_is_denied_is_not_done_while_its_release_may_come_true(firm: Firm) -> None:
    """Two would be in the books: the one that was released after all, and its successor."""
    firm.erp.release_result = ActionResult("Queued", "")
    delivery = firm.transfer()
    ends(firm, TryLater, delivery)
    firm.in_severa_now()["date"] = "2026-11-09"
    firm.clock.forward(firm.settle_seconds)
    denied(firm)
    delivery = delivery.again()
    ends(firm, TryLater, delivery)
    firm.erp.finish_release("customerinvoice", "101")
    stop = ends(firm, Stop, delivery.again())
    assert isinstance(stop, Stop)
    assert (stop.code, firm.erp.deleted) == ("invoice.already_booked", [])
    assert (creates(firm), len(firm.erp.released)) == (1, 1)


def test_a_removal_whose_document_is_denied_once_is_made_again_and_keeps_its_reason(firm: Firm) -> None:
    firm.erp.rates["CONS"] = D(12)
    denied(firm)
    delivery = firm.transfer()
    ends(firm, TryLater, delivery)
    stop = ends(firm, Stop, delivery.again())
    assert isinstance(stop, Stop)
    assert (stop.code, len(firm.erp.deleted), status_of(firm)) == ("invoice.total_differs", 1, "s-failed")


def test_a_removal_that_somebody_made_first_keeps_its_reason(firm: Firm) -> None:
    firm.erp.rates["CONS"] = D(12)
    meanwhile(firm, "delete", lambda: firm.erp.records["customerinvoice"].pop("101"))
    delivery = absent(firm)
    stop = ends(firm, Stop, delivery)
    assert isinstance(stop, Stop)
    assert (stop.code, status_of(firm)) == ("invoice.total_differs", "s-failed")
    assert [one.state for one in firm.matter("invoice", GUID).documents] == ["removed"]


def test_a_second_document_whose_removal_is_denied_is_removed_again(firm: Firm) -> None:
    delivery = unanswered(firm)
    late = firm.erp.records["customerinvoice"].pop("101")
    firm.clock.forward(firm.settle_seconds)
    done(firm, delivery)
    assert firm.in_severa_now()["number"] == 102
    firm.erp.records["customerinvoice"]["101"] = late
    firm.poll_documents()
    denied(firm)
    delivery = firm.transfer()
    later = ends(firm, TryLater, delivery)
    assert isinstance(later, TryLater)
    assert later.costs_attempt is True
    done(firm, delivery.again())
    assert (firm.erp.deleted, creates(firm)) == (["Invoice/101"], 2)
