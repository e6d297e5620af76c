"""The mapping of invoices and credit notes to ERP documents: what is sent, how it is proven, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from domain.errors import Stop
from domain.fields import Field
from domain.invoice import receiver
from domain.invoice.choices import Drafting, RowDrafting
from domain.invoice.registers import DESCRIPTION_LIMIT, INVOICE_TEXT_LIMIT, SAME_RATE_DIRECTION
from domain.mapper import read, text
from domain.model import Json
from domain.sheet import (
    Sent,
    Sheet,
    as_code,
    as_day,
    as_filled,
    as_first_line,
    as_flag,
    as_name,
    as_number,
    as_shown_name,
    as_text,
    as_this_code,
)
from domain.text import canonical, one_line
from domain.words import WORDS

INVOICE, CREDIT_NOTE = "Invoice", "CreditNote"


def _of(path: str) -> Callable[[Drafting], str]:
    """A text of the Severa invoice as it stands there."""
    return lambda made: text(made.invoice.body, path)


def _always(value: bool) -> Callable[[Any], bool]:  # noqa: FBT001 - the value itself
    return lambda _made: value


def _day(value: date | None) -> str | None:
    return f"{value.isoformat()}T00:00:00" if value else None


def _rate(made: Drafting) -> Decimal | None:
    rate = made.invoice.rate
    if not made.choices.foreign:
        return None
    return rate if SAME_RATE_DIRECTION else (Decimal(1) / rate).quantize(Decimal("0.00000001"))


def _text(made: Drafting) -> str:
    words, language, body = WORDS["invoice"], made.choices.language, made.invoice.body
    parts: list[str] = []
    if made.choices.credited:
        parts.append(words.text("credit", language, number=made.choices.credited))
    if ours := one_line(text(body, "ourReference")):
        parts.append(f"{words.text('ours', language)}: {ours}")
    if contact := one_line(text(body, "senderContactName")):
        parts.append(f"{words.text('contact', language)}: {contact}")
    parts += [text(body, path) for path in ("notes", "freeText1.plainText", "freeText2.plainText")]
    return "\n".join(one for one in parts if one)


def _note(made: Drafting) -> str:
    return f"{made.invoice.marker}\n{made.choices.note}".rstrip()


def _part(name: str) -> Callable[[Drafting], Any]:
    return lambda made: receiver.address(made).get(name)


def _contact(name: str) -> Callable[[Drafting], Any]:
    return lambda made: receiver.contact(made).get(name)


def _address(block: str, kind: str) -> tuple[Sent[Drafting], ...]:
    """The receiver's address in the block that this kind of document has for it; it is read in the same one of both."""
    severa, erp, note = "receiverAddress", "invoiceAddress", "if it is none of the customer's own"

    def part(name: str, member: str, path: str, shown: str | None = None) -> Sent[Drafting]:
        return Sent(name, f"{block}.{member}", _part(member), f"{severa}.{path}", f"{erp}.{shown or member}",
                    as_shown_name, kinds=(kind,), as_="address", note=note)  # fmt: skip

    return (
        Sent("another address", f"{block}.overrideAddress", _part("overrideAddress"), severa, f"{erp}.overrideAddress", kinds=(kind,), as_="true", note=note),
        part("address line 1", "addressLine1", "addressline"),
        part("address line 2", "addressLine2", "addressline"),
        Sent("address line 3", f"{block}.addressLine3", _part("addressLine3"), f"{severa}.addressline", f"{erp}.addressLine3",
             kinds=(kind,), as_="address", note="what is more than two lines"),
        part("postal code", "postalCode", "postalCode"),
        part("city", "city", "city"),
        part("country", "countryId", "country", "country.id"),
    )  # fmt: skip


