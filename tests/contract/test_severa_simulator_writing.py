"""The Severa simulator from outside: what can be created, changed and deleted."""

from __future__ import annotations

import pytest
from severa_tenant import Tenant, message


def test_a_customer_with_its_address_is_created_in_three_steps(tenant: Tenant) -> None:
    made = tenant.call(
        "POST", "/customers", json={"name": "Trestegs AB", "number": 10999, "isInternal": True}
    )
    assert made.status_code == 201
    assert made.json()["isInternal"] is False
    guid = made.json()["guid"]
    (sweden,) = tenant.get("/localization/countries/SE")
    address = tenant.call(
        "POST",
        f"/customers/{guid}/addresses",
        json={"addressline": "Storgatan 1", "city": "Falun", "country": {"guid": sweden["guid"]}},
    )
    assert address.status_code == 201
    answer = tenant.patch(f"/customers/{guid}", headquarterAddress__guid=address.json()["guid"])
    assert answer.json()[0]["headquarterAddress"]["country"] == "Sverige"
    assert [one["guid"] for one in tenant.get(f"/customers/{guid}/addresses")] == [address.json()["guid"]]


def test_a_taken_customer_name_is_refused(tenant: Tenant) -> None:
    tenant.people.add("customers", {"name": "Enda AB"})
    answer = tenant.call("POST", "/customers", json={"name": "enda ab"})
    assert answer.status_code == 400
    assert message(answer)[0] == "InvalidParameter"


def test_a_required_field_is_missed_and_money_needs_its_currency(tenant: Tenant) -> None:
    answer = tenant.call("POST", "/products", json={"code": "X"})
    assert answer.status_code == 400
    assert message(answer)[1] == "name is required."
    answer = tenant.call("POST", "/products", json={"name": "X", "unitPrice": {"amount": 10}})
    assert answer.status_code == 400
    assert message(answer)[1] == "currencyCode is required."
    answer = tenant.call(
        "POST", "/travelexpensetypes", json={"name": "Parkering", "expenseClass": "OtherTravelExpense"}
    )
    assert message(answer)[1] == "unitCost is required."


def test_a_code_is_unique_over_the_three_registers(tenant: Tenant) -> None:
    answer = tenant.call("POST", "/worktypes", json={"name": "Ny", "code": "LIC"})
    assert message(answer)[1] == "The code LIC is already in use."


@pytest.mark.parametrize("op", ["Add", "remove", "Test"])
def test_only_replace_is_supported(tenant: Tenant, op: str) -> None:
    guid = tenant.get("/products")[0]["guid"]
    answer = tenant.call("PATCH", f"/products/{guid}", json=[{"op": op, "path": "/name", "value": "x"}])
    assert answer.status_code == 400
    assert message(answer)[0] == "InvalidOperation"


def test_a_patch_takes_any_case_and_values_as_text_and_answers_a_list(tenant: Tenant) -> None:
    guid = tenant.get("/products", code="LIC")[0]["guid"]
    answer = tenant.call(
        "PATCH",
        f"/products/{guid}",
        json=[
            {"op": "replace", "path": "/UNITPRICE/Amount", "value": "99.50"},
            {"Op": "REPLACE", "Path": "/isActive", "Value": "false"},
        ],
    )
    (product,) = answer.json()
    assert product["unitPrice"]["amount"] == 99.5
    assert product["isActive"] is False


def test_a_patch_is_applied_whole_or_not_at_all(tenant: Tenant) -> None:
    guid = tenant.get("/products", code="LIC")[0]["guid"]
    before = tenant.get(f"/products/{guid}")
    assert tenant.patch(f"/products/{guid}", name="Nytt namn", nosuchfield=1).status_code == 400
    assert tenant.get(f"/products/{guid}") == before


def test_a_read_only_field_is_refused_in_a_patch(tenant: Tenant) -> None:
    guid = tenant.get("/customers")[0]["guid"]
    assert tenant.patch(f"/customers/{guid}", isInternal=False).status_code == 400


def test_a_communication_is_forbidden_to_use_unless_said_otherwise(tenant: Tenant) -> None:
    customer = tenant.people.add("customers", {"name": "Kontakt AB"})["guid"]
    person = tenant.call(
        "POST", "/contactpersons", json={"firstName": "Eva", "lastName": "Ek", "customer": {"guid": customer}}
    ).json()
    kind = next(one for one in tenant.get("/communicationtypes") if one["type"] == "EmailAddress")
    made = tenant.call(
        "POST",
        "/contactcommunications",
        json={
            "value": "eva@kontakt.example",
            "contact": {"guid": person["guid"]},
            "communicationType": {"guid": kind["guid"]},
        },
    )
    assert made.json()["isForbiddenToUse"] is True
    assert tenant.get(f"/contactpersons/{person['guid']}")["emails"] == ["eva@kontakt.example"]
    assert tenant.get(f"/customers/{customer}/contactpersons")[0]["name"] == "Eva Ek"
    changed = tenant.patch(f"/contactcommunications/{made.json()['guid']}", isForbiddenToUse=False)
    assert changed.json()["isForbiddenToUse"] is False


def test_a_deleted_record_is_gone_and_a_used_one_stays(tenant: Tenant) -> None:
    guid = tenant.get("/products", code="LIC")[0]["guid"]
    assert tenant.call("DELETE", f"/products/{guid}").status_code == 204
    assert tenant.call("GET", f"/products/{guid}").status_code == 404
    used = tenant.get("/customers", numbers=10001)[0]["guid"]
    assert tenant.call("DELETE", f"/customers/{used}").status_code == 400


def test_a_project_gets_number_root_phase_and_currency(tenant: Tenant) -> None:
    customer = tenant.get("/customers", numbers=10004)[0]["guid"]
    owner = tenant.get("/users")[0]["guid"]
    made = tenant.call(
        "POST",
        "/projects",
        json={"name": "Nytt", "customer": {"guid": customer}, "projectOwner": {"guid": owner}},
    ).json()
    assert made["number"] == 1008
    assert made["currency"]["code"] == "NOK"
    assert tenant.get(f"/phases/{made['rootPhase']['guid']}")["project"]["number"] == 1008
    assert (
        made["businessUnit"]["companyGuid"]
        == tenant.get("/organizationdetails")["activeCompanies"][0]["guid"]
    )


def test_a_project_fee_answers_a_list_and_leaves_a_tombstone(tenant: Tenant) -> None:
    project = tenant.get("/projects", numbers=1001)[0]
    made = tenant.call(
        "POST",
        "/projectfees",
        json={
            "project": {"guid": project["guid"]},
            "description": "Leverantör AB [ERP Invoice 400000/1]",
            "quantity": 1,
            "unitCost": {"amount": 1850.5, "currencyCode": "SEK"},
            "unitPrice": {"amount": 0, "currencyCode": "SEK"},
            "isBillable": False,
            "eventDate": "2025-04-30",
        },
    )
    assert made.status_code == 201
    (fee,) = made.json()
    assert (fee["unitCost"]["amount"], fee["isBillable"]) == (1850.5, False)
    assert fee["phase"]["guid"] == project["rootPhase"]["guid"]
    assert fee["customer"]["number"] == 10001
    assert [one["guid"] for one in tenant.get(f"/projects/{project['guid']}/projectfees")] == [fee["guid"]]
    tenant.call("DELETE", f"/projectfees/{fee['guid']}")
    (gone,) = tenant.get("/deletedprojectfees", deletedSince=fee["createdDateTime"])
    assert gone["guid"] == fee["guid"]
