"""``make simulate``: many seeds, each a play of its own, and one line at the end that says what became of everything.

Runs as ``python -m simulation`` with ``tests`` on the path. PostgreSQL is found as the tests find it: TEST_DATABASE_URL, a
container, or the wheel.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from services import PostgresServer, ServiceMissingError, Services
from services import postgres as postgres_service

KINDS = ("lost", "doubled", "stuck", "unexpected")
ROOT = Path(__file__).parents[2]
SHOWN = 20
"""So many lines of each schedule are shown unless --words asks for all of them."""


def arguments() -> argparse.Namespace:
    """The command line; --help is worth reading."""
    parser = argparse.ArgumentParser(
        prog="make simulate",
        description=(
            "Plays the bridge against both vendors' simulators in one process: the real code and real SQL, with virtual "
            "time. The seed of a play decides who goes on, what people do and what goes wrong (crashes, pauses longer than "
            "any lease, lost, late and wrong answers, lost and doubled messages, clocks that step). At the end nothing goes "
            "wrong any more, everything is read, and the vendors' ledgers are judged."
        ),
        epilog=(
            "lost: a change that neither arrived nor is explained by a problem. doubled: a second released document, "
            "sending, customer, product or project. stuck: work that never comes to rest. unexpected: a document left on "
            "hold, another tenant's record, a wrong sum, an unknown error. A seed is the same play every time: "
            "'make simulate SEEDS=1 FROM=<seed>' replays it and says its schedule in words. Ends with 1 if anything was "
            "found, 130 after Ctrl-C."
        ),
    )
    parser.add_argument("--seeds", type=int, default=100, metavar="N", help="how many seeds (100)")
    parser.add_argument("--from", type=int, default=1, dest="first", metavar="M", help="the first seed (1)")
    parser.add_argument("--jobs", type=int, default=2, metavar="J", help="processes that share the seeds (2)")
    parser.add_argument(
        "--words", action="store_true", help="the whole schedule of every seed that found something"
    )
    parser.add_argument("--part", type=int, default=None, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Runs the seeds; the exit code."""
    asked = arguments()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of a set of texts must not differ between two processes, or a seed would not replay.
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "simulation", *sys.argv[1:]])  # noqa: S606
    if asked.part is not None:
        return part(asked)
    # Told to end it ends as after Ctrl-C: its processes first, then the PostgreSQL that they use.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    services = Services()
    try:
        return lead(asked, services.postgres())
    except ServiceMissingError as error:
        say(str(error))
        return 2
    except KeyboardInterrupt:
        say("stopped")
        return 130
    finally:
        services.stop()


