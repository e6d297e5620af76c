"""``review``, ``gaps`` and ``tenant branch``: what finance staff decide about invoices."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.markup import escape

from app import reviewing
from app.bootstrap import Bridge
from app.cli import tenant
from app.cli.common import Json, Name, console, print_json, short_bridge, table, when
from domain.errors import InputError


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    app.command()(review)
    app.command()(gaps)
    tenant.app.command("branch")(branch)


def review(
    name: Name,
    release: Annotated[
        str | None,
        typer.Option("--release", metavar="ID|all", help="Let this invoice go (or all that were shown)."),
    ] = None,
    seen: Annotated[
        str | None,
        typer.Option(
            "--seen",
            help="What 'review' gave as seen, of several with commas between; without it you are shown and asked.",
        ),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Invoices and credit notes that wait for review: totals, VAT and accounts; or let them go. Refused if one has changed since
    you looked."""
    if seen is not None and release is None:
        raise InputError("--seen goes with --release: say which invoice is to go.")
    with short_bridge() as bridge:
        if release is not None:
            _release(bridge, name, release, seen)
            return
        rows = reviewing.held(bridge, name)
    if as_json:
        print_json(rows)
        return
    if not rows:
        console.print(f"Nothing of tenant '{name}' waits for review.")
    _shown(rows)


def _release(bridge: Bridge, name: str, wanted: str, seen: str | None) -> None:
    if seen is None:
        rows = reviewing.wanted_of(reviewing.held(bridge, name), name, wanted)
        if not rows:
            console.print(f"Nothing of tenant '{name}' waits for review.")
            return
        _shown(rows)
        one = len(rows) == 1
        typer.confirm("Let it go?" if one else f"Let these {len(rows)} go?", abort=True)
        marks = {str(row["seen"]) for row in rows}
    else:
        marks = {mark.strip() for mark in seen.split(",") if mark.strip()}
    done = reviewing.release(bridge, name, wanted, marks)
    console.print(f"{done.count} {'invoice is' if done.count == 1 else 'invoices are'} let go.")
    for sentence in (*done.missed, *done.new):
        console.print(escape(f"Left out: {sentence}."))
    if done.missed:
        # A script that named it has to know that it did not go; one that came since is only said.
        raise typer.Exit(1)


def _shown(rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        console.print(f"[bold]{row['id']}[/bold] {escape(row['wrong'])} [dim]{row['record_id']}[/dim]")
        console.print(f"seen: {escape(str(row['seen']))}", soft_wrap=True)


def gaps(
    name: Name,
    *,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV, for the auditor.")] = False,
    as_json: Json = False,
) -> None:
    """ERP numbers that were used by documents that had to be removed."""
    with short_bridge() as bridge:
        rows = reviewing.gaps(bridge, name)
    columns = ("document_type", "number", "at", "severa_id", "reason")
    if as_json:
        print_json(rows)
    elif as_csv:
        out = csv.writer(sys.stdout, lineterminator="\n")
        out.writerow(columns)
        out.writerows([row[column] for column in columns] for row in rows)
    else:
        table(
            "Number gaps",
            ("document", "number", "removed (UTC)", "Severa invoice", "reason"),
            [
                (row["document_type"], row["number"], when(row["at"]), row["severa_id"], row["reason"])
                for row in rows
            ],
        )


def branch(
    name: Name,
    unit: Annotated[
        str | None, typer.Argument(metavar="[BUSINESS-UNIT]", help="Guid, code or name in Severa.")
    ] = None,
    number: Annotated[
        str | None, typer.Argument(metavar="[BRANCH]", help="Branch number in Visma.net ERP; '' unmaps.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Map a Severa business unit to a Visma.net branch; without them, show what is mapped."""
    with short_bridge() as bridge:
        if unit is not None and number is not None:
            called = reviewing.map_branch(bridge, name, unit, number)
            console.print(f"{escape(called)} is {f'branch {escape(number)}' if number else 'not mapped'}.")
            return
        rows = reviewing.branches(bridge, name)
    if as_json:
        print_json(rows)
        return
    table(
        "Branches",
        ("business unit", "name", "branch"),
        [(row["business_unit"], row["name"], row["branch"]) for row in rows],
    )
