"""A real server on 127.0.0.1 that does what a script says to each request, down to closing in mid-answer."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BufferedReader

Act = Callable[[socket.socket], None]


@dataclass(frozen=True)
class Request:
    """One request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


def answer(status: int, body: bytes | str = b"", **headers: str) -> Act:
    """A whole answer; header names are given with underscores."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Text", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    raw = "\r\n".join(lines).encode() + b"\r\n\r\n" + content
    return lambda connection: connection.sendall(raw)


def raw(*parts: bytes, end: bool = False) -> Act:
    """These bytes as they are; ``end``: and nothing more ever comes."""

    def act(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
        if end:
            connection.shutdown(socket.SHUT_RDWR)

    return act


def close(connection: socket.socket) -> None:
    """The request is read and the connection closed: nobody can tell whether the work was done."""
    connection.shutdown(socket.SHUT_RDWR)


def broken_off(status: int, **headers: str) -> Act:
    """The head of an answer and half of its body, then the end."""

    def act(connection: socket.socket) -> None:
        lines = [f"HTTP/1.1 {status} Text", "Content-Length: 100"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join(lines).encode() + b'\r\n\r\n{"message":"hal')
        connection.shutdown(socket.SHUT_RDWR)

    return act


def drip(connection: socket.socket) -> None:
    """A body that comes byte by byte and never ends within any time-out between two bytes."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    connection.settimeout(0.02)
    with contextlib.suppress(OSError):
        while True:
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1):
                    return
            connection.sendall(b"x")


def silent(connection: socket.socket) -> None:
    """Nothing is answered until the client gives up and closes."""
    with contextlib.suppress(OSError):
        connection.recv(1)


@dataclass
class LocalServer:
    """``script`` holds one act per request in order; the last one is repeated.

    ``heads`` are the request lines that came with all their headers, ``requests`` those whose body came whole too,
    ``ended`` how each connection ended that ended between requests or within one: ``closed`` or ``reset``."""

    script: list[Act]
    heads: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    ended: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)
    wrap: Callable[[socket.socket], socket.socket] = lambda connection: connection
    url: str = ""
    _threads: list[threading.Thread] = field(default_factory=list)
    _open: list[socket.socket] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        number = 0
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            number += 1
            self.connections = number
            self._open.append(connection)
            thread = threading.Thread(target=self._converse, args=(connection, number), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _converse(self, accepted: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError, ValueError), self.wrap(accepted) as connection:
            stream = connection.makefile("rb")
            with stream:
                try:
                    while request := self._read(stream, number):
                        self.requests.append(request)
                        act = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                        act(connection)
                except ConnectionResetError:
                    self.ended.put("reset")
                    raise
            self.ended.put("closed")

    def _read(self, stream: BufferedReader, connection: int) -> Request | None:
        """The next request, None when the connection ended before it was whole."""
        first = stream.readline().decode("latin-1").split()
        if len(first) != 3:
            return None
        headers: dict[str, str] = {}
        while (line := stream.readline().decode("latin-1").strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        self.heads.append(" ".join(first))
        length = int(headers.get("content-length", "0"))
        body = stream.read(length)
        return Request(first[0], first[1], headers, body, connection) if len(body) == length else None

    def stop(self) -> None:
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)


@contextlib.contextmanager
def serving(
    *script: Act, wrap: Callable[[socket.socket], socket.socket] = lambda connection: connection
) -> Iterator[LocalServer]:
    """A running server; stopped on leaving. ``wrap`` puts TLS around each connection."""
    server = LocalServer(list(script), wrap=wrap)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=server.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            # Closing alone does not wake a thread that waits in accept().
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)
            server.stop()
