"""Which database is this: the judgement, and the memories it rests on (docs/never-twice.md rule 10)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from app import standing
from app.keeper import Steps, examined
from app.memory import Memory, StateFile
from app.standing import Verdict, judge
from db.installation import Beat, Facts

HISTORY = UUID(int=7)
BEATS = [UUID(int=n) for n in range(1, 1000)]


def facts(number: int = 100, **changed: Any) -> Facts:
    """A database on a newly started server, right in every other respect; beat n has the random number n."""
    values: dict[str, Any] = {
        "writes": "on", "reason": None, "history": HISTORY, "epoch": 1, "quiet_until": None,
        "now": datetime(2026, 11, 30, tzinfo=UTC), "stepped": False, "same_server": True, "same_database": True,
        "same_row": True, "same_timeline": True, "same_start": False, "number": number,
        "recent": BEATS[max(0, number - 64) : number], "served": True, **changed,
    }  # fmt: skip
    return Facts(**values)


def beat(number: int, random: UUID | None = None) -> Beat:
    return Beat(HISTORY, number, random or UUID(int=number))


@pytest.mark.schedule("S25")
@pytest.mark.parametrize(
    ("what", "found", "remembered", "verdict"),
    [
        ("the newest beat is remembered", facts(), beat(100), Verdict.STARTED),
        ("its process died before it could remember the newest", facts(), beat(99), Verdict.STARTED),
        ("a minute of power cut", facts(), beat(37), Verdict.STARTED),
        ("a memory from long before proves nothing", facts(), beat(36), Verdict.COPIED),
        ("nobody remembers", facts(), None, Verdict.COPIED),
        ("one beat is missing", facts(), beat(101), Verdict.REWOUND),
        ("a day is missing", facts(), beat(86_500), Verdict.REWOUND),
        ("another future of the same past", facts(), beat(100, UUID(int=5)), Verdict.REWOUND),
        ("everything is missing", facts(0), beat(3), Verdict.REWOUND),
        ("a promoted standby that lost nothing", facts(same_timeline=False), beat(100), Verdict.REWOUND),
        ("brought back to a point in time, elsewhere", facts(same_timeline=False), None, Verdict.COPIED),
        ("nothing was ever sent", facts(0), None, Verdict.FIRST),
        ("it died in its first second", facts(1), None, Verdict.FIRST),
        ("a dump into the same database, server started anew", facts(same_row=False), beat(100), Verdict.RESTORED),
        ("a dump into another server", facts(same_server=False), beat(100), Verdict.MOVED),
        ("a dump into another database", facts(same_database=False), beat(100), Verdict.RESTORED),
        ("off stays off", facts(writes="off"), beat(100), Verdict.OFF),
        ("being restored", None, None, Verdict.EMPTY),
    ],
)  # fmt: skip
def test_what_the_database_is(
    what: str, found: Facts | None, remembered: Beat | None, verdict: Verdict
) -> None:
    assert judge(found, remembered) is verdict, what
    assert standing.writing(verdict, found) is (verdict in {Verdict.STARTED, Verdict.FIRST})


def test_a_server_that_runs_on_needs_no_memory() -> None:
    assert judge(facts(same_start=True), None) is Verdict.SAME
    assert judge(facts(same_start=True, same_timeline=False), None) is Verdict.REWOUND


def test_a_database_that_never_beat_at_a_place_that_remembers_another_was_exchanged() -> None:
    assert judge(facts(0), None, another_here=True) is Verdict.COPIED
    assert judge(facts(0, served=False), None, another_here=True) is Verdict.FIRST


def test_every_verdict_has_its_sentences() -> None:
    for verdict in Verdict:
        assert standing.FOUND[verdict].endswith(".")
        assert standing.sentence(verdict, facts()).startswith("Writes ")
    for reason in standing.STOPS.values():
        off = facts(writes="off", reason=reason)
        assert standing.FOUND[reason] in standing.sentence(Verdict.OFF, off)
    assert "clock" in standing.sentence(Verdict.SAME, facts(stepped=True))
    assert "2027-01-01 00:00:00" in standing.sentence(
        Verdict.SAME, facts(quiet_until=datetime(2027, 1, 1, tzinfo=UTC))
    )


# ---- memories


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "state").mkdir()
    yield tmp_path
    (tmp_path / "state").chmod(0o700)


def kept(place: Path, name: str = "here") -> Memory:
    """A process's memory, as it is when the process begins."""
    return Memory(StateFile(place / "state" / "beat.json", name), None)


