"""The proof to the cent: a held ERP document against the Severa invoice and against what was sent (R-INV-4, R-INV-16)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain.invoice.document import Draft
from domain.invoice.model import ErpDocument, ErpLine, InvoiceRow, SeveraInvoice
from domain.invoice.registers import SAME_RATE_DIRECTION
from domain.invoice.table import HEADER, LINE
from domain.invoice.totals import VatAmount, severa_vat
from domain.model import Json
from domain.money import ZERO, rounded, smallest_unit
from domain.sheet import Sheet
from domain.text import number_text
from domain.values import pair


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as sent. ``line`` is the number of the line, None for the header; ``essential`` ones fail
    the proof, the others are warnings."""

    field: str
    severa: str
    erp: str
    essential: bool
    line: int | None = None

    def kept(self) -> Json:
        """As a problem keeps it (``domain.values.pair``): the member of a block by its own name, VAT with its rate."""
        if self.of_rate:
            name, _, rate = self.field.partition(" ")
            return pair(name, self.severa, self.erp, rate=rate.removesuffix(" %"))
        return pair(self.field.rpartition(".")[2], self.severa, self.erp, line=self.line)

    @property
    def of_rate(self) -> bool:
        """Whether it is the VAT of one rate: ``vat 25 %``."""
        return self.field.startswith("vat ")


@dataclass(frozen=True, slots=True)
class Proof:
    """``difference`` = ERP total − Severa total in invoice currency, credit notes positive on both sides."""

    ok: bool
    difference: Decimal
    severa_total: Decimal
    erp_total: Decimal
    severa_vat: tuple[VatAmount, ...]
    erp_vat: tuple[VatAmount, ...]
    findings: tuple[Finding, ...]

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What differs and does not fail the proof."""
        return tuple(one for one in self.findings if not one.essential)

    @property
    def reasons(self) -> tuple[Finding, ...]:
        """Why the proof failed."""
        return tuple(one for one in self.findings if one.essential)


def prove(
    invoice: SeveraInvoice, sent: Draft, document: ErpDocument, tolerance: Decimal, *, foreign: bool = False
) -> Proof:
    """Whether the document may be released: all that was sent stands there and the totals agree within ``tolerance``
    (a difference of exactly the tolerance passes)."""
    sign = invoice.sign
    severa_total = invoice.total * sign
    difference = document.totals.total - severa_total
    findings = [
        *_shown_otherwise(HEADER, invoice.document_type, sent.header, document.body),
        *_lines(sent, document, invoice, tolerance),
        *_totals(invoice, document, tolerance),
    ]
    if foreign:
        findings += _company(invoice, document, tolerance)
    return Proof(
        ok=not any(one.essential for one in findings),
        difference=difference,
        severa_total=severa_total,
        erp_total=document.totals.total,
        severa_vat=severa_vat(invoice),
        erp_vat=tuple(VatAmount(one.rate, one.taxable, one.vat, one.vat_id) for one in document.taxes),
        findings=tuple(findings),
    )


# ---------------------------------------------------------------- lines


# Decimals that an ERP keeps of a quantity or a price at the least.
_KEPT_DECIMALS = 2


def _lines(
    sent: Draft, document: ErpDocument, invoice: SeveraInvoice, tolerance: Decimal
) -> Iterator[Finding]:
    currency = invoice.currency
    found = sorted(document.lines, key=lambda line: int(line.number) if line.number.isdigit() else 0)
    if len(found) != len(sent.lines):
        yield Finding("lines", str(len(sent.lines)), str(len(found)), essential=True)
        return
    for number, (wanted, line) in enumerate(zip(sent.lines, found, strict=True), start=1):
        yield from _factors(number, wanted, line, currency, max(tolerance, smallest_unit(currency)))
        yield from _shown_otherwise(LINE, invoice.document_type, wanted, line.body, number)


def _factors(
    number: int, wanted: Mapping[str, Any], line: ErpLine, currency: str, allowed: Decimal
) -> Iterator[Finding]:
    """Quantity and price, compared within what they can change in money.

    An ERP keeps fewer decimals than Severa may have: a factor that is the sent one cut or rounded is the same, as long as
    the line's amount is (a difference up to ``allowed`` is a warning). Anything else is another quantity or price, also
    where their product happens to be equal.
    """
    factors = (("quantity", line.quantity), ("unitPriceInCurrency", line.price))
    off = [(member, have) for member, have in factors if have != wanted[member]]
    if not off:
        return
    expected = rounded(wanted["quantity"] * wanted["unitPriceInCurrency"], currency)
    # An amount that is not computed yet (0) says no more than a missing one.
    amount = line.amount or rounded(line.quantity * line.price, currency)
    difference = abs(amount - expected)
    for member, have in off:
        essential = difference > allowed or not _shortened(wanted[member], have)
        if essential or difference:
            yield Finding(member, number_text(wanted[member]), number_text(have), essential, line=number)


def _shortened(sent: Decimal, kept: Decimal) -> bool:
    """Whether ``kept`` is ``sent`` with fewer decimals, rounded or cut: 33.3333333333 → 33.3333, 7.3333333333 → 7.33."""
    exponent = kept.normalize().as_tuple().exponent
    digits = max(_KEPT_DECIMALS, -exponent if isinstance(exponent, int) else 0)
    return abs(sent - kept) < Decimal(1).scaleb(-digits)


def _shown_otherwise(
    sheet: Sheet[Any], kind: str, sent: Mapping[str, Any], body: Json, line: int | None = None
) -> Iterator[Finding]:
    for row, wanted, found in sheet.differing(kind, sent, body):
        yield Finding(row.member, wanted, found, row.essential, line)


# ---------------------------------------------------------------- totals


def _totals(invoice: SeveraInvoice, document: ErpDocument, tolerance: Decimal) -> Iterator[Finding]:
    sign, totals = invoice.sign, document.totals
    pairs = (
        ("total", invoice.total * sign, totals.total),
        ("net", invoice.net * sign, totals.net),
        ("vat", invoice.tax * sign, totals.vat),
        ("rounding", invoice.rounding * sign, totals.rounded_by),
    )
    for name, severa, erp in pairs:
        if severa != erp:
            yield Finding(name, f"{severa:f}", f"{erp:f}", essential=abs(erp - severa) > tolerance)
    yield from _per_rate(invoice, document, tolerance)


def _per_rate(invoice: SeveraInvoice, document: ErpDocument, tolerance: Decimal) -> Iterator[Finding]:
    """VAT per rate. Left out where the ERP's tax lines are not in document currency (they do not add up to its VAT
    then) or Severa's rows do not give Severa's tax."""
    severa = {one.rate: one.vat for one in severa_vat(invoice)}
    erp: dict[Decimal, Decimal] = {}
    for tax in document.taxes:
        erp[tax.rate] = erp.get(tax.rate, ZERO) + tax.vat
    if not erp or abs(sum(erp.values(), ZERO) - document.totals.vat) > tolerance:
        return
    if abs(sum(severa.values(), ZERO) - invoice.tax * invoice.sign) > tolerance:
        return
    for rate in sorted({*severa, *erp}):
        have, want = erp.get(rate, ZERO), severa.get(rate, ZERO)
        if have != want:
            yield Finding(
                f"vat {number_text(rate)} %", f"{want:f}", f"{have:f}", essential=abs(have - want) > tolerance
            )


def _company(invoice: SeveraInvoice, document: ErpDocument, tolerance: Decimal) -> Iterator[Finding]:
    """The amount in the company's currency: shows a rate that goes the other way round."""
    if not document.company.total:
        return
    rate = invoice.rate if SAME_RATE_DIRECTION else Decimal(1) / invoice.rate
    expected = invoice.total * invoice.sign * rate
    # The tolerance is money in invoice currency; each line is rounded once more in the company's.
    allowed = tolerance * max(rate, Decimal(1)) + tolerance
    if abs(document.company.total - expected) > allowed:
        yield Finding("company amount", f"{expected:.2f}", f"{document.company.total:f}", essential=True)


