"""Every code that is raised or said has its words, and every word that is kept is used."""

from __future__ import annotations

import re

import pytest

from domain import catalogue, words
from domain.model import DOMAINS
from tests.unit.domain.words_in_source import patterns, raised, used

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
