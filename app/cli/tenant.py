"""``severa-bridge tenant …``: add, list, show, go live, pause, resume."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from app import braking, service, signing_in
from app.cli.common import Json, Name, print_json, short_bridge, warn
from app.cli.rows.tenants import (
    Paused,
    SettingChanged,
    SignedIn,
    TenantAdded,
    TenantRow,
    TenantShown,
    WentLive,
)
from app.cli.showing import Reader, console, table
from app.clients import RECHECK_SECONDS
from domain import model
from domain.model import System

app = typer.Typer(
    help="Tenants: one Severa organisation linked to one Visma.net ERP company.", no_args_is_help=True
)

# The first version names every setting; so many are not read in a list.
MANY = 12

Domain = Annotated[
    model.Domain | None,
    typer.Option("--domain", help="Only this domain."),
]


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="The tenant's TOML file (docs/settings.md shows one).")],
    *,
    as_json: Json = False,
) -> None:
    """Check both connections of a tenant file and store the tenant; adding it again changes what the file names.

    A tenant is one pair of companies for life: another pair, or a company that another tenant has, is refused.
    """
    read = service.load_tenant_file(file)
    with short_bridge() as bridge:
        new = service.add_tenant(bridge, read)
    if as_json:
        print_json("tenant add", TenantAdded, {"tenant": read.name, "added": new})
        return
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
    *,
    as_json: Json = False,
) -> None:
    """Sign a person in to Visma.net ERP once, for applications of the interactive kind; the bridge goes on by itself."""
    with short_bridge() as bridge:
        started = signing_in.begin(bridge, name, redirect_uri)
        # What is asked goes to standard error where standard output is a script's.
        typer.echo("Open this address in a browser and sign in:", err=as_json)
        typer.echo(started.url, err=as_json)
        came_back = typer.prompt("The address that the browser ended at", err=as_json)
        signing_in.finish(bridge, name, started, came_back)
    if as_json:
        print_json("tenant sign-in", SignedIn, {"tenant": name, "signed_in": True})
        return
    console.print(f"Tenant '{name}' is signed in to Visma.net ERP.")


@app.command("list")
def list_(*, as_json: Json = False) -> None:
    """All tenants: state, when each system was last read to the end, open problems."""
    with short_bridge() as bridge:
        rows = service.list_tenants(bridge)
    if as_json:
        print_json("tenant list", TenantRow, rows)
        return
    table(
        "Tenants",
        ("name", "state", "Severa as of", "Visma.net ERP as of", "unfinished", "problems"),
        [
            (
                row["name"],
                row["state"]
                + (f" (paused: {', '.join(row['paused_domains'])})" if row["paused_domains"] else ""),
                _local(row, "severa"),
                _local(row, "visma_net"),
                row["unfinished"],
                row["problems"],
            )
            for row in rows
        ],
    )


def _local(row: dict[str, Any], system: str) -> str:
    """Each tenant's own time with its zone: the list goes over several."""
    at = row["current_as_of"].get(system)
    if not at:
        return "–"
    return datetime.fromisoformat(at).astimezone(ZoneInfo(row["time_zone"])).strftime("%Y-%m-%d %H:%M:%S %Z")


@app.command()
def show(name: Name, *, as_json: Json = False) -> None:
    """One tenant: state, every setting as it is used, and who changed what when."""
    with short_bridge() as bridge:
        shown = service.show_tenant(bridge, name)
        reader = Reader("en", Reader.of(service.find_tenant(bridge, name)).zone)
    if as_json:
        print_json("tenant show", TenantShown, shown)
        return
    row = shown["tenant"]
    console.print(f"[bold]{row['name']}[/bold] {row['id']}")
    console.print(
        f"state {row['state']}, language {row['language']}, zone {row['time_zone']}, "
        f"{row['unfinished']} unfinished, {row['problems']} open problems"
    )
    reader.table(
        reader.word("settings"),
        ("setting", "value", ""),
        [(one["key"], _value(one["value"]), "" if one["stored"] else "default") for one in shown["settings"]],
    )
    reader.table(
        "Versions of the settings, newest first",
        ("version", "time", "by", "changed"),
        [
            (one["version"], reader.when(one["made_at"]), one["made_by"], _changes(one["changed"]))
            for one in shown["versions"]
        ],
        timed=True,
    )


