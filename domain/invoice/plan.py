"""What is to be done with an invoice, and what it needs in the ERP before it can be booked. Pure decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from domain.errors import Stop, TryLater, Waiting
from domain.invoice.model import ErpDocument, InvoiceRow, Party, SeveraInvoice
from domain.invoice.totals import VatTable, per_rate, predict, rate_text, severa_vat
from domain.mapper import day, flag, read, text
from domain.model import Domain, Json
from domain.money import ZERO, currency_of
from domain.ports import Books
from domain.reference import CREDIT_TERMS, SEVERA_CURRENCIES, VAT_CATEGORIES, fixed_days
from domain.setup.settings import TenantSettings
from domain.setup.statuses import Roles
from domain.values import money
from domain.values import record as named_record

Action = Literal["leave", "transfer", "restore"]

# Causes that a person repairs elsewhere: the invoice stays in the transfer status and goes on by itself (R-INV-11).
# Every other Stop before booking sets it to the failed status (R-INV-12).
KEEPS_STATUS = frozenset(
    {
        "invoice.customer_in_error",
        "invoice.project_in_error",
        "invoice.item_in_error",
        "invoice.not_allowed",
        "invoice.other_document",
        "invoice.already_booked",
        "invoice.booked_not_numbered",
        "invoice.moved_after_booking",
        "invoice.document_gone",
        "invoice.in_doubt",
        "invoice.held_for_review",
        "invoice.original_in_error",
    }
)

# A credit note waits for an invoice that nobody transfers, that has a problem of its own, or that nobody ever saw.
ORIGINAL_NOT_BOOKED = "invoice.original_not_booked"
ORIGINAL_IN_ERROR = "invoice.original_in_error"
ORIGINAL_UNKNOWN = "invoice.original_unknown"

_IN_ERROR: Mapping[str, str] = {
    "customer": "invoice.customer_in_error",
    "project": "invoice.project_in_error",
}

SEVERA_ITEM_REGISTERS = ("products", "worktypes", "travelexpensetypes")


def decide(roles: Roles, status: str, *, released: bool) -> Action:
    """What the invoice's present status asks for (R-INV-1, R-INV-12).

    ``released``: an ERP document that is ours is released already. Only the transfer status asks for anything.
    """
    if roles.role_of(status) != "transfer":
        return "leave"
    return "restore" if released else "transfer"


# ---------------------------------------------------------------- what it needs (R-INV-11)


@dataclass(frozen=True, slots=True)
class Item:
    """The ERP item that a row is posted on; ``body`` is None while the bridge has not seen the item itself.

    ``given``: the VAT category that the line is sent with, '' = the item's own counts.
    """

    number: str
    body: Json | None
    given: str = ""

    @property
    def vat_category(self) -> str:
        """The VAT category of the line, '' if it is not known."""
        return self.given or text(self.body, "vatCode.id")

    @property
    def units(self) -> tuple[str, ...]:
        """The item's units, the sales unit first."""
        return tuple(unit for unit in (text(self.body, "salesUnit"), text(self.body, "baseUnit")) if unit)

    @property
    def posting(self) -> tuple[str, str, str]:
        """What decides VAT category and sales account: equal for two items = interchangeable for the books."""
        account = text(self.body, "accountInformation.salesAccount.number")
        return self.vat_category, account, text(self.body, "postingClass.id")


@dataclass(frozen=True, slots=True)
class Needs:
    """What an invoice needs in the ERP, all of it there."""

    customer: str
    customer_body: Json | None
    project: str
    items: Mapping[str, Item]

    @property
    def zone(self) -> str:
        """The customer's VAT zone, '' if it is not known."""
        return text(self.customer_body, "vatZone.id")

    def categories(self) -> dict[str, str]:
        """Row guid → VAT category of its item."""
        return {guid: item.vat_category for guid, item in self.items.items()}


