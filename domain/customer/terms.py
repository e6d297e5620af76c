"""Payment terms: days in Severa, credit terms in the ERP. The table is proposed from the ERP's own terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from domain.mapper import read, text
from domain.ports import Json

# Open question: the enum words of credit terms are not in the document; these are the forms that count as
# 'a fixed number of days' and 'one instalment'.
FIXED_DAYS = ("fixednumberofdays", "fixed", "n", "net")
SINGLE = ("single", "s", "")


@dataclass(frozen=True, slots=True)
class CreditTerms:
    """Days by credit term, of the terms with one instalment and fixed days; ``chosen`` is the tenant's table."""

    days_by_term: dict[str, int]
    chosen: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Json], chosen: Mapping[int, str] | None = None) -> CreditTerms:
        """From the rows of ``creditTerm`` and the tenant's choice of a term per number of days (R-SET-7)."""
        table = dict(chosen or {})
        found = {text(row, "termsId"): days for row in rows if (days := _days(row)) is not None}
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


def _days(row: Json) -> int | None:
    kind = text(row, "dueDateType").replace(" ", "").casefold()
    instalment = text(row, "instalmentType").casefold()
    count = read(row, "numberOfInstalments")
    days = read(row, "dueDay1")
    if days is None or instalment not in SINGLE or (count is not None and int(count) > 1):
        return None
    return int(days) if kind in FIXED_DAYS else None
