"""``trace``, ``retry``, ``doctor``: what people look at and ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.markup import escape

from app import doctor as doctoring
from app import service
from app.cli.common import Json, Name, print_json, settings, short_bridge
from app.cli.rows.installation import CheckRow
from app.cli.rows.matters import Retried, TraceRow
from app.cli.showing import Reader, console, pairs


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    app.command()(trace)
    app.command()(retry)
    app.command()(doctor)


def trace(
    name: Name,
    register: Annotated[
        str,
        typer.Argument(
            help="customer, product, project, invoice, payment, cost, or a vendor's register name."
        ),
    ],
    wanted: Annotated[str, typer.Argument(metavar="ID-OR-NUMBER", help="Internal id, number, code or name.")],
    *,
    calls: Annotated[bool, typer.Option("--calls", help="Show masked requests and responses.")] = False,
    as_json: Json = False,
) -> None:
    """The road of one record: seen, attempts with their steps, calls, and what the log says."""
    with short_bridge() as bridge:
        found = service.trace(bridge, name, register, wanted)
        reader = Reader.of(service.find_tenant(bridge, name))
    if as_json:
        parts = ("record", "link", "work", "attempts", "log")
        print_json("trace", TraceRow, [{key: getattr(one, key) for key in parts} for one in found])
        return
    for one in found:
        _print_trace(one, reader, calls=calls)


def _print_trace(one: service.Traced, reader: Reader, *, calls: bool) -> None:
    record = one.record
    console.print(
        f"[bold]{escape(record['number'])} {escape(record['name'])}[/bold]  {record['system']}/{record['register']} {record['id']}"
        f"  version {record['version']}, settled {record['settled_version']} ({reader.times_in})"
    )
    if one.link:
        console.print(f"  linked: {escape(pairs(one.link))}")
    for row in one.work:
        console.print(
            f"  unfinished: {row['domain']} {row['state']}, due {reader.when(row['due_at'])}, attempts {row['attempts']}"
        )
    for attempt in one.attempts:
        console.print(
            f"  {reader.when(attempt['started_at'])} {attempt['domain']}: {attempt['outcome'] or 'running'} {escape(attempt['error'] or '')}"
        )
        for step in attempt["steps"]:
            state = "done" if step["done_at"] else "sent, no answer yet" if step["sent_at"] else "not done"
            console.print(f"      step {step['name']}: {state} {escape(pairs(step['result']))}")
        for call in attempt["calls"]:
            _print_call(call, bodies=calls)
    for line in one.log:
        console.print(f"  {reader.when(line['at'])} [bold]{escape(line['sentence'])}[/bold]")


def _print_call(call: Mapping[str, Any], *, bodies: bool) -> None:
    console.print(
        f"      [dim]{call['method']} {escape(call['path'])} → {call['status'] or call['error']} in {call['seconds']:.2f} s[/dim]"
    )
    for part in ("request", "response") if bodies else ():
        if call[part]:
            console.print(f"        [dim]{part}: {escape(call[part])}[/dim]")


def retry(
    name: Name,
    problem: Annotated[
        str, typer.Argument(help="A problem's number, or a code for all problems of that cause.")
    ],
    *,
    as_json: Json = False,
) -> None:
    """Try a problem's record again now."""
    with short_bridge() as bridge:
        asked = service.retry(bridge, name, problem)
    if as_json:
        print_json("retry", Retried, {"tenant": name, "problem": problem, "tried_again": asked})
        return
    console.print(f"{asked} {'record is' if asked == 1 else 'records are'} tried again.")


def doctor(*, as_json: Json = False) -> None:
    """Check the installation: settings, database, keys, RabbitMQ, every tenant's connections, and what cuts its readings."""
    checks = doctoring.examine(settings(quiet=True))
    if as_json:
        print_json("doctor", CheckRow, [check.__dict__ for check in checks])
    else:
        mark: dict[bool, Any] = {True: "[green]fine[/green]", False: "[red]wrong[/red]"}
        for check in checks:
            console.print(f"{mark[check.fine]}  {escape(check.what)}: {escape(check.found)}")
    if not all(check.fine for check in checks):
        raise typer.Exit(2)
