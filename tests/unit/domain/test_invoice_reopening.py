"""A closed project takes a late invoice and is closed again, each by its own delivery (R-PRJ-3, docs/never-twice.md rule 20)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import OutcomeUnknown, Refused, Stop, TryLater, Waiting
from domain.invoice.steps import settle
from domain.model import ActionResult, Json, Settled
from domain.project.steps import settle as settle_project
from tests.fakes import FakeDelivery, Killed
from tests.fakes_ledger import GUID, Firm, row, totals
from tests.unit.domain.invoice_surroundings import firm_with, said, stopped

CLOSED: Json = {
    "guid": "p-1",
    "number": 4711,
    "name": "Lagerflytt",
    "customer": {"guid": "c-1"},
    "startDate": "2026-01-01",
    "isClosed": True,
    "salesStatus": {"salesStatusTypeGuid": "won"},
}


def close_project(firm: Firm, status: str = "Completed", *, seen: bool = True, **more: Any) -> None:
    ours = (
        CLOSED | {"salesStatus": {"salesStatusTypeGuid": "won" if status == "Completed" else "lost"}} | more
    )
    firm.books.remember("severa", "projects", firm.severa.store("projects", ours))
    for state in ("Won", "Lost"):
        firm.books.remember("severa", "salesstatustypes", {"guid": state.lower(), "salesState": state})
    body: Json = {
        "internalID": 812,
        "projectID": "4711",
        "description": "Lagerflytt",
        "startDate": "2026-01-01T00:00:00",
        "customer": {"number": "10001"},
        "status": status,
        "tasks": [{"taskId": "10", "status": "Completed"}],
    }
    firm.erp.store("project", body, key="4711")
    firm.books.remember("visma_net", "project", body if seen else body | {"status": "Active"})
    link = firm.books.link("project", severa_id="p-1")
    assert link is not None
    base = {"status": [status, status], "task": ["10", "10"]} if not more else {"task": ["10", "10"]}
    firm.books.replace_link(link, base=base)


def project_status(firm: Firm) -> str:
    return str(firm.erp.stored("project", "4711")["status"])


def project_delivered(firm: Firm) -> Settled:
    """The project's own delivery."""
    firm.books.remember("severa", "projects", firm.severa.stored("projects", "p-1"))
    delivery = firm.delivery("project", severa=("projects", "p-1"))
    settled = settle_project(delivery)
    firm.finish(delivery, settled)
    return settled


def asks_for_project(firm: Firm, delivery: FakeDelivery) -> None:
    with pytest.raises(Waiting) as waiting:
        settle(delivery)
    assert (waiting.value.domain, waiting.value.severa_id) == ("project", "p-1")
    assert (waiting.value.need, waiting.value.name) == ("active", "4711 Lagerflytt")
    firm.leave_need(delivery, waiting.value)


def delivered(firm: Firm, delivery: FakeDelivery) -> Settled:
    settled = settle(delivery)
    firm.finish(delivery, settled)
    firm.poll()
    return settled


def project_writes(firm: Firm) -> list[str]:
    return [
        call.body["status"]["value"]
        for call in firm.calls
        if (call.method, call.register) == ("update", "project")
    ]


@pytest.mark.req("R-PRJ-3")
@pytest.mark.parametrize("status", ["Completed", "Cancelled"])
def test_a_closed_project_is_active_for_a_late_invoice_and_then_set_back(status: str) -> None:
    firm = Firm()
    close_project(firm, status)
    firm.invoice()
    delivery = firm.transfer()
    asks_for_project(firm, delivery)
    assert project_writes(firm) == []
    assert said(project_delivered(firm)) == ["project.activated", "project.updated"]
    assert firm.erp.stored("project", "4711")["tasks"][0]["status"] == "Active"
    settled = delivered(firm, delivery.again())
    assert firm.erp.released == [f"severa:{GUID}"]
    assert ("project", "p-1") in {(one.domain, one.id) for one in settled.effects.announce}
    project_delivered(firm)
    assert project_writes(firm) == ["Active", status]
    assert project_status(firm) == status
    calls = len(firm.calls)
    project_delivered(firm)
    assert len(firm.calls) == calls


@pytest.mark.req("R-PRJ-3")
def test_a_project_closed_in_the_erp_only_is_set_back_to_what_somebody_made_of_it() -> None:
    firm = Firm()
    close_project(firm, isClosed=False)
    link = firm.books.link("project", severa_id="p-1")
    assert link is not None
    firm.books.replace_link(link, base={"status": ["Active", "Active"], "task": ["10", "10"]})
    firm.invoice()
    delivery = firm.transfer()
    asks_for_project(firm, delivery)
    project_delivered(firm)
    assert project_status(firm) == "Active"
    delivered(firm, delivery.again())
    project_delivered(firm)
    assert project_status(firm) == "Completed"
    # What somebody set in the ERP stays, now as before.
    project_delivered(firm)
    assert project_status(firm) == "Completed"


