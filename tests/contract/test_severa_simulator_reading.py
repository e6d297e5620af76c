"""The Severa simulator from outside: sign-in, lists, paging and filters as the vendor's documents say."""

from __future__ import annotations

import pytest
from severa_tenant import Tenant, message


def test_token_answer_has_the_vendors_own_names(tenant: Tenant) -> None:
    token = tenant.sign_in("customers:read, invoices:write")
    assert token["access_token_type"] == "Bearer"
    assert token["access_token_expires_in"] == 3600
    assert set(token["scope"].split()) == {"customers:read", "invoices:write"}
    assert "expires_in" not in token


def test_names_of_the_credentials_are_read_without_case(tenant: Tenant) -> None:
    body = {
        "client_Id": tenant.org.client_id,
        "Client_Secret": tenant.org.client_secret,
        "SCOPE": "customers:read",
    }
    assert tenant.http.post("/rest-api/v1.0/token", json=body).status_code == 200


def test_a_wrong_secret_is_a_401(tenant: Tenant) -> None:
    body = {"client_id": tenant.org.client_id, "client_secret": "wrong", "scope": "customers:read"}
    answer = tenant.http.post("/rest-api/v1/token", json=body)
    assert answer.status_code == 401
    assert message(answer)[0] == "AuthenticationRequired"


def test_a_scope_that_is_not_granted_refuses_the_token_or_gives_a_part_by_switch(tenant: Tenant) -> None:
    tenant.org.granted_scopes = {"customers:read"}
    body = {
        "client_id": tenant.org.client_id,
        "client_secret": tenant.org.client_secret,
        "scope": "customers:read customers:write",
    }
    assert tenant.http.post("/rest-api/v1/token", json=body).status_code == 401
    tenant.org.overrides["partial_scopes"] = True
    answer = tenant.http.post("/rest-api/v1/token", json=body)
    assert answer.json()["scope"] == "customers:read"


def test_a_missing_scope_is_a_403(tenant: Tenant) -> None:
    tenant.sign_in("customers:read")
    answer = tenant.call("POST", "/customers", json={"name": "Ny kund AB"})
    assert answer.status_code == 403
    assert message(answer) == ("InsufficientApiScope", "The scope customers:write is required.")


def test_an_expired_or_revoked_token_is_a_401_and_a_refresh_token_works_once(tenant: Tenant) -> None:
    tenant.org.overrides["token_seconds"] = 0
    token = tenant.sign_in()
    assert tenant.call("GET", "/customers").status_code == 401
    del tenant.org.overrides["token_seconds"]
    headers = {"Client_Id": tenant.org.client_id}
    fresh = tenant.http.post("/rest-api/v1/refreshtoken", json=token["refresh_token"], headers=headers)
    assert fresh.status_code == 200
    again = tenant.http.post("/rest-api/v1/refreshtoken", json=token["refresh_token"], headers=headers)
    assert again.status_code == 401
    tenant.headers["Authorization"] = f"Bearer {fresh.json()['access_token']}"
    assert tenant.call("GET", "/customers").status_code == 200
    tenant.http.post(f"/_sim/orgs/{tenant.org.client_id}/revoke")
    assert tenant.call("GET", "/customers").status_code == 401


def test_the_client_id_header_is_needed_only_by_switch(tenant: Tenant) -> None:
    del tenant.headers["Client_Id"]
    assert tenant.call("GET", "/vatrates").status_code == 200
    tenant.org.overrides["strict_client_id"] = True
    assert tenant.call("GET", "/vatrates").status_code == 401


def test_heartbeats_tell_life_and_a_good_token(tenant: Tenant) -> None:
    assert tenant.http.get("/rest-api/heartbeat/server").text == "Server is alive."
    url = "/rest-api/heartbeat/authorized"
    assert tenant.http.get(url, headers=tenant.headers).status_code == 204
    assert tenant.http.get(url).status_code == 401


@pytest.mark.parametrize("prefix", ["/rest-api/v1", "/rest-api/v1.0", "/psapublicrest/v1"])
def test_every_known_prefix_is_served(tenant: Tenant, prefix: str) -> None:
    assert tenant.http.get(f"{prefix}/vatrates", headers=tenant.headers).status_code == 200


