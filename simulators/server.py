"""Serving the simulators: `running` for tests (a thread, a free port), `serve` for the demo (blocking)."""

from __future__ import annotations

import importlib
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

STARTUP_SECONDS = 10.0
SHUTDOWN_SECONDS = 5.0


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.settled.set()


@contextmanager
def running(app: ASGIApp, port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve `app` in a thread and give its base URL (`http://127.0.0.1:49152`); port 0 takes a free one.

    Returns once the server accepts connections and, on leaving, once it has stopped. Raises OSError when the port
    is taken and RuntimeError when the server does not come up or does not stop.
    """
    with socket.create_server((host, port)) as listener:
        # asyncio does this only for sockets whose protocol is spelled out; without it every answer waits 40 ms for
        # the client's delayed acknowledgement. Accepted connections inherit it.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        server = _Server(config)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="simulator", daemon=True
        )
        thread.start()
        if not server.settled.wait(STARTUP_SECONDS) or not server.started:
            raise RuntimeError("the simulator did not start")
        try:
            yield f"http://{host}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(SHUTDOWN_SECONDS)
            if thread.is_alive():
                raise RuntimeError("the simulator did not stop")


def serve(severa_port: int = 9101, erp_port: int = 9102, host: str = "127.0.0.1") -> None:
    """Serve both simulators, each seeded with Nordkonsult AB, until SIGINT or SIGTERM. Call from the main thread."""
    stop = threading.Event()
    previous = {
        number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        # By name, so that this module can be imported by tests of one simulator without building the other.
        severa = importlib.import_module("simulators.severa").create_app()
        erp = importlib.import_module("simulators.visma_net").create_app()
        with running(severa, severa_port, host), running(erp, erp_port, host):
            stop.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
