"""A closed project takes a late invoice and is closed again (R-PRJ-3)."""

from __future__ import annotations

import pytest

from domain.errors import Refused
from domain.invoice.steps import settle
from domain.ports import ActionResult, Json
from tests.fakes import Killed
from tests.fakes_ledger import GUID, Firm
from tests.unit.domain.invoice_surroundings import firm_with, said, stopped


def close_project(firm: Firm, status: str = "Completed", *, seen: bool = True) -> None:
    body = {
        "internalID": 812,
        "projectID": "4711",
        "description": "Lagerflytt",
        "startDate": "2026-01-01T00:00:00",
        "status": status,
    }
    firm.erp.store("project", body, key="4711")
    if seen:
        firm.books.remember("visma_net", "project", body)
    link = firm.books.link("project", severa_id="p-1")
    assert link is not None
    if seen:
        firm.books.replace_link(link, base={"status": [status, status]})


def project_status(firm: Firm) -> str:
    return str(firm.erp.stored("project", "4711")["status"])


@pytest.mark.req("R-PRJ-3")
@pytest.mark.parametrize("status", ["Completed", "Cancelled"])
def test_a_closed_project_is_active_for_a_late_invoice_and_then_set_back(status: str) -> None:
    firm = Firm()
    close_project(firm, status)
    firm.invoice()
    settled = settle(firm.transfer())
    moves = [
        call.body["status"]["value"]
        for call in firm.calls
        if (call.method, call.register) == ("update", "project")
    ]
    assert moves == ["Active", status]
    assert firm.erp.released == [f"severa:{GUID}"]
    assert project_status(firm) == status
    assert {"invoice.project_reopened", "invoice.project_closed_again"} <= set(said(settled))
    seen = [one.body for one in settled.effects.seen if one.register == "project"]
    assert [one["status"] for one in seen] == [status]


@pytest.mark.req("R-PRJ-3")
def test_a_project_closed_since_it_was_last_seen_is_reopened_after_the_refusal() -> None:
    firm = Firm()
    close_project(firm, seen=False)
    firm.invoice()
    refusal = Refused("Project '4711' is completed and cannot be used", system="visma_net", status=400)
    firm.faults.arm("create", "customerinvoice", refusal)
    settle(firm.transfer())
    assert firm.in_severa_now()["number"] == 101
    assert project_status(firm) == "Completed"


@pytest.mark.req("R-PRJ-3")
def test_a_project_is_set_back_when_the_invoice_fails_too() -> None:
    firm = Firm()
    close_project(firm)
    firm.invoice()
    firm.erp.release_result = ActionResult("Failed", "Period 11-2026 is closed")
    assert stopped(firm).code == "invoice.period_closed"
    assert project_status(firm) == "Completed"


@pytest.mark.req("R-PRJ-3")
def test_a_project_reopened_by_a_worker_that_died_is_set_back_even_if_the_invoice_was_withdrawn() -> None:
    firm = Firm()
    close_project(firm)
    firm.invoice()
    firm.faults.arm("create", "customerinvoice", Killed())
    delivery = firm.transfer()
    with pytest.raises(Killed):
        settle(delivery)
    assert project_status(firm) == "Active"
    firm.in_severa_now()["status"] = {"guid": "s-draft", "name": "Utkast"}
    firm.poll()
    # Only then can no server still be making the document.
    firm.clock.forward(600)
    settle(delivery.again())
    assert project_status(firm) == "Completed"


@pytest.mark.req("R-PRJ-3")
def test_a_project_reopened_before_anything_was_sent_is_set_back_when_the_invoice_is_withdrawn() -> None:
    firm = Firm()
    close_project(firm)
    firm.invoice()
    firm.faults.arm("begin", "create", Killed())
    delivery = firm.transfer()
    with pytest.raises(Killed):
        settle(delivery)
    firm.in_severa_now()["status"] = {"guid": "s-draft", "name": "Utkast"}
    firm.poll()
    settle(delivery.again())
    assert project_status(firm) == "Completed"
    assert firm.erp.documents() == []


@pytest.mark.req("R-PRJ-3")
def test_a_project_stays_active_while_another_late_invoice_of_it_is_in_transfer() -> None:
    firm = Firm()
    close_project(firm)
    firm.invoice()
    other: Json = {"guid": "inv-2", "status": {"guid": "s-transfer"}, "projects": [{"guid": "p-1"}]}
    firm.books.remember("severa", "invoices", other)
    settle(firm.transfer())
    assert project_status(firm) == "Active"


@pytest.mark.req("R-PRJ-3")
def test_a_tenant_that_wants_no_reopening_gets_a_problem_and_no_document() -> None:
    firm = firm_with(reopen_projects=False)
    close_project(firm)
    firm.invoice()
    stop = stopped(firm)
    assert (stop.code, stop.values["project"]) == ("invoice.project_closed", "4711")
    assert firm.in_severa_now()["status"]["guid"] == "s-failed"
    assert firm.erp.documents() == []
    assert project_status(firm) == "Completed"