def needs(books: Books, invoice: SeveraInvoice, settings: TenantSettings, project: Party | None) -> Needs:
    """The linked customer, project and items of an invoice (R-INV-2, R-INV-11).

    ``settings``: its items and VAT categories of rows without a code. ``project``: the one that the document is posted on,
    None if the invoice has none.

    Raises Waiting for a record that is not linked yet, Stop that points at a record in error itself, and Stop for
    what can never be transferred as it stands.
    """
    if not invoice.rows:
        raise Stop("invoice.no_rows", _named(invoice))
    if not invoice.is_credit_note and invoice.total < 0:
        raise Stop(
            "invoice.negative_total", _named(invoice) | {"total": money(invoice.total, invoice.currency)}
        )
    if invoice.date is None:
        raise Stop("invoice.no_date", _named(invoice))
    customer = _linked(books, invoice, "customer", invoice.customer.guid, invoice.customer.name)
    number = ""
    if project is not None:
        number = _linked(
            books, invoice, "project", project.guid, f"{project.number} {project.name}".strip()
        ).number
    return Needs(
        customer=customer.number,
        customer_body=customer.body,
        project=number,
        items={row.guid: _item(books, invoice, row, settings) for row in invoice.rows},
    )


def several_projects(invoice: SeveraInvoice) -> Stop:
    """The problem of an invoice with several projects: an ERP document has one."""
    projects = [named_record(one.number, one.name) for one in invoice.projects]
    return Stop("invoice.several_projects", _named(invoice) | {"projects": projects})


def mixed_rows(books: Books, invoice: SeveraInvoice) -> set[str]:
    """Guids of grouped rows whose codes do not all post alike, or whose items' posting is not known. Raises as ``needs``."""
    found: set[str] = set()
    for row in invoice.rows:
        if len(row.codes) < 2:
            continue
        items = [_item_of(books, invoice, row, code) for code in row.codes]
        if any(one.body is None for one in items) or len({one.posting for one in items}) > 1:
            found.add(row.guid)
    return found


@dataclass(frozen=True, slots=True)
class _Linked:
    number: str
    body: Json | None


def _linked(books: Books, invoice: SeveraInvoice, domain: Domain, guid: str, name: str) -> _Linked:
    link = books.link(domain, severa_id=guid)
    if link is not None and link.erp_number:
        record = books.record("visma_net", link.erp_register, link.erp_id)
        return _Linked(link.erp_number, record.body if record else None)
    waiting = Waiting(domain, severa_id=guid, name=name)
    if books.has_problem(domain, severa_id=guid):
        raise Stop(_IN_ERROR[domain], _named(invoice) | {"name": name}, waits_for=waiting)
    raise waiting


def _item(books: Books, invoice: SeveraInvoice, row: InvoiceRow, settings: TenantSettings) -> Item:
    if not row.codes:
        return _fallback(books, invoice, row, settings)
    items = [_item_of(books, invoice, row, code) for code in row.codes]
    if len(items) > 1 and (any(i.body is None for i in items) or len({i.posting for i in items}) > 1):
        raise Stop("invoice.grouped_row", _named(invoice) | _row(row) | {"codes": list(row.codes)})
    return items[0]


def _fallback(books: Books, invoice: SeveraInvoice, row: InvoiceRow, settings: TenantSettings) -> Item:
    """The tenant's item for a row without a code, with the VAT category that the tenant has for the row's rate. One that the ERP does not have stops here, with the setting's name: the
    ERP's refusal would name neither row nor setting."""
    rate = rate_text(row.vat_rate or ZERO)
    key = f"{row.row_type}/{rate}"
    values = _named(invoice) | _row(row) | {"row_type": row.row_type, "rate": rate, "key": key}
    number, given = settings.fallback_items.get(key), settings.fallback_vat_categories.get(rate, "")
    if not number:
        raise Stop("invoice.row_without_code", values)
    found = books.find("visma_net", "inventory", number=number)
    if found:
        return Item(found[0].number or number, found[0].body, given)
    if books.complete("visma_net", "inventory"):
        raise Stop("invoice.fallback_unknown", values | {"item": number})
    return Item(number, None, given)


