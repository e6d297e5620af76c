"""Where a line belongs: whether it is a cost at all, on which Severa project, and whether another document takes it back."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.cost.document import Document, Line, is_expense
from domain.cost.plan import named
from domain.cost.registers import (
    ACCOUNTS,
    ACTUAL,
    LEDGERS,
    PROJECTS,
    SALES_CASES,
    SUPPLIER_INVOICES,
)
from domain.errors import NotFound, Stop, Waiting
from domain.mapper import flag, read, text
from domain.model import Link, Record
from domain.moves import wait_until_read
from domain.ports import Delivery
from domain.registers import dated_on_or_after
from domain.text import code_key
from domain.values import record as named_record


@dataclass(slots=True)
class Places:
    """Answers about the lines of one document; each project and account is asked for once."""

    delivery: Delivery
    document: Document
    _found: dict[tuple[str, str], str | None] = field(default_factory=dict)
    _types: dict[str, str] = field(default_factory=dict)
    _counting: bool | None = None

    def project_of(self, line: Line) -> str | None:
        """Guid of the Severa project that a line is a cost of; None for a line that is left (R-CST-1).

        Raises Waiting for a Severa project that is not linked yet, Stop ``cost.project_closed`` for one that never will
        be, and ``cost.account_unknown``.
        """
        if not self._counts():
            return None
        key = (line.project, line.project_id)
        if key not in self._found:
            self._found[key] = self._look(line)
        guid = self._found[key]
        # The account last: whoever has no project of ours need not be asked about accounts.
        return guid if guid is not None and is_expense(self._type(line)) else None

    def reversed_by_document(self) -> bool:
        """Whether a voided cash purchase is taken back by the document that the ERP made for it."""
        books, number = self.delivery.books, self.document.number
        return (
            self.document.kind == "QuickCheck"
            and books.record("visma_net", SUPPLIER_INVOICES, f"VoidQuickCheck/{number}") is not None
        )

    def _counts(self) -> bool:
        if self._counting is None:
            self._counting = self._is_actual() and not self._undoes_nothing()
        return self._counting

    def _is_actual(self) -> bool:
        if not self.document.ledger:
            return True
        ledger = self.delivery.books.record("visma_net", LEDGERS, self.document.ledger)
        kind = text(ledger.body, "balanceType") if ledger is not None else ""
        return kind in ("", ACTUAL)

    def _undoes_nothing(self) -> bool:
        """A voiding document whose purchase was never brought, or was taken back when it was seen voided: only one
        negative cost per line, and none without its positive one. Raises Waiting while the purchase may still be brought."""
        if self.document.kind != "VoidQuickCheck":
            return False
        origin = f"QuickCheck/{self.document.number}"
        link = self.delivery.books.link("cost", erp_id=origin)
        if link is not None:
            return bool(link.state.get("voided"))
        record = self.delivery.books.record("visma_net", SUPPLIER_INVOICES, origin)
        if record is None:
            return False
        start = self.delivery.tenant.settings.costs_from
        if dated_on_or_after("date", record.body, start) and record.settled_version < record.version:
            # What was polled of it says too little: its own delivery reads it again, or is bringing it just now.
            raise Waiting("cost", erp_id=origin, name=f"{record.number} {record.name}".strip())
        return True

    # ------------------------------------------------------------ projects

    def _look(self, line: Line) -> str | None:
        link = self._link(line)
        if link is not None:
            return link.severa_id
        books = self.delivery.books
        wait_until_read(books, ("severa", PROJECTS), ("severa", SALES_CASES))
        found = self._severa_project(line.project)
        if found is None or flag(read(found.body, "isInternal"), default=False):
            # A project of the ERP's own, or one that never leaves Severa (R-PRJ-4).
            return None
        if flag(read(found.body, "isClosed"), default=False):
            raise Stop(
                "cost.project_closed",
                named(self.document) | {"project": named_record(found.number, found.name)},
            )
        raise Waiting("project", severa_id=found.id, name=f"{found.number} {found.name}".strip())

    def _link(self, line: Line) -> Link | None:
        """The project's link by number; by internal id where the number is that of another project, or of none
        (numbers change, R-CUS-8)."""
        books = self.delivery.books
        by_number = books.link_by_number("project", erp_number=line.project)
        if line.project_id in ("", "0") or (by_number is not None and by_number.erp_id == line.project_id):
            return by_number
        by_id = books.link("project", erp_id=line.project_id)
        if by_id is None:
            return by_number
        record = books.record("visma_net", by_id.erp_register, by_id.erp_id)
        if by_number is None or (record is not None and code_key(record.number) == code_key(line.project)):
            return by_id
        return by_number

    def _severa_project(self, number: str) -> Record | None:
        books = self.delivery.books
        for wanted in dict.fromkeys((number, number.lstrip("0"))):
            for register in (PROJECTS, SALES_CASES):
                found = books.find("severa", register, number=wanted) if wanted else []
                if found:
                    return found[0]
        return None

    # ------------------------------------------------------------ accounts

    def _type(self, line: Line) -> str:
        """Asset, Liability, Income or Expense; the register of accounts says it where the line does not."""
        if line.account_type or not line.account:
            return line.account_type
        if line.account not in self._types:
            self._types[line.account] = self._type_of(line.account)
        return self._types[line.account]

    def _type_of(self, number: str) -> str:
        known = self.delivery.books.find("visma_net", ACCOUNTS, number=number)
        if known:
            return text(known[0].body, "type")
        try:
            # Added since the register was last read.
            return text(self.delivery.erp.get(ACCOUNTS, number).body, "type")
        except NotFound as error:
            raise Stop("cost.account_unknown", named(self.document) | {"account": number}) from error
