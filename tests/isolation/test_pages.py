"""A page of a poll beside a delivery that ends: matters, then work, then records, so that no two wait for each other."""

from __future__ import annotations

import threading
from datetime import UTC, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import psycopg
import pytest
from factories import begin, make_tenant, meet, take
from services import Database as Made

from actors.delivery import Leases, LiveDelivery, Loaded
from actors.ending import Ending
from actors.work import Pace as WorkPace
from app.concluding import Conclusion
from app.reading import Pages
from app.turn import Fetched, Manner, Task, Turn
from db import claim, matters, outbox, records, streams
from db.claim import Claimed
from db.pool import Database
from db.streams import DuePoll
from domain import clock
from domain.model import Effects, Json, Limits, LinkUpdate, Page, Seen, Settled
from domain.polling import Asked, Brake, Pace
from domain.registers import Concern, Register
from domain.setup.settings import TenantSettings
from isolation.statements import Connection, Gate, Part, every

HOURS = timedelta(hours=1)
MANNER = Manner(600.0, Pace(24 * HOURS, HOURS, HOURS), Brake(100, 100), UTC)
# In another order than their ids, and so are the matters of two domains.
IDS = ("b", "a", "c")


def register(*domains: str) -> Register:
    return Register(
        "severa",
        "customers",
        identify=lambda body: str(body["guid"]),
        number=lambda _body: "",
        title=lambda _body: "",
        projection=lambda body: {"name": str(body["name"])},
        concerns=lambda body: tuple(Concern(one, "customers", str(body["guid"])) for one in domains),
        remote_time=lambda _body: None,
    )


def row(one: str, name: str) -> Json:
    return {"guid": one, "name": name}


class Scene:
    """Three records that a poll has seen; the matter of the first of them is at work."""

    def __init__(self, db: Database, of: Register, changed: tuple[str, ...]) -> None:
        self.db = db
        self.changed = changed
        self.register = of
        self.domain = of.concerns(row("a", ""))[0].domain
        self.tenant = make_tenant(db, "one")
        self.claimed: Claimed
        self.due: DuePoll

    def fresh(self, owner: psycopg.Connection[Any]) -> None:
        for table in (
            "outbox",
            "problem",
            "step",
            "attempt",
            "need",
            "matter",
            "record",
            "reading",
            "stream",
        ):
            owner.execute(f"delete from {table}")  # noqa: S608 - a constant
        owner.execute(
            "update connection set poll_token = null, poll_lease_until = null, next_poll_at = bridge_now()"
        )
        for one in sorted(IDS, reverse=True):
            meet(self.db, self.tenant, one, domain=self.domain, register="customers")
        with self.db.dispatch() as db:
            [self.due] = streams.due(db, uuid4(), lease=600, limit=9)
        self.page(cast("Gate", self.db), "before", whole=True)
        owner.execute("delete from outbox")
        mine = meet(self.db, self.tenant, IDS[0], domain=self.domain, register="customers")
        with self.db.tenant(self.tenant) as db:
            outbox.announce(db, self.domain, [mine], cause="changed", system="severa", register="customers")
        [taken] = take(self.db)
        found = begin(self.db, taken)
        assert found is not None
        self.claimed = found
        if IDS[0] not in self.changed:
            self._let_wait(self.changed[0], mine)

    def _let_wait(self, one: str, needed: UUID) -> None:
        """The work of another record waits for the one that is at work, and is woken by its end."""
        other = meet(self.db, self.tenant, one, domain=self.domain, register="customers")
        with self.db.tenant(self.tenant) as db:
            outbox.announce(db, self.domain, [other], cause="changed", system="severa", register="customers")
        [taken] = take(self.db)
        waits = begin(self.db, taken)
        assert waits is not None
        with self.db.tenant(self.tenant) as db:
            claim.wait(db, waits, matter=needed, need="", delay=600)
            claim.give_back(db, waits)

    def page(self, gate: Gate, name: str, *, whole: bool) -> None:
        """A register's only page, and its end; the rows of a change come beside one that is the same."""
        # What the delivery wrote meanwhile is read once more, singly.
        vendor = SimpleNamespace(get=lambda _register, one: row(one, name))
        turn = Turn(cast("Any", gate), cast("Any", vendor), self.due, MANNER, threading.Event())
        asked_at = self.due.anchor.asked()
        first = name == "before"
        rows = [row(one, name if first or one in self.changed else "before") for one in IDS]
        fetched = Fetched(Page(rows, None), Asked(asked_at, self.due.anchor.answered()))
        since = None if whole else self.due.began
        Pages(turn, Conclusion(turn)).store(Task(self.register, None, since, None, None), fetched, ended=True)

    def end(self, gate: Gate) -> str:
        """The delivery read or wrote all three, the last one first."""
        with self.db.tenant(self.tenant) as db:
            matter = matters.get(db, self.claimed.matter_id)
            planned = records.get(db, "severa", "customers", IDS[0])
        assert matter is not None
        delivery = LiveDelivery(
            db=cast("Database", gate), systems=cast("Any", None), books=cast("Any", None), row=self.claimed,
            loaded=Loaded(matter, planned, None), tenant=cast("Any", SimpleNamespace(settings=TenantSettings())),
            limits=Limits(), leases=Leases(60, 30, 30), asked_at=clock.boot(), exchanges=[],
        )  # fmt: skip
        shop = SimpleNamespace(
            db=gate,
            pace=WorkPace(),
            registers={("severa", "customers"): self.register},
            specs={
                one.domain: SimpleNamespace(asks=lambda *_: True)
                for one in self.register.concerns(row("a", ""))
            },
            erp_zone=UTC,
        )
        seen = tuple(Seen("severa", "customers", row(one, "ours")) for one in reversed(IDS))
        link = LinkUpdate("customers", IDS[0], "1", "customer", "501", "501", base={}, state={})
        return Ending(cast("Any", shop), delivery, []).settled(Settled(Effects(link=link, seen=seen)))

    def enter(self, connection: Connection) -> None:
        connection.execute("select set_config('app.tenant', %s, false)", [str(self.tenant)])


@pytest.mark.schedule("S49")
@pytest.mark.parametrize("whole", [False, True], ids=["of changes", "whole"])
@pytest.mark.parametrize("changed", [("b", "a"), ("c",)], ids=["its own", "another"])
@pytest.mark.parametrize("domains", [("customer",), ("customer", "project")])
def test_a_page_and_an_ending_delivery_never_deadlock(
    database: Made, db: Database, domains: tuple[str, ...], changed: tuple[str, ...], *, whole: bool
) -> None:
    """Customers are held back until the end of their reading; of two domains the matters of both are asked for. The rows that
    the page changed are the delivery's own, or one that waits for it."""
    scene = Scene(db, register(*domains), changed)
    parts = [
        Part("page", lambda gate: scene.page(gate, "after", whole=whole), scene.enter),
        Part("delivery", scene.end, scene.enter),
    ]

    def announced(owner: psycopg.Connection[Any]) -> set[UUID]:
        return {one for (one,) in owner.execute("select matter_id from outbox")}

    runs = list(every(database.owner_url, parts, fresh=scene.fresh, after=announced, most_switches=1))
    assert any(run.waited for run in runs)
    dead = [run for run in runs if run.errors]
    assert not dead, f"{len(dead)} of {len(runs)}: {dead[0].errors}\n{dead[0].told()}"
    # Whatever the order: the other one has work, since its change was seen and nobody settled it.
    assert all(len(run.after) >= len(IDS) - 2 for run in runs)
