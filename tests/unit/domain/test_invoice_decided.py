"""Schedules of docs/never-twice.md: restored databases, and what a person decides."""

from __future__ import annotations

import pytest

from domain.doubt import candidates_hash
from domain.errors import (
    InDoubt,
    OutcomeUnknown,
    Stop,
    TryLater,
)
from domain.model import Booked, Document
from tests.fakes import Killed
from tests.fakes_ledger import GUID, Firm
from tests.unit.domain.invoice_booking import D
from tests.unit.domain.invoice_schedules import creates, foreign, status_of, to_status
from tests.unit.domain.invoice_surroundings import said
from tests.unit.domain.test_invoice_phases import (
    absent,
    decide,
    done,
    ends,
    held,
    unanswered,
)


@pytest.fixture
def firm() -> Firm:
    made = Firm()
    made.invoice()
    return made


@pytest.mark.schedule("S43")
def test_a_restored_database_asks_the_vendor_and_stops_at_a_document_without_its_note(firm: Firm) -> None:
    firm.faults.arm("patch", "invoices", Killed())
    ends(firm, Killed)
    firm.document()["note"] = "Betalas först efter leverans"
    firm.rewind()
    firm.clock.forward(60)
    firm.poll_documents()
    firm.poll()
    doubt = ends(firm, InDoubt)
    assert isinstance(doubt, InDoubt)
    assert [one["number"] for one in doubt.candidates] == ["", "101"]
    assert creates(firm) == 1
    decide(firm, doubt, "this", "101")
    done(firm)
    assert (firm.in_severa_now()["number"], status_of(firm)) == (101, "s-transferred")
    assert (creates(firm), firm.erp.deleted) == (1, [])


