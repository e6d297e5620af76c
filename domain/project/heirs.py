"""A linked project that is not there any more, and the one that may have taken its place."""

from __future__ import annotations

from domain.errors import Stop
from domain.model import Link, System
from domain.moves import Aftermath
from domain.ports import Delivery
from domain.project.registers import ERP_PROJECT, PROJECTS
from domain.values import record


def gone(delivery: Delivery, after: Aftermath, link: Link, system: System) -> Stop:
    """The problem of a linked project that is not there any more; another of its number may have taken its place."""
    books = delivery.books
    number = link.severa_number if system == "severa" else link.erp_number
    register = PROJECTS if system == "severa" else ERP_PROJECT
    found = [
        (one.id, link.erp_id, one) if system == "severa" else (link.severa_id, one.id, one)
        for one in books.find(system, register, number=number)
        if one.id not in (link.severa_id, link.erp_id)
        and books.link("project", **{"severa_id" if system == "severa" else "erp_id": one.id}) is None
    ]
    if len(found) != 1:
        return after.stop("project.gone", number=number, system=system)
    severa_id, erp_id, heir = found[0]
    return after.stop(
        "project.merged",
        number=number,
        system=system,
        heir=record(heir.number, heir.name),
        relink={"severa_id": severa_id, "erp_id": erp_id},
    )
