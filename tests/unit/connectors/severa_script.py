"""The Severa client against a server that answers by a script."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import simplejson
from unit.connectors.local_server import Act, LocalServer, answer, serving

from connectors.endpoint import Conduct, Timeouts
from connectors.pacing import NoPacing
from connectors.severa import SeveraAccess, SeveraClient
from connectors.signing_in import MemoryTokenStore, Token
from domain.errors import BridgeError

SIGNED_IN = Token("t", datetime(2100, 1, 1, tzinfo=UTC), "", None)


@contextmanager
def severa(*script: Act, **more: Any) -> Iterator[tuple[SeveraClient, LocalServer]]:
    with serving(*script) as server:
        conduct = {"tokens": MemoryTokenStore(SIGNED_IN), "pacer": NoPacing(), **more}
        client = SeveraClient(
            SeveraAccess(f"{server.url}/rest-api", "client", "secret"),
            Conduct(timeouts=Timeouts(read=5, create=5), **conduct),
        )
        try:
            yield client, server
        finally:
            client.close()


def rows(first: int, count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"guid": f"g{number}", **more} for number in range(first, first + count)]


def page(body: Any, status: int = 200, **headers: str) -> Act:
    return answer(status, simplejson.dumps(body, use_decimal=True), **headers)


def read(found: Iterator[dict[str, Any]]) -> tuple[list[dict[str, Any]], BridgeError | None]:
    """The rows that came, and what the reading ended with."""
    got: list[dict[str, Any]] = []
    try:
        for row in found:
            got.append(row)
    except BridgeError as error:
        return got, error
    return got, None


def guids(found: Iterator[dict[str, Any]]) -> list[str]:
    return [row["guid"] for row in found]