@pytest.mark.req("R-PRJ-3")
def test_a_project_closed_since_it_was_last_seen_is_asked_for_after_the_refusal() -> None:
    firm = Firm()
    close_project(firm, seen=False)
    firm.invoice()
    refusal = Refused("Project '4711' is completed and cannot be used", system="visma_net", status=400)
    firm.faults.arm("create", "customerinvoice", refusal)
    delivery = firm.transfer()
    asks_for_project(firm, delivery)
    firm.books.remember("visma_net", "project", firm.erp.stored("project", "4711"))
    project_delivered(firm)
    delivered(firm, delivery.again())
    assert firm.in_severa_now()["number"] == 101
    project_delivered(firm)
    assert project_status(firm) == "Completed"


@pytest.mark.req("R-PRJ-3")
def test_a_task_that_was_completed_alone_is_asked_for_once_and_a_second_refusal_is_the_invoices_own() -> None:
    firm = Firm()
    close_project(firm, seen=False, isClosed=False)
    firm.erp.stored("project", "4711")["status"] = "Active"
    firm.invoice()
    refusal = Refused("Project task '10' is completed.", system="visma_net", status=400)
    firm.faults.arm("create", "customerinvoice", refusal, times=2)
    delivery = firm.transfer()
    asks_for_project(firm, delivery)
    with pytest.raises(Stop) as stop:
        settle(delivery.again())
    assert stop.value.code == "invoice.task_refused"


@pytest.mark.req("R-PRJ-3")
def test_a_project_is_set_back_when_the_invoice_fails_too() -> None:
    firm = Firm()
    close_project(firm)
    firm.invoice()
    firm.erp.release_result = ActionResult("Failed", "Period 11-2026 is closed")
    delivery = firm.transfer()
    asks_for_project(firm, delivery)
    project_delivered(firm)
    (outcome,) = firm.run(settle, delivery.again())
    assert isinstance(outcome.error, Stop)
    assert outcome.error.code == "invoice.period_closed"
    firm.poll()
    project_delivered(firm)
    assert project_status(firm) == "Completed"


@pytest.mark.req("R-PRJ-3")
def test_a_need_of_a_worker_that_died_goes_when_the_invoice_was_withdrawn() -> None:
    firm = Firm()
    close_project(firm)
    firm.invoice()
    delivery = firm.transfer()
    asks_for_project(firm, delivery)
    project_delivered(firm)
    firm.faults.arm("create", "customerinvoice", Killed())
    delivery = delivery.again()
    with pytest.raises(Killed):
        settle(delivery)
    firm.in_severa_now()["status"] = {"guid": "s-draft", "name": "Utkast"}
    firm.poll()
    # Only then can no server still be making the document.
    firm.clock.forward(firm.settle_seconds)
    delivered(firm, delivery.again())
    project_delivered(firm)
    assert project_status(firm) == "Completed"
    assert firm.erp.documents() == []


@pytest.mark.req("R-PRJ-3")
@pytest.mark.schedule("S41")
def test_a_project_stays_active_while_any_late_invoice_needs_it_and_is_closed_after_the_last() -> None:
    firm = Firm()
    close_project(firm)
    firm.invoice()
    first = firm.transfer()
    asks_for_project(firm, first)
    other = firm.in_severa_now() | {"guid": "inv-2", **totals([row("FREE", "1", "10", "0")])}
    firm.severa.store("invoices", other)
    firm.severa.children["invoices/invoicerows", "inv-2"] = [
        row("FREE", "1", "10", "0", guid="r-9", sortOrder=1)
    ]
    firm.books.remember("severa", "invoices", other, number="")
    second = firm.delivery("invoice", severa=("invoices", "inv-2"))
    asks_for_project(firm, second)
    project_delivered(firm)
    delivered(firm, first.again())
    # Its status is not *transfer* any more in Severa, only the need of the second one holds the project open.
    firm.books.remember("severa", "invoices", other | {"status": {"guid": "s-draft"}}, number="")
    project_delivered(firm)
    assert project_status(firm) == "Active"
    firm.books.remember("severa", "invoices", other, number="")
    settled = settle(second.again())
    firm.finish(second, settled)
    firm.books.remember("severa", "invoices", firm.severa.stored("invoices", "inv-2"))
    project_delivered(firm)
    assert project_status(firm) == "Completed"
    assert project_writes(firm) == ["Active", "Completed"]
    assert sorted(firm.erp.released) == ["severa:inv-1", "severa:inv-2"]


@pytest.mark.req("R-PRJ-3")
def test_a_status_of_a_project_that_nobody_answered_is_waited_for_before_it_is_read() -> None:
    firm = Firm()
    close_project(firm)
    firm.invoice()
    delivery = firm.transfer()
    asks_for_project(firm, delivery)
    firm.faults.arm("update", "project", OutcomeUnknown(), after=True)
    with pytest.raises(OutcomeUnknown):
        project_delivered(firm)
    with pytest.raises(TryLater) as later:
        project_delivered(firm)
    assert (later.value.retry_after, later.value.costs_attempt) == (firm.settle_seconds, False)
    firm.clock.forward(firm.settle_seconds)
    project_delivered(firm)
    assert project_writes(firm) == ["Active"]
    delivered(firm, delivery.again())
    assert firm.in_severa_now()["number"] == 101


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
