"""Word lists and reference registers of the vendors that several domains read: each stands here once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from domain.mapper import read, text
from domain.model import Json
from domain.registers import Register, reference

COUNTRIES = "localization/countries"
SEVERA_CURRENCIES = "currencies"
CREDIT_TERMS = "creditTerm"
CUSTOMER_CLASSES = "customer/customerClass"
# What an item is for VAT, by which the customer's zone gives the rate.
VAT_CATEGORIES = "vatCategory"

REGISTERS: tuple[Register, ...] = (
    reference("severa", COUNTRIES, "guid", "name"),
    reference("severa", SEVERA_CURRENCIES, "guid", "name", "code", "isOrganizationCurrency", called="code"),
    reference("visma_net", CUSTOMER_CLASSES, "id", "description"),
    reference(
        *("visma_net", CREDIT_TERMS, "termsId", "description"),
        *("dueDateType", "dueDay1", "instalmentType", "numberOfInstalments"),
    ),
    reference("visma_net", VAT_CATEGORIES, "vatCategoryId", "description"),
)
"""Those that several domains look things up in. One that a single domain reads stands in its ``registers.py``; one that stands twice
is an error at import (``domain.catalogue``)."""

# The vendor's document gives letters (due date type "N - Fixed Number of Days"; instalment type "S - Simple, M -
# Multiple"), samples show names. Both are read, blanks and case aside; every other word, and an empty due date type,
# says that the days are not fixed: terms that are not known to be fixed would give a wrong due date
# (docs/vendors/visma-net-erp.md E53).
FIXED_DAYS = frozenset({"n", "fixednumberofdays", "fixed", "net"})
ONE_INSTALMENT = frozenset({"s", "simple", "single", ""})


@dataclass(frozen=True, slots=True)
class CreditTerms:
    """Days by credit term, of the terms with one instalment and fixed days; ``chosen`` is the tenant's table."""

    days_by_term: dict[str, int]
    chosen: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Json], chosen: Mapping[int, str] | None = None) -> CreditTerms:
        """From the rows of ``creditTerm`` and the tenant's choice of a term per number of days (R-SET-7)."""
        table = dict(chosen or {})
        found = {text(row, "termsId"): days for row in rows if (days := fixed_days(row)) is not None}
        return cls({**found, **{term: days for days, term in table.items()}}, table)

    def days(self, term: str) -> str:
        """Days of a term as text, '' if they are not fixed."""
        found = self.days_by_term.get(term)
        return "" if found is None else str(found)

    def terms(self, days: str) -> list[str]:
        """The terms that fit a number of days: the one the tenant chose; several mean that the tenant has to choose."""
        if days.isdigit() and int(days) in self.chosen:
            return [self.chosen[int(days)]]
        return [term for term, found in self.days_by_term.items() if str(found) == days]

    def same(self, days: str, term: str) -> bool:
        """Whether a Severa payment term and an ERP credit term mean the same."""
        return (days == "" and term == "") or (days != "" and self.days(term) == days)


def fixed_days(row: Json) -> int | None:
    """Days after the document date at which a row of ``creditTerm`` falls due; None where they are not fixed, or paid
    in several instalments."""
    days, count = read(row, "dueDay1"), read(row, "numberOfInstalments")
    if days is None or (count is not None and int(count) > 1):
        return None
    if _word(row, "dueDateType") not in FIXED_DAYS or _word(row, "instalmentType") not in ONE_INSTALMENT:
        return None
    return int(days)


def _word(row: Json, path: str) -> str:
    return text(row, path).replace(" ", "").casefold()
