"""Firms under fault: one for each kind of fault, so that all kinds of one call are suffered at the same time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from road import Road, installation
from services import PostgresServer

# How a call can end: refused by the server, lost before or after it was carried out, or answered too late.
KINDS: dict[str, dict[str, object]] = {
    "answered 500": {"kind": "status", "status": 500, "body": "Internal Server Error"},
    "answered 503": {"kind": "status", "status": 503, "body": "<html>Maintenance</html>"},
    "dropped": {"kind": "drop"},
    "carried out, then dropped": {"kind": "commit_then_drop"},
    "carried out, then answered 504": {
        "kind": "commit_then_status",
        "status": 504,
        "body": "Gateway Timeout",
    },
    "carried out after the time-out": {"kind": "delay", "seconds": 2.2},
}
Firms = dict[str, Road]


@pytest.fixture(scope="module")
def firms(postgres_server: PostgresServer) -> Iterator[Firms]:
    """A live firm per kind of fault, all on one bridge that gives up on a call after a second and a half."""
    database = postgres_server.create()
    with installation(
        database,
        read_timeout_seconds=1.5,
        create_timeout_seconds=1.5,
        # Longer than the latest answer above: no server works longer on a call than this.
        create_limit_seconds=3,
        release_wait_seconds=5,
        worker_threads=8,
        poll_threads=6,
    ) as made:
        found = {kind: made.add_firm(n, live=False) for n, kind in enumerate(KINDS, start=1)}
        for road in found.values():
            road.go_live(settled=False)
        road.settle()
        yield found
    postgres_server.drop(database)
