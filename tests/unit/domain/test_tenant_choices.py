"""What a tenant sets takes the place of the default in what is sent (R-SET-7)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.invoice.steps import settle
from domain.model import Json
from domain.product.steps import settle as settle_product
from domain.setup.settings import TenantSettings
from tests.fakes import World
from tests.fakes_registers import ITEM_CLASSES, put_severa
from tests.fakes_registers import world as registers
from tests.unit.domain.invoice_surroundings import firm_with
from tests.unit.domain.product_world import product
from tests.unit.domain.project_world import project, settled, world

pytestmark = pytest.mark.req("R-SET-7")


def choosing(made: World, **settings: str) -> World:
    made.tenant = replace(made.tenant, settings=TenantSettings.model_validate(settings))
    return made


@pytest.mark.parametrize(
    ("setting", "item_type", "register", "body"),
    [
        ("item_class_product", "NonStockItem", "products", product()),
        ("item_class_work_type", "LaborItem", "worktypes", {"guid": "w", "name": "Senior", "code": "SEN", "isActive": True}),
        (
            "item_class_travel_expense", "ExpenseItem", "travelexpensetypes",
            {"guid": "t", "name": "Km", "code": "KM", "isActive": True, "expenseClass": "Mileage", "unitCost": {"amount": 2, "currencyCode": "SEK"}},
        ),
    ],
)  # fmt: skip
def test_each_register_has_its_own_default_item_class(
    setting: str, item_type: str, register: str, body: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ITEM_CLASSES, "OURS", item_type)  # what the ERP of the tests has
    made = choosing(registers(), **{setting: "OURS"})
    made.books.remember("visma_net", "inventory/itemClass", {"id": "OURS", "type": item_type})
    put_severa(made, register, body)
    settle_product(made.delivery("product", severa=(register, body["guid"])))
    (create,) = [call for call in made.calls if call.method == "create"]
    assert create.body["itemClass"] == {"value": "OURS"}


def test_a_projects_template_and_task_are_the_tenants() -> None:
    made = choosing(world(), project_template="MALL", project_task="20")
    put_severa(made, "projects", project())
    settled(made)
    (create,) = [call for call in made.calls if call.method == "create"]
    assert create.body["template"] == {"value": "MALL"}
    assert "20" in [task["taskId"] for task in made.erp.stored("project", "4711")["tasks"]]


def test_the_task_of_every_line_of_an_invoice_is_the_tenants() -> None:
    firm = firm_with(project_task="20")
    firm.erp.store("project", {"projectID": "4711", "status": "Active", "tasks": [{"taskId": "20", "status": "Active"}]}, "4711")  # fmt: skip
    firm.invoice()
    settle(firm.transfer())
    (create,) = [call for call in firm.calls if call.method == "create"]
    assert {line["taskId"]["value"] for line in create.body["invoiceLines"]} == {"20"}


def test_the_defaults_are_those_that_the_requirements_name() -> None:
    usual = TenantSettings()
    assert usual.poll_interval_seconds == 300
    assert (usual.project_template, usual.project_task) == ("Z", "10")
    assert (usual.apply_credit_notes, usual.reopen_projects) == (True, True)
    assert (usual.hold_invoices, usual.hold_credit_notes) == (False, False)
    assert (usual.attachments, usual.costs, usual.cost_multiplier_percent) == ("off", "off", 100)
    assert (usual.several_projects, usual.notes, usual.project_number_padding) == ("stop", "off", 0)
    assert sorted(usual.journal_modules) == ["CA", "GL"]
