"""A document for a project that is inactive in the ERP (R-PRJ-3): the invoice never writes the project, it leaves a need.

One writer per remote record (never-twice.md rule 20): the project's own delivery sets it Active while any need stands and
closes it after the last one; the need goes when this invoice comes to rest.
"""

from __future__ import annotations

from domain.errors import NotFound, Waiting
from domain.invoice.model import Party
from domain.invoice.work import Work
from domain.mapper import text
from domain.ports import Json, Link

PROJECT = "project"
# What is asked of the project, and the name of the step that says it was asked for after a refusal.
ACTIVE = "active"
ASKED_FOR = "project asked for"
# Statuses of a project that no document can be posted on any more.
INACTIVE = frozenset({"Completed", "Cancelled"})


def check_project(work: Work, project: Party | None) -> None:
    """Raises Waiting for a project that is inactive, Stop ``invoice.project_closed`` where the tenant does not reopen any.

    Asks the ERP only if the project was inactive when it was last seen: it may have been opened since.
    """
    link = _link(work, project)
    if link is None or _status_seen(work, link) not in INACTIVE:
        return
    status = _status_now(work, link)
    if status in INACTIVE:
        raise _waiting(work, link, project, status)


def check_refused(work: Work, project: Party | None) -> None:
    """After a refusal that names project or task: raises Waiting if it was closed meanwhile; if it seems Active, once, because
    its task may not be. A second refusal is the invoice's own."""
    link = _link(work, project)
    if link is None:
        return
    status = _status_now(work, link)
    if status in INACTIVE:
        raise _waiting(work, link, project, status)
    if status and work.delivery.step(ASKED_FOR) is None and work.delivery.tenant.settings.reopen_projects:
        work.delivery.done(ASKED_FOR, {"project": link.erp_number})
        raise _waiting(work, link, project, status)


def _link(work: Work, project: Party | None) -> Link | None:
    return work.delivery.books.link("project", severa_id=project.guid) if project is not None else None


def _status_seen(work: Work, link: Link) -> str:
    """The status last seen, else the one that the project's own settling left."""
    record = work.delivery.books.record("visma_net", link.erp_register, link.erp_id)
    pair = link.base.get("status") or ("", "")
    return (text(record.body, "status") if record is not None else "") or str(pair[1])


def _status_now(work: Work, link: Link) -> str:
    try:
        body: Json = work.delivery.erp.get(PROJECT, link.erp_number).body
    except NotFound:
        return ""
    work.trail.see("visma_net", PROJECT, link.erp_id, body)
    return text(body, "status")


def _waiting(work: Work, link: Link, project: Party | None, status: str) -> Exception:
    if not work.delivery.tenant.settings.reopen_projects:
        return work.stop("invoice.project_closed", {"project": link.erp_number, "status": status})
    name = f"{project.number} {project.name}".strip() if project is not None else link.erp_number
    return Waiting("project", severa_id=link.severa_id, name=name, need=ACTIVE)
