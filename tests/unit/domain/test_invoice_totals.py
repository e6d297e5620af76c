"""Totals and VAT against an independent calculation in whole smallest units, and the prediction of the ERP's."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.invoice.choices import Choices
from domain.invoice.document import Draft, draft
from domain.invoice.model import ErpDocument, SeveraInvoice
from domain.invoice.plan import Item, Needs
from domain.invoice.prove import prove
from domain.invoice.totals import VatTable, predict, rate_text, severa_vat, vat_on_lines, vat_on_sums
from domain.model import Json
from domain.money import decimals
from tests.fakes_ledger import row

D = Decimal
CURRENCIES = ("SEK", "JPY", "KWD")
RATES = st.decimals(min_value=0, max_value=D("25.5"), places=1)
ROWS = st.lists(
    st.tuples(
        st.decimals(min_value=D("-999.99"), max_value=D("999.99"), places=2),
        st.decimals(min_value=0, max_value=D("9999.9999"), places=4),
        st.sampled_from([D(0), D(6), D(12), D(25), D("25.5")]) | RATES,
    ),
    min_size=1,
    max_size=8,
)


def units(value: Fraction, currency: str) -> int:
    """Independent rounding: half away from zero to whole smallest units."""
    scaled = abs(value) * 10 ** decimals(currency)
    whole: int = int(scaled)
    whole += scaled - whole >= Fraction(1, 2)
    return whole if value >= 0 else -whole


def money(whole: int, currency: str) -> Decimal:
    return D(whole).scaleb(-decimals(currency))


def expected(
    rows: list[tuple[Decimal, Decimal, Decimal]], currency: str
) -> tuple[int, dict[Decimal, int], dict[Decimal, int]]:
    """Net, VAT per rate on sums, VAT per rate on lines, in smallest units."""
    nets = [(units(Fraction(q) * Fraction(p), currency), rate) for q, p, rate in rows]
    one = 10 ** decimals(currency)
    sums: dict[Decimal, int] = {}
    lines: dict[Decimal, int] = {}
    for net, rate in nets:
        sums[rate] = sums.get(rate, 0) + net
        lines[rate] = lines.get(rate, 0) + units(Fraction(net, one) * Fraction(rate) / 100, currency)
    on_sums = {rate: units(Fraction(net, one) * Fraction(rate) / 100, currency) for rate, net in sums.items()}
    return sum(net for net, _ in nets), on_sums, lines


def invoice(rows: list[tuple[Decimal, Decimal, Decimal]], currency: str, **more: Any) -> SeveraInvoice:
    """An invoice whose header totals come from the independent calculation."""
    net, on_sums, _ = expected(rows, currency)
    tax = sum(on_sums.values())
    lines = [
        row("X", str(q), str(p), str(rate), currency=currency, guid=f"r{i}", sortOrder=i)
        for i, (q, p, rate) in enumerate(rows)
    ]
    body: Json = {
        "guid": "g",
        "date": "2026-11-02",
        "currency": {"code": currency},
        "currencyRate": D(1),
        "customer": {"guid": "c", "name": "Ada"},
        "totalExcludingTax": {"amount": money(net, currency)},
        "totalTax": {"amount": money(tax, currency)},
        "totalIncludingTax": {"amount": money(net + tax, currency)},
    } | more
    return SeveraInvoice.of(body, lines)


@pytest.mark.req("R-INV-4", "R-INV-5")
@settings(max_examples=150)
@given(rows=ROWS, currency=st.sampled_from(CURRENCIES))
def test_row_amounts_and_vat_per_rate_equal_an_independent_calculation(
    rows: list[tuple[Decimal, Decimal, Decimal]], currency: str
) -> None:
    net, on_sums, on_lines = expected(rows, currency)
    made = invoice(rows, currency)
    parts = [(line.net(currency), line.vat_rate or D(0)) for line in made.rows]
    assert sum(amount for amount, _ in parts) == money(net, currency)
    assert vat_on_sums(parts, currency) == {rate: money(vat, currency) for rate, vat in on_sums.items()}
    assert vat_on_lines(parts, currency) == {rate: money(vat, currency) for rate, vat in on_lines.items()}


@pytest.mark.req("R-INV-5")
@settings(max_examples=100)
@given(rows=ROWS, currency=st.sampled_from(CURRENCIES), credit=st.booleans())
def test_an_erp_with_the_same_rates_is_predicted_to_the_last_unit(
    rows: list[tuple[Decimal, Decimal, Decimal]],
    currency: str,
    credit: bool,  # noqa: FBT001 - given by hypothesis
) -> None:
    made = invoice(rows, currency, isCreditNote=credit)
    rates = sorted({line.vat_rate or D(0) for line in made.rows})
    table = VatTable([vat(f"V{rate_text(rate)}", f"K{rate_text(rate)}", rate) for rate in rates], [])
    categories = {line.guid: f"K{rate_text(line.vat_rate or D(0))}" for line in made.rows}
    prediction = predict(made, categories, "01", table, date(2026, 11, 2))
    assert prediction is not None
    assert prediction.difference(made) == 0
    assert prediction.suspicious() is None


@pytest.mark.req("R-INV-4", "R-INV-7")
@settings(max_examples=100)
@given(
    rows=ROWS,
    currency=st.sampled_from(CURRENCIES),
    off=st.sampled_from([D(0), D("0.05"), D("-0.05"), D("0.051"), D("-1")]),
)
def test_the_proof_passes_exactly_within_the_tolerance_whatever_the_rows(
    rows: list[tuple[Decimal, Decimal, Decimal]], currency: str, off: Decimal
) -> None:
    made = invoice(rows, currency, isCreditNote=True)
    assume(made.total * made.sign + off >= 0)
    sent = drafted(made)
    proof = prove(made, sent, booked(made, sent, off), D("0.05"))
    assert proof.difference == off
    assert proof.ok == (abs(off) <= D("0.05"))


@pytest.mark.req("R-INV-5", "R-INV-7", "R-INV-16")
@settings(max_examples=150)
@given(
    rows=ROWS,
    currency=st.sampled_from(CURRENCIES),
    credit=st.booleans(),
    on_lines=st.booleans(),
    whole=st.booleans(),
)
def test_the_prediction_is_the_nearer_of_both_ways_of_rounding_whichever_severa_has(
    rows: list[tuple[Decimal, Decimal, Decimal]],
    currency: str,
    credit: bool,  # noqa: FBT001 - given by hypothesis
    on_lines: bool,  # noqa: FBT001 - given by hypothesis
    whole: bool,  # noqa: FBT001 - given by hypothesis
) -> None:
    if credit:
        rows = [(-quantity, price, rate) for quantity, price, rate in rows]
    net, sums, lines = expected(rows, currency)
    severa = sum((lines if on_lines else sums).values())
    total = (
        units(Fraction(money(net + severa, currency)), "JPY") * 10 ** decimals(currency)
        if whole
        else net + severa
    )
    made = invoice(
        rows,
        currency,
        isCreditNote=credit,
        totalTax={"amount": money(severa, currency)},
        totalIncludingTax={"amount": money(total, currency)},
    )
    rates = sorted({line.vat_rate or D(0) for line in made.rows})
    table = VatTable([vat(f"V{rate_text(rate)}", f"K{rate_text(rate)}", rate) for rate in rates], [])
    categories = {line.guid: f"K{rate_text(line.vat_rate or D(0))}" for line in made.rows}
    prediction = predict(made, categories, "01", table, date(2026, 11, 2))
    assert prediction is not None
    ways = [(sum(way.values()) - severa) * made.sign for way in (sums, lines)]
    # Severa's own way is one of the two, so the nearer one never differs.
    assert prediction.difference(made) == money(min(ways, key=abs), currency) == 0
    assert prediction.agrees(made, D("0.05"))
    assert made.rounding == money(total - net - severa, currency)


@pytest.mark.req("R-INV-4", "R-INV-7", "R-INV-9")
@settings(max_examples=100)
@given(rows=ROWS, currency=st.sampled_from(CURRENCIES), credit=st.booleans(), on_lines=st.booleans())
def test_what_is_sent_gives_an_erp_that_computes_by_itself_severas_total_with_positive_sign(
    rows: list[tuple[Decimal, Decimal, Decimal]],
    currency: str,
    credit: bool,  # noqa: FBT001 - given by hypothesis
    on_lines: bool,  # noqa: FBT001 - given by hypothesis
) -> None:
    if credit:
        rows = [(-quantity, price, rate) for quantity, price, rate in rows]
    made = invoice(rows, currency, isCreditNote=credit)
    sent = drafted(made)
    again = [
        (line["quantity"], line["unitPriceInCurrency"], rate)
        for line, (_, _, rate) in zip(sent.lines, rows, strict=True)
    ]
    net, sums, lines = expected(again, currency)
    tax = sum((lines if on_lines else sums).values())
    _, own, _ = expected(rows, currency)
    assert money(net, currency) == made.net * made.sign
    if not on_lines:
        assert money(net + tax, currency) == made.total * made.sign
    if credit:
        assert made.total * made.sign >= 0
    assert sum(own.values()) == units(Fraction(made.tax), currency)


def drafted(made: SeveraInvoice) -> Draft:
    need = Needs("10001", None, "4711", {line.guid: Item("X", None) for line in made.rows})
    choices = Choices(branch="1", terms="", period="", foreign=False, country=None, task="10", language="sv")
    return draft(made, need, choices)


def booked(made: SeveraInvoice, sent: Draft, off: Decimal) -> ErpDocument:
    """The ERP's document of a draft, its amount off by something that is no VAT and no line (a charge, say)."""
    sign = made.sign
    return ErpDocument.of(
        {
            "documentType": made.document_type,
            "referenceNumber": "1",
            "status": "Hold",
            "customer": {"number": "10001"},
            "currencyId": made.currency,
            "documentDate": "2026-11-02T00:00:00",
            "detailTotalInCurrency": made.net * sign + off,
            "discountTotalInCurrency": D(0),
            "vatTotalInCurrency": made.tax * sign,
            "amountInCurrency": made.total * sign + off,
            "roundingDiff": D(0),
            "lines": [
                {
                    "lineNumber": number,
                    "inventoryNumber": line["inventoryNumber"],
                    "quantity": line["quantity"],
                    "unitPriceInCurrency": line["unitPriceInCurrency"],
                }
                for number, line in enumerate(sent.lines, start=1)
            ],
        }
    )


