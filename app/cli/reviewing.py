"""``review``, ``gaps`` and ``tenant branch``: what finance staff decide about invoices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.markup import escape

from app import reviewing, service
from app.bootstrap import Bridge
from app.cli import tenant
from app.cli.common import Json, Name, print_json, short_bridge
from app.cli.rows.decisions import GapRow, Released, ReviewRow
from app.cli.rows.tenants import BranchMapped, BranchRow
from app.cli.showing import Reader, console
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
            _release(bridge, name, release, seen, as_json=as_json)
            return
        rows = reviewing.held(bridge, name)
    if as_json:
        print_json("review", ReviewRow, rows)
        return
    if not rows:
        console.print(f"Nothing of tenant '{name}' waits for review.")
    _shown(rows)


def _release(bridge: Bridge, name: str, wanted: str, seen: str | None, *, as_json: bool) -> None:
    if seen is None:
        if as_json:
            raise InputError("Nothing was let go: say --seen, since nobody can be shown it here.")
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
    if as_json:
        went = {"let_go": done.count, "missed": list(done.missed), "new": list(done.new)}
        print_json("review", Released, went)
    else:
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
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV for Excel, for the auditor.")] = False,
    as_json: Json = False,
) -> None:
    """ERP numbers that were used by documents that had to be removed."""
    with short_bridge() as bridge:
        rows = reviewing.gaps(bridge, name)
        reader = Reader.of(service.find_tenant(bridge, name))
    if as_json:
        print_json("gaps", GapRow, rows)
        return
    columns = ("document", "number", "removed", "severa_invoice", "reason")
    cells = [
        (row["document_type"], row["number"], reader.when(row["at"]), row["severa_id"], row["reason"])
        for row in rows
    ]
    if as_csv:
        reader.csv(columns, cells)
    else:
        reader.table(reader.word("gaps"), columns, cells, timed=True)


def branch(
    name: Name,
    unit: Annotated[
        str | None, typer.Argument(metavar="BUSINESS-UNIT", help="Guid, code or name in Severa.")
    ] = None,
    number: Annotated[
        str | None, typer.Argument(metavar="BRANCH", help="Branch number in Visma.net ERP; '' unmaps.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Map a Severa business unit to a Visma.net branch; without them, show what is mapped."""
    with short_bridge() as bridge:
        if unit is not None and number is not None:
            called = reviewing.map_branch(bridge, name, unit, number)
            if as_json:
                print_json("tenant branch", BranchMapped, {"name": called, "branch": number})
            else:
                console.print(
                    f"{escape(called)} is {f'branch {escape(number)}' if number else 'not mapped'}."
                )
            return
        if unit is not None:
            raise InputError(
                f"Say which branch '{unit}' is: severa-bridge tenant branch {name} '{unit}' BRANCH."
            )
        rows = reviewing.branches(bridge, name)
        reader = Reader.of(service.find_tenant(bridge, name))
    if as_json:
        print_json("tenant branch", BranchRow, rows)
        return
    reader.table(
        reader.word("branches"),
        ("business_unit", "name", "branch"),
        [(row["business_unit"], row["name"], row["branch"]) for row in rows],
    )
