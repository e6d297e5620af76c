"""``severa-bridge relink`` and ``severa-bridge class``: what people decide about pairs of records."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from app import linking, service
from app.cli.common import Json, Name, print_json, short_bridge
from app.cli.rows.decisions import ClassChosen, ClassesRow, Relinked
from app.cli.showing import Reader, console

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
    *,
    as_json: Json = False,
) -> None:
    """Move a link to another pair of records, after two records became one or a wrong pair was linked."""
    with short_bridge() as bridge:
        moved = linking.relink(bridge, name, domain, severa_id, erp_id)
    if as_json:
        print_json("relink", Relinked, moved)
        return
    console.print(f"{moved['severa']} (Severa) is linked to {moved['erp']} (Visma.net ERP).")


def class_(
    name: Name,
    domain: Annotated[Literal["customer", "product"], typer.Argument(help="What the record is.")],
    record: Record,
    value: Annotated[str | None, typer.Argument(help="The class to keep; unset: show what there is.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Show or choose the customer class or item class of one record; it is kept in the bridge."""
    with short_bridge() as bridge:
        if value is not None:
            named = linking.choose_class(bridge, name, domain, record, value)
            if as_json:
                print_json("class", ClassChosen, {"record": named, "chosen": value})
            else:
                console.print(f"{named} has class {value}.")
            return
        found = linking.classes(bridge, name, domain, record)
        reader = Reader.of(service.find_tenant(bridge, name))
    if as_json:
        offered = [{"name": one, "description": said} for one, said in found.offered]
        shown = {"record": found.record, "chosen": found.chosen, "offered": offered}
        print_json("class", ClassesRow, shown)
        return
    reader.table(
        f"{reader.word('classes')}: {found.record}",
        ("class", "description", "chosen"),
        [(one, said, reader.word("yes") if one == found.chosen else "") for one, said in found.offered],
    )
