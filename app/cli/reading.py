"""``problems``, ``log``, ``trace``, ``retry``, ``doctor``: what people look at and ask for."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from app import doctor as doctoring
from app import service
from app.cli.actions import commands
from app.cli.common import (
    Json,
    Level,
    Name,
    Told,
    console,
    pairs,
    print_json,
    settings,
    short_bridge,
    table,
    when,
)


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    app.command()(problems)
    app.command()(log)
    app.command()(trace)
    app.command()(retry)
    app.command()(doctor)


def problems(
    name: Name,
    domain: Annotated[Told | None, typer.Option("--domain", help="Only this domain.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    as_json: Json = False,
) -> None:
    """Open problems of a tenant: what is wrong, what to do, where. In the tenant's language."""
    with short_bridge() as bridge:
        rows = service.problems(bridge, name, closed_too=everything, domain=domain)
    if as_json:
        print_json(rows)
        return
    if not rows:
        console.print(
            f"Tenant '{name}' has no {'' if everything else 'open '}problems{f' of {domain}' if domain else ''}."
        )
    for row in rows:
        called = " ".join(part for part in (row["number"], row["name"]) if part)
        closed = f" [dim](closed: {escape(row['closed_how'])})[/dim]" if row["closed_at"] else ""
        console.print(
            f"[bold]{row['id']}[/bold] {row['domain']} {escape(called)} [dim]{row['code']}[/dim]{closed}"
        )
        console.print(f"   [red]{escape(row['wrong'])}[/red]")
        console.print(f"   → {escape(row['do'])} [dim]({escape(row['where'])})[/dim]")
        for command in commands(name, row):
            console.print(f"     [dim]{escape(command)}[/dim]", soft_wrap=True)


def log(
    name: Name,
    domain: Annotated[Told | None, typer.Option("--domain", help="Only this domain.")] = None,
    level: Annotated[Level | None, typer.Option("--level", help="Only this level.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many lines.")] = 50,
    *,
    as_json: Json = False,
) -> None:
    """The transfer log of a tenant, newest first."""
    with short_bridge() as bridge:
        rows = service.transfer_log(bridge, name, domain=domain, level=level, limit=limit)
    if as_json:
        print_json(rows)
        return
    table(
        "Transfer log",
        ("time (UTC)", "domain", "record", "outcome", "what happened", "ms"),
        [
            (
                when(r["at"]),
                r["domain"],
                f"{r['number']} {r['name']}".strip(),
                r["outcome"],
                r["sentence"],
                r["duration_ms"],
            )
            for r in rows
        ],
    )


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
    if as_json:
        print_json(
            [
                {key: getattr(one, key) for key in ("record", "link", "work", "attempts", "log")}
                for one in found
            ]
        )
        return
    for one in found:
        _print_trace(one, calls=calls)


def _print_trace(one: service.Traced, *, calls: bool) -> None:
    record = one.record
    console.print(
        f"[bold]{escape(record['number'])} {escape(record['name'])}[/bold]  {record['system']}/{record['register']} {record['id']}"
        f"  version {record['version']}, settled {record['settled_version']}"
    )
    if one.link:
        console.print(f"  linked: {escape(pairs(one.link))}")
    for row in one.work:
        console.print(
            f"  unfinished: {row['domain']} {row['state']}, due {when(row['due_at'])}, attempts {row['attempts']}"
        )
    for attempt in one.attempts:
        console.print(
            f"  {when(attempt['started_at'])} {attempt['domain']}: {attempt['outcome'] or 'running'} {escape(attempt['error'] or '')}"
        )
        for step in attempt["steps"]:
            state = "done" if step["done_at"] else "sent, no answer yet" if step["sent_at"] else "not done"
            console.print(f"      step {step['name']}: {state} {escape(pairs(step['result']))}")
        for call in attempt["calls"]:
            console.print(
                f"      [dim]{call['method']} {escape(call['path'])} → {call['status'] or call['error']} in {call['seconds']:.2f} s[/dim]"
            )
            if calls:
                for part in ("request", "response"):
                    if call[part]:
                        console.print(f"        [dim]{part}: {escape(call[part])}[/dim]")
    for line in one.log:
        console.print(f"  {when(line['at'])} [bold]{escape(line['sentence'])}[/bold]")


def retry(
    name: Name,
    problem: Annotated[
        str, typer.Argument(help="A problem's number, or a code for all problems of that cause.")
    ],
) -> None:
    """Try a problem's record again now."""
    with short_bridge() as bridge:
        asked = service.retry(bridge, name, problem)
    console.print(f"{asked} {'record is' if asked == 1 else 'records are'} tried again.")


def doctor(*, as_json: Json = False) -> None:
    """Check the installation: settings, database, keys, RabbitMQ, and every tenant's connections."""
    checks = doctoring.examine(settings(quiet=True))
    if as_json:
        print_json([check.__dict__ for check in checks])
    else:
        mark: dict[bool, Any] = {True: "[green]fine[/green]", False: "[red]wrong[/red]"}
        for check in checks:
            console.print(f"{mark[check.fine]}  {escape(check.what)}: {escape(check.found)}")
    if not all(check.fine for check in checks):
        raise typer.Exit(2)
