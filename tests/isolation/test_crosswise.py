"""Two deliveries that touch each other's matters: whoever locks several locks them in the order of their ids, so that no two
wait for each other (docs/never-twice.md rule 2, S49)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest
from factories import begin, make_tenant, meet, take
from services import Database as Made

from actors.delivery import Leases, LiveDelivery, Loaded
from actors.ending import Ending
from actors.work import Pace
from db import matters, outbox
from db.claim import Claimed
from db.pool import Database
from domain import clock
from domain.errors import Stop, TryLater, Waiting
from domain.model import Announce, Effects, Limits, LinkUpdate, Settled
from isolation.statements import Connection, Gate, Part, Run, every

SEVERA, ERP = "c1", "501"
LINK = LinkUpdate("customers", SEVERA, "1", "customer", ERP, "501", base={}, state={})
Ends = Callable[[Gate, LiveDelivery], Any]


class Two:
    """A customer known by its Severa side and one known by its ERP side, both at work; they are the same."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.tenant = make_tenant(db, "one")
        self.rows: dict[str, Claimed] = {}
        # Each needs something of the other.
        self.needing = False

    def fresh(self, owner: psycopg.Connection[Any]) -> None:
        for table in ("outbox", "problem", "step", "attempt", "need", "matter"):
            owner.execute(f"delete from {table}")  # noqa: S608 - a constant
        for system, register, one in (("severa", "customers", SEVERA), ("visma_net", "customer", ERP)):
            matter = meet(self.db, self.tenant, one, domain="customer", system=system, register=register)  # type: ignore[arg-type]
            with self.db.tenant(self.tenant) as db:
                outbox.announce(db, "customer", [matter], cause="changed", system=system, register=register)
        for taken in take(self.db):
            row = begin(self.db, taken)
            assert row is not None
            self.rows[row.system] = row
        if self.needing:
            mine, other = (one.matter_id for one in self.rows.values())
            with self.db.tenant(self.tenant) as db:
                matters.put_need(db, mine, other, "active")
                matters.put_need(db, other, mine, "active")

    def enter(self, connection: Connection) -> None:
        connection.execute("select set_config('app.tenant', %s, false)", [str(self.tenant)])

    def part(self, system: str, ends: Ends) -> Part:
        return Part(system, lambda gate: ends(gate, self.delivery(gate, system)), self.enter)

    def delivery(self, gate: Gate, system: str) -> LiveDelivery:
        row = self.rows[system]
        with self.db.tenant(self.tenant) as db:
            matter = matters.get(db, row.matter_id)
        assert matter is not None
        return LiveDelivery(
            db=cast("Database", gate), systems=cast("Any", None), books=cast("Any", None), row=row,
            loaded=Loaded(matter, None, None), tenant=cast("Any", None), limits=Limits(), leases=Leases(60, 30, 30),
            asked_at=clock.boot(), exchanges=[],
        )  # fmt: skip

    @staticmethod
    def left(owner: psycopg.Connection[Any]) -> tuple[int, int, int]:
        """Rows of work, matters that were joined, and rows that stand at a joined one."""
        [found] = owner.execute(
            "select (select count(*) from outbox), (select count(*) from matter where joined_into is not null),"
            " (select count(*) from outbox o join matter m on m.id = o.matter_id where m.joined_into is not null)"
        ).fetchall()
        return found


@pytest.fixture
def two(database: Made) -> Iterator[Two]:
    db = Database(database.app_url, size=2)
    db.open()
    yield Two(db)
    db.close()


def played(database: Made, two: Two, severa: Ends, erp: Ends, *, switches: int = 1) -> list[Run]:
    """Every order of both."""
    parts = [two.part("severa", severa), two.part("visma_net", erp)]
    return list(every(database.owner_url, parts, fresh=two.fresh, after=two.left, most_switches=switches))


def judge(runs: list[Run]) -> None:
    """None was ended by PostgreSQL; who could not go on said *later*; no work is lost, and none stands at a joined matter."""
    assert any(run.waited for run in runs)
    dead = [run for run in runs if run.deadlocked]
    assert not dead, f"{len(dead)} of {len(runs)}:\n{dead[0].told()}"
    for run in runs:
        assert all(isinstance(error, TryLater) for error in run.errors.values()), run.told()
        rows, joined, nowhere = run.after
        settled = sum(result == "done" for result in run.results.values())
        assert (settled + rows + joined >= 2, nowhere) == (True, 0), run.told()


def ending(gate: Gate, delivery: LiveDelivery) -> Ending:
    shop = SimpleNamespace(db=gate, pace=Pace(), registers={}, specs={})
    return Ending(cast("Any", shop), delivery, [])


# ---------------------------------------------------------------- how they meet


def pairs(gate: Gate, delivery: LiveDelivery) -> None:
    system = "visma_net" if delivery.row.system == "severa" else "severa"
    delivery.pair(system, ERP if system == "visma_net" else SEVERA)  # type: ignore[arg-type]


def settles(gate: Gate, delivery: LiveDelivery) -> str:
    return ending(gate, delivery).settled(Settled(Effects(link=LINK)))


def fails(gate: Gate, delivery: LiveDelivery) -> str:
    return ending(gate, delivery).failed(
        Stop("customer.refused", {"text": "No."}, effects=Effects(link=LINK))
    )


def waits(gate: Gate, delivery: LiveDelivery) -> str:
    mine = delivery.row.system == "severa"
    other = {"erp_id": ERP} if mine else {"severa_id": SEVERA}
    return ending(gate, delivery).waiting(Waiting("customer", need="active", **other))


def follows(gate: Gate, delivery: LiveDelivery) -> str:
    system, register, other = (
        ("visma_net", "customer", ERP) if delivery.row.system == "severa" else ("severa", "customers", SEVERA)
    )
    work = Announce("customer", system, register, other)  # type: ignore[arg-type]
    return ending(gate, delivery).settled(Settled(Effects(announce=(work,))))


def rests(gate: Gate, delivery: LiveDelivery) -> str:
    return ending(gate, delivery).settled(Settled())


ENDS: Mapping[str, Ends] = {one.__name__: one for one in (pairs, settles, fails, waits, follows)}


@pytest.mark.schedule("S49")
@pytest.mark.parametrize(("one", "other"), [(a, b) for n, a in enumerate(ENDS) for b in list(ENDS)[n:]])
def test_deliveries_that_touch_each_others_matters_wait_and_never_deadlock(
    database: Made, two: Two, one: str, other: str
) -> None:
    judge(played(database, two, ENDS[one], ENDS[other]))


@pytest.mark.schedule("S49")
@pytest.mark.parametrize("other", [rests, follows])
def test_deliveries_that_needed_each_other_wait_and_never_deadlock(
    database: Made, two: Two, other: Ends
) -> None:
    two.needing = True
    judge(played(database, two, rests, other))
