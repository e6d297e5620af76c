"""words.toml as it is read: what is wrong in it is told at the start, what is kept in a row is said in the reader's language."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import structlog

from actors.misfits import say_misfits
from domain import catalogue, recording, words
from domain.errors import Stop
from domain.explain import Text
from domain.model import LogLine
from domain.money import Currency
from domain.saying import FieldName, Vocabulary
from domain.values import money, pair, record
from domain.words import WordsError, parse

GOOD = """
[place]
page = { sv = "Severa: Kunder.", en = "Severa: Customers." }
screen = { sv = "Visma.net ERP: Kunder (AR303000).", en = "Visma.net ERP: Customers (AR303000)." }
[shared]
again.sv = "Rätta och försök igen."
again.en = "Correct it and try again."
[term]
lead = { sv = "ledtråd", en = "lead" }
[field]
email = { sv = "e-post", en = "e-mail" }
active = { sv = "aktiv", en = "active", kind = "flag" }
[cause."customer.odd"]
wrong.sv = "{name} har {times:count fel|fel}[, saldo {owed:money}]."
wrong.en = "{name} has {times:count fault|faults}[, balance {owed:money}]."
do = "again"
where = ["page", "screen"]
actions = ["retry", "open_source"]
closes_by_itself = false
[log]
"customer.said".sv = "Kund {number} ändrades: {fields:fields}."
"customer.said".en = "Customer {number} was changed: {fields:fields}."
[text]
file.sv = "Kredit av {number}"
file.en = "Credit of {number}"
"""


def test_a_file_is_read_into_causes_sentences_and_texts() -> None:
    found = parse("customer", GOOD)
    cause = found.causes["customer.odd"]
    values = {"name": "Ada", "times": 1, "owed": money(Decimal("12345.67"), "SEK")}
    assert cause.wrong.fill("sv", values) == "Ada har 1 fel, saldo 12 345,67 SEK."
    assert cause.wrong.fill("en", values | {"times": 2000}) == "Ada has 2,000 faults, balance 12,345.67 SEK."
    assert cause.do.fill("en", {}) == "Correct it and try again."
    assert cause.where.fill("sv", {}) == "Severa: Kunder. Visma.net ERP: Kunder (AR303000)."
    assert (cause.actions, cause.closes_by_itself) == (("retry", "open_source"), False)
    assert found.log["customer.said"].fill("sv", {"number": 1, "fields": ["email", "active"]}) == (
        "Kund 1 ändrades: e-post, aktiv."
    )
    assert found.text("file", "sv", number="17") == "Kredit av 17"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[place]", "[places]", "there is no section places"),
        ('en = "lead"', 'en = ""', "term.lead.en: there is no text"),
        (', en = "lead"', "", "term.lead: sv and en, and nothing else, are wanted"),
        ('en = "lead"', 'en = "lead", de = "Spur"', "term.lead: sv and en, and nothing else, are wanted"),
        ("{name} has", "She has", "do not say the same values: {name:text}"),
        ("balance {owed:money}", "balance {owed}", "do not say the same values: {owed:money}, {owed:text}"),
        ("[, balance {owed:money}]", ", balance {owed:money}", "do not say the same values"),
        ("{owed:money}", "{owed:coin}", "there is no kind 'coin' (of {owed})"),
        ("{times:count fault|faults}", "{times:count faults}", "'faults' says nothing to the kind count"),
        ("{fields:fields}", "{fields:fields x}", "'x' says nothing to the kind fields"),
        ("Credit of {number}", "Credit of {number", "not closed, or not as it must be"),
        ("Credit of {number}", "Credit of {Number}", "not closed, or not as it must be"),
        ("Credit of {number}", "Credit [of] {number}", "has no value that it depends on"),
        ('"retry"', '"try"', "there is no action try"),
        ('do = "again"', 'do = "never"', "there is no [shared] never"),
        ('"screen"]', '"window"]', "there is no [place] window"),
        ("do = ", "does = ", "wrong, do and where are wanted"),
        ("closes_by_itself = false", 'closes_by_itself = "no"', "closes_by_itself is true or false"),
        ('kind = "flag"', 'kind = "bool"', "there is no kind 'bool' of a field"),
        ("customer.said", "product.said", "this code belongs to another file"),
        ("customer.said", "customer.odd", "customer.odd stands in [cause] and in [log]"),
        ("[term]", "[term", "line 8"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_told_with_its_place(old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(WordsError) as error:
        parse("customer", GOOD.replace(old, new))
    assert str(error.value).startswith("domain/customer/words.toml")
    assert said in str(error.value)


def test_the_set_up_has_the_codes_that_are_of_no_domain() -> None:
    parse("setup", GOOD.replace("customer.", "work."))
    with pytest.raises(WordsError, match="another file"):
        parse("setup", GOOD)


def test_what_a_file_does_not_have_is_the_setups() -> None:
    common = parse("setup", GOOD.replace("customer.", "work."))
    own = '[cause."customer.odd"]\nwrong = { sv = "{x:term}.", en = "{x:term}!" }\ndo = "again"\nwhere = "page"\n'
    found = parse("customer", own, common)
    assert found.causes["customer.odd"].wrong.fill("sv", {"x": "lead"}) == "ledtråd."


# ---------------------------------------------------------------- what a reader is told

WORDS = Vocabulary(
    terms={"products": ("produkt", "product"), "visma_net": ("Visma.net ERP", "Visma.net ERP")},
    fields={
        "email": FieldName("e-post", "e-mail"),
        "price": FieldName("pris", "price", "number"),
        "active": FieldName("aktiv", "active", "flag"),
        "vat": FieldName("moms", "VAT"),
    },
)


@pytest.mark.req("R-LOG-3")
@pytest.mark.parametrize(
    ("template", "value", "sv", "en"),
    [
        ("{x}", "Ada AB", "Ada AB", "Ada AB"),
        ("{x:money}", money(Decimal("-12345.6"), "SEK"), "-12 345,60 SEK", "-12,345.60 SEK"),
        ("{x:money}", money(Decimal(1235), Currency("JPY", 0)), "1 235 JPY", "1,235 JPY"),
        ("{x:money}", money(Decimal("0.004"), "SEK"), "0,004 SEK", "0.004 SEK"),
        ("{x:number}", "25.5", "25,5", "25.5"),
        ("{x:day}", "2026-11-30", "2026-11-30", "2026-11-30"),
        ("{x:count}", 12345, "12 345", "12,345"),
        ("{x:count a|b}", 1, "1 a", "1 a"),
        ("{x:count a|b}", 0, "0 b", "0 b"),
        ("{x:term}", "products", "produkt", "product"),
        ("{x:field}", "email", "e-post", "e-mail"),
        ("{x:fields}", ["email", {"field": "active", "of": "Ada"}], "e-post, Ada: aktiv", "e-mail, Ada: active"),
        ("{x:list}", ["14", "30"], "14, 30", "14, 30"),
        ("{x:record}", record("17", "Ada AB"), "17 Ada AB", "17 Ada AB"),
        ("{x:record}", record("", "Ada AB"), "Ada AB", "Ada AB"),
        ("{x:records}", [record("17", "Ada"), record("18", "Bo")], "17 Ada; 18 Bo", "17 Ada; 18 Bo"),
        ("{x:pairs}", [pair("price", "1250.5", "")], "pris: 1 250,5 / tomt", "price: 1,250.5 / empty"),
        ("{x:pairs}", [pair("email", "a", "b", of="Ada")], "Ada: e-post: a / b", "Ada: e-mail: a / b"),
        ("{x:pairs}", [pair("vat", "1", "2", rate="12.5")], "moms 12,5 %: 1 / 2", "VAT 12.5 %: 1 / 2"),
        ("{x:pairs}", [pair("price", "1", "2", line=3)], "pris (rad 3): 1 / 2", "price (row 3): 1 / 2"),
        ("{x:sides}", [pair("active", "true", "false")], "aktiv: ja (Severa), nej (Visma.net ERP)",
         "active: yes (Severa), no (Visma.net ERP)"),
        ("{x:rates}", [{"rate": "25", "vat_id": "", "net": "1000.00", "vat": "250.00"}], "25 %: 1 000,00 + 250,00",
         "25 %: 1,000.00 + 250.00"),
        ("{x:accounts}", [{"account": "3010", **money(Decimal(8000), "SEK")}], "3010: 8 000,00 SEK", "3010: 8,000.00 SEK"),
    ],
)  # fmt: skip
def test_a_value_is_said_in_the_readers_language(template: str, value: Any, sv: str, en: str) -> None:
    text = Text(template, template, WORDS)
    assert (text.fill("sv", {"x": value}), text.fill("en", {"x": value})) == (sv, en)


def test_a_fields_value_is_said_as_its_field_is() -> None:
    text = Text("{field:field}: {lost:value field}", "{field:field}: {lost:value field}", WORDS)
    assert text.fill("sv", {"field": "active", "lost": "false"}) == "aktiv: nej"
    assert text.fill("sv", {"field": "price", "lost": "1250.5"}) == "pris: 1 250,5"
    assert text.fill("sv", {"field": "email", "lost": ""}) == "e-post: tomt"


@pytest.mark.parametrize("missing", [{}, {"old": None}, {"old": ""}])
def test_a_part_without_its_value_is_left_out(missing: dict[str, Any]) -> None:
    text = Text("Nummer {number}[ (förut {old})].", "Number {number}[ (before: {old})].")
    assert text.fill("sv", {"number": 7, **missing}) == "Nummer 7."
    assert text.fill("sv", {"number": 7, "old": 3}) == "Nummer 7 (förut 3)."


# Values as 0.1.0 kept them: words for each language, amounts and differences as text, a dash for what is missing.
OLD: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("product.code_missing", {"name": "Penna", "register": "produkt", "register_en": "product"}, "Penna (produkt) saknar kod.",
     "Penna (product) has no code."),
    ("product.type_differs",
     {"code": "A", "name": "Penna", "register": "produkt", "register_en": "product", "type": "LaborItem", "wanted": "NonStockItem / X"},
     "en produkt i Severa (NonStockItem / X)", "a product in Severa (NonStockItem / X)"),
    ("product.conflict", {"name": "Penna", "fields": "name: 'Penna' / 'Pennor'"}, "name: 'Penna' / 'Pennor'",
     "name: 'Penna' / 'Pennor'"),
    ("product.refused", {"name": "Penna", "system": "Visma.net ERP", "text": "No."}, "Visma.net ERP tog inte emot Penna: No.",
     "Visma.net ERP did not accept Penna: No."),
    ("product.foreign_price", {"name": "Penna", "price": "12.5", "price_currency": "EUR", "currency": "SEK"}, "priset 12.5 EUR",
     "the price 12.5 EUR"),
    ("product.overruled", {"name": "Penna", "field": "name", "severa": "A", "erp": "B", "winner": "Severa", "lost": "B"},
     "Severa vann; ”B” skrevs över", "Severa won; “B” was overwritten"),
    ("customer.numbered", {"name": "Ada", "number": "7", "old": "–"}, "(förut –)", "(before: –)"),
    ("customer.terms_not_sent", {"name": "Ada", "days": "45", "term": "–", "known": "–"}, "45 dagar", "45 days"),
    ("customer.ping_pong", {"name": "Ada", "fields": "email; Kari (phone)"}, "email; Kari (phone)", "email; Kari (phone)"),
    ("customer.merged", {"number": "7", "system": "Severa", "heir": "9 Ada AB", "relink": "severa-bridge relink …"},
     "i Severa; 9 Ada AB verkar", "in Severa any more; 9 Ada AB seems"),
    ("cost.brought", {"kind": "Leverantörsfaktura", "kind_en": "Supplier invoice", "number": "12", "partner": "–", "lines": 1,
                      "amount": "800.00", "currency": "SEK", "projects": "1042"},
     "Leverantörsfaktura 12 (–): 1 rad, 800.00 SEK, blev projektkostnader på 1042.",
     "Supplier invoice 12 (–): 1 line, 800.00 SEK, became project costs of 1042."),
    ("payment.paid", {"number": "101", "amount": "1250.00 SEK", "balance": "0.00 SEK", "date": "2026-11-30"},
     "Faktura 101 på 1250.00 SEK är betald 2026-11-30.", "Invoice 101 for 1250.00 SEK was paid on 2026-11-30."),
    ("invoice.total_differs",
     {"customer": "Ada", "severa_total": "15352.79 SEK", "erp_total": "13844.27 SEK", "difference": "-1508.52",
      "severa_vat": "25 %: 11604.00 + 2901.00", "erp_vat": "–", "reasons": "total: 15352.79 / 13844.27", "row": "–"},
     "skillnad -1508.52). Moms i Severa: 25 %: 11604.00 + 2901.00.", "Different: total: 15352.79 / 13844.27."),
    ("invoice.refused", {"customer": "Ada", "text": "–"}, "Visma.net ERP svarade: –", "Visma.net ERP said: –"),
    ("invoice.in_doubt", {"customer": "Ada", "candidates": "Invoice 101 (Open, 1000.00 SEK)", "number": "101"},
     "Kandidater: Invoice 101 (Open, 1000.00 SEK).", "Candidates: Invoice 101 (Open, 1000.00 SEK)."),
    ("invoice.booked_not_numbered", {"customer": "Ada", "number": "101", "severa_number": "–", "fields": "number", "text": "–"},
     "men Severa visar inte: number", "but Severa does not show: number"),
    ("connection.missing_scope", {"system": "severa", "missing": "['a', 'b']", "text": "x"}, "saknar rättigheter: ['a', 'b']",
     "lacks scopes: ['a', 'b']"),
    ("setting.unusable", {"setting": "a", "value": "1", "text": "t", "also": " Inte heller: b.", "also_en": " Neither can: b."},
     "kan inte vara 1: t. Inget", "cannot be 1: t. Nothing"),
    ("poll.short_list", {"system": "severa", "register": "customers", "expected": "?", "got": 3}, "3 poster av ?", "3 rows of ?"),
    ("work.not_taken", {"name": "Ada", "system": "Severa", "fields": "email, website"}, "visar den inte: email, website",
     "does not show it: email, website"),
)  # fmt: skip


@pytest.mark.parametrize(("code", "values", "sv", "en"), OLD)
def test_a_row_of_an_older_version_is_said_as_it_stands(
    code: str, values: dict[str, Any], sv: str, en: str
) -> None:
    text = catalogue.sentences()[code]
    assert sv in text.fill("sv", values)
    assert en in text.fill("en", values)


@pytest.mark.parametrize("value", [None, 7, "x", "–", ["a", 1], {"a": 1}, [{"a": "b"}], True, 1.5])
@pytest.mark.parametrize("language", ["sv", "en"])
def test_no_value_in_any_row_keeps_a_text_from_being_said(value: Any, language: str) -> None:
    for cause in catalogue.causes().values():
        for text in cause.texts():
            assert text.fill(language, dict.fromkeys((one.name for one in text.typed()), value))
            assert text.fill(language, {})
    for text in catalogue.sentences().values():
        assert text.fill(language, dict.fromkeys((one.name for one in text.typed()), value))


# ---------------------------------------------------------------- the recording border


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"register": "products"}, ""),
        ({}, "register is missing"),
        ({"register": "produkt"}, "register is no term: 'produkt'"),
        ({"register": ["products"]}, "register is no term"),
        ({"register": None}, "register is no term"),
        ({"register": "products", "name": "–"}, "name is no text: '–'"),
        ({"register": "products", "name": True}, "name is no text"),
    ],
)
def test_what_is_recorded_fits_its_words_in_tests_and_is_counted_in_production(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], said: str
) -> None:
    code = "product.code_missing"
    assert said in "; ".join(recording.misfits(code, values))
    if said:
        with pytest.raises(recording.WordsDoNotFit, match=said.partition(":")[0]):
            Stop(code, values)
        with pytest.raises(recording.WordsDoNotFit):
            LogLine(code, values)
    else:
        Stop(code, values)
    monkeypatch.setattr(recording._Border, "strict", False)
    before = recording.COUNTED[code]
    assert Stop(code, values).values == values
    assert recording.COUNTED[code] - before == (1 if said else 0)
    with structlog.testing.capture_logs() as lines:
        say_misfits()
        say_misfits()
    told = [(line["event"], line["code"], line["times"]) for line in lines]
    assert told == ([("words_do_not_fit", code, before + 1)] if said else []), "once, to who runs the bridge"


@pytest.mark.parametrize(
    ("code", "values", "said"),
    [
        (
            "customer.conflict",
            {"name": "Ada", "fields": [pair("email", "a", "b"), pair("zip", "1", "2")]},
            "without words: zip",
        ),
        (
            "customer.ping_pong",
            {"name": "Ada", "fields": ["email", {"field": "zip", "of": "Bo"}]},
            "without words: zip",
        ),
        ("customer.ping_pong", {"name": "Ada", "fields": ["email"]}, ""),
        # A cause of the set-up speaks of any domain's field.
        ("work.not_taken", {"fields": ["item_class", "email"]}, ""),
        ("work.not_taken", {"fields": ["zip"]}, "without words: zip"),
    ],
)
def test_a_field_without_a_readers_name_is_seen_where_it_is_recorded(
    code: str, values: dict[str, Any], said: str
) -> None:
    found = recording.misfits(code, values)
    assert (found == []) if not said else (said in found[0])


def test_what_the_row_has_itself_need_not_be_told() -> None:
    assert recording.misfits("customer.gone", {"system": "severa"}) == []


# ---------------------------------------------------------------- kept words


def test_no_text_quotes_as_a_program_does() -> None:
    texts = [
        *(text for cause in catalogue.causes().values() for text in cause.texts()),
        *catalogue.sentences().values(),
    ]
    assert [text.sv for text in texts if "'{" in text.sv + text.en] == []
    assert [text.sv for text in texts if "_en}" in text.sv + text.en] == []


def test_the_words_are_part_of_the_package() -> None:
    for package in words.WORDS:
        assert resources.files(f"domain.{package}").joinpath("words.toml").is_file()


def test_the_wheel_and_the_image_take_all_of_the_domain() -> None:
    """The image installs the wheel; both leave out only what they are told to."""
    root = Path(words.__file__).resolve().parents[1]
    built = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert "domain" in built["packages"]
    assert built.keys() == {"packages"}
    ignored = (root / ".dockerignore").read_text().split() + (root / ".gitignore").read_text().split()
    assert [one for one in ignored if "toml" in one] == ["!pyproject.toml"]
