"""A tenant that is added anew: the books say whether somebody served this pair of companies before (docs/never-twice.md rule 10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from restoring import approve, at_rest, project_of, released
from road import Installation, Road, installation
from services import Database


def readings(road: Road) -> list[bool]:
    """Per connection: was it read once more after a quiet time? Empty where none was needed."""
    rows = road.sql(
        "select checked_at > epoch_at as after from connection where tenant_id = %s and epoch_at is not null",
        road.tenant_id,
    )
    return [row["after"] for row in rows]


def added_again(made: Installation, lost: Road) -> Road:
    """The same pair of companies, in a database that has never seen it."""
    with pytest.MonkeyPatch.context() as patched:
        # both simulators have the firm already
        for vendor in (made.severa, made.erp):
            patched.setattr(vendor, "ask", passing(vendor.ask))
        return made.add_firm(int(lost.name.removeprefix("firm")))


def passing(ask: Callable[..., Any]) -> Callable[..., Any]:
    def asked(method: str, path: str, body: Any = None) -> Any:
        return None if method == "POST" and path in {"/orgs", "/companies"} else ask(method, path, body)

    return asked


@pytest.mark.req("R-INV-13")
def test_only_a_pair_that_a_lost_database_served_is_read_once_more(database: Database) -> None:
    with installation(database, create_limit_seconds=4) as made:
        first = made.add_firm(1)
        assert readings(first) == []
        booked = approve(first, project_of(first), 2)
        at_rest(first, booked)
        # What is lost with a database: every tenant with all it knows.
        first.sql("truncate tenant cascade")
        again = added_again(made, first)
        assert readings(again) == [True, True]
        at_rest(again, approve(again, project_of(again), 1))
        assert released(again, booked) == {}
