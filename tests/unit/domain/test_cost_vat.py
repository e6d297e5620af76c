"""VAT in the lines of supplier invoices: costs are without it (R-CST-1)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.model import Json
from tests.fakes_costs import (
    fees,
    invoice,
    line,
    put,
    world,
)
from tests.unit.domain.cost_world import brought, costs, stopped

pytestmark = pytest.mark.req("R-CST-1", "R-CST-2", "R-CST-5")


def detail(number: str, rate: str) -> Json:
    return {"taxId": number, "vatId": {"number": number}, "vatRate": Decimal(rate)}


def gross(*lines: Json, vat: str, **more: Any) -> Json:
    return invoice(*lines, taxCalculationMode="Gross", vatTotal=Decimal(vat), **more)


def test_vat_is_removed_from_gross_lines_by_the_documents_totals() -> None:
    made = world()

    brought(made, gross(line(1, "1000.00"), line(2, "250.00"), vat="250.00"))

    assert costs(made) == [Decimal("800.00"), Decimal("200.00")]


def test_vat_is_removed_line_by_line_when_rates_differ() -> None:
    made = world()
    for name, ids in (("3", ["25"]), ("6", ["06"]), ("0", [])):
        category = {"vatCategoryId": name, "vatCategoryLines": [{"vatId": one} for one in ids]}
        made.books.remember("visma_net", "vatCategory", category)
    lines = [
        line(1, "125.00", vatCode={"id": "3"}),
        line(2, "106.00", vatCode={"id": "6"}),
        line(3, "40.00", vatCode={"id": "0"}),
    ]

    brought(made, gross(*lines, vat="31.00", taxDetailLines=[detail("25", "25"), detail("06", "6")]))

    assert costs(made) == [Decimal("100.00"), Decimal("100.00"), Decimal("40.00")]


def test_a_line_code_may_be_the_vat_id_itself() -> None:
    made = world()
    lines = [line(1, "125.00", vatCode={"id": "A"}), line(2, "106.00", vatCode={"id": "B"})]

    brought(made, gross(*lines, vat="31.00", taxDetailLines=[detail("A", "25"), detail("B", "6")]))

    assert costs(made) == [Decimal("100.00"), Decimal("100.00")]


def test_a_guess_at_the_rates_that_does_not_explain_the_documents_vat_is_a_problem() -> None:
    made = world()
    lines = [line(1, "125.00", vatCode={"id": "A"}), line(2, "106.00", vatCode={"id": "B"})]
    put(made, gross(*lines, vat="31.00", taxDetailLines=[detail("25", "25")]))

    stop = stopped(made)

    assert (stop.code, stop.values["line"]) == ("cost.vat_unknown", "1")
    assert fees(made) == []


def test_gross_lines_without_vat_are_taken_as_they_are() -> None:
    made = world()

    brought(made, gross(line(1, "100.00"), line(2, "50.00", vatCode={"id": "9"}), vat="0"))

    assert costs(made) == [Decimal("100.00"), Decimal("50.00")]


def test_a_line_without_an_amount_is_a_problem() -> None:
    made = world()
    put(made, invoice(line(cost=None)))

    assert stopped(made).code == "cost.amount_missing"
