"""What tells products from the other registers that are kept on both sides."""

from __future__ import annotations

from domain.mapper import text
from domain.mirror import Mirror, by_number
from domain.model import Record, System
from domain.ports import Books
from domain.product.registers import INVENTORY
from domain.product.table import KINDS


def severa_by_code(books: Books, code: str) -> list[Record]:
    """Severa records of a code, as last read, in the three registers that are one in the ERP (R-PRD-2)."""
    return [record for kind in KINDS for record in books.find("severa", kind.register, number=code)]


def _by_code(books: Books, system: System, code: str) -> list[Record]:
    return severa_by_code(books, code) if system == "severa" else books.find(system, INVENTORY, number=code)


MIRROR = Mirror(
    "product",
    INVENTORY,
    identify=lambda body: text(body, "inventoryId"),
    gone=by_number("product", "code", _by_code),
)
