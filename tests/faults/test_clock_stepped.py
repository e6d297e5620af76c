"""PostgreSQL's clock steps while a create is on its way: every lease and wait seems over, and nothing is sent again."""

from __future__ import annotations

import pytest
from restoring import approve, created, project_of, released
from road import installation
from services import Database
from stage import wait_for

LATER = "select clock_timestamp() + interval '20 minutes'"
EARLIER = "select clock_timestamp() - interval '20 minutes'"


@pytest.mark.req("R-INV-13")
@pytest.mark.schedule("S30")
@pytest.mark.parametrize("step", [LATER, EARLIER], ids=["forward", "back"])
def test_a_step_during_a_create_makes_no_second_document(database: Database, step: str) -> None:
    pace = {
        "claim_lease_seconds": 8,
        "create_timeout_seconds": 8,
        "read_timeout_seconds": 8,
        "create_limit_seconds": 8,
    }
    with installation(database, **pace) as made:
        road = made.add_firm(1)
        project = project_of(road)
        road.forget_calls()
        road.erp.arm("delay", "/customerinvoice$", method="POST", seconds=5.0)
        [guid] = approve(road, project, 1)
        road.ask()
        wait_for("the create has been sent", lambda: not made.erp.armed(), seconds=60)
        road.sql(f"create or replace function bridge_now() returns timestamptz language sql as $$ {step} $$")
        assert road.documents(guid) == []
        road.settle(seconds=200)
        assert released(road, [guid]) == {}
        assert created(road) == 1
        assert road.role(guid) == "transferred"
        assert road.codes() == []
