"""Schedules of docs/never-twice.md: what a person saw, what is compared whole, other records, and what a plain invoice costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import (
    Stop,
    TryLater,
    Waiting,
)
from domain.model import Booked, Document, Json
from tests.fakes_ledger import GUID, Firm, row, totals
from tests.unit.domain.invoice_booking import D
from tests.unit.domain.invoice_schedules import creates, status_of, status_writes, to_status
from tests.unit.domain.invoice_surroundings import firm_with, said
from tests.unit.domain.test_invoice_attachments import with_files
from tests.unit.domain.test_invoice_phases import (
    done,
    ends,
    held,
    meanwhile,
    release_lost,
)


@pytest.fixture
def firm() -> Firm:
    made = Firm()
    made.invoice()
    return made


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
    assert (again.code, again.values["total"]) == (
        "invoice.changed_since_review",
        {"amount": "1450500.00", "currency": "SEK"},
    )
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
    assert (waiting.domain, waiting.severa_id, waiting.name) == ("invoice", "inv-0", "90, 0,00")
    assert creates(firm) == 0
    document.update(status="Open")
    firm.erp.store("customerinvoice", document, "90")
    firm.books.replace_link(link, booked=Booked("Invoice", "90", D(1000)))
    done(firm)
    assert firm.document()["applications"] == [{"docType": "INV", "refNbr": "90", "amountPaid": D("125.00")}]


@pytest.mark.req("R-INV-7")
def test_a_credit_note_of_an_invoice_from_before_the_bridge_waits_for_nobody() -> None:
    """The bridge has seen the original and gave it a row, but will never book it."""
    firm = Firm()
    ours = firm.books.remember("severa", "invoices", {"guid": "inv-0", "number": 90})
    nobody = replace(ours, system="visma_net", register="customerdocument", id="", number="")
    firm.books.connect("invoice", ours, nobody)
    rows = [row("CONS", "-1", "100", "25")]
    firm.invoice(rows, isCreditNote=True, reimburseInvoice={"guid": "inv-0", "number": 90})
    assert "invoice.credit_left_open" in said(done(firm))
    assert firm.document()["applications"] == []


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


@pytest.mark.schedule("S1")
@pytest.mark.req("R-INV-12")
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("orderNumber", "PO 1"),
        ("dueDate", "2027-01-31"),
        ("totalIncludingTax", {"amount": D(9), "currencyCode": "SEK"}),
    ],
)
def test_an_edit_between_the_last_look_and_the_number_is_told_and_nobody_sends_the_invoice(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, member: str, value: object
) -> None:
    patch = firm.severa.patch

    def edited(*call: Any, **more: Any) -> Any:
        firm.in_severa_now()[member] = value
        return patch(*call, **more)

    monkeypatch.setattr(firm.severa, "patch", edited)
    stop = ends(firm, Stop)
    assert isinstance(stop, Stop)
    assert (stop.code, stop.values["number"]) == ("invoice.already_booked", "101")
    assert firm.in_severa_now()["status"]["guid"] == "s-transfer"
    assert creates(firm) == 1


@pytest.mark.schedule("S1")
def test_an_edit_of_what_is_not_booked_between_the_last_look_and_the_number_stops_nothing(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch = firm.severa.patch

    def edited(*call: Any, **more: Any) -> Any:
        firm.in_severa_now()["ourReference"] = "Någon annan"
        return patch(*call, **more)

    monkeypatch.setattr(firm.severa, "patch", edited)
    done(firm)
    assert firm.in_severa_now()["status"]["guid"] == "s-transferred"


@pytest.mark.req("R-INV-12", "R-LOG-3")
def test_a_problem_of_a_sent_invoice_ends_by_comparing_and_not_by_trying_again(firm: Firm) -> None:
    """Seed 1245: edited while its number was on its way, sent on, and then somebody tried the problem again."""
    done(firm)
    right = firm.in_severa_now()["dueDate"]
    firm.in_severa_now()["dueDate"] = "2027-01-31"
    to_status(firm, "s-sent")
    firm.books.problems.add(("severa", GUID))
    for _ in range(2):
        stop = ends(firm, Stop)
        assert isinstance(stop, Stop)
        assert (stop.code, stop.values["differs"]) == ("invoice.already_booked", ["dueDate"])
    firm.in_severa_now()["dueDate"] = right
    firm.poll()
    settled = done(firm)
    # Nothing was put right, so nothing is told; the problem is over.
    assert (said(settled), settled.problems_stay) == ([], False)
    assert (status_writes(firm), creates(firm)) == (["s-transferred"], 1)


@pytest.mark.schedule("S24")
@pytest.mark.req("R-LOG-1", "R-PAY-1")
@pytest.mark.parametrize(
    ("status", "balance", "asked"),
    [("Open", None, []), ("Open", "52.79", ["payment"]), ("Closed", "0", ["payment"])],
)
def test_what_was_booked_and_never_told_is_told_by_whoever_comes_next(
    firm: Firm, status: str, balance: str | None, asked: list[str]
) -> None:
    """Seed 2090: a restored database found the document, and broke off before it said so; Severa shows it all already, and
    the payment was polled before anybody knew whose it is."""
    done(firm)
    to_status(firm, "s-sent")
    link = firm.books.link("invoice", severa_id=GUID)
    assert link is not None
    firm.books.replace_link(link, state={})
    firm.document()["status"] = status
    if balance is not None:
        firm.document()["balanceInCurrency"] = D(balance)
    settled = done(firm)
    assert said(settled) == ["invoice.transferred"]
    assert [one.domain for one in settled.effects.announce] == asked
    assert said(done(firm)) == []
    assert status_writes(firm) == ["s-transferred"]


def test_a_sent_invoice_without_a_problem_is_not_asked_for_again(firm: Firm) -> None:
    done(firm)
    to_status(firm, "s-sent")
    calls = len(firm.calls)
    done(firm)
    assert len(firm.calls) == calls


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
    assert (stop.code, stop.values["differs"]) == ("invoice.already_booked", ["lines"])


def test_a_number_that_somebody_changed_in_severa_is_put_right_without_touching_the_status(
    firm: Firm,
) -> None:
    done(firm)
    firm.in_severa_now().update(number=777)
    to_status(firm, "s-sent")
    done(firm)
    assert (firm.in_severa_now()["number"], status_of(firm)) == (101, "s-sent")
    assert status_writes(firm) == ["s-transferred"]


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
