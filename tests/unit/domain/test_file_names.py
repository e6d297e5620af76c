"""One rule for names of files: what is sent is kept, kept apart, and found again."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.file_names import LIMIT, apart, file_key, file_name


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("faktura.pdf", "faktura.pdf"),
        ('Offert "slutlig".pdf', "Offert 'slutlig'.pdf"),
        ("Tid/rapport.pdf", "Tid-rapport.pdf"),
        ("C:\\Tid\\rapport.pdf", "C-Tid-rapport.pdf"),
        ("../../etc/passwd", "-.-etc-passwd"),
        (".htaccess", "htaccess"),
        ("...", "file"),
        ("", "file"),
        (None, "file"),
        ("a\r\nb\x00\x7f.pdf", "a b.pdf"),
        ("ba\u202efdp.exe", "bafdp.exe"),
        ("A\u030arsredovisning.pdf", "Årsredovisning.pdf"),
        ("  Tid  rapport .pdf ", "Tid rapport.pdf"),
        ("what? a*b<c>|d.pdf", "what- a-b-c-d.pdf"),
    ],
)
def test_a_name_is_sent_in_the_form_that_both_systems_keep(name: str | None, sent: str) -> None:
    assert file_name(name) == sent


def test_a_long_name_is_cut_before_its_extension() -> None:
    long = file_name("x" * 300 + ".pdf")
    assert len(long) == LIMIT
    assert long.endswith("x.pdf")
    assert len(file_name("y" * 300)) == LIMIT
    assert len(file_name("z." + "y" * 300)) == LIMIT


@pytest.mark.parametrize(
    ("sent", "came_back"),
    [
        ('Offert "slutlig".pdf', "Offert %22slutlig%22.pdf"),
        ("Offert 'slutlig'.pdf", "OFFERT 'slutlig'.PDF"),
        ("Årsredovisning.pdf", "A\u030arsredovisning.pdf"),
    ],
)
def test_a_name_that_came_back_in_a_vendors_spelling_is_the_same_file(sent: str, came_back: str) -> None:
    assert file_key(sent) == file_key(came_back)


@pytest.mark.parametrize(
    ("names", "sent"),
    [
        (["Tid/rapport.pdf", "Tid/rapport.pdf"], ["Tid-rapport.pdf", "Tid-rapport (2).pdf"]),
        (["Tid/rapport.pdf", "Kost/rapport.pdf"], ["Tid-rapport.pdf", "Kost-rapport.pdf"]),
        (["a.pdf", "A.PDF", "a (2).pdf"], ["a.pdf", "A (2).PDF", "a (2) (2).pdf"]),
        (['a"b.pdf', "a'b.pdf"], ["a'b.pdf", "a'b (2).pdf"]),
        (["", ""], ["file", "file (2)"]),
    ],
)
def test_two_files_of_one_document_never_get_one_name(names: list[str], sent: list[str]) -> None:
    assert apart(names) == sent


@given(st.lists(st.text(max_size=200), max_size=8))
def test_whatever_people_call_their_files(names: list[str]) -> None:
    sent = apart(names)

    assert len({file_key(one) for one in sent}) == len(names)
    assert apart(names[:-1]) == sent[: max(0, len(names) - 1)], (
        "a file added at the end changes no other name"
    )
    for one in sent:
        assert 1 <= len(one) <= LIMIT
        assert file_name(one) == one, "what is sent is in its form already"
        assert not set(one) & set('"\\/\r\n\0')
        assert not one.startswith(".")
        one.encode()
        assert unicodedata.is_normalized("NFC", one)
