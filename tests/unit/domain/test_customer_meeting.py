"""Two customers that meet while something else goes on: typed in both systems, made just now, merged, renumbered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain import mirror
from domain.customer.description import MIRROR
from domain.customer.registers import natural_key
from domain.customer.steps import settle
from domain.errors import InDoubt, OutcomeUnknown, Stop, Waiting
from domain.model import Json, Link
from tests.fakes import START, World
from tests.fakes_registers import RegisterErp, put_erp, put_severa
from tests.unit.domain.absences import said_once
from tests.unit.domain.customer_world import (
    changed,
    codes,
    linked,
    ours,
    settled,
    stopped,
    theirs,
    world,
)


def link_of(made: World, guid: str = "c1") -> Link:
    link = made.books.link("customer", severa_id=guid)
    assert link is not None
    return link


# ---------------------------------------------------------------- typed in both systems between two polls (S31)


@pytest.mark.schedule("S31")
@pytest.mark.req("R-CUS-5")
@pytest.mark.parametrize(
    "erp",
    [theirs(number="7"), theirs(vatRegistrationId="SE556677889901"), theirs(name="ADA  BYGG ab", number="7")],
)
def test_a_customer_typed_in_the_erp_since_the_last_poll_is_linked_and_not_made_again(erp: Json) -> None:
    made = world()
    put_severa(made, "customers", ours())
    made.erp.store("customer", erp, erp["number"])

    settled(made)

    assert link_of(made).erp_id == "501"
    assert [call for call in changed(made) if "create" in call] == []


@pytest.mark.req("R-CUS-5")
def test_one_of_the_same_name_only_is_asked_about_before_anything_is_made() -> None:
    made = world()
    put_severa(made, "customers", ours(vatNumber=None))
    made.erp.store("customer", theirs(), "20001")

    assert stopped(made).code == "customer.ambiguous"
    assert changed(made) == []


@pytest.mark.schedule("S31")
@pytest.mark.req("R-CUS-5")
def test_a_customer_typed_in_severa_since_the_last_poll_is_linked_and_not_made_again() -> None:
    made = world()
    put_erp(made, "customer", "20001", theirs())
    made.severa.store("customers", ours())

    settled(made, erp=("customer", "501"))

    assert link_of(made).erp_id == "501"
    assert [call for call in changed(made) if "create" in call] == []


@pytest.mark.schedule("S31")
@pytest.mark.parametrize(
    ("body", "key"),
    [
        (ours(), "5566778899"),
        (theirs(), "5566778899"),
        (ours(vatNumber="556677-8899"), "5566778899"),
        (theirs(vatRegistrationId="", corporateId="556677-8899"), "5566778899"),
        (ours(vatNumber=None, name=" ADA  Bygg ab"), "ada bygg ab"),
        (theirs(vatRegistrationId="", corporateId=""), "ada bygg ab"),
        (ours(vatNumber="saknas", name="Ma\u0308larbygg"), "mälarbygg"),
        ({"name": None}, ""),
    ],
)
def test_both_directions_hold_a_customer_by_one_key(body: Json, key: str) -> None:
    assert natural_key(body) == key


# ---------------------------------------------------------------- the bridge's own create, met by a poll


def made_at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def test_a_poll_that_meets_the_bridges_own_new_customer_waits_and_warns_of_nothing() -> None:
    made = world()
    # The ERP customer is an hour old; its delivery has just made the Severa customer, whose address is still to come.
    put_erp(made, "customer", "20001", theirs(createdDateTime="2026-11-02T08:00:00"))
    put_severa(
        made,
        "customers",
        ours(number=20001, email=None, headquarterAddress=None, createdDateTime=made_at(-2)),
    )

    with pytest.raises(Waiting) as caught:
        settle(made.delivery("customer", severa=("customers", "c1")))

    assert (caught.value.domain, caught.value.erp_id) == ("customer", "501")


@pytest.mark.parametrize("ours_made", [made_at(-3600), None], ids=["made an hour ago", "nobody knows when"])
def test_what_was_not_made_just_now_is_linked_at_once(ours_made: str | None) -> None:
    made = world()
    put_erp(made, "customer", "20001", theirs(createdDateTime="2026-11-02T07:00:00"))
    put_severa(made, "customers", ours(number=20001, createdDateTime=ours_made))

    assert codes(settled(made)) == ["customer.linked"]


@pytest.mark.schedule("S31")
@pytest.mark.parametrize(("ours_made", "theirs_made"), [(-2, "08:59:59"), (-1, "08:59:57"), (-2, "08:59:58")])
def test_two_typed_at_once_in_both_systems_do_not_wait_for_each_other(
    ours_made: float, theirs_made: str
) -> None:
    waiting = []
    for which in ({"severa": ("customers", "c1")}, {"erp": ("customer", "501")}):
        made = world()
        put_erp(made, "customer", "20001", theirs(createdDateTime=f"2026-11-02T{theirs_made}"))
        put_severa(made, "customers", ours(number=20001, createdDateTime=made_at(ours_made)))
        try:
            settle(made.delivery("customer", **which))  # type: ignore[arg-type]
        except Waiting:
            waiting.append(which)
    assert len(waiting) <= 1


@pytest.mark.parametrize("after", [True, False])
def test_a_matter_that_was_joined_while_its_other_half_is_made_goes_on_making_it(*, after: bool) -> None:
    made = world()
    put_severa(made, "customers", ours())
    made.faults.arm("create", "customer", OutcomeUnknown(), after=after)
    delivery = made.delivery("customer", severa=("customers", "c1"))
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    for row in list(made.erp.records.get("customer", {}).values()):
        made.books.remember("visma_net", "customer", row)
        delivery._erp_id = ("customer", str(row["internalId"]))

    made.run(settle, delivery.again())

    assert len(made.erp.records["customer"]) == 1
    (row,) = made.erp.records["customer"].values()
    assert row["mainContact"]["email"] == "faktura@ada.example"


# ---------------------------------------------------------------- renumbered and merged (R-CUS-8, S32)


def renumbered(made: World) -> None:
    made.erp.records["customer"]["555"] = made.erp.records["customer"].pop("20001")
    made.erp.records["customer"]["555"]["number"] = "555"


@pytest.mark.req("R-CUS-8")
def test_the_number_of_a_renumbered_customer_is_read_by_its_internal_id() -> None:
    made = world()
    linked(made)
    renumbered(made)

    assert (
        mirror.in_erp(MIRROR, made.delivery("customer", severa=("customers", "c1")), link_of(made)).body[
            "number"
        ]
        == "555"
    )


@pytest.mark.req("R-CUS-8")
def test_a_number_that_was_given_to_another_customer_is_not_taken_for_ours() -> None:
    made = world()
    linked(made)
    renumbered(made)
    made.erp.store("customer", theirs(internalId=900, name="Bo AB"), "20001")

    assert (
        mirror.in_erp(MIRROR, made.delivery("customer", severa=("customers", "c1")), link_of(made)).body[
            "number"
        ]
        == "555"
    )


@pytest.mark.req("R-CUS-8")
@pytest.mark.parametrize("answer", ["404", "the heir"])
@pytest.mark.parametrize(
    "more", [{"name": "Ada Bygg & Son AB"}, {"vatRegistrationId": "SE1", "corporateId": ""}]
)
def test_a_merged_customer_is_a_problem_that_proposes_the_heir(answer: str, more: Json) -> None:
    made = world()
    linked(made)
    put_erp(made, "customer", "20009", theirs(**{"internalId": 509, "number": "20009", **more}))
    del made.erp.records["customer"]["20001"]
    assert isinstance(made.erp, RegisterErp)
    if answer == "the heir":
        made.erp.became["501"] = "509"

    delivery = made.delivery("customer", severa=("customers", "c1"))
    if answer == "404":
        delivery = said_once(made, lambda one: mirror.in_erp(MIRROR, one, link_of(made)), delivery)
    with pytest.raises(Stop) as caught:
        mirror.in_erp(MIRROR, delivery, link_of(made))

    assert caught.value.code == "customer.merged"
    assert caught.value.values["heir"]["number"] == "20009"


@pytest.mark.req("R-CUS-8")
@pytest.mark.schedule("S32")
@pytest.mark.parametrize("answer", ["404", "the heir"])
def test_two_linked_customers_that_the_erp_merges_are_never_joined(answer: str) -> None:
    made = world()
    linked(made)
    severa = put_severa(made, "customers", ours(guid="c2", name="Ada Bygg & Son AB", number=20009))
    put_erp(made, "customer", "20009", theirs(internalId=509, number="20009", name="Ada Bygg & Son AB"))
    records = made.books.records
    made.books.connect(
        "customer", records["severa", "customers", "c2"], records["visma_net", "customer", "509"]
    )
    del made.erp.records["customer"]["20001"]
    assert isinstance(made.erp, RegisterErp)
    if answer == "the heir":
        made.erp.became["501"] = "509"
    before = dict(severa), dict(made.erp.records["customer"]["20009"])
    made.severa.stored("customers", "c1")["email"] = "ny@ada.example"
    made.books.remember("severa", "customers", made.severa.stored("customers", "c1"))
    made.clock.forward(600)
    made.calls.clear()

    stop = stopped(made)

    assert stop.code == "customer.merged_linked"
    assert stop.values["heir"] == {"number": "20009", "name": "Ada Bygg & Son AB"}
    assert stop.values["other"]["name"] == "Ada Bygg & Son AB"
    assert changed(made) == []
    assert (made.severa.stored("customers", "c2"), made.erp.records["customer"]["20009"]) == before
    assert {(link.severa_id, link.erp_id) for link in made.books.links} == {("c1", "501"), ("c2", "509")}


@pytest.mark.req("R-CUS-8")
def test_a_customer_of_another_country_is_no_heir_because_its_digits_agree() -> None:
    made = world()
    linked(
        made,
        ours(number=20001, vatNumber="DK12345678"),
        theirs(vatRegistrationId="DK12345678", corporateId=""),
    )
    put_erp(
        made,
        "customer",
        "20009",
        theirs(internalId=509, number="20009", name="Bo OY", vatRegistrationId="FI12345678", corporateId=""),
    )
    del made.erp.records["customer"]["20001"]
    key = ("visma_net", "customer", "501")
    made.books.records[key] = replace(made.books.records[key], gone=True)

    assert stopped(made).code == "customer.gone"


@pytest.mark.req("R-CUS-5")
@pytest.mark.parametrize("deleted", [True, False])
def test_a_customer_entered_anew_after_it_was_deleted_is_not_made_twice_in_the_erp(*, deleted: bool) -> None:
    made = world()
    linked(made)
    if deleted:
        del made.severa.records["customers"]["c1"]
        key = ("severa", "customers", "c1")
        made.books.records[key] = replace(made.books.records[key], gone=True)
        put_severa(made, "customers", ours(guid="c2"))
    else:
        # Another customer of the name and organisation, in its own right: as before.
        put_severa(made, "customers", ours(guid="c2", name="ADA BYGG AB"))

    if deleted:
        assert stopped(made, severa=("customers", "c2")).code == "customer.of_deleted"
        assert changed(made) == []
    else:
        settled(made, severa=("customers", "c2"))
        assert len(made.erp.records["customer"]) == 2


def test_of_two_that_a_lost_answer_left_in_doubt_the_one_that_a_person_left_active_counts() -> None:
    made = world()
    put_severa(made, "customers", ours())
    made.faults.arm("create", "customer", OutcomeUnknown(), after=True)
    delivery = made.delivery("customer", severa=("customers", "c1"))
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    [(number, row)] = made.erp.records["customer"].items()
    twin = {**row, "number": "999", "internalId": 999}
    made.erp.store("customer", twin, "999")
    with pytest.raises(InDoubt):
        settle(delivery.again())

    made.erp.records["customer"]["999"]["status"] = "Inactive"
    made.run(settle, delivery.again())

    link = made.books.link("customer", severa_id="c1")
    assert link is not None
    assert link.erp_number == number
    assert set(made.erp.records["customer"]) == {number, "999"}
