"""Main, invoice and delivery address, both ways (mapping 'Customers')."""

from __future__ import annotations

from typing import Any

import pytest

from domain.customer import addresses
from domain.customer.places import BLOCKS, three_lines
from domain.customer.steps import settle
from domain.errors import Unavailable
from domain.model import Json
from tests.fakes import World
from tests.fakes_registers import poll, put_erp, put_severa
from tests.unit.domain.customer_world import changed, codes, later, linked, ours, settled, theirs, world

pytestmark = pytest.mark.req("R-CUS-1")

ALL = {"isBillingAddress": True, "isPostalAddress": True, "isVisitAddress": True}
NONE = dict.fromkeys(ALL, False)


def place(guid: str = "a1", **more: Any) -> Json:
    return {
        "guid": guid,
        "customer": {"guid": "c1"},
        "addressline": "c/o Ada\nStorgatan 1",
        "postalCode": "90325",
        "city": "Umeå",
        "country": {"guid": "se", "name": "Sverige"},
        "createdDateTime": f"2026-01-0{guid[-1]}T00:00:00Z",
        **ALL,
        **more,
    }


def block(**more: Any) -> Json:
    return {
        "addressId": 9001,
        "addressLine1": "c/o Ada",
        "addressLine2": "Storgatan 1",
        "addressLine3": "",
        "postalCode": "90325",
        "city": "Umeå",
        "country": {"id": "SE"},
        **more,
    }


def in_step(made: World, *places: Json, **blocks: Json) -> tuple[Json, Json]:
    """A linked customer whose three addresses are one in both systems, unless said otherwise."""
    for one in places or (place(),):
        put_severa(made, "addresses", one)
    shown = {name: block() for name in ("mainAddress", "invoiceAddress", "deliveryAddress")}
    severa, erp = linked(made, erp=theirs(**{**shown, **blocks}))
    assert changed(made) == []
    return severa, erp


def test_a_changed_severa_address_reaches_the_erp_once_for_all_roles_it_holds() -> None:
    made = world()
    in_step(made)
    made.severa.patch("addresses", "a1", {"/city": "Luleå"})
    made.calls.clear()

    effects = later(made)

    (update,) = [call for call in made.calls if call.method == "update"]
    assert update.body["mainAddress"] == {"value": {"city": {"value": "Luleå"}}}
    assert "invoiceAddress" not in update.body, "an address that is the main one must stay the main one"
    assert codes(effects) == ["customer.updated_in_erp"]


def test_roles_that_would_not_follow_the_main_address_are_put_right() -> None:
    made = world()
    # Three addresses that look alike but are not one: what was not sent has not followed.
    _, erp = in_step(made, **{name: block(addressId=None) for name in BLOCKS.values()})
    made.severa.patch("addresses", "a1", {"/city": "Luleå"})

    later(made)

    assert [erp[name]["city"] for name in BLOCKS.values()] == ["Luleå"] * 3


def test_a_changed_main_address_of_the_erp_changes_the_one_severa_address() -> None:
    made = world()
    severa, erp = in_step(made)
    for name in BLOCKS.values():
        erp[name] = block(addressLine2="Nygatan 5", country={"id": "NO"})

    effects = later(made)

    assert changed(made) == ["severa patch addresses a1"]
    assert made.severa.stored("addresses", "a1")["addressline"] == "c/o Ada\nNygatan 5"
    assert made.severa.stored("addresses", "a1")["country"] == {"guid": "no", "name": "Norge"}
    assert severa["headquarterAddress"]["addressline"] == "c/o Ada\nNygatan 5"
    assert codes(effects) == ["customer.updated_in_severa"]
    made.calls.clear()
    assert later(made).log == ()
    assert changed(made) == []


def test_an_invoice_address_of_its_own_splits_the_shared_severa_address() -> None:
    made = world()
    _, erp = in_step(made)
    erp["invoiceAddress"] = block(addressId=9002, addressLine1="Fakturafack 7", addressLine2="", city="Piteå")

    later(made)

    shared = made.severa.stored("addresses", "a1")
    (new,) = [row for row in made.severa.records["addresses"].values() if row["guid"] != "a1"]
    assert (shared["isBillingAddress"], shared["isPostalAddress"], shared["isVisitAddress"]) == (
        False,
        True,
        True,
    )
    assert shared["city"] == "Umeå"
    assert (new["addressline"], new["city"], new["country"]["guid"]) == ("Fakturafack 7", "Piteå", "se")
    assert (new["isBillingAddress"], new["isPostalAddress"], new["isVisitAddress"]) == (True, False, False)
    made.calls.clear()
    assert later(made).log == ()
    assert changed(made) == []


