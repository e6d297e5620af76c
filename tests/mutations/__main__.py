"""`make mutations`: tries all; ONLY=name,name some; REST=1 those without a result. What was tried is written at once, so that
Ctrl-C loses only the one under way. Exit code 1 when one goes unseen."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from mutations import page
from mutations.mutation import Mutation
from mutations.protections import MUTATIONS
from mutations.trying import BROKEN, SEEN, Copy, Result, project


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="make mutations", description=__doc__)
    parser.add_argument("--only", default="", help="names, parted by commas; a name's beginning is enough")
    parser.add_argument("--rest", action="store_true", help="only what has no good result yet")
    asked = parser.parse_args()
    found = page.results()
    wanted = chosen(
        MUTATIONS, asked.only, {name for name in found if found[name] == SEEN} if asked.rest else set()
    )
    if not wanted:
        print("Nothing to try.")
        return 0
    if faults := [f"{one.name}: {fault}" for one in wanted for fault in one.faults()]:
        print("\n".join(faults))
        return 2
    # Also where a shell started it in the background, and when it is told to end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with project() as copy:
            return tried(copy, wanted, found)
    except KeyboardInterrupt:
        print("\nStopped; what was tried stands in docs/faults.md, REST=1 goes on.")
        return 130


def chosen(mutations: Sequence[Mutation], only: str, done: set[str]) -> list[Mutation]:
    """Those whose name begins as one of ``only`` says, or all, without what is ``done``."""
    beginnings = tuple(filter(None, only.split(",")))
    return [
        one
        for one in mutations
        if one.name not in done and (not beginnings or one.name.startswith(beginnings))
    ]


def tried(copy: Copy, wanted: Sequence[Mutation], found: dict[str, str]) -> int:
    """Tries these and writes each result down."""
    tests = sorted({test for one in wanted for test in one.tests})
    print(f"{len(tests)} tests as the project is …", flush=True)
    red = set(copy.unmutated(tests))
    if red:
        print("These do not pass unmutated:", *sorted(red), sep="\n  ")
    unseen = []
    for number, one in enumerate(wanted, 1):
        print(f"[{number}/{len(wanted)}] {one.name} … ", end="", flush=True)
        already = red & set(one.tests)
        result = Result(BROKEN, f"{min(already)} does not pass unmutated") if already else copy.run(one)
        print(f"{result.verdict}  {result.why}", flush=True)
        found[one.name] = result.verdict
        page.write(MUTATIONS, found)
        if result.verdict != SEEN:
            unseen.append(one.name)
    print(f"{len(wanted) - len(unseen)} of {len(wanted)} seen", *unseen)
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
