"""``review``, ``gaps`` and ``tenant branch``: what finance staff decide about invoices."""

from __future__ import annotations

import csv
import sys
from typing import Annotated

import typer
from rich.markup import escape

from app import reviewing
from app.cli import tenant
from app.cli.common import Json, Name, console, print_json, short_bridge, table, when


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    app.command()(review)
    app.command()(gaps)
    tenant.app.command("branch")(branch)


def review(
    name: Name,
    release: Annotated[
        str | None,
        typer.Option("--release", metavar="ID|all", help="Let this invoice go (or all that wait)."),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Invoices and credit notes that wait for review: totals, VAT and accounts; or let them go."""
    with short_bridge() as bridge:
        if release is not None:
            count = reviewing.release(bridge, name, release)
            console.print(f"{count} {'invoice is' if count == 1 else 'invoices are'} let go.")
            return
        rows = reviewing.held(bridge, name)
    if as_json:
        print_json(rows)
        return
    if not rows:
        console.print(f"Nothing of tenant '{name}' waits for review.")
    for row in rows:
        console.print(f"[bold]{row['id']}[/bold] {escape(row['wrong'])} [dim]{row['record_id']}[/dim]")


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
