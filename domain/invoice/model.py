"""Invoices as both systems tell them, read tolerantly: null and missing are alike, wrapped scalars are unwrapped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import date as Date  # noqa: N812 - 'date' is a field's name here
from decimal import Decimal
from typing import Any, Literal

from domain.mapper import day, decimal, flag, read, text
from domain.money import ZERO, rounded
from domain.ports import Json

DocumentType = Literal["Invoice", "CreditNote"]
REGISTER: dict[DocumentType, str] = {"Invoice": "customerinvoice", "CreditNote": "customerCreditNote"}

# AR document statuses by what they mean here (visma.net API notes 3.13).
RELEASED = frozenset({"Open", "Closed"})
UNRELEASED = frozenset({"Hold", "Balanced"})
NOT_RELEASABLE = frozenset(
    {"PendingPrint", "PendingEmail", "CreditHold", "CcHold", "Scheduled", "Reserved", "Voided"}
)


def document_type(value: Any) -> DocumentType | None:
    """``Invoice`` or ``CreditNote``; None for every other document. Lists may spell it 'Credit Note'."""
    match str(value or "").replace(" ", "").casefold():
        case "invoice":
            return "Invoice"
        case "creditnote":
            return "CreditNote"
        case _:
            return None


def money(body: Json | None, path: str) -> Decimal:
    """An amount at a dotted path; missing and null count as 0."""
    return decimal(read(body, path)) or ZERO


# ---------------------------------------------------------------- Severa


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One row; ``price`` is without VAT in ``currency``, None where Severa gives none. ``rebuilt_from``: it is a part of
    this grouped row, '' for a row as Severa has it."""

    guid: str
    row_type: str
    codes: tuple[str, ...]
    description: str
    quantity: Decimal
    price: Decimal | None
    currency: str
    unit: str
    vat_rate: Decimal | None
    sort_order: int
    prices: tuple[tuple[str, Decimal], ...] = ()
    flat_rate: str = ""
    rebuilt_from: str = ""

    @classmethod
    def of(cls, body: Json) -> InvoiceRow:
        """From a row of ``invoices/invoicerows``."""
        codes = read(body, "code") or []
        if isinstance(codes, str):
            codes = [codes]
        others = read(body, "unitPrice.multiCurrencyInfo") or []
        return cls(
            guid=text(body, "guid"),
            row_type=text(body, "rowType"),
            codes=tuple(code.strip() for code in codes if code and code.strip()),
            description=text(body, "description"),
            quantity=money(body, "quantity"),
            price=decimal(read(body, "unitPrice.amount")),
            currency=text(body, "unitPrice.currencyCode"),
            unit=text(body, "measurementUnit"),
            vat_rate=decimal(read(body, "vatRate")),
            sort_order=int(read(body, "sortOrder") or 0),
            prices=tuple(
                (text(one, "currencyCode"), money(one, "amount"))
                for one in others
                if text(one, "currencyCode")
            ),
            flat_rate=text(body, "flatRateGuid"),
        )

    def price_in(self, currency: str) -> Decimal | None:
        """The unit price in the invoice's currency; None if the row gives no price in it. A row without any price
        counts as 0 (a text row)."""
        if self.price is None:
            return ZERO
        if not self.currency or not currency or self.currency == currency:
            return self.price
        return next((amount for code, amount in self.prices if code == currency), None)

    def net(self, currency: str) -> Decimal:
        """Quantity × price, rounded to the currency's decimals (Severa notes 2.14)."""
        return rounded(self.quantity * (self.price_in(currency) or ZERO), currency)


@dataclass(frozen=True, slots=True)
class Party:
    """A customer or project that an invoice names."""

    guid: str
    name: str
    number: str


