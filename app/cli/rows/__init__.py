"""Every row of JSON that a command prints: its members, what they mean, and which may be null.

Commands print through these models (``print_json``) and ``docs/json.md`` is made from them, so that the page and what scripts
get cannot part: a member that is not here is refused before it is printed, and so is one that is missing.

Times are ISO 8601 with their offset, in UTC. Amounts within ``values`` are texts. Codes and states are English words that stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter

from app.cli.rows.decisions import (
    ClassChosen,
    ClassesRow,
    Decided,
    DoubtRow,
    GapRow,
    Released,
    Relinked,
    ReviewRow,
)
from app.cli.rows.installation import Adopted, CheckRow, Ending, Migrated, NewKey, Rotated, StatusRow
from app.cli.rows.matters import LogCount, LogRow, ProblemCount, ProblemRow, Retried, TraceRow
from app.cli.rows.row import Row
from app.cli.rows.tenants import (
    BranchMapped,
    BranchRow,
    ErasedRow,
    NotErased,
    Paused,
    SettingChanged,
    SignedIn,
    TenantAdded,
    TenantRow,
    TenantShown,
    WentLive,
)


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command prints with ``--json``: an object, or a list of them. ``when``: with which option or outcome."""

    row: type[Row]
    many: bool = False
    when: str = ""


def _one(row: type[Row], when: str = "") -> Printed:
    return Printed(row, when=when)


def _many(row: type[Row], when: str = "") -> Printed:
    return Printed(row, many=True, when=when)


COMMANDS: Mapping[str, tuple[Printed, ...]] = MappingProxyType(
    {
        "up": (_one(Ending, "with `--until-idle`"),),
        "problems": (_many(ProblemRow), _many(ProblemCount, "with `--count`")),
        "log": (_many(LogRow), _many(LogCount, "with `--count`")),
        "trace": (_many(TraceRow),),
        "retry": (_one(Retried),),
        "doctor": (_many(CheckRow),),
        "relink": (_one(Relinked),),
        "class": (_one(ClassesRow), _one(ClassChosen, "with a value")),
        "review": (_many(ReviewRow), _one(Released, "with `--release`")),
        "gaps": (_many(GapRow),),
        "tenant add": (_one(TenantAdded),),
        "tenant sign-in": (_one(SignedIn),),
        "tenant list": (_many(TenantRow),),
        "tenant show": (_one(TenantShown),),
        "tenant go-live": (_one(WentLive),),
        "tenant set": (_one(SettingChanged),),
        "tenant pause": (_one(Paused),),
        "tenant resume": (_one(Paused),),
        "tenant erase": (_one(ErasedRow), _one(NotErased, "when something would be left behind")),
        "tenant erased": (_many(ErasedRow),),
        "tenant branch": (_many(BranchRow), _one(BranchMapped, "with both arguments")),
        "doubt list": (_many(DoubtRow),),
        "doubt show": (_one(DoubtRow),),
        "doubt decide": (_one(Decided),),
        "db migrate": (_one(Migrated),),
        "db status": (_one(StatusRow),),
        "db adopt": (_one(Adopted),),
        "secrets new-key": (_one(NewKey),),
        "secrets rotate": (_one(Rotated),),
    }
)
"""Which command prints which rows; each command that has ``--json`` stands here, and no other."""


def checked(command: str, row: type[Row], value: Any) -> Any:
    """The value as plain members in the model's order. Raises LookupError for rows that the table does not promise for the
    command, pydantic.ValidationError for a member that is not declared."""
    found = [one for one in COMMANDS[command] if one.row is row]
    if not found:
        raise LookupError(f"{command} does not print {row.__name__}")
    kind: Any = list[row] if found[0].many else row  # type: ignore[valid-type]
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    return adapter.dump_python(adapter.validate_python(value), by_alias=True)
