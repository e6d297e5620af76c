"""One clock (docs/never-twice.md rule 22): a second one, anywhere, is a lease or a deadline that a schedule cannot see."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("actors", "app", "connectors", "db", "domain", "web")
THE_CLOCK = ROOT / "domain" / "clock.py"
_TIME = {
    "time",
    "monotonic",
    "perf_counter",
    "sleep",
    "clock_gettime",
    "time_ns",
    "monotonic_ns",
    "process_time",
}
_DATETIME = {"now", "utcnow", "today"}
_SQL = re.compile(
    r"\bclock_timestamp\(\)|(?<![\w_])now\(\)|\bcurrent_timestamp\b|\bstatement_timestamp\b|\blocaltimestamp\b"
)


def other_clocks(text: str) -> list[str]:
    """Every place of a module that asks another clock than ours."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            found.append(f"line {node.lineno}: from time import")
        if not isinstance(node, ast.Attribute):
            continue
        whole = ast.unparse(node)
        head, _, last = whole.rpartition(".")
        if (head == "time" and last in _TIME) or (
            head in ("datetime", "date", "datetime.datetime", "datetime.date") and last in _DATETIME
        ):
            found.append(f"line {node.lineno}: {whole}")
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_only_one_module_asks_the_machine_for_the_time(package: str) -> None:
    found = {
        str(path.relative_to(ROOT)): places
        for path in sorted((ROOT / package).rglob("*.py"))
        if path != THE_CLOCK and (places := other_clocks(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_every_statement_asks_bridge_now() -> None:
    found = {
        path.name: _SQL.findall(text)
        for path in sorted((ROOT / "db" / "queries").glob("*.sql"))
        if _SQL.search(text := re.sub(r"--.*", "", path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_the_lint_sees_the_ways_there_are() -> None:
    assert other_clocks("import time\ntime.monotonic()")
    assert other_clocks("from time import sleep")
    assert other_clocks("from datetime import datetime\ndatetime.now(tz)")
    assert other_clocks("import datetime\ndatetime.date.today()")
    assert _SQL.search("select now()")
    assert not _SQL.search("select bridge_now()")
