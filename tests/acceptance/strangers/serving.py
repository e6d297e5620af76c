"""The HTTP side of both servers: JSON over http.server, one thread per connection, faults to arm."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import simplejson


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the server sees it; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """The body, None when there is none. Raises ValueError."""
        return simplejson.loads(self.content, use_decimal=True) if self.content else None

    def one(self, name: str) -> str | None:
        """A query value."""
        return self.query[name][0] if self.query.get(name) else None


@dataclass(slots=True)
class Answer:
    """A status, headers and a body: JSON unless ``text`` or ``content`` is set."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    text: str | None = None
    content: bytes | None = None
    kind: str = "application/json; charset=utf-8"


class Refusal(Exception):
    """An answer that ends the handling of a request."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


FaultKind = Literal["drop", "drop_after", "status"]


@dataclass(slots=True)
class Fault:
    """What happens to matching requests, ``times`` times: no answer before or after the work, or a bare status."""

    method: str
    ends_with: str
    kind: FaultKind
    times: int = 1
    status: int = 500
    text: str = "<html><body>Service Unavailable</body></html>"


def plain(value: Any, *, floats: bool) -> Any:
    """A body as it goes on the wire; ``floats``: every decimal as a float with a point."""
    match value:
        case Decimal():
            return float(value) if floats else value
        case dict():
            return {name: plain(one, floats=floats) for name, one in value.items()}
        case list() | tuple():
            return [plain(one, floats=floats) for one in value]
        case _:
            return value


class Served:
    """A server's frame: one lock over all state, faults, and the list of what the document forbids."""

    floats = False

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.faults: list[Fault] = []
        self.violations: list[str] = []
        self.crashes: list[str] = []
        self.calls: list[tuple[str, str, int]] = []
        self.url = ""

    def handle(self, request: Request) -> Answer:
        """Overridden: the answer to a request."""
        raise NotImplementedError

    def violation(self, what: str) -> None:
        """Notes a request that the document does not allow, once per text."""
        if what not in self.violations:
            self.violations.append(what)

    def fault(self, request: Request) -> Fault | None:
        """The armed fault of a request, used up by asking."""
        for fault in self.faults:
            if (
                fault.times
                and request.method == fault.method
                and request.path.lower().endswith(fault.ends_with)
            ):
                fault.times -= 1
                return fault
        return None


@contextmanager
def serving(server: Served) -> Iterator[str]:
    """The server listening on a free port of this machine; the base address."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    try:
        yield server.url
    finally:
        http.shutdown()
        http.server_close()
        thread.join(10)


def _handler(server: Served) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Silence: the tests look at ``calls``."""

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            request = Request(
                method=self.command,
                path=parts.path,
                query=parse_qs(parts.query, keep_blank_values=True),
                headers={name.lower(): value for name, value in self.headers.items()},
                content=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            )
            with server.lock:
                fault = server.fault(request)
                if fault is not None and fault.kind == "drop":
                    return self._drop()
                if fault is not None and fault.kind == "status":
                    answer = Answer(fault.status, text=fault.text, kind="text/html")
                else:
                    answer = self._handled(request)
                server.calls.append((request.method, request.path, answer.status))
                if fault is not None and fault.kind == "drop_after":
                    return self._drop()
            self._send(answer)
            return None

        def _handled(self, request: Request) -> Answer:
            try:
                return server.handle(request)
            except Refusal as refusal:
                return refusal.answer
            except Exception as error:  # noqa: BLE001 - whatever it is, the test must hear of it
                # A fault of the test's own server must not look like a vendor's 500.
                server.crashes.append(f"{request.method} {self.path}: {type(error).__name__}: {error}")
                return Answer(500, text="crash")

        def _drop(self) -> None:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

        def _send(self, answer: Answer) -> None:
            if answer.content is not None:
                content = answer.content
            elif answer.text is not None:
                content = answer.text.encode()
            elif answer.body is not None:
                shown = plain(answer.body, floats=server.floats)
                content = simplejson.dumps(shown, use_decimal=True, ensure_ascii=False).encode()
            else:
                content = b""
            self.send_response(answer.status)
            if content:
                self.send_header("Content-Type", answer.kind)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - the names http.server calls

    return Handler
