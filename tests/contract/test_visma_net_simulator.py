"""The ERP simulator keeps the vendor's document: conventions, states and traps, over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from simulators.server import running
from simulators.visma_net import People, Simulation, create_app

SERVICE = {"client_id": "isv_nordkonsult", "client_secret": "demo-erp-secret"}


class Clock:
    """A clock that tests move by hand."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset


@dataclass
class Erp:
    """One company of the running simulator and a signed-in client."""

    http: httpx.Client
    tenant: str
    people: People
    clock: Clock

    def get(self, path: str, **query: str) -> Any:
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def create(self, path: str, body: dict[str, Any]) -> str:
        answer = self.http.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.headers["Location"])

    def invoice(self, **more: Any) -> str:
        """Create an invoice, answers its Location."""
        return self.create("/v2/customerinvoice", invoice(**more))

    def released(self, **more: Any) -> str:
        location = self.invoice(hold=False, **more)
        answer = self.http.post(f"{location}/action/release")
        assert answer.json()["actionResult"] == "Done", answer.text
        return location

    def refusal(self, method: str, path: str, body: dict[str, Any] | None = None) -> str:
        answer = self.http.request(method, path, json=body)
        assert answer.status_code == 400, (answer.status_code, answer.text)
        return str(answer.json().get("message") or answer.json()["ModelState"])


def wrapped(**members: Any) -> dict[str, Any]:
    return {name: {"value": value} for name, value in members.items()}


def line(item: str = "KONS", quantity: float = 1, price: float = 1000, **more: Any) -> dict[str, Any]:
    members = {"inventoryNumber": item, "quantity": quantity, "unitPriceInCurrency": price, **more}
    return {"operation": "Insert", **wrapped(**members)}


def invoice(lines: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    head = {
        "customerNumber": "10001",
        "documentDate": "2026-03-17T00:00:00",
        "hold": True,
        "dontPrint": True,
        "dontEmail": True,
        "sendToAutoInvoice": False,
        **more,
    }
    return {**wrapped(**head), "invoiceLines": lines or [line()]}


def number_of(location: str) -> str:
    return location.rsplit("/", 1)[1]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, People, Clock]]:
    clock = Clock()
    simulation = Simulation(clock=clock)
    with running(create_app(simulation)) as base:
        yield base, People(simulation), clock


@pytest.fixture
def erp(served: tuple[str, People, Clock]) -> Iterator[Erp]:
    base, people, clock = served
    tenant = str(uuid.uuid4())
    people.add_company("nordkonsult", tenant_id=tenant)
    with httpx.Client(base_url=base, timeout=10) as http:
        form = {"grant_type": "client_credentials", "tenant_id": tenant, **SERVICE}
        token = http.post("/connect/token", data=form).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        yield Erp(http, tenant, people, clock)
        http.delete("/_sim/faults")
    clock.offset = timedelta(0)


# --- sign-in ---


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


# --- conventions ---


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


# --- registers ---


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


# --- the life of an invoice ---


def test_an_invoice_goes_from_hold_over_balanced_and_open_to_closed(erp: Erp) -> None:
    location = erp.invoice(
        lines=[line(quantity=7.5, price=1195.55), line("BOK", 2, 340)], note="severa:abc\ntext"
    )
    held = erp.get(location)
    # 8 966.63 at 25 % and 680.00 at 6 %
    assert (held["status"], held["detailTotal"], held["vatTotal"]) == ("Hold", 9646.63, 2282.46)
    assert held["amountInCurrency"] == 11929.09
    assert "on hold" in erp.refusal("POST", f"{location}/action/release")
    assert erp.http.put(location, json=wrapped(hold=False)).status_code == 204
    assert erp.get(location)["status"] == "Balanced"
    assert erp.http.post(f"{location}/action/release").json()["actionResult"] == "Done"
    open_ = erp.get(location)
    assert (open_["status"], open_["balance"], open_["paymentReference"]) == ("Open", 11929.09, "1000009")
    assert "already released" in erp.refusal("PUT", location, wrapped(invoiceText="late"))
    assert "already released" in erp.refusal("DELETE", location)
    erp.people.pay(erp.tenant, [{"number": number_of(location), "amount": "1929.09"}])
    assert (erp.get(location)["status"], erp.get(location)["balance"]) == ("Open", 10000.0)
    erp.people.pay(erp.tenant, [{"number": number_of(location), "amount": "9999.60", "write_off": "0.40"}])
    closed = erp.get(location)
    assert (closed["status"], closed["balance"]) == ("Closed", 0.0)
    assert [(one["docType"], one["amountPaid"]) for one in closed["applications"]] == [
        ("PMT", 1929.09),
        ("PMT", 9999.6),
        ("SMB", 0.4),
    ]
    assert erp.people.marked(erp.tenant, "severa:")["severa:abc"]["releases"] == 1


