"""Values of problems and log lines: what each kind is as it is kept (JSON), how it is made, and how one is told from another.

A value is kept as what it is, never as a sentence about it: it is said in the reader's language when somebody reads it
(``domain/saying.py``), maybe years later, and a program that reads JSON finds the amount and not its spelling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from domain.money import shown

# What 0.1.0 said for a value that it did not have. No value today: a sentence has a form without it.
DASH = "–"

Json = dict[str, Any]


def money(amount: Decimal, currency: str) -> Json:
    """``{"amount": "12345.67", "currency": "SEK"}``: with the currency's decimals, or with more where those would hide some."""
    return {"amount": shown(amount, currency), "currency": str(currency)}


def record(number: str, name: str) -> Json:
    """``{"number": "10488", "name": "Ada AB"}``; what it does not have is ''."""
    return {"number": str(number), "name": name}


def pair(field: str, severa: Json | str, erp: Json | str, **more: Any) -> Json:
    """A field with both sides' values as they are compared (``domain.text.canonical``), or as ``money``. ``more``: ``line`` of a document,
    ``rate`` of a VAT, ``of``: the name of the contact or address whose field it is."""
    return {"field": field, "severa": severa, "erp": erp, **{name: one for name, one in more.items() if one}}


def _is_text(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != DASH


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    if not isinstance(value, str):
        return _is_count(value)
    try:
        return Decimal(value).is_finite()
    except InvalidOperation:
        return False


def _is_day(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_money(value: Any) -> bool:
    return _has(value, amount=_is_number, currency=_is_text)


def _is_record(value: Any) -> bool:
    return _has(value, number=_is_text, name=_is_text)


def _is_side(value: Any) -> bool:
    return _is_text(value) or _is_money(value)


def _is_pair(value: Any) -> bool:
    return _has(value, field=_is_text, severa=_is_side, erp=_is_side)


def _is_named_field(value: Any) -> bool:
    """A field by its name, or one of a contact or address: ``{"field": "email", "of": "Ada"}``."""
    return isinstance(value, str) or _has(value, field=_is_text, of=_is_text)


def _is_rate(value: Any) -> bool:
    return _has(value, rate=_is_number, vat_id=_is_text, net=_is_number, vat=_is_number)


def _is_account(value: Any) -> bool:
    return _has(value, account=_is_text) and _is_money(value)


def _is_document(value: Any) -> bool:
    return _has(value, type=_is_text, number=_is_text, status=_is_text) and _is_money(value)


def _has(value: Any, **members: Callable[[Any], bool]) -> bool:
    return isinstance(value, Mapping) and all(
        name in value and fits(value[name]) for name, fits in members.items()
    )


def _all(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list | tuple) and all(fits(one) for one in value)


SHAPES: Mapping[str, Callable[[Any], bool]] = {
    "text": _is_text,
    "count": _is_count,
    "number": _is_number,
    "day": _is_day,
    "money": _is_money,
    "term": lambda value: isinstance(value, str),
    "field": _is_named_field,
    "value": _is_text,
    "record": _is_record,
    "records": _all(_is_record),
    "list": _all(_is_text),
    "fields": _all(_is_named_field),
    "pairs": _all(_is_pair),
    "sides": _all(_is_pair),
    "rates": _all(_is_rate),
    "accounts": _all(_is_account),
    "documents": _all(_is_document),
}
"""Kind of a placeholder → whether a value has its shape:

text      a name, a number that people gave, a vendor's own words
count     a whole number, said with the noun that goes with it where its form says one: ``{times:count gång|gånger}``
number    a percentage, a rate: a decimal as text
day       a date, ISO
money     amount and currency (``money``)
term      a key of [term]
field     a key of [field]; fields: several
value     a field's value as it is compared; ``{lost:value field}`` says whose, by the placeholder that names the field
record    number and name (``record``); records: several
list      several texts
pairs     differences (``pair``), said ``Ada / Ada AB``; sides: the same, each with its system
rates     VAT per rate: rate, ERP VAT id ('' on Severa's side), net and VAT
accounts  amount per account
documents documents of the ERP with type (a term where it has one), number, status and money
"""


def is_missing(value: Any) -> bool:
    """Nothing to say: a part of a sentence that needs it is left out."""
    return value is None or (isinstance(value, str | list | tuple | dict) and not value)
