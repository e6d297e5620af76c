"""A transport that is closed while another thread is in the middle of a call: the call ends as it would have, and what it used is
closed by whoever is the last."""

from __future__ import annotations

import queue
import socket
import threading
from typing import Any

import pytest
from unit.connectors.local_server import answer, serving
from unit.connectors.transports import transport


@pytest.mark.req("R-OPS-5")
def test_a_call_under_way_when_its_connection_is_put_down_ends_well_and_leaves_nothing_open() -> None:
    asked, put_down = threading.Event(), threading.Event()

    def late(connection: socket.socket) -> None:
        asked.set()
        put_down.wait(300)
        answer(200, "{}")(connection)

    said: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with serving(late) as server:
        with transport(server, read_timeout=300.0) as one:
            thread = threading.Thread(
                target=lambda: said.put(one.send("GET", "/v1/invoices", repeatable=True).status_code)
            )
            thread.start()
            assert asked.wait(300)
        put_down.set()
        thread.join(300)
        assert said.get(timeout=300) == 200
        # The server sees the end of the connection because it was closed, not because somebody found it lying about.
        assert server.ended.get(timeout=300) == "closed"


@pytest.mark.req("R-OPS-5")
def test_a_call_that_begins_after_the_closing_keeps_no_connection() -> None:
    with serving(answer(200, "{}")) as server:
        with transport(server) as one:
            pass
        assert one.send("GET", "/v1/invoices", repeatable=True).status_code == 200
        assert server.ended.get(timeout=300) == "closed"
