"""What the code relies on of the vendors stands in docs/vendors/, with where it was read; and what code points at is there."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ops" / "scripts"))

# The scripts are no package: mypy knows them only when it is given ops/scripts as well.
import docs_sources  # type: ignore[import-not-found, unused-ignore]

ROOT = Path(__file__).resolve().parents[2]
VENDORS = ROOT / "docs" / "vendors"
PAGES = {"severa": "S", "visma-net-erp": "E"}
FOLDERS = ("actors", "app", "benchmarks", "connectors", "db", "domain", "ops", "simulators", "tests", "web")
CODE = [
    path
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.*")
    if path.suffix in {".py", ".sql", ".toml", ".md"} and path != Path(__file__)
]
# Papers that stood beside the project while it was written, and how their parts were named.
ELSEWHERE = re.compile(
    r"(?<![\w/.-])(?:api|console|design|house|mapping|requirements|style|vendor-guide-sv|SOURCE)\.md"
    r"|\bvendor document\b|\btrap \d|\bsection \d\.\d"
)


def facts(page: str) -> dict[str, tuple[str, str]]:
    """Number → (fact, where it was read)."""
    text = (VENDORS / f"{page}.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([SE]\d+) \| (.+) \| (.+) \|$", text, re.MULTILINE)
    assert len({number for number, _, _ in rows}) == len(rows), "a number stands twice"
    return {number: (fact, read) for number, fact, read in rows}


def pointed_at(text: str) -> list[tuple[str, str]]:
    """(page, number) of every fact that a text points at: ``docs/vendors/severa.md S1, S2``."""
    found = re.findall(r"docs/vendors/([\w-]+)\.md((?:,?\s+(?:#\s+)?[SE]\d+)*)", text)
    return [(page, number) for page, numbers in found for number in re.findall(r"[SE]\d+", numbers)]


@pytest.mark.parametrize("page", PAGES)
def test_facts_are_numbered_and_say_where_they_were_read(page: str) -> None:
    rows = facts(page)
    assert list(rows) == [f"{PAGES[page]}{n}" for n in range(1, len(rows) + 1)]
    for number, (fact, read) in rows.items():
        assert fact.endswith("."), number
        assert re.match(r"(?:old )?(?:document|article|guide|reported|assumption)\b", read), (number, read)


def test_a_fact_that_code_points_at_is_there() -> None:
    known = {page: facts(page) for page in PAGES}
    found = [(path, *one) for path in CODE for one in pointed_at(path.read_text(encoding="utf-8"))]
    assert len(found) > 50
    for path, page, number in found:
        assert number in known.get(page, {}), f"{path.relative_to(ROOT)} points at {page} {number}"


def test_every_page_that_code_points_at_is_there() -> None:
    for path in CODE:
        for name in re.findall(
            r"\bdocs/((?:[a-z-]+/)?[a-z][\w.-]*\.(?:md|toml))", path.read_text(encoding="utf-8")
        ):
            assert (ROOT / "docs" / name).exists() or path.name == "test_docs.py", (
                f"{path.relative_to(ROOT)} points at docs/{name}"
            )


def test_every_open_question_stands_among_the_facts() -> None:
    told = "".join((VENDORS / f"{page}.md").read_text(encoding="utf-8") for page in PAGES)
    for file, held, question in docs_sources.open_questions():
        names = re.findall(r"`([A-Z_]+)\b", held)
        assert names, question
        for name in names:
            assert f"`{name}`" in told, f"{file}: {name} holds an open question that no vendor's page tells"


def test_no_comment_points_at_a_paper_that_is_not_here() -> None:
    for path in CODE:
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(("tests/data/", "tests/unit/test_docs", "ops/scripts/")):
            continue
        assert ELSEWHERE.findall(path.read_text(encoding="utf-8")) == [], name


def test_several_facts_are_read_from_one_reference() -> None:
    assert pointed_at(
        "x (docs/vendors/severa.md S1, S2). Also docs/vendors/visma-net-erp.md\n    # E7, then"
    ) == [
        ("severa", "S1"),
        ("severa", "S2"),
        ("visma-net-erp", "E7"),
    ]
