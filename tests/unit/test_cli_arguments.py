"""What the command line refuses before it opens anything: words that are not in a fixed set, numbers without an end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ops" / "scripts"))

import docs_code  # type: ignore[import-not-found, unused-ignore]
from typer.main import get_command

from app import cli
from app.cli.common import Told
from domain.model import DOMAINS

PROGRAM: Any = get_command(cli.app)
COMMANDS = list(docs_code.commands(PROGRAM))
PARAMETERS = [(path, one) for path, command in COMMANDS for one in command.params if not one.hidden]
FIXED = [(path, one) for path, one in PARAMETERS if docs_code.choices(one.type_descriptor.annotation)]
NUMBERS = [(path, one) for path, one in PARAMETERS if one.type_descriptor.annotation in (int, float)]


def named(found: tuple[tuple[str, ...], Any]) -> str:
    return " ".join((*found[0], found[1].name))


def groups(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from groups(one, (*path, name))


def said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the program; nothing is opened by what is tried here."""
    monkeypatch.setattr(sys, "argv", ["severa-bridge", *arguments])
    monkeypatch.setenv("BRIDGE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    try:
        cli.main()
        code: Any = 0
    except SystemExit as ended:
        code = ended.code or 0
    out = capsys.readouterr()
    return code, out.out, out.err


def before(path: tuple[str, ...], wanted: Any) -> list[str]:
    """The command with a word for every argument that stands before the wanted parameter."""
    command = next(command for found, command in COMMANDS if found == path)
    words = []
    for one in command.params:
        if one is wanted:
            break
        if one.param_type_name == "argument" and one.required:
            fixed = docs_code.choices(one.type_descriptor.annotation)
            words.append(fixed[0] if fixed else "x")
    return [*path, *words]


@pytest.mark.parametrize("found", FIXED, ids=named)
def test_a_word_that_is_not_in_a_fixed_set_is_refused_with_the_words_there_are(
    found: tuple[tuple[str, ...], Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, parameter = found
    option = [] if parameter.param_type_name == "argument" else [parameter.opts[0]]
    # What follows a wrong argument does not matter: arguments that are missing are told only afterwards.
    rest = ["x", "x"] if path == ("relink",) else ["x"] if path == ("class",) else []
    code, out, err = said(monkeypatch, capsys, *before(path, parameter), *option, "invoices", *rest)
    assert (code, out) == (2, "")
    assert "'invoices' is not one of" in err
    for word in docs_code.choices(parameter.type_descriptor.annotation):
        assert f"'{word}'" in err
    assert "Value error" not in err


def test_what_is_a_domain_or_a_level_is_a_fixed_set_everywhere() -> None:
    """As text a misspelt one finds nothing, which looks like success."""
    sets = {"domain", "level"}
    found = [(path, one) for path, one in PARAMETERS if one.name in sets]
    assert len(found) >= 7
    assert found == [one for one in FIXED if one[1].name in sets]
    assert set(get_args(Told)) == {*DOMAINS, "connection", "poll"}


@pytest.mark.parametrize("found", NUMBERS, ids=named)
@pytest.mark.parametrize("value", ["99999999999999999999", "nan", "-1", "many"])
def test_every_number_has_both_bounds(
    found: tuple[tuple[str, ...], Any],
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, parameter = found
    info = parameter.type_descriptor.parameter_info
    assert info.min is not None
    assert info.max is not None
    code, out, err = said(monkeypatch, capsys, *before(path, None), parameter.opts[0], value)
    assert (code, out) == (2, "")
    assert f"Invalid value for '{parameter.opts[0]}'" in err


@pytest.mark.parametrize("path", list(groups(PROGRAM)), ids=lambda path: " ".join(path) or "alone")
def test_without_arguments_the_help_is_shown_and_nothing_is_wrong(
    path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = said(monkeypatch, capsys, *path)
    assert (code, err) == (0, "")
    assert "Usage:" in out


def test_the_version_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(monkeypatch, capsys, "--version") == (0, f"severa-bridge {version('severa-bridge')}\n", "")


def test_the_page_calls_required_what_the_program_requires_and_nothing_else() -> None:
    page = docs_code.cli_page()
    for path, command in COMMANDS:
        section = page.split(f"\n## `severa-bridge {' '.join(path)}`\n")[1].split("\n## ")[0]
        assert section.count("| required |") == sum(one.required for one in command.params), path
        left = [one for one in command.params if one.param_type_name == "argument" and not one.required]
        assert section.count("| optional |") == sum(one.default is None for one in left), path
    assert any(not one.required for path, one in PARAMETERS if one.param_type_name == "argument")
    assert any(one.required for path, one in PARAMETERS if one.param_type_name == "option")
