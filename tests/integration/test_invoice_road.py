"""Invoices on the whole road where people, other records or files come in between."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from road import Json, Road, book, hours, money
from stage import wait_for

from app import reviewing
from app.reviewing import LetGo
from domain.errors import InputError


def open_project(road: Road, name: str) -> Json:
    """A project of a customer of its own, both settled."""
    made = road.add_project(road.add_customer(f"{name} AB"), name)
    road.settle()
    return made


@pytest.mark.req("R-INV-11", "R-LOG-3")
def test_an_invoice_points_at_its_customers_problem_and_goes_on_by_itself_once_that_is_repaired(
    road: Road,
) -> None:
    refusal = {"status": 400, "body": {"message": "The customer cannot be created."}}
    fault = road.erp.arm("status", "^/v1/customer$", method="POST", times=None, **refusal)
    customer = road.add_customer("Sen Kund AB")
    project = road.add_project(customer, "Senprojektet")
    guid = road.approve(project, [hours("2", "1000")])
    road.settle()
    assert road.role(guid) == "transfer"
    [problem] = [row for row in road.problems() if row["record_id"] == guid]
    assert problem["code"] == "invoice.customer_in_error"
    assert "Sen Kund AB" in problem["wrong"]
    [theirs] = [row for row in road.problems() if row["record_id"] == customer["guid"]]
    assert problem["where"] == f"Problem {theirs['id']}"
    assert road.states("invoice") == ["failed"]
    road.erp.simulator.ask("DELETE", f"/faults/{fault}")
    # Only the customer is repaired; nobody touches the invoice.
    road.severa.change("customers", customer["guid"], website="https://sen.example")
    road.settle()
    assert road.role(guid) == "transferred"
    assert [row for row in road.problems() if row["record_id"] in (guid, customer["guid"])] == []


@pytest.mark.req("R-INV-15")
def test_held_invoices_wait_in_a_list_and_go_when_a_person_lets_them(new_firm: Callable[..., Road]) -> None:
    road = new_firm()
    road.sql(
        "update setting set values = values || '{\"hold_invoices\": true}' where tenant_id = %s",
        road.tenant_id,
    )
    bridge = road.installation.bridge
    project = open_project(road, "Granskad")
    first, second = (
        road.approve(project, [hours("1", price), book("1", "100")]) for price in ("1000", "2000")
    )
    road.settle()
    held = {row["record_id"]: row for row in reviewing.held(bridge, road.name)}
    assert set(held) == {first, second}
    assert held[first]["values"]["total"] == {"amount": "1356.00", "currency": "SEK"}
    assert "Moms: 25 %: 1 000,00 + 250,00; 6 %: 100,00 + 6,00." in held[first]["wrong"]
    accounts = held[first]["values"]["accounts"]
    assert "1000.00" in [one["amount"] for one in accounts]
    assert all(one["account"] for one in accounts)
    assert road.documents(first) == []
    with pytest.raises(InputError):
        reviewing.release(bridge, road.name, "no such invoice", ())
    assert reviewing.release(bridge, road.name, first, {held[first]["seen"]}) == LetGo(1)
    road.settle()
    assert (road.role(first), road.role(second)) == ("transferred", "transfer")
    assert reviewing.release(bridge, road.name, "all", {held[second]["seen"]}) == LetGo(1)
    road.settle()
    assert road.role(second) == "transferred"
    assert reviewing.held(bridge, road.name) == []
    actions = road.sql("select action from audit_log where tenant_id = %s", road.tenant_id)
    assert [row["action"] for row in actions].count("invoice.released") == 2


@pytest.mark.req("R-INV-8")
def test_files_and_pdf_reach_the_document_once_without_the_internal_ones(
    new_firm: Callable[..., Road],
) -> None:
    road = new_firm(attachments="files-and-pdf")
    project = open_project(road, "Bilagd")
    guid = road.approve(project, [hours("1", "1000")], status="draft")
    road.severa.ask("POST", f"invoices/{guid}/files", {"name": "tidrapport.pdf", "text": "tio timmar"})
    road.severa.ask(
        "POST", f"invoices/{guid}/files", {"name": "kalkyl.xlsx", "text": "hemlig", "isInternal": True}
    )
    # The ERP takes the first file and its answer is lost.
    road.erp.arm("commit_then_drop", "/attachment$", method="POST")
    road.move(guid, "transfer")
    road.settle(seconds=90)
    document = road.document(guid)
    names = [f"{file['name']} r{file['revision']}" for file in document["attachments"]]
    assert names == ["tidrapport.pdf r1", f"Faktura {document['referenceNumber']}.pdf r1"]
    assert road.problems() == []
    assert "invoice.attached" in road.log()


@pytest.mark.req("R-INV-8")
def test_a_file_that_the_erp_refuses_is_a_problem_and_the_invoice_stays_numbered(
    new_firm: Callable[..., Road],
) -> None:
    road = new_firm(attachments="files")
    project = open_project(road, "Vägrad")
    guid = road.approve(project, [hours("1", "1000")], status="draft")
    road.severa.ask("POST", f"invoices/{guid}/files", {"name": "stor.zip", "text": "mycket"})
    refusal = {"status": 400, "body": {"message": "The file type is not allowed."}}
    fault = road.erp.arm("status", "/attachment$", method="POST", times=None, **refusal)
    road.move(guid, "transfer")
    road.settle()
    assert road.role(guid) == "transferred"
    [problem] = road.problems()
    assert problem["code"] == "invoice.attachment_failed"
    assert "stor.zip: The file type is not allowed." in problem["wrong"]
    road.erp.simulator.ask("DELETE", f"/faults/{fault}")
    road.severa.change("invoices", guid, notes="Försök igen")
    road.settle()
    assert [file["name"] for file in road.document(guid)["attachments"]] == ["stor.zip"]
    assert road.problems() == []


@pytest.mark.req("R-PRJ-3")
def test_a_closed_project_takes_a_late_credit_note_and_is_closed_again(road: Road) -> None:
    project = open_project(road, "Avslutat")
    guid = road.approve(project, [hours("4", "1000")])
    road.settle()
    road.move(guid, "sent")
    road.severa.change("projects", project["guid"], isClosed=True)
    road.settle()
    number = str(project["number"])
    assert road.erp.one("project", projectID=number)["status"] == "Completed"
    note = road.severa.add("invoices", credit_of=guid)["guid"]
    road.settle()
    assert road.role(note) == "transferred"
    assert road.erp.one("project", projectID=number)["status"] == "Completed"
    told = road.log()
    # newest first: completed by Severa, active while the credit note is made, completed again
    assert [code for code in told if code in {"project.activated", "project.completed"}] == [
        "project.completed",
        "project.activated",
        "project.completed",
    ]
    assert road.work() == []
    road.forget_calls()
    road.poll()
    road.settle()
    assert road.writes() == {}


@pytest.mark.req("R-INV-9", "R-INV-4")
def test_an_invoice_in_euro_carries_its_rate_and_is_proven_in_both_currencies(road: Road) -> None:
    project = open_project(road, "Utland")
    guid = road.approve(project, [hours("3", "333.33")], currency="EUR", currencyRate=11.2345)
    road.settle()
    document, invoice = road.document(guid), road.invoice(guid)
    assert document["currencyId"] == "EUR"
    assert money(document["amountInCurrency"]) == money(invoice["totalIncludingTax"]) == Decimal("1249.99")
    assert abs(money(document["amount"]) - Decimal("1249.99") * Decimal("11.2345")) < Decimal("0.60")
    assert road.problems() == []


@pytest.mark.req("R-INV-10", "R-SET-6")
def test_a_mapped_business_unit_decides_the_branch(new_firm: Callable[..., Road]) -> None:
    road = new_firm()
    bridge = road.installation.bridge
    project = open_project(road, "Grenad")
    guid = road.approve(project, [hours("1", "1000")], status="draft")
    unit = road.invoice(guid)["invoiceNumberBusinessUnitGuid"]
    unit = unit["guid"] if isinstance(unit, dict) else unit
    number = str(next(iter(road.erp.look("branches")[0].values())))
    with pytest.raises(InputError):
        reviewing.map_branch(bridge, road.name, unit, "no such branch")
    reviewing.map_branch(bridge, road.name, unit, number)
    assert [row["branch"] for row in reviewing.branches(bridge, road.name)] == [number]
    road.move(guid, "transfer")
    road.settle()
    assert road.document(guid)["branchNumber"]["number"] == number


@pytest.mark.req("R-STA-2")
def test_a_repaired_status_set_up_lets_invoices_go_by_itself(new_firm: Callable[..., Road]) -> None:
    road = new_firm()
    project = open_project(road, "Status")
    transfer = next(
        row
        for row in road.severa.look("invoicestatuses")
        if not row["hasInvoiceNumber"] and row["isReadOnly"]
    )
    road.severa.change("invoicestatuses", transfer["guid"], isReadOnly=False)
    due = "delete from stream where tenant_id = %s and register = 'invoicestatuses'"
    road.sql(due, road.tenant_id)
    guid = road.approve(project, [hours("1", "1000")])
    road.settle()
    [problem] = [row for row in road.problems() if row["record_id"] == guid]
    assert problem["code"] == "statuses.transfer_editable"
    road.severa.change("invoicestatuses", transfer["guid"], isReadOnly=True)
    road.sql(due, road.tenant_id)
    road.settle()
    assert road.role(guid) == "transferred"
    assert road.problems() == []


@pytest.mark.req("R-INV-2", "R-INV-4")
def test_a_grouped_row_with_two_accounts_is_booked_as_one_line_per_code(road: Road) -> None:
    """Licences and subcontracting of the same VAT rate post on different accounts: the work behind the row tells its parts."""
    project = open_project(road, "Grupperad")
    parts = [
        {"code": "LIC", "quantity": 2, "unitPrice": "990"},
        {"code": "UE", "quantity": 1, "unitPrice": "1100"},
        {"code": "UE", "quantity": 2, "unitPrice": "1100"},
    ]
    row = {
        "code": ["LIC", "UE"],
        "description": "Licens och underkonsult",
        "quantity": "1",
        "unitPrice": "5280",
        "vatRate": 25,
        "rowType": "ProjectFees",
        "items": parts,
    }
    guid = road.approve(project, [row])
    road.settle()
    document = road.document(guid)
    lines = [(one["inventoryNumber"], money(one["quantity"])) for one in document["invoiceLines"]]
    assert lines == [("LIC", Decimal(2)), ("UE", Decimal(3))]
    assert money(document["amountInCurrency"]) == money(road.invoice(guid)["totalIncludingTax"]) == 6600


@pytest.mark.req("R-INV-2")
def test_an_invoice_of_two_projects_is_booked_on_the_larger_one(new_firm: Callable[..., Road]) -> None:
    road = new_firm()
    road.sql(
        'update setting set values = values || \'{"several_projects": "largest"}\' where tenant_id = %s',
        road.tenant_id,
    )
    small = open_project(road, "Liten")
    large = road.add_project(small["customer"], "Stor")
    road.settle()
    rows = [hours("1", "1000") | {"project": small["guid"]}, hours("3", "1000") | {"project": large["guid"]}]
    guid = road.approve(small, rows, projects=[small["guid"], large["guid"]])
    road.settle()
    document = road.document(guid)
    assert document["project"]["id"] == str(large["number"])
    assert f"{small['number']} Liten" in document["note"]
    assert "invoice.several_projects_one" in road.log()


@pytest.mark.req("R-INV-11", "R-PRJ-4")
def test_an_invoice_of_an_internal_project_says_so_instead_of_waiting_for_ever(road: Road) -> None:
    customer = road.add_customer("Intern betalare AB")
    project = road.add_project(customer, "Internt arbete", isInternal=True)
    road.settle()
    guid = road.approve(project, [hours("1", "1000")])
    road.settle()
    [problem] = [row for row in road.problems() if row["record_id"] == guid]
    assert problem["code"] == "work.dependency_left_alone"
    assert "Internt arbete" in problem["wrong"]
    assert road.role(guid) == "transfer"
    # Nobody touches the invoice: it goes once its project is one that is transferred.
    road.severa.change("projects", project["guid"], isInternal=False)
    road.settle()
    assert road.role(guid) == "transferred"


def moved_while(road: Road, project: Json, to: str, *, kind: str, path: str) -> str:
    """An invoice that a person moves while one call of its booking is out; its guid."""
    # Longer than a status may be old that is written over.
    fault = road.erp.arm(kind, path, method="POST", seconds=1.5)
    guid = road.approve(project, [hours("1")])
    road.ask()
    wait_for("it is out", lambda: all(one["id"] != fault for one in road.erp.simulator.armed()), seconds=30)
    road.move(guid, to)
    road.settle()
    return guid


@pytest.mark.req("R-LOG-1", "R-LOG-3")
@pytest.mark.parametrize(("to", "codes"), [("draft", []), ("sent", ["invoice.sent_unbooked"])])
def test_an_invoice_taken_out_while_its_create_is_out_is_told(road: Road, to: str, codes: list[str]) -> None:
    project = open_project(road, f"Uttagen {to}")
    before = len(road.log())
    guid = moved_while(road, project, to, kind="delay", path="/customerinvoice$")
    assert "invoice.withdrawn" in road.log()[: len(road.log()) - before]
    assert [row["code"] for row in road.problems() if row["record_id"] == guid] == codes
    assert (road.documents(guid), road.role(guid)) == ([], to)


@pytest.mark.schedule("S2", "S6")
@pytest.mark.parametrize(
    ("to", "code"), [("draft", "invoice.moved_after_booking"), ("sent", "invoice.sent_unnumbered")]
)
def test_an_invoice_moved_while_its_release_is_out_is_not_moved_back(road: Road, to: str, code: str) -> None:
    project = open_project(road, f"Flyttad {to}")
    guid = moved_while(road, project, to, kind="delay_after", path="action/release")
    assert [row["code"] for row in road.problems() if row["record_id"] == guid] == [code]
    [document] = road.documents(guid)
    assert (road.role(guid), str(road.invoice(guid)["number"])) == (to, document["number"])
