"""One request and its answer on a real connection: within one deadline, within a size, and with the facts kept.

What ``httpx.Client`` leaves open is closed here, over the same ``httpcore``:

- its time-outs are per read: a server that drips header bytes, sends 1xx lines for ever or takes them slowly ends never.
  Every connect, handshake, read and write gets what is left of *one* deadline (``Progress``).
- its exceptions do not tell whether a byte went out. ``Progress.sent`` does: it is set where the bytes are handed over.
- its answers grow without bound, a thousandfold when they are packed (``connectors.unpacking``).
- what follows an answer on a kept connection is read as the answer to the next request (a 204 with a body).

A permission (``not_after``) is looked at twice: when the head is about to go out, which is after connecting, TLS and any
wait for a connection, and when the body is. Past it the connection is reset, and the request was surely not made: it never
was whole (docs/never-twice.md rule 5). A request without a body is whole with its head, so only the first look counts there.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import queue
import socket
import ssl
import struct
import threading
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from connectors.unpacking import Unpacked
from domain import clock

MB = 1024 * 1024
JSON_BYTES = 64 * MB
"""Most that an answer may have in it, unpacked: the longest page of a register seen is a few MB."""
FILE_BYTES = 100 * MB
SIGN_IN_BYTES = MB
ERROR_BYTES = MB
"""Most of an answer that is no 2xx: only its words matter."""
HEAD_BYTES = 256 * 1024
"""Most that may come before the body, 1xx answers and all headers together."""
READ_BYTES = 64 * 1024
# Open question: whether the vendors' gateways always drop a request whose body does not come whole. Taken as they do; a create that
# was cut is looked for all the same before another one is sent.
USER_TIMEOUT_MS = 10_000
"""After this long without an acknowledgement the kernel gives up what a guarded call wrote (S22)."""
KEEP_SECONDS = 5.0

_SocketOption = tuple[int, int, int | bytes]
_RESET: _SocketOption = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
_ORDERLY: _SocketOption = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))


class Late(Exception):
    """The permission to send had run out."""


class BrokenOff(Exception):
    """The head of an answer came, and not the whole of its body; ``cause`` is the name of what went wrong."""

    def __init__(self, answer: httpx.Response, cause: str) -> None:
        """``answer`` has the status and the headers, and no content."""
        super().__init__(cause)
        self.answer = answer
        self.cause = cause


class TooMuch(Exception):
    """The answer is longer than any that was expected."""


@dataclass(slots=True)
class Progress:
    """How far one call has come, and what every step of it must keep to.

    ``deadline`` in seconds of ``clock.monotonic``, ``not_after`` of ``clock.boot`` (None = no permission is needed);
    ``connect`` in seconds. ``sent``: bytes of this request were handed to the kernel.
    """

    deadline: float
    connect: float
    not_after: float | None = None
    has_body: bool = False
    sent: bool = False
    _stage: str = ""
    _received: int = 0

    def left(self, error: type[Exception], most: float | None = None) -> float:
        """Seconds that the next step may take; raises ``error`` when there are none."""
        left = self.deadline - clock.monotonic()
        if left <= 0:
            raise error("the call takes too long")
        return left if most is None else min(left, most)

    def permit(self) -> None:
        """Raises Late when the permission has run out."""
        if self.not_after is not None and clock.boot() >= self.not_after:
            raise Late("the permission to send had run out")

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Told by httpcore before and after each stage; what is raised here ends the exchange."""
        request = info.get("request")
        if event == "http11.send_request_headers.started":
            # A proxy is first asked for a tunnel: that is no byte of the request.
            if request is None or request.method == b"CONNECT":
                self._stage = "tunnel"
                return
            self.permit()
            self._stage, self._received = "head", 0
        elif self._stage == "tunnel":
            return
        elif event == "http11.send_request_body.started" and self.has_body:
            self.permit()
        elif event == "http11.receive_response_headers.complete":
            if not self._received:
                raise httpcore.RemoteProtocolError("the answer stood there before the question")
            self._stage = "answer"

    def writing(self) -> None:
        """Bytes are about to be handed over."""
        if self._stage == "head":
            self.sent = True

    def took(self, count: int) -> None:
        """So many bytes came. Raises TooMuch for a head without end."""
        self._received += count
        if self._stage != "answer" and self._received > HEAD_BYTES:
            raise TooMuch("the head of the answer has no end")


