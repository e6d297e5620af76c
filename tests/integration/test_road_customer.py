"""Customers both ways, proven by what stands in both systems."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from road import Json, Road
from stage import wait_for

from app import service


def at_rest(road: Road) -> dict[str, int]:
    """What the bridge writes over further polls when nobody edits anything."""
    road.forget_calls()
    for _ in range(3):
        road.poll()
    road.settle()
    return road.writes()


def in_step(road: Road, name: str, vat_number: str) -> tuple[Json, Json]:
    """A customer of that name on both sides."""
    made = road.add_customer(name, vatNumber=vat_number, email="ekonomi@kund.example")
    road.settle()
    return road.severa.one("customers", guid=made["guid"]), road.erp.one("customer", name=name)


@pytest.mark.req("R-CUS-1", "R-CUS-4")
def test_a_customer_made_in_severa_gets_its_number_from_the_erp(road: Road) -> None:
    ours, theirs = in_step(road, "Havsörnen AB", "SE556111333201")
    assert ours["number"] == int(theirs["number"])
    assert theirs["vatRegistrationId"] == "SE556111333201"
    assert theirs["mainContact"]["email"] == "ekonomi@kund.example"
    assert (theirs["mainAddress"]["addressLine1"], theirs["mainAddress"]["postalCode"], theirs["mainAddress"]["city"]) == (
        "Kungsgatan 1", "111 43", "Stockholm",
    )  # fmt: skip
    assert at_rest(road) == {}


@pytest.mark.req("R-CUS-1")
def test_a_customer_made_in_the_erp_comes_to_severa_with_its_number(road: Road) -> None:
    theirs = road.erp.add(
        "customer", name="Fiskmåsen AB", customerClassId="1", vatRegistrationId="SE556111333301",
        mainAddress={"addressLine1": "Hamnvägen 2", "postalCode": "371 31", "city": "Karlskrona", "countryId": "SE"},
        mainContact={"email": "info@fiskmasen.example"},
    )  # fmt: skip
    road.settle()
    ours = road.severa.one("customers", name="Fiskmåsen AB")
    assert ours["number"] == int(theirs["number"])
    assert ours["email"] == "info@fiskmasen.example"
    assert ours["headquarterAddress"]["city"] == "Karlskrona"
    assert at_rest(road) == {}
    assert road.erp.count("customer", name="Fiskmåsen AB") == 1
    assert road.severa.count("customers", name="Fiskmåsen AB") == 1


@pytest.mark.req("R-CUS-1", "R-CON-1", "R-CON-2", "R-PRO-2")
def test_an_edit_on_either_side_reaches_the_other_and_makes_no_echo(road: Road) -> None:
    ours, theirs = in_step(road, "Tvåvägs AB", "SE556111333401")
    road.severa.change("customers", ours["guid"], website="https://tvavags.example")
    road.erp.change("customer", theirs["number"], mainContact={"email": "ny@tvavags.example"})
    road.settle()
    ours, theirs = (
        road.severa.one("customers", guid=ours["guid"]),
        road.erp.one("customer", number=theirs["number"]),
    )
    assert ours["website"] == theirs["mainContact"]["web"] == "https://tvavags.example"
    assert ours["email"] == theirs["mainContact"]["email"] == "ny@tvavags.example"
    assert at_rest(road) == {}


@pytest.mark.req("R-CUS-1")
def test_notes_go_to_the_customers_own_note_where_the_tenant_chose_it(new_firm: Callable[..., Road]) -> None:
    road = new_firm(live=False)
    service.set_setting(road.installation.bridge, road.name, "notes", "to_note")
    road.go_live()
    ours = road.add_customer("Antecknat AB", vatNumber="SE556111333402", notes="Ring först\nsedan")
    road.settle()
    number = str(road.severa.one("customers", guid=ours["guid"])["number"])
    erp = road.installation.bridge.connections.erp(road.tenant_id)
    assert erp.get("customer/note", number).body["note"] == "Ring först\nsedan"
    road.severa.change("customers", ours["guid"], notes="Ring sedan")
    road.settle()
    assert erp.get("customer/note", number).body["note"] == "Ring sedan"
    assert not road.erp.one("customer", number=number)["mainContact"].get("attention")
    assert at_rest(road) == {}


@pytest.mark.req("R-CUS-1", "R-CON-2")
def test_an_erp_edit_is_one_patch_of_the_changed_field_alone(road: Road) -> None:
    ours, theirs = in_step(road, "En Patch AB", "SE556111333501")
    road.forget_calls()
    road.erp.change("customer", theirs["number"], mainContact={"email": "annan@enpatch.example"})
    road.settle()
    assert road.writes() == {"severa PATCH /v1/customers/{guid}": 1}
    changed = {entry["field"] for entry in road.severa.one("customers", guid=ours["guid"])["history"][-1:]}
    assert changed == {"email"}


@pytest.mark.req("R-CON-1", "R-LOG-3")
def test_a_field_changed_on_both_sides_is_asked_about_and_closes_when_they_agree(road: Road) -> None:
    ours, theirs = in_step(road, "Oense AB", "SE556111333601")
    road.severa.change("customers", ours["guid"], email="severa@oense.example")
    road.erp.change("customer", theirs["number"], mainContact={"email": "erp@oense.example"})
    road.settle()
    [problem] = road.problems()
    assert problem["code"] == "customer.conflict"
    assert "severa@oense.example" in problem["wrong"]
    assert "erp@oense.example" in problem["wrong"]
    assert road.severa.one("customers", guid=ours["guid"])["email"] == "severa@oense.example"
    assert road.erp.one("customer", number=theirs["number"])["mainContact"]["email"] == "erp@oense.example"
    road.erp.change("customer", theirs["number"], mainContact={"email": "severa@oense.example"})
    road.settle()
    assert road.problems() == []


@pytest.mark.req("R-CUS-7")
def test_deactivating_flows_both_ways(road: Road) -> None:
    ours, theirs = in_step(road, "Vilande AB", "SE556111333701")
    road.severa.change("customers", ours["guid"], isActive=False)
    road.settle()
    assert road.erp.one("customer", number=theirs["number"])["status"] == "Inactive"
    road.erp.change("customer", theirs["number"], status="Active")
    road.settle()
    assert road.severa.one("customers", guid=ours["guid"])["isActive"] is True
    assert at_rest(road) == {}


@pytest.mark.req("R-CUS-2")
def test_the_internal_customer_never_leaves_severa(road: Road) -> None:
    internal = road.severa.one("customers", isInternal=True)
    road.severa.change("customers", internal["guid"], email="internt@firman.example")
    road.settle()
    assert road.erp.count("customer", name=internal["name"]) == 0


@pytest.mark.req("R-CUS-3")
def test_an_inactive_erp_customer_is_not_brought_at_first(road: Road) -> None:
    inactive = road.erp.one("customer", status="Inactive", number="10007")
    assert road.severa.count("customers", name=inactive["name"]) == 0


@pytest.mark.req("R-CUS-5", "R-SET-8")
def test_going_live_links_whom_name_and_number_name_and_creates_the_rest(
    new_firm: Callable[..., Road],
) -> None:
    road = new_firm(live=False)
    before = road.erp.count("customer")
    linked = road.severa.one("customers", number=10001)
    road.go_live()
    # Two customers of the firm stand in Severa alone; the internal one stays there.
    assert road.erp.count("customer") == before + 2
    assert road.severa.one("customers", guid=linked["guid"])["number"] == 10001
    assert road.problems() == []


@pytest.mark.req("R-CUS-5")
def test_a_number_alone_is_never_a_match(new_firm: Callable[..., Road]) -> None:
    """The two series collide: the Severa customer that has another's ERP number gives way through an interim number."""
    road = new_firm(live=False)
    road.severa.add("customers", name="Krock AB", number=10006, vatNumber="SE556111333801")
    road.go_live()
    bookshop = road.erp.one("customer", number="10006")
    assert road.severa.one("customers", name=bookshop["name"])["number"] == 10006
    clash = road.erp.one("customer", name="Krock AB")
    assert road.severa.one("customers", name="Krock AB")["number"] == int(clash["number"])


