"""Supplier invoices and other transactions become project costs in Severa (R-CST-1..5)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.cost.steps import settle
from domain.errors import Forbidden, NotFound, OutcomeUnknown, RateLimited, Refused, Stop, TryLater, Waiting
from domain.ports import Effects, Json
from tests.fakes import Killed, World
from tests.fakes_costs import (
    BATCH,
    INVOICE,
    add_project,
    batch,
    entry,
    fees,
    files_of,
    invoice,
    line,
    put,
    world,
)

pytestmark = pytest.mark.req("R-CST-1", "R-CST-2", "R-CST-5")


def settled(made: World, place: tuple[str, str] = INVOICE) -> Effects:
    delivery = made.delivery("cost", erp=place)
    done = settle(delivery)
    made.finish(delivery, done)
    return done.effects


def brought(made: World, body: Json) -> list[Json]:
    settled(made, put(made, body))
    return fees(made)


def stopped(made: World, place: tuple[str, str] = INVOICE) -> Stop:
    (outcome,) = made.run(settle, made.delivery("cost", erp=place))
    assert isinstance(outcome.error, Stop)
    return outcome.error


def costs(made: World) -> list[Decimal]:
    return [fee["unitCost"]["amount"] for fee in fees(made)]


def creates(made: World) -> list[str]:
    return [str(call) for call in made.calls if call.method == "create"]


# ---------------------------------------------------------------- what a fee looks like


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
    assert (log.values["lines"], log.values["amount"], log.values["projects"]) == (1, "800.00", "1042")
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
    assert (stop.values["currency"], stop.values["project"]) == ("NOK", "2000 Project 2000")
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
            "unitCost: 800.00 SEK / 799.00 SEK",
        ),
        ({"isBillable": True}, "isBillable: False / True"),
        ({"project": {"guid": "p2"}}, "project: p1 / p2"),
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
    assert stop.values["differences"] == shown
    assert settled(made).log == ()
    assert len(fees(made)) == 1


# ---------------------------------------------------------------- which lines


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

    assert (stop.code, stop.values["project"]) == ("cost.project_closed", "1042 Project 1042")
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


# ---------------------------------------------------------------- VAT in the lines


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


# ---------------------------------------------------------------- once, ever


def test_a_line_is_brought_once_whatever_changes_later() -> None:
    made = world()
    brought(made, invoice())
    made.calls.clear()

    effects = settled(made, put(made, invoice(line(1, "900.00"), status="Closed")))

    assert (effects, made.calls) == (Effects(), [])


def test_a_document_seen_a_while_ago_is_read_again_with_its_type() -> None:
    made = world()
    place = put(made, invoice(documentType="DebitAdj"))
    made.clock.forward(3600)
    made.erp.stored(*place)["status"] = "Voided"

    settled(made, place)

    assert fees(made) == []
    assert [str(call) for call in made.calls] == ["visma_net get supplierInvoice DebitAdj/200771"]


@pytest.mark.req("R-CST-1")
def test_a_document_voided_after_import_is_taken_back_once() -> None:
    made = world(costs="cost-and-fee", cost_multiplier_percent="150")
    brought(made, invoice(line(1, "100.00"), line(2, "50.00", project="P2000")))
    place = put(made, invoice(line(1, "100.00"), line(2, "50.00", project="P2000"), status="Voided"))

    effects = settled(made, place)
    settled(made, place)

    assert costs(made) == [Decimal(x) for x in ("100.00", "50.00", "-100.00", "-50.00")]
    assert sum(fee["unitPrice"]["amount"] for fee in fees(made)) == 0
    assert fees(made)[2]["description"].endswith("[ERP Invoice 200771/1 void]")
    assert [log.code for log in effects.log] == ["cost.taken_back"]


def test_what_is_taken_back_is_what_was_brought_under_the_settings_of_then() -> None:
    made = world(costs="cost-and-fee")
    brought(made, invoice())
    later = world(costs="cost")
    made.tenant = later.tenant

    settled(made, put(made, invoice(status="Voided")))

    assert [(fee["unitPrice"]["amount"], fee["isBillable"]) for fee in fees(made)] == [
        (Decimal("800.00"), True),
        (Decimal("-800.00"), True),
    ]


def test_a_voided_journal_is_taken_back() -> None:
    made = world()
    brought(made, batch())

    settled(made, put(made, batch(status="Voided")))

    assert costs(made) == [Decimal("800.00"), Decimal("-800.00")]


@pytest.mark.parametrize("voiding_first", [True, False])
def test_a_voided_cash_purchase_is_taken_back_by_one_document_only(*, voiding_first: bool) -> None:
    made = world()
    brought(made, invoice(documentType="QuickCheck"))
    purchase = put(made, invoice(documentType="QuickCheck", status="Voided"))
    if voiding_first:
        voiding = put(made, invoice(documentType="VoidQuickCheck", status="Closed"))
        settled(made, voiding)
        settled(made, purchase)
    else:
        settled(made, purchase)
        settled(made, put(made, invoice(documentType="VoidQuickCheck", status="Closed")))

    assert costs(made) == [Decimal("800.00"), Decimal("-800.00")]


def test_a_cash_purchase_voided_before_it_was_seen_costs_nothing() -> None:
    made = world()
    purchase = put(made, invoice(documentType="QuickCheck", status="Voided"))
    voiding = put(made, invoice(documentType="VoidQuickCheck", status="Closed"))

    settled(made, purchase)
    settled(made, voiding)

    assert fees(made) == []


def test_a_lost_answer_is_looked_up_by_the_marker_in_the_projects_fees() -> None:
    made = world()
    place = put(made, invoice(line(1), line(2, "7.00")))
    made.faults.arm("create", "projectfees", OutcomeUnknown(), after=True)

    first, last = made.run(settle, made.delivery("cost", erp=place))

    assert isinstance(first.error, OutcomeUnknown)
    assert last.settled is not None
    assert costs(made) == [Decimal("800.00"), Decimal("7.00")]
    link = made.books.link("cost", erp_id=INVOICE[1])
    assert link is not None
    assert [one["fee"] for one in link.state["lines"].values()] == [fee["guid"] for fee in fees(made)]


def test_a_fee_that_never_arrived_is_sent_again_only_after_every_limit() -> None:
    made = world()
    place = put(made, invoice())
    made.faults.arm("create", "projectfees", OutcomeUnknown())
    delivery = made.delivery("cost", erp=place)
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    made.clock.forward(100)

    with pytest.raises(TryLater) as caught:
        settle(delivery.again())

    assert caught.value.retry_after == made.limits.create_seconds + made.limits.visibility_seconds - 100
    assert caught.value.costs_attempt is False
    made.clock.forward(caught.value.retry_after)
    settle(delivery.again())
    assert len(fees(made)) == 1


def test_a_line_that_an_earlier_delivery_brought_is_found_even_if_the_bridge_forgot_it() -> None:
    made = world()
    brought(made, invoice())
    made.books.links = [link for link in made.books.links if link.domain != "cost"]

    settled(made)

    assert len(fees(made)) == 1
    assert made.books.link("cost", erp_id=INVOICE[1]) is not None


def test_the_marker_of_line_1_is_not_that_of_line_11() -> None:
    made = world()
    brought(made, invoice(line(11)))

    settled(made, put(made, invoice(line(1), line(11))))

    assert len(fees(made)) == 2


def test_two_fees_with_one_marker_are_a_problem() -> None:
    made = world()
    brought(made, invoice())
    made.books.links = [link for link in made.books.links if link.domain != "cost"]
    made.severa.children["projects/projectfees", "p1"] *= 2

    assert stopped(made).code == "cost.found_twice"
    assert len(fees(made)) == 1


def test_a_refused_line_is_a_problem_with_the_vendors_own_words_and_does_not_hold_up_the_others() -> None:
    made = world()
    put(made, invoice(line(1), line(2, "5.00")))
    refused = Refused("The phase is locked", system="severa", status=400, operation="POST /v1/projectfees")
    made.faults.arm("create", "projectfees", refused)

    stop = stopped(made)

    assert (stop.code, stop.values["text"]) == ("cost.line_refused", "The phase is locked")
    assert costs(made) == [Decimal("5.00")]
    settled(made)
    assert costs(made) == [Decimal("5.00"), Decimal("800.00")]


def test_a_missing_right_is_named_and_what_was_brought_is_kept() -> None:
    made = world()
    put(made, invoice(line(1), line(2)))
    denied = Forbidden("Insufficient scope", system="severa", status=403, operation="POST /v1/projectfees")
    made.faults.arm("create", "projectfees", denied, skip=1)

    stop = stopped(made)

    assert (stop.code, stop.values["operation"]) == ("cost.not_allowed", "POST /v1/projectfees")
    link = made.books.link("cost", erp_id=INVOICE[1])
    assert link is not None
    assert list(link.state["lines"]) == ["1"]


def test_a_line_sent_without_an_answer_is_taken_back_when_its_document_is_voided_meanwhile() -> None:
    made = world()
    place = put(made, invoice())
    made.faults.arm("create", "projectfees", OutcomeUnknown(), after=True)
    delivery = made.delivery("cost", erp=place)
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    put(made, invoice(status="Voided"))

    settle(delivery.again())

    assert costs(made) == [Decimal("800.00"), Decimal("-800.00")]


def test_a_line_that_never_arrived_is_not_sent_once_its_document_is_voided() -> None:
    made = world()
    place = put(made, invoice())
    made.faults.arm("create", "projectfees", OutcomeUnknown())
    delivery = made.delivery("cost", erp=place)
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    put(made, invoice(status="Voided"))

    with pytest.raises(TryLater) as caught:
        settle(delivery.again())
    made.clock.forward(caught.value.retry_after or 0)
    settle(delivery.again())

    assert fees(made) == []


def crashes(made: World, body: Json) -> None:
    made.run(settle, made.delivery("cost", erp=put(made, body)), attempts=60)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [Killed(), OutcomeUnknown(), RateLimited(retry_after=5)])
def test_wherever_the_process_dies_every_line_becomes_one_fee_and_every_file_one_file(
    error: BaseException, *, after: bool
) -> None:
    def one() -> World:
        made = world()
        made.erp.attachments["supplierInvoice", "x"] = {"a1": b"pdf"}
        return made

    files = [{"id": "a1", "name": "invoice.pdf", "revision": 1}]
    body = invoice(line(1), line(2, "5.00", project="P2000"), attachments=files)
    smooth = one()
    crashes(smooth, body)
    points = len(smooth.calls)
    assert points > 12

    for point in range(1, points + 1):
        if after and isinstance(error, RateLimited):
            break  # whoever says 'too many calls' has not done the call
        made = one()
        made.faults.arm_nth(point, error, after=after)
        crashes(made, body)
        assert sorted(costs(made)) == [Decimal("5.00"), Decimal("800.00")], f"call {point}"
        assert [len(files_of(made, project)) for project in ("p1", "p2")] == [1, 1], f"call {point}"


@pytest.mark.parametrize("after", [False, True])
def test_wherever_the_process_dies_a_voided_document_is_taken_back_once(*, after: bool) -> None:
    points = 20
    for point in range(1, points + 1):
        made = world()
        brought(made, invoice(line(1), line(2, "5.00")))
        made.faults.arm_nth(point, Killed(), after=after)
        crashes(made, invoice(line(1), line(2, "5.00"), status="Voided"))
        assert sum(costs(made)) == 0, f"call {point}"
        assert len(fees(made)) == 4, f"call {point}"


# ---------------------------------------------------------------- files


FILE: Json = {"id": "a1", "name": "invoice.pdf", "revision": 1}
OTHER: Json = {"id": "a2", "name": "ticket.pdf", "revision": 1}


def with_files(made: World) -> World:
    made.erp.attachments["supplierInvoice", "x"] = {"a1": b"invoice", "a2": b"ticket"}
    return made


@pytest.mark.req("R-CST-4")
def test_a_file_of_a_line_goes_to_its_project_and_one_of_the_document_to_every_project_named() -> None:
    made = with_files(world())
    lines = [line(1, attachments=[OTHER]), line(2, project="P2000"), line(3, project="P9999")]

    effects = settled(made, put(made, invoice(*lines, attachments=[FILE])))

    assert [file["name"] for file in files_of(made, "p1")] == ["ticket.pdf", "invoice.pdf"]
    assert [file["name"] for file in files_of(made, "p2")] == ["invoice.pdf"]
    assert files_of(made, "p1")[0]["description"] == fees(made)[0]["description"]
    assert files_of(made, "p2")[0]["description"] == fees(made)[1]["description"]
    assert [log.code for log in effects.log] == ["cost.brought", "cost.files"]


@pytest.mark.req("R-CST-4")
def test_no_file_is_brought_twice_and_a_later_one_is_added() -> None:
    made = with_files(world())
    settled(made, put(made, invoice(attachments=[FILE])))

    settled(made, put(made, invoice(attachments=[FILE, OTHER])))

    assert [file["name"] for file in files_of(made, "p1")] == ["invoice.pdf", "ticket.pdf"]
    assert len(fees(made)) == 1


@pytest.mark.req("R-CST-4")
@pytest.mark.parametrize(
    ("method", "register", "error"),
    [
        ("download", "attachment", NotFound(system="visma_net", status=404)),
        ("create", "projects/files", Forbidden("Insufficient scope", system="severa", status=403)),
    ],
)
def test_a_failed_file_is_a_problem_but_never_a_failed_cost(
    method: str, register: str, error: Refused
) -> None:
    made = with_files(world())
    put(made, invoice(line(1, attachments=[OTHER]), attachments=[FILE]))
    made.faults.arm(method, register, error)

    stop = stopped(made)

    assert (stop.code, stop.values["file"]) == ("cost.attachment_failed", "ticket.pdf")
    assert [file["name"] for file in files_of(made, "p1")] == ["invoice.pdf"]
    settled(made)
    assert [file["name"] for file in files_of(made, "p1")] == ["invoice.pdf", "ticket.pdf"]
    assert len(fees(made)) == 1


@pytest.mark.req("R-CST-4")
def test_a_file_of_a_journal_is_brought_as_well() -> None:
    made = with_files(world())

    settled(made, put(made, batch(entry(attachments=[OTHER]), attachments=[FILE])))

    assert [file["name"] for file in files_of(made, "p1")] == ["ticket.pdf", "invoice.pdf"]


@pytest.mark.req("R-CST-4")
def test_two_files_of_one_name_on_document_and_line_are_both_brought() -> None:
    made = with_files(world())
    made.erp.attachments["supplierInvoice", "x"]["a2"] = b"another"
    same = {"id": "a2", "name": "invoice.pdf", "revision": 1}
    made.faults.arm("create", "projects/files", OutcomeUnknown(), skip=1)

    made.run(
        settle,
        made.delivery("cost", erp=put(made, invoice(line(attachments=[same]), attachments=[FILE]))),
    )

    assert [(file["name"], file["size"]) for file in files_of(made, "p1")] == [("invoice.pdf", 7)] * 2
    assert creates(made).count("severa create projects/files p1") == 3
