"""Whatever comes back on the wire ends as one of the bridge's own errors or as an answer, for every kind of call.

Three kinds: a read may be repeated, a create must not be, and a change under a permission must not be either. What a wrong
answer means for each is written beside it: the answer itself, try later, a no, or nobody knows.
"""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from unit.connectors.local_server import Act, answer, raw, serving
from unit.connectors.transports import MovedClock, shown_by, token, transport

from connectors import wire
from connectors.answers import parsed, text_of
from connectors.http import Transport
from connectors.signing_in import MemoryTokenStore
from connectors.wire import JSON_BYTES
from domain import clock
from domain.errors import BridgeError, NotFound, OutcomeUnknown, Refused, Unavailable

READ, CREATE, CHANGE = "GET", "POST", "PATCH"
KINDS = (READ, CREATE, CHANGE)
SMALL = 1024 * 1024
"""The most that an answer of these tests may have in it."""


def sent(one: Transport, kind: str) -> httpx.Response:
    if kind == READ:
        return one.send(READ, "/v1/x", repeatable=True, largest=SMALL)
    if kind == CREATE:
        return one.send(CREATE, "/v1/x", repeatable=False, json={"name": "A"}, largest=SMALL)
    return one.send(
        CHANGE,
        "/v1/x",
        repeatable=True,
        json=[{"op": "Replace"}],
        largest=SMALL,
        not_after=clock.boot() + 600,
    )


def outcome(act: Act, kind: str, **more: Any) -> BridgeError | httpx.Response:
    """What becomes of a call that is answered so; anything but an answer or a BridgeError fails the test."""
    with (
        serving(act) as server,
        transport(server, **{"read_timeout": 30.0, "create_timeout": 30.0, **more}) as one,
    ):
        try:
            return sent(one, kind)
        except BridgeError as error:
            return error


def head(*lines: bytes, status: bytes = b"200 OK", version: bytes = b"HTTP/1.1") -> bytes:
    return b"\r\n".join([version + b" " + status, *lines, b"", b""])


def sized(body: bytes, *lines: bytes, status: bytes = b"200 OK") -> bytes:
    return head(b"Content-Length: %d" % len(body), *lines, status=status) + body


def bomb(megabytes: int, wbits: int = zlib.MAX_WBITS | 16) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join([*(packer.compress(bytes(SMALL)) for _ in range(megabytes)), packer.flush()])


WHOLE = gzip.compress(b'{"guid": "1", "text": "' + bytes(range(65, 91)) * 40 + b'"}')
CREATED = b"Location: /v1/customers/7"

