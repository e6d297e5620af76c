"""The list of protections names what is there, so that `make mutations` can take each of them out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from mutations import page
from mutations.__main__ import chosen
from mutations.mutation import Edit, Mutation
from mutations.protections import MUTATIONS


@pytest.mark.parametrize("one", MUTATIONS, ids=lambda one: one.name)
def test_what_is_taken_out_stands_there_once_and_its_tests_exist(one: Mutation) -> None:
    assert one.faults() == []
    assert all(edit.text != edit.into for edit in one.edits)
    assert one.tests


def test_each_has_a_name_of_its_own() -> None:
    assert [name for name, n in Counter(one.name for one in MUTATIONS).items() if n > 1] == []
    assert len(MUTATIONS) >= 45


def test_the_page_shows_them_all_with_what_came_of_them() -> None:
    shown = page.results()
    assert set(shown) == {one.name for one in MUTATIONS}
    assert page.made(MUTATIONS, shown) in page.PAGE.read_text(encoding="utf-8")


def test_a_text_that_is_gone_or_stands_twice_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("x and x", encoding="utf-8")
    assert "2 times" in str(Edit("a.sql", "x", "").fault(tmp_path))
    assert "0 times" in str(Edit("a.sql", "y", "").fault(tmp_path))
    assert "not there" in str(Edit("b.sql", "y", "").fault(tmp_path))


def test_some_are_chosen_by_how_their_names_begin() -> None:
    assert {one.name for one in chosen(MUTATIONS, "permit-token,poison", set())} == {"permit-token", "poison"}
    assert chosen(MUTATIONS, "poison", {"poison"}) == []
