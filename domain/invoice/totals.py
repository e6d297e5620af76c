"""VAT and totals, on Severa's side and as the ERP will compute them (R-INV-5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.invoice.model import InvoiceRow, SeveraInvoice
from domain.mapper import day, decimal, flag, read, text
from domain.model import Json
from domain.money import ZERO, rounded, shown

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class VatAmount:
    """Net and VAT of one rate; ``vat_id`` is the ERP's, '' on Severa's side."""

    rate: Decimal
    net: Decimal
    vat: Decimal
    vat_id: str = ""

    def kept(self) -> Json:
        """As a problem keeps it (kind ``rates`` of ``domain.values``)."""
        return {
            "rate": rate_text(self.rate),
            "vat_id": self.vat_id,
            "net": _two(self.net),
            "vat": _two(self.vat),
        }


def rate_text(rate: Decimal) -> str:
    """A percentage without trailing zeros: 25, 25.5."""
    return f"{rate.normalize():f}"


def _two(value: Decimal) -> str:
    """An amount with at least two decimals."""
    exponent = value.as_tuple().exponent
    return f"{value:.2f}" if isinstance(exponent, int) and exponent > -2 else f"{value:f}"


def money_text(value: Decimal, currency: str) -> str:
    """An amount for what is hashed: the currency's decimals and its code; more decimals where those would hide some. People are
    told ``domain.values.money``."""
    return f"{shown(value, currency)} {currency}".strip()


def per_rate(amounts: Iterable[VatAmount]) -> list[Json]:
    """VAT per rate, for a problem."""
    return [one.kept() for one in amounts]


def vat_on_sums(parts: Iterable[tuple[Decimal, Decimal]], currency: str) -> dict[Decimal, Decimal]:
    """Rate → VAT on the sum of the rate's nets, rounded once; ``parts`` are (net, rate in percent)."""
    sums: dict[Decimal, Decimal] = {}
    for net, rate in parts:
        sums[rate] = sums.get(rate, ZERO) + net
    return {rate: rounded(net * rate / HUNDRED, currency) for rate, net in sums.items()}


def vat_on_lines(parts: Iterable[tuple[Decimal, Decimal]], currency: str) -> dict[Decimal, Decimal]:
    """Rate → sum of the VAT of each line, each rounded; ``parts`` are (net, rate in percent)."""
    sums: dict[Decimal, Decimal] = {}
    for net, rate in parts:
        sums[rate] = sums.get(rate, ZERO) + rounded(net * rate / HUNDRED, currency)
    return sums


def severa_vat(invoice: SeveraInvoice) -> tuple[VatAmount, ...]:
    """VAT per rate as Severa has it, signs as the ERP shows them, highest rate first.

    Severa tells only the whole tax; of the two ways of rounding the one that comes nearer to it is shown.
    """
    parts = [(row.net(invoice.currency) * invoice.sign, row.vat_rate or ZERO) for row in invoice.rows]
    tax = invoice.tax * invoice.sign
    on_sums, on_lines = vat_on_sums(parts, invoice.currency), vat_on_lines(parts, invoice.currency)
    near = min((on_sums, on_lines), key=lambda way: abs(sum(way.values(), ZERO) - tax))
    return _amounts(parts, near, {})


def _amounts(
    parts: Iterable[tuple[Decimal, Decimal]], vat: Mapping[Decimal, Decimal], ids: Mapping[Decimal, str]
) -> tuple[VatAmount, ...]:
    nets: dict[Decimal, Decimal] = {}
    for net, rate in parts:
        nets[rate] = nets.get(rate, ZERO) + net
    return tuple(
        VatAmount(rate, nets[rate], vat[rate], ids.get(rate, "")) for rate in sorted(nets, reverse=True)
    )


# ---------------------------------------------------------------- what the ERP will make of it


@dataclass(frozen=True, slots=True)
class VatRule:
    """What category × zone gives in the ERP."""

    vat_id: str
    rate: Decimal
    reverse: bool


class VatTable:
    """VAT ids of the ERP by item category and customer zone, from the reference registers ``vat`` and ``vatCategory``."""

    def __init__(self, vats: Sequence[Json], categories: Sequence[Json]) -> None:
        self._vats = vats
        self._lines = {
            text(category, "vatCategoryId"): read(category, "vatCategoryLines") or []
            for category in categories
        }

    def rule(self, category: str, zone: str, at: date) -> VatRule | None:
        """The one VAT id of a category in a zone on a day; None if there is none, or several, or no rate is known:
        then nothing is predicted."""
        found = [vat for vat in self._vats if self._fits(vat, category, zone)]
        if len(found) != 1 or not category or not zone:
            return None
        vat = found[0]
        reverse = flag(read(vat, "reverseVat"), default=False) or text(vat, "type") == "ReverseVat"
        rate = ZERO if reverse else self._rate(vat, category, at)
        return None if rate is None else VatRule(text(vat, "vatId"), rate, reverse)

    def _fits(self, vat: Json, category: str, zone: str) -> bool:
        zones = {text(one, "id") for one in read(vat, "zones") or []}
        categories = {text(one, "vatCategoryId") for one in read(vat, "categories") or []}
        listed = {text(line, "vatId") for line in self._lines.get(category, [])}
        return zone in zones and (category in categories or text(vat, "vatId") in listed)

    def _rate(self, vat: Json, category: str, at: date) -> Decimal | None:
        lines = [one for one in self._lines.get(category, []) if text(one, "vatId") == text(vat, "vatId")]
        rates = [rate for line in lines for rate in read(line, "vatRates") or []]
        scheduled = _valid(read(vat, "schedules") or [], at)
        return scheduled if scheduled is not None else _valid(rates, at)


