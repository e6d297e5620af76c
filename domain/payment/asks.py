"""Whether what was just read asks for a payment's move: pure, so that no delivery is made for nothing."""

from __future__ import annotations

from domain.errors import Stop
from domain.invoice.asks import known_roles
from domain.invoice.model import ErpDocument
from domain.invoice.registers import INVOICES
from domain.mapper import read, text
from domain.model import Json, System
from domain.payment.plan import money_of
from domain.payment.registers import PAYMENTS
from domain.ports import Books
from domain.setup.settings import TenantSettings

_MOVED = frozenset({"sent", "partly_paid", "paid"})


def asks(_system: System, register: str, body: Json, books: Books, settings: TenantSettings) -> bool:
    """An invoice that payments move already, a document of which something is paid, or a payment of any. What cannot be told
    asks."""
    if register == PAYMENTS:
        return bool(read(body, "paymentLines"))
    if register == INVOICES:
        roles = known_roles(books, settings)
        return roles is None or roles.standing(text(body, "status.guid")) in _MOVED
    try:
        return money_of(ErpDocument.of(body)) not in ("unpaid", "other")
    except Stop:
        return True
