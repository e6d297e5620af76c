"""What the pages of docs/ are made with: Markdown, and imports that fail in one line."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
HEAD = "<!-- Made by ops/scripts/docs.py from the code. Do not edit: change the code and run `make docs`. -->\n\n"


class NotComplete(Exception):
    """The code lacks something that a page is made from; the message is one line."""


def cell(text: object) -> str:
    """A value as a table takes it: one line, no bar, and nothing outside code style that would be read as a tag."""
    parts = " ".join(str(text).split()).replace("|", "\\|").split("`")
    return "`".join(part if at % 2 else re.sub("<(?!br>)", "&lt;", part) for at, part in enumerate(parts))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [list(columns), ["---"] * len(columns), *([cell(one) for one in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def code(value: object) -> str:
    """A value in code style, nothing for nothing."""
    return f"`{value}`" if str(value) else ""


def anchor(heading: str) -> str:
    """What a link to a heading of a page ends with."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def imported(name: str) -> ModuleType:
    """A module of the project. Raises NotComplete while it, or what it imports, is missing."""
    try:
        return importlib.import_module(name)
    except Exception as error:
        # A module may fail in any way while somebody is changing it; to a page it is missing.
        raise NotComplete(f"{name} cannot be imported: {' '.join(str(error).split())}") from error