HEADER: Sheet[Drafting] = Sheet(
    (
        Sent("customer", "customerNumber", lambda made: made.need.customer, "billingCustomer", "customer.number",
             as_text, essential=True, as_="link", note="else customer"),
        Sent("currency", "currencyId", lambda made: made.invoice.currency, "currency.code", proof=as_text, essential=True),
        Sent("branch", "branchNumber", lambda made: made.choices.branch, "invoiceNumberBusinessUnitGuid", "branchNumber.number",
             as_text, essential=True, as_="branch", note="by the mapping of units, else by senderVatNumber"),
        Sent("project", "project", lambda made: made.need.project, "projects", "project.id",
             as_text, essential=True, as_="link", note="one per document"),
        Sent("terms", "creditTermsId", lambda made: made.choices.terms, "paymentTerm", "creditTerms.id",
             as_text, kinds=(INVOICE,), as_="terms", note="not on credit notes"),
        Sent("your reference", "externalReference", _of("yourReference"), "yourReference", proof=as_text),
        Sent("order number", "customerRefNumber", _of("orderNumber"), "orderNumber", proof=as_text),
        Sent("text", "invoiceText", _text, "freeText1.plainText", proof=as_text, limit=INVOICE_TEXT_LIMIT, cut="invoice.text_cut",
             as_="lines", note="and references, notes, freeText2"),
        Sent("marker", "note", _note, "guid", proof=as_first_line, as_="marker", owner="rule",
             note="first line severa:<guid> <installation>.<nonce> (R-INV-13)"),
        Sent("period", "financialPeriod", lambda made: made.choices.period, "entryDate", proof=as_filled, essential=True,
             as_="period", note="if not the document date's"),
        Sent("date", "documentDate", lambda made: _day(made.invoice.date), "date", proof=as_day, essential=True, as_="date"),
        Sent("due date", "documentDueDate", lambda made: _day(made.invoice.due_date), "dueDate", proof=as_day, essential=True,
             kinds=(INVOICE,), as_="date", note="not on credit notes"),
        # Whether the ERP may print or send the document itself (R-INV-3).
        Sent("not printed", "dontPrint", _always(True), proof=as_flag, essential=True, as_="true", owner="rule", note="R-INV-3"),
        Sent("not e-mailed", "dontEmail", _always(True), proof=as_flag, essential=True, as_="true", owner="rule", note="R-INV-3"),
        Sent("not by AutoInvoice", "sendToAutoInvoice", _always(False), proof=as_flag, essential=True, as_="false", owner="rule",
             note="R-INV-3"),
        Sent("hold", "hold", _always(True), as_="true", owner="rule", note="taken off after the proof (R-INV-4)"),
        Sent("rate", "exchangeRate", _rate, "currencyRate", proof=as_number, as_="decimal", note="only in foreign currency"),
        *_address("billingAddress", INVOICE),
        *_address("invoiceAddress", CREDIT_NOTE),
        Sent("person", "contact", lambda made: int(made.choices.contact) if made.choices.contact else None, "receiverContactGuid",
             "contact.id", as_="link", note="if it is linked"),
        Sent("another contact", "invoiceContact.overrideContact", _contact("overrideContact"), "receiverContactName", as_="true",
             note="if it is not what the customer's says"),
        Sent("contact's company", "invoiceContact.name", _contact("name"), "receiverCustomerName", "invoiceContact.businessName", as_shown_name,
             as_="contact"),
        Sent("contact's name", "invoiceContact.attention", _contact("attention"), "receiverContactName", proof=as_shown_name, as_="contact"),
        Sent("contact's e-mail", "invoiceContact.email", _contact("email"), "receiverContactEmail", proof=as_shown_name, as_="contact"),
    )
)  # fmt: skip
"""The document's head. Totals, VAT and the company's currency are proven beside it (``prove.py``)."""


def _price(made: RowDrafting) -> Decimal:
    """Raises Stop for a row whose price is in no usable currency."""
    row, invoice = made.row, made.invoice
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
    return price


def unit(made: RowDrafting) -> str:
    """The tenant's unit for the row's, else the item's unit that the row names, else the item's sales unit; '' while the
    item is not known (the ERP takes its own)."""
    wanted, table = made.row.unit.casefold(), made.choices.units
    chosen = [there for here, there in table.items() if here.strip().casefold() == wanted]
    named = [one for one in made.item.units if one.casefold() == wanted]
    return (chosen or named or list(made.item.units) or [""])[0]


def _branch_shown(line: Json) -> str:
    branch = read(line, "branchNumber")
    return text(branch, "number") if isinstance(branch, dict) else canonical(branch)


LINE: Sheet[RowDrafting] = Sheet(
    (
        # Compared by what they can change in money (``prove.py``).
        Sent("quantity", "quantity", lambda made: made.row.quantity * made.invoice.sign, "quantity", as_="decimal",
             note="× −1 on a negative credit note"),
        Sent("price", "unitPriceInCurrency", _price, "unitPrice", as_="money", note="always sent, also 0"),
        Sent("item", "inventoryNumber", lambda made: made.item.number, "code", proof=as_this_code, essential=True, as_="link"),
        Sent("no discount", "discountPercent", lambda _made: Decimal(0), proof=as_number, essential=True, as_="0", owner="rule"),
        Sent("discount by hand", "manualDiscount", _always(True), as_="true", owner="rule", note="so that the ERP adds none of its own"),
        Sent("task", "taskId", lambda made: made.choices.task if made.need.project else "", "", "projectTask.id",
             as_code, essential=True, as_="setting", owner="rule"),
        Sent("VAT category", "vatCodeId", lambda made: made.item.given, "vatRate", "vatCode.id", as_code, essential=True,
             as_="setting", owner="rule", note="only of rows that take a fallback item, where the tenant has one for their rate"),
        Sent("branch", "branchNumber", lambda made: made.choices.line_branches.get(made.row.guid, made.choices.branch), "",
             "branchNumber.number", as_code, essential=True, erp_read=_branch_shown, as_="branch",
             note="of the row's project, within the selling company"),
        Sent("unit", "uom", unit, "measurementUnit", proof=as_code, as_="unit", note="unknown → the item's sales unit"),
        Sent("description", "description", lambda made: made.row.description, "description", proof=as_name,
             limit=DESCRIPTION_LIMIT, cut="invoice.description_cut", as_="cut"),
    )
)  # fmt: skip
"""One line of it."""

BACK = (
    Field("number", "number", "referenceNumber", "←", "integer", "visma_net", note="string kept in the link"),
    Field("reference", "referenceNumber", "paymentReference", "←", "text", "visma_net", note="empty → Severa's stays"),
)  # fmt: skip
"""What the ERP gives back, once the document is booked."""

FILES = (
    Field("files", "files", "attachments", "→", "files", "severa", note="if chosen, after the number (R-INV-8)"),
)  # fmt: skip
"""What goes beside the document."""
