"""A wait has an end: what waiting does not help is told to a person (docs/never-twice.md rule 17)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from factories import announce, begin, claimed, meet, state, take

from actors import dependencies
from actors.dependencies import Patience
from db import attempts, claim, matters, outbox
from db.claim import Claimed
from db.pool import Database
from domain.errors import Stop, Waiting

PATIENCE = Patience(most=86_400, unseen=900)
PROJECT = Waiting("project", severa_id="p1", name="Osedd")


def told(db: Database, row: Claimed, error: Waiting, waited: timedelta | None) -> str | None:
    """The code of what a person is told about a row that has waited for so long; None: it goes on waiting."""
    since = None if waited is None else row.now - waited
    with db.tenant(row.tenant_id) as connection:
        wanted = dependencies.target(connection, error)
        dependencies.ensure(connection, row, error, wanted, wait=30)
        stop = dependencies.hopeless(connection, replace(row, waits_since=since), error, wanted, PATIENCE)
    return stop.code if stop else None


@pytest.mark.schedule("S17")
@pytest.mark.parametrize(
    ("waited", "expected"),
    [
        (None, None),
        (timedelta(seconds=900), None),
        (timedelta(seconds=901), "work.dependency_unknown"),
    ],
)
def test_a_record_that_nobody_ever_saw_is_waited_for_a_while_and_then_named(
    db: Database, tenant: UUID, waited: timedelta | None, expected: str | None
) -> None:
    announce(db, tenant)
    assert told(db, claimed(db, tenant), PROJECT, waited) == expected


@pytest.mark.schedule("S17")
def test_its_coming_wakes_whoever_waits_for_it(db: Database, tenant: UUID) -> None:
    invoice = announce(db, tenant)
    row = claimed(db, tenant)
    with db.tenant(tenant) as connection:
        wanted = dependencies.target(connection, PROJECT).matter
        assert wanted is not None
        claim.fail(connection, row, "failed", matter=wanted.id)
        claim.give_back(connection, row)
    # A poll sees it for the first time: it is the matter that was made for the waiter, so its rest wakes that one.
    seen = meet(db, tenant, "p1", domain="project", register="projects")
    with db.tenant(tenant) as connection:
        outbox.wake(connection, [seen])
    assert state(db, tenant, invoice) == "ready"


@pytest.mark.schedule("S34")
@pytest.mark.parametrize("its_state", ["failed", "in_doubt"])
def test_what_waits_for_one_that_only_a_person_can_end_says_so_at_once(
    db: Database, tenant: UUID, its_state: str
) -> None:
    project = announce(db, tenant, "p1", "project")
    other = claimed(db, tenant)
    assert other.matter_id == project
    with db.tenant(tenant) as connection:
        claim.fail(connection, other, its_state)
        claim.give_back(connection, other)
    announce(db, tenant)
    row = claimed(db, tenant)
    with db.tenant(tenant) as connection:
        wanted = dependencies.target(connection, PROJECT)
        stop = dependencies.hopeless(connection, row, PROJECT, wanted, PATIENCE)
    assert stop is not None
    assert stop.code == "work.dependency_in_error"


@pytest.mark.schedule("S34")
def test_of_two_that_wait_for_each_other_exactly_one_gives_way(db: Database, tenant: UUID) -> None:
    invoice, project = announce(db, tenant, "i1"), announce(db, tenant, "p1", "project")
    by_matter = {row.matter_id: row for taken in take(db) if (row := begin(db, taken)) is not None}
    for mine, theirs in ((invoice, project), (project, invoice)):
        with db.tenant(tenant) as connection:
            claim.wait(connection, by_matter[mine], matter=theirs, delay=3600)
    errors = {invoice: PROJECT, project: Waiting("invoice", severa_id="i1")}
    codes = []
    for mine, row in by_matter.items():
        with db.tenant(tenant) as connection:
            wanted = dependencies.target(connection, errors[mine])
            stop = dependencies.hopeless(connection, row, errors[mine], wanted, PATIENCE)
        codes.append(stop.code if stop else "")
    assert sorted(codes) == ["", "work.waits_in_circle"]


def test_nothing_is_waited_for_longer_than_a_day(db: Database, tenant: UUID) -> None:
    announce(db, tenant)
    row = claimed(db, tenant)
    # Something is about to be done for it, so that it is not called left alone.
    needed = Waiting("customer", severa_id="c1", name="Sen", need="active")
    with db.tenant(tenant) as connection:
        wanted = dependencies.target(connection, needed)
        dependencies.ensure(connection, row, needed, wanted, wait=30)
    patient = Patience(most=86_400, unseen=10 * 86_400)
    for waited, expected in ((86_400, None), (86_401, "work.waited_too_long")):
        late = replace(row, waits_since=row.now - timedelta(seconds=waited))
        with db.tenant(tenant) as connection:
            stop = dependencies.hopeless(connection, late, needed, wanted, patient)
        assert (stop.code if stop else None) == expected


def test_what_was_settled_during_the_wait_is_not_asked_again_at_once(db: Database, tenant: UUID) -> None:
    """Its end wakes the waiter: they would go round as fast as they can, with calls to both systems each time."""
    announce(db, tenant)
    row = claimed(db, tenant)

    def asked(waited: float | None) -> bool:
        since = None if waited is None else row.now - timedelta(seconds=waited)
        with db.tenant(tenant) as connection:
            wanted = dependencies.target(connection, PROJECT)
            dependencies.ensure(connection, replace(row, waits_since=since), PROJECT, wanted, wait=30)
            assert wanted.matter is not None
            return outbox.state_of(connection, "project", wanted.matter.id) is not None

    assert asked(None)
    project = claimed(db, tenant)
    with db.tenant(tenant) as connection:
        assert claim.hold(connection, project) is not None
        claim.finish(connection, project, again=False)
        claim.give_back(connection, project)
        attempts.finish(connection, project.token, "done", None, 0)
    assert not asked(60)
    # A wait that begins only now asks: it was settled before anybody needed it.
    row = replace(row, now=project.now + timedelta(seconds=1))
    assert asked(None)
    with db.tenant(tenant) as connection:
        connection.execute("delete from outbox where domain = 'project'")
    # Nor is it forgotten: the next look, half a minute on, asks again.
    row = replace(row, now=project.now + timedelta(seconds=40))
    assert asked(60)


ACTIVE = Waiting("project", severa_id="p1", name="Osedd", need="active")


@pytest.mark.parametrize("project", ["failed", "done"])
def test_a_need_of_a_record_in_error_stands_though_its_waiter_fails_too(
    db: Database, tenant: UUID, project: str
) -> None:
    """Lifted, the record's work succeeds with nothing to do and wakes the waiter, which needs it again: without end."""
    announce(db, tenant)
    row = claimed(db, tenant)
    with db.tenant(tenant) as connection:
        wanted = dependencies.target(connection, ACTIVE)
        assert wanted.matter is not None
        dependencies.ensure(connection, row, ACTIVE, wanted, wait=30)
    its = claimed(db, tenant)
    with db.tenant(tenant) as connection:
        assert claim.hold(connection, its) is not None
        if project == "failed":
            claim.fail(connection, its, "failed")
        else:
            claim.finish(connection, its, again=False)
        claim.give_back(connection, its)
    with db.tenant(tenant) as connection:
        stop = Stop("work.dependency_in_error", {}, waits_for=ACTIVE)
        dependencies.lift(connection, row, but=dependencies.blamed(connection, stop))
        needed = matters.needed(connection, wanted.matter.id)
        state_now = outbox.state_of(connection, "project", wanted.matter.id)
    assert (bool(needed), state_now) == ((True, "failed") if project == "failed" else (False, "ready"))
