"""How a worker's attempt begins and ends, over the real database and a domain that a test writes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest
import structlog
from factories import announce, begin, claimed, meet, permitted, state, take
from integration.test_keeper import keeper
from structlog.testing import capture_logs

from actors.dependencies import Patience
from actors.recording import Recorder
from actors.renewing import renew, renewing
from actors.work import Pace, Workshop
from app.relay import Relay
from app.settings import Settings
from db import attempts, claim, matters, outbox
from db.claim import Claimed
from db.outbox import Taken
from db.pool import Database
from domain import catalogue, clock
from domain.errors import Stop, Waiting
from domain.model import Effects, Limits, LinkUpdate, Settled
from domain.ports import Delivery
from domain.spec import DomainSpec


class NoSystems:
    """No vendor is asked anything here."""

    def severa(self, tenant_id: UUID, *, begun: bool) -> Any:
        raise AssertionError("nobody calls Severa")

    def erp(self, tenant_id: UUID, *, begun: bool) -> Any:
        raise AssertionError("nobody calls the ERP")

    def refresh(self, tenant_id: UUID) -> None: ...


def workshop(
    db: Database, settle: Callable[[Delivery], Settled], patience: Patience | None = None
) -> Workshop:
    return Workshop(
        db=db,
        systems=NoSystems(),
        specs={**catalogue.SPECS, "invoice": DomainSpec("invoice", "invoice", settle)},
        registers={},
        limits=Limits(),
        recorder=Recorder(),
        worker="test",
        erp_zone=ZoneInfo("Europe/Stockholm"),
        pace=Pace(patience=patience or Patience()),
    )


def settle(shop: Workshop, taken: Taken) -> str:
    return shop.settle(taken.domain, str(taken.tenant_id), taken.id, taken.generation)


def problems(db: Database, tenant: UUID) -> list[str]:
    with db.tenant(tenant) as connection:
        found = connection.execute("select code from problem where closed_at is null order by id")
        return [row["code"] for row in found]


def lose_a_worker(db: Database) -> None:
    """Takes the row, claims it, and is never heard of again."""
    [taken] = take(db)
    assert begin(db, taken, lease=0.001) is not None
    with db.dispatch() as connection:
        while not outbox.reap(connection):
            pass


def test_what_has_cost_three_workers_is_told_to_a_person_and_not_tried_again(
    db: Database, tenant: UUID
) -> None:
    tried = []

    def poison(delivery: Delivery) -> Settled:
        tried.append(delivery)
        return Settled(Effects())

    matter = announce(db, tenant)
    for _ in range(3):
        lose_a_worker(db)
    [taken] = take(db)
    assert settle(workshop(db, poison), taken) == "failed"
    assert tried == []
    assert problems(db, tenant) == ["work.poison"]
    assert state(db, tenant, matter) == "failed"
    assert take(db) == []


def late_worker(db: Database) -> Claimed:
    """Takes the row, claims it, and is still at it when its lease is over."""
    [taken] = take(db)
    late = begin(db, taken, lease=0.001)
    assert late is not None
    with db.dispatch() as connection:
        while not outbox.reap(connection):
            pass
    return late


def comes_back(db: Database, late: Claimed) -> None:
    """Finds itself fenced out, as ``Ending.fenced`` writes it down."""
    with db.tenant(late.tenant_id) as connection:
        claim.make_due(connection, late)
        attempts.finish(connection, late.token, "fenced", None, calls=0)


@pytest.mark.parametrize("spoke", [1, 2, 3])
def test_workers_that_were_late_but_came_back_are_not_counted_as_dead(
    db: Database, tenant: UUID, spoke: int
) -> None:
    announce(db, tenant)
    late = [late_worker(db) for _ in range(3)]
    for one in late[:spoke]:
        comes_back(db, one)
    [taken] = take(db)
    assert settle(workshop(db, lambda _: Settled(Effects())), taken) == "done"
    assert problems(db, tenant) == []


def test_a_row_that_kills_its_workers_is_poison_whatever_late_one_was_among_them(
    db: Database, tenant: UUID
) -> None:
    announce(db, tenant)
    for dead in (True, False, True, True):
        late = late_worker(db)
        if not dead:
            comes_back(db, late)
    [taken] = take(db)
    assert settle(workshop(db, lambda _: Settled(Effects())), taken) == "failed"
    assert problems(db, tenant) == ["work.poison"]


def test_a_row_that_was_given_up_goes_on_when_one_of_its_workers_comes_back_after_all(
    db: Database, tenant: UUID
) -> None:
    matter = announce(db, tenant)
    late = [late_worker(db) for _ in range(3)]
    [taken] = take(db)
    shop = workshop(db, lambda _: Settled(Effects()))
    assert settle(shop, taken) == "failed"
    comes_back(db, late[1])
    assert state(db, tenant, matter) == "ready"
    [taken] = take(db)
    assert settle(shop, taken) == "done"
    assert problems(db, tenant) == []


def test_a_row_that_failed_for_another_reason_stays_so_when_a_late_worker_comes_back(
    db: Database, tenant: UUID
) -> None:
    matter = announce(db, tenant)
    late = late_worker(db)
    [taken] = take(db)

    def refused(_: Delivery) -> Settled:
        raise Stop("invoice.refused", {"customer": "Ada AB"})

    assert settle(workshop(db, refused), taken) == "failed"
    comes_back(db, late)
    assert state(db, tenant, matter) == "failed"


def test_a_line_of_the_log_about_a_delivery_names_the_tenant_beside_its_id(
    db: Database, tenant: UUID
) -> None:
    def refused(_: Delivery) -> Settled:
        raise Stop("invoice.refused", {"customer": "Ada AB"})

    announce(db, tenant)
    [taken] = take(db)
    with (
        structlog.contextvars.bound_contextvars(tenant_id=str(tenant)),
        capture_logs([structlog.contextvars.merge_contextvars]) as lines,
    ):
        settle(workshop(db, refused), taken)
    [line] = [line for line in lines if line["event"] == "failed"]
    assert (line["tenant"], line["tenant_id"]) == ("one", str(tenant))


def lease_left(db: Database, tenant: UUID) -> float:
    with db.tenant(tenant) as connection:
        [row] = connection.execute(
            "select extract(epoch from lease_until - bridge_now())::float as s from matter where token is not null"
        )
        return float(row["s"])


@pytest.mark.parametrize(
    ("what", "kept"), [("it works", True), ("it is stuck", False), ("it is over", False)]
)
def test_a_delivery_that_makes_progress_keeps_its_matter(
    db: Database, tenant: UUID, what: str, *, kept: bool
) -> None:
    announce(db, tenant)
    [taken] = take(db)
    left: list[tuple[int, float]] = []

    def slow(_: Delivery) -> Settled:
        with db.tenant(tenant) as connection:
            seconds = -1 if what == "it is over" else 20
            connection.execute(
                "update matter set lease_until = bridge_now() + %s * interval '1 second'", (seconds,)
            )
        silent_most = -1.0 if what == "it is stuck" else 900.0
        left.append((renew(db, shop.at_work, 300.0, silent_most), lease_left(db, tenant)))
        return Settled(Effects())

    shop = workshop(db, slow)
    settle(shop, taken)
    [(renewed, seconds)] = left
    assert (renewed, seconds > 200) == (int(kept), kept)
    assert shop.at_work.now() == []


def test_a_renewal_does_not_wait_for_whoever_holds_the_matter(db: Database, tenant: UUID) -> None:
    announce(db, tenant)
    [taken] = take(db)
    row = begin(db, taken)
    assert row is not None
    with db.tenant(tenant) as busy:
        busy.execute("select from matter where id = %s for update", (row.matter_id,)).fetchall()
        with db.tenant(tenant) as connection:
            assert claim.renew(connection, row, 300.0) is False
    with db.tenant(tenant) as connection:
        assert claim.renew(connection, row, 300.0) is True


def test_the_thread_that_renews_ends_with_its_block(db: Database, tenant: UUID) -> None:
    announce(db, tenant)
    [taken] = take(db)

    def slow(_: Delivery) -> Settled:
        with db.tenant(tenant) as connection:
            connection.execute("update matter set lease_until = bridge_now() + interval '20 seconds'")
        with shop.renewing(), renewing(db, shop.at_work, 300.0, 900.0, every=0.01):
            while lease_left(db, tenant) < 200:
                pass
        return Settled(Effects())

    shop = workshop(db, slow)
    assert settle(shop, taken) == "done"
    assert [one.name for one in threading.enumerate() if one.name == "renewing"] == []


def bring(delivery: Delivery, name: str) -> None:
    """One fee of a cost line, made and answered."""
    delivery.begin(name, {"line": name}, limit_seconds=1)
    delivery.done(name, {"fee": f"fee of {name}"})


@pytest.mark.parametrize("end", ["a person is told", "a defect", "settled", "poison"])
def test_what_a_cost_line_became_is_known_for_life_however_its_delivery_ended(
    db: Database, tenant: UUID, end: str
) -> None:
    matter = announce(db, tenant, domain="cost")
    seen: list[object] = []

    def settle_costs(delivery: Delivery) -> Settled:
        if delivery.step("line 1") is not None:
            seen.append(delivery.step("line 1"))
            return Settled(Effects())
        bring(delivery, "line 1")
        if end == "a person is told":
            raise Stop("cost.project_gone", {"kind": "Invoice", "guid": "p"})
        if end == "a defect":
            raise RuntimeError("a defect")
        return Settled(Effects())

    shop = workshop(db, settle_costs)
    shop = replace(
        shop,
        specs={**shop.specs, "cost": DomainSpec("cost", "cost", settle_costs)},
        pace=replace(shop.pace, tell_after=1),
    )
    [taken] = take(db)
    assert settle(shop, taken) == ("done" if end in ("settled", "poison") else "failed")
    announce(db, tenant, domain="cost")
    if end == "poison":
        for _ in range(3):
            lose_a_worker(db)
        [taken] = take(db)
        assert settle(shop, taken) == "failed"
        announce(db, tenant, domain="cost")
    [taken] = take(db)
    assert settle(shop, taken) == "done"
    assert [one.result for one in seen] == [{"fee": "fee of line 1"}]  # type: ignore[attr-defined]
    assert state(db, tenant, matter, "cost") is None


def test_the_database_lets_no_second_fee_of_a_line_be_asked_for(db: Database, tenant: UUID) -> None:
    announce(db, tenant, domain="cost")
    row = claimed(db, tenant)
    assert permitted(db, row, "line 1")
    [other] = [replace(row, token=uuid4())]
    with db.tenant(tenant) as connection:
        connection.execute("update matter set token = %s where token is not null", (other.token,))
        connection.execute("update outbox set token = %s where token is not null", (other.token,))
        attempts.start(connection, other, "test")
    with pytest.raises(psycopg.errors.UniqueViolation):
        permitted(db, other, "line 1")
    assert permitted(db, other, "void 1")
    with db.tenant(tenant) as connection:
        claim.undo(connection, replace(row, token=row.token), "line 1", 1, "", "it was surely not made")
    assert permitted(db, other, "line 1")


def test_a_counterpart_that_is_announced_between_the_look_and_the_write_is_joined_by_the_next_attempt(
    db: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = LinkUpdate("customers", "1", "1", "customer", "77", "10077", base={}, state={})
    look = matters.counterparts

    def announced_meanwhile(*given: Any) -> Any:
        found = look(*given)
        # A poll meets the ERP's new customer just after the last look, which is the one of the write.
        if sys._getframe(1).f_code is matters.put.__code__:
            monkeypatch.setattr(matters, "counterparts", look)
            meet(db, tenant, "77", domain="customer", system="visma_net", register="customer")
        return found

    monkeypatch.setattr(matters, "counterparts", announced_meanwhile)
    specs = {
        **catalogue.SPECS,
        "customer": DomainSpec("customer", "customer", lambda _: Settled(Effects(link=pair))),
    }
    shop = replace(workshop(db, lambda _: Settled(Effects())), specs=specs)
    matter = announce(db, tenant, domain="customer")
    [taken] = take(db)
    with capture_logs() as lines:
        assert settle(shop, taken) == "later"
    assert [line["event"] for line in lines] == ["later"], "a race, and no defect"

    with db.tenant(tenant) as connection:
        connection.execute("update outbox set due_at = bridge_now()")
    [again] = take(db)
    assert settle(shop, again) == "done"
    with db.tenant(tenant) as connection:
        joined = matters.find(connection, "customer", erp_id="77")
    assert joined is not None
    assert joined.id == matter


def test_two_lost_workers_are_no_poison(db: Database, tenant: UUID) -> None:
    announce(db, tenant)
    for _ in range(2):
        lose_a_worker(db)
    [taken] = take(db)
    assert settle(workshop(db, lambda _: Settled(Effects())), taken) == "done"


@pytest.mark.schedule("S34")
def test_of_two_that_wait_for_each_other_the_younger_one_tells_a_person(db: Database, tenant: UUID) -> None:
    ids = {str(meet(db, tenant, name)): name for name in ("1", "2")}
    other = {"1": "2", "2": "1"}

    def wait(delivery: Delivery) -> Settled:
        mine = ids[str(delivery.link.id)] if delivery.link else _severa_id(delivery)
        raise Waiting("invoice", severa_id=other[mine])

    shop = workshop(db, wait)
    for name in ("1", "2"):
        announce(db, tenant, name)
    ended = sorted(settle(shop, taken) for _ in range(2) for taken in take(db))
    while "failed" not in ended and len(ended) < 8:
        with db.tenant(tenant) as connection:
            connection.execute("update outbox set due_at = bridge_now()")
        ended += [settle(shop, taken) for taken in take(db)]
    assert ended.count("failed") == 1
    assert problems(db, tenant) == ["work.waits_in_circle"]
    assert state(db, tenant, UUID(max(ids))) == "failed"


def _severa_id(delivery: Delivery) -> str:
    matter = delivery.matter  # type: ignore[attr-defined]  # the live delivery's
    return str(matter.severa[1])


@pytest.mark.schedule("S17")
def test_a_wait_has_an_end(db: Database, tenant: UUID) -> None:
    def wait(delivery: Delivery) -> Settled:
        raise Waiting("project", severa_id="never seen")

    matter = announce(db, tenant)
    shop = workshop(db, wait, Patience(most=60.0, unseen=30.0))
    for waited, ends in ((0, "waiting"), (20, "waiting"), (40, "failed")):
        with db.tenant(tenant) as connection:
            connection.execute(
                "update outbox set due_at = bridge_now(), waits_since = bridge_now() - %s * interval '1 second' "
                "where waits_since is not null and domain = 'invoice'",
                [waited],
            )
        [taken] = [one for one in take(db) if one.domain == "invoice"]
        assert settle(shop, taken) == ends
    assert state(db, tenant, matter) == "failed"
    assert problems(db, tenant) == ["work.dependency_unknown"]


def test_a_worker_that_was_fenced_out_ends_nothing_and_its_row_is_looked_at_at_once(
    db: Database, tenant: UUID
) -> None:
    matter = announce(db, tenant)

    def paused(delivery: Delivery) -> Settled:
        with db.tenant(tenant) as connection:
            connection.execute("update matter set lease_until = bridge_now() - interval '1 second'")
        with db.dispatch() as connection:
            outbox.reap(connection)
        return Settled(Effects())

    [taken] = take(db)
    assert settle(workshop(db, paused), taken) == "fenced"
    assert state(db, tenant, matter) == "ready"


def test_a_permission_is_reckoned_from_before_the_statement_that_granted_it(
    db: Database, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the way to PostgreSQL and a lock wait take is not added to the time in which a call may leave."""
    announce(db, tenant)
    boot, begin_step = clock.boot, claim.begin
    slow = [0.0]
    granted: list[tuple[float, float]] = []

    def slowly(*arguments: Any, **more: Any) -> Any:
        slow[0] = 100.0
        return begin_step(*arguments, **more)

    def ask(delivery: Delivery) -> Settled:
        before = clock.boot()
        granted.append((before, delivery.begin("create", {}, limit_seconds=1.0).not_after))
        raise Stop("work.setup", {"text": ""})

    monkeypatch.setattr(clock, "boot", lambda: boot() + slow[0])
    monkeypatch.setattr(claim, "begin", slowly)
    [taken] = take(db)
    settle(workshop(db, ask), taken)
    [(before, not_after)] = granted
    assert not_after - before < Pace().not_after + 100.0


# ---------------------------------------------------------------- the relay


def relay(db: Database, place: Path, publish: Callable[[Sequence[Taken]], list[bool]]) -> Relay:
    its = keeper(db, place)
    return Relay(db, publish, Settings(database_url=db.url), {}, threading.Event(), keeper=its)


def test_what_is_published_is_committed_before(db: Database, tenant: UUID, tmp_path: Path) -> None:
    matter = announce(db, tenant)
    found = []

    def publish(rows: Sequence[Taken]) -> list[bool]:
        # Seen from another connection, as a worker does that is faster than the relay.
        found.extend(state(db, one.tenant_id, one.matter_id) for one in rows)
        return [True] * len(rows)

    assert relay(db, tmp_path, publish).turn() == 1
    assert found == ["out"]
    assert state(db, tenant, matter) == "out"


def test_what_the_broker_did_not_take_is_ready_again(db: Database, tenant: UUID, tmp_path: Path) -> None:
    taken, refused = announce(db, tenant, 1), announce(db, tenant, 2)
    relay(db, tmp_path, lambda rows: [one.matter_id == taken for one in rows]).turn()
    assert [state(db, tenant, one) for one in (taken, refused)] == ["out", "ready"]
