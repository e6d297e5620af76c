"""Rule 19 as a list: each setting that decides whether a record asks for anything is one whose change is weighed."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.consequences import DECIDING
from domain import catalogue
from domain.cost.asks import asks
from domain.setup.settings import TenantSettings
from tests.fakes_costs import batch, invoice

# What decides how something is carried over, or whether a person is asked first: rows that failed are tried again whatever was
# changed, and what was carried over already is not carried over anew.
HOW = {
    *("poll_interval_seconds", "customer_class", "customer_class_eu", "customer_class_other", "credit_terms"),
    *("item_class_product", "item_class_work_type", "item_class_travel_expense", "units", "fallback_items"),
    "fallback_vat_categories",
    *("project_template", "project_task", "project_number_padding", "several_projects", "reopen_projects"),
    *("attachments", "cost_multiplier_percent", "apply_credit_notes", "small_balance_limit", "notes"),
    *("conflict_customer", "conflict_product", "hold_invoices", "hold_credit_notes"),
}


def test_each_setting_decides_or_only_says_how() -> None:
    """A new setting is put in one of the two by whoever makes it."""
    assert set(TenantSettings.model_fields) == HOW | set(DECIDING)
    assert HOW.isdisjoint(DECIDING)


@pytest.mark.schedule("S19")
def test_a_change_is_weighed_of_exactly_the_settings_that_decide_whether_a_record_asks() -> None:
    registers = catalogue.registers()
    begun: list[Callable[..., Any]] = [spec.asks for spec in catalogue.SPECS.values()]
    begun += [one for register in registers for one in (register.wanted, register.concerns)]
    reads = {name for function in reached(begun) for name in settings_in(function)}
    reads |= {register.start_setting for register in registers if register.start_setting}
    assert set(DECIDING) == reads


def test_what_the_walk_finds_is_found_through_calls() -> None:
    """Or the test above would hold whatever is read two calls away."""
    names = {function.__name__ for function in reached([spec.asks for spec in catalogue.SPECS.values()])}
    assert {"known_roles", "tenant_roles", "chosen", "wanted"} <= names


def reached(begun: list[Callable[..., Any]]) -> list[Callable[..., Any]]:
    """These functions and all of the project's own that they call by name."""
    found: list[Callable[..., Any]] = []
    left = list(begun)
    while left:
        function = left.pop()
        if function in found:
            continue
        found.append(function)
        for named in names_in(function):
            one = function.__globals__.get(named)
            if inspect.isfunction(one) and one.__module__.startswith("domain."):
                left.append(one)
    return found


def names_in(function: Callable[..., Any]) -> Iterator[str]:
    """What it names, inner functions with it; lambdas have no source of their own that could be parsed."""
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        yield from code.co_names
        codes += [const for const in code.co_consts if inspect.iscode(const)]


def settings_in(function: Callable[..., Any]) -> Iterator[str]:
    """The tenant's settings that it reads: ``settings.NAME``, as every function here calls them."""
    if function.__name__ == "<lambda>":
        yield from (name for name in names_in(function) if name in TenantSettings.model_fields)
        return
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in ("settings", "_settings")
            and node.attr in TenantSettings.model_fields
        ):
            yield node.attr


@pytest.mark.req("R-CST-1")
@pytest.mark.parametrize(
    ("register", "body", "settings", "expected"),
    [
        ("journaltransaction", batch(module="ModuleIN"), {"costs": "cost"}, False),
        (
            "journaltransaction",
            batch(module="ModuleIN"),
            {"costs": "cost", "journal_modules": ("GL", "CA", "IN")},
            True,
        ),
        ("journaltransaction", batch(module="GL"), {"costs": "cost"}, True),
        ("journaltransaction", batch(module="AP"), {"costs": "cost", "journal_modules": ("AP",)}, False),
        ("supplierInvoice", invoice(), {"costs": "cost"}, True),
        ("supplierInvoice", invoice(), {"costs": "off"}, False),
    ],
)
def test_a_cost_asks_when_costs_are_on_and_its_module_is_chosen(
    register: str, body: dict[str, Any], settings: dict[str, Any], *, expected: bool
) -> None:
    chosen = TenantSettings.model_validate(settings)
    assert asks("visma_net", register, body, None, chosen) is expected  # type: ignore[arg-type]  # it looks nothing up
