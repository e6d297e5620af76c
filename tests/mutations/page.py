"""The table in docs/faults.md: what was taken out, how, which test saw it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from mutations.mutation import ROOT, Mutation

PAGE = ROOT / "docs" / "faults.md"
BEGIN = "<!-- Made by `make mutations` from tests/mutations. Do not edit. -->"
END = "<!-- End of what `make mutations` made. -->"
NOT_TRIED = "not tried yet"
_ROW = re.compile(r"^\| ([a-z0-9-]+) \|.*\| ([^|]+) \|$", re.MULTILINE)


def results(page: Path = PAGE) -> dict[str, str]:
    """Name → result of the table as it stands."""
    text = page.read_text(encoding="utf-8")
    made = text[text.find(BEGIN) : text.find(END)] if BEGIN in text else ""
    rows = {name: result.strip() for name, result in _ROW.findall(made)}
    return {name: result for name, result in rows.items() if name not in ("name", "---")}


def made(mutations: Sequence[Mutation], found: Mapping[str, str]) -> str:
    """The table, with a line that counts."""
    rows = [_row(one, found.get(one.name, NOT_TRIED)) for one in mutations]
    seen = sum(found.get(one.name) == "seen" for one in mutations)
    return "\n".join(
        [
            BEGIN,
            "",
            f"{len(mutations)} protections, {seen} of them seen to be missing when they are taken out.",
            "",
            "| name | rule | protection | taken out | seen by | result |",
            "| --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
            END,
        ]
    )


def write(mutations: Sequence[Mutation], found: Mapping[str, str], page: Path = PAGE) -> None:
    """Puts the table where the page has its marks."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(before + made(mutations, found) + after, encoding="utf-8")


def _row(one: Mutation, result: str) -> str:
    taken = "<br>".join(f"{edit.file}: {_code(edit.text)} → {_code(edit.into)}" for edit in one.edits)
    tests = "<br>".join(f"`{test.rsplit('/', 1)[-1]}`" for test in one.tests)
    return f"| {one.name} | {one.rule} | {one.protection} | {taken} | {tests} | {result} |"


def _code(text: str) -> str:
    line = " ".join(text.split()).replace("|", "\\|").replace("`", "'")
    return f"`{line if len(line) <= 90 else line[:88] + ' …'}`" if line else "nothing"