def _value(value: Any) -> str:
    """As ``tenant set`` takes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _changes(changed: dict[str, Any]) -> str:
    if len(changed) > MANY:
        return f"{len(changed)} settings"
    return ", ".join(f"{key} = {_value(value)}" for key, value in changed.items())


@app.command("go-live")
def go_live(name: Name, *, as_json: Json = False) -> None:
    """Read both systems once to the end and switch the tenant on.

    Pairs whose number and name (customers) or code (products) agree are linked, the rest is created in the other
    system, conflicts become problems.
    """

    read: list[dict[str, Any]] = []

    def progress(system: System, register: str, rows: int) -> None:
        read.append({"system": system, "register": register, "rows": rows})
        if not as_json:
            console.print(f"  read {service.SYSTEM_NAMES[system]:<14} {register:<26} {rows:>7} rows")

    with short_bridge() as bridge:
        live = service.go_live(bridge, name, progress)
    if as_json:
        print_json(
            "tenant go-live", WentLive, {"tenant": name, "live": True, "was_live": not live, "read": read}
        )
        return
    console.print(f"Tenant '{name}' is live." if live else f"Tenant '{name}' was live already.")


@app.command("set")
def set_(
    name: Name,
    key: Annotated[str, typer.Argument(help="The setting's name (docs/settings.md lists them).")],
    value: Annotated[str, typer.Argument(help='The value: a word, a number, or JSON such as {"30": "30"}.')],
    *,
    as_json: Json = False,
) -> None:
    """Change one setting of a tenant; earlier versions are kept."""
    warnings: list[str] = []
    with short_bridge() as bridge:
        count = service.set_setting(bridge, name, key, value, warnings.append if as_json else warn)
        if as_json:
            kept = next(
                one["value"] for one in service.show_tenant(bridge, name)["settings"] if one["key"] == key
            )
            done = {"tenant": name, "key": key, "value": kept, "looked_at_again": count, "warnings": warnings}
            print_json("tenant set", SettingChanged, done)
            return
    again = f" {count} records are looked at again." if count else ""
    console.print(f"{key} of tenant '{name}' is {value}.{again}")


@app.command()
def pause(name: Name, domain: Domain = None, *, as_json: Json = False) -> None:
    """Stop polling and transferring for a tenant (or one of its domains); what is begun runs to its end."""
    with short_bridge() as bridge:
        service.set_paused(bridge, name, paused=True, domain=domain)
    if as_json:
        print_json("tenant pause", Paused, {"tenant": name, "domain": domain, "paused": True, "held": []})
        return
    console.print(f"{_what(name, domain)} is paused.")


@app.command()
def resume(name: Name, domain: Domain = None, *, as_json: Json = False) -> None:
    """Go on after a pause; whatever changed meanwhile is transferred now."""
    with short_bridge() as bridge:
        shown = service.held(bridge, name)
        for one in () if as_json else shown:
            console.print(
                f"  held: {one.register} of {service.SYSTEM_NAMES[one.system]}, {one.changed} of {one.known} records "
                f"changed, {one.missing} missing, {one.waiting} to be announced"
            )
        if shown and not as_json and sys.stdin.isatty():
            typer.confirm("Let this through?", abort=True)
            service.set_paused(bridge, name, paused=False, domain=domain, shown=shown)
        else:
            # Nobody was asked here: what the open questions say counts, and they refuse what has come since.
            service.set_paused(bridge, name, paused=False, domain=domain)
    if as_json:
        held = [_held(one) for one in shown]
        print_json("tenant resume", Paused, {"tenant": name, "domain": domain, "paused": False, "held": held})
        return
    console.print(f"{_what(name, domain)} is going on.")


def _held(one: braking.Held) -> dict[str, Any]:
    numbers = {key: getattr(one, key) for key in ("known", "changed", "missing", "waiting")}
    return {"system": one.system, "register": one.register, **numbers}


def _what(name: str, domain: str | None) -> str:
    return f"Tenant '{name}'" if domain is None else f"Domain '{domain}' of tenant '{name}'"
