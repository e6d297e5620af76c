"""How a value is said to a reader: money, days, counts and names of fields in his language.

A value that has not the shape of its placeholder's kind was kept by an older version: it is said as it stands, without error,
in English by its ``…_en`` where it has one (0.1.0 kept some words once for each language).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.values import DASH, SHAPES, is_missing

Pair = tuple[str, str]

# Thousands and decimals. An ordinary space, so that a search for what was typed finds the amount.
_MARKS: Mapping[str, Pair] = {"sv": (" ", ","), "en": (",", ".")}
_FLAGS: Mapping[str, Pair] = {"true": ("ja", "yes"), "false": ("nej", "no")}
_NOTHING: Pair = ("tomt", "empty")
_ROW: Pair = ("rad", "row")
# How a field's value is said, by the ``kind`` of its [field]; others are texts.
FIELD_KINDS = frozenset({"", "number", "flag"})


@dataclass(frozen=True, slots=True)
class FieldName:
    """A field as a reader calls it; ``kind`` says how its values are said (``FIELD_KINDS``)."""

    sv: str
    en: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of one domain: key → (svenska, English), and its fields by their names."""

    terms: Mapping[str, Pair] = field(default_factory=dict)
    fields: Mapping[str, FieldName] = field(default_factory=dict)

    def field(self, name: str, language: str) -> str:
        """A field's name; one without words is said as it is."""
        known = self.fields.get(name)
        return name if known is None else _of((known.sv, known.en), language)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: the language, and the words of the domain."""

    language: str
    words: Vocabulary

    def say(self, kind: str, form: str, value: Any, values: Mapping[str, Any]) -> str:
        """A value of a kind that has its shape. ``form``: what stands behind the kind in the placeholder; ``values``: all of the
        sentence's."""
        return _SAYINGS[kind](self, form, value, values)


def said(reader: Reader, name: str, kind: str, form: str, values: Mapping[str, Any]) -> str:
    """The value of a placeholder, as its kind says it, or as an older version left it."""
    value = values.get(name)
    fits = SHAPES[kind]
    if fits(value) and not (kind == "term" and value not in reader.words.terms):
        return reader.say(kind, form, value, values)
    text = as_it_stands(name, values, reader.language)
    # 0.1.0 kept some currencies beside their amounts.
    unit = values.get(f"{name}_currency", values.get("currency", "")) if kind == "money" else ""
    return text if not unit or text.endswith(str(unit)) else f"{text} {unit}"


def as_it_stands(name: str, values: Mapping[str, Any], language: str) -> str:
    """A value of an older version: its text, without brackets and quotes of a program."""
    value = values.get(name)
    if language != "sv":
        value = values.get(f"{name}_en", value)
    if is_missing(value):
        # Only a row of an older version lacks a value that its sentence needs; what is recorded today is checked.
        return DASH if value is None else ""
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    if isinstance(value, Mapping):
        return " ".join(str(one) for one in value.values() if not is_missing(one))
    return str(value)


def decimal_text(value: str, language: str) -> str:
    """A decimal as the reader writes it: ``12 345,67`` or ``12,345.67``."""
    thousands, point = _MARKS["sv" if language == "sv" else "en"]
    whole, dot, part = value.partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    grouped = f"{int(digits):,}".replace(",", thousands) if digits.isdigit() else digits
    return f"{sign}{grouped}{point if dot else ''}{part}"


def _of(pair: Pair, language: str) -> str:
    return pair[0] if language == "sv" else pair[1]


def _text(_reader: Reader, _form: str, value: Any, _values: Mapping[str, Any]) -> str:
    return str(value)


def _count(reader: Reader, form: str, value: Any, _values: Mapping[str, Any]) -> str:
    number = decimal_text(str(value), reader.language)
    if not form:
        return number
    one, other = form.split("|")
    return f"{number} {one if value == 1 else other}"


def _number(reader: Reader, _form: str, value: Any, _values: Mapping[str, Any]) -> str:
    return decimal_text(str(value), reader.language)


