"""Health over HTTP: /health/live (the process answers) and /health/ready (PostgreSQL answers too)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from domain.errors import BridgeError


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
    """Until SIGINT or SIGTERM."""
    uvicorn.run(create_app(state), host=host, port=port, log_level="warning", timeout_graceful_shutdown=5)