def test_the_eleventh_call_of_a_second_is_refused_with_plain_text(tenant: Tenant) -> None:
    tenant.org.overrides.update({"calls_per_second": 3, "retry_after": True})
    answers = [tenant.call("GET", "/heartbeat-unknown") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [404, 404, 404, 429]
    assert answers[3].text == "API calls quota exceeded! maximum admitted 3 per 1s."
    assert answers[3].headers["content-type"].startswith("text/plain")
    assert answers[3].headers["retry-after"] == "1"


def test_token_paging_gives_twenty_rows_and_a_header_until_the_end(tenant: Tenant) -> None:
    for number in range(30):
        tenant.people.add("customers", {"name": f"Kund {number}"})
    total = len(tenant.org.register("customers"))
    first = tenant.call("GET", "/customers")
    assert len(first.json()) == 20
    second = tenant.call("GET", "/customers", params={"pageToken": first.headers["NextPageToken"]})
    assert len(second.json()) == total - 20
    assert "NextPageToken" not in second.headers
    seen = [one["guid"] for one in first.json() + second.json()]
    assert len(set(seen)) == total


def test_a_page_token_survives_a_deletion_between_the_pages(tenant: Tenant) -> None:
    first = tenant.call("GET", "/customers", params={"rowCount": 3})
    tenant.people.remove("customers", first.json()[0]["guid"])
    second = tenant.call(
        "GET", "/customers", params={"pageToken": first.headers["NextPageToken"], "rowCount": 100}
    )
    assert len(second.json()) == len(tenant.org.register("customers")) - 2


def test_row_paging_starts_at_a_row_and_is_capped(tenant: Tenant) -> None:
    everything = tenant.get("/invoicestatuses")
    assert [one["sortOrder"] for one in everything] == [1, 2, 3, 4, 5, 6, 7]
    assert tenant.get("/invoicestatuses", firstRow=2, rowCount=2) == everything[2:4]
    tenant.org.overrides["maximum_rows"] = 5
    assert len(tenant.get("/invoicestatuses", rowCount=100)) == 5
    tenant.org.overrides["refuse_large_row_count"] = True
    assert tenant.call("GET", "/invoicestatuses", params={"rowCount": 100}).status_code == 400


def test_two_lists_give_all_rows_by_default(tenant: Tenant) -> None:
    for number in range(25):
        tenant.people.add(
            "travelexpensetypes",
            {
                "name": f"Utlägg {number}",
                "expenseClass": "OtherTravelExpense",
                "unitCost": {"amount": 1, "currencyCode": "SEK"},
            },
        )
    assert len(tenant.get("/travelexpensetypes")) == 28


def test_changed_since_is_inclusive_and_sees_creation_and_change(tenant: Tenant) -> None:
    guid = tenant.get("/customers", customerNames=f"Mälarbygg Entreprenad AB {tenant.org.name.split()[1]}")[
        0
    ]["guid"]
    assert tenant.get(f"/customers/{guid}")["lastUpdatedDateTime"] is None
    assert tenant.patch(f"/customers/{guid}", notes="Ring först").status_code == 200
    stamp = tenant.get(f"/customers/{guid}")["lastUpdatedDateTime"]
    assert [one["guid"] for one in tenant.get("/customers", changedSince=stamp)] == [guid]
    made = tenant.people.add("customers", {"name": "Alldeles ny AB"})
    assert [one["guid"] for one in tenant.get("/customers", changedSince=stamp)] == [guid, made["guid"]]


def test_a_changed_address_brings_its_customer_back_only_when_asked(tenant: Tenant) -> None:
    customer = tenant.people.add(
        "customers", {"name": "Flytt AB", "address": {"city": "Umeå", "country": "SE"}}
    )
    address = customer["headquarterAddress"]["guid"]
    tenant.patch(f"/addresses/{address}", city="Luleå")
    stamp = tenant.get(f"/addresses/{address}")["lastUpdatedDateTime"]
    assert tenant.get("/customers", changedSince=stamp) == []
    asked = tenant.get("/customers", changedSince=stamp, changedSinceOptions=["Contacts", "Addresses"])
    assert [one["headquarterAddress"]["city"] for one in asked] == ["Luleå"]


def test_a_misspelt_filter_is_ignored_and_a_right_one_narrows(tenant: Tenant) -> None:
    everything = tenant.get("/customers")
    assert tenant.get("/customers", isInternl="true") == everything
    internal = tenant.get("/customers", isInternal="true")
    assert [one["name"] for one in internal] == [f"{tenant.org.name} (internt)"]
    assert len(tenant.get("/customers", numbers=[10001, 10002])) == 2


def test_a_won_sales_case_leaves_the_sales_cases(tenant: Tenant) -> None:
    (case,) = tenant.get("/salescases")
    assert case["number"] == 1007
    won = tenant.get("/salesstatustypes", salesState="Won")[0]["guid"]
    answer = tenant.patch(f"/projects/{case['guid']}", salesStatus__salesStatusTypeGuid=won)
    assert answer.json()[0]["salesStatus"]["salesStatusTypeGuid"] == won
    assert "salesState" not in answer.json()[0]["salesStatus"]
    assert tenant.get("/salescases") == []


def test_a_country_is_found_by_guid_code_and_name(tenant: Tenant) -> None:
    (norway,) = tenant.get("/localization/countries/NO")
    assert tenant.get("/localization/countries/Norge") == [norway]
    assert tenant.get(f"/localization/countries/{norway['guid']}") == norway
    assert (
        tenant.call("GET", "/localization/countries/0f0f0f0f-0000-4000-8000-000000000000").status_code == 404
    )
