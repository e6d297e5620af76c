"""Text as both systems may write it: canonical forms to compare, organisation numbers, names, and limits."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

_NOT_DIGITS = re.compile(r"\D+")
_SPACE = re.compile(r"\s+")
_PREFIX = re.compile(r"^[A-Z]{2}")
_CENTURIES = ("16", "18", "19", "20")
ELLIPSIS = "…"
# Line breaks of old word processors, and what no column and no ERP takes: other control characters.
_BREAKS = re.compile("[\x0b\x0c\x85]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")


def clean(value: str) -> str:
    """Text as it is stored, looked up, compared and sent: without NUL and other control characters (tabs and line breaks
    stay), a lone surrogate as '?'. One rule for all four, or a record is stored under one text and looked for under
    another."""
    plain = _CONTROL.sub("", _BREAKS.sub("\n", value))
    return plain.encode("utf-8", "replace").decode("utf-8")


def canonical(value: Any) -> str:
    """A vendor's scalar as the string that is compared and hashed.

    None → '', booleans → 'true'/'false', numbers without trailing zeros, text clean, stripped, composed (NFC) and with
    plain line ends. Raises TypeError for floats (money must never have been one) and for objects.
    """
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            return number_text(value)
        case str():
            return (
                unicodedata.normalize("NFC", clean(value)).replace("\r\n", "\n").replace("\r", "\n").strip()
            )
        case _:
            raise TypeError(f"no canonical text for {type(value).__name__}")


def number_text(value: Decimal) -> str:
    """A number without trailing zeros and without an exponent: 1200.50 → '1200.5', 0E-4 → '0'."""
    if value == 0:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def organisation_number(text: str | None) -> str:
    """An organisation or VAT number in the form that is compared (R-SET-4), '' if it holds no digit.

    Letters, spaces and dashes go. SE…01 → the ten digits; twelve digits without prefix: a century (16, 18, 19, 20)
    goes, else a closing 01 goes; NO…MVA and FI-dash forms become their digits; ten digits stay.
    """
    typed = _SPACE.sub("", text or "").upper()
    digits = _NOT_DIGITS.sub("", typed)
    if len(digits) != 12:
        return digits
    prefix = _PREFIX.match(typed)
    if prefix is not None:
        return digits[:-2] if prefix.group() == "SE" else digits
    if digits.startswith(_CENTURIES):
        return digits[2:]
    return digits[:-2] if digits.endswith("01") else digits


def same_organisation(left: str | None, right: str | None) -> bool:
    """Both name an organisation, and the same one."""
    number = organisation_number(left)
    return number != "" and number == organisation_number(right)


def vat_key(text: str | None) -> str:
    """What two VAT numbers are compared by: the normalised number, or the text itself where it has no digits."""
    return organisation_number(text) or canonical(text).casefold()


def name_key(text: str | None) -> str:
    """What two names are compared by: case, inner spaces and the way letters are composed do not count."""
    return _SPACE.sub(" ", canonical(text)).casefold()


def same_name(left: str | None, right: str | None) -> bool:
    """Two names that people would call the same; an empty name is nobody's."""
    key = name_key(left)
    return key != "" and key == name_key(right)


def cut(text: str, limit: int) -> str:
    """At most ``limit`` characters; what is left out shows as '…'. Raises ValueError for a limit under 1."""
    if limit < 1:
        raise ValueError("a limit of less than one character cuts everything")
    if len(text) <= limit:
        return text
    return text[: limit - 1].rstrip() + ELLIPSIS


def one_line(text: str | None) -> str:
    """Several lines folded to one, parts parted by one space."""
    return _SPACE.sub(" ", canonical(text)).strip()


def lines(text: str | None) -> list[str]:
    """The lines of a text that hold something, each stripped."""
    return [line.strip() for line in canonical(text).split("\n") if line.strip()]
