"""What stands behind an invoice's rows: hours, fees, travel expenses and flat rates, with their projects and codes.

An invoice row names neither its project nor, when it is grouped, what of its amount belongs to which code. The lists of
the invoice do. They cost three calls, so they are read only where they decide something: an invoice with several
projects, and a grouped row whose codes post on different accounts or VAT categories (docs/vendors/severa.md S40).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from domain.errors import NotFound
from domain.invoice.amounts import factor
from domain.invoice.model import InvoiceRow, Party, SeveraInvoice
from domain.mapper import known_factor, read, text
from domain.model import Json
from domain.money import ZERO, rounded
from domain.ports import Books, SeveraApi

# List of the invoice, list of a credit note, member that names the code, register of that code.
_LISTS = (
    ("invoices/workhours", "invoices/reimbursedworkhours", "workType", "worktypes"),
    ("invoices/projectfees", "invoices/reimbursedprojectfees", "product", "products"),
    (
        "invoices/projecttravelexpenses",
        "invoices/reimbursedprojecttravelexpenses",
        "travelExpense",
        "travelexpensetypes",
    ),
)
FLAT_RATES = "flatrates"


@dataclass(frozen=True, slots=True)
class BilledItem:
    """One item behind a row; ``price`` in the invoice's currency, None if it has none in it."""

    row: str
    project: str
    code: str
    quantity: Decimal
    price: Decimal | None

    def net(self, currency: str) -> Decimal:
        """Quantity × price, rounded to the currency's decimals."""
        return rounded(self.quantity * (self.price or ZERO), currency)


def billed_items(severa: SeveraApi, books: Books, invoice: SeveraInvoice) -> tuple[BilledItem, ...]:
    """The items behind the rows (three lists), and one call for each row that is a flat rate."""
    found: list[BilledItem] = []
    for plain, credited, member, register in _LISTS:
        for body in severa.list(credited if invoice.is_credit_note else plain, parent=invoice.guid):
            found.append(_item(books, invoice, body, member, register))
    for row in invoice.rows:
        if row.flat_rate:
            project = _flat_rate_project(severa, row.flat_rate)
            found.append(
                BilledItem(row.guid, project, "", row.quantity, row.price_in(invoice.currency) or ZERO)
            )
    return tuple(one for one in found if one.row)


def _item(books: Books, invoice: SeveraInvoice, body: Json, member: str, register: str) -> BilledItem:
    # Read as if it were a row: money and its other currencies have the same form.
    priced = InvoiceRow.of({"unitPrice": read(body, "unitPrice")})
    billed = known_factor(read(body, "invoiceQuantity"))
    # Items of a credit note call a travel expense type 'product', and name no code at all.
    kind = read(body, member) or read(body, "product") or {}
    code = text(kind, "code")
    if not code and (known := books.record("severa", register, text(kind, "guid"))) is not None:
        code = text(known.body, "code")
    return BilledItem(
        row=text(body, "invoiceRowGuid"),
        project=text(body, "project.guid"),
        code=code,
        quantity=billed if billed is not None else factor(body, "quantity"),
        price=priced.price_in(invoice.currency),
    )


def _flat_rate_project(severa: SeveraApi, guid: str) -> str:
    try:
        return text(severa.get(FLAT_RATES, guid), "project.guid")
    except NotFound:
        return ""


# ---------------------------------------------------------------- projects


def project_of(invoice: SeveraInvoice, items: Iterable[BilledItem]) -> dict[str, str]:
    """Row guid → project guid, for rows whose items are all of one project; the only project counts for every row."""
    if len(invoice.projects) == 1:
        return {row.guid: invoice.projects[0].guid for row in invoice.rows}
    behind = list(items)
    found: dict[str, str] = {}
    for row in invoice.rows:
        projects = {one.project for one in _behind(row, behind) if one.project}
        if len(projects) == 1:
            found[row.guid] = projects.pop()
    return found


def _behind(row: InvoiceRow, items: Iterable[BilledItem]) -> list[BilledItem]:
    """A row's items; of a rebuilt line those of its code."""
    return [
        one
        for one in items
        if one.row == (row.rebuilt_from or row.guid) and (not row.rebuilt_from or one.code in row.codes)
    ]


def largest_project(invoice: SeveraInvoice, items: Iterable[BilledItem]) -> Party | None:
    """The project with the largest absolute net amount, of two alike the lower number; None if no row tells its own.

    A row of one project counts with its own amount, which a person may have edited; one of several with its items'.
    """
    behind = list(items)
    single = project_of(invoice, behind)
    nets: dict[str, Decimal] = {}
    for row in invoice.rows:
        if guid := single.get(row.guid):
            nets[guid] = nets.get(guid, ZERO) + row.net(invoice.currency)
            continue
        for one in _behind(row, behind):
            nets[one.project] = nets.get(one.project, ZERO) + one.net(invoice.currency)
    known = [one for one in invoice.projects if one.guid in nets]
    return min(known, key=lambda one: (-abs(nets[one.guid]), len(one.number), one.number), default=None)


# ---------------------------------------------------------------- grouped rows


def rebuilt(invoice: SeveraInvoice, mixed: Iterable[str], items: Iterable[BilledItem]) -> SeveraInvoice:
    """The invoice with every row of ``mixed`` (guids) replaced by one row per code, where the items add up to it.

    A row whose items do not add up stays as it is: whoever asks for its item then says what is wrong.
    """
    behind, wanted = list(items), set(mixed)
    rows: list[InvoiceRow] = []
    for row in invoice.rows:
        parts = _parts(row, _behind(row, behind), invoice.currency) if row.guid in wanted else None
        rows += parts or [row]
    return replace(invoice, rows=tuple(rows))


def _parts(row: InvoiceRow, items: list[BilledItem], currency: str) -> list[InvoiceRow] | None:
    """One row per code whose amounts add up to the row's to the cent, None if they do not."""
    if {one.code for one in items} != set(row.codes) or any(one.price is None for one in items):
        return None
    net = row.net(currency)
    # Whether the items of a credit note are negative like its rows is not documented: either way is taken.
    if net and sum((one.net(currency) for one in items), ZERO) == -net:
        items = [replace(one, quantity=-one.quantity) for one in items]
    by_code = {code: [one for one in items if one.code == code] for code in row.codes}
    for ways in (_by_quantity, _by_amount):
        parts = [_part(row, code, *ways(some, currency), currency) for code, some in by_code.items()]
        if sum((part.net(currency) for part in parts), ZERO) == net:
            return parts
    return None


def _by_quantity(items: list[BilledItem], currency: str) -> tuple[Decimal, Decimal]:
    """Quantity and price, if they are all at one price, else one × their amount."""
    if len({one.price for one in items}) == 1:
        return sum((one.quantity for one in items), ZERO), items[0].price or ZERO
    return _by_amount(items, currency)


def _by_amount(items: list[BilledItem], currency: str) -> tuple[Decimal, Decimal]:
    amount = sum((one.net(currency) for one in items), ZERO)
    return (Decimal(-1), -amount) if amount < 0 else (Decimal(1), amount)


def _part(row: InvoiceRow, code: str, quantity: Decimal, price: Decimal, currency: str) -> InvoiceRow:
    return replace(
        row,
        guid=f"{row.guid}/{code}",
        rebuilt_from=row.guid,
        codes=(code,),
        quantity=quantity,
        price=price,
        currency=currency,
        prices=(),
    )


def others(invoice: SeveraInvoice, chosen: Party) -> list[Party]:
    """The projects that a document does not carry, for the log and the note."""
    return [one for one in invoice.projects if one != chosen]
