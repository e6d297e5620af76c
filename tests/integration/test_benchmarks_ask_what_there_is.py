"""A benchmark is run by hand and seldom: what it asks the database must not go out of date unseen."""

from __future__ import annotations

import psycopg
import pytest
from services import Database

from benchmarks import road


@pytest.mark.parametrize("query", [road.ASK, road.COMMITS, road.LINKED, road.UNFINISHED])
def test_a_benchmark_asks_for_what_the_schema_has(database: Database, query: str) -> None:
    with psycopg.connect(database.owner_url) as db:
        db.execute(query)  # type: ignore[call-overload, unused-ignore]  # a text of the benchmark's own
        db.rollback()
