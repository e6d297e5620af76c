"""Whether an invoice as it was just read asks to be transferred: pure, so that no delivery is made for nothing."""

from __future__ import annotations

from domain.errors import Stop
from domain.invoice.registers import INVOICES, STATUSES, in_scope
from domain.mapper import text
from domain.model import Json, System
from domain.ports import Books
from domain.setup.settings import TenantSettings
from domain.setup.statuses import Roles, tenant_roles


def known_roles(books: Books, settings: TenantSettings) -> Roles | None:
    """The roles of the statuses as last read; None before they were, or while the set-up breaks a rule."""
    bodies = [record.body for record in books.all("severa", STATUSES)]
    try:
        return tenant_roles(bodies, settings) if bodies else None
    except Stop:
        return None


def asks(_system: System, register: str, body: Json, books: Books, settings: TenantSettings) -> bool:
    """Status *transfer*, within the tenant's start date. What cannot be told asks."""
    roles = known_roles(books, settings)
    if register != INVOICES or roles is None:
        return True
    return roles.role_of(text(body, "status.guid")) == "transfer" and in_scope(body, settings.invoices_from)
