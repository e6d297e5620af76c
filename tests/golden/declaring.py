"""Writes down which differences belong to the rows of ``golden.declared``.

    PYTHONPATH=tests:. .venv/bin/python -m golden.declaring

Says how many inputs each row has now (the number goes into the row by hand), and shows every difference that fits none: those
are faults, or a row is missing. Nothing is written while there is one.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import Any

from golden import making
from golden.comparing import differences
from golden.declared import CHANGES

DECLARED = "declared"
MOST_SHOWN = 20
Found = tuple[str, int, str, Any]
"""Kind, number of the input, path in the answer, what is said now."""


def found(kind: str, values: Any, now: list[Any]) -> dict[str, list[Found]]:
    """Today's differences in a kind by the row that covers them, '' for none."""
    made: dict[str, list[Found]] = defaultdict(list)
    moods = [case["mood"] for case in values["cases"]] if "cases" in values else [""]
    for n, (golden, said) in enumerate(zip(values["answers"], now, strict=True)):
        for path, _, value in differences(golden, said):
            row = next((one.name for one in CHANGES if one.covers(kind, path, moods[n])), "")
            made[row].append((kind, n, path, value))
    return made


def main() -> int:
    """Exit code 1 when a difference fits no row."""
    every: dict[str, list[Found]] = {one.name: [] for one in CHANGES}
    for kind in (*making.COUNTS, making.STORED):
        values = making.load(kind)
        for row, some in found(kind, values, making.answers(kind, values)).items():
            every.setdefault(row, []).extend(some)
    undeclared = every.pop("", [])
    for kind, n, path, value in undeclared[:MOST_SHOWN]:
        print(f"fits no row: {kind} {n} {path}: {value!r}")
    for name, some in every.items():
        print(f"{len({one[:2] for one in some}):5} inputs, {len(some):5} differences: {name}")
    if undeclared:
        print(f"{len(undeclared)} differences fit no row; nothing was written")
        return 1
    making.keep(DECLARED, every)
    return 0


if __name__ == "__main__":
    sys.exit(main())
