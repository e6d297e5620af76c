"""A tenant leaves at the very moment at which something of it is claimed, polled or announced (docs/never-twice.md rule 23): whatever is
let through is committed before, where the erasure sees it, in every order of the statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from services import PostgresServer

from db.claim import Claimed
from domain.errors import LeaseLost
from isolation.scene import Theatre
from isolation.statements import Run, Walker, interleavings

pytestmark = pytest.mark.schedule("S46")


@pytest.fixture(scope="module")
def theatre(postgres_server: PostgresServer) -> Iterator[Theatre]:
    database = postgres_server.create()
    made = Theatre(database)
    yield made
    made.close()
    postgres_server.drop(database)


def every_order(
    theatre: Theatre, name: str, other: str = "leave", *, over: bool = False, polled: bool = False
) -> Iterator[Run]:
    """The transaction beside another one, most often one that has the tenant leave."""
    walker = Walker(theatre.watch)

    def walk(order: Sequence[str]) -> Run:
        scene = theatre.set_up(over=over, polled=polled)
        return walker.walk(theatre.sessions(scene, {one: one for one in (name, other)}), order)

    yield from interleavings(walk, most_switches=3)


def later(run: Run, name: str) -> bool:
    """It was committed after the tenant had left."""
    return run.at(name, "commit") > run.at("leave", "commit")


@pytest.mark.parametrize(("name", "over"), [("claim_other", False), ("claim_payment", True)])
def test_a_claim_is_committed_before_or_sees_that_the_tenant_is_leaving(
    theatre: Theatre, name: str, *, over: bool
) -> None:
    claimed = []
    for run in every_order(theatre, name, over=over):
        assert all(one.error is None for one in run.sessions), run.told()
        session = run.session(name)
        assert session is not None
        claimed.append(isinstance(session.result, Claimed))
        assert not (claimed[-1] and later(run, name)), run.told()
    assert set(claimed) == {True, False}


def test_a_page_of_a_poll_is_committed_before_or_refused(theatre: Theatre) -> None:
    stored = []
    for run in every_order(theatre, "page"):
        stored.append(run.succeeded("page"))
        assert run.succeeded("leave"), run.told()
        assert not (stored[-1] and later(run, "page")), run.told()
    assert set(stored) == {True, False}


def test_a_poll_that_is_leased_at_this_moment_holds_nothing_afterwards(theatre: Theatre) -> None:
    leased = []
    for run in every_order(theatre, "due", polled=True):
        assert all(one.error is None for one in run.sessions), run.told()
        assert theatre.one("select count(*) from connection where poll_token is not null") == 0, run.told()
        session = run.session("due")
        assert session is not None
        leased.append(bool(session.result))
    assert set(leased) == {True, False}


@pytest.mark.parametrize(
    ("one", "other"),
    [("braked", "leave"), ("foreign", "leave"), ("foreign", "claim_other"), ("foreign", "claim_payment")],
)
def test_whoever_changes_the_tenant_and_whoever_looks_at_it_never_wait_crosswise(
    theatre: Theatre, one: str, other: str
) -> None:
    for run in every_order(theatre, one, other):
        errors = [one.error for one in run.sessions if not isinstance(one.error, LeaseLost | None)]
        assert errors == [], run.told()
