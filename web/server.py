"""Health over HTTP: /health/live (the process answers) and /health/ready (PostgreSQL answers too)."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from domain.errors import BridgeError, InputError


def create_app(state: Callable[[], Mapping[str, object]]) -> Starlette:
    """The health endpoints; ``state`` asks PostgreSQL and raises a BridgeError when it does not answer."""

    async def live(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "live"})

    async def ready(_request: Request) -> JSONResponse:
        try:
            found = await run_in_threadpool(state)
        except BridgeError as error:
            return JSONResponse({"status": "not ready", "reason": error.message}, status_code=503)
        return JSONResponse({"status": "ready", **found})

    return Starlette(routes=[Route("/health/live", live), Route("/health/ready", ready)])


def serve(state: Callable[[], Mapping[str, object]], host: str, port: int) -> None:
    """Until SIGINT or SIGTERM. Raises InputError when the address cannot be used."""
    config = uvicorn.Config(
        create_app(state), host=host, port=port, log_level="critical", timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)

    def ask(_number: int, _frame: object) -> None:
        server.should_exit = True

    # In a thread of its own: in the main thread uvicorn ends the process by the signal itself after its clean stop,
    # which every supervisor takes for a crash.
    thread = threading.Thread(target=server.run, name="web")
    old = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        thread.start()
        thread.join()
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
    if not server.started:
        raise InputError(
            f"Nothing can be served at {host}:{port}: set BRIDGE_WEB_HOST and BRIDGE_WEB_PORT to a free address of this machine."
        )