# ---------------------------------------------------------------- the row at fault


def suspect(invoice: SeveraInvoice, document: ErpDocument) -> str:
    """The row that most likely causes a difference, '' if none stands out (R-INV-4).

    First a line whose amount is not the row's. Else, of the rate whose VAT differs most, the row whose own VAT comes
    nearest to that difference: its percentage is probably wrong.
    """
    sign = invoice.sign
    lines = sorted(document.lines, key=lambda line: int(line.number) if line.number.isdigit() else 0)
    if len(lines) == len(invoice.rows):
        for row, line in zip(invoice.rows, lines, strict=True):
            if line.amount and line.amount != row.net(invoice.currency) * sign:
                return _named(row)
    erp: dict[Decimal, Decimal] = {}
    for tax in document.taxes:
        erp[tax.rate] = erp.get(tax.rate, ZERO) + tax.vat
    off = {one.rate: one.vat - erp.get(one.rate, ZERO) for one in severa_vat(invoice)}
    rate = max(off, key=lambda one: abs(off[one]), default=None)
    if rate is None or not off[rate]:
        # Severa has no VAT where the ERP has some: then it is a row of 0 %.
        rate = ZERO if ZERO in off and erp != {ZERO: ZERO} else None
    rows = [row for row in invoice.rows if (row.vat_rate or ZERO) == rate]
    if rate is None or not rows:
        return ""
    missing = off[rate]
    return _named(
        min(rows, key=lambda row: abs(row.net(invoice.currency) * sign * rate / 100 - missing))
        if rate
        else max(rows, key=lambda row: abs(row.net(invoice.currency)))
    )


def _named(row: InvoiceRow) -> str:
    """A row as a problem names it, with its percentage."""
    name = row.description.split("\n", 1)[0] or ", ".join(row.codes) or row.row_type
    return f"{row.sort_order}: {name[:60]} ({number_text(row.vat_rate or ZERO)} %)"
