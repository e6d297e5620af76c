"""Schedules of docs/never-twice.md: an invoice whose worker is killed, paused, or never answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.errors import (
    BridgeError,
    LeaseLost,
    NotKnown,
    NotSent,
    OutcomeUnknown,
    TryLater,
    Unavailable,
)
from domain.invoice.steps import settle
from domain.model import Booked
from tests.fakes_ledger import GUID, Firm
from tests.unit.domain.invoice_booking import D
from tests.unit.domain.invoice_schedules import creates, status_of, status_writes, to_status
from tests.unit.domain.invoice_surroundings import firm_with, said
from tests.unit.domain.test_invoice_attachments import with_files
from tests.unit.domain.test_invoice_phases import (
    done,
    ends,
    held,
    meanwhile,
    unanswered,
)


@pytest.fixture
def firm() -> Firm:
    made = Firm()
    made.invoice()
    return made


@pytest.mark.schedule("S2")
@pytest.mark.parametrize("error", [Unavailable(), OutcomeUnknown()], ids=["never connected", "503"])
def test_a_held_document_goes_when_the_invoice_went_back_to_draft_while_its_row_waited(
    firm: Firm, error: BridgeError
) -> None:
    firm.faults.arm("update", "customerinvoice", error)
    ends(firm, type(error))
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
    firm.faults.arm("patch", "invoices", OutcomeUnknown(), after=True)
    ends(firm, OutcomeUnknown)
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
    firm.poll_documents()
    to_status(firm, "s-draft")

    def successor() -> None:
        to_status(firm, "s-transfer")
        done(firm, delivery.again())
        # A whole reading says that the first document is gone: its own DELETE answers so, and that is believed.
        key = ("visma_net", "customerdocument", "Invoice/101")
        firm.books.records[key] = replace(firm.books.records[key], gone=True)
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
    firm.faults.arm("patch", "invoices", OutcomeUnknown())
    ends(firm, OutcomeUnknown)
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


@pytest.mark.parametrize(
    ("error", "waits"),
    [(Unavailable(), False), (NotSent(), False), (NotKnown(), True), (OutcomeUnknown(), True)],
    ids=lambda one: type(one).__name__,
)
def test_only_a_status_whose_outcome_is_open_is_waited_for(
    firm: Firm,
    error: BridgeError,
    waits: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    firm.faults.arm("patch", "invoices", error)
    delivery = firm.transfer()
    ends(firm, type(error), delivery)
    if waits:
        ends(firm, TryLater, delivery.again())
        firm.clock.forward(firm.settle_seconds)
    done(firm, delivery.again())
    assert firm.in_severa_now()["number"] == 101


@pytest.mark.schedule("S22")
def test_a_failed_status_that_nobody_answered_is_waited_for_and_not_written_over_a_persons_repair(
    firm: Firm,
) -> None:
    firm.erp.rates["CONS"] = D(12)
    firm.faults.arm("patch", "invoices", OutcomeUnknown(), after=True)
    delivery = firm.transfer()
    ends(firm, OutcomeUnknown, delivery)
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
