"""Which tests prove the schedules of docs/never-twice.md: its table, from the markers on the tests."""

from __future__ import annotations

import re
from pathlib import Path

from docs_common import DOCS, ROOT, NotComplete, table
from docs_sources import linked, marked_tests

BEGIN = '<!-- schedules: made by ops/scripts/docs.py from @pytest.mark.schedule("S…") -->\n'
END = "<!-- schedules: end -->\n"
# Nodes below tests/simulation that are known to fail for now: they prove nothing. The file goes with its last line.
RED = Path("simulation") / "red.txt"


def never_twice_page() -> str:
    """docs/never-twice.md with its table of tests as the markers have it; the rest is written by hand."""
    text = _page()
    if BEGIN not in text or END not in text:
        raise NotComplete("docs/never-twice.md has no place for the table of tests")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{_proofs()}\n{END}{after}"


def schedules() -> dict[str, str]:
    """Schedule id → its sentence, as the page has them."""
    return dict(re.findall(r"^\| (S[1-9]\d*) \| (.+?) \|$", _page().partition(BEGIN)[0], re.MULTILINE))


def gaps() -> dict[str, str]:
    """Schedule id → why no test proves it yet, as the page names them."""
    return dict(re.findall(r"^- \*\*(S[1-9]\d*)\*\*: (.+)$", _page(), re.MULTILINE))


def proven(folder: Path, known: set[str]) -> dict[str, list[str]]:
    """Schedule id → the tests that carry its marker and are not known to fail.

    Raises NotComplete for an id that is not in ``known``: a misspelt marker would prove nothing in silence.
    """
    red = _red(folder)
    found: dict[str, list[str]] = {}
    for one, tests in marked_tests(folder, "schedule").items():
        if one not in known:
            raise NotComplete(f"{tests[0]} names {one}, which is no schedule")
        if green := [test for test in tests if test not in red]:
            found[one] = green
    return found


def _proofs() -> str:
    known, missing = schedules(), gaps()
    tests = proven(ROOT / "tests", set(known))
    return table(
        ("id", "tests"),
        (
            (
                one,
                "<br>".join(linked(test) for test in tests.get(one, ()))
                or ("a gap, see below" if one in missing else "**no test yet**"),
            )
            for one in known
        ),
    )


def _red(folder: Path) -> set[str]:
    path = folder / RED
    if not path.exists():
        return set()
    nodes = re.findall(r"^(\w[^\[\n]*?)(?:\[.*\])?$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {f"{folder.name}/{RED.parent}/{node}" for node in nodes}


def _page() -> str:
    return (DOCS / "never-twice.md").read_text(encoding="utf-8")
