"""Every problem and every log line of invoices has its words, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import domain.invoice
from domain.invoice.explain import CAUSES, SENTENCES
from domain.invoice.explain_doubt import FORMER
from domain.invoice.plan import KEEPS_STATUS
from domain.invoice.refusals import REFUSAL_CODES, refusal


def used() -> set[str]:
    assert domain.invoice.__file__ is not None
    folder = Path(domain.invoice.__file__).parent
    sources = [
        path.read_text(encoding="utf-8")
        for path in folder.glob("*.py")
        if path.name not in {"explain.py", "explain_doubt.py", "sentences.py"}
    ]
    return set(re.findall(r'"(invoice\.\w+)"', "\n".join(sources)))


def test_every_code_in_the_source_has_its_words_and_no_words_are_left_over() -> None:
    assert used() | FORMER == set(CAUSES) | set(SENTENCES)
    assert used() >= KEEPS_STATUS | REFUSAL_CODES


def test_texts_stand_in_both_languages_with_the_same_values() -> None:
    for text in [
        *SENTENCES.values(),
        *(t for cause in CAUSES.values() for t in (cause.wrong, cause.do, cause.where)),
    ]:
        assert set(re.findall(r"{(\w+)}", text.sv)) == set(re.findall(r"{(\w+)}", text.en))
        assert text.fill("sv", {}) != text.fill("en", {}) or text.sv in {"Problem", "Problems"}


@pytest.mark.req("R-INV-14")
def test_the_users_words_come_first_and_the_vendors_text_is_not_lost() -> None:
    code, values = refusal("TaxID '01' cannot be found in the system")
    sentence = CAUSES[code].wrong.fill("sv", values)
    assert sentence.startswith("Kundens momszon och artikelns momskategori")
    assert sentence.endswith("TaxID '01' cannot be found in the system")
    assert refusal("") == ("invoice.refused", {"text": "–"})
