"""``doubt``: what nobody can tell from outside, and the three ways in which a person ends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from app import doubting, service
from app.cli.common import Json, Name, print_json, short_bridge
from app.cli.rows.decisions import Decided, DoubtRow
from app.cli.showing import Reader, console
from app.doubting import Choice
from domain.errors import InputError

app = typer.Typer(
    help="Invoices of which nobody can tell whether they are booked: look at the candidates, and decide.",
    no_args_is_help=True,
)
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The number that 'doubt list' shows.")]


@app.command("list")
def list_(name: Name, *, as_json: Json = False) -> None:
    """What is in doubt, oldest first."""
    with short_bridge() as bridge:
        rows = doubting.doubts(bridge, name)
        reader = Reader.of(service.find_tenant(bridge, name))
    if as_json:
        print_json("doubt list", DoubtRow, rows)
        return
    reader.table(
        reader.word("in_doubt"),
        ("id", "record", "wrong", "candidates", "since"),
        [
            (
                row["id"],
                row["name"] or row["record_id"],
                row["wrong"],
                len(row["candidates"]),
                reader.when(row["opened_at"]),
            )
            for row in rows
        ],
        timed=True,
    )


@app.command()
def show(name: Name, number: Number, *, as_json: Json = False) -> None:
    """One of them: what was sent and every candidate, field by field."""
    with short_bridge() as bridge:
        row = doubting.doubt(bridge, name, number)
        reader = Reader.of(service.find_tenant(bridge, name))
    if as_json:
        print_json("doubt show", DoubtRow, row)
        return
    _shown(row, reader)


@app.command()
def decide(
    name: Name,
    number: Number,
    this: Annotated[
        str | None, typer.Option("--this", metavar="TYPE/NUMBER", help="It is this document.")
    ] = None,
    seen: Annotated[
        str | None,
        typer.Option("--seen", help="What 'doubt show' gave as seen; without it you are shown and asked."),
    ] = None,
    *,
    make: Annotated[bool, typer.Option("--make", help="None of these: make it again.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Look again, decide nothing.")] = False,
    as_json: Json = False,
) -> None:
    """End a doubt. Refused if what is in doubt has changed since you looked."""
    if sum((this is not None, make, wait)) != 1:
        raise InputError("Say one of --this TYPE/NUMBER, --make or --wait.")
    choice = Choice("this", this) if this is not None else Choice("make" if make else "wait")
    with short_bridge() as bridge:
        if seen is None:
            if as_json:
                raise InputError("Nothing was decided: say --seen, since nobody can be shown it here.")
            row = doubting.doubt(bridge, name, number)
            _shown(row, Reader.of(service.find_tenant(bridge, name)))
            typer.confirm(_question(choice), abort=True)
            seen = str(row["seen"])
        sentence = doubting.decide(bridge, name, number, choice, seen)
    if as_json:
        made = {"tenant": name, "number": number, "decision": choice.kind, "document": choice.document}
        print_json("doubt decide", Decided, made | {"sentence": sentence})
        return
    console.print(escape(sentence))


def _question(choice: Choice) -> str:
    return {
        "this": f"Is it {choice.document}?",
        "make": "Is it none of these, and should it be made again?",
        "wait": "Look again?",
    }[choice.kind]


def _shown(row: Mapping[str, Any], reader: Reader) -> None:
    console.print(f"[bold]{row['id']}[/bold] {escape(str(row['wrong']))}")
    console.print(escape(str(row["do"])))
    candidates: Sequence[Mapping[str, Any]] = row["candidates"]
    if not candidates:
        console.print("There is no candidate.")
    else:
        shown = Table(show_header=True, header_style="bold")
        shown.add_column("")
        for one in candidates:
            shown.add_column(escape(f"{one.get('type', '')}/{one.get('number') or '–'}"), overflow="fold")
        names = list(dict.fromkeys(key for one in candidates for key in one))
        for field in names:
            values = [str(one.get(field, "") or "") for one in candidates]
            mark = "" if len(set(values)) == 1 else "≠ "
            shown.add_row(escape(f"{mark}{field}"), *(escape(value) for value in values))
        console.print(shown, soft_wrap=False)
    if row["settles_at"]:
        console.print(
            f"The first call may still come true until {reader.when(row['settles_at'])} ({reader.zone})."
        )
    console.print(f"seen: {escape(str(row['seen']))}")
