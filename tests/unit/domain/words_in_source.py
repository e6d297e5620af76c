"""Which codes the program raises and says, read from its source: what stands in words.toml is used, and what is used stands there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import domain

ROOT = Path(domain.__file__).resolve().parents[1]
FOLDERS = ("domain", "actors", "app", "db", "connectors", "web")
# Calls that raise or say what their first text names, and a call's keyword that does.
RECORDING = frozenset(
    {
        "Stop",
        "InDoubt",
        "ForeignWriter",
        "LogLine",
        "stop",
        "say",
        "warn",
        "open_problem",
        "recorded",
        "in_doubt",
    }
)
# Calls whose texts are paths in a vendor's body, such as text(row, "customer.guid").
READING = frozenset(
    {"text", "read", "flag", "decimal", "day", "moment", "money", "factor", "get_text", "Field"}
)


def called(call: ast.Call) -> str:
    """The name of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


@cache
def trees() -> tuple[tuple[Path, ast.Module], ...]:
    """Every module of the program."""
    return tuple(
        (path, ast.parse(path.read_text(encoding="utf-8")))
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
    )


def texts(tree: ast.AST) -> Iterator[str]:
    """The texts of a module but for paths in bodies and docstrings; of a text with a value in it what stands before and behind."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in READING:
            skipped |= {one for part in (*node.args, *node.keywords) for one in ast.walk(part)}
    for node in ast.walk(tree):
        if node not in skipped and isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def raised() -> set[str]:
    """Codes that a recording call names itself, also by a constant of its module."""
    found: set[str] = set()
    for _, tree in trees():
        named = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name) and isinstance(node.value.value, str)
        }
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and called(node) in RECORDING):
                continue
            for one in (*node.args[:3], *(word.value for word in node.keywords if word.arg == "code")):
                for part in ast.walk(one):
                    value = (
                        part.value if isinstance(part, ast.Constant) else named.get(getattr(part, "id", ""))
                    )
                    if isinstance(value, str) and re.fullmatch(r"[a-z]+\.[a-z_]+", value):
                        found.add(value)
    return found


@cache
def patterns() -> set[str]:
    """Codes that are put together: f"{domain}.refused", f"connection.{reason}", as patterns."""
    found: set[str] = set()
    for _, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                pattern = "".join(
                    re.escape(part.value) if isinstance(part, ast.Constant) else "[a-z_]+"
                    for part in node.values
                )
                if (
                    re.fullmatch(r"(\[a-z_\]\+|[a-z]+)\\\.(\[a-z_\]\+|[a-z_]+)", pattern)
                    and pattern.count("[") == 1
                ):
                    found.add(pattern)
    return found


@cache
def used() -> set[str]:
    """All texts that look like a code."""
    return {text for _, tree in trees() for text in texts(tree) if re.fullmatch(r"[a-z]+\.[a-z_]+", text)}
