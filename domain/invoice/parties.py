"""Whose document it is: the customer and the project that it shows are the linked ones, not others that have their numbers by now
(R-INV-4, R-CUS-8).

Numbers may change hands in the ERP before the bridge has seen it. A document shows the project's internal id, but of the
customer only number and name: where the name is not the one last seen, the customer of that number is read singly.
"""

from __future__ import annotations

from domain.customer.registers import ERP_CUSTOMER
from domain.errors import NotFound
from domain.invoice.model import ErpDocument
from domain.invoice.prove import Finding
from domain.invoice.work import Planned, Work
from domain.mapper import text
from domain.text import name_key


def other_project(work: Work, planned: Planned, document: ErpDocument) -> Finding | None:
    """The document's project where it is another one than the linked."""
    project = planned.project
    link = work.delivery.books.link("project", severa_id=project.guid) if project is not None else None
    shown = text(document.body, "project.internalId")
    if project is None or link is None or not shown or shown == link.erp_id:
        return None
    theirs = f"{text(document.body, 'project.id')} {text(document.body, 'project.description')}".strip()
    return Finding("project", f"{project.number} {project.name}".strip(), theirs, essential=True)


def other_customer(work: Work, planned: Planned, document: ErpDocument) -> Finding | None:
    """The document's customer where it is another one than the linked. A call, where the name is not the one last seen."""
    books, shown = work.delivery.books, text(document.body, "customer.name")
    link = books.link("customer", severa_id=planned.invoice.customer.guid)
    if link is None or not shown:
        return None
    record = books.record("visma_net", link.erp_register, link.erp_id)
    if record is None or name_key(record.name) == name_key(shown):
        return None
    try:
        found = work.delivery.erp.get(ERP_CUSTOMER, text(document.body, "customer.number"))
    except NotFound:
        return None
    if text(found.body, "internalId") in ("", link.erp_id):
        return None
    return Finding("customerNumber", record.name, shown, essential=True)
