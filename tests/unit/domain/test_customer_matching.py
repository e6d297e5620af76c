"""Who is who at first meeting (R-CUS-5)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from domain.customer.matching import erp_half, severa_half
from domain.errors import Stop
from domain.invoice.plan import credit_terms
from domain.model import Record
from domain.reference import CreditTerms, fixed_days
from tests.fakes import FakeBooks
from tests.fakes_vendors import Clock

pytestmark = pytest.mark.req("R-CUS-5")


def severa(number: int | None = 7, name: str = "Ada AB", vat: str = "", **more: Any) -> Record:
    body = {"guid": f"s{number}{name}", "number": number, "name": name, "vatNumber": vat, **more}
    return FakeBooks(Clock()).remember("severa", "customers", body)


def erp(number: str = "20001", name: str = "Ada AB", vat: str = "", **more: Any) -> Record:
    body = {"internalId": number, "number": number, "name": name, "vatRegistrationId": vat, **more}
    return FakeBooks(Clock()).remember("visma_net", "customer", body)


def half(record: Record, *others: Record) -> Record | None:
    return erp_half(record, others, lambda _one: True)


def test_number_and_name_agree_is_certain() -> None:
    other = erp("00007", " ada  ab")
    assert half(severa(7), other, erp("8", "Bo AB")) is other


def test_name_and_organisation_number_agree_is_certain_enough() -> None:
    by_vat = erp(vat="SE556677889901")
    by_organisation = erp(corporateId="556677-8899")
    assert half(severa(vat="5566778899"), by_vat) is by_vat
    assert half(severa(vat="SE556677889901"), by_organisation) is by_organisation


def test_a_number_alone_is_never_a_match() -> None:
    assert half(severa(7), erp("7", "Bo AB")) is None
    assert severa_half(erp("7", "Bo AB"), [severa(7)], lambda _one: True) == (None, None)


@pytest.mark.parametrize(
    "others",
    [
        [erp()],
        [erp("20001"), erp("20002")],
        [erp("20001", vat="5566778899"), erp("20002", vat="5566778899")],
        [erp(name="Ada Aktiebolag", vat="5566778899")],
    ],
    ids=["only the name", "two of the name", "two of name and organisation", "only the organisation"],
)
def test_what_is_not_certain_is_asked_with_the_candidates_named(others: list[Record]) -> None:
    with pytest.raises(Stop) as caught:
        half(severa(vat="SE556677889901"), *others)

    assert caught.value.code == "customer.ambiguous"
    assert {other.number for other in others} <= {one["number"] for one in caught.value.values["candidates"]}


def test_of_several_of_one_name_the_active_one_counts() -> None:
    active = erp("20002", vat="5566778899")
    assert half(severa(vat="5566778899"), erp("20001", vat="5566778899", status="Inactive"), active) is active


def test_customers_linked_already_are_no_candidates() -> None:
    assert erp_half(severa(7), [erp("7")], lambda _one: False) is None


def test_the_internal_customer_is_nobodys_half() -> None:
    assert severa_half(erp("7"), [severa(7, isInternal=True)], lambda _one: True) == (None, None)


def test_seen_from_the_erp_the_same_rules_hold() -> None:
    ours = severa(7)
    assert severa_half(erp("7"), [ours], lambda _one: True) == (ours, None)
    assert severa_half(erp("8"), [ours], lambda _one: True) == (None, ours)


def test_companies_of_two_countries_are_not_one_because_their_digits_agree() -> None:
    danish = erp(vat="DK12345678")
    with pytest.raises(Stop):
        half(severa(vat="FI12345678"), danish)
    assert half(severa(vat="FI12345678", name="Bo OY"), danish) is None


@pytest.mark.parametrize(
    ("more", "days"),
    [
        ({"dueDateType": "N", "instalmentType": "S"}, 30),
        ({"dueDateType": "Fixed Number of Days", "instalmentType": "Simple"}, 30),
        ({"dueDateType": "P", "instalmentType": "S"}, None),
        ({"dueDateType": "", "instalmentType": "S"}, None),
        ({"dueDateType": "N", "instalmentType": "M"}, None),
        ({"dueDateType": "N", "instalmentType": "S", "numberOfInstalments": 2}, None),
    ],
)
def test_customers_and_invoices_judge_credit_terms_by_one_table(
    more: dict[str, Any], days: int | None
) -> None:
    row = {"termsId": "30", "dueDay1": 30, **more}
    books = FakeBooks(Clock())
    books.remember("visma_net", "creditTerm", row)

    assert fixed_days(row) == days
    assert CreditTerms.of([row]).terms("30") == (["30"] if days else [])
    invoice = SimpleNamespace(payment_term=30)
    assert credit_terms(books, invoice, None, {}) == ("30" if days else "")  # type: ignore[arg-type]


def test_credit_terms_are_known_by_their_days() -> None:
    row = {"termsId": "30", "dueDateType": "FixedNumberOfDays", "dueDay1": 30, "instalmentType": "Single"}
    terms = CreditTerms.of(
        [
            row,
            {**row, "termsId": "30B", "numberOfInstalments": 0},
            {**row, "termsId": "3x30", "numberOfInstalments": 3},
            {**row, "termsId": "M", "instalmentType": "Multiple"},
            {**row, "termsId": "EOM", "dueDateType": "EndOfMonth"},
            {**row, "termsId": "?", "dueDay1": None},
        ]
    )

    assert terms.terms("30") == ["30", "30B"]
    assert terms.days("30B") == "30"
    assert terms.same("30", "30B")
    assert terms.same("", "")
    assert not terms.same("", "30")
    assert terms.days("EOM") == ""
