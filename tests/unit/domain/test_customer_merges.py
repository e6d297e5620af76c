"""Customers that exist on both sides: first meeting, merges, deactivation, renumbering (R-CUS-1..8)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.customer.registers import REGISTERS
from domain.customer.steps import settle
from domain.errors import TryLater, Waiting
from domain.model import Json
from domain.setup.settings import TenantSettings
from tests.fakes import World
from tests.fakes_registers import RegisterErp, poll, put_erp, put_severa
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

pytestmark = pytest.mark.req("R-CUS-1")


def test_changes_travel_both_ways_field_by_field() -> None:
    made = world()
    severa, erp = linked(made)
    severa.update(email="ny@ada.example", paymentTerm=30)
    severa["headquarterAddress"]["city"] = "Luleå"
    erp.update(name="Ada Bygg i Norr AB")
    erp["mainContact"]["web"] = ""

    effects = later(made)

    assert (erp["mainContact"]["email"], erp["creditTerms"]) == ("ny@ada.example", {"id": "30"})
    assert erp["mainAddress"]["city"] == "Luleå"
    assert (severa["name"], severa["website"]) == ("Ada Bygg i Norr AB", "")
    assert codes(effects) == ["customer.updated_in_erp", "customer.updated_in_severa"]
    made.calls.clear()
    assert later(made).log == ()
    assert made.calls == []


def test_an_update_carries_the_version_it_was_planned_from_and_is_merged_again_when_that_is_stale() -> None:
    made = world()
    severa, _ = linked(made)
    severa["email"] = "ny@ada.example"
    made.clock.forward(600)
    poll(made)
    original = made.erp.on_update

    def somebody_was_faster(register: str, key: str, body: Json, etag: str | None) -> None:
        made.erp.on_update = original  # type: ignore[method-assign]  # one update only
        made.erp._touch(register, key)
        original(register, key, body, etag)

    made.erp.on_update = somebody_was_faster  # type: ignore[method-assign]  # a person writes in between
    *before, last = made.run(settle, made.delivery("customer", severa=("customers", "c1")))

    assert [type(one.error) for one in before] == [TryLater]
    assert last.settled is not None
    assert made.erp.stored("customer", "20001")["mainContact"]["email"] == "ny@ada.example"


def test_empty_credit_terms_on_a_list_row_are_not_a_change() -> None:
    made = world()
    severa, erp = linked(made)
    made.books.remember("visma_net", "customer", {**erp, "creditTerms": None})

    assert settled(made).log == ()
    assert made.calls == []

    severa["paymentTerm"] = 30
    made.books.remember("severa", "customers", severa)
    settled(made)
    assert erp["creditTerms"] == {"id": "30"}
    record = made.books.record("visma_net", "customer", "501")
    assert record is not None
    assert record.body["creditTerms"] is None, "the next list row will look the same"


@pytest.mark.parametrize(
    ("terms", "known"),
    [([], []), (["30A", "30B"], ["30A", "30B"])],
)
def test_a_payment_term_without_one_counterpart_is_not_sent_and_said_once(
    terms: list[str], known: list[str]
) -> None:
    made = world()
    severa, erp = linked(made)
    for name in terms:
        body = {
            "termsId": name,
            "dueDateType": "FixedNumberOfDays",
            "dueDay1": 45,
            "instalmentType": "Single",
        }
        made.books.remember("visma_net", "creditTerm", body)
    severa["paymentTerm"] = 45

    effects = later(made)

    assert codes(effects) == ["customer.terms_not_sent"]
    assert effects.log[0].values["known"] == known
    assert erp["creditTerms"] == {"id": "14"}
    assert later(made).log == ()


def test_a_term_that_already_fits_stays() -> None:
    made = world()
    made.books.remember(
        "visma_net",
        "creditTerm",
        {"termsId": "14X", "dueDateType": "FixedNumberOfDays", "dueDay1": 14, "instalmentType": "Single"},
    )
    _, erp = linked(made)
    erp["creditTerms"] = {"id": "14X"}

    assert later(made).log == ()
    assert changed(made) == []


def test_numbers_of_an_organisation_in_another_form_are_no_change() -> None:
    made = world()
    severa, _ = linked(made)
    severa["vatNumber"] = "556677-8899"

    assert later(made).log == ()
    assert changed(made) == []


@pytest.mark.parametrize(("before", "after"), [("DK12345678", "FI12345678"), ("ESA12345674", "ESB12345674")])
@pytest.mark.parametrize("side", ["severa", "erp"])
def test_a_vat_number_of_another_country_or_kind_travels(before: str, after: str, side: str) -> None:
    made = world()
    severa, erp = linked(made, ours(number=20001, vatNumber=before), theirs(vatRegistrationId=before))
    (severa if side == "severa" else erp).update(
        {"vatNumber" if side == "severa" else "vatRegistrationId": after}
    )

    later(made)

    assert (severa["vatNumber"], erp["vatRegistrationId"]) == (after, after)


@pytest.mark.req("R-CUS-7")
def test_deactivating_flows_both_ways_but_statuses_of_their_own_are_never_touched() -> None:
    made = world()
    severa, erp = linked(made)
    for status in ("OnHold", "CreditHold", "OneTime"):
        erp["status"] = status
        assert later(made).log == ()
    erp["status"] = "Inactive"
    later(made)
    assert severa["isActive"] is False
    severa["isActive"] = True
    later(made)
    assert erp["status"] == "Active"


@pytest.mark.req("R-CUS-7")
def test_a_customer_that_owes_something_stays_active_in_the_erp_until_it_does_not() -> None:
    made = world()
    assert isinstance(made.erp, RegisterErp)
    severa, erp = linked(made)
    made.erp.balances["20001"] = Decimal("99.50")
    severa.update(isActive=False, email="ny@ada.example")
    made.clock.forward(600)
    poll(made)

    stop = stopped(made)

    assert (stop.code, stop.values["balance"]) == ("customer.balance", "99.50")
    assert (erp["status"], erp["mainContact"]["email"]) == ("Active", "ny@ada.example")
    made.erp.balances["20001"] = Decimal(0)
    later(made)
    assert erp["status"] == "Inactive"


@pytest.mark.req("R-CON-1")
def test_both_changed_differently_asks_and_other_fields_go_on() -> None:
    made = world()
    severa, erp = linked(made)
    severa.update(name="Ada Väst AB", email="ny@ada.example")
    erp["name"] = "Ada Öst AB"
    made.clock.forward(600)
    poll(made)

    stop = stopped(made)

    assert stop.code == "customer.conflict"
    assert stop.values["fields"] == [{"field": "name", "severa": "Ada Väst AB", "erp": "Ada Öst AB"}]
    assert erp["mainContact"]["email"] == "ny@ada.example"
    severa["name"] = "Ada Öst AB"
    assert later(made).link is not None


def test_another_currency_after_the_first_day_is_a_problem_and_no_write() -> None:
    made = world()
    severa, _ = linked(made)
    severa["currency"] = {"code": "EUR"}
    made.clock.forward(600)
    poll(made)

    assert stopped(made).code == "customer.currency_differs"
    assert changed(made) == []


@pytest.mark.req("R-CUS-8")
@pytest.mark.parametrize("side", ["severa", "erp"])
def test_a_renumbered_customer_is_reported_and_data_keeps_flowing(side: str) -> None:
    made = world()
    severa, erp = linked(made)
    severa["email"] = "ny@ada.example"
    if side == "severa":
        severa["number"] = 555
    else:
        made.erp.records["customer"]["555"] = made.erp.records["customer"].pop("20001")
        erp["number"] = "555"
    made.clock.forward(600)
    poll(made)

    stop = stopped(made)

    assert stop.code == "customer.renumbered"
    assert erp["mainContact"]["email"] == "ny@ada.example"
    link = made.books.link("customer", severa_id="c1")
    assert link is not None
    assert (link.severa_number, link.erp_number) == ("20001", "20001")


@pytest.mark.req("R-CUS-8")
def test_the_same_new_number_on_both_sides_is_followed() -> None:
    made = world()
    severa, erp = linked(made)
    severa["number"], erp["number"] = 555, "555"
    made.erp.records["customer"]["555"] = made.erp.records["customer"].pop("20001")

    later(made)

    link = made.books.link("customer", severa_id="c1")
    assert link is not None
    assert (link.severa_number, link.erp_number) == ("555", "555")


@pytest.mark.req("R-CUS-6")
def test_a_class_chosen_later_is_written_without_the_flag() -> None:
    made = world()
    _, erp = linked(made)
    made.books.choices["customer", "c1"] = "2"

    settled(made)

    (update,) = [call for call in made.calls if call.method == "update"]
    assert update.body == {"customerClassId": {"value": "2"}}
    assert erp["customerClass"] == {"id": "2"}


@pytest.mark.req("R-CUS-6")
@pytest.mark.parametrize("chosen", [None, "1"])
def test_a_class_changed_in_the_erp_becomes_the_choice(chosen: str | None) -> None:
    made = world()
    _, erp = linked(made)
    if chosen is not None:
        made.books.choices["customer", "c1"] = chosen
    erp["customerClass"] = {"id": "3"}

    effects = later(made)

    assert made.books.choices["customer", "c1"] == "3"
    assert codes(effects) == ["customer.class_taken_over"]
    assert changed(made) == []
    assert later(made).log == ()
    made.books.choices["customer", "c1"] = "2"
    later(made)
    assert erp["customerClass"] == {"id": "2"}


@pytest.mark.req("R-CUS-6")
def test_a_class_that_a_person_chose_while_another_was_taken_over_stays_and_is_carried_over() -> None:
    made = world()
    _, erp = linked(made)
    erp["customerClass"] = {"id": "3"}
    made.clock.forward(600)
    poll(made)
    delivery = made.delivery("customer", severa=("customers", "c1"))
    effects = settle(delivery)
    made.books.choices["customer", "c1"] = "2"
    made.finish(delivery, effects)

    assert made.books.choices["customer", "c1"] == "2"
    later(made)
    assert erp["customerClass"] == {"id": "2"}


@pytest.mark.req("R-CUS-6")
def test_a_row_that_does_not_show_the_class_says_nothing_of_it() -> None:
    made = world()
    _, erp = linked(made)
    del erp["customerClass"]

    assert later(made).log == ()
    assert made.books.choices == {}


def test_a_customer_that_is_gone_is_a_problem() -> None:
    made = world()
    severa, _ = linked(made)
    severa["email"] = "ny@ada.example"
    poll(made)
    made.clock.forward(600)
    made.erp.records["customer"].clear()

    stop = stopped(made)

    assert (stop.code, stop.values["system"]) == ("customer.gone", "visma_net")


def met(**more: Any) -> World:
    """Two customers that are the same and differ, met under the rule 'ask'."""
    made = world()
    put_severa(made, "customers", ours(number=20001, email="annan@ada.example", **more))
    put_erp(made, "customer", "20001", theirs())
    return made


@pytest.mark.req("R-CON-1")
def test_customers_that_are_the_same_are_linked_and_what_differs_is_a_problem_until_somebody_decides() -> (
    None
):
    made = met()

    stop = stopped(made)

    assert stop.code == "customer.met_differently"
    assert stop.values["fields"] == [
        {"field": "email", "severa": "annan@ada.example", "erp": "faktura@ada.example"}
    ]
    assert stop.effects is not None
    assert codes(stop.effects) == ["customer.linked"]
    assert changed(made) == []
    # Nothing happened since: the problem stays, and nobody is asked for it.
    made.clock.forward(600)
    poll(made)
    made.calls.clear()
    assert stopped(made).code == "customer.met_differently"
    assert made.calls == []


@pytest.mark.req("R-CON-1")
@pytest.mark.parametrize("answer", ["faktura@ada.example", "ny@ada.example"])
def test_a_value_that_is_entered_after_the_meeting_closes_the_problem(answer: str) -> None:
    made = met()
    stopped(made)
    made.severa.stored("customers", "c1")["email"] = answer

    later(made)

    assert made.erp.stored("customer", "20001")["mainContact"]["email"] == answer
    assert later(made).log == ()


@pytest.mark.req("R-CON-1")
def test_a_rule_that_is_chosen_after_the_meeting_decides() -> None:
    made = met()
    stopped(made)
    rule = TenantSettings.model_validate({"conflict_customer": "severa"})
    made.tenant = replace(made.tenant, settings=rule)

    later(made)

    assert made.erp.stored("customer", "20001")["mainContact"]["email"] == "annan@ada.example"


@pytest.mark.req("R-CUS-7")
@pytest.mark.parametrize("status", ["OnHold", "CreditHold", "OneTime"])
def test_a_status_of_the_erps_own_is_never_overwritten_and_a_person_is_told(status: str) -> None:
    made = world()
    severa, erp = linked(made)
    erp["status"] = status
    severa.update(isActive=False, email="ny@ada.example")
    made.clock.forward(600)
    poll(made)

    stop = stopped(made)

    assert (stop.code, stop.values["status"]) == ("customer.status_kept", status)
    assert (erp["status"], erp["mainContact"]["email"]) == (status, "ny@ada.example")
    erp["status"] = "Active"
    later(made)
    assert erp["status"] == "Inactive"


@pytest.mark.req("R-CUS-7")
@pytest.mark.parametrize("status", ["OnHold", "CreditHold", "OneTime"])
def test_at_first_link_no_rule_overwrites_a_status_of_the_erps_own(status: str) -> None:
    made = world()
    rule = TenantSettings.model_validate({"conflict_customer": "severa"})
    made.tenant = replace(made.tenant, settings=rule)
    put_severa(made, "customers", ours(number=20001, isActive=False))
    put_erp(made, "customer", "20001", theirs(status=status))

    assert stopped(made).code == "customer.status_kept"
    assert made.erp.stored("customer", "20001")["status"] == status


def test_an_erp_customer_waits_for_the_severa_customer_that_asks_the_question() -> None:
    made = world()
    put_severa(made, "customers", ours(vatNumber=None))
    put_erp(made, "customer", "20001", theirs())

    with pytest.raises(Waiting) as caught:
        settle(made.delivery("customer", erp=("customer", "501")))

    assert (caught.value.domain, caught.value.severa_id) == ("customer", "c1")
    assert stopped(made).code == "customer.ambiguous"


def test_registers_tell_what_changed_and_whom_it_concerns() -> None:
    known = {(register.system, register.name): register for register in REGISTERS}
    customers, erp = known["severa", "customers"], known["visma_net", "customer"]
    moved = {**ours()["headquarterAddress"], "city": "Luleå"}

    assert customers.number(ours()) == "7"
    assert customers.projection(ours()) != customers.projection(ours(headquarterAddress=moved))
    assert erp.identify(theirs()) == "501"
    assert erp.projection(theirs()) == erp.projection(
        theirs(status="OnHold", lastModifiedDateTime="2026-01-01")
    )
    (concern,) = erp.concerns(theirs())
    assert (concern.domain, concern.register, concern.id) == ("customer", "customer", "501")