def _money(reader: Reader, _form: str, value: Any, _values: Mapping[str, Any]) -> str:
    return f"{decimal_text(str(value['amount']), reader.language)} {value['currency']}".strip()


def _term(reader: Reader, _form: str, value: Any, _values: Mapping[str, Any]) -> str:
    return _of(reader.words.terms[value], reader.language)


def _field(reader: Reader, _form: str, value: Any, _values: Mapping[str, Any]) -> str:
    if isinstance(value, str):
        return reader.words.field(value, reader.language)
    return f"{value['of']}: {reader.words.field(value['field'], reader.language)}"


def _value(reader: Reader, form: str, value: Any, values: Mapping[str, Any]) -> str:
    return _side(reader, str(values.get(form, "")), value)


def _side(reader: Reader, name: str, value: Any) -> str:
    """One side's value of a field."""
    if isinstance(value, Mapping):
        return _money(reader, "", value, value)
    known = reader.words.fields.get(name)
    kind, shown = known.kind if known is not None else "", str(value)
    if not shown:
        return _of(_NOTHING, reader.language)
    if kind == "flag":
        return _of(_FLAGS.get(shown, (shown, shown)), reader.language)
    if kind == "number" and SHAPES["number"](shown):
        return decimal_text(shown, reader.language)
    return shown


def _record(_reader: Reader, _form: str, value: Any, _values: Mapping[str, Any]) -> str:
    return f"{value['number']} {value['name']}".strip()


def _pairs(reader: Reader, _form: str, value: Any, _values: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{_called(reader, one)}: {_side(reader, one['field'], one['severa'])} / {_side(reader, one['field'], one['erp'])}"
        for one in value
    )


def _sides(reader: Reader, _form: str, value: Any, _values: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{_called(reader, one)}: {_side(reader, one['field'], one['severa'])} (Severa), "
        f"{_side(reader, one['field'], one['erp'])} (Visma.net ERP)"
        for one in value
    )


def _called(reader: Reader, one: Mapping[str, Any]) -> str:
    """A difference's field: whose it is, its name, its rate and the row it stands on."""
    name = reader.words.field(one["field"], reader.language)
    if one.get("of"):
        name = f"{one['of']}: {name}"
    if one.get("rate"):
        name = f"{name} {decimal_text(str(one['rate']), reader.language)} %"
    if one.get("line"):
        name = f"{name} ({_of(_ROW, reader.language)} {one['line']})"
    return name


def _rates(reader: Reader, _form: str, value: Any, _values: Mapping[str, Any]) -> str:
    def text(number: str) -> str:
        return decimal_text(number, reader.language)

    return "; ".join(
        f"{text(one['rate'])} %{' (' + one['vat_id'] + ')' if one['vat_id'] else ''}: {text(one['net'])} + {text(one['vat'])}"
        for one in value
    )


def _accounts(reader: Reader, form: str, value: Any, values: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{one['account']}: {_money(reader, form, one, values)}".removeprefix(": ") for one in value
    )


def _documents(reader: Reader, form: str, value: Any, values: Mapping[str, Any]) -> str:
    def called(one: Mapping[str, Any]) -> str:
        terms = reader.words.terms
        kind = _of(terms[one["type"]], reader.language) if one["type"] in terms else one["type"]
        return f"{kind} {one['number']} ({one['status']}, {_money(reader, form, one, values)})"

    return "; ".join(called(one) for one in value)


def _several(one: Callable[[Reader, str, Any, Mapping[str, Any]], str], between: str = ", ") -> _Saying:
    return lambda reader, form, value, values: between.join(one(reader, form, each, values) for each in value)


_Saying = Callable[[Reader, str, Any, Mapping[str, Any]], str]
_SAYINGS: Mapping[str, _Saying] = {
    "text": _text,
    "count": _count,
    "number": _number,
    "day": _text,
    "money": _money,
    "term": _term,
    "field": _field,
    "value": _value,
    "record": _record,
    "records": _several(_record, "; "),
    "list": _several(_text),
    "fields": _several(_field),
    "pairs": _pairs,
    "sides": _sides,
    "rates": _rates,
    "accounts": _accounts,
    "documents": _documents,
}