def test_a_removed_document_leaves_a_gap_and_a_refused_one_does_not(erp: Erp) -> None:
    first = erp.invoice(note="severa:gone")
    assert erp.refusal("POST", "/v2/customerinvoice", invoice(lines=[line("NOSUCH")]))
    assert erp.http.delete(first).status_code == 204
    assert erp.http.get(first).status_code == 404
    second = erp.invoice()
    assert (number_of(first), number_of(second)) == ("100000", "100001")
    assert [(one["number"], one["note"]) for one in erp.people.removed(erp.tenant)] == [
        ("100000", "severa:gone")
    ]
    assert erp.get("/v1/numberSequence/ARINVOICE")["sequence"][0]["nextNumber"] == "100002"


def test_vat_follows_category_and_zone_and_a_pair_without_vat_is_refused(erp: Erp) -> None:
    assert erp.get(erp.invoice(customerNumber="10005"))["taxDetails"][0]["taxId"] == "EU0"
    assert erp.get(erp.invoice(customerNumber="10004"))["vatTotal"] == 0
    erp.people.remove(erp.tenant, "vatrules", "25,01")
    message = erp.refusal("POST", "/v2/customerinvoice", invoice())
    assert "TaxID '25' cannot be found in the system" in message
    message = erp.refusal("POST", "/v2/customerinvoice", invoice(lines=[line(vatCodeId="0")]))
    assert "TaxCategoryID '0' cannot be found in the system" in message


def test_vat_is_rounded_per_rate_or_by_switch_per_line(erp: Erp) -> None:
    lines = [line(price=0.02), line(price=0.02), line(price=0.02)]
    assert erp.get(erp.invoice(lines=lines))["vatTotal"] == 0.02  # 0.06 at 25 % is 0.015
    erp.people.switch(erp.tenant, vat_rounding="line")
    assert erp.get(erp.invoice(lines=lines))["vatTotal"] == 0.03


def test_whole_kronor_give_a_rounding_difference_in_base_currency_only(erp: Erp) -> None:
    erp.people.switch(erp.tenant, whole_kronor=True)
    document = erp.get(erp.invoice(lines=[line(price=100.33)]))
    assert (document["amount"], document["roundingDiff"]) == (125.0, -0.41)
    foreign = erp.get(erp.invoice(lines=[line(price=100.33)], customerNumber="10005"))
    assert (foreign["amountInCurrency"], foreign["roundingDiff"]) == (100.33, 0.0)


def test_bare_amounts_are_company_currency(erp: Erp) -> None:
    sent = invoice(customerNumber="10005", lines=[line(price=100)], exchangeRate=11.5)
    document = erp.get(erp.create("/v2/customerinvoice", sent))
    assert (document["currencyId"], document["amount"], document["amountInCurrency"]) == (
        "EUR",
        1150.0,
        100.0,
    )


def test_the_amount_may_be_empty_until_release(erp: Erp) -> None:
    erp.people.switch(erp.tenant, amount_empty_before_release=True)
    location = erp.invoice(hold=False)
    held = erp.get(location)
    assert (held["amount"], held["balance"], held["detailTotal"], held["vatTotal"]) == (
        0.0,
        0.0,
        1000.0,
        250.0,
    )
    erp.http.post(f"{location}/action/release")
    assert erp.get(location)["amount"] == 1250.0


def test_list_rows_lack_terms_and_whatever_was_not_expanded(erp: Erp) -> None:
    location = erp.released(creditTermsId="14")
    row = erp.get("/v1/customerinvoice")[0]
    assert (row["creditTerms"], row["paymentMethod"]) == ({}, {})
    assert not {"applications", "taxDetails", "attachments", "invoiceAddress"} & set(row)
    assert "taxDetails" in erp.get("/v1/customerinvoice", expandTaxDetails="true")[0]
    assert erp.get(location)["creditTerms"]["id"] == "14"
    assert erp.get(location)["documentDueDate"] == "2026-03-31T00:00:00"
    erp.people.switch(erp.tenant, notes_on_lists=False)
    assert "note" not in erp.get("/v1/customerdocument")[0]


