"""The ERP simulator: the life of invoices, credit notes and payments."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from erp_company import Erp, invoice, line, number_of, wrapped


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
