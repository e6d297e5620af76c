"""The mapping of customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from domain.conversion import (
    CHOICE,
    FOLDED,
    NO_COUNTERPART,
    TEXT,
    VAT_NUMBER,
    YES,
    Conversion,
    active,
    cut_line,
)
from domain.customer import places
from domain.mapper import text
from domain.model import Json
from domain.reference import CreditTerms
from domain.setup.settings import TenantSettings
from domain.table import Field, Table
from domain.text import canonical

# Open question: whether list rows of customers show the credit terms; an empty one on a list row is 'not known'.
TERMS_MAY_BE_MISSING_ON_LISTS = True

# Open question: how much the ERP keeps of a main contact's attention.
NOTES_LIMIT = 255

ACTIVE_BY_STATUS: Mapping[str, bool] = MappingProxyType(
    {"Active": True, "OnHold": True, "CreditHold": True, "OneTime": True, "Inactive": False}
)

# Only these two are written, and only over each other (R-CUS-7): OnHold, CreditHold and OneTime are decisions
# of the finance staff that one boolean cannot say; after Inactive nobody could tell which one to go back to.
WRITTEN_STATUSES = frozenset({"Active", "Inactive"})

CREDIT_TERMS = Conversion("credit terms")
CURRENCY = Conversion("currency")


def credit_terms(terms: CreditTerms) -> Conversion:
    """Days of Severa and terms of the ERP, by the tenant's table of terms: what fits none, or several, has no counterpart."""

    def term(days: str, _overwritten: Json) -> Any:
        fitting = terms.terms(days)
        return fitting[0] if len(fitting) == 1 else NO_COUNTERPART

    def days(term: str, _overwritten: Json) -> Any:
        found = terms.days(term)
        return int(found) if found else NO_COUNTERPART

    return CREDIT_TERMS.but(same=terms.same, to_erp=term, to_severa=days)


def currency(rows: Iterable[Json]) -> Conversion:
    """A currency's code, written to Severa as the row of its list."""
    known = tuple(rows)

    def row_of(code: str, _overwritten: Json) -> Any:
        found = next((row for row in known if text(row, "code") == code), None)
        return {"guid": text(found, "guid"), "code": code} if found is not None else NO_COUNTERPART

    return CURRENCY.but(to_severa=row_of)


def _shown(value: Any) -> str | None:
    return None if value is None else canonical(value)


CUSTOMER = Table(
    (
        Field("name", "name", "name", on_create="always", note="unique in Severa"),
        Field("number", "number", "number", TEXT, "←", "visma_net", "key", on_create="never", note="the ERP numbers customers"),
        Field("vat_number", "vatNumber", "vatRegistrationId", VAT_NUMBER, note="letters and all; written as typed"),
        Field("currency", "currency.code", "currencyId", CURRENCY, when="created", severa_write="currency",
              note="later differences are problems"),
        Field("payment_term", "paymentTerm", "creditTerms.id", CREDIT_TERMS, erp_write="creditTermsId"),
        Field("email", "email", "mainContact.email", FOLDED),
        Field("website", "website", "mainContact.web"),
        Field("notes", "notes", "mainContact.attention", cut_line(NOTES_LIMIT, "notes"), on_create="never",
              note="off by default; setting notes, which also offers the customer's own note"),
        Field("active", "isActive", "status", active(ACTIVE_BY_STATUS), note="only Active and Inactive are written"),
        # Severa has no such field: the bridge keeps it.
        Field("customer_class", "", "customerClass.id", CHOICE, met="nobody", erp_write="customerClassId",
              note="R-CUS-6"),
        Field("internal", "isInternal", "", YES, "→", when="seen", note="never leaves Severa (R-CUS-2)"),
        Field("headquarter", "headquarterAddress.guid", "", flows="→", when="seen", note="which address is the main one"),
    )
)  # fmt: skip
"""What a customer's own body says; its addresses are rows of their own."""

TABLE = Table((*CUSTOMER, *places.rows()))


NOTE = Table((Field("notes", "notes", "note", Conversion("note", erp=_shown), "→", on_create="never"),))
"""The customer's own note in place of the attention, by the tenant's choice. No list shows it: it is read by a call of its own
(docs/vendors/visma-net-erp.md), and what is not shown is not known."""


def of_tenant(terms: CreditTerms, settings: TenantSettings, countries: Iterable[Json] = ()) -> Table:
    """The rows that a tenant's customers are kept in step by, with its credit terms and Severa's countries."""
    abroad = places.country(countries)
    named = {places.field_name(role, "country"): abroad for role in places.ROLES}
    table = TABLE.where(payment_term=credit_terms(terms), **named)
    if settings.notes == "off":
        return table.without(("notes",))
    if settings.notes == "to_note":
        return table.instead(NOTE["notes"])
    return table.one_way("notes", "→") if settings.notes == "to_erp" else table
