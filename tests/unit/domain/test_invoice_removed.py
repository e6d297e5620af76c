"""Documents that were removed, and that the ERP shows all the same (docs/never-twice.md rule 6)."""

from __future__ import annotations

import pytest

from domain.errors import InDoubt, OutcomeUnknown, Stop, Unavailable
from domain.invoice.whose import REMOVALS
from domain.model import Booked, Json
from tests.fakes_ledger import GUID, Firm
from tests.unit.domain.invoice_booking import D
from tests.unit.domain.invoice_schedules import creates, to_status
from tests.unit.domain.invoice_surroundings import said
from tests.unit.domain.test_invoice_phases import absent, decide, done, ends

DELETE = ("delete", "customerinvoice")


@pytest.fixture
def firm() -> Firm:
    made = Firm()
    made.invoice()
    return made


def withdrawn(firm: Firm, *, lies: int = 1) -> Json:
    """Its document was removed as far as the ERP's answer said so; the document."""
    firm.faults.arm("update", "customerinvoice", Unavailable())
    ends(firm, Unavailable)
    firm.erp.lies[DELETE] = lies
    to_status(firm, "s-draft")
    done(firm)
    [row] = firm.matter("invoice", GUID).documents
    assert (row.state, row.removals) == ("removed", 1)
    return firm.document()


def polled_later(firm: Firm) -> None:
    """A reading that was asked for when the removal must have shown."""
    firm.clock.forward(firm.limits.visibility_seconds + 1)
    firm.poll_documents()


@pytest.mark.req("R-INV-5")
def test_a_held_document_that_a_later_reading_shows_is_removed_again(firm: Firm) -> None:
    withdrawn(firm)
    polled_later(firm)
    settled = done(firm)
    assert (said(settled), firm.erp.documents()) == (["invoice.removed_again"], [])
    [row] = firm.matter("invoice", GUID).documents
    assert (row.state, row.removals, row.reason) == ("removed", 2, "invoice.withdrawn")


def test_a_reading_from_before_the_removal_must_show_says_nothing(firm: Firm) -> None:
    withdrawn(firm)
    firm.clock.forward(firm.limits.visibility_seconds - 1)
    firm.poll_documents()
    calls = len(firm.calls)
    done(firm)
    firm.clock.forward(3600)
    done(firm)
    assert len(firm.calls) == calls


def test_what_was_removed_and_is_not_shown_costs_no_call(firm: Firm) -> None:
    firm.faults.arm("update", "customerinvoice", Unavailable())
    ends(firm, Unavailable)
    firm.poll_documents()
    to_status(firm, "s-draft")
    done(firm)
    firm.clock.forward(3600)
    calls = len(firm.calls)
    done(firm)
    assert len(firm.calls) == calls


def test_one_that_always_comes_back_is_told_after_a_few_removals(firm: Firm) -> None:
    withdrawn(firm, lies=99)
    for _ in range(REMOVALS - 1):
        polled_later(firm)
        done(firm)
    polled_later(firm)
    stop = ends(firm, Stop)
    assert isinstance(stop, Stop)
    assert (stop.code, stop.values["number"], stop.values["times"]) == ("invoice.comes_back", "101", REMOVALS)
    deletes = [call for call in firm.calls if call.method == "delete"]
    polled_later(firm)
    ends(firm, Stop)
    assert [call for call in firm.calls if call.method == "delete"] == deletes
    assert len(deletes) == REMOVALS


def test_a_removal_of_it_that_nobody_answered_is_looked_at_and_ended(firm: Firm) -> None:
    withdrawn(firm)
    polled_later(firm)
    firm.faults.arm("delete", "customerinvoice", OutcomeUnknown(), after=True)
    delivery = firm.transfer()
    ends(firm, OutcomeUnknown, delivery)
    done(firm, absent(firm, delivery.again()))
    assert firm.erp.documents() == []


def test_one_that_somebody_released_is_in_doubt_and_a_person_may_say_that_it_is_this_one(firm: Firm) -> None:
    document = withdrawn(firm)
    document.update(status="Open", hold=False, paymentReference="1019")
    to_status(firm, "s-transfer")
    polled_later(firm)
    doubt = ends(firm, InDoubt)
    assert isinstance(doubt, InDoubt)
    assert [(one["number"], one["status"]) for one in doubt.candidates] == [("101", "Open")]
    assert (creates(firm), firm.erp.documents()) == (1, [document])
    decide(firm, doubt, "this", "101")
    done(firm)
    assert firm.matter("invoice", GUID).booked == Booked("Invoice", "101", D("15352.79"))
    assert (creates(firm), firm.in_severa_now()["number"]) == (1, 101)


def test_one_that_was_released_beside_its_successor_is_in_doubt_and_not_removed(firm: Firm) -> None:
    document = withdrawn(firm)
    to_status(firm, "s-transfer")
    done(firm)
    assert firm.in_severa_now()["number"] == 102
    document.update(status="Open")
    polled_later(firm)
    doubt = ends(firm, InDoubt)
    assert isinstance(doubt, InDoubt)
    assert [one["number"] for one in doubt.candidates] == ["101", "102"]
    decide(firm, doubt, "this", "102")
    done(firm)
    firm.matter("invoice", GUID).decision = None
    calls = len(firm.calls)
    assert (said(done(firm)), len(firm.calls)) == ([], calls)


def test_one_that_is_held_beside_its_booked_successor_is_removed_and_the_booked_one_stays(firm: Firm) -> None:
    withdrawn(firm)
    to_status(firm, "s-transfer")
    done(firm)
    polled_later(firm)
    done(firm)
    assert [one["referenceNumber"] for one in firm.erp.documents()] == ["102"]
    assert firm.matter("invoice", GUID).booked == Booked("Invoice", "102", D("15352.79"))


@pytest.mark.parametrize("note", ["", "severa:somebody-else prod.n9", f"severa:{GUID} prod.n9"])
def test_another_document_under_its_number_is_never_touched(firm: Firm, note: str) -> None:
    """The marker is gone, or it is another document by now: the number alone says nothing."""
    withdrawn(firm)["note"] = note
    polled_later(firm)
    done(firm)
    assert [one["referenceNumber"] for one in firm.erp.documents()] == ["101"]


def test_a_document_that_was_taken_back_ends_its_round_when_it_is_made_again(firm: Firm) -> None:
    """Rounds never go back: an unanswered create of the next one would be looked for under another name, and sent again."""
    document = withdrawn(firm)
    document.update(status="Open", hold=False, paymentReference="1019")
    to_status(firm, "s-transfer")
    polled_later(firm)
    decide(firm, ends(firm, InDoubt), "this", "101")
    done(firm)
    document["status"] = "Voided"
    to_status(firm, "s-transfer")
    decide(firm, ends(firm, InDoubt), "make")
    firm.faults.arm("create", "customerinvoice", OutcomeUnknown(), after=True)
    delivery = firm.transfer()
    ends(firm, OutcomeUnknown, delivery)
    done(firm, delivery.again())
    assert (creates(firm), firm.in_severa_now()["number"]) == (2, 102)
