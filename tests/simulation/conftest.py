"""One theatre per pytest process: a migrated database, two firms gone live, set back before each play."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

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


RED = Path(__file__).parent / "red.txt"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is known to be red fails for now, and must: whoever cures it takes its line out of ``red.txt``."""
    red = {
        line.strip()
        for line in (RED.read_text(encoding="utf-8") if RED.exists() else "").splitlines()
        if line and not line.startswith("#")
    }
    for item in items:
        if item.nodeid.rpartition("simulation/")[2] in red:
            # A seed is another play as soon as the code takes another road: it may end well by chance.
            strict = "test_seeds" not in item.nodeid
            item.add_marker(
                pytest.mark.xfail(strict=strict, reason="red on the code before the second design")
            )
