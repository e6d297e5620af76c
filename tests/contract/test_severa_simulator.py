"""The Severa simulator from outside: files, organisations, people's moves, faults and the seed."""

from __future__ import annotations

import threading
import time
from decimal import Decimal
from typing import Any

import httpx
import pytest
from severa_tenant import Tenant, _numbers, message

from simulators import seed
from simulators.mangling import shortened
from simulators.server import running
from simulators.severa import create_app


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
    identity = arm(tenant, kind="delay_after", seconds=4.0, method="POST", path="/customers$", times=None)
    sent = threading.Thread(
        target=tenant.call, args=("POST", "/customers"), kwargs={"json": {"name": "Sen AB"}}
    )
    began = time.monotonic()
    sent.start()
    with httpx.Client(base_url=tenant.http.base_url, timeout=120) as second:
        while not second.get(
            "/rest-api/v1/customers", params={"customerNames": "Sen AB"}, headers=tenant.headers
        ).json():
            assert sent.is_alive()
    assert sent.is_alive()
    sent.join()
    assert time.monotonic() - began >= 4.0
    assert tenant.http.delete(f"/_sim/faults/{identity}").status_code == 204


def test_an_answer_that_is_cut_breaks_off_after_the_work_is_done(tenant: Tenant) -> None:
    arm(tenant, kind="cut", method="POST", path="/customers$")
    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        tenant.call("POST", "/customers", json={"name": "Avklippt AB"})
    assert len(tenant.get("/customers", customerNames="Avklippt AB")) == 1


def test_a_short_list_is_well_formed_and_tells_less(tenant: Tenant) -> None:
    whole = tenant.get("/vatrates")
    arm(tenant, kind="short", method="GET", path="/vatrates$", times=2)
    for _ in range(2):
        assert tenant.get("/vatrates") == whole[: len(whole) - max(1, len(whole) // 3)]
    assert tenant.get("/vatrates") == whole


@pytest.mark.parametrize(
    ("whole", "less"),
    [
        (b'[{"a": [1, "],"]}, 2.50,\n 3]', b'[{"a": [1, "],"]}, 2.50]'),
        (b"[1]", b"[]"),
        (b"[]", b"[]"),
        (b'{"a": 1}', b'{"a": 1}'),
        (b"<html>", b"<html>"),
        (b"", b""),
    ],
)
def test_only_a_list_is_shortened(whole: bytes, less: bytes) -> None:
    assert shortened(whole) == less


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
    with running(create_app()) as base, httpx.Client(base_url=base, timeout=120) as http:
        assert http.get("/_sim/settings").json()["calls_per_second"] == 10
        assert http.patch("/_sim/settings", json={"calls_per_second": 2}).json()["calls_per_second"] == 2
        assert http.patch("/_sim/settings", json={"calls": 2}).status_code == 400
        firm = seed.NORDKONSULT
        body = {"client_id": firm.severa_client_id, "client_secret": firm.severa_client_secret}
        token = http.post("/rest-api/v1/token", json=body).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        statuses = [http.get("/rest-api/v1/vatrates", headers=headers).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]


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