def vat(vat_id: str, category: str, rate: Decimal, zone: str = "01", **more: Any) -> Json:
    return {
        "vatId": vat_id,
        "zones": [{"id": zone}],
        "categories": [{"vatCategoryId": category}],
        "schedules": [
            {"startDate": "2000-01-01T00:00:00", "vatRate": rate, "groupType": "Output"},
            {"startDate": "2000-01-01T00:00:00", "vatRate": D(99), "groupType": "Input"},
        ],
    } | more


def test_the_rate_of_a_day_is_the_last_one_that_has_begun() -> None:
    schedules = [
        {"startDate": "2000-01-01T00:00:00", "vatRate": D(25), "groupType": "Output"},
        {"startDate": "2026-04-01T00:00:00", "vatRate": D(6), "groupType": "Output"},
    ]
    table = VatTable([vat("U", "K", D(0), schedules=schedules)], [])
    before, after = table.rule("K", "01", date(2026, 3, 31)), table.rule("K", "01", date(2026, 4, 1))
    assert before is not None
    assert after is not None
    assert (before.rate, after.rate) == (D(25), D(6))


def test_a_rate_of_zero_is_known_and_not_taken_for_missing() -> None:
    rule = VatTable([vat("U00", "00", D(0))], []).rule("00", "01", date(2026, 11, 2))
    assert rule is not None
    assert rule.rate == 0


