"""A real server on 127.0.0.1 that does what a script says to each request, down to closing in mid-answer."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

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
    """``script`` holds one act per request in order; the last one is repeated."""

    script: list[Act]
    requests: list[Request] = field(default_factory=list)
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
            self._open.append(connection)
            thread = threading.Thread(target=self._converse, args=(connection, number), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _converse(self, connection: socket.socket, number: int) -> None:
        with connection, contextlib.suppress(OSError, ValueError):
            stream = connection.makefile("rb")
            with stream:
                while request := _read(stream.readline, stream.read, number):
                    self.requests.append(request)
                    act = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                    act(connection)

    def stop(self) -> None:
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)


def _read(readline: Callable[[], bytes], read: Callable[[int], bytes], connection: int) -> Request | None:
    first = readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers: dict[str, str] = {}
    while (line := readline().decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = read(int(headers.get("content-length", "0")))
    return Request(first[0], first[1], headers, body, connection)


@contextlib.contextmanager
def serving(*script: Act) -> Iterator[LocalServer]:
    """A running server; stopped on leaving."""
    server = LocalServer(list(script))
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
