"""Named SQL blocks from ``db/queries/*.sql``.

A block begins with ``-- name --`` and a comment that says why it exists. Code reaches a query by name only:
``SQL["outbox.claim"]`` is block ``claim`` of ``outbox.sql``.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import LiteralString

_BLOCK = re.compile(r"^-- (?P<name>[a-z_]+) --$", re.MULTILINE)


def _load() -> dict[str, LiteralString]:
    found: dict[str, LiteralString] = {}
    for file in sorted(resources.files("db").joinpath("queries").iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".sql"):
            continue
        text = file.read_text(encoding="utf-8")
        marks = list(_BLOCK.finditer(text))
        for mark, following in zip(marks, [*marks[1:], None], strict=True):
            body = text[mark.end() : following.start() if following else None].strip()
            name = f"{file.name.removesuffix('.sql')}.{mark['name']}"
            if name in found:
                raise ValueError(f"the query {name} stands twice")
            # The text comes from our own package, which is what LiteralString is meant to prove.
            found[name] = body
    return found


SQL: dict[str, LiteralString] = _load()
