"""Contact persons both ways: mapping, matching, communications (mapping 'Contact persons')."""

from __future__ import annotations

from typing import Any

import pytest

from domain.customer.steps import settle
from domain.errors import OutcomeUnknown, Refused, Stop
from domain.model import Json
from domain.setup.settings import TenantSettings
from tests.fakes import World
from tests.fakes_registers import poll, put_erp, put_severa
from tests.unit.domain.customer_world import changed, codes, later, linked, stopped, world

pytestmark = pytest.mark.req("R-CUS-1")


def person(guid: str = "p1", **more: Any) -> Json:
    return {
        "guid": guid,
        "firstName": "Kari",
        "lastName": "Berg",
        "salutation": "Ms.",
        "jobTitle": "Projektledare",
        "isActive": True,
        "isEmailAllowed": True,
        "customer": {"guid": "c1"},
        **more,
    }


def reach(guid: str, kind: str, value: str, *, of: str = "p1", created: str = "2026-01-01") -> Json:
    return {
        "guid": guid,
        "value": value,
        "isForbiddenToUse": False,
        "contact": {"guid": of},
        "communicationType": {"guid": kind.lower(), "type": kind},
        "createdDateTime": f"{created}T00:00:00Z",
    }


def contact(key: int = 700, **more: Any) -> Json:
    return {
        "contactId": key,
        "firstName": "Kari",
        "lastName": "Berg",
        "title": "Ms",
        "position": "Projektledare",
        "email": "kari@ada.example",
        "phone1": "+46 70 111",
        "phone2": "",
        "doNotEmail": False,
        "active": True,
        "businessAccount": "20001",
        **more,
    }


def pair(made: World) -> tuple[Json, Json]:
    """A linked customer with one contact that is the same in both systems."""
    put_severa(made, "contactpersons", person())
    put_severa(made, "contactcommunications", reach("m1", "EmailAddress", "kari@ada.example"))
    put_severa(made, "contactcommunications", reach("m2", "MobilePhone", "+46 70 111"))
    put_erp(made, "contact", "700", contact())
    linked(made)
    assert changed(made) == []
    return made.severa.stored("contactpersons", "p1"), made.erp.stored("contact", "700")


def state(made: World) -> dict[str, Any]:
    link = made.books.link("customer", severa_id="c1")
    assert link is not None
    return dict(link.state.get("contacts") or {})


def reaches(made: World, guid: str = "p1") -> dict[str, str]:
    rows = made.severa.records["contactcommunications"].values()
    return {row["communicationType"]["type"]: row["value"] for row in rows if row["contact"]["guid"] == guid}


def test_a_new_severa_contact_is_made_in_the_erp_with_its_communications() -> None:
    made = world()
    linked(made)
    made.severa.store("contactpersons", person())
    made.severa.store("contactcommunications", reach("m1", "EmailAddress", "kari@ada.example"))
    made.severa.store("contactcommunications", reach("m2", "MobilePhone", "+46 70 111"))
    made.severa.store("contactcommunications", reach("m3", "Phone", "+46 90 222"))

    effects = later(made)

    (create,) = [call for call in made.calls if call.method == "create"]
    assert create.body == {
        "title": {"value": "Ms"},
        "firstName": {"value": "Kari"},
        "lastName": {"value": "Berg"},
        "position": {"value": "Projektledare"},
        "phone1": {"value": "+46 70 111"},
        "phone2": {"value": "+46 90 222"},
        "email": {"value": "kari@ada.example"},
        "doNotEmail": {"value": False},
        "active": {"value": True},
        "businessAccount": {"value": "20001"},
        "sameAsAccount": {"value": True},
    }
    assert codes(effects) == ["customer.contact_created_in_erp"]
    assert list(state(made)) == ["p1"]
    made.calls.clear()
    assert later(made).log == ()
    assert changed(made) == []


