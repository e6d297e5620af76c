"""Unit tests are pure: no network. Those of the connectors talk to a local server, on the loopback only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_socket

CONNECTORS = Path(__file__).parent / "connectors"


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest) -> Iterator[None]:
    if CONNECTORS in request.path.parents:
        pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
    else:
        # Event loops need a pair of Unix sockets; they lead nowhere.
        pytest_socket.disable_socket(allow_unix_socket=True)
    yield
    pytest_socket._remove_restrictions()
