"""The ERP document that an invoice becomes: the update body of ``POST /v2/customerinvoice`` or ``customerCreditNote``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.invoice.choices import Choices, Drafting, RowDrafting
from domain.invoice.model import ErpDocument, SeveraInvoice
from domain.invoice.plan import Needs
from domain.invoice.table import HEADER, LINE
from domain.mapper import update_body
from domain.model import Json, LogLine
from domain.sheet import Sent


@dataclass(frozen=True, slots=True)
class Draft:
    """The members to send, unwrapped (header by dotted path, lines as plain members), and what was cut."""

    header: Mapping[str, Any]
    lines: tuple[Mapping[str, Any], ...]
    applications: tuple[Mapping[str, Any], ...]
    lines_member: str
    warnings: tuple[LogLine, ...]

    def body(self) -> Json:
        """The update body: every leaf wrapped, ``operation`` and arrays bare, nothing null."""
        members: dict[str, Any] = dict(self.header)
        members[self.lines_member] = [{"operation": "Insert", **line} for line in self.lines]
        if self.applications:
            members["applicationLines"] = [{"operation": "Insert", **line} for line in self.applications]
        return update_body(members)


def draft(invoice: SeveraInvoice, need: Needs, choices: Choices) -> Draft:
    """The ERP document of an invoice (R-INV-2, R-INV-3, R-INV-7, R-INV-9, R-INV-10).

    Raises Stop for a row whose price is in no usable currency.
    """
    kind, made_of = invoice.document_type, Drafting(invoice, need, choices)
    header, long = HEADER.filled(kind, made_of)
    warnings = [_cut(one) for one in long]
    drafted: list[Mapping[str, Any]] = []
    for row in invoice.rows:
        line, long_there = LINE.filled(kind, RowDrafting(made_of, row, need.items[row.guid]))
        drafted.append(line)
        warnings += [_cut(one, row=row.sort_order) for one in long_there]
    return Draft(
        header=header,
        lines=tuple(drafted),
        applications=_applications(invoice, choices),
        lines_member="lines" if invoice.is_credit_note else "invoiceLines",
        warnings=tuple(warnings),
    )


def _cut(one: Sent[Any], **where: int) -> LogLine:
    return LogLine(one.cut, {**where, "limit": one.limit}, "warning")


def _applications(invoice: SeveraInvoice, choices: Choices) -> tuple[Mapping[str, Any], ...]:
    original = choices.original
    if original is None or not invoice.is_credit_note:
        return ()
    amount = min(invoice.total * invoice.sign, original.balance)
    if amount <= 0:
        return ()
    return ({"documentType": "Invoice", "refNbr": original.number, "amountPaid": amount},)


def applicable(invoice: SeveraInvoice, original: ErpDocument, customer: str) -> bool:
    """Whether a credit note may be applied to its original: open, same customer and currency (R-INV-7)."""
    return (
        original.type == "Invoice"
        and original.status == "Open"
        and original.customer == customer
        and original.currency == invoice.currency
        and original.balance > 0
    )
