"""What the bridge costs in API calls, measured at the simulators and held against the aims (docs/api-budget.md).

WRITE_API_BUDGET=1 writes the table anew; without it the table must say what is measured.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from road import Road, book, hours, installation
from services import Database

TABLE = Path(__file__).parents[2] / "docs" / "api-budget.md"
# Two of these are the second look at registers that are empty as a whole.
PER_CYCLE = 16
PER_INVOICE = 8
SYSTEMS = {"severa": "Severa", "visma_net": "Visma.net ERP"}


def polls(road: Road) -> dict[str, int]:
    rows = road.sql("select system, polls from connection where tenant_id = %s", road.tenant_id)
    return {row["system"]: row["polls"] for row in rows}


def measured(road: Road) -> tuple[Counter[str], Counter[str]]:
    """Calls of one steady poll cycle, and calls of one plain invoice besides the polls."""
    customer = road.add_customer("Budget AB", vatNumber="SE556111999201")
    project = road.add_project(customer, "Budgetprojektet")
    road.settle()
    road.poll()
    road.forget_calls()
    road.poll()
    cycle = road.calls()
    road.forget_calls()
    before = polls(road)
    guid = road.approve(project, [hours("7.5", "1250"), book("2", "249.50")])
    road.settle()
    assert road.role(guid) == "transferred"
    rounds = {system: count - before[system] for system, count in polls(road).items()}
    invoice = road.calls()
    for key, count in cycle.items():
        invoice[key] -= count * rounds[key.split(" ", 1)[0]]
    return cycle, +invoice


def table(title: str, calls: Counter[str], aim: int) -> list[str]:
    lines = [f"## {title}", "", "| system | call | calls |", "|---|---|---:|"]
    for key, count in sorted(calls.items()):
        system, call = key.split(" ", 1)
        lines.append(f"| {SYSTEMS[system]} | `{call}` | {count} |")
    lines += [f"| | **together** | **{calls.total()}** |", "", f"Aim: at most {aim}.", ""]
    return lines


@pytest.mark.req("R-OPS-2", "R-PRO-8")
def test_a_steady_cycle_and_a_plain_invoice_stay_within_their_budgets(database: Database) -> None:
    # Plain is a release that answers at once, however loaded the machine is that measures.
    with installation(database, status_seconds=300) as made:
        cycle, invoice = measured(made.add_firm(1))
    assert cycle.total() <= PER_CYCLE, cycle
    assert invoice.total() <= PER_INVOICE, invoice
    text = "\n".join(
        [
            "# API calls: what the bridge costs",
            "",
            "Measured at the simulators by `tests/integration/test_road_budget.py`, which fails when this page says something",
            "else. Write it anew with `WRITE_API_BUDGET=1 pytest tests/integration/test_road_budget.py`.",
            "",
            *table("One poll cycle of a tenant, nothing changed", cycle, PER_CYCLE),
            "Registers that rarely change (statuses, currencies, VAT, terms, periods, branches) are read once an hour",
            "(`BRIDGE_REFERENCE_SECONDS`) and come on top then.",
            "",
            *table("One plain invoice, besides the polls", invoice, PER_INVOICE),
            "Plain: one project, one currency, several VAT rates, customer and project known to the ERP, no attachment, and a",
            "release that answers within `BRIDGE_STATUS_SECONDS`; after a longer one the invoice is read once more from Severa.",
            "",
        ]
    )
    if os.environ.get("WRITE_API_BUDGET") == "1":
        TABLE.write_text(text, encoding="utf-8")
    assert TABLE.read_text(encoding="utf-8") == text, "run with WRITE_API_BUDGET=1 and look at the difference"
