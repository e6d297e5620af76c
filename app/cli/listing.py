"""``problems`` and ``log``: what is wrong and what happened, by period, domain, cause, record and words; counted, or for Excel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.markup import escape

from app import service
from app.asking import MOST, Asked
from app.cli.actions import commands
from app.cli.common import Json, Level, Name, Outcome, Told, print_json, short_bridge
from app.cli.rows.matters import LogCount, LogRow, ProblemCount, ProblemRow
from app.cli.showing import Reader, console, indented
from domain.errors import InputError

Domain = Annotated[Told | None, typer.Option("--domain", help="Only this domain.")]
Cause = Annotated[
    str | None, typer.Option("--cause", metavar="CODE", help="Only this cause (docs/problems.md lists them).")
]
Record = Annotated[
    str | None, typer.Option("--record", metavar="ID", help="Only of this id, number or name, written whole.")
]
Search = Annotated[
    str | None,
    typer.Option(
        "--search", metavar="WORDS", help="Only with these words in number, name, values or sentence."
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="DAY", help="From this day or time on, in the tenant's zone: 2026-11-01."
    ),
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="DAY", help="Until the end of this day, or until this time.")
]
Count = Annotated[bool, typer.Option("--count", help="How many of each cause.")]
Csv = Annotated[bool, typer.Option("--csv", help="As CSV for Excel: semicolons, UTF-8.")]
Limit = typer.Option("--limit", min=1, max=MOST, help="At most so many.")


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    app.command()(problems)
    app.command()(log)


def problems(
    name: Name,
    domain: Domain = None,
    cause: Cause = None,
    record: Record = None,
    search: Search = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, Limit] = MOST,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    count: Count = False,
    as_csv: Csv = False,
    as_json: Json = False,
) -> None:
    """Open problems of a tenant, oldest first: what is wrong, what to do, where. In the tenant's language.

    A period is that in which they were opened.
    """
    _one_form(as_csv=as_csv, as_json=as_json)
    asked = Asked(domain, None, None, cause, record, search, since, until)
    with short_bridge() as bridge:
        reader = Reader.of(service.find_tenant(bridge, name))
        if count:
            counted = service.problem_counts(bridge, name, closed_too=everything, asked=asked)
        else:
            # One more than is shown tells whether there are more.
            rows = service.problems(bridge, name, closed_too=everything, asked=asked, limit=limit + 1)
            more, rows = len(rows) > limit, rows[:limit]
    if count:
        _print_counts("problems", ProblemCount, counted, reader, as_csv=as_csv, as_json=as_json)
    elif as_json:
        print_json("problems", ProblemRow, rows)
    elif as_csv:
        reader.csv(_PROBLEM_COLUMNS, (_problem_cells(row, reader) for row in rows))
    elif not rows:
        what = "no_problems" if everything else "no_open_problems"
        console.print(
            reader.word(what, tenant=name) if asked == Asked() else reader.word("none_of_these", tenant=name)
        )
    else:
        for row in rows:
            _print_problem(name, row, reader)
        if more:
            console.print(reader.word("more"))


def _one_form(*, as_csv: bool, as_json: bool) -> None:
    if as_csv and as_json:
        raise InputError("Say one of --csv and --json.")


_PROBLEM_COLUMNS = (
    "id",
    "domain",
    "record",
    "name",
    "cause",
    "wrong",
    "do",
    "where",
    "opened",
    "times",
    "closed",
)


def _problem_cells(row: Mapping[str, Any], reader: Reader) -> tuple[Any, ...]:
    return (
        row["id"],
        reader.word(f"domain.{row['domain']}"),
        row["number"],
        row["name"],
        row["code"],
        row["wrong"],
        row["do"],
        row["where"],
        reader.when(row["opened_at"]),
        row["times"],
        reader.when(row["closed_at"]) if row["closed_at"] else "",
    )


def _print_problem(tenant: str, row: Mapping[str, Any], reader: Reader) -> None:
    called = " ".join(part for part in (row["number"], row["name"]) if part)
    closed = (
        f", {reader.word('closed')} {reader.when(row['closed_at'])} ({escape(row['closed_how'])})"
        if row["closed_at"]
        else ""
    )
    console.print(
        f"[bold]{row['id']}[/bold] {reader.word('domain.' + row['domain'])} {escape(called)} [dim]{row['code']}, "
        f"{reader.word('since')} {reader.when(row['opened_at'])}{closed}[/dim]"
    )
    indented(f"[red]{escape(row['wrong'])}[/red]")
    indented(f"→ {escape(row['do'])} [dim]({escape(row['where'])})[/dim]")
    for command in commands(tenant, row):
        indented(f"[dim]{escape(command)}[/dim]")


def log(
    name: Name,
    domain: Domain = None,
    level: Annotated[Level | None, typer.Option("--level", help="Only this level.")] = None,
    outcome: Annotated[Outcome | None, typer.Option("--outcome", help="Only this outcome.")] = None,
    cause: Cause = None,
    record: Record = None,
    search: Search = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, Limit] = 50,
    *,
    count: Count = False,
    as_csv: Csv = False,
    as_json: Json = False,
) -> None:
    """The transfer log of a tenant, newest first."""
    _one_form(as_csv=as_csv, as_json=as_json)
    asked = Asked(domain, level, outcome, cause, record, search, since, until)
    with short_bridge() as bridge:
        reader = Reader.of(service.find_tenant(bridge, name))
        if count:
            counted = service.log_counts(bridge, name, asked=asked)
        else:
            rows = service.transfer_log(bridge, name, asked=asked, limit=limit + 1)
            more, rows = len(rows) > limit, rows[:limit]
    if count:
        _print_counts("log", LogCount, counted, reader, as_csv=as_csv, as_json=as_json)
    elif as_json:
        print_json("log", LogRow, rows)
    elif as_csv:
        cells = (_log_cells(row, reader) for row in rows)
        reader.csv(("time", "domain", "number", "name", "level", "outcome", "sentence", "code"), cells)
    else:
        _print_log(rows, reader)
        if more:
            console.print(reader.word("more"))


def _log_cells(row: Mapping[str, Any], reader: Reader) -> tuple[Any, ...]:
    return (
        reader.when(row["at"]),
        reader.word(f"domain.{row['domain']}"),
        row["number"],
        row["name"],
        reader.word(f"level.{row['level']}"),
        reader.word(f"outcome.{row['outcome']}"),
        row["sentence"],
        row["code"],
    )


_MARKS = {"info": "green", "warning": "yellow", "error": "red"}


def _print_log(rows: Sequence[Mapping[str, Any]], reader: Reader) -> None:
    """A table where nobody looks on; on a terminal two lines each, since a sentence in a narrow column is read by nobody."""
    title = reader.word("transfer_log")
    if not rows or not console.is_terminal:
        columns = ("time", "domain", "record", "outcome", "sentence", "code")
        cells = [
            (at, domain, f"{number} {name}".strip(), outcome, sentence, code)
            for at, domain, number, name, _, outcome, sentence, code in (_log_cells(r, reader) for r in rows)
        ]
        reader.table(title, columns, cells, timed=True)
        return
    console.print(f"{title} ({reader.times_in})")
    for row in rows:
        at, domain, number, name, _, outcome, sentence, _ = (
            escape(str(one)) for one in _log_cells(row, reader)
        )
        mark = _MARKS.get(row["level"], "dim")
        console.print(f"{at} {domain} [bold]{f'{number} {name}'.strip()}[/bold] [{mark}]{outcome}[/{mark}]")
        indented(sentence)


def _print_counts(
    command: str,
    row: type[ProblemCount | LogCount],
    counted: Sequence[Mapping[str, Any]],
    reader: Reader,
    *,
    as_csv: bool,
    as_json: bool,
) -> None:
    if as_json:
        print_json(command, row, counted)
        return
    own = "open" if row is ProblemCount else "level"
    columns = ("domain", "cause", own, "count", "first", "last")
    cells = [
        (
            reader.word(f"domain.{one['domain']}"),
            one["code"],
            one["open"] if own == "open" else reader.word(f"level.{one['level']}"),
            one["n"],
            reader.when(one["first_at"]),
            reader.when(one["last_at"]),
        )
        for one in counted
    ]
    if as_csv:
        reader.csv(columns, cells)
        return
    reader.table(reader.word("counted"), columns, cells, timed=True)
    console.print(f"{reader.word('total')}: {sum(one['n'] for one in counted)}")
