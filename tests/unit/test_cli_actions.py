"""The command that belongs to an action of a cause is one that the program takes."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import typer.main

from app.cli import app
from app.cli.actions import COMMANDS, commands
from domain import catalogue
from domain.explain import ACTIONS

# What is done in a vendor's program, or has no command yet.
ELSEWHERE = {"open_source", "open_target", "done_elsewhere", "map_unit"}


def row(code: str, *actions: str, **values: Any) -> dict[str, Any]:
    return {
        "id": 12, "code": code, "domain": code.partition(".")[0], "record_id": "c-1", "values": values, "actions": actions,
    }  # fmt: skip


def taken(command: str) -> bool:
    """Whether the program parses it; UsageError says why not."""
    words = shlex.split(command)
    assert words.pop(0) == "severa-bridge"
    found: Any = typer.main.get_command(app)
    parent = found.make_context("severa-bridge", list(words), resilient_parsing=False)
    while hasattr(found, "commands"):
        found = found.commands[words.pop(0)]
    found.make_context("command", words, parent=parent)
    return True


def test_every_action_has_a_command_or_is_done_elsewhere() -> None:
    assert set(COMMANDS) | ELSEWHERE == set(ACTIONS)
    assert not set(COMMANDS) & ELSEWHERE


@pytest.mark.parametrize("action", sorted(COMMANDS))
def test_every_command_is_one_that_the_program_takes(action: str) -> None:
    pair = {"severa_id": "c9", "erp_id": "501"}
    [command] = commands("nord konsult", row("customer.merged", action, relink=pair))
    assert taken(command)


@pytest.mark.parametrize("code", ["connection.signed_out", "connection.wrong_secret"])
def test_who_signs_in_is_told_how(code: str) -> None:
    [command] = commands("nordkonsult", row(code, "sign_in"))
    assert taken(command)
    assert ("sign-in" in command) == (code == "connection.signed_out")


@pytest.mark.req("R-CUS-8")
def test_a_relink_names_the_pair() -> None:
    [command] = commands(
        "nordkonsult", row("customer.merged", "relink", relink={"severa_id": "c9", "erp_id": "501"})
    )
    assert command == "severa-bridge relink nordkonsult customer c9 501"
    [command] = commands("nordkonsult", row("customer.gone", "relink"))
    assert command == "severa-bridge relink nordkonsult customer SEVERA_ID ERP_ID"


def test_a_row_of_an_older_version_shows_the_command_that_it_kept() -> None:
    old = "severa-bridge relink nordkonsult customer c9 501"
    assert list(commands("nordkonsult", row("customer.merged", "relink", relink=old))) == [old]


def test_only_actions_that_there_are_stand_in_causes() -> None:
    assert {action for cause in catalogue.causes().values() for action in cause.actions} <= set(ACTIONS)
