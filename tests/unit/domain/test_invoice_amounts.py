"""Amounts of both systems as they were meant: their sign, a double's noise, fewer decimals, and a currency's own."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest

from domain.invoice.amounts import direction
from domain.invoice.model import ErpDocument
from domain.invoice.registers import projection
from domain.invoice.steps import settle
from domain.invoice.totals import money_text
from domain.model import Json
from domain.money import Currency, decimals, factor_of_double, of_double, rounded, shown
from tests.fakes_ledger import Firm, row, totals
from tests.saying import wrong
from tests.unit.domain.invoice_booking import codes, stopped

D = Decimal


# ---------------------------------------------------------------- the sign of a document

ZERO_NOTES = {
    "rounded to whole kronor": ([row("CONS", "-1", "0.30", "25")], True),
    "rows that cancel each other": ([row("FREE", "-1", "125", "0"), row("CONS", "1", "100", "25")], False),
    "both the other way": ([row("FREE", "1", "125", "0"), row("CONS", "-1", "100", "25")], False),
    "positive as some have it": ([row("CONS", "1", "0.30", "25")], True),
    "nothing at all": ([row("CONS", "-1", "100", "25"), row("CONS", "1", "100", "25")], False),
}


@pytest.mark.req("R-INV-7", "R-INV-16")
@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize("name", ZERO_NOTES)
def test_a_credit_note_whose_total_is_zero_is_booked(name: str, empty: bool) -> None:  # noqa: FBT001
    rows, whole = ZERO_NOTES[name]
    firm = Firm()
    firm.erp.rounds_to_whole = whole
    firm.erp.amount_before_release = not empty
    firm.invoice(rows, whole=whole, isCreditNote=True)
    settled = settle(firm.transfer())
    assert firm.document()["status"] == "Closed"
    assert firm.in_severa_now()["number"] == 101
    assert [line.code for line in settled.effects.log if line.level == "warning"] == [
        "invoice.credit_left_open"
    ]


@pytest.mark.req("R-INV-7")
@pytest.mark.parametrize("shown_as", [1, -1])
@pytest.mark.parametrize("empty", [False, True])
def test_a_credit_note_with_net_and_vat_of_opposite_signs_goes_the_way_of_its_total(
    shown_as: int,
    empty: bool,  # noqa: FBT001
) -> None:
    """Total −40 with a net of +10: by the net alone it would be turned round a second time."""
    rows = [row("CONS", "-2", "100", "25"), row("FREE", "1", "210", "0")]
    firm = Firm()
    firm.erp.amount_before_release = not empty
    firm.invoice(rows, isCreditNote=True)
    settle(firm.transfer())
    booked = {**firm.document(), "amountInCurrency": None if empty else D(40)}
    for name in ("detailTotalInCurrency", "vatTotalInCurrency", "amountInCurrency"):
        booked[name] = booked[name] * shown_as if booked[name] is not None else None
    for tax in booked["taxDetails"]:
        tax |= {"vatAmount": tax["vatAmount"] * shown_as, "taxableAmount": tax["taxableAmount"] * shown_as}
    document = ErpDocument.of(booked, "CreditNote")
    assert (document.totals.net, document.totals.vat, document.totals.total) == (D(-10), D(50), D(40))
    assert {tax.rate: (tax.taxable, tax.vat) for tax in document.taxes} == {
        D(25): (D(200), D(50)),
        D(0): (D(-210), D(0)),
    }


@pytest.mark.req("R-INV-7")
def test_tax_lines_of_a_credit_note_may_be_negative_although_its_amounts_are_not() -> None:
    firm = Firm()
    firm.invoice([row("CONS", "-1", "100", "25")], isCreditNote=True)
    settle(firm.transfer())
    booked = firm.document()
    for tax in booked["taxDetails"]:
        tax |= {"vatAmount": -tax["vatAmount"]}
    [tax] = ErpDocument.of(booked, "CreditNote").taxes
    assert (tax.taxable, tax.vat) == (D(100), D(25))


@pytest.mark.req("R-INV-16")
@pytest.mark.parametrize("sign", [1, -1])
def test_a_total_that_was_rounded_away_is_zero_whatever_the_sign_of_the_rounding(sign: int) -> None:
    body = {
        "detailTotalInCurrency": D("0.30"),
        "vatTotalInCurrency": D("0.08"),
        "roundingDiff": D("0.38") * sign,
    }
    rounded_away = ErpDocument.of(body | {"amountInCurrency": D("0.00")}).totals
    assert (rounded_away.total, rounded_away.rounded_by) == (0, D("-0.38"))
    empty = ErpDocument.of(body | {"amountInCurrency": D("0.00"), "roundingDiff": D(0)}).totals
    assert empty.total == D("0.38")


def test_the_first_amount_that_is_not_zero_tells_the_direction() -> None:
    assert [direction(D(0), D("-0.38"), D(1)), direction(D(2), D(-9)), direction(D(0), D("-0"))] == [-1, 1, 1]


@pytest.mark.req("R-INV-12")
def test_a_credit_note_of_zero_is_the_same_booking_when_it_is_set_back() -> None:
    firm = Firm()
    firm.invoice([row("FREE", "-1", "125", "0"), row("CONS", "1", "100", "25")], isCreditNote=True)
    delivery = firm.transfer()
    firm.finish(delivery, settle(delivery))
    firm.in_severa_now()["status"] = {"guid": "s-transfer", "name": "Överför"}
    firm.poll()
    assert codes(settle(firm.transfer())) == ["invoice.restored"]


# ---------------------------------------------------------------- a double's noise


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("1250.0000000000002", "1250"),
        ("1249.9999999999977", "1250"),
        ("-0.30000000000000004", "-0.3"),
        ("100.1249999999999", "100.125"),
        ("1250.00001", "1250.00001"),
        ("1250.0049", "1250.0049"),
        ("1250.01", "1250.01"),
    ],
)
def test_noise_of_a_double_is_taken_off_and_a_real_difference_never_is(told: str, meant: str) -> None:
    assert of_double(D(told)) == D(meant)


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("99.99000000000001", "99.99"),
        ("0.0000005", "0.0000005"),
        ("33.3333333333", "33.3333333333"),
        ("7.300000000000001", "7.3"),
    ],
)
def test_prices_and_quantities_keep_every_digit_that_a_double_tells_truly(told: str, meant: str) -> None:
    assert factor_of_double(D(told)) == D(meant)


@pytest.mark.req("R-INV-4")
def test_a_total_with_a_doubles_noise_gives_no_warning() -> None:
    firm = Firm()
    firm.know_vat()
    body = firm.invoice([row("CONS", "10", "100.00000000000001", "25")])
    body["totalIncludingTax"]["amount"] = D("1250.0000000000002")
    body["totalExcludingTax"]["amount"] = D("1000.0000000000001")
    body["totalTax"]["amount"] = D("249.99999999999997")
    firm.poll()
    delivery = firm.transfer()
    settled = settle(delivery)
    assert codes(settled) == ["invoice.transferred"]
    assert settled.effects.log[0].values["total"] == {"amount": "1250.00", "currency": "SEK"}


@pytest.mark.req("R-INV-9")
def test_a_rate_with_a_doubles_noise_gives_no_warning() -> None:
    firm = Firm()
    firm.erp.company_rate = D("11.2345")
    firm.invoice([row("CONS", "10", "100", "25")], currencyRate=D("11.234500000000001"))
    firm.in_severa_now()["currency"] = {"code": "EUR"}
    for line in firm.severa.children["invoices/invoicerows", "inv-1"]:
        line["unitPrice"]["currencyCode"] = "EUR"
    firm.poll()
    delivery = firm.transfer()
    assert "invoice.proof_warning" not in codes(settle(delivery))
    assert firm.document()["exchangeRate"] == D("11.2345")


def test_a_total_that_comes_now_with_and_now_without_noise_is_no_change() -> None:
    firm = Firm()
    plain = firm.invoice([row("CONS", "10", "100", "25")])
    noisy = {**plain, "totalIncludingTax": {"amount": D("1250.0000000000002"), "currencyCode": "SEK"}}
    assert projection(plain) == projection(noisy)


# ---------------------------------------------------------------- fewer decimals in the ERP


def shortened(firm: Firm, **members: Any) -> None:
    """What the ERP shows of a line once it has computed it."""
    plain = firm.erp._line
    firm.erp._line = lambda index, line, sent: plain(index, line, sent) | members  # type: ignore[method-assign]


@pytest.mark.req("R-INV-4")
@pytest.mark.parametrize(
    ("quantity", "price", "kept"),
    [
        ("3", "33.3333333333", {"unitPriceInCurrency": D("33.3333")}),
        ("3", "33.3333333333", {"unitPriceInCurrency": D("33.33")}),
        ("7.3333333333", "1000", {"quantity": D("7.33")}),
        ("7.6666666667", "1000", {"quantity": D("7.66")}),
        ("0.3333333333", "0.6666666667", {"quantity": D("0.33"), "unitPriceInCurrency": D("0.67")}),
        ("7.3000000001", "10", {"quantity": D("7.3000")}),
    ],
)
def test_a_line_that_the_erp_keeps_with_fewer_decimals_is_the_same(
    quantity: str, price: str, kept: Json
) -> None:
    firm = Firm()
    shortened(firm, **kept)
    firm.invoice([row("CONS", quantity, price, "25")])
    assert codes(settle(firm.transfer())) == ["invoice.transferred"]
    assert firm.erp.deleted == []


@pytest.mark.req("R-INV-4")
@pytest.mark.parametrize(
    ("kept", "told"),
    [
        # The product is equal, and neither factor is the sent one with fewer decimals.
        ({"quantity": D(12), "unitPriceInCurrency": D(8)}, ("quantity", "unitPriceInCurrency")),
        ({"quantity": D(4), "unitPriceInCurrency": D(24)}, ("quantity", "unitPriceInCurrency")),
        # More decimals than were sent are no shortening either.
        ({"unitPriceInCurrency": D("12.004")}, ("unitPriceInCurrency",)),
        ({"unitPriceInCurrency": D("12.01"), "amountInCurrency": D(96)}, ("unitPriceInCurrency",)),
        ({"quantity": D("7.99"), "amountInCurrency": D("95.88")}, ("quantity",)),
    ],
)
def test_another_quantity_or_price_is_told_whatever_the_amount(kept: Json, told: tuple[str, ...]) -> None:
    firm = Firm()
    shortened(firm, **kept)
    firm.invoice([row("CONS", "8", "12", "25")])
    stop = stopped(firm)
    assert stop.code in {"invoice.content_differs", "invoice.total_differs"}
    assert set(told) <= {one["field"] for one in stop.values["reasons"]}


@pytest.mark.req("R-INV-4")
def test_a_line_that_fewer_decimals_change_by_more_than_the_tolerance_fails_with_both_values() -> None:
    firm = Firm()
    shortened(firm, quantity=D("7.33"), amountInCurrency=D("7330.00"))
    firm.invoice([row("CONS", "7.3333333333", "1000", "25")])
    stop = stopped(firm)
    assert "antal (rad 1): 7,3333333333 / 7,33" in wrong(stop)


@pytest.mark.req("R-INV-4")
def test_a_line_that_fewer_decimals_change_within_the_tolerance_is_a_warning() -> None:
    firm = Firm()
    shortened(firm, unitPriceInCurrency=D("33.3333"), amountInCurrency=D("33333.30"))
    firm.invoice([row("CONS", "1000", "33.33333", "0")], **totals([row("CONS", "1", "33333.30", "0")]))
    firm.erp.rates["CONS"] = D(0)
    delivery = firm.transfer()
    told = {line.code: line.values for line in settle(delivery).effects.log}
    assert {"field": "unitPriceInCurrency", "severa": "33.33333", "erp": "33.3333", "line": 1} in told[
        "invoice.proof_warning"
    ]["differences"]


# ---------------------------------------------------------------- a currency's decimals


def test_a_currency_is_its_code_and_knows_its_decimals() -> None:
    register = [{"id": "jpy ", "decimalPrecision": 2}, {"id": "SEK", "decimalPrecision": None}, {"id": "X"}]
    yen = Currency.of("JPY", register)
    assert (yen, decimals(yen), rounded(D("1234.555"), yen)) == ("JPY", 2, D("1234.56"))
    assert decimals(Currency.of("SEK", register)) == 2
    assert decimals(Currency.of("KWD", register)) == 3
    assert decimals(Currency.of("JPY", [])) == 0
    assert decimals(Currency.of("SEK", [{"id": "SEK", "decimalPrecision": -1}])) == 2
    assert decimals(pickle.loads(pickle.dumps(yen))) == 2  # noqa: S301 - our own bytes


def test_a_sentence_shows_what_rounding_would_hide() -> None:
    assert money_text(D("1234.50"), "JPY") == "1234.5 JPY"
    assert money_text(D("1235"), "JPY") == "1235 JPY"
    assert shown(D("1234.5"), "SEK") == "1234.50"
    assert shown(D("1234.505"), "SEK") == "1234.505"


def yen_firm(precision: int | None) -> Firm:
    firm = Firm()
    firm.know_vat()
    if precision is not None:
        firm.books.remember(
            "visma_net", "currency", {"id": "JPY", "description": "Yen", "decimalPrecision": precision}
        )
        firm.erp.store("currency", {"id": "JPY", "decimalPrecision": precision}, key="JPY")
    return firm


@pytest.mark.req("R-INV-5", "R-INV-9")
def test_amounts_are_rounded_as_the_erps_own_register_says() -> None:
    firm = yen_firm(2)
    lines = [row("FREE", "1", "1234.50", "0", currency="JPY")]
    firm.invoice(lines, currency="JPY", **totals([row("FREE", "1", "1234.50", "0")], "SEK"))
    compute = firm.erp._compute

    def with_two_decimals(document: Json, member: str) -> None:
        for line in document[member]:
            line["amountInCurrency"] = line["quantity"] * line["unitPriceInCurrency"]
        document["currencyId"] = "SEK"
        compute(document, member)
        document["currencyId"] = "JPY"

    firm.erp._compute = with_two_decimals  # type: ignore[method-assign]
    assert codes(settle(firm.transfer())) == ["invoice.transferred"]


@pytest.mark.req("R-INV-5")
@pytest.mark.parametrize("precision", [None, 0])
def test_a_total_that_the_currency_cannot_have_is_told_with_both_values(precision: int | None) -> None:
    firm = yen_firm(precision)
    lines = [row("FREE", "1", "1234.50", "0", currency="JPY")]
    firm.invoice(lines, currency="JPY", **totals([row("FREE", "1", "1234.50", "0")], "SEK"))
    stop = stopped(firm)
    assert stop.code == "invoice.total_would_differ"
    assert stop.values["severa_total"] == {"amount": "1234.5", "currency": "JPY"}
    assert stop.values["erp_total"] == {"amount": "1235", "currency": "JPY"}
    assert firm.erp.documents() == []
