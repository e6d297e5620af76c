"""The ERP simulator keeps the vendor's document: sign-in, conventions and registers, over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import uuid
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from erp_company import SERVICE, Erp, invoice, wrapped


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"tenant_id": ""}, "invalid_request"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "isv_unknown"}, "invalid_client"),
        ({"scope": "vismanet_erp_service_api:everything"}, "invalid_scope"),
    ],
)
def test_the_token_endpoint_says_what_is_wrong(erp: Erp, changes: dict[str, str], error: str) -> None:
    form = {"grant_type": "client_credentials", "tenant_id": erp.tenant, **SERVICE, **changes}
    answer = erp.http.post("/connect/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_token_that_may_only_read_cannot_create(erp: Erp) -> None:
    scope = "vismanet_erp_service_api:read"
    form = {"grant_type": "client_credentials", "tenant_id": erp.tenant, "scope": scope, **SERVICE}
    token = erp.http.post("/connect/token", data=form).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert erp.http.get("/v1/customer", headers=headers).status_code == 200
    assert erp.http.post("/v2/customerinvoice", json=invoice(), headers=headers).status_code == 403


def test_a_call_without_a_live_token_is_401_and_an_unknown_path_404_before_that(erp: Erp) -> None:
    anonymous = {"Authorization": "Bearer nothing"}
    assert erp.http.get("/v1/customer", headers=anonymous).status_code == 401
    assert erp.http.get("/erp/service/v1/customer", headers=anonymous).status_code == 404
    erp.clock.offset = timedelta(seconds=3601)
    assert erp.http.get("/v1/customer").status_code == 401


def test_an_unknown_company_meets_the_licence_error(erp: Erp) -> None:
    form = {"grant_type": "client_credentials", "tenant_id": str(uuid.uuid4()), **SERVICE}
    token = erp.http.post("/connect/token", data=form).json()["access_token"]
    answer = erp.http.get("/v1/customer", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403
    assert answer.json()["ExceptionFaultCode"] == "12027"


def test_a_user_signs_in_with_pkce_and_each_refresh_token_works_once(erp: Erp) -> None:
    verifier = "v" * 60
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    query = {
        "client_id": SERVICE["client_id"],
        "redirect_uri": "https://app.local/back?x=1",
        "response_type": "code",
        "scope": "openid offline_access vismanet_erp_interactive_api:read",
        "state": "s1",
        "tenant_id": erp.tenant,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    answer = erp.http.get("/connect/authorize", params=query)
    back = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (answer.status_code, back["state"], back["x"]) == (302, ["s1"], ["1"])
    form = {
        "grant_type": "authorization_code",
        "client_id": SERVICE["client_id"],
        "code": back["code"][0],
        "redirect_uri": query["redirect_uri"],
    }
    wrong = erp.http.post("/connect/token", data={**form, "code_verifier": "x" * 60})
    assert wrong.json()["error"] == "invalid_grant"
    code = parse_qs(urlsplit(erp.http.get("/connect/authorize", params=query).headers["Location"]).query)
    form |= {"code": code["code"][0], "code_verifier": verifier}
    first = erp.http.post("/connect/token", data=form).json()
    assert erp.http.post("/connect/token", data=form).json()["error"] == "invalid_grant"
    renewal = {**SERVICE, "grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = erp.http.post("/connect/token", data=renewal).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert erp.http.post("/connect/token", data=renewal).json()["error"] == "invalid_grant"
    bearer = {"Authorization": f"Bearer {second['access_token']}"}
    assert erp.http.get("/v1/customer", headers=bearer).status_code == 200


def test_a_create_answers_an_empty_201_with_location_and_etag(erp: Erp) -> None:
    body = wrapped(name="Nya Kunden AB", customerClassId="1", vatRegistrationId="SE556999999901")
    body["mainAddress"] = {"value": wrapped(addressLine1="Gatan 1", countryId="SE")}
    answer = erp.http.post("/v1/customer", json={**body, "overrideWithClassValues": True})
    assert (answer.status_code, answer.content) == (201, b"")
    found = erp.http.get(answer.headers["Location"])
    assert found.json()["number"] == "10008"
    assert found.json()["creditTerms"]["id"] == "30"
    assert found.headers["ETag"] == answer.headers["ETag"] == f'"{found.json()["timeStamp"]}"'


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Bare AB", "customerClassId": {"value": "1"}},
        {"name": {"value": "Wrapped flag AB"}, "overrideWithClassValues": {"value": True}},
        {"name": {"value": "Once wrapped AB"}, "mainAddress": wrapped(addressLine1="Gatan 1")},
        {"name": {"value": "Wrong word AB"}, "status": {"value": "Sleeping"}},
    ],
)
def test_an_update_that_is_not_wrapped_as_the_document_says_is_refused(
    erp: Erp, body: dict[str, Any]
) -> None:
    before = len(erp.get("/v1/customer"))
    assert erp.refusal("POST", "/v1/customer", body)
    assert len(erp.get("/v1/customer")) == before


def test_a_put_changes_only_what_was_sent_and_minds_if_match(erp: Erp) -> None:
    before = erp.http.get("/v1/customer/10001")
    stale = {"If-Match": before.headers["ETag"]}
    answer = erp.http.put("/v1/customer/10001", json=wrapped(accountReference="S-1"), headers=stale)
    assert (answer.status_code, answer.content) == (204, b"")
    after = erp.get("/v1/customer/10001")
    assert after["accountReference"] == "S-1"
    assert after["mainAddress"] == before.json()["mainAddress"]
    again = erp.http.put("/v1/customer/10001", json=wrapped(accountReference="S-2"), headers=stale)
    assert again.status_code == 412
    assert erp.get("/v1/customer/10001")["accountReference"] == "S-1"


def test_pages_carry_the_counts_are_capped_silently_and_end_in_an_empty_list(erp: Erp) -> None:
    erp.people.switch(erp.tenant, max_page_size=2)
    pages = [erp.get("/v1/customer", pageNumber=str(n), pageSize="500") for n in (1, 2, 3, 4, 5)]
    numbers = [row["number"] for page in pages for row in page]
    assert numbers == ["10001", "10002", "10003", "10004", "10005", "10006", "10007"]
    assert [len(page) for page in pages] == [2, 2, 2, 1, 0]
    assert pages[3][0]["metadata"] == {"totalCount": 7, "maxPageSize": 2}


def test_unknown_query_names_and_a_date_without_its_condition_change_nothing(erp: Erp) -> None:
    everything = len(erp.get("/v1/customer"))
    assert len(erp.get("/v1/customer", skip="3", customerNumber="10001")) == everything
    assert len(erp.get("/v1/customer", lastModifiedDateTime="2999-01-01")) == everything
    pair = {"lastModifiedDateTime": "2999-01-01", "lastModifiedDateTimeCondition": ">="}
    assert erp.get("/v1/customer", **pair) == []


def test_a_time_filter_refuses_a_zone_and_finds_what_changed_since_in_local_time(erp: Erp) -> None:
    query = {"lastModifiedDateTime": "2026-01-01T00:00:00Z", "lastModifiedDateTimeCondition": ">"}
    assert erp.http.get("/v1/customer", params=query).status_code == 400
    erp.clock.offset = timedelta(minutes=30)
    erp.people.edit(erp.tenant, "customer", "10002", {"name": "Skärgårdsrederiet i Stockholm AB"})
    stamp = erp.get("/v1/customer/10002")["lastModifiedDateTime"]
    query = {"lastModifiedDateTime": stamp, "lastModifiedDateTimeCondition": ">="}
    assert [row["number"] for row in erp.get("/v1/customer", **query)] == ["10002"]
    local = datetime.fromisoformat(stamp)
    erp.people.switch(erp.tenant, utc_times=True)
    universal = datetime.fromisoformat(erp.get("/v1/customer/10002")["lastModifiedDateTime"])
    assert local - universal in (timedelta(hours=1), timedelta(hours=2))


def test_paths_and_query_names_know_no_case_and_keys_may_be_base64(erp: Erp) -> None:
    sent = wrapped(inventoryNumber="A/B #1?", itemClass="PRODUCT", description="Odd")
    assert erp.http.post("/V1/Inventory", json=sent).status_code == 201
    key = base64.urlsafe_b64encode(b"A/B #1?").decode().rstrip("=")
    assert erp.get(f"/v1/inventory/b64({key})")["description"] == "Odd"
    assert erp.get("/v1/INVENTORY", INVENTORYNUMBER="a/b #1?")[0]["inventoryNumber"] == "A/B #1?"


def test_over_the_rate_limit_every_call_is_429_with_the_time_to_wait(erp: Erp) -> None:
    used = erp.http.get("/v1/branch").headers
    assert used["X-RateLimit-Policy"] == "4-fixed-window"
    limit = int(used["X-RateLimit-Limit"]) - int(used["X-RateLimit-Remaining"]) + 1
    erp.people.switch(erp.tenant, rate_limit=limit)
    assert erp.http.get("/v1/branch").headers["X-RateLimit-Remaining"] == "0"
    refused = erp.http.get("/v1/branch")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 3600


def test_a_background_call_is_accepted_and_its_job_may_be_finished_with_an_error(erp: Erp) -> None:
    headers = {"erp-api-background": "none"}
    accepted = erp.http.post("/v2/customerinvoice", json=invoice(), headers=headers)
    assert accepted.status_code == 202
    state = erp.get(accepted.json()["stateLocation"])
    assert (state["status"], state["statusCode"]) == ("Finished", 201)
    assert erp.get(state["responseHeaders"]["Location"])["status"] == "Hold"
    bad = erp.http.post("/v2/customerinvoice", json=invoice(customerNumber="99999"), headers=headers).json()
    state = erp.get(bad["stateLocation"])
    assert (state["status"], state["statusCode"]) == ("Finished", 400)
    assert "99999" in erp.get(state["contentLocation"])["message"]
    erp.people.switch(erp.tenant, background_keep_seconds=-1)
    assert erp.http.get(bad["stateLocation"]).status_code == 410


def test_companies_of_one_application_do_not_see_each_other(erp: Erp) -> None:
    other = str(uuid.uuid4())
    erp.people.add_company(7, tenant_id=other, client_id="isv_nordkonsult", client_secret="demo-erp-secret")
    form = {"grant_type": "client_credentials", "tenant_id": other, **SERVICE}
    token = erp.http.post("/connect/token", data=form).json()["access_token"]
    location = erp.invoice()
    assert erp.http.get(location, headers={"Authorization": f"Bearer {token}"}).status_code == 404
    assert erp.get("/v1/organization")[0]["name"] == "Nordkonsult AB"


def test_a_number_longer_than_its_segmented_key_is_refused(erp: Erp) -> None:
    length = erp.get("/v1/dimension/PROJECT")["length"]
    sent = wrapped(projectID="9" * (length + 1), description="Long", startDate="2026-01-01T00:00:00")
    assert "maximum length" in erp.refusal("POST", "/v1/project", sent)


def test_a_project_takes_its_tasks_from_the_template_and_a_second_one_is_refused(erp: Erp) -> None:
    sent = wrapped(
        projectID="1234",
        customer="10001",
        description="Nytt",
        template="Z",
        startDate="2026-01-01T00:00:00",
        billingPeriod="OnDemand",
        hold=False,
    )
    location = erp.create("/v1/project", sent)
    project = erp.get(location)
    assert (project["status"], [task["taskId"] for task in project["tasks"]]) == ("Active", ["10"])
    tasks = erp.get("/v1/projecttask", projectId="1234")
    assert [(task["taskId"], task["projectInternalId"]) for task in tasks] == [("10", project["internalID"])]
    assert "already exists" in erp.refusal("POST", "/v1/project", sent)
    assert "TemplateID 'Q'" in erp.refusal(
        "POST", "/v1/project", {**sent, **wrapped(projectID="1235", template="Q")}
    )


def test_a_renamed_key_keeps_the_internal_id(erp: Erp) -> None:
    before = erp.get("/v1/customer/10001")
    path = f"/v1/customer/action/changeCustomerCd/{before['internalId']}"
    assert erp.http.post(path, json={"customerCd": "10501"}).json()["actionResult"] == "Done"
    assert erp.http.get("/v1/customer/10001").status_code == 404
    assert erp.get(f"/v1/customer/internal/{before['internalId']}")["number"] == "10501"
    assert erp.get("/v1/customer/10501/contact")[0]["businessAccount"] == "10501"


def test_an_item_takes_type_unit_and_vat_category_from_its_class(erp: Erp) -> None:
    sent = wrapped(inventoryNumber="NATT", itemClass="LABOR", description="Nattarbete")
    item = erp.get(erp.create("/v1/inventory", sent))
    assert (item["type"], item["salesUnit"], item["vatCode"]["id"]) == ("LaborItem", "TIM", "25")
    assert "already exists" in erp.refusal("POST", "/v1/inventory", sent)


def test_contacts_are_listed_per_customer(erp: Erp) -> None:
    sent = wrapped(firstName="Eva", lastName="Ny", businessAccount="10002", email="eva@example.com")
    contact = erp.get(erp.create("/v1/contact", sent))
    assert contact["displayName"] == "Ny, Eva"
    assert contact["contactId"] in [row["contactId"] for row in erp.get("/v1/customer/10002/contact")]
    assert contact["contactId"] not in [row["contactId"] for row in erp.get("/v1/customer/10001/contact")]
