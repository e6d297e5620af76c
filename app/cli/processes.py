"""``up``, ``poller``, ``relay``, ``worker``, ``web``, ``simulators``: the long-running processes."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Annotated

import typer
from rich.status import Status

from app import running
from app.bootstrap import open_bridge
from app.cli.common import console, settings
from app.embedded import only_process
from app.running import Ended
from db import outbox

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
) -> None:
    """Run everything in this process: poller, relay and workers of all queues.

    With --until-idle: exit 0 when idle without open problems, 3 with open problems, 4 on time-out.
    """
    found = settings()
    stop = threading.Event()
    count = threads or found.worker_threads
    with ExitStack() as stack:
        if found.embedded_database:
            stack.enter_context(only_process(found.data))
        bridge = stack.enter_context(open_bridge(found, stop, threads=count, polls=True))
        stack.enter_context(running.stopping(stop))
        status: Status | None = None
        if until_idle and console.is_terminal:
            status = stack.enter_context(console.status("reading both systems …"))
        elif not until_idle:
            console.print("The bridge is running; Ctrl-C stops it.")

        def progress(unfinished: int) -> None:
            if status is not None:
                status.update(
                    f"{unfinished} unfinished" if unfinished else "reading both systems once more …"
                )

        ended = running.run_everything(
            bridge, threads=count, until_idle=until_idle, timeout=timeout, progress=progress
        )
    words = {
        Ended.CLEAN: "Idle: everything is settled.",
        Ended.WITH_PROBLEMS: "Idle, with open problems: 'severa-bridge problems NAME' explains them.",
        Ended.TIMED_OUT: "Out of time: there is unfinished work.",
        Ended.STOPPED: "Stopped.",
    }
    if until_idle or ended is Ended.STOPPED:
        console.print(words[ended])
    # a service that is asked to stop has ended well
    raise typer.Exit(0 if ended is Ended.STOPPED and not until_idle else int(ended))


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
