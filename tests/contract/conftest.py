"""One recorded day for every test that holds bodies and answers against the vendors' documents."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from recording import Tape, live_through, recorded_installation
from services import PostgresServer


@pytest.fixture(scope="session")
def recorded_day(postgres_server: PostgresServer) -> Iterator[Tape]:
    """Every call of a day on the whole road; the simulators still run, so that more can be read."""
    database = postgres_server.create()
    with recorded_installation(database) as (made, tape):
        live_through(made, tape)
        yield tape
    postgres_server.drop(database)
