"""``severa-bridge db …`` and ``secrets …``: what the operator does with the store."""

from __future__ import annotations

import typer

from app import service
from app.cli.common import console, settings, short_bridge
from app.embedded import embedded_database
from db import installation, streams
from db.migrate import migrate
from db.secrets import new_key
from domain.errors import InputError

app = typer.Typer(help="The database: migrations.", no_args_is_help=True)
secrets_app = typer.Typer(help="Keys for the stored secrets.", no_args_is_help=True)


@app.callback()
def _db() -> None:
    """The database: migrations."""


@app.command("migrate")
def migrate_() -> None:
    """Bring the database up to this version and make the application's login (needs BRIDGE_OWNER_DATABASE_URL)."""
    found = settings(quiet=True)
    if found.embedded_database:
        with embedded_database(found.data):
            console.print("The embedded database is up to date.")
        return
    if found.owner_database_url is None:
        raise InputError(
            "BRIDGE_OWNER_DATABASE_URL is not set: migrations need the owner of the tables, which the application is not."
        )
    applied = migrate(found.owner_database_url, found.database_url)
    console.print(f"Applied: {', '.join(applied)}." if applied else "The database is up to date.")


@app.command()
def adopt() -> None:
    """Say that this restored or cloned database is the one from now on (the original must be gone).

    Until then nothing is transferred; afterwards every register is read anew before anything is created.
    """
    with short_bridge() as bridge, bridge.db.dispatch() as db:
        installation.adopt(db)
        streams.ask(db, None)
    console.print("The database is adopted: both systems are read anew, then the transfers go on.")


@secrets_app.command("new-key")
def new_key_() -> None:
    """Print a fresh key for BRIDGE_SECRET_KEYS or the key file."""
    typer.echo(new_key())


@secrets_app.command("rotate")
def rotate() -> None:
    """Re-encrypt every stored secret with the first key; afterwards the other keys can be dropped."""
    with short_bridge() as bridge:
        count = service.rotate_secrets(bridge)
    console.print(f"{count} connections are encrypted with the first key.")
