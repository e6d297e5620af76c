"""Shared by the commands: options, settings, an opened bridge, JSON."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import typer

from app import logs
from app.bootstrap import Bridge, open_bridge
from app.cli.rows import checked
from app.cli.rows.row import Row
from app.settings import Settings, read_settings
from domain.errors import BridgeError, Interrupted
from domain.model import Domain

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Name = Annotated[str, typer.Argument(help="The tenant's name.")]

# An option with a fixed set of values has it in its type: a word that is misspelt is refused with the list. As text it
# would find nothing, and nothing found looks like success.
Told = Literal[Domain, "connection", "poll"]
"""What a problem or a line of the transfer log is about: a domain, the connections and settings of the tenant, or a reading."""
Level = Literal["info", "warning", "error"]
"""Levels of the transfer log."""
Outcome = Literal["done", "failed", "in_doubt"]
"""What became of a delivery."""


def settings(*, quiet: bool = False) -> Settings:
    """Settings from the environment, logs set up. ``quiet``: short commands log warnings only."""
    found = read_settings()
    logs.set_up("warning" if quiet and found.log_level == "info" else found.log_level)
    return found


@contextmanager
def short_bridge() -> Iterator[Bridge]:
    """A bridge for a command that reads or changes something and ends. Raises Interrupted for what fails after Ctrl-C."""
    stop = threading.Event()
    with interruptible(stop), open_bridge(settings(quiet=True), stop) as bridge:
        try:
            yield bridge
        except BridgeError as error:
            if stop.is_set() and not isinstance(error, Interrupted):
                raise Interrupted from error
            raise


@contextmanager
def interruptible(stop: threading.Event) -> Iterator[None]:
    """SIGINT and SIGTERM raise KeyboardInterrupt and set ``stop``.

    Python drops an exception that is raised while it collects garbage or runs a callback of a driver: a loop that waits
    would go on to its end as if nobody had asked. It sees ``stop`` at its next turn.
    """

    def ask(_number: int, _frame: object) -> None:
        stop.set()
        raise KeyboardInterrupt

    old = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def print_json(command: str, row: type[Row], value: Any) -> None:
    """One JSON document on standard output, of the rows that ``app.cli.rows`` promises for the command."""
    typer.echo(json.dumps(checked(command, row, value), ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def warn(sentence: str) -> None:
    """A sentence on standard error; the command goes on."""
    typer.echo(f"severa-bridge: {sentence}", err=True)