def _inactive_customer(erp: Erp) -> dict[str, Any]:
    return invoice(customerNumber="10007")


def _inactive_item(erp: Erp) -> dict[str, Any]:
    erp.people.edit(erp.tenant, "inventory", "KONS", {"status": "NoSales"})
    return invoice()


def _project_on_hold(erp: Erp) -> dict[str, Any]:
    erp.people.edit(erp.tenant, "project", "1001", {"hold": True})
    return invoice(project="1001", lines=[line(taskId="10")])


def _project_without_task(_erp: Erp) -> dict[str, Any]:
    return invoice(project="1001")


def _unknown_task(_erp: Erp) -> dict[str, Any]:
    return invoice(project="1001", lines=[line(taskId="99")])


def _closed_period(erp: Erp) -> dict[str, Any]:
    erp.people.period(erp.tenant, "202603", closed_receivables=True)
    return invoice()


def _unknown_branch(_erp: Erp) -> dict[str, Any]:
    return invoice(branchNumber="9")


def _project_of_another(erp: Erp) -> dict[str, Any]:
    erp.people.switch(erp.tenant, refuse_project_of_other_customer=True)
    return invoice(customerNumber="10002", project="1001", lines=[line(taskId="10")])


@pytest.mark.parametrize(
    ("prepare", "text"),
    [
        (_inactive_customer, "status 'Inactive'"),
        (_inactive_item, "status 'NoSales'"),
        (_project_on_hold, "status 'Planned'"),
        (_project_without_task, "'Project task' cannot be empty"),
        (_unknown_task, "TaskID '99'"),
        (_closed_period, "closed in the customer ledger"),
        (_unknown_branch, "BranchID '9'"),
        (_project_of_another, "belongs to another customer"),
    ],
)
def test_an_invoice_that_the_books_cannot_take_is_refused(erp: Erp, prepare: Any, text: str) -> None:
    assert text in erp.refusal("POST", "/v2/customerinvoice", prepare(erp))
    assert erp.get("/v1/customerinvoice") == []


def test_a_project_completed_meanwhile_stops_the_release(erp: Erp) -> None:
    location = erp.invoice(project="1001", lines=[line(taskId="10")], hold=False)
    erp.people.edit(erp.tenant, "project", "1001", {"status": "Completed"})
    assert "Completed" in erp.refusal("POST", f"{location}/action/release")
    assert erp.get(location)["status"] == "Balanced"


@pytest.mark.parametrize("parked", ["PendingPrint", "PendingEmail", "CreditHold"])
def test_a_parked_document_cannot_be_released_but_removed(erp: Erp, parked: str) -> None:
    erp.people.switch(erp.tenant, after_hold=parked)
    location = erp.invoice(hold=False)
    assert erp.get(location)["status"] == parked
    assert parked in erp.refusal("POST", f"{location}/action/release")
    assert erp.http.delete(location).status_code == 204


def test_a_queued_release_is_open_only_later_and_may_fail(erp: Erp) -> None:
    erp.people.switch(erp.tenant, release="queued", release_queue_seconds=60)
    location = erp.invoice(hold=False)
    assert erp.http.post(f"{location}/action/release").json()["actionResult"] == "Queued"
    assert erp.http.post(f"{location}/action/release").json()["actionResult"] == "InProcess"
    assert erp.get(location)["status"] == "Balanced"
    erp.clock.offset = timedelta(seconds=61)
    assert erp.get(location)["status"] == "Open"
    erp.people.switch(erp.tenant, release="failed", release_error="No such account.")
    location = erp.invoice(hold=False)
    answer = erp.http.post(f"{location}/action/release").json()
    assert (answer["actionResult"], answer["errorInfo"]) == ("Failed", "No such account.")
    assert erp.get(location)["status"] == "Balanced"


