"""Tries mutations: each in a copy of the project, never in the project itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from services import Services

from mutations.mutation import ROOT, Mutation

SEEN, UNSEEN, BROKEN = "seen", "UNSEEN", "BROKEN"
# A mutation that PostgreSQL or Python cannot even read is no protection taken out.
NONSENSE = ("SyntaxError", "UndefinedColumn", "UndefinedTable", "UndefinedFunction", "ImportError", "NameError",
            "IndentationError", "AmbiguousColumn", "ProgrammingError: the query has")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """``verdict``: seen | UNSEEN | BROKEN; ``why``: what the first failing test said, or what was wrong."""

    verdict: str
    why: str = ""


@contextmanager
def project() -> Iterator[Copy]:
    """A copy of all files that git knows or would, and a PostgreSQL that its test runs share."""
    services = Services()
    with tempfile.TemporaryDirectory(prefix="mutations-") as name:
        try:
            yield Copy(Path(name), services)
        finally:
            services.stop()


class Copy:
    """The project's copy; ``unmutated`` and ``run`` leave it as it was."""

    def __init__(self, root: Path, services: Services) -> None:
        self.root = root / "project"
        self._report = root / "report.xml"
        self._services = services
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        for file in filter(None, listed.split("\0")):
            source, target = ROOT / file, self.root / file
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)

    def unmutated(self, tests: Sequence[str]) -> list[str]:
        """Which of these tests do not pass as the project is."""
        ended = self._pytest(tests)
        return [test for test in tests if not _has(ended, test) or _failures(ended, test)]

    def run(self, mutation: Mutation) -> Result:
        """Takes the protection out, runs its tests, and puts it back."""
        if faults := mutation.faults(self.root):
            return Result(BROKEN, "; ".join(faults))
        kept = {edit.file: (self.root / edit.file).read_bytes() for edit in mutation.edits}
        try:
            for edit in mutation.edits:
                edit.apply(self.root)
            return self._judged(mutation, self._pytest(mutation.tests))
        finally:
            for file, content in kept.items():
                (self.root / file).write_bytes(content)

    @staticmethod
    def _judged(mutation: Mutation, ended: Mapping[str, str | None]) -> Result:
        why = ""
        for test in mutation.tests:
            if not _has(ended, test):
                return Result(BROKEN, f"{test} did not run")
            failures = _failures(ended, test)
            if not failures:
                return Result(UNSEEN, f"{test} passes")
            why = why or failures[0]
            if nonsense := next((one for one in NONSENSE if one in failures[0]), None):
                return Result(BROKEN, f"{nonsense}: {failures[0]}")
        return Result(SEEN, why)

    def _pytest(self, tests: Sequence[str]) -> dict[str, str | None]:
        """Node id → what it failed with, None when it passed."""
        self._report.unlink(missing_ok=True)
        done = subprocess.run(
            [
                sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=line",
                f"--junitxml={self._report}", "-o", "junit_family=xunit1", *tests,
            ],
            cwd=self.root, env=self._environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if not self._report.is_file():
            said = (done.stdout + done.stderr).strip().splitlines()
            return {"": said[-1] if said else "pytest said nothing"}
        return dict(_cases(self._report))

    def _environment(self) -> dict[str, str]:
        # The project is installed as editable: the copy has to stand before it. Bytecode is told apart by the second.
        return os.environ | {
            "PYTHONPATH": str(self.root),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TEST_DATABASE_URL": self._services.postgres().url,
        }


def _cases(report: Path) -> Iterator[tuple[str, str | None]]:
    # Written by the pytest that was started here.
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        failed = next((one for one in case if one.tag in ("failure", "error")), None)
        names = case.get("classname", "").rsplit(".", 1)[-1]
        inside = f"{names}::" if names.startswith("Test") else ""
        said = None if failed is None else (failed.get("message") or failed.tag).strip().splitlines()[0][:300]
        yield f"{case.get('file')}::{inside}{case.get('name')}", said


def _of(ended: Mapping[str, str | None], test: str) -> list[str]:
    return [node for node in ended if node == test or node.startswith((f"{test}[", f"{test}::"))]


def _has(ended: Mapping[str, str | None], test: str) -> bool:
    return bool(_of(ended, test))


def _failures(ended: Mapping[str, str | None], test: str) -> list[str]:
    return [said for node in _of(ended, test) if (said := ended[node]) is not None]
