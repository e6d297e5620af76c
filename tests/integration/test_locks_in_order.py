"""What meets at a matter's row: waits behind its lock, and joins that come between a look and a write (docs/never-twice.md
rules 2 and 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg
import pytest
from factories import LEASE, announce, asked, begin, claimed, meet, state, take
from services import Database as Made
from stage import wait_for

from db import claim, matters, outbox
from db.pool import Database
from domain.errors import LeaseLost
from domain.model import LinkUpdate

Raw = psycopg.Connection[Any]


@pytest.fixture
def beside(database: Made) -> Iterator[Raw]:
    """A session of somebody else; what it locks stays locked until it commits."""
    with psycopg.connect(database.owner_url) as connection:
        yield connection


@pytest.fixture
def watcher(database: Made) -> Iterator[Raw]:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def apart() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def lock(connection: Raw, matter: UUID) -> None:
    connection.execute("select from matter where id = %s for update", [matter])


def waits_behind(watcher: Raw, holder: Raw) -> Callable[[], bool]:
    def look() -> bool:
        [row] = watcher.execute(
            "select exists (select from pg_stat_activity where %s = any (pg_blocking_pids(pid)))",
            [holder.info.backend_pid],
        ).fetchall()
        return bool(row[0])

    return look


@pytest.mark.schedule("S39")
def test_a_permission_that_waited_for_a_lock_past_its_lease_is_refused(
    db: Database, tenant: UUID, beside: Raw, watcher: Raw, apart: ThreadPoolExecutor
) -> None:
    matter = announce(db, tenant)
    row = claimed(db, tenant)
    lock(beside, matter)
    # The lease that ends while somebody waits: short, and begun only now.
    beside.execute(
        "update matter set lease_until = bridge_now() + interval '3 seconds' where id = %s", [matter]
    )
    beside.commit()
    lock(beside, matter)

    def permit() -> bool:
        try:
            with db.tenant(tenant) as connection:
                claim.begin(connection, row, asked(), lease=LEASE)
        except LeaseLost:
            return False
        return True

    granted = apart.submit(permit)
    wait_for("the permission waits for the matter", waits_behind(watcher, beside), seconds=30)
    over = "select lease_until < bridge_now() from matter where id = %s"
    wait_for("the lease is over", lambda: watcher.execute(over, [matter]).fetchall() == [(True,)], seconds=30)
    beside.commit()
    assert granted.result(timeout=300) is False
    assert watcher.execute("select count(*) from step").fetchall() == [(0,)]


@pytest.mark.schedule("S33")
def test_work_for_a_matter_that_was_joined_since_it_was_looked_up_lands_where_it_is_claimed(
    db: Database, tenant: UUID
) -> None:
    into = meet(db, tenant, "c1", domain="customer", register="customers")
    looked_up = meet(db, tenant, "501", domain="customer", system="visma_net", register="customer")
    with db.tenant(tenant) as connection:
        assert matters.join(connection, into, looked_up) is None
    with db.tenant(tenant) as connection:
        outbox.announce(
            connection, "customer", [looked_up], cause="changed", system="visma_net", register="customer"
        )
    assert state(db, tenant, into, "customer") == "ready"
    [taken] = take(db)
    assert taken.matter_id == into
    assert begin(db, taken) is not None


@pytest.mark.schedule("S33")
def test_work_that_is_written_while_a_join_is_under_way_follows_it(
    db: Database, tenant: UUID, watcher: Raw, apart: ThreadPoolExecutor
) -> None:
    into = meet(db, tenant, "c1", domain="customer", register="customers")
    other = meet(db, tenant, "501", domain="customer", system="visma_net", register="customer")

    def work() -> None:
        with db.tenant(tenant) as connection:
            outbox.announce(
                connection, "customer", [other], cause="changed", system="visma_net", register="customer"
            )

    with db.tenant(tenant) as joining:
        assert matters.join(joining, into, other) is None
        [pid] = joining.execute("select pg_backend_pid() as pid").fetchall()
        written = apart.submit(work)
        blocked = "select exists (select from pg_stat_activity where %s = any (pg_blocking_pids(pid)))"
        wait_for(
            "the work waits for the join",
            lambda: watcher.execute(blocked, [pid["pid"]]).fetchall() == [(True,)],
            seconds=30,
        )
    written.result(timeout=300)
    [taken] = take(db)
    assert taken.matter_id == into
    assert begin(db, taken) is not None


@pytest.mark.schedule("S49")
@pytest.mark.parametrize("who", ["announcement", "join"])
def test_whoever_touches_several_matters_locks_them_in_the_order_of_their_ids(
    db: Database, tenant: UUID, beside: Raw, watcher: Raw, apart: ThreadPoolExecutor, who: str
) -> None:
    low, high = sorted(
        (
            meet(db, tenant, "c1", domain="customer", register="customers"),
            meet(db, tenant, "501", domain="customer", system="visma_net", register="customer"),
        )
    )
    lock(beside, low)

    def run() -> None:
        with db.tenant(tenant) as connection:
            if who == "join":
                assert matters.join(connection, high, low) is None
            else:
                outbox.announce(
                    connection,
                    "customer",
                    [high, low],
                    cause="changed",
                    system="severa",
                    register="customers",
                )

    done = apart.submit(run)
    wait_for(f"the {who} waits for the first of both", waits_behind(watcher, beside), seconds=30)
    # It holds nothing yet that comes later in the order: else this would wait for it, and it for this.
    beside.execute("set local lock_timeout = '120s'")
    lock(beside, high)
    beside.commit()
    done.result(timeout=300)


def test_a_counterpart_that_came_since_the_locks_were_taken_is_not_locked_out_of_order(
    db: Database, tenant: UUID
) -> None:
    mine = meet(db, tenant, "c1", domain="customer", register="customers")
    other = meet(db, tenant, "501", domain="customer", system="visma_net", register="customer")
    link = LinkUpdate("customers", "c1", "1", "customer", "501", "501", base={}, state={})
    with db.tenant(tenant) as connection:
        assert matters.put(connection, mine, link, held={mine}) == matters.Busy(other, leased=True)
        found = matters.get(connection, mine)
        assert found is not None
        assert found.erp is None
        assert matters.put(connection, mine, link, held={mine, other}) is None
        assert matters.find(connection, "customer", erp_id="501") == matters.get(connection, mine)


@pytest.mark.schedule("S49")
def test_a_pair_that_is_moved_by_hand_locks_all_that_it_joins_in_the_order_of_their_ids(
    db: Database, tenant: UUID, beside: Raw, watcher: Raw, apart: ThreadPoolExecutor
) -> None:
    """Two are joined into the one that comes last: it may not be held while the second of them is waited for."""
    erp = meet(db, tenant, "501", domain="customer", system="visma_net", register="customer")
    ours: dict[UUID, str] = {}
    while len(ours) < 2 or max(ours) < erp:
        name = f"c{len(ours)}"
        ours[meet(db, tenant, name, domain="customer", register="customers")] = name
    first, *_, last = sorted(ours)
    low, middle = sorted((first, erp))
    lock(beside, middle)
    link = LinkUpdate("customers", ours[first], "1", "customer", "501", "501", base={}, state={})

    def run() -> None:
        with db.tenant(tenant) as connection:
            assert matters.put(connection, last, link) is None

    done = apart.submit(run)
    wait_for("the pair waits for the second of both", waits_behind(watcher, beside), seconds=30)
    beside.execute("set local lock_timeout = '120s'")
    lock(beside, last)
    beside.commit()
    done.result(timeout=300)
    assert low < middle < last