def test_a_new_erp_contact_is_made_in_severa_and_its_addresses_may_be_used() -> None:
    made = world()
    linked(made)
    made.erp.store("contact", contact(firstName="", title="Doctor", phone2="+46 90 222"), "700")

    effects = later(made)

    (made_person,) = made.severa.records["contactpersons"].values()
    assert (made_person["firstName"], made_person["lastName"]) == ("-", "Berg")
    assert "salutation" not in made_person
    assert (made_person["customer"], made_person["isEmailAllowed"]) == ({"guid": "c1"}, True)
    rows = list(made.severa.records["contactcommunications"].values())
    assert {row["communicationType"]["type"]: row["value"] for row in rows} == {
        "MobilePhone": "+46 70 111",
        "Phone": "+46 90 222",
        "EmailAddress": "kari@ada.example",
    }
    assert [row["isForbiddenToUse"] for row in rows] == [False, False, False]
    assert codes(effects) == ["customer.contact_created_in_severa"]
    made.calls.clear()
    assert later(made).log == ()
    assert changed(made) == [], "'-' for a missing name is never written back"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"email": "KARI@ada.example", "name": "Kari Berg"}, {"firstName": "Karin", "lastName": "Borg"}),
        ({"email": "", "name": "kari berg"}, {"email": "annan@ada.example"}),
    ],
)
def test_contacts_that_are_the_same_are_linked_by_email_then_by_name(ours: Json, theirs: Json) -> None:
    made = world()
    first, last = ours["name"].split()
    put_severa(made, "contactpersons", person(firstName=first, lastName=last))
    if ours["email"]:
        put_severa(made, "contactcommunications", reach("m1", "EmailAddress", ours["email"]))
    put_erp(made, "contact", "700", contact(**theirs))

    linked(made)

    assert state(made)["p1"]["id"] == "700"
    assert len(made.erp.records["contact"]) == len(made.severa.records["contactpersons"]) == 1


def test_contacts_that_fit_several_are_left_alone_and_said_once() -> None:
    made = world()
    linked(made)
    made.severa.store("contactpersons", person())
    for key in (700, 701):
        made.erp.store("contact", contact(key, email=""), str(key))

    effects = later(made)

    assert codes(effects) == ["customer.contacts_ambiguous"]
    assert changed(made) == []
    assert later(made).log == ()


def test_changes_of_a_contact_travel_both_ways() -> None:
    made = world()
    _, theirs = pair(made)
    made.severa.patch("contactpersons", "p1", {"/jobTitle": "Chef", "/isEmailAllowed": False})
    made.severa.patch("contactcommunications", "m1", {"/value": "ny@ada.example"})
    theirs |= {"title": "Mrs", "phone1": "+46 70 999", "phone2": "+46 90 5", "lastName": "Bergström"}
    made.calls.clear()

    effects = later(made)

    assert (theirs["position"], theirs["email"], theirs["doNotEmail"]) == ("Chef", "ny@ada.example", True)
    ours = made.severa.stored("contactpersons", "p1")
    assert (ours["salutation"], ours["lastName"]) == ("Mrs.", "Bergström")
    assert reaches(made) == {
        "EmailAddress": "ny@ada.example",
        "MobilePhone": "+46 70 999",
        "Phone": "+46 90 5",
    }
    assert codes(effects) == ["customer.contact_updated_in_erp", "customer.contact_updated_in_severa"]
    made.calls.clear()
    assert later(made).log == ()
    assert changed(made) == []


def test_a_patched_communication_keeps_whether_it_may_be_used() -> None:
    made = world()
    _, theirs = pair(made)
    theirs["email"] = "ny@ada.example"

    later(made)

    (patch,) = [call for call in made.calls if call.method == "patch"]
    assert (patch.register, patch.body) == ("contactcommunications", {"/value": "ny@ada.example"})


def test_of_several_communications_of_a_type_the_first_created_counts() -> None:
    made = world()
    _, theirs = pair(made)
    made.severa.store(
        "contactcommunications", reach("m0", "EmailAddress", "x@ada.example", created="2026-05-05")
    )

    later(made)

    assert theirs["email"] == "kari@ada.example"
    assert changed(made) == []


