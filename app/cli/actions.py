"""The command that belongs to an action of a cause: texts name none, and the web draws buttons for the same actions.

What a person does in Severa or Visma.net ERP (``open_source``, ``open_target``), or nowhere yet, has no command.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Row = Mapping[str, Any]

PROGRAM = "severa-bridge"


def commands(tenant: str, row: Row) -> Iterator[str]:
    """The commands for a problem's row (``app.explaining.explained``), in the order of its cause's actions."""
    for action in row["actions"]:
        if action in COMMANDS:
            yield COMMANDS[action](tenant, row)


def _said(*words: str) -> str:
    """A command as it is typed; words in capitals stand for what the operator knows."""
    return " ".join((PROGRAM, *(word if word.isupper() else shlex.quote(word) for word in words)))


def _relink(tenant: str, row: Row) -> str:
    told = row["values"].get("relink")
    if isinstance(told, str):
        # 0.1.0 kept the command itself.
        return told
    pair = told or {}
    return _said(
        "relink", tenant, row["domain"], pair.get("severa_id", "SEVERA_ID"), pair.get("erp_id", "ERP_ID")
    )


def _sign_in(tenant: str, row: Row) -> str:
    """A person signs in where a person's sign-in has ended; else the tenant's file has what the vendor refuses."""
    if row["code"] == "connection.signed_out":
        return _said("tenant", "sign-in", tenant, "--redirect-uri", "ADDRESS")
    return _said("tenant", "add", "FILE")


COMMANDS: Mapping[str, Callable[[str, Row], str]] = {
    "retry": lambda tenant, row: _said("retry", tenant, str(row["id"])),
    "release": lambda tenant, row: _said("review", tenant, "--release", str(row["id"])),
    "resume_domain": lambda tenant, row: _said("tenant", "resume", tenant, "--domain", row["domain"]),
    "sign_in": _sign_in,
    "map_branch": lambda tenant, _row: _said("tenant", "branch", tenant, "UNIT", "BRANCH"),
    "choose_class": lambda tenant, row: _said(
        "class", tenant, row["domain"], row["record_id"] or "RECORD", "CLASS"
    ),
    "relink": _relink,
    "decide_doubt": lambda tenant, row: _said("doubt", "show", tenant, str(row["id"])),
}
