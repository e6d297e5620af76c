"""``severa-bridge tenant …``: add, list, go live, pause, resume."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from app import service, signing_in
from app.cli.common import Json, Name, console, print_json, short_bridge, table, warn, when
from app.clients import RECHECK_SECONDS
from domain import model
from domain.model import System

app = typer.Typer(
    help="Tenants: one Severa organisation linked to one Visma.net ERP company.", no_args_is_help=True
)

Domain = Annotated[
    model.Domain | None,
    typer.Option("--domain", help="Only this domain."),
]


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="The tenant's TOML file (docs/settings.md shows one).")],
) -> None:
    """Check both connections of a tenant file and store the tenant; adding it again changes what the file names.

    A tenant is one pair of companies for life: another pair, or a company that another tenant has, is refused.
    """
    read = service.load_tenant_file(file)
    with short_bridge() as bridge:
        new = service.add_tenant(bridge, read)
    console.print(
        f"Tenant '{read.name}' is {'added' if new else 'changed'}; both systems answer."
        + (
            f" Next: severa-bridge tenant go-live {read.name}"
            if new
            else f" Every process uses it within {RECHECK_SECONDS:.0f} seconds, without a restart."
        )
    )


@app.command("sign-in")
def sign_in(
    name: Name,
    redirect_uri: Annotated[
        str, typer.Option("--redirect-uri", help="The redirect address registered for the application.")
    ],
) -> None:
    """Sign a person in to Visma.net ERP once, for applications of the interactive kind; the bridge goes on by itself."""
    with short_bridge() as bridge:
        started = signing_in.begin(bridge, name, redirect_uri)
        console.print("Open this address in a browser and sign in:")
        typer.echo(started.url)
        came_back = typer.prompt("The address that the browser ended at")
        signing_in.finish(bridge, name, started, came_back)
    console.print(f"Tenant '{name}' is signed in to Visma.net ERP.")


@app.command("list")
def list_(*, as_json: Json = False) -> None:
    """All tenants: state, when each system was last read to the end, open problems."""
    with short_bridge() as bridge:
        rows = service.list_tenants(bridge)
    if as_json:
        print_json(rows)
        return
    table(
        "Tenants",
        ("name", "state", "Severa as of", "Visma.net ERP as of", "unfinished", "problems"),
        [
            (
                row["name"],
                row["state"]
                + (f" (paused: {', '.join(row['paused_domains'])})" if row["paused_domains"] else ""),
                when(row["current_as_of"].get("severa")),
                when(row["current_as_of"].get("visma_net")),
                row["unfinished"],
                row["problems"],
            )
            for row in rows
        ],
    )


@app.command("go-live")
def go_live(name: Name) -> None:
    """Read both systems once to the end and switch the tenant on.

    Pairs whose number and name (customers) or code (products) agree are linked, the rest is created in the other
    system, conflicts become problems.
    """

    def progress(system: System, register: str, rows: int) -> None:
        console.print(f"  read {service.SYSTEM_NAMES[system]:<14} {register:<26} {rows:>7} rows")

    with short_bridge() as bridge:
        live = service.go_live(bridge, name, progress)
    console.print(f"Tenant '{name}' is live." if live else f"Tenant '{name}' was live already.")


@app.command("set")
def set_(
    name: Name,
    key: Annotated[str, typer.Argument(help="The setting's name (docs/settings.md lists them).")],
    value: Annotated[str, typer.Argument(help='The value: a word, a number, or JSON such as {"30": "30"}.')],
) -> None:
    """Change one setting of a tenant; earlier versions are kept."""
    with short_bridge() as bridge:
        count = service.set_setting(bridge, name, key, value, warn)
    again = f" {count} records are looked at again." if count else ""
    console.print(f"{key} of tenant '{name}' is {value}.{again}")


@app.command()
def pause(name: Name, domain: Domain = None) -> None:
    """Stop polling and transferring for a tenant (or one of its domains); what is begun runs to its end."""
    with short_bridge() as bridge:
        service.set_paused(bridge, name, paused=True, domain=domain)
    console.print(f"{_what(name, domain)} is paused.")


@app.command()
def resume(name: Name, domain: Domain = None) -> None:
    """Go on after a pause; whatever changed meanwhile is transferred now."""
    with short_bridge() as bridge:
        shown = service.held(bridge, name)
        for one in shown:
            console.print(
                f"  held: {one.register} of {service.SYSTEM_NAMES[one.system]}, {one.changed} of {one.known} records "
                f"changed, {one.missing} missing, {one.waiting} to be announced"
            )
        if shown and sys.stdin.isatty():
            typer.confirm("Let this through?", abort=True)
            service.set_paused(bridge, name, paused=False, domain=domain, shown=shown)
        else:
            # Nobody was asked here: what the open questions say counts, and they refuse what has come since.
            service.set_paused(bridge, name, paused=False, domain=domain)
    console.print(f"{_what(name, domain)} is going on.")


def _what(name: str, domain: str | None) -> str:
    return f"Tenant '{name}'" if domain is None else f"Domain '{domain}' of tenant '{name}'"
