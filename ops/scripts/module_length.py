"""Lists modules that have grown past what a reader holds in mind; exit code 1 when there are any."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("actors", "app", "benchmarks", "connectors", "db", "domain", "ops", "simulators", "tests", "web")
MOST_LINES = 450


def long_modules(root: Path) -> list[tuple[int, Path]]:
    """Line count and path of every Python module over the limit, the longest first."""
    counted = [
        (len(path.read_text(encoding="utf-8").splitlines()), path.relative_to(root))
        for folder in FOLDERS
        for path in (root / folder).rglob("*.py")
    ]
    return sorted((entry for entry in counted if entry[0] > MOST_LINES), reverse=True)


def main() -> int:
    """Command line: no arguments."""
    found = long_modules(ROOT)
    for lines, path in found:
        print(f"{path}: {lines} lines, at most {MOST_LINES}; split it by subject")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
