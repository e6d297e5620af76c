"""Unit tests are pure: no network and no process (`make fast`). Those of the connectors talk to a local server, on the loopback
only, and wait for it with bounds, which a machine at its limit may break: they are not among the fast ones."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_socket

CONNECTORS = Path(__file__).parent / "connectors"
STARTING = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system"})
# An audit hook stays for the life of the interpreter, which goes on to tests that may start what they like.
forbidden = False


def _audit(event: str, _arguments: object) -> None:
    if forbidden and event in STARTING:
        raise RuntimeError(f"a unit test starts a process ({event}): it belongs elsewhere")


sys.addaudithook(_audit)


@pytest.fixture(autouse=True)
def _no_process(request: pytest.FixtureRequest) -> Iterator[None]:
    global forbidden  # noqa: PLW0603 - the one hook asks it
    forbidden = CONNECTORS not in request.path.parents
    yield
    forbidden = False


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest) -> Iterator[None]:
    if CONNECTORS in request.path.parents:
        pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
    else:
        # Event loops need a pair of Unix sockets; they lead nowhere.
        pytest_socket.disable_socket(allow_unix_socket=True)
    yield
    pytest_socket._remove_restrictions()
