"""The Severa simulator keeps what the vendor's documents say, seen from outside over HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

import httpx
import pytest

from simulators import seed
from simulators.server import running
from simulators.severa import People, SeveraState, create_app
from simulators.severa.organisation import Organisation

_numbers = count(1)


@dataclass
class Tenant:
    """One organisation of the running simulator and a client signed in to it."""

    org: Organisation
    state: SeveraState
    http: httpx.Client
    people: People
    headers: dict[str, str] = field(default_factory=dict)

    def sign_in(self, scope: str | None = None) -> dict[str, Any]:
        body = {"client_id": self.org.client_id, "client_secret": self.org.client_secret, "scope": scope}
        answer = self.http.post("/rest-api/v1/token", json=body)
        assert answer.status_code == 200, answer.text
        token: dict[str, Any] = answer.json()
        self.headers = {
            "Authorization": f"Bearer {token['access_token']}",
            "Client_Id": self.org.client_id,
        }
        return token

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.http.request(method, f"/rest-api/v1{path}", headers=self.headers, **more)

    def get(self, path: str, **params: Any) -> Any:
        answer = self.call("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def patch(self, path: str, **changes: Any) -> httpx.Response:
        """Replace fields; the keyword `status__guid` is the path `/status/guid`."""
        body = [
            {"op": "Replace", "path": "/" + name.replace("__", "/"), "value": value}
            for name, value in changes.items()
        ]
        return self.call("PATCH", path, json=body)

    def invoice(self, status: str = "draft", **fields: Any) -> dict[str, Any]:
        rows = [{"code": "KONS", "description": "Konsult", "quantity": 10, "unitPrice": 1200}]
        return self.people.add("invoices", {"project": 1001, "rows": rows, "status": status, **fields})


def message(answer: httpx.Response) -> tuple[str, str]:
    error = answer.json()["error"]
    assert error["httpStatusCode"] == answer.status_code
    return error["type"], error["details"][0]["message"]


@pytest.fixture(scope="module")
def simulator() -> Iterator[tuple[SeveraState, str]]:
    state = SeveraState()
    app = create_app(state)
    with running(app) as base:
        yield state, base


@pytest.fixture
def tenant(simulator: tuple[SeveraState, str]) -> Iterator[Tenant]:
    state, base = simulator
    org = state.add_organisation(next(_numbers))
    with httpx.Client(base_url=base, timeout=5) as http:
        tenant = Tenant(org, state, http, People(org))
        tenant.sign_in()
        # Switched off here, so that a test with more than ten calls is not slowed down; its own test sets it.
        org.overrides["calls_per_second"] = None
        yield tenant


# --- Sign-in --------------------------------------------------------------------------------------------------------


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


# --- Lists ----------------------------------------------------------------------------------------------------------


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


# --- Writing --------------------------------------------------------------------------------------------------------


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


# --- Invoices -------------------------------------------------------------------------------------------------------


def test_totals_round_vat_once_per_rate_or_per_row_by_switch(tenant: Tenant) -> None:
    # 3 × 0.50 at 25 %: 0.38 on the sum of 1.50, but 0.13 + 0.13 + 0.13 row by row.
    row = {"description": "Kopia", "quantity": 1, "unitPrice": 0.5, "vatRate": 25}
    guid = tenant.invoice(rows=[row, row, row])["guid"]
    invoice = tenant.get(f"/invoices/{guid}")
    assert (invoice["totalExcludingTax"]["amount"], invoice["totalTax"]["amount"]) == (1.5, 0.38)
    tenant.org.overrides["vat_per_row"] = True
    assert tenant.get(f"/invoices/{guid}")["totalTax"]["amount"] == 0.39


def test_a_row_amount_is_rounded_half_away_from_zero(tenant: Tenant) -> None:
    guid = tenant.invoice(rows=[{"description": "x", "quantity": 0.5, "unitPrice": 0.01, "vatRate": 0}])[
        "guid"
    ]
    assert tenant.get(f"/invoices/{guid}")["totalExcludingTax"]["amount"] == 0.01
    guid = tenant.invoice(rows=[{"description": "x", "quantity": -0.5, "unitPrice": 0.01, "vatRate": 0}])[
        "guid"
    ]
    assert tenant.get(f"/invoices/{guid}")["totalExcludingTax"]["amount"] == -0.01


def test_the_total_is_rounded_to_whole_kronor_by_setting(tenant: Tenant) -> None:
    guid = tenant.invoice(rows=[{"description": "x", "quantity": 1, "unitPrice": 99.2, "vatRate": 25}])[
        "guid"
    ]
    assert tenant.get(f"/invoices/{guid}")["totalIncludingTax"]["amount"] == 124.0
    tenant.people.change(
        "invoicerows", tenant.get(f"/invoices/{guid}/invoicerows")[0]["guid"], {"quantity": 1.01}
    )
    assert tenant.get(f"/invoices/{guid}")["totalIncludingTax"]["amount"] == 125.24
    tenant.org.settings["currencyRoundingType"] = "NearestInteger"
    assert tenant.get(f"/invoices/{guid}")["totalIncludingTax"]["amount"] == 125


def test_an_invoice_has_no_number_until_a_numbered_status(tenant: Tenant) -> None:
    invoice = tenant.invoice("transfer")
    assert invoice["number"] is None
    tenant.org.settings["nextInvoiceNumber"] = 2501
    transferred = tenant.org.roles["transferred"]
    answer = tenant.patch(f"/invoices/{invoice['guid']}", status__guid=transferred)
    (changed,) = answer.json()
    assert changed["number"] == 2501
    assert changed["referenceNumber"] is not None
    assert tenant.get("/organizationsettings")["nextInvoiceNumber"] == 2502


def test_a_number_written_first_keeps_the_vendors_own_series_unused(tenant: Tenant) -> None:
    invoice = tenant.invoice("transfer")
    before = tenant.get("/organizationsettings")["nextInvoiceNumber"]
    answer = tenant.patch(
        f"/invoices/{invoice['guid']}",
        number=100017,
        referenceNumber="10001708",
        status={"guid": tenant.org.roles["transferred"]},
    )
    (changed,) = answer.json()
    assert (changed["number"], changed["referenceNumber"]) == (100017, "10001708")
    assert tenant.get("/organizationsettings")["nextInvoiceNumber"] == before
    (entry,) = [one for one in tenant.people.history(invoice["guid"]) if one["field"] == "number"]
    assert (entry["old"], entry["new"], entry["by"]) == (None, 100017, "api")


@pytest.mark.parametrize(("switch", "status", "number"), [("refused", 400, None), ("ignored", 200, None)])
def test_writing_the_number_can_be_switched_off(
    tenant: Tenant, switch: str, status: int, number: int | None
) -> None:
    guid = tenant.invoice("transfer")["guid"]
    tenant.org.overrides["number_write"] = switch
    assert tenant.patch(f"/invoices/{guid}", number=5).status_code == status
    assert tenant.get(f"/invoices/{guid}")["number"] == number


def test_a_read_only_status_refuses_content_but_takes_status_and_payment(tenant: Tenant) -> None:
    guid = tenant.invoice("sent")["guid"]
    answer = tenant.patch(f"/invoices/{guid}", yourReference="Ny")
    assert answer.status_code == 400
    assert message(answer)[0] == "InvalidOperation"
    row = tenant.get(f"/invoices/{guid}/invoicerows")[0]["guid"]
    assert tenant.patch(f"/invoicerows/{row}", description="Ny").status_code == 400
    before = tenant.get(f"/invoices/{guid}")
    (paid,) = tenant.patch(
        f"/invoices/{guid}", status=tenant.org.roles["paid"], paymentDate="2025-06-02"
    ).json()
    assert (paid["status"]["isPaid"], paid["paymentDate"]) == (True, "2025-06-02")
    assert paid["lastUpdatedDateTime"] > before["lastUpdatedDateTime"]
    assert tenant.patch(f"/invoices/{guid}", paymentDate=None).json()[0]["paymentDate"] is None


def test_a_refused_patch_does_not_use_up_a_number(tenant: Tenant) -> None:
    guid = tenant.invoice("draft")["guid"]
    before = tenant.get("/organizationsettings")["nextInvoiceNumber"]
    answer = tenant.patch(f"/invoices/{guid}", status__guid=tenant.org.roles["sent"], yourReference="x")
    assert answer.status_code == 400
    assert tenant.get("/organizationsettings")["nextInvoiceNumber"] == before


def test_a_changed_row_brings_its_invoice_back(tenant: Tenant) -> None:
    guid = tenant.invoice("draft")["guid"]
    row = tenant.get(f"/invoices/{guid}/invoicerows")[0]["guid"]
    stamp = tenant.patch(f"/invoicerows/{row}", quantity=11).json()[0]["lastUpdatedDateTime"]
    (invoice,) = tenant.get("/invoices", changedSince=stamp)
    assert invoice["totalExcludingTax"]["amount"] == 13200.0


def test_work_behind_the_rows_names_the_project(tenant: Tenant) -> None:
    rows = [
        {"code": "KONS", "quantity": 1, "unitPrice": 100, "project": 1002},
        {"code": "LIC", "quantity": 2, "unitPrice": 50},
        {"code": "HOTELL", "quantity": 1, "unitPrice": 1400, "vatRate": 12},
    ]
    guid = tenant.invoice(project=1001, rows=rows)["guid"]
    hours, fees, travels, _ = (
        tenant.get(f"/invoices/{guid}/{name}")
        for name in ("workhours", "projectfees", "projecttravelexpenses", "invoicerows")
    )
    assert [one["project"]["name"] for one in hours + fees + travels] == [
        "Bokningssystem",
        "Projekteringsstöd",
        "Projekteringsstöd",
    ]
    listed = tenant.get(f"/invoices/{guid}/invoicerows")
    assert [one["code"] for one in listed] == [["KONS"], ["LIC"], ["HOTELL"]]
    assert hours[0]["invoiceRowGuid"] == listed[0]["guid"]


def test_a_grouped_row_mixes_codes(tenant: Tenant) -> None:
    row = {
        "description": "Arbete",
        "rowType": "Hours",
        "quantity": 3,
        "unitPrice": 1000,
        "items": [{"code": "KONS", "quantity": 1}, {"code": "SENIOR", "quantity": 2}],
    }
    guid = tenant.invoice(rows=[row])["guid"]
    (listed,) = tenant.get(f"/invoices/{guid}/invoicerows")
    assert listed["code"] == ["KONS", "SENIOR"]
    assert [one["quantity"] for one in tenant.get(f"/invoicerows/{listed['guid']}/workhours")] == [1, 2]


def test_a_credit_note_is_born_ready_for_transfer_without_number(tenant: Tenant) -> None:
    original = tenant.invoice("sent")
    note = tenant.people.add("invoices", {"credit_of": original["guid"]})
    seen = tenant.get(f"/invoices/{note['guid']}")
    assert seen["isCreditNote"] is True
    assert seen["number"] is None
    assert seen["status"]["guid"] == tenant.org.roles["transfer"]
    assert seen["totalIncludingTax"]["amount"] == -15000.0
    assert seen["reimburseInvoice"]["guid"] == original["guid"]
    assert tenant.get(f"/invoices/{original['guid']}")["creditNoteInvoice"]["guid"] == note["guid"]
    assert tenant.get(f"/invoices/{note['guid']}/workhours") == []
    (hours,) = tenant.get(f"/invoices/{note['guid']}/reimbursedworkhours")
    assert (hours["quantity"], hours["project"]["number"]) == (-10, 1001)
    assert tenant.call("DELETE", f"/invoices/{note['guid']}").status_code == 400


def test_only_a_sent_invoice_that_waits_for_payment_can_be_credited(tenant: Tenant) -> None:
    draft = tenant.invoice("draft")
    url = f"/_sim/orgs/{tenant.org.client_id}/invoices"
    assert tenant.http.post(url, json={"credit_of": draft["guid"]}).status_code == 400


def test_a_foreign_invoice_stands_in_its_currency_or_in_the_organisations_by_switch(tenant: Tenant) -> None:
    row = {"code": "KONS", "quantity": 1, "unitPrice": 100, "vatRate": 0}
    guid = tenant.invoice(project=1004, rows=[row], currencyRate=11.25)["guid"]
    assert tenant.get(f"/invoices/{guid}")["totalIncludingTax"] == {
        "amount": 100.0,
        "currencyCode": "EUR",
        "multiCurrencyInfo": None,
    }
    tenant.org.overrides["row_price_in_base_currency"] = True
    guid = tenant.invoice(project=1004, rows=[row], currencyRate=11.25)["guid"]
    price = tenant.get(f"/invoices/{guid}/invoicerows")[0]["unitPrice"]
    assert (price["amount"], price["currencyCode"]) == (1125.0, "SEK")
    assert price["multiCurrencyInfo"][0]["currencyCode"] == "EUR"
    assert tenant.get(f"/invoices/{guid}")["totalIncludingTax"]["amount"] == 100.0


def test_the_receiver_on_an_invoice_is_a_copy_with_the_country_as_text(tenant: Tenant) -> None:
    guid = tenant.invoice(project=1002)["guid"]
    before = tenant.get(f"/invoices/{guid}")["receiverAddress"]
    assert before == {
        "addressline": "Box 1201",
        "postalCode": "111 82",
        "city": "Stockholm",
        "state": None,
        "country": "Sverige",
    }
    customer = tenant.get("/customers", numbers=10002)[0]["guid"]
    billing = next(one for one in tenant.get(f"/customers/{customer}/addresses") if one["isBillingAddress"])
    tenant.patch(f"/addresses/{billing['guid']}", city="Solna")
    assert tenant.get(f"/invoices/{guid}")["receiverAddress"] == before


def test_drafts_are_made_from_what_is_billable_and_deleted_ones_free_it_again(tenant: Tenant) -> None:
    project = tenant.get("/projects", numbers=1001)[0]["guid"]
    tenant.people.add(
        "projectfees",
        {"project": 1001, "product": "LIC", "quantity": 2, "isBillable": True, "eventDate": "2025-01-10"},
    )
    body = {"projects": [{"guid": project}], "groupProjects": False, "date": "2025-01-31"}
    (draft,) = tenant.call("POST", "/invoices", json=body).json()
    assert draft["totalExcludingTax"]["amount"] == 24000.0
    assert draft["canBeDeleted"] is True
    assert tenant.call("POST", "/invoices", json=body).json() == []
    assert tenant.call("DELETE", f"/invoices/{draft['guid']}").status_code == 204
    assert len(tenant.call("POST", "/invoices", json=body).json()) == 1


def test_the_latest_number_is_used_again_after_deletion(tenant: Tenant) -> None:
    statuses = {one["guid"]: one for one in tenant.get("/invoicestatuses")}
    numbered = tenant.org.roles["transferred"]
    tenant.patch(f"/invoicestatuses/{numbered}", isReadOnly=False)
    assert statuses[numbered]["hasInvoiceNumber"] is True
    first, second = tenant.invoice("transferred"), tenant.invoice("transferred")
    assert second["number"] == first["number"] + 1
    assert tenant.call("DELETE", f"/invoices/{first['guid']}").status_code == 400
    assert tenant.call("DELETE", f"/invoices/{second['guid']}").status_code == 204
    assert tenant.invoice("transferred")["number"] == second["number"]


def test_invoices_are_filtered_by_status_number_and_date(tenant: Tenant) -> None:
    one = tenant.invoice("transfer", date="2025-03-01")
    two = tenant.invoice("sent", date="2025-04-01")
    by_status = tenant.get("/invoices", invoiceStatusGuids=tenant.org.roles["transfer"])
    assert [each["guid"] for each in by_status] == [one["guid"]]
    assert [each["guid"] for each in tenant.get("/invoices", startDate="2025-03-15T00:00:00Z")] == [
        two["guid"]
    ]
    assert [each["guid"] for each in tenant.get("/invoices", numbers=[two["number"]])] == [two["guid"]]


@pytest.mark.parametrize("example", sorted(seed.INVOICE_STATUSES))
@pytest.mark.req("R-STA-2")
def test_the_guides_statuses_follow_the_rules_of_order_and_flags(tenant: Tenant, example: str) -> None:
    org = tenant.state.add_organisation(next(_numbers), statuses=example)
    statuses = [record.data for record in org.register("invoicestatuses")]
    numbered = [one["hasInvoiceNumber"] for one in statuses]
    assert numbered == sorted(numbered)
    assert not statuses[0]["isDefault"]
    before_number = statuses[numbered.index(True) - 1]
    assert (before_number["isReadOnly"], before_number["isDefaultForCreditNote"]) == (True, True)


# --- Files and the organisation -------------------------------------------------------------------------------------


def test_a_file_is_uploaded_to_a_project_and_read_by_its_file_guid(tenant: Tenant) -> None:
    project = tenant.get("/projects", numbers=1001)[0]["guid"]
    data = bytes(range(256)) + b"\r\n--not the boundary\r\n"
    body = (
        b"--grans\r\nContent-Type: application/json\r\n\r\n"
        b'{"Description": "Frakt, F-17", "Name": "kvitto.pdf"}\r\n'
        b"--grans\r\nContent-Type: application/pdf\r\n\r\n" + data + b"\r\n--grans--\r\n"
    )
    headers = {**tenant.headers, "Content-Type": "multipart/related; boundary=grans"}
    answer = tenant.http.post(f"/rest-api/v1/projects/{project}/files", content=body, headers=headers)
    assert answer.status_code == 201
    (made,) = answer.json()
    assert (made["name"], made["description"], made["size"]) == ("kvitto.pdf", "Frakt, F-17", len(data))
    assert made["guid"] != made["fileGuid"]
    assert tenant.call("GET", f"/files/{made['fileGuid']}/filedata").content == data
    assert tenant.call("GET", f"/files/{made['guid']}/filedata").status_code == 404
    assert len(tenant.get(f"/projects/{project}/files")) == 1


def test_an_invoice_has_its_files_and_a_pdf_with_its_number(tenant: Tenant) -> None:
    guid = tenant.invoice("sent")["guid"]
    tenant.people.attach(guid, "tidrapport.pdf", b"abc", internal=True)
    (listed,) = tenant.get(f"/invoices/{guid}/files")
    assert (listed["name"], listed["isInternal"], listed["size"]) == ("tidrapport.pdf", True, 3)
    assert tenant.call("GET", f"/files/{listed['fileGuid']}/filedata").content == b"abc"
    pdf = tenant.call("GET", f"/invoices/{guid}/pdf", params={"pdfGetOptions": "InvoiceOnly"})
    assert pdf.headers["content-type"] == "application/pdf"
    number = tenant.get(f"/invoices/{guid}")["number"]
    assert f"Faktura {number}".encode() in pdf.content
    assert tenant.call("GET", f"/invoices/{guid}/pdf", params={"pdfGetOptions": "x"}).status_code == 400


def test_the_official_integration_answers_403_until_switched_on(tenant: Tenant) -> None:
    path = "/integrations/vismafinancials/companyinformation"
    answer = tenant.call("GET", path)
    assert (answer.status_code, message(answer)[0]) == (403, "AddonMissing")
    tenant.http.patch(f"/_sim/orgs/{tenant.org.client_id}/switches", json={"official_integration": True})
    assert tenant.get(path)["name"] == tenant.org.name


def test_organisations_do_not_see_each_other(tenant: Tenant) -> None:
    other = tenant.state.add_organisation(next(_numbers))
    foreign = next(iter(other.register("customers").records))
    assert tenant.call("GET", f"/customers/{foreign}").status_code == 404


def test_an_organisation_is_made_and_played_over_http(tenant: Tenant) -> None:
    n = next(_numbers)
    made = tenant.http.post("/_sim/orgs", json={"firm": n, "statuses": "approval"})
    assert made.status_code == 201
    base = f"/_sim/orgs/{made.json()['client_id']}"
    assert "approval" in made.json()["roles"]
    invoice = tenant.http.post(f"{base}/invoices", json={"project": 1001, "rows": [{"unitPrice": 10}]}).json()
    moved = tenant.http.post(f"{base}/invoices/{invoice['guid']}/status", json={"status": "approval"})
    assert moved.json()["status"]["name"] == "Väntar på godkännande"
    changed = tenant.http.patch(f"{base}/invoices/{invoice['guid']}", json={"yourReference": "Å. Öst"})
    assert changed.json()["history"][-1] == {
        "time": changed.json()["lastUpdatedDateTime"],
        "field": "yourReference",
        "old": "Karin Lindqvist",
        "new": "Å. Öst",
        "by": "person",
    }
    assert tenant.http.delete(f"{base}/invoices/{invoice['guid']}").status_code == 204
    assert tenant.http.get(f"{base}/invoices").json() == []
    assert tenant.http.get(f"{base}/nosuchregister").status_code == 404


def test_an_empty_organisation_has_its_registers_of_choice_and_only_the_internal_customer(
    tenant: Tenant,
) -> None:
    client_id = f"Empty{next(_numbers)}_demo.apps.vismasevera.com"
    body = {"firm": "empty", "client_id": client_id, "client_secret": "s", "name": "Tomt AB"}
    assert tenant.http.post("/_sim/orgs", json=body).status_code == 201
    assert tenant.http.post("/_sim/orgs", json=body).status_code == 400
    customers = tenant.http.get(f"/_sim/orgs/{client_id}/customers").json()
    assert [one["isInternal"] for one in customers] == [True]
    assert tenant.http.get(f"/_sim/orgs/{client_id}/projects").json() == []
    assert len(tenant.http.get(f"/_sim/orgs/{client_id}/invoicestatuses").json()) == 7


def test_a_billing_customer_of_a_project_is_listed_with_it(tenant: Tenant) -> None:
    project = tenant.get("/projects", numbers=1001)[0]["guid"]
    payer = tenant.get("/customers", numbers=10003)[0]["guid"]
    made = tenant.call(
        "POST",
        "/projectbillingcustomers",
        json={"project": {"guid": project}, "billingCustomer": {"guid": payer}, "isDefault": True},
    )
    assert made.status_code == 201
    (listed,) = tenant.get(f"/projects/{project}/projectbillingcustomers")
    assert (listed["billingCustomer"]["guid"], listed["isDefault"]) == (payer, True)


# --- Faults and the ledger ------------------------------------------------------------------------------------------


def arm(tenant: Tenant, **fault: Any) -> str:
    answer = tenant.http.post("/_sim/faults", json={"org": tenant.org.client_id, **fault})
    assert answer.status_code == 201, answer.text
    identity: str = answer.json()["id"]
    return identity


def test_a_dropped_connection_leaves_the_work_undone_or_done(tenant: Tenant) -> None:
    arm(tenant, kind="drop", method="POST", path="/customers$")
    with pytest.raises(httpx.RemoteProtocolError):
        tenant.call("POST", "/customers", json={"name": "Borta AB"})
    assert tenant.get("/customers", customerNames="Borta AB") == []
    arm(tenant, kind="commit_then_drop", method="POST", path="/customers$")
    with pytest.raises(httpx.RemoteProtocolError):
        tenant.call("POST", "/customers", json={"name": "Kvar AB"})
    assert len(tenant.get("/customers", customerNames="Kvar AB")) == 1


def test_a_fault_skips_counts_down_and_is_aimed_at_one_organisation(tenant: Tenant) -> None:
    arm(tenant, kind="status", status=503, body={"error": "x"}, headers={"Retry-After": "7"}, skip=1, times=1)
    other = tenant.state.add_organisation(next(_numbers))
    answers = [tenant.call("GET", "/vatrates") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 503, 200]
    assert answers[1].headers["retry-after"] == "7"
    body = {"client_id": other.client_id, "client_secret": other.client_secret}
    arm(tenant, kind="status", path="/token$")
    assert tenant.http.post("/rest-api/v1/token", json=body).status_code == 200
    body = {"client_id": tenant.org.client_id, "client_secret": tenant.org.client_secret}
    assert tenant.http.post("/rest-api/v1/token", json=body).status_code == 503


def test_work_can_be_done_although_the_answer_is_a_502(tenant: Tenant) -> None:
    arm(tenant, kind="commit_then_status", status=502, method="POST", path="/customers$")
    assert tenant.call("POST", "/customers", json={"name": "Tyst AB"}).status_code == 502
    assert len(tenant.get("/customers", customerNames="Tyst AB")) == 1


def test_a_late_answer_comes_after_the_work_is_done(tenant: Tenant) -> None:
    identity = arm(tenant, kind="delay_after", seconds=1.0, method="POST", path="/customers$", times=None)
    sent = threading.Thread(
        target=tenant.call, args=("POST", "/customers"), kwargs={"json": {"name": "Sen AB"}}
    )
    began = time.monotonic()
    sent.start()
    with httpx.Client(base_url=tenant.http.base_url, timeout=5) as second:
        while not second.get(
            "/rest-api/v1/customers", params={"customerNames": "Sen AB"}, headers=tenant.headers
        ).json():
            assert time.monotonic() - began < 5
    assert sent.is_alive()
    sent.join()
    assert time.monotonic() - began >= 1.0
    assert tenant.http.delete(f"/_sim/faults/{identity}").status_code == 204


def test_an_unknown_kind_of_fault_is_refused(tenant: Tenant) -> None:
    assert tenant.http.post("/_sim/faults", json={"kind": "explode"}).status_code == 400


def test_the_ledger_counts_by_organisation_method_and_template(tenant: Tenant) -> None:
    guid = tenant.get("/customers")[0]["guid"]
    tenant.get(f"/customers/{guid}")
    tenant.get(f"/customers/{guid}")
    tenant.call("GET", "/customers/nosuch")
    view = tenant.http.get("/_sim/calls").json()
    own = {
        (one["method"], one["path"]): one["count"]
        for one in view["counts"]
        if one["org"] == tenant.org.client_id
    }
    assert own["GET", "/v1/customers/{guid}"] == 3
    assert own["POST", "/v1/token"] == 1
    last = [one for one in view["calls"] if one["org"] == tenant.org.client_id][-1]
    assert (last["status"], last["path"]) == (404, "/rest-api/v1/customers/nosuch")


def test_settings_are_changed_over_http_and_unknown_ones_refused() -> None:
    with running(create_app()) as base, httpx.Client(base_url=base, timeout=5) as http:
        assert http.get("/_sim/settings").json()["calls_per_second"] == 10
        assert http.patch("/_sim/settings", json={"calls_per_second": 2}).json()["calls_per_second"] == 2
        assert http.patch("/_sim/settings", json={"calls": 2}).status_code == 400
        firm = seed.NORDKONSULT
        body = {"client_id": firm.severa_client_id, "client_secret": firm.severa_client_secret}
        token = http.post("/rest-api/v1/token", json=body).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        statuses = [http.get("/rest-api/v1/vatrates", headers=headers).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]


# --- The seed -------------------------------------------------------------------------------------------------------


def test_firms_have_names_credentials_and_valid_organisation_numbers_of_their_own() -> None:
    firms = [seed.scaled(n) for n in range(1, 50)]
    for part in ("name", "organisation_number", "severa_client_id", "erp_client_id", "erp_tenant_id"):
        assert len({getattr(firm, part) for firm in firms}) == len(firms)
    assert seed.scaled(7) == seed.scaled(7)
    with pytest.raises(ValueError, match="from 1 to 99999"):
        seed.scaled(0)


def test_every_item_of_the_seed_fits_the_erps_classes_and_categories() -> None:
    classes = {one.id: one.type for one in seed.ITEM_CLASSES}
    categories = {one.id: one.percent for one in seed.VAT_CATEGORIES}
    for item in seed.NORDKONSULT.items:
        assert classes[item.item_class] == item.erp_type
        assert categories[item.vat_category] == item.vat_percent
    assert {rule.percent for rule in seed.VAT_RULES if rule.zone == "01"} == set(seed.VAT_RATES)
    assert all(isinstance(rate, Decimal) for rate in seed.VAT_RATES)
