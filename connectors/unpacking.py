"""The content of an answer, unpacked piece by piece and never longer than what was allowed for it."""

from __future__ import annotations

import zlib
from typing import Protocol

PIECE = 64 * 1024
MOST_CODINGS = 3
ACCEPTED = "gzip, deflate"
"""What is asked for. Anything else that comes packed was not asked for and is not read."""

_PLAIN = {"", "identity", "none", "utf-8", "utf8"}
"""Codings that are none; a charset in this place is a known mistake of servers."""
_GZIP_MEMBER = b"\x1f\x8b"


class Unreadable(Exception):
    """The content is packed in a way that cannot be undone, is damaged, or ends too early."""


class TooLong(Exception):
    """The content is longer than what was allowed."""


class _Coding(Protocol):
    def take(self, data: bytes, into: _Sink) -> None: ...
    def end(self) -> None: ...


class _Sink(Protocol):
    def __call__(self, data: bytes, /) -> None: ...


class Unpacked:
    """Collects content: ``take`` every piece as it comes, then ``whole``. Raises Unreadable and TooLong."""

    def __init__(self, encoding: str, most: int) -> None:
        """``encoding`` is the header Content-Encoding, ``most`` the bytes allowed, packed and unpacked alike."""
        names = [name.strip().lower() for name in encoding.split(",")]
        self._codings = [_coding(name) for name in reversed(names) if name not in _PLAIN][: MOST_CODINGS + 1]
        if len(self._codings) > MOST_CODINGS:
            raise Unreadable("packed too many times")
        self._most = most
        self._came = 0
        self._length = 0
        self._pieces: list[bytes] = []

    def take(self, data: bytes) -> None:
        """One piece as it came."""
        self._came += len(data)
        # Also what unpacks to nothing counts: a stream of empty members has no end either.
        if self._came > self._most:
            raise TooLong("the answer is too long")
        self._through(0, data)

    def whole(self) -> bytes:
        """All of it."""
        if self._came:
            for coding in self._codings:
                coding.end()
        return b"".join(self._pieces)

    def _through(self, place: int, data: bytes) -> None:
        if place < len(self._codings):
            self._codings[place].take(data, lambda piece: self._through(place + 1, piece))
            return
        self._length += len(data)
        if self._length > self._most:
            raise TooLong("the answer is too long when unpacked")
        self._pieces.append(data)


def _coding(name: str) -> _Coding:
    if name in ("gzip", "x-gzip"):
        return _Gzip()
    if name == "deflate":
        return _Deflate()
    raise Unreadable("packed in a way that was not asked for")


class _Gzip:
    """One gzip member after the other."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)

    def take(self, data: bytes, into: _Sink) -> None:
        while data:
            if self._member.eof:
                if not data.startswith(_GZIP_MEMBER[: len(data)]):
                    raise Unreadable("something follows the packed content")
                self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
            data = _inflated(self._member, data, into)

    def end(self) -> None:
        if not self._member.eof:
            raise Unreadable("the packed content ends too early")


class _Deflate:
    """The zlib format by the book, bare deflate in the practice of some servers."""

    def __init__(self) -> None:
        self._stream: zlib._Decompress | None = None
        self._head = b""

    def take(self, data: bytes, into: _Sink) -> None:
        if self._stream is None:
            # The first two bytes tell which of the two it is.
            self._head += data
            if len(self._head) < 2:
                return
            data = self._head
            book = data[0] & 15 == zlib.DEFLATED and int.from_bytes(data[:2], "big") % 31 == 0
            self._stream = zlib.decompressobj(zlib.MAX_WBITS if book else -zlib.MAX_WBITS)
        if self._stream.eof or _inflated(self._stream, data, into):
            raise Unreadable("something follows the packed content")

    def end(self) -> None:
        if self._stream is None or not self._stream.eof:
            raise Unreadable("the packed content ends too early")


def _inflated(stream: zlib._Decompress, data: bytes, into: _Sink) -> bytes:
    """Hands on what the data unpacks to, at most ``PIECE`` bytes at a time; what follows the end of the stream."""
    while True:
        try:
            piece = stream.decompress(data, PIECE)
        except zlib.error as error:
            raise Unreadable("the packed content is damaged") from error
        if piece:
            into(piece)
        if stream.eof:
            return stream.unused_data
        data = stream.unconsumed_tail
        # With its input used up a stream may still hold output: it has none left when less than a piece came.
        if not data and len(piece) < PIECE:
            return b""