NOT_KNOWN: dict[str, bytes] = {
    "nothing at all": b"",
    "no status": b"\r\n\r\n",
    "half a status line": b"HTTP/1.1 20",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "a body cut": head(b"Content-Length: 100") + b'{"guid": "',
    "a body missing": head(b"Content-Length: 100"),
    "chunks cut": head(b"Transfer-Encoding: chunked") + b'5\r\n{"a":\r\n',
    "chunks cut in a chunk": head(b"Transfer-Encoding: chunked") + b'ff\r\n{"a":',
    "chunks without their end": head(b"Transfer-Encoding: chunked") + b"2\r\n{}\r\n",
    "chunks of no size": head(b"Transfer-Encoding: chunked") + b"many\r\n{}\r\n0\r\n\r\n",
    "gzip cut": sized(WHOLE[:-20], b"Content-Encoding: gzip"),
    "gzip without its check": sized(WHOLE[:-4], b"Content-Encoding: gzip"),
    "gzip damaged": sized(WHOLE[:30] + b"\xff" * 30 + WHOLE[60:], b"Content-Encoding: gzip"),
    "gzip that is none": sized(b'{"guid": "1"}', b"Content-Encoding: gzip"),
    "gzip and something behind it": sized(WHOLE + b"<html>", b"Content-Encoding: gzip"),
    "deflate cut": sized(zlib.compress(b"{}" * 99)[:-6], b"Content-Encoding: deflate"),
    "brotli that nobody asked for": sized(b"\x0b\x02\x80{}\x03", b"Content-Encoding: br"),
    "zstandard that nobody asked for": sized(b"\x28\xb5\x2f\xfd", b"Content-Encoding: zstd"),
    "an unheard-of coding": sized(b"{}", b"Content-Encoding: \xe5rans"),
    "packed four times over": sized(b"{}", b"Content-Encoding: gzip, gzip, gzip, gzip"),
    "a gzip bomb": sized(bomb(40), b"Content-Encoding: gzip"),
    "a deflate bomb": sized(bomb(40, zlib.MAX_WBITS), b"Content-Encoding: deflate"),
    "a bare deflate bomb": sized(bomb(40, -zlib.MAX_WBITS), b"Content-Encoding: deflate"),
    "a bomb in a bomb": sized(gzip.compress(bomb(40)), b"Content-Encoding: gzip, gzip"),
    "a bomb of empty members": sized(gzip.compress(b"") * 60_000, b"Content-Encoding: gzip"),
    "a bomb in chunks": head(b"Transfer-Encoding: chunked", b"Content-Encoding: gzip")
    + b"%x\r\n" % len(bomb(40))
    + bomb(40)
    + b"\r\n0\r\n\r\n",
    "too much": sized(bytes(SMALL + 1)),
    "two lengths": head(b"Content-Length: 2", b"Content-Length: 3") + b"{}",
    "a length below nought": head(b"Content-Length: -2") + b"{}",
    "a length that is no number": head(b"Content-Length: many") + b"{}",
    "a NUL in a header": sized(b"{}", b"X-Thing: a\0b"),
    "a header name that is none": sized(b"{}", b"L\xc3\xa4nk: 1"),
    "a header without a colon": sized(b"{}", b"nonsense"),
    "a status below 100": sized(b"{}", status=b"099 Odd"),
    "a status of two digits": sized(b"{}", status=b"20 Odd"),
    "headers without end": b"HTTP/1.1 200 OK\r\n" + b"X-Thing: aaaaaaaaaaaaaaaaaaaa\r\n" * 20_000,
    "one header without end": b"HTTP/1.1 200 OK\r\nX-Thing: " + b"a" * 400_000,
    "a status line without end": b"HTTP/1.1 200 " + b"O" * 400_000,
    "1xx without end": b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000,
    "1xx without end, and then an answer": b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000 + sized(b"{}"),
    "a change of protocol": head(b"Upgrade: h2c", b"Connection: Upgrade", status=b"101 Switching Protocols"),
    "a redirect": sized(b"", b"Location: https://elsewhere.example/", status=b"302 Found"),
    "a redirect to nowhere": sized(b"", b"Location: http://[", status=b"307 Temporary"),
    "not modified": head(status=b"304 Not Modified"),
    "not modified, with a body": head(b"Content-Length: 2", status=b"304 Not Modified") + b"{}",
    "multiple choices": sized(b"[]", status=b"300 Multiple Choices"),
    "a server error": sized(b'{"message": "oops"}', status=b"500 Oops"),
    "a server error cut": head(b"Content-Length: 100", status=b"502 Bad Gateway") + b"<html>",
    "a server error as a bomb": sized(bomb(40), b"Content-Encoding: gzip", status=b"503 Away"),
    "a status beyond all": sized(b"{}", status=b"999 Odd"),
}


@pytest.mark.req("R-INV-13")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NOT_KNOWN)
def test_what_is_no_answer_is_not_known(name: str, kind: str) -> None:
    given = outcome(raw(NOT_KNOWN[name], end=True), kind)
    assert type(given) is (Unavailable if kind == READ else OutcomeUnknown), given
    assert given.fields["operation"] == f"{kind} /base/v1/x"


