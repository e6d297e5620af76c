"""Severa's three registers against one inventory, both ways."""

from __future__ import annotations

import pytest
from road import Road, money


def quiet(road: Road) -> None:
    road.forget_calls()
    road.poll()
    road.settle()
    assert road.writes() == {}


@pytest.mark.req("R-PRD-1", "R-PRD-3", "R-CON-2")
@pytest.mark.parametrize(
    ("register", "members", "item_type", "item_class"),
    [
        ("products", {"type": "Materials", "unitPrice": {"amount": 99.5, "currencyCode": "SEK"}}, "NonStockItem", "PRODUCT"),
        ("worktypes", {"isProductive": True}, "LaborItem", "LABOR"),
        ("travelexpensetypes", {"expenseClass": "OtherTravelExpense", "unitCost": {"amount": 99.5, "currencyCode": "SEK"}}, "ExpenseItem", "EXPENSE"),
    ],
    ids=["product", "work type", "travel expense type"],
)  # fmt: skip
def test_a_record_made_in_severa_becomes_an_item_of_its_type(
    road: Road, register: str, members: dict[str, object], item_type: str, item_class: str
) -> None:
    code = f"NY{register[:4].upper()}"
    road.severa.add(register, name=f"Ny i {register}", code=code, **members)
    road.settle()
    item = road.erp.one("inventory", inventoryNumber=code)
    assert (item["type"], item["itemClass"]["id"], item["description"]) == (
        item_type,
        item_class,
        f"Ny i {register}",
    )
    if register != "worktypes":
        assert money(item["defaultPrice"]) == money("99.50")
    quiet(road)


@pytest.mark.req("R-PRD-1", "R-PRD-3")
@pytest.mark.parametrize(
    ("item_type", "item_class", "register"),
    [
        ("NonStockItem", "PRODUCT", "products"),
        ("ServiceItem", "SERVICE", "products"),
        ("LaborItem", "LABOR", "worktypes"),
        ("ExpenseItem", "EXPENSE", "travelexpensetypes"),
    ],
)
def test_an_item_made_in_the_erp_comes_to_the_register_of_its_type(
    road: Road, item_type: str, item_class: str, register: str
) -> None:
    code = f"ERP{item_type[:4].upper()}"
    road.erp.add(
        "inventory", inventoryNumber=code, description=f"Från ERP {item_type}", type=item_type, itemClass=item_class, defaultPrice="75.00"
    )  # fmt: skip
    road.settle()
    made = road.severa.one(register, code=code)
    assert made["name"] == f"Från ERP {item_type}"
    if register == "products":
        assert money(made["unitPrice"]) == 75
    quiet(road)


@pytest.mark.req("R-PRD-3", "R-CON-1", "R-CON-2", "R-PRO-2")
def test_name_price_and_activity_flow_both_ways(road: Road) -> None:
    licence = road.severa.one("products", code="LIC")
    road.severa.change("products", licence["guid"], name="Licens, per år")
    road.erp.change("inventory", "LIC", defaultPrice="13500.00")
    road.settle()
    ours, theirs = road.severa.one("products", code="LIC"), road.erp.one("inventory", inventoryNumber="LIC")
    assert ours["name"] == theirs["description"] == "Licens, per år"
    assert money(ours["unitPrice"]) == money(theirs["defaultPrice"]) == 13500
    quiet(road)
    road.severa.change("products", licence["guid"], isActive=False)
    road.settle()
    assert road.erp.one("inventory", inventoryNumber="LIC")["status"] in ("NoSales", "Inactive")
    road.erp.change("inventory", "LIC", status="Active")
    road.settle()
    assert road.severa.one("products", code="LIC")["isActive"] is True
    quiet(road)


@pytest.mark.req("R-PRD-2", "R-LOG-3")
def test_one_code_in_two_registers_is_a_problem_that_names_both_and_closes_when_repaired(road: Road) -> None:
    road.severa.ask("PATCH", "settings", {"uniqueIdentifierForProductsAndWorktypes": False})
    road.severa.add("products", name="Dubbel produkt", code="DUBBEL", type="Materials")
    other = road.severa.add("worktypes", name="Dubbel arbetstyp", code="DUBBEL", isProductive=True)
    road.settle()
    problems = [row for row in road.problems() if row["code"] == "product.code_not_unique"]
    assert problems
    assert all("Dubbel produkt" in row["wrong"] and "Dubbel arbetstyp" in row["wrong"] for row in problems)
    assert road.erp.count("inventory", inventoryNumber="DUBBEL") == 0
    road.severa.change("worktypes", other["guid"], code="ENKEL")
    road.settle()
    assert road.erp.one("inventory", inventoryNumber="ENKEL")["type"] == "LaborItem"


@pytest.mark.req("R-PRD-2")
def test_a_record_without_a_code_is_a_problem_until_it_has_one(road: Road) -> None:
    made = road.severa.add("products", name="Utan kod", type="Materials")
    road.settle()
    assert "product.code_missing" in road.codes()
    road.severa.change("products", made["guid"], code="MEDKOD")
    road.settle()
    assert "product.code_missing" not in road.codes()
    assert road.erp.one("inventory", inventoryNumber="MEDKOD")["description"] == "Utan kod"
