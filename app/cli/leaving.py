"""``severa-bridge tenant erase`` and ``tenant erased``: a tenant that goes, and what is left of those that went."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from app import leaving, service
from app.cli import tenant
from app.cli.common import Json, Name, print_json, short_bridge
from app.cli.rows.tenants import ErasedRow, NotErased
from app.cli.showing import ENGLISH, console, table
from app.leaving import NotFinished, Progress
from db.leaving import Erasure, Unfinished, Waits
from domain.errors import InputError, Interrupted

# Lines shown of what would be left behind.
SHOWN = 20
_WHAT = {
    "in_doubt": "in doubt",
    "held": "may stand on hold",
    "begun": "begun, not at its end",
}


def register() -> None:
    """Adds the commands to those of tenants."""
    tenant.app.command()(erase)
    tenant.app.command()(erased)


def erase(
    name: Name,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export", metavar="FILE", help="Write everything to this zip file first (no secrets)."
        ),
    ] = None,
    *,
    without_export: Annotated[
        bool, typer.Option("--without-export", help="Erase without writing it anywhere.")
    ] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also with invoices that are in doubt or not at their end.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")] = False,
    as_json: Json = False,
) -> None:
    """Let a tenant go: nothing more is transferred, what was sent comes to its end, then all of it is exported and erased.

    Can be stopped and run again. Until the erasing begins 'tenant resume' has the tenant stay; afterwards its pair of
    companies may be added anew.
    """
    with short_bridge() as bridge:
        going = service.find_tenant(bridge, name)
        if going.state != "erasing" and (export is None) is not without_export:
            raise InputError("Say one of --export FILE and --without-export.")
        try:
            if not yes:
                _ask(name, leaving.unfinished(bridge, name), begun=going.state == "erasing", as_json=as_json)
            gone = leaving.erase(
                bridge, name, export_to=export, anyway=anyway, say=_quiet if as_json else _said
            )
        except NotFinished as error:
            if as_json:
                left = [asdict(one) for one in error.unfinished]
                print_json("tenant erase", NotErased, {"tenant": name, "unfinished": left})
            else:
                _show(error.unfinished)
            raise
        except (KeyboardInterrupt, Interrupted):
            if not as_json:
                console.print(
                    f"Tenant '{name}' is left as it is now ('tenant list' shows it); the command goes on when it is run again."
                )
            raise
    if as_json:
        print_json("tenant erase", ErasedRow, _plain(gone))
        return
    console.print(
        f"Tenant '{name}' is erased: {sum(gone.counts.values())} rows of {len(gone.counts)} tables"
        + (f", exported to {escape(gone.exported_to)} before." if gone.exported_to else ".")
        + " Its pair of companies may be added anew."
    )


def erased(*, as_json: Json = False) -> None:
    """Tenants that were erased: by whom, when, and how much. Nothing else is left of them."""
    with short_bridge() as bridge:
        rows = leaving.erasures(bridge)
    if as_json:
        print_json("tenant erased", ErasedRow, [_plain(row) for row in rows])
        return
    table(
        "Erased tenants",
        ("name", "by", "began (UTC)", "ended (UTC)", "rows", "exported to"),
        [
            (
                row.name,
                row.who,
                ENGLISH.when(row.began_at),
                ENGLISH.when(row.ended_at),
                sum(row.counts.values()),
                row.exported_to or "–",
            )
            for row in rows
        ],
    )


def _ask(name: str, left: Sequence[Unfinished], *, begun: bool, as_json: bool) -> None:
    """Has the name typed. Raises InputError where nobody can be asked."""
    if as_json or not sys.stdin.isatty():
        raise InputError("Nothing was changed: say --yes, since nobody can be asked here.")
    _show(left)
    console.print(
        f"The erasing of tenant '{name}' has begun and goes on."
        if begun
        else f"Everything that the bridge keeps of tenant '{name}' will be erased; both systems keep what they have."
    )
    if typer.prompt("Type the tenant's name to go on").strip() != name:
        raise InputError("Nothing was changed: that is not the tenant's name.")


def _show(left: Sequence[Unfinished]) -> None:
    for one in left[:SHOWN]:
        called = (
            " ".join(part for part in (one.number, one.name) if part) or one.severa_id or one.erp_id or "–"
        )
        documents = f" {one.documents}" if one.documents else ""
        console.print(f"  {one.domain} {escape(called)}: {_WHAT[one.what]}{escape(documents)}")
    if len(left) > SHOWN:
        console.print(f"  and {len(left) - SHOWN} more")


def _said(news: Waits | Progress) -> None:
    """What is waited for, and how far the tables are."""
    if isinstance(news, Progress):
        console.print(f"  {news.what} {news.table:<16} {news.rows:>8} rows")
    else:
        console.print(waiting_sentence(news))


def waiting_sentence(found: Waits) -> str:
    """What a leaving tenant waits for, and until when at the latest."""
    parts = []
    if found.at_work:
        parts.append(
            f"{found.at_work} {'delivery that is' if found.at_work == 1 else 'deliveries that are'} under way"
        )
    if found.unanswered:
        parts.append(f"{found.unanswered} {'call' if found.unanswered == 1 else 'calls'} without an answer")
    elif found.unsettled:
        parts.append("what was sent last to show")
    if found.quiet:
        parts.append("the quiet time after a restore")
    if not found.steady:
        parts.append("PostgreSQL's clock to be steady again")
    until = f", until {ENGLISH.when(found.until)} (UTC) at the latest" if found.until else ""
    return f"Waits for {', '.join(parts)}{until}."


def _quiet(_news: Waits | Progress) -> None:
    pass


def _plain(row: Erasure) -> dict[str, Any]:
    return {
        **asdict(row),
        "id": str(row.id),
        "began_at": row.began_at.isoformat(),
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
        "counts": dict(row.counts),
        "unfinished": dict(row.unfinished),
    }
