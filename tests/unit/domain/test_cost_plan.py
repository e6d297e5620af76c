"""Amounts against an independent calculation, the registers as the poller reads them, and words for every code."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cost import plan
from domain.cost.document import read_document
from domain.cost.registers import REGISTERS
from domain.model import Json
from domain.money import Currency
from domain.setup.settings import TenantSettings
from domain.words import SENTENCES
from tests.fakes_costs import batch, entry, invoice, line

amounts = st.decimals("-1000000", "1000000", places=2)
decimals_of = {"SEK": 2, "EUR": 2, "JPY": 0, "KWD": 3}


def half_away_from_zero(exact: Fraction, places: int) -> Fraction:
    """Rounding by hand: no Decimal, no context."""
    scaled = abs(exact) * 10**places
    whole = scaled.numerator // scaled.denominator
    if scaled - whole >= Fraction(1, 2):
        whole += 1
    return Fraction(whole, 10**places) * (-1 if exact < 0 else 1)


@pytest.mark.req("R-CST-2", "R-CST-3")
@given(
    cost=amounts,
    percent=st.decimals("0.01", "1000", places=2),
    rate=st.decimals("0.0001", "500", places=4),
    currency=st.sampled_from(sorted(decimals_of)),
)
def test_the_price_is_cost_times_multiplier_rounded_once(
    cost: Decimal, percent: Decimal, rate: Decimal, currency: str
) -> None:
    settings = TenantSettings.model_validate({"costs": "cost-and-fee", "cost_multiplier_percent": percent})
    rows: list[Json] = [
        {"code": "SEK", "isOrganizationCurrency": True, "rate": Decimal(1)},
        *({"code": code, "rate": rate} for code in decimals_of if code != "SEK"),
    ]

    price = plan.price_of(cost, settings, base="SEK", currency=currency, rates=plan.rates_of(rows, "SEK"))

    exact = Fraction(cost) * Fraction(percent) / 100
    if currency != "SEK":
        exact /= Fraction(rate)
    assert price is not None
    assert Fraction(price) == half_away_from_zero(exact, decimals_of[currency])
    assert -price.as_tuple().exponent == decimals_of[currency]  # type: ignore[operator]  # a finite number has an integer


@pytest.mark.req("R-CST-1", "R-CST-2")
@given(
    costs=st.lists(amounts, min_size=1, max_size=6),
    rate=st.sampled_from(["0", "6", "12", "25", "25.5"]),
    kind=st.sampled_from(["Invoice", "DebitAdj", "QuickCheck", "CreditAdj", "VoidQuickCheck"]),
    gross=st.booleans(),
)
def test_the_cost_of_a_supplier_line_is_net_and_signed(
    costs: list[Decimal], rate: str, kind: str, *, gross: bool
) -> None:
    percent = Fraction(Decimal(rate))
    share = percent / (100 + percent)
    vat = half_away_from_zero(sum((Fraction(cost) * share for cost in costs), Fraction(0)), 2)
    body = invoice(
        *(line(place, str(cost)) for place, cost in enumerate(costs, 1)),
        documentType=kind,
        taxCalculationMode="Gross" if gross else "Net",
        vatTotal=Decimal(vat.numerator) / Decimal(vat.denominator),
        taxDetailLines=[{"taxId": "25", "vatRate": Decimal(rate)}],
    )

    document = read_document("supplierInvoice", body, {})
    found = [plan.cost_of(one, document, "SEK") for one in document.lines]

    sign = -1 if kind in ("DebitAdj", "VoidQuickCheck") else 1
    net = [Fraction(cost) * (1 - share if gross and vat else 1) for cost in costs]
    assert [Fraction(one) for one in found] == [sign * half_away_from_zero(one, 2) for one in net]


@pytest.mark.req("R-CST-2")
@given(debit=amounts, credit=amounts)
def test_the_cost_of_a_journal_line_is_debit_minus_credit(debit: Decimal, credit: Decimal) -> None:
    document = read_document("journaltransaction", batch(entry(1, str(debit), str(credit))), {})

    assert plan.cost_of(document.lines[0], document, "SEK") == debit - credit


@pytest.mark.parametrize("settings", [{"costs": "cost"}, {"costs": "cost", "cost_multiplier_percent": "150"}])
@pytest.mark.req("R-CST-3")
def test_a_cost_only_has_the_price_zero(settings: dict[str, Any]) -> None:
    rates = plan.rates_of([], "SEK")

    price = plan.price_of(
        Decimal(100), TenantSettings.model_validate(settings), base="SEK", currency="EUR", rates=rates
    )

    assert price == 0


@pytest.mark.req("R-CST-3")
def test_when_severas_own_currency_is_not_the_erps_both_rates_count() -> None:
    rows: list[Json] = [
        {"code": "EUR", "isOrganizationCurrency": True, "rate": Decimal(1)},
        {"code": "SEK", "rate": Decimal("0.09")},
        {"code": "NOK", "rate": Decimal("0.08")},
    ]
    settings = TenantSettings.model_validate({"costs": "cost-and-fee"})

    price = plan.price_of(
        Decimal(100), settings, base="SEK", currency="NOK", rates=plan.rates_of(rows, "SEK")
    )

    assert price == Decimal("112.50")


@pytest.mark.req("R-CST-3")
def test_an_amount_is_also_proven_from_severas_other_currencies() -> None:
    money = {
        "amount": Decimal("8.89"),
        "currencyCode": "EUR",
        "multiCurrencyInfo": [{"amount": Decimal(100), "currencyCode": "SEK", "purpose": ["ProjectCost"]}],
    }

    assert plan.money_in(money, "SEK") == Decimal("100.00")
    assert plan.money_in(money, "NOK") is None


# ---------------------------------------------------------------- registers

registers = {register.name: register for register in REGISTERS}


def test_a_document_concerns_costs_only_if_it_is_settled_counts_and_names_a_project() -> None:
    concerns = registers["supplierInvoice"].concerns

    (concern,) = concerns(invoice())
    assert (concern.domain, concern.register, concern.id) == ("cost", "supplierInvoice", "Invoice/200771")
    assert concerns(invoice(status="Voided")) != ()
    assert concerns(invoice(status="Balanced")) == ()
    assert concerns(invoice(documentType="Prepayment")) == ()
    assert concerns(invoice(line(project="X"))) == ()
    without_lines = invoice()
    del without_lines["invoiceLines"]
    assert concerns(without_lines) != ()


def test_a_batch_concerns_costs_only_if_it_is_posted_of_our_modules_and_names_a_project() -> None:
    concerns = registers["journaltransaction"].concerns

    (concern,) = concerns(batch())
    assert (concern.register, concern.id) == ("journaltransaction", "ModuleGL/GL000954")
    assert concerns(batch(module="ModuleAP")) == ()
    assert concerns(batch(status="Balanced")) == ()
    assert concerns(batch(entry(project=None))) == ()


def test_stamps_and_counters_change_nothing_and_a_new_file_or_status_does() -> None:
    supplier, journal = registers["supplierInvoice"].projection, registers["journaltransaction"].projection

    assert supplier(invoice()) == supplier(
        invoice(
            line(costInCurrency=1), lastModifiedDateTime="2027-01-01T00:00:00", metadata={"totalCount": 9}
        )
    )
    assert supplier(invoice()) == supplier(invoice(line(cost="800")))
    for changed in (
        invoice(status="Voided"),
        invoice(attachments=[{"id": "a1", "name": "x.pdf"}]),
        invoice(line(attachments=[{"id": "a1", "name": "x.pdf"}])),
        invoice(line(cost="801")),
    ):
        assert supplier(changed) != supplier(invoice())
    assert journal(batch(entry(debit="1"))) != journal(batch(entry(debit="2")))


@pytest.mark.req("R-SET-7")
def test_registers_are_read_only_when_costs_are_wanted_and_old_documents_are_left() -> None:
    for register in REGISTERS:
        assert not register.wanted(TenantSettings.model_validate({}))
        assert register.wanted(TenantSettings.model_validate({"costs": "cost-and-fee"}))
    for name, body in (("supplierInvoice", invoice()), ("journaltransaction", batch())):
        assert registers[name].start_setting == "costs_from"
        assert registers[name].in_scope(body, None)
        assert registers[name].in_scope(body, date(2026, 3, 4))
        assert not registers[name].in_scope(body, date(2026, 4, 1))


# ---------------------------------------------------------------- words


@pytest.mark.parametrize("kind", ["Invoice", "CreditAdj", "DebitAdj", "QuickCheck", "VoidQuickCheck", "GL"])
def test_a_document_is_called_something_in_both_languages(kind: str) -> None:
    values = plan.named(read_document("supplierInvoice", invoice(documentType=kind), {}))

    swedish, english = (SENTENCES["cost.files"].fill(one, values | {"files": []}) for one in ("sv", "en"))
    assert swedish.startswith("Bilagor till ")
    assert english.startswith("Attachments of ")
    called, named = (text.partition("200771")[0].split(" ", 2)[2].strip() for text in (swedish, english))
    assert called != named
    assert (kind in called) == (kind == "GL")


@pytest.mark.req("R-CST-3")
def test_a_price_has_the_decimals_that_the_erp_lists_for_its_currency() -> None:
    settings = TenantSettings(costs="cost-and-fee", cost_multiplier_percent=Decimal(150))
    for code, told, price in (("JPY", 2, "50.52"), ("JPY", 0, "51"), ("SEK", None, "50.52")):
        currency = Currency.of(code, [{"id": code, "decimalPrecision": told}])
        found = plan.price_of(
            Decimal("33.68"), settings, base=currency, currency=currency, rates=plan.rates_of([], code)
        )
        assert str(found) == price