_progress: contextvars.ContextVar[Progress] = contextvars.ContextVar("progress")


class _Stream(httpcore.NetworkStream):
    """A connection whose every step keeps to the progress of the call that uses it."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        progress = _progress.get()
        data = self._inner.read(max_bytes, timeout=progress.left(httpcore.ReadTimeout))
        progress.took(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        progress = _progress.get()
        progress.writing()
        # In parts: the time limit of one write counts anew for each handful of bytes that the other side takes.
        for start in range(0, len(buffer), READ_BYTES):
            self._inner.write(
                buffer[start : start + READ_BYTES], timeout=progress.left(httpcore.WriteTimeout)
            )

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        progress = _progress.get()
        left = progress.left(httpcore.ConnectTimeout, progress.connect)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout=left))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Connects address by address, all of them within the one time limit (the standard library gives each its own)."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        progress = _progress.get()
        until = clock.monotonic() + progress.left(httpcore.ConnectTimeout, progress.connect)
        options = list(socket_options or ())
        failure: Exception | None = None
        for address in addresses(host, port, until):
            left = until - clock.monotonic()
            if left <= 0:
                failure = failure or httpcore.ConnectTimeout("connecting takes too long")
                break
            try:
                return _Stream(self._inner.connect_tcp(address, port, left, local_address, options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError("the host has no address")

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError("nothing is tried again in here")


def addresses(host: str, port: int, until: float) -> list[str]:
    """The addresses of a host, each once; the look-up has no time limit of its own, so it is waited for in a thread."""
    found: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put(list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in answers)))
        except (OSError, UnicodeError) as error:
            found.put(error)

    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    try:
        given = found.get(timeout=max(0.0, until - clock.monotonic()))
    except queue.Empty:
        raise httpcore.ConnectTimeout("looking the host up takes too long") from None
    if isinstance(given, Exception):
        raise httpcore.ConnectError(type(given).__name__) from given
    return given


class Wire:
    """The connections of one vendor: those that may be kept, and a fresh one for each call that needs its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str | None, httpcore.ConnectionPool] = {}
        # calls under way on kept connections, and whether the last of them closes those
        self._using = 0
        self._closed = False

    def close(self) -> None:
        """Close the kept connections; while a call is under way in another thread, its end does. A pool that is closed beneath a
        call forgets the connection, and nobody ever closes it."""
        with self._lock:
            self._closed = True
            unused = self._unused()
        _close(unused)

    def _unused(self) -> list[httpcore.ConnectionPool]:
        """The pools to close now, taken out: all of them once nobody uses or will use them."""
        if not self._closed or self._using:
            return []
        unused = list(self._kept.values())
        self._kept.clear()
        return unused

    def exchange(
        self, request: httpx.Request, progress: Progress, *, largest: int, alone: bool
    ) -> httpx.Response:
        """Send the request, read the answer to its end. ``largest`` in bytes, unpacked; ``alone``: on a fresh connection.

        Raises Late, BrokenOff (a head came, and no whole body) and whatever else went wrong; ``progress.sent`` tells
        whether the vendor can have heard of it. The answer has only safe headers and text (see ``connectors.answers``).
        """
        progress.permit()
        progress.has_body = request.headers.get("Content-Length", "") not in ("", "0") or (
            "Transfer-Encoding" in request.headers
        )
        mark = _progress.set(progress)
        try:
            with self._pool(request.url, progress, alone=alone) as pool:
                return _exchanged(pool, request, progress, largest)
        finally:
            _progress.reset(mark)

    @contextlib.contextmanager
    def _pool(self, url: httpx.URL, progress: Progress, *, alone: bool) -> Iterator[httpcore.ConnectionPool]:
        proxy = _proxy(url)
        if alone:
            with _new_pool(proxy, _guarding() if progress.not_after is not None else []) as pool:
                yield pool
            return
        with self._lock:
            if proxy not in self._kept:
                self._kept[proxy] = _new_pool(proxy, [])
            pool = self._kept[proxy]
            self._using += 1
        try:
            yield pool
        finally:
            with self._lock:
                self._using -= 1
                unused = self._unused()
            _close(unused)


