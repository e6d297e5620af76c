"""What the ERP computes on a document: line amounts, VAT per id, rounding, company-currency amounts."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from simulators.visma_net.answers import not_in_system
from simulators.visma_net.documents import ZERO, Document, Line, TaxLine
from simulators.visma_net.state import Company, Vat

KRONA = Decimal(1)
HUNDRED = Decimal(100)


CENT = Decimal("0.01")


def rounded(amount: Decimal, unit: Decimal = CENT) -> Decimal:
    """Half away from zero, to a unit."""
    return amount.quantize(unit, ROUND_HALF_UP)


def unit_of(company: Company, currency: str) -> Decimal:
    """The smallest amount of a currency, by the company's own register of currencies (``decimals``, 2 if it says none)."""
    return Decimal(1).scaleb(-int(company.currencies.get(currency, {}).get("decimals", 2)))


def kept(value: Decimal, decimals: int | None) -> Decimal:
    """A quantity or price as the ledger keeps it."""
    return value if decimals is None else rounded(value, Decimal(1).scaleb(-decimals))


def to_base(company: Company, amount: Decimal, rate: Decimal) -> Decimal:
    """An amount of the document in the company's currency."""
    if rate == 1:
        return amount
    inverse = company.switches.exchange_rate_divides
    return rounded(amount / rate if inverse else amount * rate, unit_of(company, company.base_currency))


def from_base(company: Company, amount: Decimal, rate: Decimal) -> Decimal:
    """An amount of the company's currency in the document's."""
    if rate == 1:
        return amount
    return rounded(amount * rate if company.switches.exchange_rate_divides else amount / rate)


def vat_of(company: Company, category: str, zone: str) -> Vat:
    """Category × zone. Raises the documented refusals (docs/vendors/visma-net-erp.md E42) for a category that does not
    exist and for a pair that has no VAT."""
    if category not in company.vat_categories:
        raise not_in_system("TaxCategoryID", category)
    vat_id = company.vat_rules.get((category, zone))
    if vat_id is None:
        raise not_in_system("TaxID", category)
    return company.vats[vat_id]


def compute_line(company: Company, document: Document, line: Line) -> None:
    """Price, amount and discount of a line, from what was sent and what the item and the price rules say."""
    price = line.unit_price
    if price is None:
        listed = line.item.body["defaultPrice"] if line.item is not None else ZERO
        price = from_base(company, Decimal(listed), document.rate)
        line.unit_price = price
    unit, quantity, switches = unit_of(company, document.currency), line.quantity, company.switches
    if switches.shortened_counts:
        quantity = kept(quantity, switches.quantity_decimals)
        price = kept(price, switches.price_decimals)
    gross = rounded(quantity * price, unit) if line.manual_amount is None else line.manual_amount
    percent = line.discount_percent
    rule = switches.price_rule_discount_percent
    if rule and not line.manual_discount:
        percent = Decimal(rule)
    if line.discount_sent is not None:
        line.discount_amount = line.discount_sent
    else:
        line.discount_amount = rounded(gross * percent / HUNDRED, unit)
    line.discount_percent = percent
    line.amount = gross - line.discount_amount


def compute(company: Company, document: Document) -> None:
    """Fill amounts, taxes and totals of a document from its lines. Raises the VAT refusals of ``vat_of``."""
    by_vat: dict[str, list[Decimal]] = {}
    vats: dict[str, Vat] = {}
    for line in document.lines:
        compute_line(company, document, line)
        vat = vat_of(company, line.vat_category, document.zone)
        vats[vat.id] = vat
        by_vat.setdefault(vat.id, []).append(line.amount)
    unit = unit_of(company, document.currency)
    per_line = company.switches.vat_rounding == "line"
    document.taxes = []
    for vat_id, amounts in by_vat.items():
        rate = Decimal(vats[vat_id].rate)
        taxable = sum(amounts, ZERO)
        if per_line:
            vat_amount = sum((rounded(amount * rate / HUNDRED, unit) for amount in amounts), ZERO)
        else:
            vat_amount = rounded(taxable * rate / HUNDRED, unit)
        exempt = rate == 0 and not vats[vat_id].reverse
        document.taxes.append(TaxLine(vat_id, vats[vat_id].description, rate, taxable, vat_amount, exempt))
    document.detail_total = sum((line.amount for line in document.lines), ZERO)
    document.vat_total = sum((tax.vat for tax in document.taxes), ZERO)
    total = document.detail_total + document.vat_total
    document.total = total
    if company.switches.whole_kronor and document.currency == company.base_currency:
        document.total = rounded(total, KRONA)
    document.rounding = document.total - total


def with_check_digit(number: str) -> str:
    """A Swedish OCR reference: the number and its modulus-10 check digit."""
    digits = [int(sign) for sign in number if sign.isdigit()]
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = digit * (2 if position % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return f"{''.join(map(str, digits))}{-total % 10}"
