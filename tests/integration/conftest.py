"""Fixtures of the whole road: an installation per file, firms per test where a test must be alone."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from road import Installation, Road, installation
from services import PostgresServer, RabbitServer

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def bridge_at_work(postgres_server: PostgresServer) -> Iterator[Installation]:
    """One process: poller, relay and workers on the in-process broker."""
    database = postgres_server.create()
    with installation(database) as made:
        yield made
    postgres_server.drop(database)


@pytest.fixture(scope="module")
def road(bridge_at_work: Installation) -> Road:
    """A firm that has gone live; shared by the tests of a file, each with customers and projects of its own."""
    return bridge_at_work.add_firm(next(NUMBERS))