def _close(pools: Iterable[httpcore.ConnectionPool]) -> None:
    for pool in pools:
        pool.close()


@functools.cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes longer than a call; a fresh connection per create must not pay it each time.
    return httpx.create_ssl_context()


def _guarding() -> list[_SocketOption]:
    # Set from the start, so that even a process that is killed takes back what the kernel has not sent yet.
    options: list[_SocketOption] = [_RESET]
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        options.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS))
    return options


def _new_pool(proxy: str | None, options: list[_SocketOption]) -> httpcore.ConnectionPool:
    settings: dict[str, Any] = {
        "ssl_context": _tls(),
        "max_connections": 100,
        "max_keepalive_connections": 20,
        "keepalive_expiry": KEEP_SECONDS,
        "network_backend": _Backend(),
        "socket_options": options,
    }
    if proxy is None:
        return httpcore.ConnectionPool(**settings)
    url = httpx.URL(proxy)
    if url.userinfo:
        settings["proxy_auth"] = (url.username, url.password)
    return httpcore.HTTPProxy(str(url.copy_with(userinfo=b"")), **settings)


def _proxy(url: httpx.URL) -> str | None:
    """The proxy that the environment names for an address (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY)."""
    named = urllib.request.getproxies()
    proxy = named.get(url.scheme) or named.get("all")
    if not proxy or urllib.request.proxy_bypass(url.host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _exchanged(
    pool: httpcore.ConnectionPool, request: httpx.Request, progress: Progress, largest: int
) -> httpx.Response:
    url = request.url
    raw = pool.handle_request(
        httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions={"timeout": {"pool": progress.left(httpcore.PoolTimeout)}, "trace": progress.trace},
        )
    )
    with contextlib.closing(raw):
        headers = _headers(raw.headers)
        answer = httpx.Response(raw.status, headers=headers, request=request)
        most = largest if 200 <= raw.status < 300 else min(largest, ERROR_BYTES)
        try:
            content = _content(raw, answer.headers.get("Content-Encoding", ""), most)
        except Exception as cause:
            raise BrokenOff(_without_framing(answer, b""), type(cause).__name__) from cause
        # A whole answer is here: the connection may end as connections do.
        connection = raw.extensions.get("network_stream")
        if progress.not_after is not None and connection is not None:
            with contextlib.suppress(OSError, AttributeError):
                connection.get_extra_info("socket").setsockopt(*_ORDERLY)
    return _without_framing(answer, content)


def _content(raw: httpcore.Response, encoding: str, most: int) -> bytes:
    unpacked = Unpacked(encoding, most)
    for chunk in raw.iter_stream():
        unpacked.take(chunk)
    return unpacked.whole()


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> httpx.Headers:
    # Header bytes are ASCII by the book and UTF-8 or Latin-1 in fact; each is read for itself and kept as UTF-8.
    return httpx.Headers([(name, _text(value).encode()) for name, value in raw], encoding="utf-8")


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


_FRAMING = {"content-encoding", "transfer-encoding", "content-length"}


def _without_framing(answer: httpx.Response, content: bytes) -> httpx.Response:
    """The answer with its content; what told how that was packed is true no more."""
    kept = [
        (name, value) for name, value in answer.headers.raw if name.lower().decode("latin-1") not in _FRAMING
    ]
    whole = httpx.Response(
        answer.status_code,
        headers=httpx.Headers(kept, encoding="utf-8"),
        content=content,
        request=answer.request,
    )
    # A charset can name any codec of Python's, also such as do not give text. Both vendors speak UTF-8.
    whole.encoding = "utf-8"
    return whole