def test_a_put_is_all_or_nothing_and_lines_are_addressed_by_number(erp: Erp) -> None:
    location = erp.invoice(lines=[line(price=100), line(price=200)])
    bad = {**wrapped(invoiceText="new"), "invoiceLines": [line("NOSUCH")]}
    assert erp.refusal("PUT", location, bad)
    assert erp.get(location)["invoiceText"] == ""
    change = [
        {"operation": "Delete", **wrapped(lineNumber=1)},
        {"operation": "Update", **wrapped(lineNumber=2, quantity=3)},
    ]
    assert erp.http.put(location, json={"invoiceLines": change}).status_code == 204
    assert [(one["lineNumber"], one["amount"]) for one in erp.get(location)["invoiceLines"]] == [(2, 600.0)]


def test_the_list_price_is_taken_only_when_no_price_is_sent(erp: Erp) -> None:
    no_price = {"operation": "Insert", **wrapped(inventoryNumber="LIC", quantity=1)}
    assert erp.get(erp.invoice(lines=[no_price]))["detailTotal"] == 12000.0
    assert erp.get(erp.invoice(lines=[line("LIC", price=0)]))["detailTotal"] == 0.0
    erp.people.switch(erp.tenant, price_rule_discount_percent="10")
    assert erp.get(erp.invoice(lines=[line(price=100)]))["detailTotal"] == 90.0
    assert erp.get(erp.invoice(lines=[line(price=100, manualDiscount=True)]))["detailTotal"] == 100.0


def test_what_the_erp_would_send_itself_is_on_record(erp: Erp) -> None:
    erp.released()
    assert erp.people.sent_by_erp(erp.tenant) == []
    location = erp.released(dontEmail=False)
    assert [one["number"] for one in erp.people.sent_by_erp(erp.tenant)] == [number_of(location)]


# --- credit notes and payments ---


def credit_note(refers_to: str, amount: float, **more: Any) -> dict[str, Any]:
    head = wrapped(
        customerNumber="10001",
        documentDate="2026-04-02T00:00:00",
        hold=False,
        dontPrint=True,
        dontEmail=True,
        sendToAutoInvoice=False,
        **more,
    )
    application = wrapped(documentType="Invoice", refNbr=refers_to, amountPaid=amount)
    return {**head, "lines": [line(price=1000)], "applicationLines": [{"operation": "Insert", **application}]}


def test_a_released_credit_note_settles_its_invoice(erp: Erp) -> None:
    location = erp.released()
    note = erp.create("/v2/customerCreditNote", credit_note(number_of(location), 1250))
    assert erp.get(location)["balance"] == 1250.0
    assert erp.http.post(f"{note}/action/release").json()["actionResult"] == "Done"
    settled, credit = erp.get(location), erp.get(note)
    assert (settled["status"], settled["balance"]) == ("Closed", 0.0)
    assert [(one["docType"], one["refNbr"]) for one in settled["applications"]] == [("CRM", number_of(note))]
    assert (credit["documentType"], credit["status"], credit["amount"]) == ("CreditNote", "Closed", 1250.0)


def test_a_credit_note_cannot_take_more_than_the_balance_or_be_negative(erp: Erp) -> None:
    location = erp.released()
    too_much = credit_note(number_of(location), 1250.01)
    assert "between 0 and 1250" in erp.refusal("POST", "/v2/customerCreditNote", too_much)
    negative = {**credit_note(number_of(location), 1), "lines": [line(quantity=-1)], "applicationLines": []}
    assert "negative" in erp.refusal("POST", "/v2/customerCreditNote", negative)


def test_a_voided_payment_opens_the_invoice_again(erp: Erp) -> None:
    location = erp.released()
    payment = erp.people.pay(erp.tenant, [{"number": number_of(location), "amount": 1250}], date="2026-03-29")
    found = erp.get("/v1/customerPayment", invoiceRefNbr=number_of(location))
    assert [(one["refNbr"], one["paymentAmount"]) for one in found] == [(payment.number, 1250.0)]
    changed = erp.get(location)["lastModifiedDateTime"]
    erp.clock.offset = timedelta(seconds=5)
    body = {"type": "Payment", "returnVoidPayment": True}
    answer = erp.http.post(f"/v1/customerPayment/{payment.number}/action/void", json=body).json()
    assert [one["amountPaid"] for one in answer["voidPayment"]["paymentLines"]] == [1250.0, -1250.0, 1250.0]
    opened = erp.get(location)
    assert (opened["status"], opened["balance"]) == ("Open", 1250.0)
    assert [(one["docType"], one["voided"]) for one in opened["applications"]] == [
        ("PMT", True),
        ("RPM", True),
    ]
    assert opened["lastModifiedDateTime"] > changed


