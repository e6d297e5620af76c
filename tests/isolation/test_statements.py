"""The runner of interleavings, on a toy table: it finds what is wrong, and nothing where nothing is."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from services import Database

from isolation.statements import Gate, Part, Run, every


@pytest.fixture
def url(empty_database: Database) -> str:
    with psycopg.connect(empty_database.owner_url, autocommit=True) as db:
        db.execute("create table account (id int primary key, amount int not null)")
    return empty_database.owner_url


def fresh(db: psycopg.Connection[Any]) -> None:
    db.execute("delete from account")
    db.execute("insert into account values (1, 100), (2, 100)")


def amounts(db: psycopg.Connection[Any]) -> list[int]:
    return [row[0] for row in db.execute("select amount from account order by id")]


def run(url: str, *transactions: Any) -> list[Run]:
    parts = [Part(name, one) for name, one in zip("ab", transactions, strict=True)]
    return list(every(url, parts, fresh=fresh, after=amounts))


def add_carelessly(db: Gate) -> int:
    """Reads, then writes what it has reckoned itself."""
    row = db.execute("select amount from account where id = 1").fetchone()
    assert row is not None
    db.execute("update account set amount = %s where id = 1", [row["amount"] + 10])
    return int(row["amount"])


def add_under_a_lock(db: Gate) -> None:
    row = db.execute("select amount from account where id = 1 for update").fetchone()
    assert row is not None
    db.execute("update account set amount = %s where id = 1", [row["amount"] + 10])


def both(first: int, second: int) -> Any:
    def move(db: Gate) -> None:
        db.execute("update account set amount = amount + 1 where id = %s", [first])
        db.execute("update account set amount = amount + 1 where id = %s", [second])

    return move


def look(db: Gate) -> None:
    db.execute("select 1")
    db.execute("select 2")


def test_two_transactions_of_two_statements_have_twenty_interleavings(url: str) -> None:
    outcomes = run(url, look, look)
    # Three steps each, the commit included: 6 over 3.
    assert len({tuple(outcome.chosen) for outcome in outcomes}) == len(outcomes) == 20
    assert not any(outcome.waited or outcome.errors for outcome in outcomes)


def test_a_lost_update_is_found_in_some_interleavings_and_not_in_all(url: str) -> None:
    found = [outcome.after[0] for outcome in run(url, add_carelessly, add_carelessly)]
    assert {110, 120} == set(found)


def test_a_lock_that_is_taken_first_loses_nothing_and_its_wait_is_seen(url: str) -> None:
    outcomes = run(url, add_under_a_lock, add_under_a_lock)
    assert {outcome.after[0] for outcome in outcomes} == {120}
    assert any(outcome.waited for outcome in outcomes)
    assert not all(outcome.waited for outcome in outcomes)
    assert not any(outcome.errors for outcome in outcomes)


def test_rows_locked_in_another_order_are_found_to_deadlock(url: str) -> None:
    outcomes = run(url, both(1, 2), both(2, 1))
    dead = [outcome for outcome in outcomes if outcome.deadlocked]
    assert dead
    assert all(outcome.after == [101, 101] and len(outcome.errors) == 1 for outcome in dead)
    assert all(outcome.after == [102, 102] for outcome in outcomes if not outcome.errors)


def test_rows_locked_in_the_same_order_never_deadlock(url: str) -> None:
    outcomes = run(url, both(1, 2), both(1, 2))
    assert not any(outcome.errors for outcome in outcomes)
    assert {tuple(outcome.after) for outcome in outcomes} == {(102, 102)}


def test_a_condition_behind_a_lock_wait_is_looked_at_with_the_old_time(url: str) -> None:
    """Why a permission is asked for in two statements (S39): the waiting one has reckoned its condition before."""

    def hold(db: Gate) -> None:
        db.execute("select * from account where id = 1 for update")
        db.execute("select pg_sleep(0.05)")

    def begin(db: Gate) -> bool:
        # The statement's own time, as a lease would be compared with; PostgreSQL does not ask again after the wait,
        # because the row itself was not changed.
        done = db.execute(
            "update account set amount = amount + 1 where id = 1 and clock_timestamp() < statement_timestamp() "
            "+ interval '20 milliseconds' returning clock_timestamp() > statement_timestamp() + interval '20 milliseconds' as late"
        ).fetchone()
        return done is not None and bool(done["late"])

    outcomes = run(url, hold, begin)
    assert any(outcome.waited and outcome.results["b"] for outcome in outcomes)


def test_words_name_who_did_what_and_who_waited(url: str) -> None:
    outcome = next(one for one in run(url, add_under_a_lock, add_under_a_lock) if one.waited)
    assert "for update (waits)" in outcome.told()
    assert "a: commit" in outcome.told()
