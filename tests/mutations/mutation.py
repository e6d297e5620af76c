"""What a mutation is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Edit:
    """``text`` stands in ``file`` exactly once and becomes ``into``."""

    file: str
    text: str
    into: str

    def fault(self, root: Path = ROOT) -> str | None:
        """Why it cannot be made, None when it can."""
        path = root / self.file
        if not path.is_file():
            return f"{self.file} is not there"
        count = path.read_text(encoding="utf-8").count(self.text)
        return None if count == 1 else f"{self.file} has the text {count} times: {self.text!r}"

    def apply(self, root: Path) -> None:
        path = root / self.file
        path.write_text(path.read_text(encoding="utf-8").replace(self.text, self.into), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Mutation:
    """``protection``: what is taken out, in one sentence; ``rule``: of never-twice, or a schedule; ``tests``: node ids, each
    of which must fail without it (of a test with cases one case is enough)."""

    name: str
    rule: str
    protection: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]

    def faults(self, root: Path = ROOT) -> list[str]:
        """Why it cannot be made, empty when it can."""
        found = [fault for edit in self.edits if (fault := edit.fault(root))]
        return found + [f"{test} is not there" for test in self.tests if not _there(root, test)]


def _there(root: Path, test: str) -> bool:
    file, _, names = test.partition("::")
    path = root / file
    name = names.split("::")[-1].split("[")[0]
    return path.is_file() and (not name or f"def {name}(" in path.read_text(encoding="utf-8"))


def of(name: str, rule: str, protection: str, file: str, text: str, into: str, *tests: str) -> Mutation:
    """A mutation of one edit."""
    return Mutation(name, rule, protection, (Edit(file, text, into),), tests)
