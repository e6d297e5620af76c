"""Nothing is written on the strength of a poll: the document is read again first (docs/never-twice.md rule 14)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.model import Json
from tests.fakes import World
from tests.fakes_costs import batch, entry, fees, files_of, invoice, line, put, world
from tests.unit.domain.cost_world import brought, costs, settled, stopped

pytestmark = pytest.mark.req("R-CST-1", "R-CST-4")

DOCUMENTS = [
    pytest.param(invoice(), id="supplier invoice"),
    pytest.param(invoice(documentType="DebitAdj"), id="another type"),
    pytest.param(batch(batchNumber="GL000955"), id="general ledger"),
    pytest.param(batch(module="ModuleCA"), id="a number of two modules"),
]


def beside_others() -> World:
    """With a batch of another module that has the number of one below: the path knows no module, it answers first."""
    made = world()
    made.erp.store("journaltransaction", batch(module="ModuleIN"), "ModuleIN/GL000954")
    return made


@pytest.mark.parametrize("body", DOCUMENTS)
def test_a_document_voided_since_the_poll_of_a_moment_ago_is_not_brought(body: Json) -> None:
    made = beside_others()
    place = put(made, body)
    made.erp.stored(*place)["status"] = "Voided"

    settled(made, place)

    assert fees(made) == []


@pytest.mark.parametrize("body", DOCUMENTS)
def test_a_document_is_read_once_before_its_first_write(body: Json) -> None:
    made = beside_others()

    brought(made, body)

    reads = [call for call in made.calls if call.system == "visma_net"]
    assert len(reads) == (2 if body.get("module") == "ModuleCA" else 1)
    assert len(fees(made)) == 1


def test_what_is_brought_is_what_the_read_shows() -> None:
    made = world()
    place = put(made, invoice(line(1), line(2)))
    made.erp.stored(*place)["invoiceLines"][0]["cost"] = Decimal("7.00")

    settled(made, place)

    assert costs(made) == [Decimal("7.00"), Decimal("800.00")]


def test_a_file_that_was_taken_off_since_the_poll_is_not_brought() -> None:
    made = world()
    brought(made, invoice())
    made.erp.attachments["supplierInvoice", "x"] = {"a1": b"pdf"}
    place = put(made, invoice(attachments=[{"id": "a1", "name": "invoice.pdf", "revision": 1}]))
    made.erp.stored(*place)["attachments"] = []

    settled(made, place)

    assert files_of(made, "p1") == []


def test_files_that_a_single_read_of_a_journal_does_not_show_are_brought_as_polled() -> None:
    made = world()
    made.erp.attachments["journaltransaction", "x"] = {"a1": b"pdf", "a2": b"png"}
    body = batch(
        entry(attachments=[{"id": "a2", "name": "ticket.png"}]),
        attachments=[{"id": "a1", "name": "list.pdf"}],
    )
    place = put(made, body)
    shown = made.erp.stored(*place)
    del shown["attachments"], shown["journalTransactionLines"][0]["attachments"]

    settled(made, place)

    assert len(files_of(made, "p1")) == 2


@pytest.mark.parametrize("body", DOCUMENTS)
def test_a_document_that_is_not_there_any_more_is_not_brought_and_a_person_is_told(body: Json) -> None:
    made = beside_others()
    place = put(made, body)
    del made.erp.records[place[0]][place[1]]

    assert stopped(made, place).code == "cost.document_gone"
    assert fees(made) == []


@pytest.mark.req("R-LOG-3")
@pytest.mark.parametrize("body", DOCUMENTS)
def test_one_that_a_reading_did_not_show_either_asks_for_nothing_any_more(body: Json) -> None:
    made = beside_others()
    place = put(made, body)
    del made.erp.records[place[0]][place[1]]
    key = ("visma_net", *place)
    made.books.records[key] = replace(made.books.records[key], gone=True)

    settled(made, place)

    assert fees(made) == []
