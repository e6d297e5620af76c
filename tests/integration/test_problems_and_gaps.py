"""What stands in the lists of problems and of removed numbers, and how they are asked for (R-LOG-3, R-INV-5)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from road import Road
from typer.testing import CliRunner

from app import service
from app.bootstrap import Bridge
from app.cli import app
from app.cli import reviewing as commands
from db import log


def open_ones(road: Road, codes: set[str]) -> list[tuple[str, str, int]]:
    """(subject, code, times) of the open problems with one of these codes."""
    rows = road.sql("select subject, code, times from problem where tenant_id = %s and closed_at is null", road.tenant_id)  # fmt: skip
    return sorted((row["subject"], row["code"], row["times"]) for row in rows if row["code"] in codes)


def tell(road: Road, *told: tuple[str, str]) -> list[bool]:
    """A problem (subject, code) is met; whether it is a new one."""
    with road.installation.bridge.db.tenant(road.tenant_id) as db:
        return [
            log.open_problem(db, log.About("connection", subject=subject, system="severa"), code, {})
            for subject, code in told
        ]


@pytest.mark.req("R-LOG-3")
def test_a_record_has_one_open_problem_of_a_cause_however_often_it_is_met(road: Road) -> None:
    first, other, elsewhere = ("one", "test.first"), ("one", "test.other"), ("two", "test.first")
    assert tell(road, first, first, other, elsewhere, first) == [True, False, True, True, False]
    assert open_ones(road, {"test.first", "test.other"}) == [
        ("one", "test.first", 3),
        ("one", "test.other", 1),
        ("two", "test.first", 1),
    ]


@pytest.mark.req("R-LOG-3")
def test_all_problems_of_a_cause_are_tried_again_by_its_name(road: Road) -> None:
    """Two customers that the ERP refuses for one cause, and one word of a person for both."""
    refusal = {"status": 400, "body": {"message": "The customer cannot be created."}}
    fault = road.erp.arm("status", "^/v1/customer$", method="POST", times=None, **refusal)
    names = ["Ett Fel AB", "Samma Fel AB"]
    for name in names:
        road.add_customer(name)
    road.settle()
    told = [row for row in road.problems() if row["name"] in names]
    [code] = {row["code"] for row in told}
    assert len(told) == len(names)
    road.installation.erp.ask("DELETE", f"/faults/{fault}")
    assert service.retry(road.installation.bridge, road.name, code) >= len(names)
    road.settle()
    assert [row for row in road.problems() if row["name"] in names] == []
    assert [road.erp.count("customer", name=name) for name in names] == [1, 1]


@pytest.mark.req("R-INV-5")
def test_the_gap_list_is_written_as_csv_for_the_auditor(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def at_work() -> Iterator[Bridge]:
        yield road.installation.bridge

    monkeypatch.setattr(commands, "short_bridge", at_work)
    road.sql(
        "insert into number_gap (tenant_id, document_type, number, severa_id, reason, values)"
        " values (%s, 'Invoice', '000123', 'guid; with, \"signs\"', 'invoice.withdrawn', '{}')",
        road.tenant_id,
    )
    done = CliRunner().invoke(app, ["gaps", road.name, "--csv"])
    assert done.exit_code == 0
    lines = csv.reader(done.stdout.removeprefix("\ufeff").splitlines(), delimiter=";")
    [(kind, _, removed, guid, reason)] = [one for one in lines if one[1:2] == ["000123"]]
    assert (kind, guid) == ("Invoice", 'guid; with, "signs"')
    assert removed.startswith("20")
    assert reason
    assert reason != "invoice.withdrawn", "a sentence, not the code"
