"""A linked product that is not there any more, and who may have taken its place (R-CUS-8)."""

from __future__ import annotations

from domain import values
from domain.errors import Stop
from domain.model import Link, Record, System
from domain.ports import Books, Delivery
from domain.product.registers import INVENTORY
from domain.product.table import KINDS


def severa_by_code(books: Books, code: str) -> list[Record]:
    """Severa records of a code, as last read, in the three registers that are one in the ERP (R-PRD-2)."""
    return [record for kind in KINDS for record in books.find("severa", kind.register, number=code)]


def gone(delivery: Delivery, link: Link, system: System) -> Stop:
    """The problem of a linked record that is not there any more; another of its code may have taken its place."""
    code = link.severa_number if system == "severa" else link.erp_number
    books = delivery.books
    if system == "severa":
        found = [
            (one, one.id, link.erp_id)
            for one in severa_by_code(books, code)
            if one.id != link.severa_id and books.link("product", severa_id=one.id) is None
        ]
    else:
        found = [
            (one, link.severa_id, one.id)
            for one in books.find("visma_net", INVENTORY, number=code)
            if one.id != link.erp_id and books.link("product", erp_id=one.id) is None
        ]
    if len(found) != 1:
        return Stop("product.gone", {"code": code, "system": system})
    heir, severa_id, erp_id = found[0]
    return Stop(
        "product.merged",
        {
            "code": code,
            "system": system,
            "heir": values.record(heir.number, heir.name),
            "relink": {"severa_id": severa_id, "erp_id": erp_id},
        },
    )
