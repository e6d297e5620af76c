"""Text as both systems may write it: canonical forms to compare, organisation numbers, names, and limits."""

from __future__ import annotations

import codecs
import re
import unicodedata
from decimal import Decimal
from typing import Any

_NOT_DIGITS = re.compile(r"\D+")
_SPACE = re.compile(r"\s+")
_PREFIX = re.compile(r"^[A-Z]{2}")
# What people type between the signs of a VAT number; it is no part of it.
_BETWEEN = re.compile(r"[\s.\-\u2010-\u2015]+")
# The two letters that VAT numbers of the EU, Norway, Switzerland and Great Britain begin with.
_VAT_COUNTRIES = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CH",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "EL",
        "ES",
        "FI",
        "FR",
        "GB",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "NO",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
        "XI",
    ]
)
# What stands behind a number in Norway and Switzerland: 'registered for VAT', no part of the number.
_VAT_ENDINGS = re.compile(r"(?:MVA|MWST|TVA|IVA)$")
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
    """Both name an organisation, and the same one (R-SET-4).

    The normal form strips letters, which is right for one country's numbers in two spellings and wrong across borders:
    DK12345678 and FI12345678 are two companies, and so are ESA12345678 and ESB12345678. Where both are VAT numbers with
    their country, country and letters have to agree too.
    """
    number = organisation_number(left)
    if number == "" or number != organisation_number(right):
        return False
    ours, theirs = vat_key(left), vat_key(right)
    if ours[:2] in _VAT_COUNTRIES and theirs[:2] in _VAT_COUNTRIES:
        return _of_country(ours) == _of_country(theirs)
    return True


def _of_country(key: str) -> tuple[str, str]:
    """A VAT number's country and its letters; its digits were compared already, in their normal form."""
    rest = _VAT_ENDINGS.sub("", key[2:])
    return key[:2], "".join(sign for sign in rest if not sign.isdigit())


def vat_key(text: str | None) -> str:
    """What two VAT numbers are compared by: letters and all. Blanks, dots, dashes and case are no difference.

    Not the normal form of organisation numbers, which strips the letters: with it a customer that moved from DK12345678
    to FI12345678 had not changed.
    """
    return _BETWEEN.sub("", canonical(text)).upper()


def same_vat_number(left: str | None, right: str | None) -> bool:
    """Whether two VAT numbers of a customer are the same: letters and all (``vat_key``).

    One without any letter is an organisation number that was typed where a VAT number belongs, as Swedish users do: it is
    the same as the VAT number made from it (556677-8899 and SE556677889901, R-SET-4).
    """
    ours, theirs = vat_key(left), vat_key(right)
    if ours == theirs:
        return True
    bare = ours.isdigit() or theirs.isdigit()
    return bare and same_organisation(left, right)


def name_key(text: str | None) -> str:
    """What two names are compared by: case, inner spaces and the way letters are composed do not count.

    The only form of it: stored records carry it (``record.name_key``), and whoever looks one up asks with it. Composed
    once more at the end, because folding case takes some letters apart.
    """
    folded = _SPACE.sub(" ", canonical(text)).casefold()
    return unicodedata.normalize("NFC", folded)


def code_key(text: str | None) -> str:
    """What two codes or numbers are compared by: the ERP's keys do not tell case apart (R-PRD-2)."""
    return name_key(text)


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


def decoded(content: bytes) -> str:
    """What a person's editor has written, with or without a byte order mark. Raises ValueError naming what is no UTF-8."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content[:4]:
        raise ValueError("is UTF-16, as some editors and shells of Windows write it")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"is not UTF-8 (line {line})") from error