def test_another_process_remembers_what_one_wrote(place: Path) -> None:
    kept(place).remember(Beat(uuid4(), 12_345, UUID(int=12_345)))
    kept(place).remember(beat(7))
    assert kept(place).recall(HISTORY) == beat(7)
    assert examined(lambda: facts(7), kept(place))[1] is Verdict.STARTED


def test_a_process_that_wakes_with_an_old_beat_takes_nothing_back(place: Path) -> None:
    kept(place).remember(beat(8))
    kept(place).remember(beat(7))
    assert kept(place).recall(HISTORY) == beat(8)


def test_a_state_file_that_was_copied_to_another_place_is_not_believed(place: Path) -> None:
    kept(place).remember(beat(100))
    assert kept(place, "elsewhere").recall(HISTORY) is None
    assert examined(facts, kept(place, "elsewhere"))[1] is Verdict.COPIED


def test_another_historys_beat_is_no_memory_of_this_one_but_says_that_the_database_was_exchanged(
    place: Path,
) -> None:
    kept(place).remember(Beat(uuid4(), 100, UUID(int=100)))
    assert kept(place).recall(HISTORY) is None
    assert examined(facts, kept(place))[1] is Verdict.COPIED
    assert examined(lambda: facts(0), kept(place))[1] is Verdict.COPIED
    assert examined(lambda: facts(0, served=False), kept(place))[1] is Verdict.FIRST


def test_a_process_that_lives_on_remembers_though_its_file_is_gone(place: Path) -> None:
    memory = kept(place)
    memory.remember(beat(100))
    (place / "state" / "beat.json").unlink()
    assert memory.recall(HISTORY) == beat(100)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"place": "here"}', '{"place": "here", "history": 1, "number": "x", "random": ""}'])  # fmt: skip
def test_a_spoilt_state_file_remembers_nothing(place: Path, text: str) -> None:
    (place / "state" / "beat.json").write_text(text)
    assert kept(place).recall(HISTORY) is None
    kept(place).remember(beat(3))
    assert kept(place).recall(HISTORY) == beat(3)


def test_a_memory_that_fails_is_said_and_stops_nothing(place: Path) -> None:
    memory = Memory(StateFile(place / "state" / "beat.json" / "below a file", "here"), None)
    (place / "state" / "beat.json").touch()
    memory.remember(beat(4))
    assert memory.recall(HISTORY) == beat(4)
    assert "state file" in memory.trouble
    assert "state file" in memory.check()
    (place / "state" / "beat.json").unlink()
    memory.remember(beat(5))
    assert memory.trouble == {}


# ---- its clock


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(1_800_000_000 + seconds, UTC)


@pytest.mark.schedule("S30")
@pytest.mark.parametrize("step", [1200.0, -1200.0, 5.5, -5.5])
def test_a_step_of_the_databases_clock_is_seen(step: float) -> None:
    steps = Steps()
    assert steps.seen(10.0, at(10), 10.1) == 0.0
    assert steps.seen(11.0, at(11), 11.1) == 0.0
    assert steps.seen(12.0, at(12 + step), 12.1) == pytest.approx(step, abs=0.2)
    assert steps.seen(13.0, at(13 + step), 13.1) == 0.0


def test_a_slow_answer_a_long_sleep_and_a_slewed_clock_are_no_step() -> None:
    steps = Steps()
    assert steps.seen(0.0, at(0), 0.0) == 0.0
    # asked, then the machine stood still for an hour: the answer may be from any moment of it
    assert steps.seen(1.0, at(1), 3600.0) == 0.0
    assert steps.seen(3601.0, at(3601), 3601.0) == 0.0
    # a day apart, as after a machine's sleep, during which both clocks went on
    assert steps.seen(90_000.0, at(90_000), 90_000.0) == 0.0
    moved = 0.0
    for turn in range(1, 100_000):
        moved += 0.0005 * 0.5  # NTP slews half a second in a thousand
        now = 90_000.0 + turn * 0.5
        assert steps.seen(now, at(now + moved), now) == 0.0
    assert moved > 20


def test_many_small_steps_are_one() -> None:
    steps = Steps()
    steps.seen(0.0, at(0), 0.0)
    found = [steps.seen(float(n), at(n + 2 * n), float(n)) for n in range(1, 6)]
    assert [step != 0.0 for step in found] == [False, False, True, False, False]
