"""ERP customers made in Severa (R-CUS-1)."""

from __future__ import annotations

import pytest

from domain.customer.steps import settle
from domain.errors import OutcomeUnknown, Refused
from domain.model import Effects
from tests.fakes_registers import poll, put_erp, put_severa
from tests.unit.domain.customer_world import codes, linked, ours, settled, stopped, theirs, world

pytestmark = pytest.mark.req("R-CUS-1")


def test_a_new_erp_customer_is_made_in_severa_with_number_terms_currency_and_address() -> None:
    made = world()
    put_erp(made, "customer", "20001", theirs())

    effects = settled(made, erp=("customer", "501"))

    (new,) = made.severa.records["customers"].values()
    assert (new["name"], new["number"], new["isActive"]) == ("Ada Bygg AB", 20001, True)
    assert (new["paymentTerm"], new["currency"]["guid"]) == (14, "sek")
    assert (new["vatNumber"], new["email"]) == ("SE556677889901", "faktura@ada.example")
    assert new["headquarterAddress"]["addressline"] == "c/o Ada\nStorgatan 1"
    assert new["headquarterAddress"]["country"] == "Sverige"
    assert codes(effects) == ["customer.created_in_severa"]
    made.calls.clear()
    made.clock.forward(600)
    poll(made)
    assert settled(made, erp=("customer", "501")).log == ()
    assert made.calls == []


@pytest.mark.req("R-CUS-3")
def test_inactive_erp_customers_are_not_brought_to_severa() -> None:
    made = world()
    put_erp(made, "customer", "20001", theirs(status="Inactive"))

    assert settled(made, erp=("customer", "501")) == Effects()
    assert made.calls == []


@pytest.mark.parametrize("method", ["customers", "customers/addresses"])
@pytest.mark.parametrize("after", [True, False])
def test_a_severa_create_without_an_answer_never_makes_a_second_record(method: str, after: bool) -> None:  # noqa: FBT001
    made = world()
    put_erp(made, "customer", "20001", theirs())
    made.faults.arm("create", method, OutcomeUnknown(), after=after)

    *_, last = made.run(settle, made.delivery("customer", erp=("customer", "501")))

    assert last.settled is not None
    assert len(made.severa.records["customers"]) == 1
    assert len(made.severa.records["customers/addresses"]) == 1


@pytest.mark.req("R-CUS-4")
def test_a_severa_customer_with_the_number_of_a_new_one_makes_room() -> None:
    made = world()
    put_severa(made, "customers", ours(guid="c2", name="Bo AB", number=20001, vatNumber=None))
    put_erp(made, "customer", "20001", theirs())

    effects = settled(made, erp=("customer", "501"))

    assert codes(effects) == ["customer.interim_number", "customer.created_in_severa"]


@pytest.mark.req("R-CUS-5")
def test_a_name_that_a_linked_severa_customer_has_is_a_problem() -> None:
    made = world()
    linked(made)
    put_erp(made, "customer", "20002", theirs(internalId=502, number="20002"))

    stop = stopped(made, erp=("customer", "502"))

    assert stop.code == "customer.name_taken"
    assert {"number": "20001", "name": "Ada Bygg AB"} in stop.values["others"]


def test_an_address_that_cannot_be_made_the_main_one_is_only_a_warning() -> None:
    made = world()
    put_erp(made, "customer", "20001", theirs())
    made.faults.arm(
        "patch", "customers", Refused("read only", system="severa", status=400, operation="PATCH")
    )

    effects = settled(made, erp=("customer", "501"))

    assert codes(effects) == ["customer.created_in_severa", "customer.address_not_main"]
