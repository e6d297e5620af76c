"""The Severa simulator from outside: totals, numbers, statuses and credit notes of invoices."""

from __future__ import annotations

import pytest
from severa_tenant import Tenant, _numbers, message

from simulators import seed


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
