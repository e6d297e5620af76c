"""Supplier documents and journal batches read into one shape: a document with the lines that may be costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from domain.cost.registers import (
    COST_IS_AFTER_DISCOUNT,
    EXPENSE,
    JOURNALS,
    RELEASED_BATCHES,
    RELEASED_DOCUMENTS,
    SIGNS,
    SUPPLIER_INVOICES,
    VOIDED,
    has_project,
    journal_id,
    line_key,
    module_of,
    supplier_id,
)
from domain.mapper import day, decimal, moment, read, text
from domain.model import Json
from domain.money import ZERO
from domain.moves import ERP_TIME_SLACK
from domain.text import one_line

# How the marker of a fee begins; it ends with "]".
MARKER = "[ERP "
# How far ahead of its own date a document may have been brought.
DATED_AHEAD = timedelta(days=366)

Share = tuple[Decimal, Decimal]
"""What part of an amount is net, as a fraction (numerator, denominator): a quotient would be rounded too early."""

WHOLE: Share = (Decimal(1), Decimal(1))
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in the ERP: its id for the download, and its name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line that names a project.

    amount        signed, company currency, as it stands in the document; None if it stands nowhere
    net           what part of it is net of VAT; None if the VAT that the amount includes cannot be told
    account_type  '' when the document does not show it
    parts         what the description is joined from, empty parts left out
    """

    key: str
    account: str
    account_type: str
    project: str
    project_id: str
    amount: Decimal | None
    net: Share | None
    label: str
    parts: tuple[str, ...]
    files: tuple[Attachment, ...]

    @property
    def description(self) -> str:
        """What is said of the line in Severa, without its marker."""
        return ", ".join(part for part in self.parts if part)


@dataclass(frozen=True, slots=True)
class Document:
    """A supplier document or a journal batch. ``kind`` is the document type, or the module of a journal."""

    register: str
    id: str
    kind: str
    number: str
    partner: str
    dated: date | None
    ledger: str
    released: bool
    voided: bool
    lines: tuple[Line, ...]
    files: tuple[Attachment, ...]
    made: datetime | None = None

    def marker(self, key: str, *, void: bool = False) -> str:
        """What stands in a fee's description, so that a fee can be found before it is made again."""
        return f"{self.prefix}{key}{' void' if void else ''}]"

    @property
    def prefix(self) -> str:
        """How the markers of all its lines begin."""
        return f"{MARKER}{self.kind} {self.number}/"

    @property
    def no_fee_before(self) -> datetime | None:
        """No fee of this document was made or changed before this time (UTC), None if nothing tells.

        A document is brought after it was made in the ERP; journals do not say when that was, and may be dated ahead.
        """
        if self.made is not None:
            made = self.made if self.made.tzinfo is not None else self.made.replace(tzinfo=UTC)
            return made - ERP_TIME_SLACK
        if self.dated is None:
            return None
        return datetime.combine(self.dated, time(), UTC) - DATED_AHEAD


def read_document(register: str, body: Json, categories: Mapping[str, frozenset[str]]) -> Document:
    """The document in a body of ``supplierInvoice`` or ``journaltransaction``. ``categories``: VAT category → VAT ids,
    needed only where ``includes_vat`` says so."""
    if register == JOURNALS:
        return _journal(body)
    return _supplier(body, categories)


def includes_vat(body: Json) -> bool:
    """Whether the lines of a supplier document include VAT."""
    return text(body, "taxCalculationMode") == "Gross"


def is_expense(account_type: str) -> bool:
    """Only expense accounts hold costs; balance-sheet and income accounts are left (R-CST-1)."""
    return account_type.casefold() == EXPENSE.casefold()


def _supplier(body: Json, categories: Mapping[str, frozenset[str]]) -> Document:
    kind, number = text(body, "documentType"), text(body, "referenceNumber")
    supplier_number = one_line(text(body, "supplier.number"))
    supplier_name = one_line(text(body, "supplier.name"))
    sign = SIGNS.get(kind, 0)
    rows: Sequence[Json] = read(body, "invoiceLines") or ()
    shares = _shares(body, rows, categories)
    lines = []
    for place, row in enumerate(rows, 1):
        if not has_project(row):
            continue
        cost = _cost(row)
        label = one_line(text(row, "transactionDescription"))
        lines.append(
            Line(
                key=line_key(row, place),
                account=text(row, "account.number"),
                account_type=text(row, "account.type"),
                project=text(row, "project.id"),
                project_id=text(row, "project.internalId"),
                amount=None if cost is None else cost * sign,
                net=shares[place - 1],
                label=label or one_line(text(body, "description")),
                parts=(label, number, supplier_number, supplier_name),
                files=_files(row),
            )
        )
    status = text(body, "status")
    return Document(
        register=SUPPLIER_INVOICES,
        id=supplier_id(body),
        kind=kind,
        number=number,
        partner=supplier_name or supplier_number,
        dated=day(read(body, "date")),
        ledger="",
        released=sign != 0 and status in RELEASED_DOCUMENTS,
        voided=sign != 0 and status == VOIDED,
        lines=tuple(lines),
        files=_files(body),
        made=moment(read(body, "createdDateTime")),
    )


