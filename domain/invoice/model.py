"""Invoices as both systems tell them, read tolerantly: null and missing are alike, wrapped scalars are unwrapped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from datetime import date as Date  # noqa: N812 - 'date' is a field's name here
from decimal import Decimal
from typing import Any, Literal

from domain.invoice.amounts import direction, factor, money
from domain.mapper import day, flag, known_factor, read, text
from domain.model import Json
from domain.money import ZERO, rounded
from domain.text import canonical

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
            codes=tuple(known for code in codes if (known := canonical(code))),
            description=text(body, "description"),
            quantity=factor(body, "quantity"),
            price=known_factor(read(body, "unitPrice.amount")),
            currency=text(body, "unitPrice.currencyCode"),
            unit=text(body, "measurementUnit"),
            vat_rate=known_factor(read(body, "vatRate")),
            sort_order=int(read(body, "sortOrder") or 0),
            prices=tuple(
                (text(one, "currencyCode"), factor(one, "amount"))
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
    """A Severa invoice or credit note. Totals are in ``currency``, signed as Severa has them.

    ``currency`` knows its decimals once the books were asked (``domain.invoice.plan.in_its_currency``); until then it is
    a plain code, and ISO 4217 counts.
    """

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
            rate=known_factor(read(body, "currencyRate")) or Decimal(1),
            total=money(body, "totalIncludingTax.amount"),
            net=money(body, "totalExcludingTax.amount"),
            tax=money(body, "totalTax.amount"),
            is_credit_note=flag(read(body, "isCreditNote"), default=False),
            # Which of the two is filled on a credit note is not documented; on a plain invoice neither counts.
            credited=_party(body, "reimburseInvoice") or _party(body, "creditNoteInvoice"),
        )

    @property
    def document_type(self) -> DocumentType:
        """What the ERP calls a document made of it."""
        return "CreditNote" if self.is_credit_note else "Invoice"

    @property
    def sign(self) -> int:
        """−1 for a credit note whose amounts Severa shows as negative: the ERP's are positive (R-INV-7)."""
        if not self.is_credit_note:
            return 1
        return direction(self.total, self.net + self.tax, self.net, self.tax)

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
        """The detail total less the discount, without VAT."""
        return self.detail - self.discount

    @property
    def sum(self) -> Decimal:
        """Lines − discount + VAT + rounding."""
        return self.net + self.vat + self.rounding

    @property
    def total(self) -> Decimal:
        """The amount, or what it will be: it may be empty before release (R-INV-4).

        An amount of 0 is empty too, except where all of it was rounded away (0.38 kr to whole kronor).
        """
        if self.amount:
            return self.amount
        away = self.amount is not None and abs(self.rounding) == abs(self.net + self.vat)
        return ZERO if away else self.sum

    @property
    def rounded_by(self) -> Decimal:
        """What the total was rounded by. Told by the total, so that the undocumented sign of ``roundingDiff`` does not
        count where there is an amount."""
        return self.total - self.net - self.vat


@dataclass(frozen=True, slots=True)
class ErpLine:
    """One line of an ERP document; ``amount`` in document currency, None where the ERP does not show it; ``body`` as it was read."""

    number: str
    inventory: str
    description: str
    quantity: Decimal
    price: Decimal
    amount: Decimal | None
    unit: str
    task: str
    branch: str
    discount_percent: Decimal
    body: Json


@dataclass(frozen=True, slots=True)
class TaxDetail:
    """VAT of one VAT id, signed as the document's totals are; whether in document or company currency the vendor does not
    say."""

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
        totals, sign = _totals(body, "InCurrency", document)
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
            totals=totals,
            company=_totals(body, "", document)[0],
            lines=tuple(_line(one, sign) for one in lines or []),
            taxes=_taxes(read(body, "taxDetails") or [], totals.vat, sign),
            applications=tuple(_application(one) for one in read(body, "applications") or []),
            note=text(body, "note"),
            payment_reference=text(body, "paymentReference"),
        )

    @property
    def listed(self) -> Json:
        """Its body as a list shows it, which is what is remembered of it: a date that was read once, from its applications,
        must not be taken for what stands there now."""
        return {name: value for name, value in self.body.items() if name != "applications"}

    @property
    def released(self) -> bool:
        """Whether it counts in the ledger."""
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


def _totals(body: Json, suffix: str, document: DocumentType) -> tuple[Totals, int]:
    """The totals in one currency, and the sign that they were turned round by.

    A credit note's amounts are positive; should an ERP show them negative, they are turned round, by the rule that also
    says how its lines are sent (``direction``).
    """
    empty = read(body, f"amount{suffix}") is None
    amount = None if empty else money(body, f"amount{suffix}")
    detail = money(body, f"detailTotal{suffix}")
    discount, vat = money(body, f"discountTotal{suffix}"), money(body, f"vatTotal{suffix}")
    if read(body, f"detailTotal{suffix}") is None:
        # Rows of customerdocument have no lines' total: what is not VAT is net.
        detail = (abs(amount or ZERO) - abs(vat)) * direction(amount or ZERO)
    net = detail - discount
    sign = direction(amount or ZERO, net + vat, net, vat) if document == "CreditNote" else 1
    return (
        Totals(
            amount=amount * sign if amount is not None else None,
            detail=detail * sign,
            discount=discount * sign,
            vat=vat * sign,
            rounding=money(body, "roundingDiff") * sign,
        ),
        sign,
    )


def _line(body: Json, sign: int) -> ErpLine:
    branch = read(body, "branchNumber")
    amount = None if read(body, "amountInCurrency") is None else money(body, "amountInCurrency")
    return ErpLine(
        number=text(body, "lineNumber"),
        inventory=text(body, "inventoryNumber"),
        description=text(body, "description"),
        quantity=factor(body, "quantity"),
        price=factor(body, "unitPriceInCurrency"),
        amount=amount * sign if amount is not None else None,
        unit=text(body, "uom"),
        task=text(body, "projectTask.id"),
        branch=text(branch, "number") if isinstance(branch, dict) else str(branch or ""),
        discount_percent=factor(body, "discountPercent"),
        body=body,
    )


def _taxes(bodies: Iterable[Json], vat: Decimal, sign: int) -> tuple[TaxDetail, ...]:
    """VAT per id, signed as the document's own VAT: some show a credit note's tax as negative although its amounts are
    positive."""
    found = [_tax(one) for one in bodies]
    told = sum((one.vat for one in found), ZERO)
    turn = sign if not told * vat else direction(told * vat)
    return tuple(
        # A rate is never negative: net and VAT of one id go the same way.
        replace(one, taxable=abs(one.taxable) * direction(one.vat * turn), vat=one.vat * turn)
        if one.vat
        else replace(one, taxable=one.taxable * turn)
        for one in found
    )


def _tax(body: Json) -> TaxDetail:
    return TaxDetail(
        vat_id=text(body, "vatId.number") or text(body, "taxId"),
        rate=factor(body, "vatRate"),
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