@dataclass(frozen=True, slots=True)
class SeveraInvoice:
    """A Severa invoice or credit note. Totals are in ``currency``, signed as Severa has them."""

    body: Json
    rows: tuple[InvoiceRow, ...]
    guid: str
    number: str
    reference: str
    status: str
    status_name: str
    updated: str
    customer: Party
    projects: tuple[Party, ...]
    date: Date | None
    due_date: Date | None
    entry_date: Date | None
    payment_date: Date | None
    payment_term: int | None
    currency: str
    rate: Decimal
    total: Decimal
    net: Decimal
    tax: Decimal
    is_credit_note: bool
    credited: Party | None

    @classmethod
    def of(cls, body: Json, rows: Iterable[Json] = ()) -> SeveraInvoice:
        """From an invoice body and its rows; the billing customer counts where there is one."""
        payer = _party(body, "billingCustomer") or _party(body, "customer") or Party("", "", "")
        projects = tuple(_named(one) for one in read(body, "projects") or [] if text(one, "guid"))
        term = read(body, "paymentTerm")
        return cls(
            body=body,
            rows=tuple(sorted((InvoiceRow.of(row) for row in rows), key=lambda row: row.sort_order)),
            guid=text(body, "guid"),
            number=text(body, "number"),
            reference=text(body, "referenceNumber"),
            status=text(body, "status.guid"),
            status_name=text(body, "status.name"),
            updated=_moment(text(body, "lastUpdatedDateTime") or text(body, "createdDateTime")),
            customer=payer,
            projects=projects,
            date=day(read(body, "date")),
            due_date=day(read(body, "dueDate")),
            entry_date=day(read(body, "entryDate")),
            payment_date=day(read(body, "paymentDate")),
            payment_term=int(term) if term is not None else None,
            currency=text(body, "currency.code") or text(body, "totalIncludingTax.currencyCode"),
            rate=decimal(read(body, "currencyRate")) or Decimal(1),
            total=money(body, "totalIncludingTax.amount"),
            net=money(body, "totalExcludingTax.amount"),
            tax=money(body, "totalTax.amount"),
            is_credit_note=flag(read(body, "isCreditNote"), default=False),
            # Which of the two is filled on a credit note is not documented; on a plain invoice neither counts.
            credited=_party(body, "reimburseInvoice") or _party(body, "creditNoteInvoice"),
        )

    @property
    def document_type(self) -> DocumentType:
        return "CreditNote" if self.is_credit_note else "Invoice"

    @property
    def sign(self) -> int:
        """−1 for a credit note whose amounts Severa shows as negative: the ERP's are positive (R-INV-7)."""
        return -1 if self.is_credit_note and self.total < 0 else 1

    @property
    def rounding(self) -> Decimal:
        """What Severa rounded the total by, öresavrundning (R-INV-16)."""
        return self.total - self.net - self.tax

    @property
    def marker(self) -> str:
        """First line of the ERP document's note (R-INV-13)."""
        return f"severa:{self.guid}"


def _moment(value: str) -> str:
    """A time in one spelling, so that a list and a single read of the same version compare equal."""
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return value
    return found.astimezone(UTC).isoformat() if found.tzinfo else found.isoformat()


def _party(body: Json, path: str) -> Party | None:
    found = read(body, path)
    return (
        _named(found) if isinstance(found, dict) and (text(found, "guid") or text(found, "number")) else None
    )


def _named(body: Json) -> Party:
    return Party(text(body, "guid"), text(body, "name"), text(body, "number"))


# ---------------------------------------------------------------- Visma.net ERP


@dataclass(frozen=True, slots=True)
class Totals:
    """A document's totals in one currency; ``amount`` is None where the ERP has not computed it yet."""

    amount: Decimal | None
    detail: Decimal
    discount: Decimal
    vat: Decimal
    rounding: Decimal

    @property
    def net(self) -> Decimal:
        return self.detail - self.discount

    @property
    def sum(self) -> Decimal:
        """Lines − discount + VAT + rounding."""
        return self.net + self.vat + self.rounding

    @property
    def total(self) -> Decimal:
        """The amount, or what it will be: it may be empty before release (R-INV-4)."""
        return self.amount if self.amount else self.sum

    @property
    def rounded_by(self) -> Decimal:
        """What the total was rounded by. Told by the amount where there is one, so that the undocumented sign of
        ``roundingDiff`` does not count."""
        return self.amount - self.net - self.vat if self.amount else self.rounding


@dataclass(frozen=True, slots=True)
class ErpLine:
    """One line of an ERP document; ``amount`` in document currency."""

    number: str
    inventory: str
    description: str
    quantity: Decimal
    price: Decimal
    amount: Decimal
    unit: str
    task: str
    branch: str
    discount_percent: Decimal


@dataclass(frozen=True, slots=True)
class TaxDetail:
    """VAT of one VAT id; whether in document or company currency the vendor does not say."""

    vat_id: str
    rate: Decimal
    taxable: Decimal
    vat: Decimal