@pytest.mark.req("R-CUS-8")
def test_a_renumbered_customer_is_reported_and_its_data_keep_flowing(road: Road) -> None:
    ours, theirs = in_step(road, "Omnumrerad AB", "SE556111333901")
    road.erp.change("customer", theirs["number"], key="77001")
    road.settle()
    assert "customer.renumbered" in road.codes()
    road.severa.change("customers", ours["guid"], website="https://omnumrerad.example")
    road.poll()
    wait_for(
        "the edit reaches the renumbered customer",
        lambda: (
            road.erp.one("customer", number="77001")["mainContact"]["web"] == "https://omnumrerad.example"
        ),
        seconds=20,
    )
    assert road.erp.count("customer", name="Omnumrerad AB") == 1


@pytest.mark.req("R-CUS-5")
@pytest.mark.schedule("S31")
def test_the_same_new_customers_typed_in_both_systems_between_two_polls_are_one_each(road: Road) -> None:
    names = [f"Tvilling {n} AB" for n in range(4)]
    for n, name in enumerate(names):
        number = f"SE55611135{n}201"
        road.add_customer(name, vatNumber=number)
        road.erp.add(
            "customer", name=name, customerClassId="1", vatRegistrationId=number,
            mainAddress={"addressLine1": "Kungsgatan 1", "postalCode": "111 43", "city": "Stockholm", "countryId": "SE"},
        )  # fmt: skip
    road.settle()
    assert [road.severa.count("customers", name=name) for name in names] == [1] * 4
    assert [road.erp.count("customer", name=name) for name in names] == [1] * 4
    keys = road.sql("select natural_key from matter where natural_key is not null")
    assert keys == []
    linked = road.sql(
        "select erp_number from matter where severa_id is not null and erp_id is not null and joined_into is null "
        "and domain = 'customer' and erp_number = any (%s)",
        [road.erp.one("customer", name=name)["number"] for name in names],
    )
    assert len(linked) == 4


@pytest.mark.req("R-CUS-5", "R-LOG-3")
def test_a_pair_that_is_not_certain_is_one_question_and_its_other_half_points_at_it(road: Road) -> None:
    ours = road.add_customer("Tveksamma AB")
    road.erp.add("customer", name="Tveksamma AB", customerClassId="1")
    road.settle()
    told = [one for one in road.problems() if one["name"] == "Tveksamma AB"]
    question, half = sorted(told, key=lambda one: one["id"])
    assert (question["code"], question["record_id"]) == ("customer.ambiguous", ours["guid"])
    assert (half["code"], half["system"]) == ("work.dependency_in_error", "visma_net")
    assert half["values"]["other_problem"] == question["id"]
    assert str(question["id"]) in half["where"]
    # One answer ends both.
    road.severa.change("customers", ours["guid"], name="Tveksamma Norr AB")
    road.settle()
    assert [one for one in road.problems() if one["name"].startswith("Tveksamma")] == []
    assert {one["name"] for one in road.erp.look("customer")} >= {"Tveksamma AB", "Tveksamma Norr AB"}
