"""What an ERP document is made of: the invoice, what it needs in the ERP, and what is decided outside of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.invoice.model import ErpDocument, InvoiceRow, SeveraInvoice
from domain.invoice.plan import Item, Needs


@dataclass(frozen=True, slots=True)
class Choices:
    """What is decided outside the invoice itself: '' or None leaves it to the ERP.

    branch     number of the selling company's branch
    terms      credit terms id (not on credit notes)
    period     financial period YYYYMM, only if it is not the document date's
    foreign    the invoice is not in the company's currency: the rate is sent
    country    ERP country of the receiver's address; None: the address is the customer's own and is not sent
    task       project task of every line
    line_branches  row guid → branch of lines that are not of the header's
    contact    ERP id of the receiver's contact person, '' if it is not linked
    note       free text below the marker
    units      the tenant's table of units, Severa's → the ERP's
    language   sv | en
    credited   number of the credited invoice
    original   the credited ERP document to apply to, None = left open
    """

    branch: str
    terms: str
    period: str
    foreign: bool
    country: str | None
    task: str
    language: str
    units: Mapping[str, str] = field(default_factory=dict)
    credited: str = ""
    original: ErpDocument | None = None
    line_branches: Mapping[str, str] = field(default_factory=dict)
    contact: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Drafting:
    """One document that is being made."""

    invoice: SeveraInvoice
    need: Needs
    choices: Choices


@dataclass(frozen=True, slots=True)
class RowDrafting:
    """One of its lines."""

    of: Drafting
    row: InvoiceRow
    item: Item

    @property
    def invoice(self) -> SeveraInvoice:
        """The invoice that the row stands on."""
        return self.of.invoice

    @property
    def need(self) -> Needs:
        """What the whole document needs."""
        return self.of.need

    @property
    def choices(self) -> Choices:
        """What is decided for the whole document."""
        return self.of.choices
