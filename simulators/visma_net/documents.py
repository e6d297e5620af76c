"""Documents of the ledgers as data. Amounts are in the document's currency unless named ``base_``."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from simulators.visma_net.state import Attachment, Row, Stamp

Day = date
"""The documents have a member named date, which hides the type's own name."""
ZERO = Decimal(0)
RELEASED = frozenset({"Open", "Closed", "Voided", "Reserved"})


def _etag(version: int) -> str:
    return base64.b64encode(version.to_bytes(8, "big")).decode()


@dataclass
class Line:
    """A line of an invoice or credit note. ``amount`` is after the line's discount."""

    number: int
    item: Row | None = None
    description: str = ""
    quantity: Decimal = ZERO
    unit_price: Decimal | None = None
    manual_amount: Decimal | None = None
    discount_percent: Decimal = ZERO
    discount_sent: Decimal | None = None
    discount_amount: Decimal = ZERO
    manual_discount: bool = False
    amount: Decimal = ZERO
    account: str = ""
    vat_category: str = ""
    uom: str = ""
    task: Row | None = None
    branch: str = ""
    note: str = ""
    subaccount: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)


@dataclass
class TaxLine:
    """The VAT of one id on a document."""

    vat_id: str
    description: str
    rate: Decimal
    taxable: Decimal
    vat: Decimal
    exempt: bool


@dataclass
class Application:
    """One document settled against another, as the settled document shows it."""

    doc_type: str  # the ledger's raw code: PMT, CRM, INV, RPM, SMB
    number: str
    amount: Decimal
    date: Day
    customer: str
    payment_ref: str = ""
    voided: bool = False


@dataclass
class Document:
    """An invoice or a credit note of the customer ledger; credit notes have positive amounts."""

    kind: str  # Invoice | CreditNote
    number: str
    internal_id: int
    customer: Row
    date: Day
    due: Day
    period: str
    currency: str
    created: Stamp
    modified: Stamp
    version: int
    rate: Decimal = Decimal(1)
    status: str = "Hold"
    hold: bool = True
    zone: str = ""
    terms: str = ""
    payment_method: str = ""
    project: Row | None = None
    branch: str = ""
    lines: list[Line] = field(default_factory=list)
    taxes: list[TaxLine] = field(default_factory=list)
    detail_total: Decimal = ZERO
    vat_total: Decimal = ZERO
    rounding: Decimal = ZERO
    total: Decimal = ZERO
    balance: Decimal = ZERO
    applications: list[Application] = field(default_factory=list)
    to_apply: list[tuple[str, str, Decimal]] = field(default_factory=list)  # type, number, amount
    attachments: list[Attachment] = field(default_factory=list)
    payment_reference: str = ""
    customer_ref: str = ""
    external_ref: str = ""
    text: str = ""
    note: str = ""
    contact: int | None = None
    address: dict[str, Any] | None = None
    address_contact: dict[str, Any] | None = None
    send_to_auto_invoice: bool = False
    dont_print: bool = False
    dont_email: bool = False
    exclude_debt_collection: bool = False
    customer_project: str = ""
    original_date: Day | None = None
    closed_period: str = ""
    error_info: str = ""

    @property
    def etag(self) -> str:
        """The version as the header carries it."""
        return _etag(self.version)

    @property
    def released(self) -> bool:
        """Whether it stands in the books."""
        return self.status in RELEASED


@dataclass
class PaymentLine:
    """What a payment takes off one document."""

    document_type: str
    number: str
    amount: Decimal
    write_off: Decimal = ZERO


@dataclass
class Payment:
    """A payment of the customer ledger; numbers are unique per type."""

    kind: str
    number: str
    internal_id: int
    customer: Row
    date: Day
    currency: str
    amount: Decimal
    created: Stamp
    modified: Stamp
    version: int
    status: str = "Balanced"
    hold: bool = False
    payment_ref: str = ""
    method: str = ""
    cash_account: str = ""
    text: str = ""
    branch: str = ""
    lines: list[PaymentLine] = field(default_factory=list)
    rate: Decimal = Decimal(1)
    note: str = ""

    @property
    def etag(self) -> str:
        """As of a document."""
        return _etag(self.version)

    @property
    def released(self) -> bool:
        """As of a document."""
        return self.status in RELEASED

    @property
    def applied(self) -> Decimal:
        """What its lines take together."""
        return sum((line.amount for line in self.lines), ZERO)


@dataclass
class SupplierLine:
    """One line of a supplier document."""

    number: int
    description: str
    amount: Decimal  # after discount
    account: str
    project: Row | None = None
    task: Row | None = None
    quantity: Decimal = Decimal(1)
    vat_category: str = ""
    item: str = ""
    note: str = ""
    deferral_code: str = ""
    attachments: list[Attachment] = field(default_factory=list)


@dataclass
class SupplierDocument:
    """A document of the supplier ledger; amounts are the company's."""

    kind: str  # Invoice | CreditAdj | DebitAdj | Prepayment | Refund | QuickCheck | VoidQuickCheck | Check
    number: str
    internal_id: int
    supplier: Row
    date: Day
    due: Day
    period: str
    currency: str
    rate: Decimal
    created: Stamp
    modified: Stamp
    version: int
    status: str = "Balanced"
    reference: str = ""
    description: str = ""
    branch: str = ""
    gross: bool = False  # taxCalculationMode Gross: line amounts include VAT
    vat_total: Decimal = ZERO
    total: Decimal = ZERO
    balance: Decimal = ZERO
    lines: list[SupplierLine] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    note: str = ""

    @property
    def etag(self) -> str:
        """As of a document."""
        return _etag(self.version)


@dataclass
class JournalLine:
    """One line of a journal: debit or credit."""

    number: int
    account: str
    debit: Decimal
    credit: Decimal
    description: str = ""
    reference: str = ""
    project: Row | None = None
    task: Row | None = None
    customer_supplier: str = ""
    vat_category: str = ""
    quantity: Decimal = ZERO
    note: str = ""
    attachments: list[Attachment] = field(default_factory=list)


@dataclass
class JournalBatch:
    """A batch of the general ledger."""

    module: str  # GL, AP, AR, CA, ...
    number: str
    internal_id: int
    date: Day
    period: str
    created: Stamp
    modified: Stamp
    version: int
    status: str = "Posted"
    currency: str = "SEK"
    rate: Decimal = Decimal(1)
    description: str = ""
    branch: str = ""
    lines: list[JournalLine] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)

    @property
    def etag(self) -> str:
        """As of a document."""
        return _etag(self.version)
