"""A transport against a local server, and a clock that moves when a test says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from unit.connectors.local_server import LocalServer

from connectors.endpoint import Conduct, Endpoint, Timeouts
from connectors.http import Transport
from connectors.pacing import NoPacing
from connectors.signing_in import MemoryTokenStore, SignIn, Token
from connectors.verdict import Dialect
from domain import clock
from domain.errors import BridgeError

LONG = datetime(2100, 1, 1, tzinfo=UTC)


def token(text: str = "first-token", expires_at: datetime = LONG) -> Token:
    return Token(text, expires_at, "", None)


@contextmanager
def transport(server: LocalServer | str, **more: Any) -> Iterator[Transport]:
    url = server if isinstance(server, str) else server.url
    timeouts = {
        "connect": more.pop("connect_timeout", 10.0),
        "read": more.pop("read_timeout", 2.0),
        "create": more.pop("create_timeout", 2.0),
    }
    tokens = more.pop("tokens", None) or MemoryTokenStore(token())
    signing = SignIn(
        tokens,
        more.pop("sign_in", lambda _stored: token("second-token")),
        renew_before=300.0,
        wait=more.pop("sign_in_wait", 20.0),
    )
    conduct = {"pacer": NoPacing(), **more}
    one = Transport(
        Endpoint(f"{url}/base", Dialect("severa")),
        Conduct(tokens=tokens, timeouts=Timeouts(**timeouts), **conduct),
        signing=signing,
    )
    try:
        yield one
    finally:
        one.close()


def failed(
    server: LocalServer | str, method: str = "GET", *, repeatable: bool = True, **more: Any
) -> BridgeError:
    with transport(server, **more) as one, pytest.raises(BridgeError) as caught:
        one.send(method, "/v1/invoices", repeatable=repeatable)
    return caught.value


class MovedClock(clock.MachineClock):
    """Stands still until it is moved. ``looks``: what each look at the boot-time clock shows, the last one for ever;
    ``passed``: what the clock for time limits shows."""

    def __init__(self, *looks: float) -> None:
        self.seconds = 0.0
        self.passed = 0.0
        self.looks = list(looks)

    def boot(self) -> float:
        if self.looks:
            self.seconds = self.looks.pop(0)
        return self.seconds

    def monotonic(self) -> float:
        return self.passed


@contextmanager
def shown_by(moved: MovedClock) -> Iterator[MovedClock]:
    before = clock.use(moved)
    try:
        yield moved
    finally:
        clock.use(before)
