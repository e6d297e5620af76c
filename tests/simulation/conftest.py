"""One theatre per pytest process: a migrated database, two firms gone live, set back before each play."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

import pytest
from services import PostgresServer

from simulation.play import Theatre
from simulation.stage import Stage
from simulation.stage import stage as put_on


@pytest.fixture(scope="session")
def theatre(postgres_server: PostgresServer) -> Iterator[Theatre]:
    """Everything that plays share."""
    database = postgres_server.create()
    made = Theatre(database)
    yield made
    made.close()
    postgres_server.drop(database)


@pytest.fixture
def stage(theatre: Theatre) -> Callable[..., AbstractContextManager[Stage]]:
    """A play with a schedule written by hand: ``with stage() as play``."""
    return partial(put_on, theatre)