def _valid(schedules: Sequence[Json], at: date) -> Decimal | None:
    """The rate of the latest schedule for sales that has begun."""
    begun = [
        (day(read(one, "startDate")) or date.min, decimal(read(one, "vatRate")) or ZERO)
        for one in schedules
        if text(one, "groupType") in {"", "Output"}
    ]
    return max(((start, rate) for start, rate in begun if start <= at), default=(at, None))[1]


@dataclass(frozen=True, slots=True)
class PredictedLine:
    """A row with the rule that the ERP will apply to it."""

    row: InvoiceRow
    net: Decimal
    rule: VatRule


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the ERP will compute; ``vat`` in both ways of rounding, because its setting is not readable."""

    lines: tuple[PredictedLine, ...]
    net: Decimal
    vat_document: Decimal
    vat_line: Decimal
    per_rate: tuple[VatAmount, ...]

    def difference(self, invoice: SeveraInvoice) -> Decimal:
        """Predicted total before öresavrundning minus Severa's, of the way of rounding that comes nearer."""
        severa = (invoice.net + invoice.tax) * invoice.sign
        return min((self.net + vat - severa for vat in (self.vat_document, self.vat_line)), key=abs)

    def agrees(self, invoice: SeveraInvoice, tolerance: Decimal) -> bool:
        """Whether the proof will pass: the total, and the VAT of each rate, within ``tolerance``.

        Per rate only where Severa's rows give Severa's tax: otherwise the proof does not compare them either.
        """
        if abs(self.difference(invoice)) > tolerance:
            return False
        severa = {one.rate: one.vat for one in severa_vat(invoice)}
        if abs(sum(severa.values(), ZERO) - invoice.tax * invoice.sign) > tolerance:
            return True
        parts = [(one.net, one.rule.rate) for one in self.lines]
        ways = (vat_on_sums(parts, invoice.currency), vat_on_lines(parts, invoice.currency))
        return any(
            all(abs(way.get(rate, ZERO) - severa.get(rate, ZERO)) <= tolerance for rate in {*way, *severa})
            for way in ways
        )

    def total(self, invoice: SeveraInvoice) -> Decimal:
        """The predicted total, with Severa's öresavrundning."""
        return (invoice.total * invoice.sign) + self.difference(invoice)

    def suspicious(self) -> PredictedLine | None:
        """The row whose VAT differs most: the one that most likely causes the difference."""
        wrong = [one for one in self.lines if (one.row.vat_rate or ZERO) != one.rule.rate]
        return max(
            wrong, key=lambda one: abs(one.net * ((one.row.vat_rate or ZERO) - one.rule.rate)), default=None
        )


def predict(
    invoice: SeveraInvoice, categories: Mapping[str, str], zone: str, table: VatTable, at: date
) -> Prediction | None:
    """What the ERP will compute for the invoice; None where a rule is not known (no guess: the proof still runs).

    ``categories``: row guid → VAT category of the item that the row is posted on; ``zone``: the customer's VAT zone.
    """
    lines: list[PredictedLine] = []
    for row in invoice.rows:
        rule = table.rule(categories.get(row.guid, ""), zone, at)
        if rule is None:
            return None
        lines.append(PredictedLine(row, row.net(invoice.currency) * invoice.sign, rule))
    parts = [(one.net, one.rule.rate) for one in lines]
    on_sums, on_lines = vat_on_sums(parts, invoice.currency), vat_on_lines(parts, invoice.currency)
    # 0 % may be an export on one row and reverse charge on another: every VAT id is shown (R-INV-5).
    ids = {
        rate: "/".join(sorted({one.rule.vat_id for one in lines if one.rule.rate == rate}))
        for rate in on_sums
    }
    return Prediction(
        lines=tuple(lines),
        net=sum((net for net, _ in parts), ZERO),
        vat_document=sum(on_sums.values(), ZERO),
        vat_line=sum(on_lines.values(), ZERO),
        per_rate=_amounts(parts, on_sums, ids),
    )
