"""What people read names no command: they stand at the console, on the web, or read a mail."""

from __future__ import annotations

import pytest

from domain import catalogue
from domain.explain import Cause


def parts(cause: Cause) -> list[str]:
    return [
        getattr(text, language) for text in (cause.wrong, cause.do, cause.where) for language in ("sv", "en")
    ]


@pytest.mark.req("R-LOG-3")
@pytest.mark.parametrize("code", sorted(catalogue.causes()))
def test_no_problem_names_a_command(code: str) -> None:
    assert [one for one in parts(catalogue.causes()[code]) if "severa-bridge" in one or " --" in one] == []


def test_no_line_of_the_log_names_a_command() -> None:
    found = {
        code
        for code, text in catalogue.sentences().items()
        if "severa-bridge" in text.sv + text.en or " --" in text.sv + text.en
    }
    assert found == set()
