"""Contacts, addresses, merged records and the mass-change brake, from one system to what stands in the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from road import Json, Road

from app import linking, service
from domain.errors import InputError

PLACE = {"addressline": "Fakturafack 7", "postalCode": "903 25", "city": "Umeå", "country": "SE"}


def in_step(road: Road, name: str, vat_number: str) -> tuple[Json, Json]:
    """A customer of that name on both sides."""
    made = road.add_customer(name, vatNumber=vat_number)
    road.settle()
    return road.severa.one("customers", guid=made["guid"]), road.erp.one("customer", name=name)


def at_rest(road: Road) -> dict[str, int]:
    """What the bridge writes over further polls when nobody edits anything."""
    road.forget_calls()
    for _ in range(2):
        road.poll()
    road.settle()
    return road.writes()


def add_reach(road: Road, person: Json, kind: str, value: str) -> Json:
    type_ = next(row for row in road.severa.look("communicationtypes") if row["type"] == kind)
    return road.severa.add(
        "contactcommunications",
        value=value,
        contact=person["guid"],
        communicationType=type_["guid"],
        isForbiddenToUse=False,
    )


@pytest.mark.req("R-CUS-1", "R-CON-2")
def test_a_contact_made_in_severa_reaches_the_erp_and_its_phone_follows(road: Road) -> None:
    ours, theirs = in_step(road, "Kontaktbolaget AB", "SE556222111101")
    person = road.severa.add(
        "contactpersons",
        firstName="Kari",
        lastName="Berg",
        jobTitle="Ekonom",
        customer=ours["guid"],
        isEmailAllowed=True,
    )
    add_reach(road, person, "EmailAddress", "kari@kontakt.example")
    road.settle()
    contact = road.erp.one("contact", businessAccount=theirs["number"])
    assert (contact["firstName"], contact["lastName"], contact["position"]) == ("Kari", "Berg", "Ekonom")
    assert (contact["email"], contact["doNotEmail"]) == ("kari@kontakt.example", False)

    add_reach(road, person, "MobilePhone", "+46 70 123")
    road.settle()
    assert road.erp.one("contact", businessAccount=theirs["number"])["phone1"] == "+46 70 123"
    assert at_rest(road) == {}


@pytest.mark.req("R-CUS-1", "R-CUS-7")
def test_a_contact_made_in_the_erp_reaches_severa_and_is_deactivated_with_it(road: Road) -> None:
    ours, theirs = in_step(road, "Kontakt Två AB", "SE556222111201")
    contact = road.erp.add(
        "contact", firstName="Ola", lastName="Nord", email="ola@two.example", phone2="+46 90 1", businessAccount=theirs["number"]
    )  # fmt: skip
    road.settle()
    [person] = [row for row in road.severa.look("contactpersons") if row["customer"]["guid"] == ours["guid"]]
    assert (person["firstName"], person["lastName"]) == ("Ola", "Nord")
    assert (person["emails"], person["phoneNumbers"]) == (["ola@two.example"], ["+46 90 1"])

    road.erp.change("contact", str(contact["contactId"]), active=False)
    road.settle()
    assert road.severa.one("contactpersons", guid=person["guid"])["isActive"] is False
    assert at_rest(road) == {}


@pytest.mark.req("R-CUS-1", "R-CON-2")
def test_an_invoice_address_of_its_own_travels_both_ways(road: Road) -> None:
    ours, theirs = in_step(road, "Adressbolaget AB", "SE556222111301")
    number = theirs["number"]
    road.erp.change(
        "customer",
        number,
        invoiceAddress={"addressLine1": "Fakturafack 7", "postalCode": "90325", "city": "Umeå"},
    )
    road.settle()
    rows = [row for row in road.severa.look("addresses") if row["customer"]["guid"] == ours["guid"]]
    billing = [row for row in rows if row["isBillingAddress"]]
    assert [(row["addressline"], row["city"], row["isPostalAddress"]) for row in billing] == [
        ("Fakturafack 7", "Umeå", False)
    ]
    assert len(rows) == 2

    road.severa.change("addresses", billing[0]["guid"], addressline="Fakturafack 8")
    road.settle()
    changed = road.erp.one("customer", number=number)
    assert changed["invoiceAddress"]["addressLine1"] == "Fakturafack 8"
    assert changed["mainAddress"]["addressLine1"] == "Kungsgatan 1"
    assert at_rest(road) == {}


@pytest.mark.req("R-CUS-1")
def test_a_changed_severa_address_reaches_the_erp_and_back(road: Road) -> None:
    ours, theirs = in_step(road, "Flyttbolaget AB", "SE556222111401")
    [row] = [row for row in road.severa.look("addresses") if row["customer"]["guid"] == ours["guid"]]
    road.severa.change("addresses", row["guid"], city="Kiruna")
    road.settle()
    assert road.erp.one("customer", number=theirs["number"])["mainAddress"]["city"] == "Kiruna"

    road.erp.change("customer", theirs["number"], mainAddress={"city": "Gällivare"})
    road.settle()
    assert road.severa.one("addresses", guid=row["guid"])["city"] == "Gällivare"
    assert at_rest(road) == {}


@pytest.mark.req("R-CUS-8")
def test_a_customer_merged_into_another_is_reported_and_relinked_by_a_person(road: Road) -> None:
    ours, theirs = in_step(road, "Uppköpt AB", "SE556222111501")
    service.set_paused(road.installation.bridge, road.name, paused=True, domain="customer")
    heir = road.erp.add(
        "customer",
        name="Uppköpt i Norden AB",
        vatRegistrationId="SE556222111501",
        mainContact={"web": "https://norden.example"},
    )
    road.erp.change("customer", theirs["number"], status="Inactive")
    road.poll()
    # The heir's own row would create it in Severa: in a real merge nobody knows it there, either.
    road.sql(
        "delete from outbox where tenant_id = %s and matter_id = (select id from matter where erp_register = 'customer' and erp_id = %s)",
        road.tenant_id,
        str(heir["internalId"]),
    )
    service.set_paused(road.installation.bridge, road.name, paused=False, domain="customer")
    road.settle()
    assert road.codes() == ["customer.merged"]
    [problem] = road.problems()
    assert "relink" in problem["actions"]
    assert problem["values"]["relink"] == {"severa_id": ours["guid"], "erp_id": str(heir["internalId"])}
    assert road.severa.one("customers", guid=ours["guid"])["isActive"] is False

    moved = linking.relink(
        road.installation.bridge, road.name, "customer", ours["guid"], str(heir["internalId"])
    )
    assert moved["before"] == {"severa": ours["guid"], "erp": str(theirs["internalId"])}
    road.settle()
    assert road.codes() == []
    relinked = road.severa.one("customers", guid=ours["guid"])
    assert relinked["number"] == int(heir["number"])
    # There is no agreed state with the new half: what differs stays until somebody edits it.
    assert not relinked["website"]
    road.severa.change("customers", ours["guid"], website="https://uppkopt.example")
    road.settle()
    assert road.erp.one("customer", number=heir["number"])["mainContact"]["web"] == "https://uppkopt.example"
    audited = road.sql(
        "select details from audit_log where tenant_id = %s and action = 'link.moved'", road.tenant_id
    )
    assert [row["details"]["erp"] for row in audited] == [str(heir["internalId"])]


@pytest.mark.req("R-CUS-8")
def test_a_link_is_only_moved_between_records_that_exist_and_are_free(road: Road) -> None:
    one, first = in_step(road, "Ena AB", "SE556222111601")
    other, second = in_step(road, "Andra AB", "SE556222111701")
    bridge = road.installation.bridge
    with pytest.raises(InputError, match="no record"):
        linking.relink(bridge, road.name, "customer", one["guid"], "finns-inte")
    with pytest.raises(InputError, match="linked to others"):
        linking.relink(bridge, road.name, "customer", one["guid"], second["number"])
    with pytest.raises(InputError, match="linked already"):
        linking.relink(bridge, road.name, "customer", other["guid"], second["number"])
    with pytest.raises(InputError, match="choose from"):
        linking.relink(bridge, road.name, "invoice", one["guid"], first["number"])


@pytest.mark.req("R-CUS-6")
def test_the_class_chosen_for_a_customer_is_carried_over(road: Road) -> None:
    ours, theirs = in_step(road, "Klassbolaget AB", "SE556222111801")
    bridge = road.installation.bridge
    assert [one for one, _ in linking.classes(bridge, road.name, "customer", ours["guid"]).offered] == [
        "1",
        "2",
        "3",
    ]
    with pytest.raises(InputError, match="no class"):
        linking.choose_class(bridge, road.name, "customer", ours["guid"], "9")
    linking.choose_class(bridge, road.name, "customer", ours["guid"], "3")
    road.settle()
    assert road.erp.one("customer", number=theirs["number"])["customerClass"]["id"] == "3"
    assert at_rest(road) == {}


@pytest.mark.req("R-CUS-6")
def test_a_class_changed_in_the_erp_is_the_choice_from_then_on(road: Road) -> None:
    ours, theirs = in_step(road, "Klassbytet AB", "SE556222111901")
    bridge = road.installation.bridge
    road.erp.change("customer", theirs["number"], customerClassId="2")
    road.settle()
    assert linking.classes(bridge, road.name, "customer", ours["guid"]).chosen == "2"
    linking.choose_class(bridge, road.name, "customer", ours["guid"], "3")
    road.settle()
    assert road.erp.one("customer", number=theirs["number"])["customerClass"]["id"] == "3"
    assert linking.classes(bridge, road.name, "customer", ours["guid"]).chosen == "3"
    assert at_rest(road) == {}


def many(road: Road, count: int) -> list[Json]:
    """So many customers in step."""
    made = [road.add_customer(f"Massa {n} AB", vatNumber=f"SE5563{n:06d}01") for n in range(count)]
    road.settle()
    return made


@pytest.mark.req("R-CON-3")
def test_a_mass_change_pauses_the_domain_and_asks_until_somebody_resumes_it(
    new_firm: Callable[..., Road],
) -> None:
    road = new_firm()
    customers = many(road, 30)
    for one in customers:
        road.severa.change("customers", one["guid"], isActive=False)
    road.forget_calls()
    road.poll()
    assert road.codes() == ["poll.brake"]
    [paused] = road.sql("select paused_domains from tenant where id = %s", road.tenant_id)
    assert paused["paused_domains"] == ["customer"]
    road.poll()
    assert road.writes() == {}, "nothing is carried over before a person has said yes"

    # Products go on meanwhile.
    road.severa.add("products", name="Ny vara", code="NYVARA")
    road.settle()
    assert road.erp.count("inventory", inventoryNumber="NYVARA") == 1

    service.set_paused(road.installation.bridge, road.name, paused=False, domain="customer")
    road.settle()
    assert road.codes() == []
    names = {one["name"] for one in customers}
    assert {row["status"] for row in road.erp.look("customer") if row["name"] in names} == {"Inactive"}


@pytest.mark.req("R-CON-3")
def test_an_empty_answer_where_records_were_pauses_the_domain_and_forgets_nothing(
    new_firm: Callable[..., Road],
) -> None:
    road = new_firm()
    # The daily sweep reads whole registers; this time the server answers nothing at all.
    road.sql(
        "update stream set swept_at = null where tenant_id = %s and register = 'products'", road.tenant_id
    )
    road.severa.arm("status", "/v1/products$", method="GET", status=200, body=[], times=None)

    def forgotten() -> int:
        [left] = road.sql(
            "select count(*) as n from record where tenant_id = %s and register = 'products' and gone_at is not null",
            road.tenant_id,
        )
        return int(left["n"])

    def swept() -> object:
        query = "select swept_at from stream where tenant_id = %s and register = 'products'"
        [stream] = road.sql(query, road.tenant_id)
        return stream["swept_at"]

    for _ in range(2):
        road.poll()
        assert road.codes() == ["poll.brake"]
        assert forgotten() == 0
        assert swept() is None, "what nobody has confirmed is looked at again"

    # A person who resumes has said that it is so: it is not asked again, and every linked record is looked at singly
    # (here they are all still there, so nothing is forgotten).
    service.set_paused(road.installation.bridge, road.name, paused=False, domain="product")
    road.poll()
    road.settle()
    assert road.codes() == []
    assert swept() is not None
    assert forgotten() == 0


@pytest.mark.req("R-CON-3")
def test_fewer_changes_than_the_limit_go_through_at_once(new_firm: Callable[..., Road]) -> None:
    road = new_firm()
    customers = many(road, 8)
    for one in customers:
        road.severa.change("customers", one["guid"], website="https://massa.example")
    road.settle()
    names = {one["name"] for one in customers}
    assert {row["mainContact"]["web"] for row in road.erp.look("customer") if row["name"] in names} == {
        "https://massa.example"
    }


@pytest.mark.req("R-CUS-8")
def test_a_customer_deleted_in_severa_is_noticed_by_the_daily_sweep(new_firm: Callable[..., Road]) -> None:
    road = new_firm()
    ours, theirs = in_step(road, "Raderad AB", "SE556222111901")
    road.severa.ask("DELETE", f"customers/{ours['guid']}")
    road.sql("update stream set swept_at = null where tenant_id = %s", road.tenant_id)
    road.settle()
    assert road.codes() == ["customer.gone"]
    assert road.erp.one("customer", number=theirs["number"])["status"] == "Active", (
        "nothing is deleted or closed"
    )
