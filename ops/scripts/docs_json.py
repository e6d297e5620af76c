"""docs/json.md, made from the models that commands print through (``app.cli.rows``)."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from docs_common import HEAD, NotComplete, anchor, code, imported, table
from pydantic import BaseModel

_WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true · false",
    Any: "any value",
}


def json_page() -> str:
    """Which rows each command prints with --json, then every row with its members."""
    commands = imported("app.cli.rows").COMMANDS
    parts = [
        HEAD,
        "# JSON\n\n`--json` prints one document on standard output. Every row that a command prints is here, with all of its members:\n",
        "they are always there, and a new one may come with a new version. Times are ISO 8601 with their offset. Codes and states are\n",
        "English words that stay; sentences are in the tenant's language, and may change.\n",
        "\n## Commands\n",
    ]
    for name, printed in commands.items():
        parts.append(f"\n### {name}\n\n")
        for one in printed:
            what = "a list of" if one.many else "one object"
            parts.append(f"- {one.when + ': ' if one.when else ''}{what} {_link(one.row)}\n")
    parts.append("\n## Rows\n")
    for row in _rows(one.row for printed in commands.values() for one in printed):
        parts += [
            f"\n### {row.__name__}\n\n{_said(row)}\n\n",
            table(("member", "value", "what it is"), _members(row)),
        ]
    return "".join(parts)


def _said(row: type[BaseModel]) -> str:
    return " ".join(inspect.cleandoc(row.__doc__ or "").split())


def _link(row: type[BaseModel]) -> str:
    return f"[{row.__name__}](#{anchor(row.__name__)})"


def _rows(found: Iterator[type[BaseModel]]) -> list[type[BaseModel]]:
    """Each row once, those within it behind it."""
    listed: dict[type[BaseModel], None] = {}

    def visit(row: type[BaseModel]) -> None:
        if row in listed:
            return
        if not row.__doc__:
            raise NotComplete(f"the row {row.__name__} says nothing of itself")
        listed[row] = None
        for field in row.model_fields.values():
            for inner in _within(field.annotation):
                visit(inner)

    for row in found:
        visit(row)
    return list(listed)


def _within(kind: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(kind) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind):
        yield from _within(part)


def _members(row: type[BaseModel]) -> Iterator[tuple[str, str, str]]:
    for name, field in row.model_fields.items():
        yield code(field.alias or name), _kind(field.annotation), field.description or ""


def _kind(kind: Any) -> str:
    if kind in _WORDS:
        return _WORDS[kind]
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join([*(_kind(part) for part in parts if part is not NoneType), "null"])
    if origin is list:
        return f"list of {_kind(parts[0])}"
    if origin is dict:
        return f"object of {_kind(parts[1])}"
    if inspect.isclass(kind) and issubclass(kind, BaseModel):
        return _link(kind)
    raise NotComplete(f"no word for {kind} in docs/json.md")
