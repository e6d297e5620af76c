"""A delivery of costs that dies at any of its calls, and what happens meanwhile in either system (R-CST-1 to R-CST-5)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.cost.steps import settle
from domain.model import Json
from tests.fakes import World
from tests.fakes_costs import INVOICE, batch, entry, fees, files_of, invoice, line, put, world
from tests.unit.domain.cost_world import brought, costs
from tests.unit.domain.ends_lost import Death, deaths, rest

pytestmark = pytest.mark.req("R-CST-1", "R-CST-2")

D = Decimal
WHICH = {"domain": "cost", "erp": INVOICE}
FILE = [{"id": "a1", "name": "invoice.pdf", "revision": 1}]


def two_lines(**more: Any) -> Json:
    return invoice(line(1), line(2, "5.00", project="P2000"), attachments=FILE, **more)


def to_be_brought() -> World:
    made = world()
    made.erp.attachments["supplierInvoice", "x"] = {"a1": b"pdf"}
    put(made, two_lines())
    return made


def to_be_taken_back() -> World:
    made = to_be_brought()
    brought(made, two_lines())
    put(made, two_lines(status="Voided"))
    return made


def seen(made: World) -> None:
    """The document as it stands in the ERP becomes what was seen last."""
    body = made.erp.stored(*INVOICE)
    made.books.remember("visma_net", INVOICE[0], body, id=INVOICE[1], number=body["referenceNumber"])


def nothing(_made: World) -> None:
    pass


def voided(made: World) -> None:
    made.erp.stored(*INVOICE)["status"] = "Voided"


def dearer(made: World) -> None:
    made.erp.stored(*INVOICE)["invoiceLines"][0]["cost"] = D("900.00")


def one_line_more(made: World) -> None:
    made.erp.stored(*INVOICE)["invoiceLines"].append(line(3, "7.00"))


def on_fees(change: Callable[[Json], None]) -> Callable[[World], None]:
    def by_hand(made: World) -> None:
        for fee in made.severa.records.get("projectfees", {}).values():
            change(fee)
            fee["lastUpdatedDateTime"] = (made.clock.now() + timedelta(seconds=60)).isoformat()

    return by_hand


def moved(fee: Json) -> None:
    fee["project"] = {"guid": "p2"}


def dearer_there(fee: Json) -> None:
    fee["unitPrice"] = {"amount": D("1.00"), "currencyCode": "SEK"}


def renamed(fee: Json) -> None:
    fee["description"] = f"Tåg till kunden {fee['description']}"


def without_marker(fee: Json) -> None:
    fee["description"] = "Tåg till kunden"


def rested(death: Death) -> list[str]:
    told = rest(death, settle, poll=seen, **WHICH)
    if set(told) == {"cost.look_alike"}:
        # A person who has written over the marker of a fee that nobody was told of is asked, and puts it back.
        put_back(death.made)
        told = rest(death, settle, poll=seen, **WHICH)
    return told


def put_back(made: World) -> None:
    """The markers as they were sent."""
    sent = [call.body for call in made.calls if call.method == "create" and call.register == "projectfees"]
    for fee in fees(made):
        if "[ERP" not in fee["description"]:
            for own in {body["description"] for body in sent if body["unitCost"] == fee["unitCost"]}:
                fee["description"] = f"Tåg till kunden {own}"


@pytest.mark.parametrize("change", [nothing, on_fees(moved), on_fees(renamed), on_fees(without_marker)],
                         ids=["nothing", "moved", "renamed", "marker written over"])  # fmt: skip
def test_whenever_it_dies_every_line_is_one_fee_whatever_a_person_does_with_it(
    change: Callable[[World], None],
) -> None:
    for death in deaths(to_be_brought, settle, **WHICH):
        change(death.made)
        told = rested(death)
        assert (sorted(costs(death.made)), told) == ([D("5.00"), D("800.00")], []), death.at


def test_whenever_it_dies_a_price_that_a_person_sets_on_a_fee_stays() -> None:
    for death in deaths(to_be_brought, settle, **WHICH):
        there = {fee["guid"] for fee in fees(death.made)}
        on_fees(dearer_there)(death.made)
        told = rested(death)
        assert sorted(costs(death.made)) == [D("5.00"), D("800.00")], death.at
        assert {fee["guid"] for fee in fees(death.made) if fee["unitPrice"]["amount"] == 1} == there, death.at
        assert told == [], death.at


@pytest.mark.parametrize(("change", "amounts"), [
    (dearer, {(D("5.00"), D("800.00")), (D("5.00"), D("900.00"))}),
    (one_line_more, {(D("5.00"), D("7.00"), D("800.00"))}),
])  # fmt: skip
def test_whenever_it_dies_what_changes_in_the_erp_meanwhile_makes_no_second_fee(
    change: Callable[[World], None], amounts: set[tuple[Decimal, ...]]
) -> None:
    for death in deaths(to_be_brought, settle, **WHICH):
        change(death.made)
        told = rested(death)
        assert tuple(sorted(costs(death.made))) in amounts, death.at
        assert told == [], death.at


@pytest.mark.parametrize("change", [nothing, on_fees(moved), on_fees(renamed), on_fees(without_marker)],
                         ids=["nothing", "moved", "renamed", "marker written over"])  # fmt: skip
def test_whenever_it_dies_and_is_voided_meanwhile_nothing_is_left_of_it(
    change: Callable[[World], None],
) -> None:
    for death in deaths(to_be_brought, settle, **WHICH):
        change(death.made)
        voided(death.made)
        told = rested(death)
        assert (sum(costs(death.made)), told) == (0, []), (death.at, costs(death.made))


@pytest.mark.parametrize("change", [nothing, on_fees(moved), on_fees(renamed), on_fees(without_marker)],
                         ids=["nothing", "moved", "renamed", "marker written over"])  # fmt: skip
def test_whenever_it_dies_taking_back_every_line_is_taken_back_once(change: Callable[[World], None]) -> None:
    for death in deaths(to_be_taken_back, settle, **WHICH):
        change(death.made)
        told = rested(death)
        assert (sum(costs(death.made)), len(fees(death.made)), told) == (0, 4, []), (
            death.at,
            costs(death.made),
        )


def test_whenever_it_dies_its_file_is_there_once() -> None:
    for death in deaths(to_be_brought, settle, **WHICH):
        assert rested(death) == [], death.at
        assert [len(files_of(death.made, project)) for project in ("p1", "p2")] == [1, 1], death.at


def test_whenever_a_journal_dies_every_line_is_one_fee() -> None:
    def journal() -> World:
        made = world()
        put(made, batch(entry(1), entry(2, "5.00")))
        return made

    which = {"domain": "cost", "erp": ("journaltransaction", "ModuleGL/GL000954")}
    for death in deaths(journal, settle, **which):
        assert rest(death, settle, poll=nothing, **which) == [], death.at
        assert sorted(costs(death.made)) == [D("5.00"), D("800.00")], death.at


@pytest.mark.req("R-LOG-1")
def test_whenever_it_dies_what_was_brought_is_said_once() -> None:
    for death in deaths(to_be_brought, settle, **WHICH):
        rested(death)
        assert death.said.count("cost.brought") == 1, (death.at, death.said)