def _item_of(books: Books, invoice: SeveraInvoice, row: InvoiceRow, code: str) -> Item:
    link = books.link_by_number("product", erp_number=code)
    if link is not None:
        record = books.record("visma_net", link.erp_register, link.erp_id)
        return Item(link.erp_number, record.body if record else None)
    for register in SEVERA_ITEM_REGISTERS:
        found = books.find("severa", register, number=code)
        if not found:
            continue
        by_guid = books.link("product", severa_id=found[0].id)
        if by_guid is not None and by_guid.erp_number:
            record = books.record("visma_net", by_guid.erp_register, by_guid.erp_id)
            return Item(by_guid.erp_number, record.body if record else None)
        name = f"{code} {found[0].name}".strip()
        waiting = Waiting("product", severa_id=found[0].id, name=name)
        if books.has_problem("product", severa_id=found[0].id):
            values = _named(invoice) | _row(row) | {"name": name}
            raise Stop("invoice.item_in_error", values, waits_for=waiting)
        raise waiting
    if not all(books.complete("severa", register) for register in SEVERA_ITEM_REGISTERS):
        raise TryLater("the registers of products are still being read", retry_after=30, costs_attempt=False)
    raise Stop("invoice.item_unknown", _named(invoice) | _row(row) | {"code": code})


# ---------------------------------------------------------------- reference data


def in_its_currency(books: Books, invoice: SeveraInvoice) -> SeveraInvoice:
    """The invoice with a currency that knows its decimals as the ERP counts them: what is rounded from here on is rounded
    as the ERP will."""
    return replace(invoice, currency=currency_of(books, invoice.currency))


def base_currency(books: Books) -> str:
    """The company's currency, '' while nothing tells it."""
    for record in books.all("visma_net", "organization"):
        if code := text(record.body, "baseCurrency") or text(record.body, "currency.id"):
            return code
    for record in books.all("severa", SEVERA_CURRENCIES):
        if flag(read(record.body, "isOrganizationCurrency"), default=False):
            return text(record.body, "code")
    return ""


def is_foreign(invoice: SeveraInvoice, base: str) -> bool:
    """Whether the invoice is in another currency than the company's; a rate other than 1 tells it where nothing else does."""
    return invoice.currency != base if base else invoice.rate != 1


def credit_terms(
    books: Books, invoice: SeveraInvoice, customer: Json | None, table: Mapping[int, str]
) -> str:
    """Credit terms of the invoice's days, '' to leave them to the customer: the customer's own where they fit, else the
    tenant's choice (``table``: days → terms), else the only ones that fit."""
    fitting = {
        text(r.body, "termsId")
        for r in books.all("visma_net", CREDIT_TERMS)
        if _fits(r.body, invoice.payment_term)
    }
    own = text(customer, "creditTerms.id")
    if own in fitting:
        return own
    if invoice.payment_term is not None and invoice.payment_term in table:
        return table[invoice.payment_term]
    return fitting.pop() if len(fitting) == 1 else ""


def _fits(term: Json, days: int | None) -> bool:
    return days is not None and fixed_days(term) == days


def period(books: Books, invoice: SeveraInvoice) -> str:
    """The financial period (YYYYMM) to send, '' if it follows from the document date.

    Raises Stop for a period that is closed in the customer ledger (R-INV-14).
    """
    if invoice.date is None:
        return ""
    periods = [record.body for record in books.all("visma_net", "financialPeriod")]
    posted = _period_of(periods, invoice.entry_date or invoice.date)
    if posted is not None and flag(read(posted, "closedInCustomerLedger"), default=False):
        shown = (invoice.entry_date or invoice.date).isoformat()
        raise Stop(
            "invoice.period_closed",
            _named(invoice) | {"period": _period_name(posted), "date": shown, "text": ""},
        )
    if invoice.entry_date is None or posted is None:
        return ""
    own = _period_of(periods, invoice.date)
    return "" if own is posted else _period_name(posted)


