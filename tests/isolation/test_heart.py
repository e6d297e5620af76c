"""Every two transactions of the heart that meet at one matter, in every order of their statements (never-twice.md, "Inside
transactions"): switching only at commits finds no lock wait, no S33 and no S39."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import pytest
from services import PostgresServer

from isolation.scene import Theatre, judge
from isolation.statements import Run, Walker, interleavings

AT_WORK = (
    "announce", "announce_other", "take", "reap", "claim_payment", "begin", "done", "finish", "join", "decide", "adopt",
)  # fmt: skip
# The other matter's claim meets only these at a row.
WITH_THE_OTHERS_CLAIM = ("announce_other", "take", "reap", "join")
PAIRS = [*combinations(AT_WORK, 2), *(("claim_other", one) for one in WITH_THE_OTHERS_CLAIM)]
# Where two share no lock every order comes to the same: A, B, A, B is as far as they are taken apart.
SWITCHES = 2
# With a lease that is over only what asks for it, or ends it, goes another way.
OF_THE_LEASE = {"take", "reap", "claim_payment", "begin", "adopt"}
CASES = [(one, other, False) for one, other in PAIRS] + [
    (one, other, True) for one, other in PAIRS if OF_THE_LEASE & {one, other}
]


@pytest.fixture(scope="module")
def theatre(postgres_server: PostgresServer) -> Iterator[Theatre]:
    database = postgres_server.create()
    made = Theatre(database)
    yield made
    made.close()
    postgres_server.drop(database)


def every_order(
    theatre: Theatre, names: Sequence[str], *, over: bool = False, most_switches: int | None = None
) -> int:
    """Runs and judges them; how many there were."""
    walker = Walker(theatre.watch)

    def walk(order: Sequence[str]) -> Run:
        scene = theatre.set_up(over=over)
        run = walker.walk(theatre.sessions(scene, {name: name for name in names}), order)
        judge(theatre, scene, run)
        return run

    return sum(1 for _ in interleavings(walk, most_switches=most_switches))


@pytest.mark.parametrize(("one", "other", "over"), CASES)
def test_two_transactions_in_every_order(theatre: Theatre, one: str, other: str, *, over: bool) -> None:
    assert every_order(theatre, [one, other], over=over, most_switches=SWITCHES) > 1


# Of three: one that is left where it could have gone on; who waits for a lock is left without counting.
@pytest.mark.schedule("S39")
def test_a_lease_that_ends_while_its_worker_waits_for_the_matter_permits_nothing(theatre: Theatre) -> None:
    assert every_order(theatre, ["join_busy", "begin", "lease_ends"], most_switches=1) > 1


@pytest.mark.schedule("S33")
def test_work_for_a_record_that_is_joined_meanwhile_lands_where_it_is_claimed(theatre: Theatre) -> None:
    assert every_order(theatre, ["announce_other", "join", "claim_payment"], most_switches=1) > 1


def test_of_a_lost_worker_and_its_successor_one_is_permitted(theatre: Theatre) -> None:
    assert every_order(theatre, ["begin", "reap", "claim_payment"], over=True, most_switches=1) > 1
