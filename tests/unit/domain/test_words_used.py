"""Every code that is raised or said has its words, and every word that is kept is used."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib import resources
from typing import Any

import pytest

from domain import catalogue, words
from domain.model import DOMAINS
from tests.unit.domain.words_in_source import patterns, raised, trees, used

# Said by 0.1.0 only; rows of its transfer log still have them. The project's own delivery tells it now.
FORMER = {"invoice.project_reopened", "invoice.project_closed_again", "invoice.project_left_open"}

KNOWN = {*catalogue.causes(), *catalogue.sentences()}
PREFIXES = {code.partition(".")[0] for code in KNOWN}


def test_the_packages_are_the_domains_and_the_setup() -> None:
    assert set(words.PACKAGES) == {"setup", *DOMAINS}


@pytest.mark.req("R-INV-14", "R-LOG-3")
def test_every_code_that_is_raised_or_said_has_its_words() -> None:
    assert len(raised()) > 150
    assert {code for code in raised() if code.partition(".")[0] in PREFIXES} <= KNOWN


def test_every_code_that_has_words_is_used() -> None:
    put_together = {code for code in KNOWN for pattern in patterns() if re.fullmatch(pattern, code)}
    assert KNOWN - used() - put_together - FORMER == set()


def raw() -> dict[str, dict[str, Any]]:
    """Every words.toml as it stands."""
    return {
        package: tomllib.loads(resources.files(f"domain.{package}").joinpath("words.toml").read_text("utf-8"))
        for package in words.PACKAGES
    }


@pytest.mark.parametrize(("section", "member"), [("place", "where"), ("shared", "do")])
def test_every_place_and_shared_text_is_used(section: str, member: str) -> None:
    files = raw()
    asked = {
        package: {
            key
            for cause in file.get("cause", {}).values()
            for key in ([cause[member]] if isinstance(cause[member], str) else cause[member])
        }
        for package, file in files.items()
    }
    asked["setup"] |= {key for keys in asked.values() for key in keys}
    assert {
        f"{package}: {key}"
        for package, file in files.items()
        for key in file.get(section, {})
        if key not in asked[package]
    } == set()


def test_every_text_that_enters_a_document_is_used() -> None:
    told = {node.value for _, tree in trees() for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    keys = {key for file in raw().values() for key in file.get("text", {})}
    assert {key for key in keys if key not in told and key.removeprefix("autoinvoice_") not in told} == set()
