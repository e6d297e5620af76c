"""The ERP document that an invoice becomes: the update body of ``POST /v2/customerinvoice`` or ``customerCreditNote``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from domain.errors import Stop
from domain.invoice.model import ErpDocument, InvoiceRow, SeveraInvoice
from domain.invoice.plan import Item, Needs
from domain.invoice.registers import DESCRIPTION_LIMIT, INVOICE_TEXT_LIMIT, SAME_RATE_DIRECTION
from domain.mapper import read, text, update_body
from domain.model import Json, LogLine
from domain.text import cut, lines, name_key, one_line
from domain.words import WORDS


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
    warnings: list[LogLine] = []
    header = _header(invoice, need, choices, warnings)
    drafted = tuple(_line(invoice, row, need.items[row.guid], choices, warnings) for row in invoice.rows)
    if not need.project:
        drafted = tuple({name: value for name, value in one.items() if name != "taskId"} for one in drafted)
    return Draft(
        header={name: value for name, value in header.items() if value not in ("", None)},
        lines=drafted,
        applications=_applications(invoice, choices),
        lines_member="lines" if invoice.is_credit_note else "invoiceLines",
        warnings=tuple(warnings),
    )


def _header(invoice: SeveraInvoice, need: Needs, choices: Choices, warnings: list[LogLine]) -> dict[str, Any]:
    body = invoice.body
    header: dict[str, Any] = {
        "customerNumber": need.customer,
        "documentDate": _day(invoice.date),
        "financialPeriod": choices.period,
        "externalReference": text(body, "yourReference"),
        "customerRefNumber": text(body, "orderNumber"),
        "invoiceText": _text(invoice, choices, warnings),
        "currencyId": invoice.currency,
        "exchangeRate": _rate(invoice) if choices.foreign else None,
        "branchNumber": choices.branch,
        "project": need.project,
        "note": f"{invoice.marker}\n{choices.note}".rstrip(),
        "hold": True,
        "dontPrint": True,
        "dontEmail": True,
        "sendToAutoInvoice": False,
    }
    if not invoice.is_credit_note:
        header["documentDueDate"] = _day(invoice.due_date)
        header["creditTermsId"] = choices.terms
    header |= _receiver(invoice, need, choices)
    return header


def _day(value: date | None) -> str | None:
    return f"{value.isoformat()}T00:00:00" if value else None


def _rate(invoice: SeveraInvoice) -> Decimal:
    return (
        invoice.rate if SAME_RATE_DIRECTION else (Decimal(1) / invoice.rate).quantize(Decimal("0.00000001"))
    )


def _text(invoice: SeveraInvoice, choices: Choices, warnings: list[LogLine]) -> str:
    words, language = WORDS["invoice"], choices.language
    body = invoice.body
    parts: list[str] = []
    if choices.credited:
        parts.append(words.text("credit", language, number=choices.credited))
    if ours := one_line(text(body, "ourReference")):
        parts.append(f"{words.text('ours', language)}: {ours}")
    if contact := one_line(text(body, "senderContactName")):
        parts.append(f"{words.text('contact', language)}: {contact}")
    parts += [
        text(body, path)
        for path in ("notes", "freeText1.plainText", "freeText2.plainText")
        if text(body, path)
    ]
    whole = "\n".join(parts)
    if len(whole) > INVOICE_TEXT_LIMIT:
        warnings.append(LogLine("invoice.text_cut", {"limit": INVOICE_TEXT_LIMIT}, "warning"))
    return cut(whole, INVOICE_TEXT_LIMIT)


def _line(
    invoice: SeveraInvoice, row: InvoiceRow, item: Item, choices: Choices, warnings: list[LogLine]
) -> Mapping[str, Any]:
    price = row.price_in(invoice.currency)
    if price is None:
        raise Stop(
            "invoice.price_currency",
            {
                "customer": invoice.customer.name,
                "row": f"{row.sort_order}: {row.description[:60]}",
                "row_currency": row.currency,
                "currency": invoice.currency,
            },
        )
    if len(row.description) > DESCRIPTION_LIMIT:
        values = {"row": row.sort_order, "limit": DESCRIPTION_LIMIT}
        warnings.append(LogLine("invoice.description_cut", values, "warning"))
    line = {
        "inventoryNumber": item.number,
        "description": cut(row.description, DESCRIPTION_LIMIT),
        "quantity": row.quantity * invoice.sign,
        "unitPriceInCurrency": price,
        "manualDiscount": True,
        "discountPercent": Decimal(0),
        "uom": unit(row, item, choices.units),
        "branchNumber": choices.line_branches.get(row.guid, choices.branch),
        "taskId": choices.task,
        "vatCodeId": item.given,
    }
    return {name: value for name, value in line.items() if value != ""}


def unit(row: InvoiceRow, item: Item, table: Mapping[str, str]) -> str:
    """The tenant's unit for the row's, else the item's unit that the row names, else the item's sales unit; '' while the
    item is not known (the ERP takes its own)."""
    wanted = row.unit.casefold()
    chosen = [there for here, there in table.items() if here.strip().casefold() == wanted]
    named = [one for one in item.units if one.casefold() == wanted]
    return (chosen or named or list(item.units) or [""])[0]


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


# ---------------------------------------------------------------- the receiver


def address_differs(invoice: SeveraInvoice, customer: Json | None) -> bool:
    """Whether the invoice's address is none of the customer's own; False where there is nothing to compare with."""
    printed = _address_key(read(invoice.body, "receiverAddress"), "addressline")
    own = [read(customer, name) for name in ("invoiceAddress", "mainAddress", "deliveryAddress")]
    known = [_address_key(one) for one in own if isinstance(one, dict)]
    return any(printed) and bool(known) and printed not in known


def _address_key(body: Any, first: str = "") -> tuple[str, str, str]:
    """Street, postal code and town as they are compared; countries are not (their languages differ)."""
    if not isinstance(body, dict):
        return ("", "", "")
    street = text(body, first) if first else "\n".join(text(body, f"addressLine{n}") for n in (1, 2, 3))
    postal = text(body, "postalCode").replace(" ", "").casefold()
    return (name_key(" ".join(lines(street))), postal, name_key(text(body, "city")))


def _receiver(invoice: SeveraInvoice, need: Needs, choices: Choices) -> dict[str, Any]:
    block = "invoiceAddress" if invoice.is_credit_note else "billingAddress"
    members: dict[str, Any] = {}
    if choices.country is not None:
        street = lines(text(invoice.body, "receiverAddress.addressline"))
        parts = {
            "addressLine1": (street or [""])[0],
            "addressLine2": street[1] if len(street) > 1 else "",
            "addressLine3": ", ".join(street[2:]),
            "postalCode": text(invoice.body, "receiverAddress.postalCode"),
            "city": text(invoice.body, "receiverAddress.city"),
            "countryId": choices.country,
        }
        members[f"{block}.overrideAddress"] = True
        members |= {f"{block}.{name}": value for name, value in parts.items() if value}
    if choices.contact:
        members["contact"] = int(choices.contact)
    return members | _contact(invoice, need.customer_body, linked=bool(choices.contact))


def _contact(invoice: SeveraInvoice, customer: Json | None, *, linked: bool) -> dict[str, Any]:
    """The receiver's name, person and e-mail, where they are not what the customer's invoice contact says already.

    ``linked``: the person is sent as a contact of the customer, which tells its name and e-mail itself.
    """
    if customer is None:
        return {}
    wanted = {
        "name": text(invoice.body, "receiverCustomerName"),
        "attention": "" if linked else text(invoice.body, "receiverContactName"),
        "email": "" if linked else text(invoice.body, "receiverContactEmail"),
    }
    own = {
        name: text(customer, f"invoiceContact.{name}") or text(customer, f"mainContact.{name}")
        for name in wanted
    }
    own["name"] = own["name"] or text(customer, "name")
    different = {
        n: v
        for n, v in wanted.items()
        if v and name_key(v) not in {name_key(own[n]), name_key(text(customer, n))}
    }
    if not different:
        return {}
    kept = {name: value for name, value in wanted.items() if value}
    return {"invoiceContact.overrideContact": True} | {f"invoiceContact.{n}": v for n, v in kept.items()}
