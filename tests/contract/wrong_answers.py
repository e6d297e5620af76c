"""A server that answers every call as one case says, and the answers that no client may take for an answer.

A case answers each request of one call: ``case(asked)`` gets what was asked for and gives the reply. The right reply of
every operation is made from the client's own register tables, so a new register has its cases at once.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

JSON = {"Content-Type": "application/json; charset=utf-8"}
HTML = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Maintenance</body></html>"
BOMB = '{"guid":"x","number":1e999999999,"amount":1e999999999}'


@dataclass(frozen=True)
class Reply:
    """One answer as it goes over the wire; ``cut``: the connection ends before the body does."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass(frozen=True)
class Asked:
    """One request; ``page`` counts from 1 by whatever the register pages by, ``token`` as it came."""

    method: str
    path: str
    page: int


Case = Callable[[Asked], Reply]


def reply(value: Any, status: int = 200, **headers: str) -> Reply:
    """JSON as the vendors send it."""
    return Reply(json.dumps(value).encode(), status, {**JSON, **headers})


def text(body: str | bytes, status: int = 200, kind: str = "application/json") -> Reply:
    """Any body under any content type; '' = none is named."""
    raw = body.encode() if isinstance(body, str) else body
    return Reply(raw, status, {"Content-Type": kind} if kind else {})


BODIES: Mapping[str, Reply] = {
    "nothing": text(""),
    "nothing, no content": Reply(status=204),
    "blanks": text(" \r\n\t "),
    "null": text("null"),
    "wrapped null": text('{"value": null}'),
    "twice wrapped null": text('{"value": {"value": null}}'),
    "an empty object": text("{}"),
    "a page": text(HTML, kind="text/html"),
    "a page that says it is JSON": text(HTML),
    "a page without a content type": text(HTML, kind=""),
    "XML": text('<?xml version="1.0"?><rows/>', kind="application/xml"),
    "a word": text('"OK"'),
    "plain text": text("OK", kind="text/plain"),
    "a number": text("7"),
    "true": text("true"),
    "a list of null": text("[null]"),
    "a list of words": text('["a", "b"]'),
    "a list of numbers": text("[1, 2]"),
    "an object of another kind": text('{"items": [], "unknown": 1}'),
    "an error with 200": text('{"error": {"type": "InternalSystemError", "details": []}}'),
    "a message with 200": text('{"message": "An error has occurred."}'),
    "half a list": text('[{"guid": "a"}, {"gu'),
    "half an object": text('{"guid": "a", "numb'),
    "cut within its length": Reply(b'{"guid": "a"', 200, JSON, cut=True),
    "NaN": text("NaN"),
    "nested without end": text("[" * 5000 + "]" * 5000),
    "nested too deep": text('{"a":' * 100 + "1" + "}" * 100),
    "a number that fills the memory": text(BOMB),
    "UTF-16": text(json.dumps({"guid": "a"}).encode("utf-16")),
    "not UTF-8": text(b'{"guid": "\xff\xfe"}'),
    "a NUL": text("\x00"),
    "only a byte order mark": text(b"\xef\xbb\xbf"),
    "a redirect": Reply(b"", 302, {"Location": "/login"}),
    "a 404 of a proxy": text("<html><body>404 Not Found</body></html>", 404, "text/html"),
    "a 404 in plain text": text("404 page not found", 404, "text/plain"),
    "a 404 of an unknown route": text('{"Message": "No HTTP resource was found."}', 404),
    "a 404 with something else": text('{"value": null}', 404),
    "accepted without a name": text("{}", 202),
    "accepted as a page": text(HTML, 202, "text/html"),
    "accepted with nothing": Reply(status=202),
    "an empty list that says it is a page": text("[]", kind="text/html"),
}


class AnswerServer:
    """Answers each request by the case that is set; sign-ins are answered well unless ``token`` says otherwise."""

    def __init__(self) -> None:
        self.case: Case = lambda _asked: Reply()
        self.token: Callable[[], Reply] = good_token
        self.url = ""

    def answer(self, method: str, target: str) -> Reply:
        """The reply to one request."""
        parts = urlsplit(target)
        if parts.path.endswith("/token"):
            return self.token()
        query = parse_qs(parts.query)
        first_row = int(query.get("firstRow", ["0"])[0])
        number = query.get("pageNumber") or query.get("pageToken") or [str(1 + bool(first_row))]
        return self.case(Asked(method, parts.path, int(number[0])))


def good_token() -> Reply:
    """What either vendor's sign-in answers."""
    return reply({"access_token": "t", "expires_in": 3600})


@contextlib.contextmanager
def answering() -> Iterator[AnswerServer]:
    """A running server on 127.0.0.1, of sockets and threads: tens of thousands of calls are made to it."""
    server = AnswerServer()
    threads: list[threading.Thread] = []
    connections: list[socket.socket] = []
    # Client and server share the interpreter: with its usual 5 ms per turn most of a call would be waiting for the other.
    turn = sys.getswitchinterval()
    sys.setswitchinterval(0.0002)

    def accept(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections.append(connection)
                threads.append(threading.Thread(target=_converse, args=(server, connection), daemon=True))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        server.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        accepting = threading.Thread(target=accept, args=(listener,), daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            sys.setswitchinterval(turn)
            for one in (listener, *connections):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            for thread in (accepting, *threads):
                thread.join(5)


def _converse(server: AnswerServer, connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as stream, contextlib.suppress(OSError, ValueError):
        while request := stream.readline().decode("latin-1").split():
            length = 0
            while (line := stream.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            stream.read(length)
            made = server.answer(request[0], request[1])
            lines = [f"HTTP/1.1 {made.status} Text"]
            lines += [f"{name}: {value}" for name, value in made.headers.items()]
            if made.status != 204:
                lines.append(f"Content-Length: {len(made.body) + (10 if made.cut else 0)}")
            connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + made.body)
            if made.cut:
                return
