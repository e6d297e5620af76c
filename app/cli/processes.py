"""``up``, ``poller``, ``relay``, ``worker``, ``web``, ``simulators``: the long-running processes."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import ExitStack
from typing import Annotated, Literal, Protocol

import typer
from rich.markup import escape
from rich.status import Status

from app import logs, running
from app.bootstrap import open_bridge
from app.cli.common import print_json, settings
from app.cli.rows.installation import Ending
from app.cli.showing import console
from app.embedded import make_data_dir, only_process
from app.postgresql import open_private
from app.running import Ended, Outcome
from app.settings import Settings
from app.telling import Teller
from db import outbox
from domain import clock
from domain.errors import InputError

LOG_NAME = "bridge.log"
# Seconds between two sentences about one tenant at the least.
TOLD_EVERY = 2.0
LogFormat = Literal["text", "json"]


class Say(Protocol):
    """Tells what has happened since the last time; ``now``: without waiting for more."""

    def __call__(self, *, now: bool) -> None:
        """On standard output."""


Threads = Annotated[
    int | None,
    typer.Option("--threads", min=1, max=256, help="Worker threads (default: BRIDGE_WORKER_THREADS)."),
]


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    app.command()(up)
    app.command()(poller)
    app.command()(relay)
    app.command()(worker)
    app.command()(web)
    app.command()(simulators)


def up(
    *,
    until_idle: Annotated[
        bool,
        typer.Option(
            "--until-idle",
            help="End when both systems have been read once more without a change and nothing is unfinished.",
        ),
    ] = False,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout", min=0, max=31_622_400, metavar="SECONDS", help="End with code 4 after this time."
        ),
    ] = None,
    threads: Threads = None,
    log_format: Annotated[
        LogFormat | None,
        typer.Option(
            "--log-format",
            help="Sentences, with the log in bridge.log of the data directory; or JSON lines on standard error. "
            "Default: sentences on a terminal.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --until-idle: how it ended, machine-readable.")
    ] = False,
) -> None:
    """Run everything in this process: poller, relay and workers of all queues.

    With --until-idle: exit 0 when idle without open problems, 3 with open problems, 4 on time-out.
    """
    if as_json and not until_idle:
        raise InputError("--json goes with --until-idle: it says how the run ended.")
    found = settings()
    stop = threading.Event()
    count = threads or found.worker_threads
    with ExitStack() as stack:
        tells = not as_json and (log_format or _usual()) == "text"
        say = _telling(stack, found) if tells else _silent
        if log_format == "json":
            logs.set_up(found.log_level, human=False)
        if found.embedded_database:
            stack.enter_context(only_process(found.data))
        bridge = stack.enter_context(open_bridge(found, stop, threads=count, polls=True))
        stack.enter_context(running.stopping(stop))
        status: Status | None = None
        if until_idle and console.is_terminal and not as_json:
            status = stack.enter_context(console.status("reading both systems …"))
        elif not until_idle:
            console.print("The bridge is running; Ctrl-C stops it.")

        def progress(unfinished: int | None) -> None:
            say(now=False)
            if status is not None:
                status.update(
                    f"{unfinished} unfinished" if unfinished else "reading both systems once more …"
                )

        outcome = running.run_everything(
            bridge, threads=count, until_idle=until_idle, timeout=timeout, progress=progress
        )
        say(now=True)
    _print_ended(outcome, timeout, until_idle=until_idle, as_json=as_json)
    # a service that is asked to stop has ended well
    raise typer.Exit(0 if outcome.ended is Ended.STOPPED and not until_idle else int(outcome.ended))


def _print_ended(outcome: Outcome, timeout: float | None, *, until_idle: bool, as_json: bool) -> None:
    if as_json:
        problems = [{"tenant": name, "problems": n} for name, n in outcome.problems.items()]
        ended = outcome.ended.name.lower()
        print_json("up", Ending, {"ended": ended, "problems": problems, "waits_for": list(outcome.waits_for)})
    elif until_idle or outcome.ended in (Ended.STOPPED, Ended.TIMED_OUT):
        for line in ended_sentences(outcome, timeout):
            console.print(escape(line))


def ended_sentences(outcome: Outcome, timeout: float | None) -> list[str]:
    """How it ended: whose problems are open, and of a time-out what it waited for."""
    open_ones = ", ".join(f"{name} {n}" for name, n in outcome.problems.items())
    explains = " ".join(f"'severa-bridge problems {name}'" for name in outcome.problems)
    if outcome.ended is Ended.STOPPED:
        return ["Stopped."]
    if outcome.ended is Ended.CLEAN:
        return ["Idle: everything is settled."]
    if outcome.ended is Ended.WITH_PROBLEMS:
        return [f"Idle, with open problems: {open_ones} ({explains})."]
    waits = outcome.waits_for or ["both systems to be read once more"]
    told = [f"Out of time after {timeout:g} s. It waited for:", *(f"  {one}" for one in waits)]
    return [*told, f"Open problems: {open_ones} ({explains})."] if open_ones else told


def _usual() -> LogFormat:
    """Sentences where a person looks on; their terminal is no place for JSON."""
    return "text" if console.is_terminal and sys.stderr.isatty() else "json"


def _telling(stack: ExitStack, found: Settings) -> Say:
    """The log goes to a file and is told in sentences, every few seconds at most."""
    make_data_dir(found.data)
    path = found.data / LOG_NAME
    file = stack.enter_context(open_private(path, os.O_WRONLY | os.O_APPEND, "a"))
    teller = Teller()
    logs.set_up(found.log_level, human=False, file=file, hears=teller.hear)
    # The file is closed with the stack, and what is logged after that must not break the end.
    stack.callback(logs.set_up, found.log_level, human=False)
    console.print(f"The log is {escape(str(path))}.")
    told = clock.monotonic()

    def say(*, now: bool) -> None:
        nonlocal told
        if now or clock.monotonic() - told >= TOLD_EVERY:
            told = clock.monotonic()
            for sentence in teller.said():
                console.print(escape(sentence))

    return say


def _silent(*, now: bool) -> None:
    pass


def poller() -> None:
    """Read both systems of every live tenant for changes. Any number of pollers may run."""
    found = settings()
    stop = threading.Event()
    with open_bridge(found, stop, polls=True) as bridge, running.stopping(stop):
        running.run_poller(bridge)


def relay() -> None:
    """Publish ready rows as change events, fairly over tenants."""
    found = settings()
    stop = threading.Event()
    with open_bridge(found, stop) as bridge, running.stopping(stop):
        running.run_relay(bridge)


def worker(
    queues: Annotated[
        str, typer.Option("--queues", help="Comma-separated queues; default: all.")
    ] = "customer,product,project,invoice,payment,cost",
    threads: Threads = None,
) -> None:
    """Settle what the queues bring. Run as many as wanted, per queue."""
    found = settings()
    stop = threading.Event()
    count = threads or found.worker_threads
    names = [name.strip() for name in queues.split(",") if name.strip()]
    with open_bridge(found, stop, threads=count) as bridge, running.stopping(stop):
        running.run_worker(bridge, names, count)


def web() -> None:
    """Serve /health/live and /health/ready (pages come with a later version)."""
    from web.server import serve  # noqa: PLC0415 - only this command needs a web server

    found = settings()
    with open_bridge(found) as bridge:

        def state() -> dict[str, object]:
            with bridge.db.dispatch() as db:
                return {"unfinished": outbox.unfinished(db)}

        serve(state, found.web_host, found.web_port)


def simulators(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    severa_port: Annotated[
        int, typer.Option("--severa-port", min=1, max=65535, help="Port of the Severa simulator.")
    ] = 9101,
    erp_port: Annotated[
        int, typer.Option("--erp-port", min=1, max=65535, help="Port of the Visma.net ERP simulator.")
    ] = 9102,
) -> None:
    """Run stateful simulators of both systems, with a believable consulting firm in them."""
    from simulators.server import serve  # noqa: PLC0415 - only this command needs the simulators

    console.print(
        f"Severa simulator: http://{host}:{severa_port}/rest-api   Visma.net ERP simulator: http://{host}:{erp_port}   Ctrl-C stops them."
    )
    serve(severa_port, erp_port, host)
