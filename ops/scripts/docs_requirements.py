"""Pages about what the bridge shall do: docs/requirements.md and docs/coverage.md, from docs/requirements.toml.

A requirement is *done* when each of its sentences names a test and nothing is missing, *not done* when no sentence
names a test, else *part*. A marker on a test proves nothing: somebody has read the tests that the file names.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from docs_common import DOCS, HEAD, ROOT, NotComplete, table
from docs_sources import linked, marked_tests

SOURCE = DOCS / "requirements.toml"
State = Literal["done", "part", "not done"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a requirement; ``id`` as a person names it: ``R-CUS-1a``."""

    id: str
    says: str
    tests: tuple[str, ...]
    missing: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement with its sentences, at least one."""

    id: str
    about: str
    sentences: tuple[Sentence, ...]

    @property
    def state(self) -> State:
        """Done only when every sentence is."""
        if all(one.tests and not one.missing for one in self.sentences):
            return "done"
        return "part" if any(one.tests for one in self.sentences) else "not done"


@dataclass(frozen=True, slots=True)
class Group:
    """Requirements that people look for in one place."""

    id: str
    title: str
    requirements: tuple[Requirement, ...]


# ---------------------------------------------------------------- reading


def groups(source: Path = SOURCE) -> list[Group]:
    """What the file says, in its order. Raises NotComplete for whatever would make a page say more than is known."""
    read = tomllib.loads(source.read_text(encoding="utf-8"))
    titles = [(str(one["id"]), str(one["title"])) for one in read.pop("group", [])]
    found = [
        Group(
            name,
            title,
            tuple(_requirement(key, one) for key, one in read.items() if key.split("-")[1:2] == [name]),
        )
        for name, title in titles
    ]
    numbered = [f"R-{group.id}-{n}" for group in found for n in range(1, len(group.requirements) + 1)]
    if numbered != list(read):
        raise NotComplete(
            f"{source.name} has requirements out of order, or of no group: {_differ(numbered, read)}"
        )
    return found


def _differ(wanted: Iterable[str], found: Iterable[str]) -> str:
    return ", ".join(sorted({*wanted} ^ {*found})) or "the order"


def _requirement(key: str, values: Mapping[str, Any]) -> Requirement:
    values = dict(values)
    about = str(values.pop("about", ""))
    letters = "".join(values)
    if not about or not letters or letters != "abcdefghijklmnopqrstuvwxyz"[: len(letters)]:
        raise NotComplete(
            f"{key} needs 'about' and sentences a, b, c, …; it has {', '.join(values) or 'none'}"
        )
    return Requirement(key, about, tuple(_sentence(f"{key}{letter}", one) for letter, one in values.items()))


def _sentence(name: str, values: Mapping[str, Any]) -> Sentence:
    if unknown := values.keys() - {"says", "tests", "missing"}:
        raise NotComplete(f"{name} has {', '.join(sorted(unknown))}; there are says, tests and missing")
    one = Sentence(
        name, str(values.get("says", "")), tuple(values.get("tests", ())), str(values.get("missing", ""))
    )
    if not one.says:
        raise NotComplete(f"{name} says nothing")
    if not one.tests and not one.missing:
        raise NotComplete(f"{name} has neither a test nor a word on what is missing")
    return one


def every(found: Iterable[Group]) -> list[Requirement]:
    """The requirements of all groups."""
    return [one for group in found for one in group.requirements]


# ---------------------------------------------------------------- the tests


def check(found: Iterable[Group], folder: Path) -> dict[str, int]:
    """Requirement id → number of tests below ``folder`` that carry its marker.

    Raises NotComplete for a test that is named and does not exist, and for a marker of what is no requirement.
    """
    wanted = every(found)
    there = set(nodes(folder))
    for sentence in (one for requirement in wanted for one in requirement.sentences):
        for test in sentence.tests:
            if test not in there:
                raise NotComplete(f"{sentence.id} names {test}, which does not exist")
    known = {one.id for one in wanted}
    known |= {sentence.id for one in wanted for sentence in one.sentences}
    marked: dict[str, set[str]] = {one.id: set() for one in wanted}
    for name, tests in marked_tests(folder, "req").items():
        if name not in known:
            raise NotComplete(f"{tests[0]} names {name}, which is no requirement")
        marked[re.sub("[a-z]$", "", name)].update(tests)
    return {name: len(tests) for name, tests in marked.items()}


def nodes(folder: Path) -> Iterator[str]:
    """``path::[class::]test`` of every test below a folder, read from the sources without importing them."""
    for path in sorted(folder.rglob("test_*.py")):
        name = path.relative_to(folder.parent).as_posix()
        yield from _tests(ast.parse(path.read_text(encoding="utf-8")).body, f"{name}::")


def _tests(body: Iterable[ast.stmt], prefix: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from _tests(node.body, f"{prefix}{node.name}::")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield prefix + node.name


# ---------------------------------------------------------------- pages


def requirements_page() -> str:
    """Each requirement with its sentences."""
    parts = [
        HEAD,
        "# Requirements\n\nThe code, the tests and these pages name requirements by number: `R-INV-4`, and a sentence of one by its\n",
        "letter: `R-INV-4b`. [coverage.md](coverage.md) says which are done, and which tests show that.\n",
    ]
    for group in groups():
        parts.append(f"\n## {group.title}\n")
        for one in group.requirements:
            parts.append(f"\n**{one.id}** {one.about}\n\n")
            parts.extend(f"- {sentence.id[-1]}: {sentence.says}\n" for sentence in one.sentences)
    return "".join(parts)


def coverage_page() -> str:
    """How far each requirement is, what is missing, and the tests of each sentence."""
    found = groups()
    marked = check(found, ROOT / "tests")
    parts = [
        HEAD,
        "# Coverage\n\nA requirement is **done** when every sentence of it is shown by a test that somebody has read for that, **part** when\n",
        "some are, **not done** when none is. A marker on a test does not count. What the requirements ask for stands in\n",
        "[requirements.md](requirements.md); both pages are made from `docs/requirements.toml`.\n\n",
        table(
            ("group", "requirements", "done", "part", "not done"),
            [*(_summary(group) for group in found), _total(every(found))],
        ),
        "\n## What is missing\n\n",
        table(
            ("id", "about", "state", "what is missing"),
            [
                (
                    one.id,
                    one.about,
                    one.state,
                    "<br>".join(f"{s.id[-1]}: {s.missing}" for s in one.sentences if s.missing),
                )
                for one in every(found)
                if one.state != "done"
            ],
        ),
    ]
    for group in found:
        parts.append(f"\n## {group.title}\n")
        for one in group.requirements:
            parts.append(f"\n**{one.id}** {one.about}: {one.state}. Marked tests: {marked[one.id]}.\n\n")
            parts.append(table(("", "sentence", "tests"), [_row(sentence) for sentence in one.sentences]))
    return "".join(parts)


def _summary(group: Group) -> tuple[object, ...]:
    def of(state: State) -> str:
        names = [one.id for one in group.requirements if one.state == state]
        return f"{len(names)}" if state == "done" else ", ".join(names) or "–"

    return (group.title, len(group.requirements), of("done"), of("part"), of("not done"))


def _total(all_of_them: list[Requirement]) -> tuple[object, ...]:
    states = [one.state for one in all_of_them]
    return (
        "**together**",
        len(states),
        states.count("done"),
        states.count("part"),
        states.count("not done"),
    )


def _row(sentence: Sentence) -> tuple[str, str, str]:
    shown = [linked(test) for test in sentence.tests]
    if sentence.missing:
        shown.append(f"**missing:** {sentence.missing}")
    return (sentence.id[-1], sentence.says, "<br>".join(shown))
