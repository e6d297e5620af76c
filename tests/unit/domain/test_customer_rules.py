"""The tenant's rules for customers: who wins, terms, notes, classes; guards; customers that were merged or are gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.customer.registers import REGISTERS
from domain.customer.steps import settle
from domain.errors import Stop
from domain.model import Json
from domain.setup.settings import TenantSettings
from tests.fakes import World
from tests.fakes_registers import poll, put_erp, put_severa
from tests.unit.domain.customer_world import (
    changed,
    codes,
    later,
    linked,
    ours,
    settled,
    stopped,
    theirs,
    world,
)


def ruled(**settings: Any) -> World:
    made = world()
    made.tenant = replace(made.tenant, settings=TenantSettings.model_validate(settings))
    return made


def both_edited(made: World) -> tuple[Json, Json]:
    severa, erp = linked(made)
    made.severa.patch("customers", "c1", {"/website": "https://severa.example"})
    erp["mainContact"]["web"] = "https://erp.example"
    return severa, erp


# ---------------------------------------------------------------- who wins (R-CON-1)


@pytest.mark.req("R-CON-1")
@pytest.mark.parametrize(
    ("rule", "winner"), [("severa", "https://severa.example"), ("visma_net", "https://erp.example")]
)
def test_the_tenants_rule_decides_and_the_log_shows_what_lost(rule: str, winner: str) -> None:
    made = ruled(conflict_customer=rule)
    severa, erp = both_edited(made)

    effects = later(made)

    assert severa["website"] == erp["mainContact"]["web"] == winner
    (said,) = [line for line in effects.log if line.code == "customer.overruled"]
    assert said.values["lost"] in {"https://severa.example", "https://erp.example"} - {winner}
    made.calls.clear()
    assert later(made).log == ()
    assert changed(made) == []


@pytest.mark.req("R-CON-1")
@pytest.mark.parametrize("severa_first", [True, False])
def test_latest_is_when_the_bridge_first_saw_the_change(severa_first: bool) -> None:  # noqa: FBT001 - a parameter
    made = ruled(conflict_customer="latest")
    severa, erp = linked(made)
    for first in (severa_first, not severa_first):
        made.clock.forward(600)
        if first:
            made.severa.patch("customers", "c1", {"/website": "https://severa.example"})
        else:
            erp["mainContact"]["web"] = "https://erp.example"
        poll(made)
        made.clock.forward(600)

    settled(made)

    wanted = "https://erp.example" if severa_first else "https://severa.example"
    assert severa["website"] == erp["mainContact"]["web"] == wanted


@pytest.mark.req("R-CON-1")
def test_a_change_that_only_the_fresh_read_shows_is_the_latest() -> None:
    made = ruled(conflict_customer="latest")
    severa, erp = linked(made)
    made.severa.patch("customers", "c1", {"/website": "https://severa.example"})
    made.clock.forward(600)
    poll(made)
    erp["mainContact"]["web"] = "https://erp.example"

    settled(made)

    assert severa["website"] == "https://erp.example"


@pytest.mark.req("R-CON-1")
@pytest.mark.schedule("S14")
def test_an_edit_since_the_last_poll_is_asked_about_however_lately_that_was() -> None:
    made = world()
    severa, erp = linked(made)
    erp["mainContact"]["web"] = "https://erp.example"
    poll(made)
    made.clock.forward(1)
    made.severa.patch("customers", "c1", {"/website": "https://severa.example"})

    problem = stopped(made)

    assert problem.code == "customer.conflict"
    assert severa["website"] == "https://severa.example"
    assert erp["mainContact"]["web"] == "https://erp.example"


@pytest.mark.req("R-CON-1")
def test_at_first_link_the_rule_decides_but_nothing_never_wins_over_something() -> None:
    made = ruled(conflict_customer="visma_net")
    put_severa(made, "customers", ours(number=20001, email="severa@ada.example"))
    put_erp(made, "customer", "20001", theirs(mainContact={"email": "erp@ada.example", "web": ""}))

    settled(made)

    assert made.severa.stored("customers", "c1")["email"] == "erp@ada.example"
    assert made.erp.stored("customer", "20001")["mainContact"]["web"] == "https://ada.example"


# ---------------------------------------------------------------- tables of the tenant


@pytest.mark.req("R-CUS-1")
def test_of_several_terms_of_one_day_count_the_tenants_choice_is_sent() -> None:
    made = ruled(credit_terms={"30": "30B"})
    for term in ("30", "30B"):
        row = {"termsId": term, "dueDateType": "N", "dueDay1": 30, "instalmentType": "S"}
        made.books.remember("visma_net", "creditTerm", row)
    _, erp = linked(made)
    made.severa.patch("customers", "c1", {"/paymentTerm": 30})

    later(made)

    assert erp["creditTerms"] == {"id": "30B"}


@pytest.mark.req("R-CUS-1")
def test_notes_are_off_by_default_and_go_to_the_attention_by_setting() -> None:
    for settings, wanted in (
        ({}, None),
        ({"notes": "to_erp"}, "Ring först sedan"),
        ({"notes": "both"}, "Ring först sedan"),
    ):
        made = ruled(**settings)
        _, erp = linked(made)
        made.severa.patch("customers", "c1", {"/notes": "Ring först\nsedan"})
        later(made)
        assert erp["mainContact"].get("attention") == wanted


@pytest.mark.req("R-CUS-1")
def test_an_attention_flows_back_only_where_both_is_chosen_and_never_over_a_cut_note() -> None:
    made = ruled(notes="both")
    severa, erp = linked(made)
    erp["mainContact"]["attention"] = "Till Ada"
    later(made)
    assert severa["notes"] == "Till Ada"

    long = "x" * 300
    made.severa.patch("customers", "c1", {"/notes": long})
    later(made)
    assert len(erp["mainContact"]["attention"]) == 255
    erp["mainContact"]["attention"] = "Kort"
    later(made)
    assert severa["notes"] == long


@pytest.mark.req("R-CUS-1")
def test_notes_go_whole_to_the_customers_own_note_by_setting_and_never_back() -> None:
    made = ruled(notes="to_note")
    severa, erp = linked(made)
    long = "Ring först\nsedan " + "x" * 300
    made.severa.patch("customers", "c1", {"/notes": long})
    later(made)
    assert (erp["note"], erp["mainContact"].get("attention")) == (long, None)

    asked = len([call for call in made.calls if call.register == "customer/note"])
    later(made)
    assert len([call for call in made.calls if call.register == "customer/note"]) == asked, (
        "nobody is asked for nothing"
    )

    erp["note"] = "Egen anteckning"
    made.severa.patch("customers", "c1", {"/website": "https://ny.example"})
    later(made)
    assert (erp["mainContact"]["web"], severa["notes"], erp["note"]) == (
        "https://ny.example",
        long,
        "Egen anteckning",
    )

    made.severa.patch("customers", "c1", {"/notes": ""})
    later(made)
    assert erp["note"] == ""


@pytest.mark.req("R-CUS-1", "R-CON-1")
def test_a_note_that_stands_in_the_erp_already_is_not_written_over_when_notes_are_switched_on() -> None:
    made = ruled()
    severa, erp = linked(made)
    severa["notes"], erp["note"], erp["mainContact"]["attention"] = (
        "Egna anteckningar",
        "Avtal 12",
        "Till Ada",
    )
    later(made)
    made.tenant = replace(made.tenant, settings=TenantSettings.model_validate({"notes": "to_note"}))

    said = codes(later(made))
    assert (severa["notes"], erp["note"]) == ("Egna anteckningar", "Avtal 12")
    assert "customer.differs" in said
    assert "customer.differs" not in codes(later(made)), "said once"

    made.severa.patch("customers", "c1", {"/notes": "Nya"})
    later(made)
    assert (erp["note"], erp["mainContact"]["attention"]) == ("Nya", "Till Ada")


@pytest.mark.req("R-CON-1")
@pytest.mark.parametrize("rule", ["severa", "visma_net", "latest", "ask"])
def test_a_field_that_is_carried_over_from_now_on_is_not_written_into_old_links_by_itself(rule: str) -> None:
    """Switched on, or new in a later version: no brake stands before the next edit of anything else."""
    made = ruled(conflict_customer=rule)
    severa, erp = linked(made)
    severa["notes"], erp["mainContact"]["attention"] = "Egna anteckningar", "Till Ada"
    later(made)
    settings = TenantSettings.model_validate({"conflict_customer": rule, "notes": "both"})
    made.tenant = replace(made.tenant, settings=settings)

    made.severa.patch("customers", "c1", {"/website": "https://ny.example"})
    said = codes(later(made))
    assert erp["mainContact"]["web"] == "https://ny.example"
    assert (severa["notes"], erp["mainContact"]["attention"]) == ("Egna anteckningar", "Till Ada")
    assert "customer.differs" in said
    assert "customer.differs" not in codes(later(made)), "said once"

    erp["mainContact"]["attention"] = "Till Eva"
    later(made)
    assert severa["notes"] == "Till Eva", "the next edit of it flows"


@pytest.mark.req("R-CUS-6")
@pytest.mark.parametrize(("country", "wanted"), [("se", "1"), ("no", "3"), ("fi", "2")])
def test_the_default_class_follows_the_customers_country(country: str, wanted: str) -> None:
    made = ruled(customer_class_eu="2", customer_class_other="3")
    made.books.remember("visma_net", "customer/customerClass", {"id": "3"})
    made.severa.records["organizationdetails"] = {"": {"guid": "o", "country": {"guid": "se"}}}
    row = {"guid": "fi", "code2": "FI", "name": "Finland", "isInEU": True}
    made.books.remember("severa", "localization/countries", row)
    put_severa(
        made,
        "addresses",
        {
            "guid": "a1",
            "customer": {"guid": "c1"},
            "city": "X",
            "isVisitAddress": True,
            "country": {"guid": country},
        },
    )
    put_severa(made, "customers", ours())

    settled(made)

    assert made.erp.stored("customer", "10001")["customerClass"] == {"id": wanted}


# ---------------------------------------------------------------- guards (R-CON-2)


@pytest.mark.req("R-CON-2")
def test_a_field_that_is_written_twice_in_each_direction_stops_with_a_problem() -> None:
    made = world()
    _, erp = linked(made)
    for n in range(2):
        made.severa.patch("customers", "c1", {"/website": f"https://s{n}.example"})
        later(made)
        erp["mainContact"]["web"] = f"https://e{n}.example"
        later(made)
    made.severa.patch("customers", "c1", {"/website": "https://s9.example", "/email": "ny@ada.example"})
    made.clock.forward(600)
    poll(made)

    stop = stopped(made)

    assert (stop.code, stop.values["fields"]) == ("customer.ping_pong", ["website"])
    assert erp["mainContact"] == {"email": "ny@ada.example", "web": "https://e1.example"}
    made.clock.forward(25 * 3600)
    later(made)
    assert erp["mainContact"]["web"] == "https://s9.example"


@pytest.mark.req("R-CON-2")
def test_what_our_write_changes_by_the_way_is_put_back_once() -> None:
    made = world()
    _, erp = linked(made)
    made.books.choices["customer", "c1"] = "2"
    made.erp.class_moves_terms = 1

    effects = later(made)

    assert (erp["customerClass"], erp["creditTerms"]) == ({"id": "2"}, {"id": "14"})
    assert [call.body for call in made.calls if call.method == "update"][1] == {
        "creditTermsId": {"value": "14"}
    }
    assert codes(effects) == ["customer.updated_in_erp"]


@pytest.mark.req("R-CON-2")
def test_a_side_effect_that_will_not_go_away_is_a_problem_and_does_not_travel() -> None:
    made = world()
    severa, erp = linked(made)
    made.books.choices["customer", "c1"] = "2"
    original = made.erp.on_update

    def stubborn(register: str, key: str, body: Json, etag: str | None) -> None:
        original(register, key, body, etag)
        erp["creditTerms"] = {"id": "30"}

    made.erp.on_update = stubborn  # type: ignore[method-assign]  # an ERP whose class always wins
    made.clock.forward(600)
    poll(made)

    stop = stopped(made)

    assert (stop.code, stop.values["fields"]) == ("customer.side_effect", ["payment_term"])
    made.calls.clear()
    later(made)
    assert (severa["paymentTerm"], changed(made)) == (14, [])


# ---------------------------------------------------------------- merged or gone (R-CUS-8)


def removed(made: World, system: str) -> None:
    """The linked customer is deleted and a complete reading has seen that."""
    if system == "severa":
        del made.severa.records["customers"]["c1"]
        key = ("severa", "customers", "c1")
    else:
        del made.erp.records["customer"]["20001"]
        key = ("visma_net", "customer", "501")
    made.books.records[key] = replace(made.books.records[key], gone=True)


@pytest.mark.req("R-CUS-8")
@pytest.mark.parametrize("system", ["severa", "visma_net"])
def test_two_customers_that_became_one_are_reported_with_a_relink(system: str) -> None:
    made = world()
    linked(made)
    if system == "severa":
        put_severa(made, "customers", ours(guid="c9", number=9, name="Ada Bygg & Son AB"))
    else:
        put_erp(made, "customer", "20009", theirs(internalId=509, number="20009", name="Ada Bygg & Son AB"))
    removed(made, system)

    stop = stopped(made)

    assert stop.code == "customer.merged"
    severa_id, erp_id = ("c9", "501") if system == "severa" else ("c1", "509")
    assert stop.values["relink"] == {"severa_id": severa_id, "erp_id": erp_id}


@pytest.mark.req("R-CUS-8")
def test_a_customer_made_inactive_for_another_of_its_organisation_is_reported_and_data_keeps_flowing() -> (
    None
):
    made = world()
    severa, erp = linked(made)
    put_erp(made, "customer", "20009", theirs(internalId=509, number="20009", name="Ada Bygg & Son AB"))
    erp["status"] = "Inactive"
    made.clock.forward(600)
    poll(made)

    stop = stopped(made)

    assert stop.code == "customer.merged"
    assert stop.values["heir"] == {"number": "20009", "name": "Ada Bygg & Son AB"}
    assert severa["isActive"] is False


@pytest.mark.req("R-CUS-7")
def test_an_inactive_customer_without_an_heir_is_simply_inactive() -> None:
    made = world()
    severa, erp = linked(made)
    put_erp(
        made,
        "customer",
        "20009",
        theirs(internalId=509, number="20009", vatRegistrationId="SE1", corporateId="1"),
    )
    erp["status"] = "Inactive"

    later(made)

    assert severa["isActive"] is False


@pytest.mark.req("R-CUS-8")
def test_a_customer_gone_without_an_heir_is_a_problem_and_a_candidate_linked_elsewhere_is_none() -> None:
    made = world()
    linked(made)
    other = put_severa(made, "customers", ours(guid="c9", number=9, name="Annan AB"))
    record = made.books.record("severa", "customers", other["guid"])
    half = made.books.remember("visma_net", "customer", theirs(internalId=600, number="600", name="Annan AB"))
    assert record is not None
    made.books.connect("customer", record, half)
    removed(made, "severa")

    assert stopped(made).code == "customer.gone"


@pytest.mark.req("R-CUS-3")
def test_a_record_that_is_gone_is_not_brought_anywhere() -> None:
    made = world()
    put_severa(made, "customers", ours())
    key = ("severa", "customers", "c1")
    made.books.records[key] = replace(made.books.records[key], gone=True)

    settled(made)

    assert changed(made) == []


@pytest.mark.req("R-CUS-3", "R-CUS-7")
def test_an_inactive_erp_customer_is_not_brought_but_a_linked_one_deactivated_later_is() -> None:
    made = world()
    put_erp(
        made,
        "customer",
        "30000",
        theirs(internalId=900, number="30000", name="Vilande AB", status="Inactive"),
    )
    settled(made, erp=("customer", "900"))
    assert changed(made) == []

    severa, erp = linked(made)
    erp["status"] = "Inactive"
    later(made)
    assert severa["isActive"] is False


def test_a_stop_is_a_stop() -> None:
    made = world()
    linked(made)
    removed(made, "severa")
    with pytest.raises(Stop):
        settle(made.delivery("customer", severa=("customers", "c1")))


@pytest.mark.req("R-CUS-1")
def test_notes_are_no_change_of_a_tenant_that_does_not_carry_them_over() -> None:
    severa = next(one for one in REGISTERS if one.name == "customers")
    off = severa.of_tenant(TenantSettings.model_validate({}))
    on = severa.of_tenant(TenantSettings.model_validate({"notes": "both"}))

    assert off.projection(ours(notes="a")) == off.projection(ours(notes="b"))
    assert on.projection(ours(notes="a")) != on.projection(ours(notes="b"))
    assert off.mapping_version != on.mapping_version, "a changed setting must not announce the whole register"


@pytest.mark.req("R-CUS-8")
def test_a_customer_that_was_merged_is_still_said_when_nothing_is_left_to_write() -> None:
    made = world()
    severa, erp = linked(made)
    put_erp(made, "customer", "20009", theirs(internalId=509, number="20009", name="Ada Bygg & Son AB"))
    erp["status"] = "Inactive"
    made.clock.forward(600)
    poll(made)
    stopped(made)
    made.clock.forward(600)
    poll(made)
    made.calls.clear()

    again = stopped(made)

    assert again.code == "customer.merged"
    assert severa["isActive"] is False
    assert made.calls == [], "nothing is left to write"
