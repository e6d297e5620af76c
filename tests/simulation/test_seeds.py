"""A small fixed part of the seeds, those that once found something, and that a seed is the same play every time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from services import PostgresServer

from simulation.kernel import Crashed, Kernel, PlayError, Process
from simulation.play import Theatre
from simulation.seeds import play_seed

ROOT = Path(__file__).parents[2]
FIXED = range(1, 16)
FOUND = (Path(__file__).parent / "found.txt").read_text(encoding="utf-8")
NAMED = {
    int(seed): what.strip()
    for line in FOUND.splitlines()
    if line and not line.startswith("#")
    for seed, _, what in [line.partition(" ")]
}
"""Seeds that once found something, and what."""


def test_the_fixed_seeds_end_well(postgres_server: PostgresServer) -> None:
    done = simulate(postgres_server, "--seeds", str(len(FIXED)), "--from", str(FIXED[0]), "--jobs", "1")
    assert done.returncode == 0, done.stdout
    assert f"seeds {len(FIXED)}: lost 0, doubled 0, stuck 0, unexpected 0" in done.stdout


@pytest.mark.parametrize("seed", NAMED, ids=lambda seed: f"{seed}: {NAMED[seed]}")
def test_a_seed_that_once_found_something_ends_well(theatre: Theatre, seed: int) -> None:
    outcome = play_seed(theatre, seed)
    sys.stdout.write("\n".join(outcome.trace))
    assert outcome.clean, str(outcome.verdict)


@pytest.mark.parametrize("seed", [2, 12, 15])
def test_the_same_seed_is_the_same_play(theatre: Theatre, seed: int) -> None:
    first, between, second = (
        play_seed(theatre, seed),
        play_seed(theatre, seed + 100),
        play_seed(theatre, seed),
    )
    assert first.trace == second.trace
    assert first.calls == second.calls
    assert first.trace != between.trace


def test_the_same_seed_is_the_same_play_in_another_process(
    postgres_server: PostgresServer,
) -> None:
    said = [simulate(postgres_server, "--seeds", "1", "--from", "7", "--jobs", "1").stdout for _ in range(2)]
    schedules = [[line for line in text.splitlines() if line.startswith("    ")] for text in said]
    assert schedules[0] == schedules[1]
    assert len(schedules[0]) > 5


def simulate(server: PostgresServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``make simulate`` on the server of the tests."""
    env = {
        **os.environ,
        "TEST_DATABASE_URL": server.url,
        "PYTHONPATH": f"{ROOT / 'tests'}{os.pathsep}{ROOT}",
    }
    return subprocess.run(
        [sys.executable, "-m", "simulation", *arguments], env=env, cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip


# ---- the kernel itself


def test_one_actor_runs_at_a_time_and_time_jumps_to_the_next_that_wants_to() -> None:
    kernel, seen = Kernel(1), list[tuple[str, float]]()

    def actor(name: str, pause: float) -> None:
        for _ in range(3):
            kernel.wait(pause)
            seen.append((name, kernel.now))

    kernel.spawn(Process("a"), "a", lambda: actor("a", 10))
    kernel.spawn(Process("b"), "b", lambda: actor("b", 15))
    kernel.at(20, lambda: seen.append(("move", kernel.now)))
    kernel.run(100)
    kernel.close()
    assert seen == [("a", 10), ("b", 15), ("move", 20), ("a", 20), ("b", 30), ("a", 30), ("b", 45)]
    assert kernel.now == 100


def test_whoever_is_killed_does_nothing_any_more_not_even_on_its_way_out() -> None:
    kernel, seen = Kernel(1), list[str]()
    process = Process("worker")

    def actor() -> None:
        try:
            kernel.wait(10)
            seen.append("woke")
        except Exception:  # noqa: BLE001 - what a worker's code may do: it must not catch its own death
            seen.append("caught")
        finally:
            kernel.wait(0)
            seen.append("tidied up")

    kernel.spawn(process, "worker", actor)
    kernel.at(5, lambda: kernel.kill(process))
    kernel.run(100)
    assert seen == []
    kernel.close()
    assert not issubclass(Crashed, Exception)


def test_an_actor_that_breaks_ends_the_play() -> None:
    kernel = Kernel(1)

    def broken() -> None:
        raise ValueError("a defect of the harness")

    kernel.spawn(Process("other"), "other", broken)
    with pytest.raises(PlayError, match="a defect of the harness"):
        kernel.run(10)
    kernel.close()
