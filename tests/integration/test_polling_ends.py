"""A poll whose end cannot be written: its lease is given back all the same, somebody is told, and the log says whose it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from integration.poll_world import CUSTOMERS, INVOICES, World, world
from services import Database as Made
from structlog.testing import capture_logs


@pytest.fixture
def made(database: Made) -> Iterator[World]:
    with world(database, CUSTOMERS, INVOICES) as found:
        yield found


@pytest.mark.req("R-OPS-1")
def test_a_poll_whose_own_end_breaks_gives_its_lease_back_and_tells_where(made: World) -> None:
    """Nobody reads a connection whose lease stays: for five minutes there was no problem, and no tenant in the log."""
    made.sql(
        """insert into problem (tenant_id, domain, subject, system, register, record_id, number, name, code, values)
           select id, 'poll', 'register:severa/', 'severa', '', '', '', '', 'poll.not_begun', '{}' from tenant"""
    )
    made.sql(
        "create function broken() returns trigger language plpgsql as $$ begin raise 'torn page'; end $$"
    )
    made.sql("create trigger broken before update on problem for each row execute function broken()")
    with capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        made.poll()
    [connection] = made.sql("select poll_token, poll_lease_until, last_error from connection")
    assert (connection["poll_token"], connection["poll_lease_until"]) == (None, None)
    assert "torn page" in connection["last_error"]
    question = made.problems()["poll.defect"]
    assert question["system"] == "severa"
    assert question["register"] in {"customers", "invoices"}
    [line] = [line for line in lines if line["event"] == "poll_failed"]
    assert (line["tenant"], line["tenant_id"], line["system"]) == ("one", str(made.tenant_id), "severa")
    made.sql("drop trigger broken on problem")
    made.poll()
    assert made.problems() == {}


@pytest.mark.req("R-OPS-1")
def test_the_lease_is_given_back_even_where_no_problem_can_be_written(made: World) -> None:
    made.sql("revoke update on problem from bridge_app")
    with capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        made.poll()
    [connection] = made.sql("select poll_token, poll_lease_until from connection")
    assert (connection["poll_token"], connection["poll_lease_until"]) == (None, None)
    assert {line["event"]: line["tenant"] for line in lines} == {
        "problem_not_told": "one",
        "poll_failed": "one",
    }
