"""Schedules of never-twice.md that live in the domain: what ended in two documents, a lost one or a false one in 0.1.0."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.doubt import candidates_hash
from domain.errors import (
    ForeignWriter,
    InDoubt,
    LeaseLost,
    NotSent,
    OutcomeUnknown,
    Stop,
    TryLater,
    Unavailable,
    Waiting,
)
from domain.invoice.doubt import MEMBERS
from domain.invoice.steps import settle
from domain.ports import Booked, Document, Json
from tests.fakes import Killed
from tests.fakes_ledger import GUID, Firm, row, totals
from tests.unit.domain.invoice_booking import D
from tests.unit.domain.invoice_surroundings import firm_with, said
from tests.unit.domain.test_invoice_attachments import with_files
from tests.unit.domain.test_invoice_phases import (
    decide,
    done,
    ends,
    held,
    meanwhile,
    release_lost,
    unanswered,
)


@pytest.fixture
def firm() -> Firm:
    made = Firm()
    made.invoice()
    return made


def creates(firm: Firm) -> int:
    return sum(call.method == "create" for call in firm.calls)


def to_status(firm: Firm, status: str) -> None:
    firm.in_severa_now()["status"] = {"guid": status, "name": status}
    firm.poll()


def status_of(firm: Firm) -> str:
    return str(firm.in_severa_now()["status"]["guid"])


def status_writes(firm: Firm) -> list[str]:
    patches = [call.body for call in firm.calls if call.method == "patch"]
    return [body["/status/guid"] for body in patches if "/status/guid" in body]


def foreign(firm: Firm, number: str, **more: Any) -> Json:
    """A document of the same customer, date, total and order that the bridge did not make."""
    document: Json = {
        "documentType": "Invoice",
        "referenceNumber": number,
        "status": "Hold",
        "hold": True,
        "customer": {"number": "10001"},
        "documentDate": "2026-11-02T00:00:00",
        "currencyId": "SEK",
        "amountInCurrency": firm.in_severa_now()["totalIncludingTax"]["amount"],
        "customerRefNumber": "PO 5561",
        "note": "",
        "_total": D("15352.79"),
    } | more
    return firm.erp.store("customerinvoice", document, number)


# ---------------------------------------------------------------- interrupted


@pytest.mark.schedule("S2")
def test_a_held_document_goes_when_the_invoice_went_back_to_draft_while_its_row_waited(firm: Firm) -> None:
    firm.faults.arm("update", "customerinvoice", Unavailable())
    ends(firm, TryLater)
    to_status(firm, "s-draft")
    settled = done(firm)
    assert said(settled) == ["invoice.withdrawn"]
    assert (firm.erp.deleted, firm.erp.documents()) == (["Invoice/101"], [])
    assert [(gap.number, gap.reason) for gap in settled.effects.gaps] == [("101", "invoice.withdrawn")]
    to_status(firm, "s-transfer")
    done(firm)
    assert (firm.in_severa_now()["number"], firm.erp.released) == (102, [f"severa:{GUID}"])


@pytest.mark.schedule("S3")
def test_a_write_back_whose_answer_was_lost_is_told_linked_and_followed_by_its_files() -> None:
    firm = firm_with(attachments="files")
    firm.invoice()
    with_files(firm, "avtal.pdf")
    firm.faults.arm("patch", "invoices", Unavailable(), after=True)
    ends(firm, TryLater)
    to_status(firm, "s-sent")
    firm.clock.forward(firm.settle_seconds)
    settled = done(firm)
    assert said(settled) == ["invoice.transferred"]
    assert settled.effects.link is not None
    assert settled.effects.link.erp_number == "101"
    assert [one.domain for one in settled.effects.announce] == ["invoice"]
    assert status_of(firm) == "s-sent"
    assert status_writes(firm) == ["s-transferred"]


@pytest.mark.schedule("S4")
def test_a_worker_that_wakes_after_its_delete_does_not_take_away_its_successors_claim(firm: Firm) -> None:
    delivery = held(firm)
    to_status(firm, "s-draft")

    def successor() -> None:
        to_status(firm, "s-transfer")
        done(firm, delivery.again())
        # The token is another one by now: what permits an effect is refused, what records one is not.
        delivery.lease_lost_on = {"Invoice/101"}

    meanwhile(firm, "delete", successor)
    with pytest.raises(LeaseLost):
        settle(delivery)
    [standing] = [one for one in firm.matter("invoice", GUID).documents if one.state == "released"]
    assert standing.number == "102"
    assert firm.matter("invoice", GUID).booked == Booked("Invoice", "102", D("15352.79"))
    assert firm.erp.released == [f"severa:{GUID}"]


@pytest.mark.schedule("S5")
def test_a_worker_paused_before_the_first_byte_of_a_create_sends_nothing(firm: Firm) -> None:
    firm.erp.pauses["create", "customerinvoice"] = 700.0
    delivery = firm.transfer()
    later = ends(firm, NotSent, delivery)
    assert isinstance(later, TryLater)
    assert later.retry_after == 0.0
    assert (creates(firm), firm.erp.documents()) == (0, [])
    assert [one.state for one in delivery.documents] == ["void"]
    done(firm, delivery.again())
    assert (creates(firm), firm.in_severa_now()["number"]) == (1, 101)


@pytest.mark.schedule("S6")
def test_a_worker_paused_before_the_write_back_moves_no_status_back(firm: Firm) -> None:
    firm.severa.pauses["patch", "invoices"] = 700.0
    ends(firm, NotSent)
    # A successor wrote it meanwhile, and AutoInvoice sent the invoice.
    firm.in_severa_now().update(number=101, referenceNumber="1019")
    to_status(firm, "s-sent")
    done(firm)
    assert (status_of(firm), status_writes(firm)) == ("s-sent", [])


@pytest.mark.schedule("S22")
def test_a_status_patch_that_nobody_answered_is_waited_for_before_the_status_is_read(firm: Firm) -> None:
    firm.faults.arm("patch", "invoices", Unavailable())
    ends(firm, TryLater)
    before = len(firm.severa.own_calls())
    firm.clock.forward(90)
    later = ends(firm, TryLater)
    assert isinstance(later, TryLater)
    assert (later.retry_after, later.costs_attempt) == (firm.settle_seconds - 90, False)
    assert len(firm.severa.own_calls()) == before
    # The link is back: the old call arrives, and AutoInvoice sends the invoice.
    firm.in_severa_now().update(number=101, referenceNumber="1019")
    to_status(firm, "s-sent")
    firm.clock.forward(firm.settle_seconds)
    done(firm)
    assert (status_of(firm), status_writes(firm)) == ("s-sent", ["s-transferred"])


@pytest.mark.schedule("S22")
def test_a_failed_status_that_nobody_answered_is_waited_for_and_not_written_over_a_persons_repair(
    firm: Firm,
) -> None:
    firm.erp.rates["CONS"] = D(12)
    firm.faults.arm("patch", "invoices", Unavailable(), after=True)
    delivery = firm.transfer()
    ends(firm, TryLater, delivery)
    assert status_of(firm) == "s-failed"
    ends(firm, TryLater, delivery.again())
    # Repaired and set to transfer again before anybody looked.
    firm.erp.rates["CONS"] = D(25)
    firm.in_severa_now()["lastUpdatedDateTime"] = "2026-11-02T10:00:00+00:00"
    to_status(firm, "s-transfer")
    firm.clock.forward(firm.settle_seconds)
    done(firm, delivery.again())
    assert (status_of(firm), firm.in_severa_now()["number"]) == ("s-transferred", 102)
    assert status_writes(firm) == ["s-failed", "s-transferred"]


@pytest.mark.schedule("S23")
def test_an_unanswered_create_settles_at_its_own_time_and_is_only_looked_for_until_then(firm: Firm) -> None:
    delivery = unanswered(firm, after=False)
    step = delivery.step("create")
    assert step is not None
    assert step.settles_at is not None
    firm.clock.forward((step.settles_at - firm.clock.now()).total_seconds() - 1)
    later = ends(firm, TryLater, delivery)
    assert isinstance(later, TryLater)
    assert (later.retry_after, later.costs_attempt) == (1.0, False)
    assert creates(firm) == 1
    firm.clock.forward(1)
    done(firm, delivery.again())
    assert (creates(firm), firm.in_severa_now()["number"]) == (2, 101)


@pytest.mark.schedule("S21")
@pytest.mark.parametrize("known", [True, False], ids=["polled before the next create", "polled after it"])
def test_a_document_that_arrives_after_its_create_was_given_up_never_makes_two(
    firm: Firm,
    known: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    delivery = unanswered(firm)
    late = firm.erp.records["customerinvoice"].pop("101")
    firm.clock.forward(firm.settle_seconds)
    if known:
        meanwhile(firm, "begin", lambda: None)
        firm.faults.arm("create", "customerinvoice", Unavailable())
        ends(firm, TryLater, delivery)
        firm.erp.records["customerinvoice"]["101"] = late
        firm.poll_documents()
        done(firm)
        assert (firm.erp.deleted, firm.in_severa_now()["number"]) == ([], 101)
    else:
        done(firm, delivery)
        firm.erp.records["customerinvoice"]["101"] = late
        firm.poll_documents()
        settled = done(firm)
        assert (firm.erp.deleted, firm.in_severa_now()["number"]) == (["Invoice/101"], 102)
        assert [(gap.number, gap.reason) for gap in settled.effects.gaps] == [("101", "invoice.doubled")]
    assert firm.erp.released == [f"severa:{GUID}"]
    calls = len(firm.calls)
    done(firm)
    assert len(firm.calls) == calls


# ---------------------------------------------------------------- whose document is it


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
        stop = ends(firm, Stop)
        assert isinstance(stop, Stop)
        assert (stop.code, stop.values["number"]) == ("invoice.document_gone", "101")
        firm.clock.forward(firm.settle_seconds)
    assert (creates(firm), status_of(firm)) == (1, "s-transfer")


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


# ---------------------------------------------------------------- restored, decided


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
    later = ends(firm, TryLater)
    assert isinstance(later, TryLater)
    assert later.costs_attempt is False
    assert creates(firm) == 1
    firm.clock.forward(firm.settle_seconds)
    done(firm)
    assert creates(firm) == 2


def _gone_while_releasing(firm: Firm) -> BaseException:
    firm.faults.arm("act", "customerinvoice/release", OutcomeUnknown(), after=True)
    ends(firm, OutcomeUnknown)
    del firm.erp.records["customerinvoice"]["101"]
    return ends(firm, InDoubt)


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


# ---------------------------------------------------------------- what a person saw, whole, and others' records


@pytest.mark.schedule("S18")
@pytest.mark.req("R-INV-15")
def test_a_release_is_for_what_was_seen_and_an_edited_invoice_is_held_again() -> None:
    firm = firm_with(hold_invoices=True)
    firm.invoice()
    first = ends(firm, Stop)
    assert isinstance(first, Stop)
    firm.books.choices["invoice", GUID] = f"released:{first.values['seen']}"
    rows = [row("CONS", "1000", "1160.40", "25", guid="r-1", sortOrder=1)]
    firm.severa.children["invoices/invoicerows", GUID] = rows
    firm.in_severa_now().update(totals(rows), lastUpdatedDateTime="2026-11-02T12:00:00+00:00")
    firm.poll()
    again = ends(firm, Stop)
    assert isinstance(again, Stop)
    assert (again.code, again.values["total"]) == ("invoice.changed_since_review", "1450500.00 SEK")
    assert (creates(firm), status_of(firm)) == (0, "s-transfer")
    firm.books.choices["invoice", GUID] = f"released:{again.values['seen']}"
    done(firm)
    assert firm.in_severa_now()["number"] == 101


@pytest.mark.schedule("S18")
@pytest.mark.req("R-INV-15")
def test_what_was_let_go_is_compared_again_directly_before_the_release() -> None:
    firm = firm_with(hold_invoices=True)
    firm.invoice()
    first = ends(firm, Stop)
    assert isinstance(first, Stop)
    firm.books.choices["invoice", GUID] = f"released:{first.values['seen']}"
    delivery = held(firm)
    firm.in_severa_now().update(orderNumber="PO 9", lastUpdatedDateTime="2026-11-02T12:00:00+00:00")
    stop = ends(firm, Stop, delivery)
    assert isinstance(stop, Stop)
    assert stop.code == "invoice.changed_since_review"
    assert (firm.erp.deleted, firm.erp.released) == (["Invoice/101"], [])


@pytest.mark.schedule("S18")
def test_an_account_that_was_changed_in_the_erp_is_another_thing_than_was_seen() -> None:
    firm = firm_with(hold_invoices=True)
    firm.invoice()
    first = ends(firm, Stop)
    assert isinstance(first, Stop)
    firm.books.choices["invoice", GUID] = f"released:{first.values['seen']}"
    item = firm.books.record("visma_net", "inventory", "CONS")
    assert item is not None
    moved = item.body | {"accountInformation": {"salesAccount": {"number": "3999"}}}
    firm.books.remember("visma_net", "inventory", moved)
    again = ends(firm, Stop)
    assert isinstance(again, Stop)
    assert again.code == "invoice.changed_since_review"


@pytest.mark.schedule("S38")
def test_files_give_the_invoice_back_after_a_turn_so_that_a_payment_does_not_wait_for_all() -> None:
    firm = firm_with(attachments="files")
    firm.invoice()
    names = ("a.pdf", "b.pdf", "c.pdf")
    with_files(firm, *names)
    done(firm)
    turns = 0
    for _ in range(len(names)):
        meanwhile(firm, "download", lambda: firm.clock.forward(70), register="files")
        settled = done(firm)
        turns += 1
        if not [one for one in settled.effects.announce if one.domain == "invoice"]:
            break
    assert turns > 1
    assert sorted(firm.erp.attachments["customerinvoice", "101"]) == list(names)
    assert [one["revision"] for one in firm.document()["attachments"]] == [1, 1, 1]


@pytest.mark.schedule("S42")
@pytest.mark.req("R-INV-7")
@pytest.mark.parametrize("state", ["claimed", "made"])
def test_a_credit_note_waits_for_an_original_that_is_not_in_the_books_yet(state: str) -> None:
    firm = Firm()
    document: Json = {
        "documentType": "Invoice",
        "referenceNumber": "90",
        "status": "Hold",
        "customer": {"number": "10001"},
        "currencyId": "SEK",
        "balanceInCurrency": 1000,
    }
    firm.erp.store("customerinvoice", document, "90")
    ours = firm.books.remember("severa", "invoices", {"guid": "inv-0", "number": 90})
    erp = firm.books.remember("visma_net", "customerdocument", document, number="90")
    link = firm.books.connect("invoice", ours, erp, document=("Invoice", "90"))
    firm.matter("invoice", "inv-0").documents.append(
        Document("Invoice", "90", "n9", "claimed" if state == "claimed" else "made")
    )
    rows = [row("CONS", "-1", "100", "25")]
    firm.invoice(rows, isCreditNote=True, reimburseInvoice={"guid": "inv-0", "number": 90, "name": "x"})
    waiting = ends(firm, Waiting)
    assert isinstance(waiting, Waiting)
    assert (waiting.domain, waiting.severa_id, waiting.name) == ("invoice", "inv-0", "90")
    assert creates(firm) == 0
    document.update(status="Open")
    firm.erp.store("customerinvoice", document, "90")
    firm.books.replace_link(link, booked=Booked("Invoice", "90", D(1000)))
    done(firm)
    assert firm.document()["applications"] == [{"docType": "INV", "refNbr": "90", "amountPaid": D("125.00")}]


@pytest.mark.req("R-INV-12")
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("orderNumber", "PO 1"),
        ("yourReference", "Någon annan"),
        ("dueDate", "2027-01-31"),
        ("date", "2026-11-09"),
        ("currency", {"code": "EUR"}),
        ("isCreditNote", True),
    ],
)
def test_what_was_booked_is_compared_whole_before_its_number_comes_back(
    firm: Firm, member: str, value: object
) -> None:
    done(firm)
    firm.in_severa_now().update({member: value, "number": None})
    to_status(firm, "s-transfer")
    stop = ends(firm, Stop)
    assert isinstance(stop, Stop)
    assert (stop.code, stop.values["number"]) == ("invoice.already_booked", "101")
    assert (firm.in_severa_now()["number"], creates(firm)) == (None, 1)


@pytest.mark.req("R-INV-12")
def test_rows_that_changed_places_in_money_are_seen_although_the_totals_agree(firm: Firm) -> None:
    done(firm)
    rows = firm.severa.children["invoices/invoicerows", GUID]
    rows[0]["quantity"] = D(4)
    rows.append({**rows[0], "guid": "r-3", "sortOrder": 3})
    firm.in_severa_now()["number"] = None
    to_status(firm, "s-transfer")
    stop = ends(firm, Stop)
    assert isinstance(stop, Stop)
    assert (stop.code, stop.values["differs"]) == ("invoice.already_booked", "lines")


def test_a_number_that_somebody_changed_in_severa_is_put_right_without_touching_the_status(
    firm: Firm,
) -> None:
    done(firm)
    firm.in_severa_now().update(number=777)
    to_status(firm, "s-sent")
    done(firm)
    assert (firm.in_severa_now()["number"], status_of(firm)) == (101, "s-sent")
    assert status_writes(firm) == ["s-transferred"]


# ---------------------------------------------------------------- what it costs


def test_a_plain_invoice_takes_five_commits_and_its_end(firm: Firm) -> None:
    done(firm)
    assert firm.commits() == [
        "bridge begin create",
        "bridge claim Invoice/101",
        "bridge begin hold_off",
        "bridge begin release",
        "bridge begin write_back",
    ]
    assert len([call for call in firm.calls if call.system != "bridge"]) == 8


@pytest.mark.parametrize("write", ["update", "act"], ids=["hold off", "release"])
def test_both_writes_of_a_release_carry_the_version_that_was_proven(firm: Firm, write: str) -> None:
    def touch() -> None:
        firm.document()["invoiceText"] = "Ändrad"
        firm.erp._touch("customerinvoice", "101")

    meanwhile(firm, write, touch)
    done(firm)
    reads = [call for call in firm.calls if call.method == "get" and call.register == "customerinvoice"]
    # Read back, read again because somebody touched it after the proof, and read in the books.
    assert len(reads) == 3
    assert firm.erp.released == [f"severa:{GUID}"]


def test_a_document_is_not_removed_while_its_release_may_still_come_true(firm: Firm) -> None:
    delivery = release_lost(firm)
    to_status(firm, "s-draft")
    later = ends(firm, TryLater, delivery)
    assert isinstance(later, TryLater)
    assert later.costs_attempt is False
    assert firm.erp.deleted == []
    firm.clock.forward(firm.settle_seconds)
    done(firm, delivery.again())
    assert (firm.erp.deleted, firm.erp.released) == (["Invoice/101"], [])


def test_a_proof_that_fails_because_the_poll_was_stale_is_no_fault_of_the_invoice(firm: Firm) -> None:
    right = firm.in_severa_now()
    stale = right | totals([row("FREE", "1", "10", "0")])
    firm.books.remember("severa", "invoices", stale, number="")
    right["lastUpdatedDateTime"] = "2026-11-02T12:00:00+00:00"
    settled = done(firm)
    assert [(gap.number, gap.reason) for gap in settled.effects.gaps] == [("101", "invoice.changed")]
    assert (firm.in_severa_now()["number"], status_writes(firm)) == (102, ["s-transferred"])


def test_what_is_seen_says_when_it_was_asked_for(firm: Firm) -> None:
    meanwhile(firm, "patch", lambda: firm.clock.forward(3))
    settled = done(firm)
    [seen] = [one for one in settled.effects.seen if one.system == "severa"]
    assert seen.asked_at is not None
    assert seen.answered_at is not None
    assert (seen.answered_at - seen.asked_at).total_seconds() == 3