def test_a_payment_over_http_settles_at_its_release(erp: Erp) -> None:
    location = erp.released()
    applied = wrapped(documentType="Invoice", refNbr=number_of(location), amountPaid=500)
    sent = wrapped(
        type="Payment",
        customer="10001",
        paymentMethod="1",
        cashAccount="1930",
        paymentRef="BG 1",
        applicationDate="2026-03-29T00:00:00",
        paymentAmount=500,
    )
    body = {**sent, "paymentLines": [{"operation": "Insert", **applied}]}
    payment = erp.create("/v1/customerPayment", body)
    assert erp.get(location)["balance"] == 1250.0
    release = f"{payment}/action/release"
    assert erp.http.post(release, json=wrapped(type="Payment")).json()["actionResult"] == "Done"
    assert erp.get(location)["balance"] == 750.0
    assert "already released" in erp.refusal("POST", release, wrapped(type="Payment"))


# --- attachments, costs, ledger ---


def test_attachments_are_multipart_only_and_the_same_name_is_a_new_revision(erp: Erp) -> None:
    location = erp.released()
    raw = erp.http.post(
        f"{location}/attachment", content=b"%PDF", headers={"Content-Type": "application/pdf"}
    )
    assert raw.status_code == 400
    for content in (b"%PDF one", b"%PDF two"):
        files = {"file": ("tid.pdf", content, "application/pdf")}
        assert erp.http.post(f"{location}/attachment", files=files).status_code == 201
    [attachment] = erp.get(location)["attachments"]
    assert (attachment["name"], attachment["revision"]) == ("tid.pdf", 2)
    assert erp.http.get(f"/v1/attachment/{attachment['id']}").content == b"%PDF two"
    files = {"file": ("rad.pdf", b"%PDF", "application/pdf")}
    assert erp.http.post(f"{location}/1/attachment", files=files).status_code == 201
    assert erp.get(location)["invoiceLines"][0]["attachments"][0]["name"] == "rad.pdf"


def test_supplier_invoices_carry_projects_and_files_and_appear_again_in_the_ledger(erp: Erp) -> None:
    sent = {
        "date": "2026-03-04",
        "reference": "5521",
        "lines": [{"account": "5800", "amount": "800", "project": "1001", "description": "Tåg"}],
        "attachments": [{"name": "faktura.pdf", "text": "%PDF"}],
    }
    document = erp.people.supplier_invoice(erp.tenant, sent)
    row = erp.get("/v1/supplierInvoice", project="1001", expandAttachment="true")[0]
    assert (row["status"], row["balance"], row["invoiceLines"][0]["cost"]) == ("Open", 1000.0, 800.0)
    assert row["invoiceLines"][0]["project"]["id"] == "1001"
    assert "attachments" not in erp.get("/v1/supplierInvoice")[0]
    [file] = erp.get(f"/v1/supplierInvoice/{document.number}")["attachments"]
    assert erp.http.get(f"/v1/attachment/{file['id']}").content == b"%PDF"
    batches = erp.get("/v2/journaltransaction", periodId="202603", module="AP")
    assert [one["module"] for one in batches] == ["ModuleAP"]


def test_a_debit_adjustment_is_found_only_with_its_type(erp: Erp) -> None:
    document = erp.people.supplier_invoice(erp.tenant, {"type": "DebitAdj", "lines": [{"amount": "10"}]})
    assert erp.http.get(f"/v1/supplierInvoice/{document.number}").status_code == 404
    assert erp.get(f"/v1/supplierInvoice/DebitAdj/{document.number}")["documentType"] == "DebitAdj"


def test_journal_pages_count_lines_and_cut_a_batch_in_two(erp: Erp) -> None:
    lines = [{"account": "5800", "debit": "1", "project": "1001"} for _ in range(3)]
    batch = erp.people.journal(
        erp.tenant, {"date": "2026-03-31", "lines": [*lines, {"account": "1930", "credit": 3}]}
    )
    query = {"periodId": "202603", "pageSize": "3"}
    parts = [erp.get("/v2/journaltransaction", **query, pageNumber=str(n)) for n in (1, 2, 3)]
    assert [[len(one["journalTransactionLines"]) for one in part] for part in parts] == [[3], [1], []]
    assert parts[0][0]["metadata"]["totalCount"] == 4
    assert parts[1][0]["batchNumber"] == batch.number
    assert erp.http.get("/v2/journaltransaction").status_code == 400


