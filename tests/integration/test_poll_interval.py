"""When a tenant is asked for changes again: after its own interval, and never sooner than the installation allows (R-PRO-8)."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from integration.poll_world import CUSTOMERS, World, world
from services import Database as Made

from db import streams

MARGIN = 30
"""Seconds that the test itself may take between the end of a poll and its look."""


def is_due(made: World) -> bool:
    with made.db.dispatch() as db:
        return bool(streams.due(db, uuid4(), lease=60, limit=9))


@pytest.mark.req("R-PRO-8")
@pytest.mark.parametrize(
    ("own", "least", "seconds"),
    [
        ({}, 60, 300),
        ({"poll_interval_seconds": 90}, 60, 90),
        ({"poll_interval_seconds": 5}, 60, 60),
        ({"poll_interval_seconds": 5}, 120, 120),
    ],
    ids=["the default", "the tenant's own", "not below the installation's", "whatever that is"],
)
def test_the_next_poll_comes_after_the_tenants_interval_and_not_below_the_installations(
    database: Made, own: dict[str, int], least: int, seconds: int
) -> None:
    with world(database, CUSTOMERS, min_poll_seconds=least) as made:
        made.sql(
            "insert into setting (tenant_id, version, values, made_by) values (%s, 9, %s, 'anna')",
            made.tenant_id,
            json.dumps(own),
        )
        made.poll()
        made.later(timedelta(seconds=seconds - MARGIN))
        assert not is_due(made)
        made.later(timedelta(seconds=MARGIN))
        assert is_due(made)


@pytest.mark.req("R-PRO-8")
def test_what_a_person_asks_for_is_due_at_once(database: Made) -> None:
    with world(database, CUSTOMERS) as made:
        made.poll()
        assert not is_due(made)
        with made.db.tenant(made.tenant_id) as db:
            streams.ask(db)
        assert is_due(made)
