"""Every row of JSON is declared: commands print through the declaration, and docs/json.md is made from it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ops" / "scripts"))

import docs_code  # type: ignore[import-not-found, unused-ignore]
from typer.main import get_command

from app import cli
from app.cli.rows import COMMANDS, checked
from app.cli.rows.decisions import GapRow
from app.cli.rows.installation import CheckRow, NewKey
from app.cli.rows.matters import LogRow

ENDING = {" ".join(path): command for path, command in docs_code.commands(get_command(cli.app))}
# They run until they are stopped, or tell a story.
WITHOUT = {"poller", "relay", "worker", "web", "simulators", "demo"}
LINE: dict[str, Any] = {
    "at": "2026-11-20T12:00:00+00:00", "domain": "invoice", "direction": "to_visma_net", "register": "invoices",
    "record_id": "r", "number": "1", "name": "Å AB", "level": "info", "outcome": "done", "code": "invoice.transferred",
    "sentence": "…", "values": {"total": "1.00"}, "duration_ms": 3,
}  # fmt: skip


def test_every_command_that_ends_has_json_and_says_which_rows() -> None:
    offering = {
        name for name, command in ENDING.items() if any("--json" in one.opts for one in command.params)
    }
    assert offering == set(ENDING) - WITHOUT
    assert offering == set(COMMANDS)


def test_a_row_is_printed_as_it_is_declared() -> None:
    [printed] = checked("log", LogRow, [LINE])
    assert printed == LINE
    assert list(printed) == [field.alias or name for name, field in LogRow.model_fields.items()]


@pytest.mark.parametrize(
    "row",
    [LINE | {"new": 1}, {key: LINE[key] for key in LINE if key != "sentence"}, LINE | {"at": None}],
    ids=["new", "missing", "null"],
)
def test_a_member_that_is_new_missing_or_null_is_refused_before_it_is_printed(row: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        checked("log", LogRow, [row])


def test_a_command_prints_no_rows_of_another() -> None:
    with pytest.raises(LookupError):
        checked("log", GapRow, [])
    with pytest.raises(ValidationError):
        checked("doctor", CheckRow, {"what": "Keys", "fine": True, "found": "…"})
    assert checked("secrets new-key", NewKey, {"key": "k"}) == {"key": "k"}