@pytest.mark.schedule("S7")
@pytest.mark.parametrize("polled", [True, False])
def test_a_restored_database_finds_its_document_by_the_marker_and_makes_no_second(
    firm: Firm,
    polled: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    done(firm)
    firm.in_severa_now().update(number=None, referenceNumber=None)
    to_status(firm, "s-transfer")
    firm.rewind()
    firm.clock.forward(60)
    firm.poll()
    if polled:
        firm.poll_documents()
    done(firm)
    assert (creates(firm), firm.in_severa_now()["number"]) == (1, 101)
    assert firm.erp.released == [f"severa:{GUID}"]


@pytest.mark.schedule("S44")
def test_a_decision_on_yesterdays_candidates_makes_nothing_when_another_came_today(firm: Firm) -> None:
    delivery = unanswered(firm)
    ours = firm.erp.records["customerinvoice"].pop("101")
    foreign(firm, "90")
    firm.clock.forward(firm.settle_seconds)
    first = ends(firm, InDoubt, delivery)
    decide(firm, first, "make")
    foreign(firm, "91", status="Open")
    second = ends(firm, InDoubt)
    assert isinstance(first, InDoubt)
    assert isinstance(second, InDoubt)
    assert candidates_hash(first.candidates) != candidates_hash(second.candidates)
    assert creates(firm) == 1
    # And the late one of ours is not in doubt at all.
    firm.erp.records["customerinvoice"]["101"] = ours
    done(firm)
    assert (creates(firm), firm.in_severa_now()["number"]) == (1, 101)


@pytest.mark.schedule("S44")
def test_make_it_waits_until_nothing_can_come_true_any_more(firm: Firm) -> None:
    doubt = _gone_while_releasing(firm)
    decide(firm, doubt, "make")
    delivery = absent(firm)
    later = ends(firm, TryLater, delivery)
    assert isinstance(later, TryLater)
    assert later.costs_attempt is False
    assert creates(firm) == 1
    firm.clock.forward(firm.settle_seconds)
    done(firm, delivery.again())
    assert creates(firm) == 2


def _gone_while_releasing(firm: Firm) -> BaseException:
    firm.faults.arm("act", "customerinvoice/release", OutcomeUnknown(), after=True)
    ends(firm, OutcomeUnknown)
    del firm.erp.records["customerinvoice"]["101"]
    return ends(firm, InDoubt, absent(firm))


@pytest.mark.schedule("S45")
def test_the_true_successor_of_a_voided_document_is_no_twin(firm: Firm) -> None:
    done(firm)
    firm.document()["status"] = "Voided"
    to_status(firm, "s-transfer")
    decide(firm, ends(firm, InDoubt), "make")
    firm.clock.forward(firm.settle_seconds)
    settled = done(firm)
    assert (said(settled), firm.in_severa_now()["number"]) == (["invoice.transferred"], 102)
    firm.poll_documents()
    firm.poll()
    calls = len(firm.calls)
    assert said(done(firm)) == []
    assert (len(firm.calls), firm.erp.deleted) == (calls, [])
    states = [(one.number, one.state) for one in firm.matter("invoice", GUID).documents]
    assert states == [("101", "retired"), ("102", "released")]


@pytest.mark.schedule("S44")
def test_making_it_again_is_itself_asked_for_once_when_its_answer_is_lost(firm: Firm) -> None:
    done(firm)
    firm.document()["status"] = "Voided"
    to_status(firm, "s-transfer")
    decide(firm, ends(firm, InDoubt), "make")
    firm.clock.forward(firm.settle_seconds)
    firm.faults.arm("create", "customerinvoice", OutcomeUnknown())
    delivery = firm.transfer()
    ends(firm, OutcomeUnknown, delivery)
    later = ends(firm, TryLater, delivery.again())
    assert isinstance(later, TryLater)
    assert later.retry_after == firm.settle_seconds
    firm.clock.forward(firm.settle_seconds)
    done(firm)
    assert (creates(firm), firm.in_severa_now()["number"]) == (3, 102)


def test_what_is_wrong_when_it_is_made_again_leaves_the_status(firm: Firm) -> None:
    done(firm)
    firm.document()["status"] = "Voided"
    to_status(firm, "s-transfer")
    decide(firm, ends(firm, InDoubt), "make")
    firm.clock.forward(firm.settle_seconds)
    firm.severa.children["invoices/invoicerows", GUID] = []
    stop = ends(firm, Stop)
    assert isinstance(stop, Stop)
    assert (stop.code, creates(firm), status_of(firm)) == ("invoice.no_rows", 1, "s-transfer")


def test_make_it_is_refused_while_the_invoice_is_not_in_transfer(firm: Firm) -> None:
    done(firm)
    firm.document()["status"] = "Voided"
    to_status(firm, "s-transfer")
    decide(firm, ends(firm, InDoubt), "make")
    firm.in_severa_now()["status"] = {"guid": "s-draft", "name": "Utkast"}
    firm.clock.forward(firm.settle_seconds)
    for _ in range(2):
        stop = ends(firm, Stop)
        assert isinstance(stop, Stop)
        assert (stop.code, creates(firm)) == ("invoice.make_needs_transfer", 1)
        firm.poll()


@pytest.mark.schedule("S47")
@pytest.mark.parametrize("status", ["s-sent", "s-draft"])
def test_what_0_1_0_booked_is_told_by_one_read_and_nothing_is_said_or_written(
    firm: Firm, status: str
) -> None:
    done(firm)
    to_status(firm, status)
    # As the migration leaves it.
    firm.matter("invoice", GUID).booked = None
    firm.matter("invoice", GUID).documents = [Document("Invoice", "101", "", "unknown")]
    before = len([call for call in firm.calls if call.system != "bridge"])
    settled = done(firm)
    assert (said(settled), status_of(firm)) == ([], status)
    assert len([call for call in firm.calls if call.system != "bridge"]) == before + 1
    assert firm.matter("invoice", GUID).booked == Booked("Invoice", "101", D("15352.79"))
    assert settled.problems_stay is (status == "s-draft")


@pytest.mark.req("R-CUS-8")
def test_a_customer_renumbered_after_the_document_was_made_fails_no_proof(firm: Firm) -> None:
    delivery = held(firm)
    firm.document()["customer"]["number"] = "20002"
    firm.erp.store("customer", {"internalId": 1, "number": "20002"}, key="20002")
    # Under its old number the ERP lists nothing any more.
    firm.clock.forward(firm.settle_seconds)
    done(firm, delivery)
    assert (firm.in_severa_now()["number"], firm.erp.deleted) == (101, [])