def _cost(row: Json) -> Decimal | None:
    cost = decimal(read(row, "cost"))
    if cost is None or COST_IS_AFTER_DISCOUNT:
        return cost
    return cost - (decimal(read(row, "discountAmount")) or ZERO)


def _journal(body: Json) -> Document:
    rows: Sequence[Json] = read(body, "journalTransactionLines") or ()
    lines = []
    for place, row in enumerate(rows, 1):
        if not has_project(row):
            continue
        debit, credit = decimal(read(row, "debitAmount")), decimal(read(row, "creditAmount"))
        label = one_line(text(row, "transactionDescription"))
        lines.append(
            Line(
                key=line_key(row, place),
                account=text(row, "accountNumber"),
                account_type="",
                project=text(row, "project.id"),
                project_id=text(row, "project.internalId"),
                amount=None if debit is None and credit is None else (debit or ZERO) - (credit or ZERO),
                net=WHOLE,
                label=label or one_line(text(body, "description")),
                parts=(
                    label,
                    one_line(text(row, "referenceNumber")),
                    one_line(text(row, "customerSupplier")),
                ),
                files=_files(row),
            )
        )
    status = text(body, "status")
    return Document(
        register=JOURNALS,
        id=journal_id(body),
        kind=module_of(body),
        number=text(body, "batchNumber"),
        partner=one_line(text(body, "description")),
        dated=day(read(body, "transactionDate")),
        ledger=text(body, "ledger"),
        released=status in RELEASED_BATCHES,
        voided=status == VOIDED,
        lines=tuple(lines),
        files=_files(body),
    )


def _files(body: Json) -> tuple[Attachment, ...]:
    found = (
        Attachment(text(file, "id"), text(file, "name") or text(file, "id"))
        for file in read(body, "attachments") or ()
    )
    return tuple(file for file in found if file.id)


# ---------------------------------------------------------------- VAT in the lines


def _shares(body: Json, rows: Sequence[Json], categories: Mapping[str, frozenset[str]]) -> list[Share | None]:
    """The net part of every line. Where lines include VAT, the first of these that explains the document's own VAT
    counts: the rates of the lines' VAT categories, the VAT details of the lines' codes, one rate for all, the totals."""
    vat = decimal(read(body, "vatTotal"))
    if not includes_vat(body) or vat == 0:
        return [WHOLE] * len(rows)
    costs = [_cost(row) or ZERO for row in rows]
    codes = [text(row, "vatCode.id") for row in rows]
    details = _rates(read(body, "taxDetailLines") or ())
    rates = set(details.values())
    guesses: list[list[Share | None]] = []
    if details:
        guesses.append([_of_category(code, details, categories) for code in codes])
        guesses.append([_at(details[code]) if code in details else None for code in codes])
    if len(rates) == 1:
        guesses.append([_at(*rates)] * len(rows))
    total = sum(costs, ZERO)
    if len(set(codes)) == 1 and vat is not None and total != 0:
        guesses.append([(total - vat, total)] * len(rows))
    return next((guess for guess in guesses if _explains(guess, costs, vat)), [None] * len(rows))


def _of_category(
    code: str, details: Mapping[str, Decimal], categories: Mapping[str, frozenset[str]]
) -> Share | None:
    if code not in categories:
        return None
    rates = {details[vat] for vat in categories[code] if vat in details}
    # A category none of whose VAT ids was charged is exempt.
    return None if len(rates) > 1 else _at(next(iter(rates), ZERO))


def _at(rate: Decimal) -> Share:
    return (_HUNDRED, _HUNDRED + rate)


def _rates(details: Iterable[Json]) -> dict[str, Decimal]:
    """VAT id → rate in percent, under every name that the document's VAT details give it."""
    found: dict[str, Decimal] = {}
    for detail in details:
        rate = decimal(read(detail, "vatRate"))
        for path in ("taxId", "vatId.number"):
            if rate is not None and text(detail, path):
                found[text(detail, path)] = rate
    return found


def _explains(guess: Sequence[Share | None], costs: Sequence[Decimal], vat: Decimal | None) -> bool:
    """Whether the VAT that a guess takes out of the lines is the document's, but for rounding."""
    taken = ZERO
    for share, cost in zip(guess, costs, strict=True):
        if share is None:
            return False
        taken += cost - cost * share[0] / share[1]
    return vat is None or abs(taken - vat) <= Decimal("0.01") * (len(costs) + 4)
