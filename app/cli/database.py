"""``severa-bridge db …`` and ``secrets …``: what the operator does with the store."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from app import adopting, service, standing
from app.cli.common import Json, print_json, settings, short_bridge
from app.cli.rows.installation import Adopted, Migrated, NewKey, Rotated, StatusRow
from app.cli.showing import console
from app.embedded import embedded_database
from db.migrate import migrate
from db.secrets import new_key
from domain.errors import InputError

app = typer.Typer(help="The database: migrations, and which one counts.", no_args_is_help=True)
secrets_app = typer.Typer(help="Keys for the stored secrets.", no_args_is_help=True)


@app.callback()
def _db() -> None:
    """The database: migrations, and which one counts."""


@app.command("migrate")
def migrate_(*, as_json: Json = False) -> None:
    """Bring the database up to this version and make the application's login (needs BRIDGE_OWNER_DATABASE_URL)."""
    found = settings(quiet=True)
    if found.embedded_database:
        # It migrates whenever it is opened.
        with embedded_database(found.data):
            pass
        if as_json:
            print_json("db migrate", Migrated, {"applied": []})
            return
        console.print("The embedded database is up to date.")
        return
    if found.owner_database_url is None:
        raise InputError(
            "BRIDGE_OWNER_DATABASE_URL is not set: migrations need the owner of the tables, which the application is not."
        )
    applied = migrate(found.owner_database_url, found.database_url)
    if as_json:
        print_json("db migrate", Migrated, {"applied": list(applied)})
        return
    console.print(f"Applied: {', '.join(applied)}." if applied else "The database is up to date.")


@app.command()
def status(*, as_json: Json = False) -> None:
    """Say whether this is the database that was last written to, whether writes are on, and why not."""
    with short_bridge() as bridge:
        found = adopting.look(bridge)
    if as_json:
        print_json("db status", StatusRow, found.plain())
        return
    console.print(found.sentence)
    if not found.remembered or found.trouble:
        console.print(f"Memory: {found.memory_sentence}.")


@app.command()
def adopt(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")] = False,
    as_json: Json = False,
) -> None:
    """Say that this restored, copied or rewound database counts from now on, and that no other one is at work.

    Says what was found and what adopting does, and asks. Afterwards everything is read anew before anything is sent.
    """
    with short_bridge() as bridge:
        found = adopting.look(bridge)
        if not as_json:
            console.print(standing.found(found.verdict, found.facts))
            if found.facts is not None and found.facts.stepped:
                console.print(standing.STEPPED)
            console.print(standing.ADOPTING.format(seconds=bridge.settings.settle_seconds))
        if not yes:
            if as_json or not sys.stdin.isatty():
                raise InputError("Nothing was changed: say --yes, since nobody can be asked here.")
            typer.confirm(
                "Is every other bridge on these companies stopped, and does this database count?", abort=True
            )
        epoch = adopting.adopt(bridge, found)
        after = adopting.look(bridge)
    if as_json:
        print_json("db adopt", Adopted, {"found": found.plain(), "adopted": after.plain()})
        return
    console.print(
        f"The database is adopted (epoch {epoch}): both systems are read anew, then the transfers go on."
    )


@secrets_app.command("new-key")
def new_key_(*, as_json: Json = False) -> None:
    """Print a fresh key for BRIDGE_SECRET_KEYS or the key file."""
    key = new_key()
    if as_json:
        print_json("secrets new-key", NewKey, {"key": key})
        return
    typer.echo(key)


@secrets_app.command("rotate")
def rotate(*, as_json: Json = False) -> None:
    """Re-encrypt every stored secret with the first key; afterwards the other keys can be dropped."""
    with short_bridge() as bridge:
        count = service.rotate_secrets(bridge)
    if as_json:
        print_json("secrets rotate", Rotated, {"connections": count})
        return
    console.print(f"{count} connections are encrypted with the first key.")
