"""Names of files as both systems keep them: one rule for sending them, keeping them apart and finding them again.

What a vendor changes on the way cannot be found again, and a file that is not found is sent twice. A quote arrives as
%22 (multipart), what stands before a slash may be cut off as a folder, a name that differs only in case or in the way
its letters are composed is another name here and the same one there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from domain.text import name_key

# Open question: how long names may be. Far below what file systems take (255 bytes), also in letters of two bytes.
LIMIT = 120
# What is kept of a name behind its last dot when the name is cut.
_EXTENSION = 12
_QUOTES = re.compile('["\u201c\u201d\u201e`]')
# Parts of a path, and signs that file systems and headers give a meaning of their own.
_SIGNS = re.compile(r"[\\/:*?<>|]+")
_DOTS = re.compile(r"\.{2,}")
_SPACE = re.compile(r"\s+")
# How signs came back that were sent as they are before this rule.
_QUOTED = {"%22": '"', "%0A": " ", "%0D": " ", "%2F": "/", "%5C": "\\"}
_NAMELESS = "file"


def file_name(name: str | None) -> str:
    """A name that both systems keep as it is sent: composed letters, no quotes, no folders, no control characters, no
    leading dots, at most ``LIMIT`` characters with its extension kept; 'file' for a name of which nothing is left."""
    # Blanks of every kind first: line ends are control characters, and words must not grow together.
    text = _SPACE.sub(" ", name or "")
    text = "".join(sign for sign in text if not unicodedata.category(sign).startswith("C"))
    # Composed last: what stood between a letter and its accent is gone now.
    text = unicodedata.normalize("NFC", _SPACE.sub(" ", text))
    text = _SIGNS.sub("-", _QUOTES.sub("'", text))
    text = _DOTS.sub(".", text).strip(" .")
    return _cut(*_parts(text or _NAMELESS))


def file_key(name: str | None) -> str:
    """What two names of files are compared by, also one that came back in a vendor's spelling."""
    text = name or ""
    for code, sign in _QUOTED.items():
        text = text.replace(code, sign).replace(code.lower(), sign)
    return name_key(file_name(text))


def apart(names: Iterable[str]) -> list[str]:
    """The names to send for the files of one document, in their order: normalised, and no two the same.

    A second file of one name would become a revision of the first. The same names in the same order give the same
    result, and a file that is added at the end changes no other name.
    """
    taken: set[str] = set()
    found = []
    for name in names:
        stem, extension = _parts(file_name(name))
        chosen, number = _cut(stem, extension), 2
        while file_key(chosen) in taken:
            chosen, number = _cut(stem, extension, f" ({number})"), number + 1
        taken.add(file_key(chosen))
        found.append(chosen)
    return found


def _parts(name: str) -> tuple[str, str]:
    """Stem and extension with its dot; a long last part is no extension."""
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem or len(extension) > _EXTENSION or not extension.isalnum():
        return name, ""
    return stem, f".{extension}"


def _cut(stem: str, extension: str, mark: str = "") -> str:
    return stem[: LIMIT - len(extension) - len(mark)].rstrip(" .") + mark + extension
