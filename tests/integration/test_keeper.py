"""What the relay does before it frees or takes anything: beat, judge, and mistrust PostgreSQL's clock (docs/never-twice.md rules 10 and 22)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from factories import announce, claimed, make_tenant, state, take
from integration.test_adopt import by_hand, epoch, facts
from services import Database as Made
from structlog.testing import capture_logs

from app.keeper import Keeper
from app.memory import BeatQueue, Memory, StateFile
from app.relay import Relay
from app.settings import Settings
from app.standing import Verdict
from db import installation
from db.installation import Beat, Facts, Reason
from db.pool import Database
from domain import clock

STEPPED = "create or replace function bridge_now() returns timestamptz language sql as $$ select clock_timestamp() + interval '20 minutes' $$"
BACK = "create or replace function bridge_now() returns timestamptz language sql as $$ select clock_timestamp() - interval '20 minutes' $$"
RIGHT = "create or replace function bridge_now() returns timestamptz language sql as $$ select clock_timestamp() $$"


class FastForward:
    """The machine's clocks, put forward by hand."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._real = clock.MachineClock()

    def wall(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    def monotonic(self) -> float:
        return self._real.monotonic() + self.ahead

    def boot(self) -> float:
        return self._real.boot() + self.ahead

    def pause(self, seconds: float) -> None:
        self.ahead += seconds


@pytest.fixture
def hands() -> Iterator[FastForward]:
    """The process's clocks can be moved; PostgreSQL's stays."""
    hands = FastForward()
    before = clock.use(hands)
    yield hands
    clock.use(before)


def keeper(db: Database, place: Path, **settings: float) -> Keeper:
    """A relay's keeper, with a memory of its process's own and the state file in ``place``."""
    chosen = Settings(database_url=db.url, **settings)  # type: ignore[arg-type]  # settings of seconds
    return Keeper(db, chosen, threading.Event(), Memory(StateFile(place / "beat.json", "here"), None))


def relay(db: Database, its: Keeper) -> Relay:
    def publish(rows: object) -> list[bool]:
        return [True] * len(rows)  # type: ignore[arg-type]

    return Relay(db, publish, Settings(database_url=db.url), {}, threading.Event(), keeper=its)  # type: ignore[arg-type]


def steady(db: Database, its: Keeper) -> bool:
    with db.dispatch() as connection:
        return its.steady(connection)


# ---- the beat


def test_a_beat_is_taken_before_the_first_row_is_and_then_each_second(
    db: Database, tmp_path: Path, hands: FastForward
) -> None:
    its = keeper(db, tmp_path)
    announce(db, make_tenant(db, "one"))
    assert relay(db, its).turn() == 1
    assert facts(db).number == 1
    assert its.turn()
    assert facts(db).number == 1
    for beats in range(2, 70):
        hands.ahead += 1.0
        assert its.turn()
        assert facts(db).number == beats
    assert len(facts(db).recent) == 64
    remembered = keeper(db, tmp_path)._memory.recall(facts(db).history)
    assert remembered is not None
    assert facts(db).position(remembered) == 0


def test_a_process_that_died_before_it_remembered_its_last_beats_is_known_again(
    db: Database, database: Made, tmp_path: Path
) -> None:
    assert keeper(db, tmp_path).turn()
    with db.dispatch() as connection:
        assert installation.beat(connection, uuid4())
        assert installation.beat(connection, uuid4())
    by_hand(database, "update installation set started_at = '2020-01-01Z', written_by = pg_current_xact_id()")
    assert keeper(db, tmp_path).turn()
    assert facts(db).epoch == 1


def test_what_is_off_is_said_once_and_frees_and_takes_nothing(
    db: Database, database: Made, tmp_path: Path, hands: FastForward
) -> None:
    tenant = make_tenant(db, "one")
    subject = announce(db, tenant, 1)
    claimed(db, tenant)
    announce(db, tenant, 2)
    its = keeper(db, tmp_path)
    by_hand(
        database,
        "update installation set epoch = epoch",
        "update matter set lease_until = bridge_now() - interval '1 hour' where lease_until is not null",
    )
    with capture_logs() as said:
        for _ in range(5):
            assert relay(db, its).turn() == 0
            hands.ahead += 1.0
    assert [line["event"] for line in said] == ["writes_are_off"]
    assert "restored from a dump" in said[0]["reason"]
    assert state(db, tenant, subject) == "started"
    assert facts(db).reason == "restored"
    with db.dispatch() as connection:
        installation.begin_epoch(connection, facts(db).history, 0.0)
    hands.ahead += 1.0
    assert its.turn()


def test_another_relay_that_looked_first_is_no_news(
    db: Database, database: Made, tmp_path: Path, hands: FastForward
) -> None:
    first, second = keeper(db, tmp_path), keeper(db, tmp_path)
    assert first.turn()
    by_hand(database, "update installation set started_at = '2020-01-01Z', written_by = pg_current_xact_id()")
    examine = second.examine

    def after_the_other() -> tuple[Facts | None, Verdict]:
        hands.ahead += 1.0
        assert first.turn()
        return examine()

    second.examine = after_the_other  # type: ignore[method-assign]
    with capture_logs() as said:
        assert second.turn()
    assert said == []


def test_a_relay_that_looks_while_another_carries_on_takes_no_beat_of_it_for_a_lost_future(
    db: Database, database: Made, tmp_path: Path, hands: FastForward
) -> None:
    """Two relays after a start of PostgreSQL: one was found *copied* by the other, and all writes went off."""
    first, second = keeper(db, tmp_path), keeper(db, tmp_path)
    assert first.turn()
    by_hand(database, "update installation set started_at = '2020-01-01Z', written_by = pg_current_xact_id()")
    history, recall = facts(db).history, second._memory.recall

    def meanwhile(of: UUID) -> Beat | None:
        hands.ahead += 1.0
        assert first.turn()
        return recall(of)

    second._memory.recall = meanwhile  # type: ignore[method-assign]
    second._stop.set()
    with capture_logs() as said:
        assert second.turn()
    assert (facts(db).history, facts(db).epoch, said) == (history, 1, [])


def test_a_broker_that_does_not_answer_is_not_one_that_remembers_nothing(
    db: Database, database: Made, amqp_url: str, tmp_path: Path
) -> None:
    """PostgreSQL and RabbitMQ start together, and the state file is lost: what the queue remembers is waited for, or a person would
    have to say which database counts."""
    remembering = Memory(StateFile(tmp_path / "beat.json", "here"), BeatQueue(amqp_url))
    chosen = Settings(database_url=db.url)  # type: ignore[arg-type]
    first = Keeper(db, chosen, threading.Event(), remembering)
    for _ in range(3):
        assert first.turn()
        first._beat_at = 0.0
    remembering.close()
    (tmp_path / "beat.json").unlink()
    by_hand(database, "update installation set started_at = '2020-01-01Z', written_by = pg_current_xact_id()")
    away = Memory(StateFile(tmp_path / "beat.json", "here"), BeatQueue("amqp://guest:guest@127.0.0.1:1/"))
    its = Keeper(db, chosen, threading.Event(), away)
    for _ in range(3):
        assert not its.turn()
        its._beat_at = 0.0
    assert facts(db).writes == "on"
    again = Memory(StateFile(tmp_path / "beat.json", "here"), BeatQueue(amqp_url))
    assert Keeper(db, chosen, threading.Event(), again).turn()
    assert (facts(db).writes, facts(db).epoch) == ("on", 1)
    again.close()


@pytest.mark.parametrize(("reason", "stays"), [("copied", True), ("restored", False)])
def test_a_judgement_of_a_moment_ago_switches_nothing_off_that_another_relay_has_known_since(
    db: Database, reason: Reason, stays: bool  # noqa: FBT001
) -> None:  # fmt: skip
    with db.dispatch() as connection:
        installation.stop(connection, facts(db).history, reason)
    assert (facts(db).writes == "on") is stays


def test_a_rewound_database_begins_a_new_epoch_and_remembers_at_once(
    db: Database, database: Made, tmp_path: Path, hands: FastForward
) -> None:
    its = keeper(db, tmp_path, create_limit_seconds=30, visibility_lag_seconds=60)
    for _ in range(4):
        assert its.turn()
        hands.ahead += 1.0
    by_hand(
        database,
        "update beat set number = 2, recent = recent[1:2]",
        "update installation set started_at = '2020-01-01Z', written_by = pg_current_xact_id()",
    )
    other = keeper(db, tmp_path, create_limit_seconds=30, visibility_lag_seconds=60)
    other._stop.set()  # nobody else lives: no need to listen for long
    assert other.turn()
    found = facts(db)
    assert (found.epoch, found.number) == (2, 1)
    # not-after and margin count too: a call of the lost future may still have been on its way
    assert found.quiet_until is not None
    assert timedelta(seconds=140) < found.quiet_until - found.now <= timedelta(seconds=150)
    # the memory is of the new history: another start changes nothing
    by_hand(database, "update installation set started_at = '2020-01-01Z', written_by = pg_current_xact_id()")
    assert keeper(db, tmp_path).turn()
    assert facts(db).epoch == 2


# ---- the clock


@pytest.mark.schedule("S30")
@pytest.mark.parametrize("step", [STEPPED, BACK], ids=["forward", "back"])
def test_a_step_frees_nothing_and_claims_nothing_until_a_lease_and_a_settle_time_have_passed(
    db: Database, database: Made, tmp_path: Path, hands: FastForward, step: str
) -> None:
    tenant = make_tenant(db, "one")
    subject = announce(db, tenant, 1)
    claimed(db, tenant)
    announce(db, tenant, 2)
    pause = {"claim_lease_seconds": 100, "create_timeout_seconds": 50, "create_limit_seconds": 50, "read_timeout_seconds": 50, "lease_margin_seconds": 5, "visibility_lag_seconds": 40, "out_lease_seconds": 10}  # fmt: skip
    its = keeper(db, tmp_path, **pause)
    assert steady(db, its)
    by_hand(database, step)  # type: ignore[arg-type]  # one of the two above
    assert relay(db, its).turn() == 0
    assert state(db, tenant, subject) == "started"
    # a relay that starts now did not see the step, and counts for itself
    late = keeper(db, tmp_path, **pause)
    assert not steady(db, late)
    hands.ahead += 189.0
    by_hand(
        database, "update matter set lease_until = bridge_now() - interval '1 hour' where token is not null"
    )  # type: ignore[arg-type]
    # the process's clock was put forward against PostgreSQL's: that looks like a step too
    assert relay(db, its).turn() == 0
    assert state(db, tenant, subject) == "started"
    assert take(db) == []


@pytest.mark.schedule("S30")
def test_the_pause_is_counted_by_the_relays_own_clock_and_ends_by_itself(
    db: Database, database: Made, tmp_path: Path, hands: FastForward
) -> None:
    its = keeper(db, tmp_path, claim_lease_seconds=2, not_after_seconds=1, create_timeout_seconds=1, create_limit_seconds=1, read_timeout_seconds=1, lease_margin_seconds=0.5, visibility_lag_seconds=0.5, out_lease_seconds=0.5)  # fmt: skip
    assert steady(db, its)
    by_hand(database, STEPPED)
    began = clock.boot()
    assert not steady(db, its)
    with capture_logs() as said:
        while not steady(db, its):
            assert clock.boot() - began < 60
    assert clock.boot() - began >= 3.5
    assert [line["event"] for line in said] == ["clock_steady"]
    assert epoch(database) == 1
    assert facts(db).stepped is False
    # and back: a step like any other
    by_hand(database, RIGHT)
    assert not steady(db, its)
    assert facts(db).stepped is True


@pytest.mark.schedule("S30")
def test_what_a_clock_ahead_put_off_is_taken_soon_after_it_was_put_right(
    db: Database, database: Made, tmp_path: Path, hands: FastForward
) -> None:
    tenant = make_tenant(db, "one")
    subject = announce(db, tenant, 1)
    claimed(db, tenant)
    later = announce(db, tenant, 2)
    its = keeper(db, tmp_path, claim_lease_seconds=2, not_after_seconds=1, create_timeout_seconds=1, create_limit_seconds=1, read_timeout_seconds=1, lease_margin_seconds=0.5, visibility_lag_seconds=0.5, out_lease_seconds=0.5, backoff_most_seconds=5, min_poll_seconds=3, poll_lease_seconds=2)  # fmt: skip
    assert steady(db, its)
    # What a clock a day ahead has left behind: the lease of a lost worker, a retry, the next polls.
    by_hand(
        database,
        "update matter set lease_until = bridge_now() + interval '1 day' where lease_until is not null",
        "update outbox set due_at = bridge_now() + interval '1 day' where state = 'ready'",
        "update connection set next_poll_at = bridge_now() + interval '1 day', poll_lease_until = bridge_now() + interval '1 day'",
        BACK,
    )
    assert not steady(db, its)
    while not steady(db, its):
        assert facts(db).stepped
    ahead = by_hand(
        database,
        "select greatest((select max(lease_until) from matter), (select max(due_at) from outbox), "
        "(select max(next_poll_at) from connection), (select max(poll_lease_until) from connection)) - bridge_now()",
    )
    assert ahead <= timedelta(seconds=5)
    assert (state(db, tenant, subject), state(db, tenant, later)) == ("started", "ready")
