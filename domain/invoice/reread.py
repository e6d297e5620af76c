"""What the books say, with what decides an invoice's VAT, period and items read again from the vendors.

Registers are read now and then only. A *no* from memory would fail an invoice whose cause somebody has just repaired in
the ERP, or one with a product that was made after the last reading, so it is asked once more before it counts (R-INV-11,
R-INV-12). What is read here is not remembered: the records' own delivery must still see the change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.errors import NotFound
from domain.invoice.plan import SEVERA_ITEM_REGISTERS
from domain.mapper import text
from domain.model import Domain, Json, Link, Record, System
from domain.money import CURRENCIES
from domain.ports import Answer, Books, ErpApi, SeveraApi
from domain.reference import VAT_CATEGORIES

# Read whole: VAT, periods, branches, decimals of currencies.
_WHOLE = {
    "vat": "vatId",
    VAT_CATEGORIES: "vatCategoryId",
    "financialPeriod": "period",
    "branch": "number",
    CURRENCIES: "id",
}
# Read one by one, by number: the customer's VAT zone, an item's VAT category and account.
_SINGLY = frozenset({"customer", "inventory"})

# Causes that stand in these registers.
CAUSES = frozenset(
    {
        "invoice.total_would_differ",
        "invoice.vat_would_differ",
        "invoice.period_closed",
        "invoice.branch_unknown",
        "invoice.grouped_row",
        "invoice.item_unknown",
        "invoice.fallback_unknown",
    }
)


@dataclass(slots=True)
class RereadBooks:
    """``domain.ports.Books`` over others; each register or record is read at most once."""

    books: Books
    severa: SeveraApi
    erp: ErpApi
    now: datetime
    whole: dict[str, list[Record]] = field(default_factory=dict)
    single: dict[tuple[str, str], Record] = field(default_factory=dict)
    asked: dict[tuple[str, str], list[Record]] = field(default_factory=dict)

    def at_once(self, ask: Callable[[Books], Answer]) -> Answer:
        return ask(self)

    def all(self, system: System, register: str) -> list[Record]:
        known = self.books.all(system, register)
        if system != "visma_net" or register not in _WHOLE or not known:
            return known
        if register not in self.whole:
            key = _WHOLE[register]
            self.whole[register] = [self._record(register, key, body) for body in self.erp.list(register)]
        # Nothing where there was something says nothing.
        return self.whole[register] or known

    def _record(self, register: str, key: str, body: Json) -> Record:
        number = text(body, key)
        return Record("visma_net", register, number, number, text(body, "name"), body, 1, None, self.now)

    def record(self, system: System, register: str, id: str) -> Record | None:
        return self._again(self.books.record(system, register, id))

    def find(
        self,
        system: System,
        register: str,
        *,
        number: str | None = None,
        name: str | None = None,
        organisation: str | None = None,
        owner: str | None = None,
    ) -> list[Record]:
        found = self.books.find(
            system, register, number=number, name=name, organisation=organisation, owner=owner
        )
        if not found and number:
            return self._not_seen_yet(system, register, number)
        return [again for one in found if (again := self._again(one)) is not None]

    def _not_seen_yet(self, system: System, register: str, number: str) -> list[Record]:
        """A product or item that was made after its register was last read, by its code."""
        key = (register, number)
        if key not in self.asked:
            self.asked[key] = []
            if system == "severa" and register in SEVERA_ITEM_REGISTERS:
                self.asked[key] = [
                    replace(self._record(register, "code", body), system="severa", id=text(body, "guid"))
                    for body in self.severa.list(register, code=number)
                    if text(body, "code").casefold() == number.casefold()
                ]
            elif system == "visma_net" and register == "inventory":
                try:
                    body = self.erp.get(register, number).body
                    self.asked[key] = [self._record(register, "inventoryNumber", body)]
                except NotFound:
                    pass
        return self.asked[key]

    def _again(self, known: Record | None) -> Record | None:
        if known is None or known.system != "visma_net" or known.register not in _SINGLY or not known.number:
            return known
        key = known.register, known.id
        if key not in self.single:
            try:
                body = self.erp.get(known.register, known.number).body
            except NotFound:
                body = known.body
            self.single[key] = replace(known, body=body)
        return self.single[key]

    # ------------------------------------------------------------ as remembered

    def link(self, domain: Domain, *, severa_id: str | None = None, erp_id: str | None = None) -> Link | None:
        return self.books.link(domain, severa_id=severa_id, erp_id=erp_id)

    def link_by_number(self, domain: Domain, *, erp_number: str) -> Link | None:
        return self.books.link_by_number(domain, erp_number=erp_number)

    def find_marker(self, marker: str) -> list[Record]:
        return self.books.find_marker(marker)

    def document_owner(self, type: str, number: str) -> str | None:
        return self.books.document_owner(type, number)

    def knew_before(self, system: System, register: str, id: str, moment: datetime) -> bool:
        return self.books.knew_before(system, register, id, moment)

    def needed(
        self, domain: Domain, *, severa_id: str | None = None, erp_id: str | None = None
    ) -> tuple[str, ...]:
        return self.books.needed(domain, severa_id=severa_id, erp_id=erp_id)

    def complete(self, system: System, register: str) -> bool:
        return self.books.complete(system, register)

    def has_problem(self, domain: Domain, *, severa_id: str | None = None, erp_id: str | None = None) -> bool:
        return self.books.has_problem(domain, severa_id=severa_id, erp_id=erp_id)

    def choice(
        self, domain: Domain, *, severa_id: str | None = None, erp_id: str | None = None
    ) -> str | None:
        return self.books.choice(domain, severa_id=severa_id, erp_id=erp_id)

    def branch(self, business_unit_id: str) -> str | None:
        return self.books.branch(business_unit_id)