def say(text: str) -> None:
    """One line of output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


# ---- the processes that play


def part(asked: argparse.Namespace) -> int:
    """One of the processes: every ``jobs``-th seed, one JSON line each."""
    from simulation.play import Theatre  # noqa: PLC0415  # the parent process needs none of the bridge
    from simulation.seeds import play_seed  # noqa: PLC0415

    stopping: list[int] = []
    # Whoever is stopped plays its seed to the end, so that its database is taken down too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    server = postgres_service.given(os.environ["TEST_DATABASE_URL"])
    database = server.create()
    try:
        theatre = Theatre(database)
        say("{}")
        for seed in range(asked.first + asked.part, asked.first + asked.seeds, asked.jobs):
            if stopping:
                break
            began = time.process_time()
            outcome = play_seed(theatre, seed)
            found = {kind: getattr(outcome.verdict, kind) for kind in KINDS}
            say(
                json.dumps(
                    {
                        "seed": seed,
                        "found": found,
                        "proven": outcome.verdict.proven,
                        "explained": outcome.verdict.explained,
                        "deeds": outcome.deeds,
                        "calls": outcome.calls,
                        "cpu": time.process_time() - began,
                        "trace": outcome.trace if not outcome.clean or asked.seeds == 1 else [],
                    }
                )
            )
        theatre.close()
    except BrokenPipeError:
        # Whoever started this process has stopped.
        return 130
    finally:
        server.drop(database)
        with contextlib.suppress(Exception):  # the other processes may still use the login
            server.stop()
    return 0


# ---- the process that counts


def lead(asked: argparse.Namespace, server: PostgresServer) -> int:
    """Starts the processes, counts, and tells."""
    jobs = max(1, min(asked.jobs, asked.seeds))
    env = {**os.environ, "TEST_DATABASE_URL": server.url, "PYTHONPATH": f"{ROOT / 'tests'}{os.pathsep}{ROOT}"}
    began = time.monotonic()
    counts: Counter[str] = Counter()
    cpu = 0.0
    failing: list[int] = []
    with _processes(asked, jobs, env) as running:
        for line in _lines(running):
            if "seed" not in line:
                began = min(began, time.monotonic())
                continue
            counts["played"] += 1
            for kind in KINDS:
                counts[kind] += len(line["found"][kind])
            cpu += line["cpu"]
            for name in ("proven", "explained", "deeds", "calls"):
                counts[name] += line[name]
            if any(line["found"].values()) or asked.seeds == 1:
                _tell(line, whole=asked.words or asked.seeds == 1)
            if any(line["found"].values()):
                failing.append(line["seed"])
            if counts["played"] % 100 == 0:
                say(f"… {counts['played']} seeds, {time.monotonic() - began:.0f} s, {_counted(counts)}")
        broken = [process for process in running if process.wait() != 0]
    seconds = time.monotonic() - began
    if failing:
        say(f"seeds that found something: {' '.join(str(seed) for seed in sorted(failing))}")
    say(
        f"{counts['deeds']} things went wrong in {counts['calls']} calls; {counts['proven']} records proven, "
        f"{counts['explained']} explained by a problem; {seconds:.0f} s in {jobs} processes, "
        f"{cpu / max(1, counts['played']):.2f} s of processor each beside PostgreSQL's"
    )
    say(f"seeds {counts['played']}: {_counted(counts)}")
    return 1 if failing or broken or counts["played"] != asked.seeds else 0


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{kind} {counts[kind]}" for kind in KINDS)


def _tell(line: dict[str, Any], *, whole: bool) -> None:
    trace = line["trace"]
    left_out = 0 if whole else max(0, len(trace) - SHOWN)
    say(f"\nseed {line['seed']}:")
    for kind in KINDS:
        for sentence in line["found"][kind]:
            say(f"  {kind}: {sentence}")
    if left_out:
        say(f"    … {left_out} lines before; all of them: make simulate SEEDS=1 FROM={line['seed']}")
    for text in trace[left_out:]:
        say(f"    {text}")


@contextlib.contextmanager
def _processes(
    asked: argparse.Namespace, jobs: int, env: dict[str, str]
) -> Iterator[list[subprocess.Popen[str]]]:
    arguments = ["--seeds", str(asked.seeds), "--from", str(asked.first), "--jobs", str(jobs)]
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "simulation", *arguments, "--part", str(n)],
            env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True,  # Ctrl-C reaches the counting process only
        )
        for n in range(jobs)
    ]  # fmt: skip
    try:
        yield started
    finally:
        for process in started:
            if process.poll() is None:
                process.terminate()
        for process in started:
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _lines(running: Sequence[subprocess.Popen[str]]) -> Iterator[dict[str, Any]]:
    """What the processes say, as it comes."""
    waiting = selectors.DefaultSelector()
    for process in running:
        if process.stdout is not None:
            waiting.register(process.stdout, selectors.EVENT_READ)
    while waiting.get_map():
        for key, _ in waiting.select():
            stream: IO[str] = key.fileobj  # type: ignore[assignment]
            text = stream.readline()
            if text:
                yield json.loads(text)
            else:
                waiting.unregister(stream)


if __name__ == "__main__":
    sys.exit(main())
