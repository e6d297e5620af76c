"""Requests and responses of an attempt, masked, collected per thread while it runs and written when it ends (R-LOG-2)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from connectors.masking import Exchange, Observe
from db.codec import clean_text
from domain import clock

_current: ContextVar[list[dict[str, Any]] | None] = ContextVar("exchanges", default=None)


class Recorder:
    """Hands the connectors their ``observe`` hook; what is seen goes to the attempt that runs in the same thread."""

    def __init__(self, *, keep_payloads: bool = True) -> None:
        self._keep = keep_payloads

    @contextmanager
    def attempt(self) -> Iterator[list[dict[str, Any]]]:
        """The list that exchanges of this thread are added to until the block ends."""
        exchanges: list[dict[str, Any]] = []
        mark = _current.set(exchanges)
        try:
            yield exchanges
        finally:
            _current.reset(mark)

    def observer(self, system: str) -> Observe:
        """The ``observe`` hook of one connection."""

        def observe(exchange: Exchange) -> None:
            exchanges = _current.get()
            if exchanges is not None:
                exchanges.append(
                    {
                        "at": clock.wall(),
                        "boot": clock.boot(),
                        "system": system,
                        "method": exchange.method,
                        "path": clean_text(exchange.path),
                        "status": exchange.status,
                        "seconds": exchange.seconds,
                        "request": clean_text(exchange.request) if self._keep else "",
                        "response": clean_text(exchange.response) if self._keep else "",
                        "error": clean_text(exchange.error) or None,
                    }
                )

        return observe