@dataclass(frozen=True, slots=True)
class Application:
    """What was applied to a document, as it says itself."""

    doc_type: str
    number: str
    amount: Decimal
    discount: Decimal
    date: Date | None
    counts: bool


@dataclass(frozen=True, slots=True)
class ErpDocument:
    """An invoice or credit note of the ERP, from a single read or a list row. Amounts are positive for both."""

    body: Json
    type: DocumentType
    number: str
    status: str
    customer: str
    currency: str
    date: Date | None
    due_date: Date | None
    balance: Decimal
    totals: Totals
    company: Totals
    lines: tuple[ErpLine, ...]
    taxes: tuple[TaxDetail, ...]
    applications: tuple[Application, ...]
    note: str
    payment_reference: str

    @classmethod
    def of(cls, body: Json, kind: DocumentType | None = None) -> ErpDocument:
        """From a body of customerinvoice, customerCreditNote or customerdocument; ``kind`` where the caller knows it."""
        document = document_type(read(body, "documentType")) or kind or "Invoice"
        lines = read(body, "invoiceLines")
        if lines is None:
            lines = read(body, "lines")
        return cls(
            body=body,
            type=document,
            number=text(body, "referenceNumber"),
            status=text(body, "status") or ("Hold" if flag(read(body, "hold"), default=False) else ""),
            customer=text(body, "customer.number"),
            currency=text(body, "currencyId"),
            date=day(read(body, "documentDate")),
            due_date=day(read(body, "documentDueDate")),
            balance=abs(money(body, "balanceInCurrency")),
            totals=_totals(body, "InCurrency", document),
            company=_totals(body, "", document),
            lines=tuple(_line(one) for one in lines or []),
            taxes=tuple(_tax(one) for one in read(body, "taxDetails") or []),
            applications=tuple(_application(one) for one in read(body, "applications") or []),
            note=text(body, "note"),
            payment_reference=text(body, "paymentReference"),
        )

    @property
    def released(self) -> bool:
        return self.status in RELEASED

    @property
    def marker(self) -> str:
        """The note's first line."""
        return self.note.split("\n", 1)[0].strip()

    @property
    def key(self) -> tuple[DocumentType, str]:
        """What a document is read, changed and removed by."""
        return (self.type, self.number)

    @property
    def id(self) -> str:
        """Internal id of the document: numbers are unique per type only."""
        return f"{self.type}/{self.number}"


def _totals(body: Json, suffix: str, document: DocumentType) -> Totals:
    amount = decimal(read(body, f"amount{suffix}"))
    detail = money(body, f"detailTotal{suffix}")
    if read(body, f"detailTotal{suffix}") is None:
        # Rows of customerdocument have no lines' total: what is not VAT is net.
        detail = abs(amount or ZERO) - abs(money(body, f"vatTotal{suffix}"))
    # A credit note's amounts are positive; should an ERP show them negative, they are turned round.
    sign = -1 if document == "CreditNote" and (amount or detail) < 0 else 1
    return Totals(
        amount=amount * sign if amount is not None else None,
        detail=detail * sign,
        discount=money(body, f"discountTotal{suffix}") * sign,
        vat=money(body, f"vatTotal{suffix}") * sign,
        rounding=money(body, "roundingDiff") * sign,
    )


def _line(body: Json) -> ErpLine:
    branch = read(body, "branchNumber")
    return ErpLine(
        number=text(body, "lineNumber"),
        inventory=text(body, "inventoryNumber"),
        description=text(body, "description"),
        quantity=money(body, "quantity"),
        price=money(body, "unitPriceInCurrency"),
        amount=money(body, "amountInCurrency"),
        unit=text(body, "uom"),
        task=text(body, "projectTask.id"),
        branch=text(branch, "number") if isinstance(branch, dict) else str(branch or ""),
        discount_percent=money(body, "discountPercent"),
    )


def _tax(body: Json) -> TaxDetail:
    return TaxDetail(
        vat_id=text(body, "vatId.number") or text(body, "taxId"),
        rate=money(body, "vatRate"),
        taxable=money(body, "taxableAmount"),
        vat=money(body, "vatAmount"),
    )


def _application(body: Json) -> Application:
    return Application(
        doc_type=text(body, "docType"),
        number=text(body, "refNbr"),
        amount=money(body, "amountPaid"),
        discount=money(body, "cashDiscountTaken"),
        date=day(read(body, "applicationDate")),
        counts=flag(read(body, "released")) and not flag(read(body, "voided"), default=False),
    )
