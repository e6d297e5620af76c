"""``severa-bridge relink`` and ``severa-bridge class``: what people decide about pairs of records."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from app import linking
from app.cli.common import Name, console, short_bridge, table

Record = Annotated[str, typer.Argument(help="The Severa record: its guid, or its number or code.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(relink)
    app.command("class")(class_)


def relink(
    name: Name,
    domain: Annotated[
        Literal["customer", "product", "project"], typer.Argument(help="What the records are.")
    ],
    severa_id: Record,
    erp_id: Annotated[str, typer.Argument(help="The ERP record: its internal id, or its number.")],
) -> None:
    """Move a link to another pair of records, after two records became one or a wrong pair was linked."""
    with short_bridge() as bridge:
        moved = linking.relink(bridge, name, domain, severa_id, erp_id)
    console.print(f"{moved['severa']} (Severa) is linked to {moved['erp']} (Visma.net ERP).")


def class_(
    name: Name,
    domain: Annotated[Literal["customer", "product"], typer.Argument(help="What the record is.")],
    record: Record,
    value: Annotated[str | None, typer.Argument(help="The class to keep; unset: show what there is.")] = None,
) -> None:
    """Show or choose the customer class or item class of one record; it is kept in the bridge."""
    with short_bridge() as bridge:
        if value is not None:
            named = linking.choose_class(bridge, name, domain, record, value)
            console.print(f"{named} has class {value}.")
            return
        found = linking.classes(bridge, name, domain, record)
    table(
        f"Classes for {found.record}",
        ("class", "description", "chosen"),
        [(one, said, "yes" if one == found.chosen else "") for one, said in found.offered],
    )