YES: dict[str, tuple[bytes, bytes]] = {
    "nothing with a length": (sized(b""), b""),
    "no content": (head(status=b"204 No Content"), b""),
    "reset content": (sized(b"", status=b"205 Reset Content"), b""),
    "reset content, with a body": (sized(b"{}", status=b"205 Reset Content"), b"{}"),
    "HTTP/1.0 without a length": (head(version=b"HTTP/1.0") + b'{"guid": "1"}', b'{"guid": "1"}'),
    "HTTP/1.1 without a length": (head() + b'{"guid": "1"}', b'{"guid": "1"}'),
    "HTML with a 200": (sized(b"<html>Sign in</html>"), b"<html>Sign in</html>"),
    "more than its length": (sized(b"{}") + b"HTTP/1.1 200 OK\r\n", b"{}"),
    "the same length twice": (head(b"Content-Length: 2", b"Content-Length: 2") + b"{}", b"{}"),
    "chunks": (head(b"Transfer-Encoding: chunked") + b"1\r\n{\r\n1;x=y\r\n}\r\n0\r\nX: y\r\n\r\n", b"{}"),
    "some 1xx first": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\n\r\n" + sized(b"{}"), b"{}"),
    "gzip": (sized(gzip.compress(b"{}"), b"Content-Encoding: gzip"), b"{}"),
    "gzip in capitals": (sized(gzip.compress(b"{}"), b"Content-Encoding: X-GZIP"), b"{}"),
    "gzip of two members": (sized(gzip.compress(b"{") + gzip.compress(b"}"), b"Content-Encoding: gzip"), b"{}"),
    "gzip twice over": (sized(gzip.compress(gzip.compress(b"{}")), b"Content-Encoding: gzip, gzip"), b"{}"),
    "deflate by the book": (sized(zlib.compress(b"{}"), b"Content-Encoding: deflate"), b"{}"),
    "bare deflate": (sized(zlib.compress(b"{}")[2:-4], b"Content-Encoding: deflate"), b"{}"),
    "a coding that is none": (sized(b"{}", b"Content-Encoding: identity"), b"{}"),
    "a charset as a coding": (sized(b"{}", b"Content-Encoding: utf-8"), b"{}"),
    "a charset that nobody knows": (sized(b"{}", b"Content-Type: application/json; charset=klingon"), b"{}"),
    "a charset that gives no text": (sized(b"{}", b"Content-Type: text/html; charset=base64"), b"{}"),
    "a charset that is not defined": (sized(b"{}", b"Content-Type: text/html; charset=undefined"), b"{}"),
    "a charset with a NUL": (sized(b"{}", b'Content-Type: text/html; charset="\\0"'), b"{}"),
    "no content type that can be read": (sized(b"{}", b"Content-Type: \xff\xfe;;;charset"), b"{}"),
    "any status of the 2xx": (sized(b"{}", status=b"299 Odd"), b"{}"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", YES)
def test_what_is_whole_and_a_2xx_is_a_yes(name: str, kind: str) -> None:
    wire_bytes, body = YES[name]
    given = outcome(raw(wire_bytes, end=True), kind)
    assert isinstance(given, httpx.Response), given
    assert given.content == body
    # Whoever takes the text of an answer must not be hurt by what it claims to be.
    assert isinstance(given.text, str)
    assert isinstance(text_of(given), str)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("Location: /v1/customers/Åre".encode("latin-1"), "location", "/v1/customers/Åre"),
        ("Location: /v1/customers/Åre".encode(), "location", "/v1/customers/Åre"),
        (
            'Content-Disposition: attachment; filename="Årsredovisning.pdf"'.encode("latin-1"),
            "content-disposition",
            'attachment; filename="Årsredovisning.pdf"',
        ),
        (
            'Content-Disposition: attachment; filename="Årsredovisning.pdf"'.encode(),
            "content-disposition",
            'attachment; filename="Årsredovisning.pdf"',
        ),
        (b'ETag: "\x80\x81"', "etag", '"\x80\x81"'),
        (b'ETag: "one"\r\nETag: "two"', "etag", '"one", "two"'),
    ],
)
def test_headers_in_any_letters_come_through(line: bytes, name: str, value: str, kind: str) -> None:
    # One header in Latin-1 must not spoil another in UTF-8.
    given = outcome(raw(sized(b"{}", line, "X-Server: Malmö".encode()), end=True), kind)
    assert isinstance(given, httpx.Response), given
    assert given.headers[name] == value
    assert given.headers["x-server"] == "Malmö"


