"""What people read about invoices: their own words first, and the vendor's text after them."""

from __future__ import annotations

import pytest

from domain.invoice.plan import KEEPS_STATUS
from domain.invoice.refusals import REFUSAL_CODES, refusal
from domain.words import CAUSES


def test_what_keeps_a_status_and_what_is_refused_are_causes() -> None:
    assert set(CAUSES) >= KEEPS_STATUS | REFUSAL_CODES


@pytest.mark.req("R-INV-14")
def test_the_users_words_come_first_and_the_vendors_text_is_not_lost() -> None:
    code, values = refusal("TaxID '01' cannot be found in the system")
    sentence = CAUSES[code].wrong.fill("sv", values)
    assert sentence.startswith("Kundens momszon och artikelns momskategori")
    assert sentence.endswith("TaxID '01' cannot be found in the system")


def test_a_refusal_without_words_is_told_without_a_gap() -> None:
    code, values = refusal("")
    assert code == "invoice.refused"
    assert (
        CAUSES[code].wrong.fill("sv", values | {"customer": "Ada AB"})
        == "Fakturan till Ada AB togs inte emot."
    )
