"""Who fails because of another matter is woken by it, in whatever order the two end (docs/never-twice.md rule 17)."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from factories import announce, begin, make_tenant, meet, take
from services import Database as Made

from actors import dependencies
from db import claim, log, matters, outbox
from db.claim import Claimed
from db.log import About
from db.pool import Database
from db.tenant import TenantDb
from domain.errors import Stop, Waiting
from isolation.statements import Connection, Gate, Part, every

NEEDED = "9"


class Pair:
    """An invoice at work that failed for a project at work which has just come right."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.tenant = make_tenant(db, "one")
        self.rows: dict[str, Claimed] = {}

    def fresh(self, owner: psycopg.Connection[Any]) -> None:
        for table in ("outbox", "problem", "attempt", "need", "matter"):
            owner.execute(f"delete from {table}")  # noqa: S608 - a constant
        meet(self.db, self.tenant, NEEDED, domain="project", register="projects")
        announce(self.db, self.tenant, NEEDED, "project")
        announce(self.db, self.tenant, "1", "invoice")
        for taken in take(self.db):
            row = begin(self.db, taken)
            assert row is not None
            self.rows[row.domain] = row
        with self.db.tenant(self.tenant) as db:
            log.open_problem(db, self.about(), "project.refused", {"text": "No."})

    def about(self) -> About:
        return About("project", self.rows["project"].matter_id)

    def enter(self, connection: Connection) -> None:
        connection.execute("select set_config('app.tenant', %s, false)", [str(self.tenant)])

    def invoice(self, gate: Gate) -> None:
        """Failed for the project: what the worker's last transaction does."""
        db, row = TenantDb(gate, self.tenant), self.rows["invoice"]  # type: ignore[arg-type]
        waiting = Waiting("project", severa_id=NEEDED)
        matters.lock(db, [row.matter_id, self.rows["project"].matter_id])
        assert claim.hold(db, row) is not None
        wanted = dependencies.target(db, waiting)
        assert wanted.matter is not None
        if dependencies.over(db, Stop("invoice.project_in_error", {}), waiting, wanted):
            claim.finish(db, row, again=True)
        else:
            claim.fail(db, row, "failed", matter=wanted.matter.id)
        claim.give_back(db, row)

    def project(self, gate: Gate) -> None:
        """Settled: what its worker's last transaction does."""
        db, row = TenantDb(gate, self.tenant), self.rows["project"]  # type: ignore[arg-type]
        assert claim.hold(db, row) is not None
        log.close_problems(db, self.about(), "settled")
        outbox.wake(db, [row.matter_id])
        claim.finish(db, row, again=False)
        claim.give_back(db, row)

    def state(self, owner: psycopg.Connection[Any]) -> str | None:
        found = owner.execute("select state from outbox where domain = 'invoice'").fetchone()
        return found[0] if found else None


@pytest.mark.req("R-INV-11")
def test_who_failed_for_another_is_never_left_when_that_one_comes_right(database: Made) -> None:
    db = Database(database.app_url, size=2)
    db.open()
    try:
        pair = Pair(db)
        parts = [Part("invoice", pair.invoice, pair.enter), Part("project", pair.project, pair.enter)]
        waited = 0
        for outcome in every(database.owner_url, parts, fresh=pair.fresh, after=pair.state):
            assert (outcome.after, outcome.errors) == ("ready", {}), outcome.told()
            waited += outcome.waited
    finally:
        db.close()
    assert waited