def _period_of(periods: Iterable[Json], at: date) -> Json | None:
    """The ordinary period that contains a day, None if none does.

    Adjustment periods (start = end, or a start after the end) hold what auditors add to a year: no document is posted
    there by its date, so neither a closed nor an open one counts. Whether the end of a period counts is not documented:
    of two that meet on a day, the one that begins there contains it.
    """
    found: list[tuple[date, Json]] = []
    for one in periods:
        start, end = day(read(one, "startDate")), day(read(one, "endDate"))
        if start is None or start > at or (end is not None and (end <= start or end < at)):
            continue
        found.append((start, one))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _period_name(body: Json) -> str:
    """YYYYMM; the ERP may tell it as MMYYYY or with a dash."""
    digits = "".join(ch for ch in text(body, "period") if ch.isdigit())
    if len(digits) == 6 and not digits.startswith(("19", "20")):
        return digits[2:] + digits[:2]
    return digits


# ---------------------------------------------------------------- checks before booking (R-INV-5)


def check_prediction(books: Books, invoice: SeveraInvoice, need: Needs, tolerance: Decimal) -> None:
    """Raises Stop ``invoice.total_would_differ`` when the ERP will compute another total than Severa's.

    Without the ERP's VAT tables nothing is predicted: the proof after creation is the judge.
    """
    vats = [record.body for record in books.all("visma_net", "vat")]
    table = VatTable(vats, [record.body for record in books.all("visma_net", VAT_CATEGORIES)])
    if not vats or invoice.date is None:
        return
    prediction = predict(invoice, need.categories(), need.zone, table, invoice.date)
    if prediction is None or prediction.agrees(invoice, tolerance):
        return
    row = prediction.suspicious()
    same_total = abs(prediction.difference(invoice)) <= tolerance
    raise Stop(
        "invoice.vat_would_differ" if same_total else "invoice.total_would_differ",
        _named(invoice)
        | {
            "severa_total": money(invoice.total * invoice.sign, invoice.currency),
            "erp_total": money(prediction.total(invoice), invoice.currency),
            "difference": money(prediction.difference(invoice), invoice.currency),
            "severa_vat": per_rate(severa_vat(invoice)),
            "erp_vat": per_rate(prediction.per_rate),
            "row": _row_text(row.row) if row else "",
            "row_severa_rate": rate_text(row.row.vat_rate or ZERO) if row else "",
            "row_erp_rate": rate_text(row.rule.rate) if row else "",
        },
    )


def same_booking(invoice: SeveraInvoice, document: ErpDocument, customer: str, tolerance: Decimal) -> bool:
    """Whether a booked document still says what the invoice says: customer, date, currency, totals and VAT (R-INV-12)."""
    sign = invoice.sign
    return (
        document.type == invoice.document_type
        and (not customer or document.customer == customer)
        and document.date == invoice.date
        and document.currency == invoice.currency
        and abs(document.totals.total - invoice.total * sign) <= tolerance
        and abs(document.totals.vat - invoice.tax * sign) <= tolerance
    )


def _named(invoice: SeveraInvoice) -> dict[str, Any]:
    return {"customer": invoice.customer.name, "invoice": invoice.guid, "date": str(invoice.date or "")}


def _row(row: InvoiceRow) -> dict[str, Any]:
    return {"row": _row_text(row)}


def _row_text(row: InvoiceRow) -> str:
    name = row.description.split("\n", 1)[0] or ", ".join(row.codes) or row.row_type
    return f"{row.sort_order}: {name[:60]}"


def surplus(found: Iterable[ErpDocument]) -> tuple[ErpDocument | None, list[ErpDocument]]:
    """Of several documents of one invoice: the one to keep and the unreleased ones to remove (R-INV-13).

    A released one is kept, else the lowest number; (None, …) when two or more are released: a person decides.
    """
    documents = sorted(found, key=lambda one: (not one.released, len(one.number), one.number))
    if sum(one.released for one in documents) > 1 or not documents:
        return None, []
    return documents[0], documents[1:]


def candidates_kept(documents: Iterable[ErpDocument]) -> list[Json]:
    """Candidates as a problem keeps them (kind ``documents`` of ``domain.values``)."""
    return [
        {
            "type": one.type,
            "number": one.number,
            "status": one.status,
            **money(one.totals.total, one.currency),
        }
        for one in documents
    ]
