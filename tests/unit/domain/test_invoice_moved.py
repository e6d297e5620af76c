"""An invoice that a person moves while it is being booked: seen, told, and never moved back (R-LOG-1, S2, S6)."""

from __future__ import annotations

import pytest

from domain.errors import Stop
from domain.invoice.steps import settle
from domain.model import LogLine
from tests.fakes import Killed
from tests.fakes_ledger import Firm
from tests.unit.domain.invoice_schedules import status_of, status_writes, to_status
from tests.unit.domain.invoice_surroundings import said
from tests.unit.domain.test_invoice_phases import done, ends, meanwhile


@pytest.fixture
def firm() -> Firm:
    made = Firm()
    made.invoice()
    return made


def log_of(stop: object) -> list[LogLine]:
    assert isinstance(stop, Stop)
    assert stop.effects is not None
    return list(stop.effects.log)


# ---------------------------------------------------------------- before its document is released


@pytest.mark.req("R-LOG-1", "R-INV-4")
def test_an_invoice_taken_out_while_its_create_is_out_is_told_with_the_document_that_went(firm: Firm) -> None:
    meanwhile(firm, "create", lambda: to_status(firm, "s-draft"))
    settled = done(firm)
    [line] = settled.effects.log
    assert (line.code, line.values["number"]) == ("invoice.withdrawn", "101")
    assert [(gap.number, gap.reason) for gap in settled.effects.gaps] == [("101", "invoice.withdrawn")]
    assert (firm.erp.deleted, status_of(firm)) == (["Invoice/101"], "s-draft")


@pytest.mark.req("R-LOG-1", "R-LOG-3")
@pytest.mark.parametrize("status", ["s-transferred", "s-sent"])
def test_one_that_was_sent_while_its_create_is_out_is_a_problem_because_it_is_in_no_books(
    firm: Firm, status: str
) -> None:
    meanwhile(firm, "create", lambda: to_status(firm, status))
    stop = ends(firm, Stop)
    assert isinstance(stop, Stop)
    assert (stop.code, stop.values["customer"]) == ("invoice.sent_unbooked", "Mälarbygg AB")
    assert [line.code for line in log_of(stop)] == ["invoice.withdrawn"]
    assert (firm.erp.deleted, firm.erp.released, status_of(firm)) == (["Invoice/101"], [], status)


@pytest.mark.req("R-LOG-3")
def test_the_problem_of_one_that_was_sent_is_kept_by_whoever_goes_on_after_the_removal(firm: Firm) -> None:
    meanwhile(firm, "create", lambda: to_status(firm, "s-sent"))
    delivery = firm.transfer()
    firm.faults.arm("drop", "Invoice/101", Killed(), after=True)
    with pytest.raises(Killed):
        settle(delivery)
    stop = ends(firm, Stop, delivery.again())
    assert isinstance(stop, Stop)
    assert stop.code == "invoice.sent_unbooked"


@pytest.mark.req("R-LOG-3")
def test_one_that_was_sent_while_its_document_is_made_anew_is_a_problem_too(firm: Firm) -> None:
    meanwhile(firm, "get", lambda: edited(firm), register="customerinvoice")
    meanwhile(firm, "delete", lambda: to_status(firm, "s-sent"))
    stop = ends(firm, Stop)
    assert isinstance(stop, Stop)
    assert stop.code == "invoice.sent_unbooked"
    assert firm.erp.released == []


@pytest.mark.req("R-LOG-1", "R-INV-5")
def test_a_document_that_was_replaced_because_of_an_edit_is_told_as_well(firm: Firm) -> None:
    meanwhile(firm, "get", lambda: edited(firm), register="customerinvoice")
    settled = done(firm)
    assert said(settled) == ["invoice.changed", "invoice.transferred"]
    assert settled.effects.log[0].values["number"] == "101"


def edited(firm: Firm) -> None:
    firm.in_severa_now().update(orderNumber="PO 2", lastUpdatedDateTime="2026-11-02T09:00:00+00:00")


# ---------------------------------------------------------------- before its number is written


def moved_in_a_slow_release(firm: Firm, status: str) -> None:
    def moved() -> None:
        firm.clock.forward(firm.limits.status_seconds)
        to_status(firm, status)

    meanwhile(firm, "act", moved)


@pytest.mark.schedule("S2", "S6")
@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("s-draft", "invoice.moved_after_booking"),
        ("s-failed", "invoice.moved_after_booking"),
        ("s-transferred", "invoice.sent_unnumbered"),
        ("s-sent", "invoice.sent_unnumbered"),
    ],
)
def test_an_invoice_moved_while_its_release_is_out_gets_its_number_is_not_moved_back_and_is_told(
    firm: Firm, status: str, code: str
) -> None:
    moved_in_a_slow_release(firm, status)
    stop = ends(firm, Stop)
    assert isinstance(stop, Stop)
    assert (stop.code, stop.values["number"]) == (code, "101")
    assert (firm.in_severa_now()["number"], status_of(firm), status_writes(firm)) == (101, status, [])


@pytest.mark.req("R-INV-12")
def test_an_edit_in_a_slow_release_is_seen_before_anything_is_written(firm: Firm) -> None:
    def edit() -> None:
        firm.clock.forward(firm.limits.status_seconds)
        firm.in_severa_now().update(orderNumber="PO 2")

    meanwhile(firm, "act", edit)
    stop = ends(firm, Stop)
    assert isinstance(stop, Stop)
    assert stop.code == "invoice.already_booked"
    assert status_writes(firm) == []


@pytest.mark.req("R-OPS-2")
@pytest.mark.parametrize(("less", "reads"), [(0.5, 1), (0, 2)])
def test_only_a_slow_release_costs_another_look_at_severa(firm: Firm, less: float, reads: int) -> None:
    meanwhile(firm, "act", lambda: firm.clock.forward(firm.limits.status_seconds - less))
    assert said(done(firm)) == ["invoice.transferred"]
    assert sum((call.method, call.register) == ("get", "invoices") for call in firm.calls) == reads