@pytest.mark.parametrize("kind", [CREATE, CHANGE])
@pytest.mark.parametrize(
    "name", ["a body cut", "chunks cut", "gzip cut", "a gzip bomb", "brotli that nobody asked for"]
)
def test_a_broken_body_does_not_undo_what_the_head_decides(name: str, kind: str) -> None:
    first, rest = NOT_KNOWN[name].split(b"\r\n", 1)
    named = outcome(raw(first + b"\r\n" + CREATED + b"\r\n" + rest, end=True), kind)
    assert isinstance(named, httpx.Response), named
    assert (named.headers["location"], named.content) == ("/v1/customers/7", b"")
    assert type(outcome(raw(b"HTTP/1.1 404 Gone\r\n" + rest, end=True), kind)) is NotFound
    assert type(outcome(raw(b"HTTP/1.1 400 Bad\r\n" + rest, end=True), kind)) is Refused


@pytest.mark.parametrize("name", ["a body cut", "gzip cut", "a gzip bomb"])
def test_a_record_is_not_gone_by_an_answer_that_broke_off(name: str) -> None:
    rest = NOT_KNOWN[name].split(b"\r\n", 1)[1]
    assert type(outcome(raw(b"HTTP/1.1 404 Gone\r\n" + rest, end=True), READ)) is Unavailable


REFUSALS: dict[str, bytes] = {
    "no words": b"",
    "a number": b"7",
    "null": b"null",
    "a list": b"[[[]]]",
    "deep": b"[" * 100_000,
    "deep objects": b'{"error":' * 50_000,
    "a number beyond all": b'{"message": 1e99999999999999999999}',
    "a long number": b'{"message": ' + b"9" * 100_000 + b"}",
    "not a number": b'{"message": NaN}',
    "half a pair": b'{"message": "\\ud800", "error": {"details": [{"message": "\\udfff"}]}}',
    "a NUL": b'{"message": "a\\u0000b"}',
    "NUL bytes": bytes(1000),
    "no UTF-8": b'{"message": "\xe5"}',
    "UTF-16": '{"message": "å"}'.encode("utf-16"),
    "tags without end": b"<" * 300_000,
    "scripts without end": b"<script" * 40_000,
    "words of the wrong kind": b'{"error": {"details": {"message": 1}, "type": []}, "message": {}, "Message": []}',
    "details of the wrong kind": b'{"error": {"details": [1, null, {"message": [1]}], "type": 7}}',
    "a model state of the wrong kind": b'{"ModelState": {"a": {"b": 1}, "": null}, "message": null}',
}


@pytest.mark.parametrize("status", [400, 403, 409, 412, 429, 500])
@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_may_say_what_it_likes(name: str, status: int) -> None:
    given = outcome(answer(status, REFUSALS[name]), CREATE)
    assert isinstance(given, OutcomeUnknown if status == 500 else BridgeError), given
    assert (type(given) is OutcomeUnknown) == (status == 500)
    assert len(given.message) <= 300


@pytest.mark.parametrize(
    "body", ["1e401", "1e-401", "9" * 401, "1e999999999999999999999", "[" * 5000, "nul", "\ufeff"]
)
def test_what_is_no_json_is_none(body: str) -> None:
    given = outcome(answer(200, body), READ)
    assert isinstance(given, httpx.Response)
    assert parsed(given) is None