# --- faults and moves over HTTP ---


def test_a_dropped_answer_leaves_the_document_behind(erp: Erp) -> None:
    fault = {"kind": "commit_then_drop", "method": "POST", "path": "/v2/customerinvoice", "org": erp.tenant}
    erp.http.post("/_sim/faults", json=fault)
    with pytest.raises(httpx.RemoteProtocolError):
        erp.http.post("/v2/customerinvoice", json=invoice(note="severa:lost"))
    assert erp.get("/v1/customerdocument", customer="10001")[0]["note"] == "severa:lost"
    counts = erp.http.get("/_sim/calls").json()["counts"]
    assert {"org": erp.tenant, "method": "POST", "path": "/v2/customerinvoice", "count": 1} in counts


def test_a_new_document_may_be_missing_from_lists_for_a_while(erp: Erp) -> None:
    erp.people.switch(erp.tenant, visible_after_seconds=30)
    location = erp.invoice()
    assert erp.get("/v1/customerinvoice") == []
    assert erp.get(location)["status"] == "Hold"
    erp.clock.offset = timedelta(seconds=31)
    assert len(erp.get("/v1/customerinvoice")) == 1


def test_of_two_overlapping_writes_on_a_record_the_second_is_refused(erp: Erp) -> None:
    location = erp.invoice()
    erp.people.switch(erp.tenant, latency_seconds=0.3)
    body = wrapped(invoiceText="x")
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: erp.http.put(location, json=body), range(2)))
    assert sorted(answer.status_code for answer in answers) == [204, 400]
    refused = next(answer for answer in answers if answer.status_code == 400)
    assert "Another process has updated" in refused.json()["message"]


def test_a_ninth_concurrent_call_is_429(erp: Erp) -> None:
    erp.people.switch(erp.tenant, latency_seconds=0.5)
    with ThreadPoolExecutor(9) as pool:
        answers = list(pool.map(lambda _: erp.http.get("/v1/branch"), range(9)))
    assert sorted(answer.status_code for answer in answers) == [200] * 8 + [429]


def test_people_can_be_played_over_http(erp: Erp) -> None:
    base = f"/_sim/companies/{erp.tenant}"
    made = erp.http.post(
        f"{base}/customerinvoice",
        json={
            "customerNumber": "10001",
            "released": True,
            "invoiceLines": [{"inventoryNumber": "KONS", "quantity": 1, "unitPriceInCurrency": "100.10"}],
        },
    ).json()
    assert (made["status"], made["amount"]) == ("Open", 125.13)
    payment = erp.http.post(
        f"{base}/payments", json={"lines": [{"number": made["referenceNumber"], "amount": "125.13"}]}
    )
    assert payment.status_code == 201
    assert erp.get(f"/v1/customerinvoice/{made['referenceNumber']}")["status"] == "Closed"
    assert erp.http.post(f"{base}/payments/{payment.json()['refNbr']}/void").status_code == 200
    renamed = erp.http.patch(f"{base}/customer/10001", json={"name": "Mälarbygg i Västerås AB"})
    assert renamed.json()["name"] == "Mälarbygg i Västerås AB"
    erp.http.patch(f"{base}/periods/202601", json={"closed_receivables": True})
    assert erp.get("/v1/financialPeriod/202601")["closedInCustomerLedger"] is True
    erp.http.patch(f"{base}/settings", json={"whole_kronor": True})
    assert erp.people.company(erp.tenant).switches.whole_kronor is True
    assert erp.http.patch(f"{base}/settings", json={"nonsense": 1}).status_code == 400
    assert len(erp.http.get(f"{base}/customerinvoice").json()) == 1
    tenant = str(uuid.uuid4())
    sent = {"tenant_id": tenant, "client_id": "isv_x", "client_secret": "x", "firm": "empty"}
    assert erp.http.post("/_sim/companies", json=sent).status_code == 201
    assert erp.http.get(f"/_sim/companies/{tenant}/customer").json() == []


def test_money_stays_exact_inside(erp: Erp) -> None:
    location = erp.released(lines=[line(price=0.1), line(price=0.2)])
    document = erp.people.company(erp.tenant).invoices[number_of(location)]
    assert document.total == Decimal("0.38")
