"""A delivery that makes an address in Severa and dies at any of its calls: it is made once, and a later edit of it stands."""

from __future__ import annotations

import copy

import pytest

from domain.customer.steps import settle
from domain.model import Json
from tests.fakes import World
from tests.fakes_registers import poll, put_severa
from tests.unit.domain.customer_world import linked, ours, theirs, world
from tests.unit.domain.ends_lost import Death, deaths, rest
from tests.unit.domain.test_ends_lost import RULES, ruled
from tests.unit.domain.test_ends_lost_meetings import address

pytestmark = pytest.mark.req("R-CON-1", "R-CUS-7")

WHICH = {"domain": "customer", "severa": ("customers", "c1")}


def moved_in_the_erp(rule: str) -> World:
    """A linked customer of one address, whose invoices go elsewhere from now on."""
    made = ruled(world(), conflict_customer=rule)
    put_severa(made, "addresses", address())
    erp = theirs()
    linked(made, ours(number=20001), erp)
    there = made.erp.stored("customer", "20001")
    there["invoiceAddress"] = copy.deepcopy(there["mainAddress"]) | {
        "addressLine1": "Box 1",
        "city": "Kiruna",
    }
    poll(made)
    return made


def new_ones(death: Death) -> list[Json]:
    return [row for guid, row in death.made.severa.records["addresses"].items() if guid != "a1"]


def invoiced_to(made: World) -> tuple[str, str]:
    [row] = [one for one in made.severa.records["addresses"].values() if one["isBillingAddress"]]
    return row["city"], made.erp.stored("customer", "20001")["invoiceAddress"]["city"]


@pytest.mark.parametrize("rule", RULES)
def test_whenever_it_dies_the_address_is_made_once(rule: str) -> None:
    for death in deaths(lambda: moved_in_the_erp(rule), settle, **WHICH):
        assert rest(death, settle, **WHICH) == [], death.at
        assert len(new_ones(death)) == 1, death.at
        assert invoiced_to(death.made) == ("Kiruna", "Kiruna"), death.at


@pytest.mark.parametrize("polled", [True, False])
@pytest.mark.parametrize("rule", RULES)
def test_an_address_that_is_edited_before_the_next_attempt_is_not_made_twice(
    rule: str, *, polled: bool
) -> None:
    seen = 0
    for death in deaths(lambda: moved_in_the_erp(rule), settle, **WHICH):
        rows = new_ones(death)
        if not rows:
            continue
        seen += 1
        rows[0]["city"] = "Luleå"
        told = rest(death, settle, polled=polled, **WHICH)
        assert len(new_ones(death)) == 1, death.at
        if rule == "ask" and told:
            # Whether our write came before the edit cannot be told.
            assert set(told) == {"customer.conflict"}, death.at
            assert invoiced_to(death.made) == ("Luleå", "Kiruna"), death.at
            continue
        assert (*invoiced_to(death.made), told) == ("Luleå", "Luleå", []), death.at
    assert seen > 3


@pytest.mark.parametrize("rule", RULES)
def test_an_address_that_changes_in_the_erp_before_the_next_attempt_is_not_made_twice(rule: str) -> None:
    for death in deaths(lambda: moved_in_the_erp(rule), settle, **WHICH):
        death.made.erp.stored("customer", "20001")["invoiceAddress"]["city"] = "Luleå"
        told = rest(death, settle, **WHICH)
        assert len(new_ones(death)) == 1, death.at
        assert (*invoiced_to(death.made), told) == ("Luleå", "Luleå", []), death.at
