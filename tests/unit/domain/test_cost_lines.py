"""What a fee looks like and which lines become one (R-CST-1..5)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.cost.steps import settle
from domain.errors import TryLater, Waiting
from domain.model import Json
from domain.words import CAUSES
from tests.fakes_costs import (
    BATCH,
    add_project,
    batch,
    entry,
    fees,
    invoice,
    line,
    put,
    world,
)
from tests.unit.domain.cost_world import brought, costs, settled, stopped

pytestmark = pytest.mark.req("R-CST-1", "R-CST-2", "R-CST-5")


def test_a_line_of_a_supplier_invoice_becomes_a_cost_as_the_mapping_says() -> None:
    made = world()

    effects = settled(made, put(made, invoice()))

    (create,) = [call for call in made.calls if call.method == "create"]
    assert create.register == "projectfees"
    assert create.body == {
        "project": {"guid": "p1"},
        "phase": {"guid": "root-p1"},
        "description": "Train 1, 200771, 50012, Rail Company AB [ERP Invoice 200771/1]",
        "eventDate": "2026-03-04",
        "quantity": 1,
        "unitCost": {"amount": Decimal("800.00"), "currencyCode": "SEK"},
        "unitPrice": {"amount": Decimal("0.00"), "currencyCode": "SEK"},
        "isBillable": False,
    }
    (log,) = effects.log
    assert log.code == "cost.brought"
    assert (log.values["lines"], log.values["amount"], log.values["projects"]) == (
        1,
        {"amount": "800.00", "currency": "SEK"},
        ["1042"],
    )
    assert effects.link is not None
    assert (effects.link.severa_register, effects.link.erp_id) == ("projectfees", "Invoice/200771")


def test_a_line_of_a_journal_becomes_a_cost_of_debit_minus_credit() -> None:
    made = world()

    brought(made, batch(entry(1), entry(2, "0", "300.50"), entry(3, "10.00", "4.00")))

    assert costs(made) == [Decimal("800.00"), Decimal("-300.50"), Decimal("6.00")]
    assert fees(made)[0]["description"] == "Travel, R-17, 50012 [ERP GL GL000954/1]"
    assert fees(made)[0]["eventDate"] == "2026-03-31"


def test_empty_parts_of_the_description_are_left_out() -> None:
    made = world()

    (fee,) = brought(
        made, invoice(line(transactionDescription=None), supplier={"number": "50012", "name": " "})
    )

    assert fee["description"] == "200771, 50012 [ERP Invoice 200771/1]"


@pytest.mark.req("R-CST-3")
def test_a_billable_fee_carries_the_price_and_a_text_without_supplier_and_marker() -> None:
    made = world(costs="cost-and-fee", cost_multiplier_percent="150")

    (fee,) = brought(made, invoice(line(cost="33.35")))

    assert fee["isBillable"] is True
    assert fee["unitCost"] == {"amount": Decimal("33.35"), "currencyCode": "SEK"}
    assert fee["unitPrice"] == {"amount": Decimal("50.03"), "currencyCode": "SEK"}
    assert fee["invoiceRowDescription"] == "Train 1"


@pytest.mark.req("R-CST-3")
def test_a_billable_line_without_any_text_still_prints_neither_supplier_nor_marker() -> None:
    made = world(costs="cost-and-fee")

    (fee,) = brought(made, invoice(line(transactionDescription="")))

    assert fee["invoiceRowDescription"] == "Kostnad"


@pytest.mark.req("R-CST-3")
def test_the_price_on_a_project_in_another_currency_is_converted_with_severas_rate() -> None:
    made = world(costs="cost-and-fee", cost_multiplier_percent="150")

    (fee,) = brought(made, invoice(line(cost="1000.00", project="P2000")))

    assert fee["unitCost"] == {"amount": Decimal("1000.00"), "currencyCode": "SEK"}
    assert fee["unitPrice"] == {"amount": Decimal("133.33"), "currencyCode": "EUR"}


@pytest.mark.req("R-CST-3")
def test_without_a_rate_the_line_is_a_problem_and_the_others_are_brought() -> None:
    made = world(costs="cost-and-fee")
    made.severa.stored("projects", "p2")["currency"] = {"code": "NOK"}
    put(made, invoice(line(1, project="P2000"), line(2, "5.00")))

    stop = stopped(made)

    assert stop.code == "cost.rate_missing"
    assert (stop.values["currency"], stop.values["project"]) == (
        "NOK",
        {"number": "2000", "name": "Project 2000"},
    )
    assert costs(made) == [Decimal("5.00")]
    made.severa.stored("projects", "p2")["currency"] = {"code": "SEK"}
    settled(made)
    assert costs(made) == [Decimal("5.00"), Decimal("800.00")]


@pytest.mark.req("R-CST-3")
def test_a_cost_only_needs_no_rate() -> None:
    made = world()
    made.severa.stored("projects", "p2")["currency"] = {"code": "NOK"}

    (fee,) = brought(made, invoice(line(project="P2000")))

    assert fee["unitPrice"] == {"amount": Decimal("0.00"), "currencyCode": "NOK"}


@pytest.mark.req("R-CST-3")
@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (
            {"unitCost": {"amount": Decimal("799.00"), "currencyCode": "SEK"}},
            "självkostnad: 800,00 SEK / 799,00 SEK",
        ),
        ({"isBillable": True}, "faktureras: nej / ja"),
        ({"project": {"guid": "p2"}}, "projekt: p1 / p2"),
    ],
)
def test_a_fee_that_severa_stored_otherwise_is_a_problem_and_is_not_made_again(
    stored: dict[str, Any], shown: str
) -> None:
    made = world()
    put(made, invoice())
    inner = made.severa.on_create

    def other(register: str, new: Json, parent: str | None) -> None:
        inner(register, new, parent)
        new.update(stored)

    made.severa.on_create = other  # type: ignore[method-assign]  # the server's own idea, for this test only

    stop = stopped(made)

    assert stop.code == "cost.not_as_sent"
    assert shown in CAUSES[stop.code].wrong.fill("sv", stop.values)
    assert settled(made).log == ()
    assert len(fees(made)) == 1


@pytest.mark.parametrize(
    ("kind", "sign"),
    [("Invoice", 1), ("CreditAdj", 1), ("QuickCheck", 1), ("DebitAdj", -1), ("VoidQuickCheck", -1)],
)
def test_the_document_type_gives_the_sign(kind: str, sign: int) -> None:
    made = world()

    brought(made, invoice(line(1, "800.00"), line(2, "-50.00"), documentType=kind))

    assert costs(made) == [sign * Decimal("800.00"), sign * Decimal("-50.00")]


@pytest.mark.parametrize("kind", ["Prepayment", "Refund", "Check", "VoidCheck"])
def test_payments_are_never_costs(kind: str) -> None:
    made = world()

    assert brought(made, invoice(documentType=kind)) == []
    assert made.calls == []


@pytest.mark.parametrize("status", ["Hold", "Balanced", "Scheduled", "Prebooked", "Voided"])
def test_an_unreleased_document_is_left(status: str) -> None:
    made = world()

    assert brought(made, invoice(status=status)) == []


@pytest.mark.parametrize("status", ["Open", "Closed", "Printed", "Reserved"])
def test_a_released_document_counts_whether_paid_or_not(status: str) -> None:
    made = world()

    assert len(brought(made, invoice(status=status))) == 1


@pytest.mark.parametrize(
    ("status", "count"),
    [
        *((name, 1) for name in ("Unposted", "Posted", "Completed", "Released")),
        *((name, 0) for name in ("Hold", "Balanced", "Scheduled", "PartiallyReleased", "Voided")),
    ],
)
def test_a_released_batch_counts(status: str, count: int) -> None:
    made = world()

    assert len(brought(made, batch(status=status))) == count


@pytest.mark.parametrize(
    ("module", "count"), [("ModuleGL", 1), ("ModuleCA", 1), ("ModuleAP", 0), ("ModuleAR", 0), ("ModuleDR", 0)]
)
def test_only_ledger_and_cash_journals_count_so_that_nothing_counts_twice(module: str, count: int) -> None:
    made = world()

    assert len(brought(made, batch(module=module))) == count


@pytest.mark.req("R-CST-1", "R-SET-7")
@pytest.mark.parametrize(("module", "count"), [("ModuleDR", 1), ("ModuleGL", 0), ("ModuleAP", 0)])
def test_a_tenant_chooses_the_modules_but_never_those_that_would_count_twice(module: str, count: int) -> None:
    made = world(journal_modules=["DR", "AP"])

    assert len(brought(made, batch(module=module))) == count


def test_a_journal_of_a_budget_is_no_cost() -> None:
    made = world()

    assert brought(made, batch(ledger="2")) == []


def test_only_lines_on_expense_accounts_that_carry_our_project_become_costs() -> None:
    made = world()
    lines = [
        line(1),
        line(2, account={"type": "Asset", "number": "1930"}),
        line(3, account={"type": "Income", "number": "3000"}),
        line(4, project="X"),
        line(5, project="P9999"),
        line(6, project=""),
        line(7, account={"number": "7140"}),
        line(8, account={"number": "2440"}),
        line(9, "0.00"),
    ]

    brought(made, invoice(*lines))

    assert [fee["description"].split(",")[0] for fee in fees(made)] == ["Train 1", "Train 7"]
    assert len(made.severa.own_calls()) == 6, "the project, its fees, and two fees made and read back"


def test_the_account_register_says_what_a_journal_line_is() -> None:
    made = world()
    made.erp.store("account", {"accountCD": "7200", "type": "Expense"}, "7200")
    made.erp.store("account", {"accountCD": "1200", "type": "Asset"}, "1200")
    lines = [
        entry(1),
        entry(2, accountNumber="1930"),
        entry(3, accountNumber="7200"),
        entry(4, accountNumber="1200"),
    ]

    brought(made, batch(*lines))

    assert [fee["description"][-2:-1] for fee in fees(made)] == ["1", "3"]


def test_an_account_that_nobody_knows_is_a_problem() -> None:
    made = world()
    put(made, batch(entry(1, accountNumber="9999"), entry(2)))

    stop = stopped(made, BATCH)

    assert (stop.code, stop.values["account"]) == ("cost.account_unknown", "9999")
    assert len(fees(made)) == 1


def test_a_closed_project_is_a_problem_and_nothing_is_dropped() -> None:
    made = world()
    made.severa.stored("projects", "p1")["isClosed"] = True
    put(made, invoice(line(1), line(2, project="P2000")))

    stop = stopped(made)

    assert (stop.code, stop.values["project"]) == (
        "cost.project_closed",
        {"number": "1042", "name": "Project 1042"},
    )
    assert [fee["project"]["guid"] for fee in fees(made)] == ["p2"]
    made.severa.stored("projects", "p1")["isClosed"] = False
    settled(made)
    assert [fee["project"]["guid"] for fee in fees(made)] == ["p2", "p1"]


def test_a_severa_project_that_is_not_linked_yet_is_waited_for() -> None:
    made = world()
    made.books.remember("severa", "salescases", {"guid": "p3", "number": "P3000", "name": "New"})
    place = put(made, invoice(line(1, project="P3000"), line(2)))
    delivery = made.delivery("cost", erp=place)

    with pytest.raises(Waiting) as caught:
        settle(delivery)

    assert (caught.value.domain, caught.value.severa_id) == ("project", "p3")
    assert len(fees(made)) == 1, "the other line is there already"
    add_project(made, "p3", 3000, 814, "SEK")
    made.finish(delivery, settle(delivery.again()))
    assert [fee["project"]["guid"] for fee in fees(made)] == ["p1", "p3"]


def test_nothing_is_called_not_ours_before_the_projects_were_read_once() -> None:
    made = world()
    made.books.incomplete.add(("severa", "projects"))
    place = put(made, invoice(line(project="P9999")))

    with pytest.raises(TryLater):
        settle(made.delivery("cost", erp=place))


def test_an_internal_project_stays_in_severa() -> None:
    made = world()
    made.books.remember("severa", "projects", {"guid": "p3", "number": "P3000", "isInternal": True})

    assert brought(made, invoice(line(project="P3000"))) == []


def test_a_project_that_was_closed_before_it_was_ever_linked_is_a_problem() -> None:
    made = world()
    made.books.remember("severa", "projects", {"guid": "p3", "number": "P3000", "isClosed": True})
    put(made, invoice(line(project="P3000")))

    assert stopped(made).code == "cost.project_closed"


@pytest.mark.req("R-CUS-8")
def test_a_renumbered_project_is_still_found_by_its_internal_id() -> None:
    made = world()
    made.books.remember("visma_net", "project", {"internalID": 812, "projectID": "P77"})

    (fee,) = brought(made, invoice(line(project="P77", internal=812)))

    assert fee["project"]["guid"] == "p1"


def test_a_new_project_under_a_freed_number_is_not_taken_for_the_old_one() -> None:
    made = world()
    made.books.remember("visma_net", "project", {"internalID": 812, "projectID": "P77"})
    made.books.remember("visma_net", "project", {"internalID": 813, "projectID": "P1042"})

    (fee,) = brought(made, invoice(line(project="P1042", internal=813)))

    assert fee["project"]["guid"] == "p2"


def test_costs_are_off_by_default() -> None:
    made = world(costs="off")

    assert brought(made, invoice()) == []
