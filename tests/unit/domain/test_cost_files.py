"""Files of supplier invoices and journals on the projects they name."""

from __future__ import annotations

import pytest

from domain.cost.steps import settle
from domain.errors import Forbidden, NotFound, OutcomeUnknown, Refused
from domain.model import Json
from tests.fakes import World
from tests.fakes_costs import (
    batch,
    entry,
    fees,
    files_of,
    invoice,
    line,
    put,
    world,
)
from tests.unit.domain.cost_world import creates, settled, stopped

pytestmark = pytest.mark.req("R-CST-1", "R-CST-2", "R-CST-5")


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