@pytest.mark.req("R-INV-5")
def test_reverse_charge_adds_no_vat() -> None:
    rule = VatTable([vat("EU0", "25", D(25), "02", reverseVat=True)], []).rule("25", "02", date(2026, 11, 2))
    assert rule is not None
    assert (rule.rate, rule.vat_id, rule.reverse) == (D(0), "EU0", True)


@pytest.mark.parametrize(
    "vats", [[], [vat("A", "K", D(1)), vat("B", "K", D(2))], [vat("A", "K", D(1), "02")]]
)
def test_nothing_is_guessed_where_no_rule_or_several_fit(vats: list[Json]) -> None:
    made = invoice([(D(1), D(100), D(25))], "SEK")
    assert predict(made, {"r0": "K"}, "01", VatTable(vats, []), date(2026, 11, 2)) is None


def test_vat_ids_of_a_category_may_stand_on_the_category_only() -> None:
    listed = vat("U25", "", D(25), categories=[])
    category = {"vatCategoryId": "25", "vatCategoryLines": [{"vatId": "U25"}]}
    rule = VatTable([listed], [category]).rule("25", "01", date(2026, 11, 2))
    assert rule is not None
    assert rule.rate == D(25)


def test_vat_per_rate_follows_the_way_that_severa_rounded() -> None:
    rows = [(D(1), D("0.50"), D(25))] * 3
    # 1.50 at 25 % is 0.38 on the sum and 3 × 0.13 = 0.39 on the lines.
    on_lines = invoice(rows, "SEK", totalTax={"amount": D("0.39")})
    assert [one.kept() for one in severa_vat(on_lines)] == [
        {"rate": "25", "vat_id": "", "net": "1.50", "vat": "0.39"}
    ]
    assert [one.kept()["vat"] for one in severa_vat(invoice(rows, "SEK"))] == ["0.38"]
