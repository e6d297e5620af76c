"""Writes db/schema.sql: what all migrations together make, for reading and for the test that compares the two."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from app import postgresql
from app.embedded import embedded_database

HEAD = "-- What the migrations make, all together. Made by `make schema`; a test compares it with them.\n\n"


def main() -> None:
    """Command line: no arguments. Starts an embedded PostgreSQL of its own and needs nothing else."""
    with tempfile.TemporaryDirectory() as name, embedded_database(Path(name)) as url:
        text = HEAD + _readable(_dump(url, Path(name)))
    target = Path(__file__).parents[2] / "db" / "schema.sql"
    target.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{target.name}: {len(text.splitlines())} lines\n")


def _dump(url: str, directory: Path) -> str:
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    tools = postgresql.programs(None, directory)
    return subprocess.run(
        [
            tools / "pg_dump", "--schema-only", "--exclude-table=*_[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]", "--no-owner", "--username", postgresql.SUPERUSER,
            "--host", asked["host"][0], "--port", asked["port"][0], parts.path.lstrip("/"),
        ],
        check=True, capture_output=True, text=True, timeout=60, env=postgresql.environment(),
    ).stdout  # fmt: skip


def _readable(dump: str) -> str:
    """Without settings, comments and empty lines in heaps."""
    lines = [line for line in dump.splitlines() if not re.match(r"^(\\|--|SET |SELECT pg_catalog)", line)]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
    return text.replace("CREATE SCHEMA public;\n", "")


if __name__ == "__main__":
    main()
