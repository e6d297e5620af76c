"""Fixtures of the whole road: an installation per file, one firm that its tests share, more where one must be alone."""

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


@pytest.fixture
def new_firm(bridge_at_work: Installation) -> Iterator[Callable[..., Road]]:
    """Adds a firm for one test: ``new_firm(live=False, costs="cost")``. It rests when the test is over: to settle reads every firm
    that is live."""
    added: list[Road] = []

    def add(*, live: bool = True, **settings: object) -> Road:
        added.append(bridge_at_work.add_firm(next(NUMBERS), live=live, **settings))
        return added[-1]

    yield add
    for road in added:
        road.rest()


@pytest.fixture(scope="module", params=["in process", "RabbitMQ"])
def either_road(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, rabbitmq: RabbitServer
) -> Iterator[Road]:
    """A live firm on a bridge in one piece, and on one whose poller, relay and worker meet at RabbitMQ only."""
    amqp_url = rabbitmq.create_vhost() if request.param == "RabbitMQ" else None
    database = postgres_server.create()
    with installation(database, amqp_url) as made:
        yield made.add_firm(next(NUMBERS))
    postgres_server.drop(database)
    if amqp_url:
        rabbitmq.drop_vhost(amqp_url)