def test_an_emptied_value_is_reported_and_not_deleted_in_the_other_system() -> None:
    made = world()
    _, theirs = pair(made)
    theirs["email"] = ""
    del made.severa.records["contactcommunications"]["m2"]
    made.books.records.pop(("severa", "contactcommunications", "m2"))

    effects = later(made)

    assert codes(effects) == ["customer.contact_emptied"]
    assert changed(made) == []
    assert theirs["phone1"] == "+46 70 111"
    assert reaches(made) == {"EmailAddress": "kari@ada.example"}
    assert later(made).log == ()


@pytest.mark.req("R-CUS-7")
def test_deactivating_a_contact_flows_both_ways() -> None:
    made = world()
    ours, theirs = pair(made)
    made.severa.patch("contactpersons", "p1", {"/isActive": False})
    later(made)
    assert theirs["active"] is False

    theirs["active"] = True
    later(made)
    assert ours["isActive"] is True


def test_a_contact_conflict_is_asked_about_and_the_other_fields_go_on() -> None:
    made = world()
    _, theirs = pair(made)
    made.severa.patch("contactpersons", "p1", {"/jobTitle": "Chef", "/lastName": "Borg"})
    theirs["position"] = "Ekonom"
    made.clock.forward(600)
    poll(made)

    stop = stopped(made)

    assert stop.code == "customer.conflict"
    assert stop.values["fields"] == [
        {"field": "position", "severa": "Chef", "erp": "Ekonom", "of": "Kari Borg"}
    ]
    assert theirs["lastName"] == "Borg"


def test_a_refused_contact_holds_up_neither_the_others_nor_the_customer() -> None:
    made = world()
    linked(made)
    made.severa.patch("customers", "c1", {"/email": "ny@ada.example"})
    made.severa.store("contactpersons", person())
    made.severa.store("contactpersons", person("p2", firstName="Ola"))
    refused = Refused("Last name too long", system="visma_net", status=400, operation="POST contact")
    made.faults.arm("create", "contact", refused)
    made.clock.forward(600)
    poll(made)

    stop = stopped(made)

    assert (stop.code, stop.values["text"]) == ("customer.contact_refused", "Kari Berg: Last name too long")
    assert list(state(made)) == ["p2"]
    assert made.erp.stored("customer", "20001")["mainContact"]["email"] == "ny@ada.example"


@pytest.mark.parametrize("after", [True, False])
def test_a_lost_answer_never_makes_a_second_contact(after: bool) -> None:  # noqa: FBT001 - a parameter
    made = world()
    linked(made)
    made.severa.store("contactpersons", person())
    made.faults.arm("create", "contact", OutcomeUnknown(), after=after)
    made.clock.forward(600)
    poll(made)

    made.run(settle, made.delivery("customer", severa=("customers", "c1")))

    assert len(made.erp.records["contact"]) == 1
    assert list(state(made)) == ["p1"]


def test_contacts_nobody_uses_any_more_are_not_brought() -> None:
    made = world()
    linked(made)
    made.severa.store("contactpersons", person(isActive=False))
    made.erp.store("contact", contact(701, active=False, email="", lastName="Annan"), "701")

    later(made)

    assert changed(made) == []


def test_without_a_communication_type_the_problem_says_which() -> None:
    made = world()
    linked(made)
    made.books.records = {k: v for k, v in made.books.records.items() if k[1] != "communicationtypes"}
    made.severa.records["communicationtypes"].clear()
    made.erp.store("contact", contact(), "700")
    made.clock.forward(600)
    poll(made)

    stop = stopped(made)

    assert isinstance(stop, Stop)
    assert (stop.code, stop.values["type"]) == ("customer.communication_type", "MobilePhone")


@pytest.mark.req("R-CON-1")
def test_the_tenants_rule_decides_contact_conflicts() -> None:
    made = world()
    made.tenant = type(made.tenant)(
        "t1", "nordkonsult", "sv", "Europe/Stockholm",
        TenantSettings.model_validate({"conflict_customer": "visma_net"}),
    )  # fmt: skip
    ours, theirs = pair(made)
    made.severa.patch("contactpersons", "p1", {"/jobTitle": "Chef"})
    theirs["position"] = "Ekonom"

    effects = later(made)

    assert (ours["jobTitle"], theirs["position"]) == ("Ekonom", "Ekonom")
    assert "customer.overruled" in codes(effects)
