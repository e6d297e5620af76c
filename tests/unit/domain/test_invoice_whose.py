"""Schedules of docs/never-twice.md: documents that look like the invoice's, bear its marker, or are one too many."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.errors import (
    ForeignWriter,
    InDoubt,
    Stop,
)
from domain.invoice.doubt import MEMBERS
from domain.model import Booked
from tests.fakes_ledger import GUID, Firm
from tests.unit.domain.invoice_booking import D
from tests.unit.domain.invoice_schedules import creates, foreign, status_of, to_status
from tests.unit.domain.invoice_surroundings import said
from tests.unit.domain.test_invoice_phases import (
    absent,
    decide,
    done,
    ends,
    release_lost,
    unanswered,
)


@pytest.fixture
def firm() -> Firm:
    made = Firm()
    made.invoice()
    return made


@pytest.mark.schedule("S8")
def test_foreign_documents_that_the_bridge_knew_before_are_no_candidates(firm: Firm) -> None:
    foreign(firm, "90")
    foreign(firm, "91")
    firm.poll_documents()
    firm.clock.forward(60)
    delivery = unanswered(firm, after=False)
    firm.clock.forward(firm.settle_seconds)
    done(firm, delivery)
    assert (firm.erp.deleted, firm.in_severa_now()["number"]) == ([], 101)
    assert {one["referenceNumber"] for one in firm.erp.documents()} == {"90", "91", "101"}


@pytest.mark.schedule("S8")
def test_a_look_alike_stops_the_next_create_and_is_neither_taken_nor_removed(firm: Firm) -> None:
    delivery = unanswered(firm, after=False)
    foreign(firm, "90")
    foreign(firm, "91", status="Open")
    firm.clock.forward(firm.settle_seconds)
    doubt = ends(firm, InDoubt, delivery)
    assert isinstance(doubt, InDoubt)
    assert [(one["number"], one["status"]) for one in doubt.candidates] == [
        ("", "sent"),
        ("90", "Hold"),
        ("91", "Open"),
    ]
    assert all(set(one) == set(MEMBERS) for one in doubt.candidates)
    sent, other = doubt.candidates[0], doubt.candidates[1]
    assert {name for name in MEMBERS if sent[name] != other[name]} <= {
        "number",
        "status",
        "vat",
        "due",
        "created",
    }
    assert (creates(firm), firm.erp.deleted, status_of(firm)) == (1, [], "s-transfer")
    decide(firm, doubt, "make")
    done(firm)
    assert (firm.in_severa_now()["number"], firm.erp.deleted) == (101, [])
    assert firm.erp.released == [f"severa:{GUID}"]


def test_a_document_that_a_person_chose_is_taken_without_a_marker_but_never_removed(firm: Firm) -> None:
    delivery = unanswered(firm, after=False)
    chosen = foreign(firm, "90")
    firm.clock.forward(firm.settle_seconds)
    decide(firm, ends(firm, InDoubt, delivery), "this", "90")
    stop = ends(firm, Stop)
    # It has no lines: it does not say what the invoice says.
    assert isinstance(stop, Stop)
    assert (stop.code, firm.erp.deleted, creates(firm)) == ("invoice.chosen_differs", [], 1)
    chosen.update(status="Open", hold=False, paymentReference="909")
    chosen["vatTotalInCurrency"] = firm.in_severa_now()["totalTax"]["amount"]
    firm.matter("invoice", GUID).decision = None
    done(firm)
    assert (firm.in_severa_now()["number"], status_of(firm)) == (90, "s-transferred")
    assert firm.matter("invoice", GUID).booked == Booked("Invoice", "90", D("15352.79"))


def test_a_document_of_another_invoice_cannot_be_chosen(firm: Firm) -> None:
    delivery = unanswered(firm, after=False)
    foreign(firm, "90")
    firm.clock.forward(firm.settle_seconds)
    decide(firm, ends(firm, InDoubt, delivery), "this", "90")
    firm.matter("invoice", GUID).decision = replace(
        firm.matter("invoice", GUID).decision or pytest.fail("no decision"), number="77"
    )
    firm.books.owners["Invoice", "77"] = "another-invoice"
    stop = ends(firm, Stop)
    assert isinstance(stop, Stop)
    assert stop.code == "invoice.chosen_differs"
    assert creates(firm) == 1


@pytest.mark.schedule("S9")
@pytest.mark.parametrize("lost", ["gone", "voided"])
def test_a_booked_invoice_whose_document_is_gone_is_never_made_again_by_itself(firm: Firm, lost: str) -> None:
    done(firm)
    if lost == "gone":
        del firm.erp.records["customerinvoice"]["101"]
    else:
        firm.document()["status"] = "Voided"
    to_status(firm, "s-transfer")
    for _ in range(3):
        stop = ends(firm, Stop, absent(firm) if lost == "gone" else None)
        assert isinstance(stop, Stop)
        assert (stop.code, stop.values["number"]) == ("invoice.document_gone", "101")
        firm.clock.forward(firm.settle_seconds)
    assert (creates(firm), status_of(firm)) == (1, "s-transfer")


@pytest.mark.schedule("S9")
def test_a_document_that_is_gone_after_its_release_was_sent_is_never_made_again_by_itself(firm: Firm) -> None:
    """Nobody knows whether it was booked: absence leads back to no create here either."""
    delivery = release_lost(firm)
    del firm.erp.records["customerinvoice"]["101"]
    delivery = absent(firm, delivery)
    for _ in range(3):
        stop = ends(firm, InDoubt, delivery)
        assert isinstance(stop, Stop)
        assert stop.code == "invoice.document_gone"
        firm.clock.forward(firm.settle_seconds)
        delivery = delivery.again()
    assert creates(firm) == 1


@pytest.mark.schedule("S27")
def test_a_document_polled_before_its_worker_could_say_so_is_taken_and_not_removed(firm: Firm) -> None:
    unanswered(firm)
    firm.poll_documents()
    done(firm)
    assert (firm.erp.deleted, creates(firm), firm.in_severa_now()["number"]) == ([], 1, 101)


@pytest.mark.schedule("S28")
@pytest.mark.parametrize("status", ["Hold", "Open"])
def test_a_persons_copy_with_our_note_is_shown_once_and_never_touched(firm: Firm, status: str) -> None:
    done(firm)
    copy = {**firm.document(), "referenceNumber": "150", "status": status}
    firm.erp.store("customerinvoice", copy, "150")
    firm.poll_documents()
    settled = done(firm)
    assert said(settled) == ["invoice.copied"]
    assert settled.effects.log[0].values == {"number": "150", "original": "101"}
    assert firm.erp.deleted == []
    calls = len(firm.calls)
    assert said(done(firm)) == []
    assert len(firm.calls) == calls


@pytest.mark.schedule("S29")
@pytest.mark.parametrize(
    "marker", ["test.n1", "prod.never-given"], ids=["another installation", "a clone of ours"]
)
def test_somebody_else_who_writes_with_our_marker_stops_everything(firm: Firm, marker: str) -> None:
    foreign(firm, "90", note=f"severa:{GUID} {marker}")
    firm.poll_documents()
    stop = ends(firm, ForeignWriter)
    assert isinstance(stop, ForeignWriter)
    assert (stop.code, stop.values["number"]) == ("invoice.foreign_writer", "90")
    assert (creates(firm), firm.erp.deleted, status_of(firm)) == (0, [], "s-transfer")


def test_a_marked_document_of_0_1_0_that_nobody_knows_is_shown_or_doubted_when_it_is_released(
    firm: Firm,
) -> None:
    known = foreign(firm, "90", note=f"severa:{GUID}")
    firm.poll_documents()
    assert "invoice.marked_unknown" in said(done(firm))
    assert firm.erp.deleted == []
    other = Firm()
    other.invoice()
    other.erp.store("customerinvoice", known | {"status": "Open"}, "90")
    other.poll_documents()
    ends(other, InDoubt)
    assert creates(other) == 0


def test_a_released_document_beside_our_own_is_for_a_person_who_may_say_that_it_is_not_ours(
    firm: Firm,
) -> None:
    delivery = unanswered(firm)
    late = firm.erp.records["customerinvoice"].pop("101")
    firm.clock.forward(firm.settle_seconds)
    done(firm, delivery)
    firm.erp.store("customerinvoice", late | {"status": "Open"}, "101")
    firm.poll_documents()
    doubt = ends(firm, InDoubt)
    assert isinstance(doubt, InDoubt)
    assert [one["number"] for one in doubt.candidates] == ["101", "102"]
    decide(firm, doubt, "this", "102")
    done(firm)
    firm.matter("invoice", GUID).decision = None
    calls = len(firm.calls)
    done(firm)
    assert len(firm.calls) == calls
    assert firm.matter("invoice", GUID).booked == Booked("Invoice", "102", D("15352.79"))
