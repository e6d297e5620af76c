"""Invoices and payments that are right although they look odd: each was removed, failed or left wrong once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from road import Json, Road, hours, money

from app import reviewing


@pytest.fixture(scope="module")
def project(road: Road) -> Json:
    """An open project of a Swedish customer, and statuses that let it be credited."""
    customer = road.add_customer("Udda AB", vatNumber="SE556111777301")
    made = road.add_project(customer, "Udda projektet")
    road.settle()
    return made


def booked(road: Road, guid: str) -> Json:
    """The one document of an invoice that went through without a problem."""
    assert [row for row in road.problems() if row["record_id"] == guid] == []
    assert road.role(guid) == "transferred"
    assert road.releases(guid) == 1
    return road.document(guid)


@pytest.mark.req("R-INV-4")
def test_an_erp_that_keeps_fewer_decimals_is_no_difference(road: Road, project: Json) -> None:
    road.erp.ask("PATCH", "settings", {"quantity_decimals": 2, "price_decimals": 4})
    try:
        guid = road.approve(project, [hours("7.3333333333", "1000"), hours("3", "33.3333333333")])
        road.settle()
        first, second = booked(road, guid)["invoiceLines"]
        assert (money(first["quantity"]), money(first["amountInCurrency"])) == (
            money("7.33"),
            money("7333.33"),
        )
        assert money(second["unitPriceInCurrency"]) == money("33.3333")
        assert road.erp.ask("GET", "removed") == []
    finally:
        road.erp.ask("PATCH", "settings", {"quantity_decimals": None, "price_decimals": None})


@pytest.mark.req("R-INV-4", "R-INV-5")
def test_an_erp_that_counts_with_fewer_decimals_is_a_difference_with_both_values(
    road: Road, project: Json
) -> None:
    road.erp.ask("PATCH", "settings", {"quantity_decimals": 2, "shortened_counts": True})
    try:
        guid = road.approve(project, [hours("7.3333333333", "1000")])
        road.settle()
        assert road.role(guid) == "failed"
        [problem] = [row for row in road.problems() if row["record_id"] == guid]
        assert "7,3333333333 / 7,33" in problem["wrong"]
        [gap] = [
            row for row in reviewing.gaps(road.installation.bridge, road.name) if row["severa_id"] == guid
        ]
        assert "9 166,66 SEK" in gap["reason"]
        assert "9 162,50 SEK" in gap["reason"]
    finally:
        road.erp.ask("PATCH", "settings", {"quantity_decimals": None, "shortened_counts": False})


@pytest.mark.req("R-INV-14", "R-INV-7", "R-INV-16")
def test_an_adjustment_period_stops_nobody_and_a_credit_note_may_round_to_nothing(
    new_firm: Callable[..., Road],
) -> None:
    """Reference registers and the rounding of totals are read when a tenant goes live."""
    road = new_firm(live=False)
    road.erp.change("periods", "202613", closed_receivables=True)
    road.erp.ask("PATCH", "settings", {"whole_kronor": True})
    road.severa.ask("PATCH", "settings", {"currencyRoundingType": "NearestInteger"})
    customer = road.add_customer("Helår AB", vatNumber="SE556111777401")
    project = road.add_project(customer, "Helårsprojektet")
    road.go_live()
    last = road.approve(project, [hours("1", "1000")], date="2026-12-31", dueDate="2027-01-30")
    early = road.approve(
        project, [hours("1", "1000")], date="2027-01-05", entryDate="2026-12-31", dueDate="2027-02-04"
    )
    road.settle()
    assert booked(road, last)["financialPeriod"] == "202612"
    assert booked(road, early)["financialPeriod"] == "202612"
    road.move(last, "sent")
    rows = [hours("1", "0.30")]
    note = road.severa.add("invoices", credit_of=last, rows=rows, status="transfer")["guid"]
    road.settle()
    credit = booked(road, note)
    assert (credit["documentType"], credit["status"]) == ("CreditNote", "Closed")
    assert (money(credit["detailTotalInCurrency"]), money(credit["amountInCurrency"])) == (money("0.30"), 0)


@pytest.mark.req("R-PRD-2")
@pytest.mark.parametrize("code", ["KO\x00NS", "kons", "KONS\x07"])
def test_a_code_with_what_no_column_takes_or_in_another_case_is_found(
    road: Road, project: Json, code: str
) -> None:
    guid = road.approve(project, [hours("1", "1000") | {"code": code}])
    road.settle()
    [line] = booked(road, guid)["invoiceLines"]
    assert line["inventoryNumber"] == "KONS"


def paid(road: Road, number: str, amount: str, on: str, *, off: str = "") -> str:
    line = {"number": number, "amount": amount, **({"write_off": off} if off else {})}
    return str(road.erp.ask("POST", "payments", {"lines": [line], "date": on})["refNbr"])


@pytest.mark.schedule("S20")
@pytest.mark.req("R-PAY-1")
def test_paid_voided_and_paid_again_between_two_polls_moves_the_date(road: Road, project: Json) -> None:
    guid = road.approve(project, [hours("1", "1000")])
    road.settle()
    road.move(guid, "sent")
    number = road.document(guid)["referenceNumber"]
    first = paid(road, number, "1250.00", "2026-11-20")
    road.settle()
    assert road.invoice(guid)["paymentDate"] == "2026-11-20"
    road.erp.ask("POST", f"payments/{first}/void", {})
    paid(road, number, "1250.00", "2026-11-27")
    road.settle()
    assert (road.role(guid), road.invoice(guid)["paymentDate"]) == ("paid", "2026-11-27")
    assert road.log().count("payment.date_changed") == 1


@pytest.mark.req("R-PAY-3", "R-LOG-3")
def test_a_large_write_off_is_logged_once_and_set_by_hand_it_rests(road: Road, project: Json) -> None:
    guid = road.approve(project, [hours("1", "1000")])
    road.settle()
    road.move(guid, "sent")
    paid(road, road.document(guid)["referenceNumber"], "250.00", "2026-11-22", off="1000.00")
    road.settle()
    road.poll()
    road.settle()
    assert road.log().count("payment.written_off") == 1
    assert "payment.written_off" in road.codes()
    road.move(guid, "paid")
    road.severa.change("invoices", guid, paymentDate="2026-11-22")
    road.settle()
    assert "payment.written_off" not in road.codes()
    assert road.log().count("payment.written_off") == 1


@pytest.mark.req("R-INV-7", "R-INV-11")
def test_a_credit_note_whose_original_is_not_booked_says_so_and_goes_on_by_itself(
    road: Road, project: Json
) -> None:
    guid = road.approve(project, [hours("2", "1000")], status="draft")
    note = road.severa.add("invoices", credit_of=guid, force=True, status="transfer")["guid"]
    road.settle()
    [problem] = [row for row in road.problems() if row["record_id"] == note]
    assert problem["code"] == "invoice.original_not_booked"
    assert "Udda AB" in problem["wrong"]
    road.move(guid, "transfer")
    road.settle()
    assert [road.role(guid), road.role(note)] == ["transferred", "transferred"]
