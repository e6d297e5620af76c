"""``severa-bridge demo``: a small company's day on both simulators."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command()(demo)


def demo(
    *,
    once: Annotated[
        bool,
        typer.Option("--once", help="End when the day is over: 0 when every invoice is proven, 1 when not."),
    ] = False,
) -> None:
    """Play a small company's day: invoices approved in Severa are booked, numbered, partly paid and paid."""
    from app.demo import play  # noqa: PLC0415 - brings the simulators along

    raise typer.Exit(play(once=once))