def test_a_split_that_was_cut_off_makes_no_second_address() -> None:
    made = world()
    _, erp = in_step(made)
    erp["invoiceAddress"] = block(addressId=9002, addressLine1="Fakturafack 7", addressLine2="")
    made.clock.forward(600)
    poll(made)
    made.faults.arm("patch", "addresses", Unavailable("away"))
    delivery = made.delivery("customer", severa=("customers", "c1"))
    with pytest.raises(Unavailable):
        settle(delivery)
    poll(made)

    settled(made)

    assert len(made.severa.records["addresses"]) == 2


def test_the_unchanged_role_keeps_the_address_that_two_roles_share() -> None:
    held = {"main": place("a1"), "invoice": place("a2"), "delivery": place("a2")}
    now = addresses.severa_values(
        {"headquarterAddress": {"guid": "a1"}}, [place("a1", **NONE), place("a2")], (), {}
    )
    moves = addresses.moves(held, now, {**now, "invoice_city": "Piteå"})

    assert moves.changed == {}
    assert moves.unflagged == {"a2": ["isBillingAddress"]}
    assert [(new.roles, new.values["city"]) for new in moves.made] == [(["invoice"], "Piteå")]


def test_when_the_main_address_alone_changes_the_others_move_out() -> None:
    held = {"main": place("a1"), "invoice": place("a1"), "delivery": place("a1")}
    now = addresses.severa_values({"headquarterAddress": {"guid": "a1"}}, [place("a1")], (), {})
    moves = addresses.moves(held, now, {**now, "city": "Piteå"})

    assert moves.changed == {"a1": {"city": "Piteå"}}
    assert moves.unflagged == {"a1": ["isBillingAddress", "isPostalAddress"]}
    assert [(new.roles, new.values["city"]) for new in moves.made] == [(["invoice", "delivery"], "Umeå")]


def test_of_several_addresses_with_one_flag_the_first_created_counts() -> None:
    rows = [place("a3", city="Tredje"), place("a2", city="Andra"), place("a1", **NONE)]
    held = addresses.places({"headquarterAddress": {"guid": "a1"}}, rows)

    assert [text["guid"] if text else None for text in held.values()] == ["a1", "a2", "a2"]


def test_an_address_removed_in_severa_clears_nothing_in_the_erp() -> None:
    made = world()
    severa, _ = in_step(made)
    severa["headquarterAddress"] = None
    made.severa.records["addresses"].clear()
    made.books.records.pop(("severa", "addresses", "a1"))

    later(made)

    assert changed(made) == []


def test_a_region_goes_to_the_erp_as_county() -> None:
    made = world()
    _, erp = in_step(made)
    made.severa.patch("addresses", "a1", {"/countryRegion": {"guid": "r1", "name": "Västerbotten"}})

    later(made)

    assert erp["mainAddress"]["county"] == {"id": "Västerbotten"}


def test_more_than_three_lines_are_joined_into_the_third() -> None:
    assert three_lines("a\n\nb\nc\nd") == ["a", "b", "c, d"]


def test_a_new_erp_customer_brings_its_own_invoice_address() -> None:
    made = world()
    put_erp(made, "customer", "20001", theirs(invoiceAddress=block(addressId=9, city="Piteå")))

    settled(made, erp=("customer", "501"))

    rows = list(made.severa.records["addresses"].values())
    assert {
        (row["city"], row["isVisitAddress"], row["isBillingAddress"], row["isPostalAddress"]) for row in rows
    } == {
        ("Umeå", True, False, True),
        ("Piteå", False, True, False),
    }
    made.calls.clear()
    assert later(made).log == ()
    assert changed(made) == []


def test_ours_stays_the_same_kind_of_customer() -> None:
    assert ours()["headquarterAddress"]["guid"] == place()["guid"]


def test_a_role_that_moves_out_does_not_move_to_the_address_that_is_being_changed() -> None:
    made = world()
    _, erp = in_step(made)
    erp["deliveryAddress"] = block(addressId=9003)
    for name in ("mainAddress", "invoiceAddress"):
        erp[name] = block(city="Luleå")

    later(made)

    rows = made.severa.records["addresses"].values()
    assert {(row["city"], row["isVisitAddress"], row["isPostalAddress"]) for row in rows} == {
        ("Luleå", True, False),
        ("Umeå", False, True),
    }
