"""``severa-bridge``: the command line, for people (tables and sentences) and for scripts (``--json``).

Exit codes: 0 well · 2 the input or the installation needs something (one sentence says what) · 3 idle with open
problems · 4 out of time · 130 stopped by a signal.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from app.cli import database, demo, doubt, leaving, linking, listing, processes, reading, reviewing, tenant
from domain.errors import BridgeError, InputError, Interrupted

app = typer.Typer(
    name="severa-bridge",
    help="Keeps Visma Severa and Visma.net ERP in step: customers and products both ways, projects and invoices to the "
    "books, numbers, payments and costs back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - the option's value, as typer hands it over
    if wanted:
        typer.echo(f"severa-bridge {version('severa-bridge')}")
        raise typer.Exit


@app.callback()
def _program(
    *,
    _shown: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_version),
    ] = False,
) -> None:
    pass


leaving.register()
app.add_typer(tenant.app, name="tenant")
app.add_typer(doubt.app, name="doubt")
app.add_typer(database.app, name="db")
app.add_typer(database.secrets_app, name="secrets")
processes.register(app)
listing.register(app)
reading.register(app)
linking.register(app)
reviewing.register(app)
demo.register(app)


def main() -> None:
    """Entry point; every expected error is one sentence on standard error and exit code 2."""
    try:
        code = app(standalone_mode=False)
        # outside standalone mode typer.Exit does not come through: its code is what the call returns
        if isinstance(code, int) and code:
            sys.exit(code)
    except BridgeError as error:
        _say(error.message)
        sys.exit(_code(error))
    except KeyboardInterrupt:
        _say("Stopped.")
        sys.exit(130)
    except typer.Exit as done:
        sys.exit(done.exit_code)
    except typer.Abort:
        sys.exit(130)
    except Exception as error:
        usage = getattr(error, "format_message", None)
        if usage is None:
            raise
        said = str(usage()).strip().replace("Value error, ", "")
        if not said:
            # Nothing was asked for, so the help was shown: nothing is wrong.
            sys.exit(0)
        _say(said if said.endswith((".", "?")) else f"{said}.")
        sys.exit(2)


def _code(error: BridgeError) -> int:
    if isinstance(error, InputError):
        return 2
    return 130 if isinstance(error, Interrupted) else 1


def _say(text: str) -> None:
    # Escaped: a message may quote a section of a file or a list in brackets, which is no markup.
    Console(stderr=True, soft_wrap=True, highlight=False).print(f"[red]severa-bridge:[/red] {escape(text)}")
