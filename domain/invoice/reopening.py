"""A closed project set Active for a late document, and back again (R-PRJ-3).

What it has to go back to is kept in the step ``reopened``, so that a successor of a killed worker sets it back too.
"""

from __future__ import annotations

from typing import Any

from domain.errors import NotFound, Refused, Stale, TryLater
from domain.invoice.attempt import Attempt
from domain.invoice.fields import INVOICES
from domain.invoice.model import Party
from domain.mapper import read, text, update_body
from domain.ports import Json, Link, Seen

PROJECT = "project"
STEP = "reopened"
# Statuses of a project that no document can be posted on any more.
INACTIVE = frozenset({"Completed", "Cancelled"})


def open_for(attempt: Attempt, project: Party | None) -> bool:
    """Makes the project of a late document Active; True if that was necessary.

    Asks the ERP only if the project was inactive when it was last seen or settled. Raises Stop
    ``invoice.project_closed`` where the tenant does not want it.
    """
    link = _link(attempt, project)
    if link is None:
        return False
    record = attempt.delivery.books.record("visma_net", link.erp_register, link.erp_id)
    seen = text(record.body, "status") if record is not None else ""
    settled_as = _settled_as(link)
    if seen not in INACTIVE and settled_as not in INACTIVE:
        return False
    return _open(attempt, link, settled_as)


def open_refused(attempt: Attempt, project: Party | None) -> bool:
    """After a refusal that names the project: True if it was closed meanwhile and is Active now. Once per delivery."""
    link = _link(attempt, project)
    if link is None or attempt.delivery.step(STEP) is not None:
        return False
    return _open(attempt, link, _settled_as(link))


def _link(attempt: Attempt, project: Party | None) -> Link | None:
    return attempt.delivery.books.link("project", severa_id=project.guid) if project is not None else None


def _settled_as(link: Link) -> str:
    """The status that the project's own settling left in the ERP."""
    pair = link.base.get("status") or ("", "")
    return str(pair[1])


def _open(attempt: Attempt, link: Link, settled_as: str) -> bool:
    delivery = attempt.delivery
    try:
        stored = delivery.erp.get(PROJECT, link.erp_number)
    except NotFound:
        return False
    status = text(stored.body, "status")
    _see(attempt, link, stored.body)
    if status not in INACTIVE:
        if settled_as in INACTIVE and status == "Active":
            # Another late document made it Active: whoever is last sets it back.
            delivery.done(STEP, _kept(link, settled_as))
        return False
    if not delivery.tenant.settings.reopen_projects:
        raise attempt.fail("invoice.project_closed", {"project": link.erp_number, "status": status})
    delivery.done(STEP, _kept(link, status))
    try:
        _set_status(attempt, link.erp_number, stored.body, "Active", stored.etag)
    except Refused as error:
        raise attempt.fail("invoice.project_refused", {"text": error.message}) from error
    attempt.say("invoice.project_reopened", project=link.erp_number, status=status)
    return True


def _kept(link: Link, status: str) -> Json:
    return {"project": link.erp_number, "erp_id": link.erp_id, "severa_id": link.severa_id, "status": status}


def _set_status(attempt: Attempt, number: str, body: Json, status: str, etag: str | None) -> None:
    # The document of the API requires description and start date on every write.
    members: dict[str, Any] = {
        "status": status,
        "description": text(body, "description") or number,
        "startDate": text(body, "startDate"),
    }
    task = attempt.delivery.tenant.settings.project_task
    if status == "Active" and _closed(body, task):
        # A task that was completed with its project takes no lines either.
        members["tasks"] = [{"operation": "Update", "taskId": task, "status": "Active"}]
    changes = update_body({name: value for name, value in members.items() if value})
    try:
        attempt.delivery.erp.update(PROJECT, number, changes, etag=etag)
    except Stale as error:
        raise TryLater(error.message, retry_after=5) from error


def _closed(body: Json, task: str) -> bool:
    return any(
        text(one, "taskId") == task and text(one, "status") not in ("", "Active")
        for one in read(body, "tasks") or []
    )


def set_back(attempt: Attempt) -> None:
    """Sets a reopened project back when its document is done with; kept Active while another invoice of it is in transfer.

    Raises TryLater. A refusal is told in the log: the document is booked whatever becomes of the project.
    """
    delivery = attempt.delivery
    step = delivery.step(STEP)
    if step is None or not step.done or step.result.get("back"):
        return
    kept = step.result
    number, status = str(kept["project"]), str(kept["status"])
    if _others_in_transfer(attempt, str(kept["severa_id"])):
        return
    try:
        stored = delivery.erp.get(PROJECT, number)
        if text(stored.body, "status") == "Active":
            _set_status(attempt, number, stored.body, status, stored.etag)
            stored = delivery.erp.get(PROJECT, number)
            attempt.say("invoice.project_closed_again", project=number, status=status)
    except Refused as error:
        attempt.say(
            "invoice.project_left_open", level="warning", project=number, status=status, text=error.message
        )
    else:
        attempt.seen["visma_net", f"{PROJECT}/{kept['erp_id']}"] = Seen("visma_net", PROJECT, stored.body)
    delivery.done(STEP, {**kept, "back": True})


def _others_in_transfer(attempt: Attempt, project: str) -> bool:
    transfer = attempt.roles.transfer.guid
    return any(
        record.id != attempt.guid
        and text(record.body, "status.guid") == transfer
        and any(text(one, "guid") == project for one in read(record.body, "projects") or [])
        for record in attempt.delivery.books.all("severa", INVOICES)
    )


def _see(attempt: Attempt, link: Link, body: Json) -> None:
    attempt.seen["visma_net", f"{PROJECT}/{link.erp_id}"] = Seen("visma_net", PROJECT, body)
