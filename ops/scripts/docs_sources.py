"""What pages of docs/ read from the sources without importing them: the marks of tests, open questions."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from docs_common import HEAD, ROOT, NotComplete, code, table

# ---------------------------------------------------------------- markers on tests


def linked(test: str) -> str:
    """A test as a cell shows it: its name in words, and a link to its file."""
    path, _, name = test.partition("::")
    said = name.rpartition("::")[2].removeprefix("test_").replace("_", " ")
    return f"{said} ([{Path(path).stem}](../{path}))"


def marked_tests(folder: Path, marker: str) -> dict[str, list[str]]:
    """Argument of ``@pytest.mark.<marker>(…)`` → ``path::[class::]test`` of the tests that carry it: by themselves, by their
    class or module, or by one of their cases. Read from the sources without importing them."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(folder.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        name = path.relative_to(folder.parent).as_posix()
        marks = _Marks(marker, tree)
        for test, ids in _marked(tree.body, marks, marks.whole):
            for one in ids:
                found[one].add(f"{name}::{test}")
    return {one: sorted(tests) for one, tests in found.items()}


class _Marks:
    """The marker's arguments in one module: of the whole of it, and below any node."""

    def __init__(self, marker: str, module: ast.Module) -> None:
        self._call = f"pytest.mark.{marker}"
        # A mark or a list of cases may have a name of its own that decorators use.
        self._named: dict[str, list[str]] = {}
        for node in module.body:
            if isinstance(node, ast.Assign) and (ids := self.ids(node.value)):
                self._named |= {one.id: ids for one in node.targets if isinstance(one, ast.Name)}
        self.whole = self._named.get("pytestmark", [])

    def ids(self, node: ast.AST) -> list[str]:
        """Parametrised cases count as well."""
        found: list[str] = []
        for one in ast.walk(node):
            if isinstance(one, ast.Name):
                found += self._named.get(one.id, [])
            elif isinstance(one, ast.Call) and ast.unparse(one.func) == self._call:
                found += [str(arg.value) for arg in one.args if isinstance(arg, ast.Constant)]
        return found


def _marked(
    body: Iterable[ast.stmt], marks: _Marks, inherited: list[str], prefix: str = ""
) -> Iterator[tuple[str, list[str]]]:
    for node in body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        ids = inherited + [one for decorator in node.decorator_list for one in marks.ids(decorator)]
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from _marked(node.body, marks, ids, f"{prefix}{node.name}::")
        elif not isinstance(node, ast.ClassDef) and node.name.startswith("test"):
            yield prefix + node.name, ids


# ---------------------------------------------------------------- open questions


def open_questions_page() -> str:
    """What the vendors' documents leave open, from the constants that stand for an answer."""
    parts = [
        HEAD,
        "# Open questions\n\nWhat the vendors' documents leave open. Each has one place in the code that holds the present answer;\n",
        "the first days at a real tenant tell, and then only that place changes.\n\n",
        table(("file", "what holds the answer", "question"), open_questions()),
    ]
    return "".join(parts)


def open_questions() -> list[tuple[str, str, str]]:
    """(file, constants, question) of every comment or docstring that begins with 'Open question' in domain and connectors."""
    rows: list[tuple[str, str, str]] = []
    for path in sorted([*(ROOT / "domain").rglob("*.py"), *(ROOT / "connectors").rglob("*.py")]):
        lines = path.read_text(encoding="utf-8").splitlines()
        name = path.relative_to(ROOT).as_posix()
        for at, line in enumerate(lines):
            if match := re.match(r"(\s*)# Open question: (.+)", line):
                more, after = _comment(lines, at + 1, match[1])
                rows.append(
                    (
                        code(name),
                        ", ".join(map(code, _held(lines, after, at))),
                        f"{match[2]} {more}".strip(),
                    )
                )
            elif match := re.match(r'"""Open question: (.+?)"""', line):
                rows.append((code(name), ", ".join(map(code, _held(lines, at - 1, at))), match[1]))
            elif match := re.match(r"\s+# (.+?) \(open question\)\.?$", line):
                rows.append((code(name), ", ".join(map(code, _held(lines, at + 1, at))), f"{match[1]}."))
    return rows


def _comment(lines: list[str], at: int, indent: str) -> tuple[str, int]:
    """The rest of a comment and the first line after it (and after further questions on the same constants)."""
    said: list[str] = []
    while at < len(lines) and lines[at].startswith(f"{indent}# ") and "Open question" not in lines[at]:
        said.append(lines[at].strip().removeprefix("# "))
        at += 1
    while at < len(lines) and lines[at].startswith(f"{indent}# "):
        at += 1
    return " ".join(said), at


def _held(lines: list[str], at: int, question: int) -> list[str]:
    """Names of the assignments from line ``at`` on; inside a table or call, the member there."""
    names = []
    while at < len(lines) and (
        match := re.match(r"([A-Z][A-Z_]+)\b.* = ", lines[at]) or re.match(r"([A-Z][A-Z_]+) = ", lines[at])
    ):
        names.append(match[1])
        at += 1
    if names:
        return names
    if match := re.match(r"\s+[\"']?(\w+)[\"']?\s*[:=]", lines[at]):
        for above in range(question, -1, -1):
            if outer := re.match(r"([A-Z][A-Z_]+)\b.*[=:]", lines[above]):
                return [f"{outer[1]} ({match[1]})"]
        return [match[1]]
    raise NotComplete(
        f"an open question stands before nothing that holds its answer: {lines[question].strip()}"
    )
