"""How a member of one system and one of the other are made comparable, and written: what the rows of a table name.

What is read is hashed, merged and kept in a base. The conversions of a module's own table take nothing but the vendor's value, so
that the hash of a record needs no tenant; one that takes a tenant's reference tables (``country``) is put in its place for a merge
only. Bases outlive the program that stored them: a reading that changes needs a ``form`` that reads the old one.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from domain.mapper import day, flag, known_factor, text
from domain.model import Json
from domain.text import canonical, code_key, cut, one_line, same_vat_number

Seen = Callable[[Any], str | None]
Written = Callable[[str, Json], Any]


class _NoCounterpart:
    """What a write answers that has nothing to say there: both sides stay as they are."""

    def __repr__(self) -> str:
        return "NO_COUNTERPART"


NO_COUNTERPART: Final = _NoCounterpart()


class Members(dict[str, Any]):
    """What a write answers that takes several members: dotted path → value, as in the body that is sent."""


def _as_it_is(value: str, _overwritten: Json) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Conversion:
    """How one field is read on both sides, compared, and written.

    name       what the pages of the mapping call it
    severa     what stands at the field's path in a body of Severa → the text that is compared and hashed; None: not shown there,
               which is 'not known' and never 'none'. ``erp`` the same of the ERP
    to_severa  text of the ERP and the body that it would overwrite → what is sent to Severa, or ``NO_COUNTERPART``;
               ``to_erp`` the other way round
    same       whether a text of Severa and one of the ERP mean the same
    form       a text that a base of an older program holds, as it would be read today
    anyway     the text that a new record has without being told: it is not sent on create
    edition    raised when a seen form changes: it is part of the mapping version (``Table.version``)
    """

    name: str
    severa: Seen = canonical
    erp: Seen = canonical
    to_severa: Written = _as_it_is
    to_erp: Written = _as_it_is
    same: Callable[[str, str], bool] = operator.eq
    form: Callable[[str], str] = canonical
    anyway: str = ""
    edition: int = 1

    def but(self, **changes: Any) -> Conversion:
        """The same with other parts, such as those that take a tenant's reference tables."""
        return replace(self, **changes)


def _same_folded(severa: str, erp: str) -> bool:
    return severa.casefold() == erp.casefold()


def _same_code(severa: str, erp: str) -> bool:
    return code_key(severa) == code_key(erp)


def _flag(*, default: bool = True, negated: bool = False) -> Seen:
    return lambda value: canonical(flag(value, default=default) is not negated)


def _filled(value: Any) -> str | None:
    return canonical(value) or None


def _is_true(value: str, _overwritten: Json) -> bool:
    return value == "true"


def _date(value: Any) -> str:
    found = day(value)
    return found.isoformat() if found is not None else ""


def _factor(value: Any) -> str:
    return canonical(known_factor(value))


def _cut_line(limit: int) -> Seen:
    return lambda value: cut(one_line(canonical(value)), limit)


TEXT = Conversion("text")
# Text whose case says nothing: e-mail addresses.
FOLDED = TEXT.but(same=_same_folded)
ONE_LINE = Conversion(
    "one line", severa=lambda v: one_line(canonical(v)), erp=lambda v: one_line(canonical(v))
)
VAT_NUMBER = Conversion("VAT number", same=same_vat_number)
# A class of the ERP that the bridge keeps per record; its case says nothing. Every record there has one: a body without it
# does not show it.
CHOICE = Conversion("choice", erp=_filled, same=_same_code, edition=2)
DATE = Conversion("date", severa=_date, erp=_date)
FLAG = Conversion("flag", severa=_flag(), erp=_flag(), to_severa=_is_true, to_erp=_is_true)
YES = FLAG.but(severa=_flag(default=False), erp=_flag(default=False))
# True here means false there; nothing said means 'no' on either side.
NEGATED = Conversion(
    "negated",
    severa=_flag(default=False),
    erp=_flag(default=False, negated=True),
    to_severa=_is_true,
    to_erp=lambda value, _overwritten: value != "true",
)


def cut_line(limit: int, path: str) -> Conversion:
    """Several lines of Severa as one of at most ``limit`` characters. A cut copy is never written back over the whole
    text, which stands at ``path`` of Severa's body."""

    def back(value: str, overwritten: Json) -> Any:
        whole = one_line(text(overwritten, path))
        return value if whole == cut(whole, limit) else NO_COUNTERPART

    return ONE_LINE.but(severa=_cut_line(limit), to_severa=back)


def active(by_status: Mapping[str, bool]) -> Conversion:
    """A boolean of Severa and a status word of the ERP; a word that ``by_status`` does not name changes nothing."""

    def seen(value: Any) -> str | None:
        known = by_status.get(canonical(value))
        return canonical(known) if known is not None else None

    def status(value: str, _overwritten: Json) -> str:
        return "Active" if value == "true" else "Inactive"

    return Conversion("active", severa=_flag(), erp=seen, to_severa=_is_true, to_erp=status, anyway="true")


# Severa has no empty price in the ERP's eyes: nothing and 0 are the same price.
_NO_PRICE = ("", "0")


def _same_price(severa: str, erp: str) -> bool:
    return severa == erp or (severa in _NO_PRICE and erp in _NO_PRICE)


PRICE = Conversion(
    "decimal",
    severa=_factor,
    erp=_factor,
    to_erp=lambda value, _overwritten: Decimal(value or 0),
    same=_same_price,
    form=_factor,
)
