"""Canonical text, organisation numbers (R-SET-4), names and limits."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.text import (
    canonical,
    code_key,
    cut,
    lines,
    name_key,
    one_line,
    organisation_number,
    same_name,
    same_organisation,
    same_vat_number,
    vat_key,
)


@pytest.mark.req("R-SET-4")
@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("556677-8899", "5566778899"),
        ("5566778899", "5566778899"),
        ("SE556677889901", "5566778899"),
        ("se 556677-8899 01", "5566778899"),
        ("SE5566778899", "5566778899"),
        ("165566778899", "5566778899"),
        ("19800101-1234", "8001011234"),
        ("200001011234", "0001011234"),
        ("18800101-1234", "8001011234"),
        ("556677889901", "5566778899"),
        ("556677889902", "556677889902"),
        ("NO 999 888 777 MVA", "999888777"),
        ("NO999888777MVA", "999888777"),
        ("999888777", "999888777"),
        ("2345678-3", "23456783"),
        ("FI23456783", "23456783"),
        ("GB123456789001", "123456789001"),
        ("", ""),
        (None, ""),
        ("saknas", ""),
    ],
)
def test_organisation_numbers_are_compared_in_one_form(typed: str | None, number: str) -> None:
    assert organisation_number(typed) == number


def test_two_empty_numbers_are_not_the_same_organisation() -> None:
    assert not same_organisation("", None)
    assert same_organisation("SE556677889901", "556677-8899")


def test_a_vat_number_without_digits_is_compared_as_it_is() -> None:
    assert vat_key("N/A") != vat_key("")
    assert same_vat_number("SE556677889901", "556677-8899")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("DK12345678", "FI12345678"),
        ("ESA12345674", "ESB12345674"),
        ("FRAB123456789", "FRCD123456789"),
        ("IE1234567FA", "IE1234567WA"),
        ("NL123456789B01", "NL123456789B02"),
        ("SE556677889901", "SE556677889902"),
        ("SE556677889901", ""),
    ],
)
def test_a_vat_number_is_another_one_when_its_letters_are(before: str, after: str) -> None:
    assert not same_vat_number(before, after)
    assert vat_key(before) != vat_key(after)


@pytest.mark.parametrize(
    "typed", ["se5566778899 01", "SE 556677-8899-01", "SE.5566.7788.9901", "556677-8899"]
)
def test_blanks_dots_dashes_and_case_are_no_other_vat_number(typed: str) -> None:
    assert same_vat_number("SE556677889901", typed)


@pytest.mark.req("R-SET-4")
@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("DK12345678", "FI12345678", False),
        ("ESA12345674", "ESB12345674", False),
        ("DK12345678", "12345678", True),
        ("NO 999 888 777 MVA", "NO999888777", True),
        ("CHE-123.456.789 MWST", "CHE123456789", True),
        ("SE556677889901", "SE 556677-8899", True),
    ],
)
def test_companies_of_two_countries_are_not_one_because_their_digits_agree(
    left: str, right: str, *, same: bool
) -> None:
    assert same_organisation(left, right) is same
    assert same_organisation(right, left) is same


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (12, "12"),
        (Decimal("1200.500"), "1200.5"),
        (Decimal("1200"), "1200"),
        (Decimal("1.2E+3"), "1200"),
        (Decimal("-0.00"), "0"),
        ("  Ada\r\nAB ", "Ada\nAB"),
        ("Umea\u030a", "Umeå"),
    ],
)
def test_values_have_one_canonical_text(value: object, text: str) -> None:
    assert canonical(value) == text


def test_a_float_has_no_canonical_text_because_money_must_never_have_been_one() -> None:
    with pytest.raises(TypeError):
        canonical(0.1)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_canonical_numbers_keep_their_value(number: Decimal) -> None:
    assert Decimal(canonical(number)) == number


def test_names_are_compared_without_case_and_inner_spaces() -> None:
    assert same_name("Ada  Bygg ab", " ADA Bygg AB")
    assert not same_name("", " ")
    assert name_key("Ada\nAB") == "ada ab"


def test_the_way_letters_are_composed_is_no_other_name() -> None:
    assert name_key("Ma\u0308larbygg") == name_key("Mälarbygg") == "mälarbygg"
    assert name_key("MA\u0308LARBYGG") == "mälarbygg"
    assert code_key("kons-A\u030a") == code_key("KONS-å")


def test_a_text_is_cut_to_its_limit_and_shows_that_it_was() -> None:
    assert cut("123456789", 9) == "123456789"
    assert cut("1234567890", 9) == "12345678…"
    assert cut("1234567 90", 9) == "1234567…"
    with pytest.raises(ValueError, match="limit"):
        cut("x", 0)


def test_several_lines_fold_to_one() -> None:
    assert one_line(" a\r\n\n b ") == "a b"
    assert lines(" a\r\n\n b ") == ["a", "b"]