class TestTheDeadlineIsForTheWholeCall:
    """Each byte that drips moves the clock by a second: no read waits long, and the call ends all the same."""

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize(
        ("first", "drop"),
        [
            (b"", b"H"),
            (b"HTTP/1.1 200 ", b"O"),
            (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
            (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
            (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
            (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        ],
    )
    def test_dripping(self, first: bytes, drop: bytes, kind: str) -> None:
        with shown_by(MovedClock()) as moved:

            def drip(connection: socket.socket) -> None:
                connection.sendall(first)
                connection.settimeout(0.005)
                # Long past every deadline it ends: who has none is told by the error, and holds no test up.
                while moved.passed < 600:
                    try:
                        if not connection.recv(1):
                            return
                    except TimeoutError:
                        moved.passed += 1
                    connection.sendall(drop)

            given = outcome(drip, kind, read_timeout=60.0, create_timeout=60.0)
        assert type(given) is (Unavailable if kind == READ else OutcomeUnknown), given
        assert "Timeout" in given.fields["error"]
        assert moved.passed < 600

    def test_a_server_that_takes_the_body_in_sips(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener, shown_by(MovedClock()) as moved:

            def sip() -> None:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    while connection.recv(1024):
                        moved.passed += 1

            thread = threading.Thread(target=sip, daemon=True)
            thread.start()
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with transport(url, create_timeout=60.0) as one, pytest.raises(OutcomeUnknown) as caught:
                one.send("POST", "/v1/x", repeatable=False, content=bytes(64 * SMALL))
            thread.join(30)
        assert caught.value.fields["error"] == "WriteTimeout"


class TestAKeptConnection:
    @contextmanager
    def reads(self, *acts: Act) -> Iterator[Callable[[], BridgeError | httpx.Response]]:
        with serving(*acts) as server, transport(server) as one:

            def read() -> BridgeError | httpx.Response:
                try:
                    return one.send("GET", "/v1/x", repeatable=True)
                except BridgeError as error:
                    return error

            yield read

    @pytest.mark.parametrize(
        "first",
        [
            head(b"Content-Length: 17", status=b"204 No Content") + b'{"of": "another"}',
            head(status=b"204 No Content") + sized(b'{"of": "another"}'),
            sized(b"{}") + sized(b'{"of": "another"}'),
            head(b"Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n\r\n" + sized(b'{"of": "another"}'),
        ],
    )
    def test_what_follows_an_answer_is_not_the_answer_to_the_next_question(self, first: bytes) -> None:
        with self.reads(raw(first), answer(200, '{"of": "this"}')) as read:
            assert isinstance(read(), httpx.Response)
            second = read()
            assert isinstance(second, Unavailable) or parsed(second) == {"of": "this"}
            third = read()
            assert isinstance(third, httpx.Response)
            assert parsed(third) == {"of": "this"}

    def test_is_not_used_again_after_a_bomb(self) -> None:
        acts = raw(sized(bytes(wire.ERROR_BYTES * 2), status=b"500 Oops")), answer(200, "{}")
        with self.reads(*acts) as read:
            assert isinstance(read(), Unavailable)
            assert isinstance(read(), httpx.Response)


def test_a_bomb_takes_no_more_memory_than_the_limit() -> None:
    megabytes = 400
    packed = bomb(megabytes)
    with (
        serving(raw(sized(packed, b"Content-Encoding: gzip"))) as server,
        transport(server, read_timeout=60.0) as one,
    ):
        tracemalloc.start()
        try:
            with pytest.raises(Unavailable):
                one.send("GET", "/v1/x", repeatable=True)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < JSON_BYTES * 1.25 < megabytes * SMALL


def test_a_sign_in_answer_is_short() -> None:
    long = answer(200, bytes(wire.SIGN_IN_BYTES + 1))
    with serving(long) as server, transport(server) as one, pytest.raises(Unavailable):
        one.outside("POST", f"{server.url}/token", form={"grant_type": "x"})


def test_a_token_that_cannot_stand_in_a_header_was_surely_not_sent() -> None:
    tokens = MemoryTokenStore(token("two\r\nlines"))
    given = outcome(answer(200), CREATE, tokens=tokens)
    assert isinstance(given, Unavailable)
