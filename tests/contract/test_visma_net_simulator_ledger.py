"""The ERP simulator: attachments, costs and the ledger; faults and people's moves."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest
from erp_company import Erp, invoice, line, number_of, wrapped


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
