"""Texts for people: a sentence in Swedish and English with typed placeholders, and a problem's cause.

A template says a value by ``{name}`` or ``{name:kind}`` (``domain.values.SHAPES``); what stands in ``[…]`` is said only when every value
in it is there. Codes are stable: scripts and filters use them (R-LOG-3, R-INV-14).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from domain.saying import Reader, Vocabulary, said
from domain.values import SHAPES, is_missing

# What a person can do about a cause. The web draws a button, the command line prints a command.
ACTIONS = (
    "retry",
    "release",
    "resume_domain",
    "sign_in",
    "map_unit",
    "map_branch",
    "choose_class",
    "relink",
    "decide_doubt",
    "done_elsewhere",
    "open_source",
    "open_target",
)
# Kinds that name fields of the mapping tables.
FIELD_KINDS = frozenset({"field", "fields", "pairs", "sides"})
_PART = re.compile(r"\[([^\[\]]*)\]")
_PLACEHOLDER = re.compile(r"\{([a-z_0-9]+)(?::([a-z]+)(?: ([^{}]*))?)?\}")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A value of a template. ``form``: what its kind is told beside it; ``needed``: not in a part that may be left out."""

    name: str
    kind: str = "text"
    form: str = ""
    needed: bool = True


Piece = str | Placeholder


@cache
def pieces(template: str) -> tuple[tuple[bool, tuple[Piece, ...]], ...]:
    """A template's parts, each with whether it is always said, and its literals and placeholders in order."""
    parts = []
    for number, text in enumerate(_PART.split(template)):
        needed = number % 2 == 0
        parts.append((needed, tuple(_pieces(text, needed=needed))))
    return tuple(parts)


def _pieces(text: str, *, needed: bool) -> Iterator[Piece]:
    at = 0
    for found in _PLACEHOLDER.finditer(text):
        yield text[at : found.start()]
        yield Placeholder(found[1], found[2] or "text", found[3] or "", needed)
        at = found.end()
    yield text[at:]


@dataclass(frozen=True, slots=True)
class Text:
    """One text in both languages; its values are the problem's or log line's. ``words``: the domain's terms and fields."""

    sv: str
    en: str
    words: Vocabulary = field(default_factory=Vocabulary, compare=False, repr=False)

    def fill(self, language: str, values: Mapping[str, Any], words: Vocabulary | None = None) -> str:
        """The text with its values as the reader says them. It never fails: a value that an older version kept in another form is
        said as it stands. ``words``: of the record's domain, for a text of the set-up."""
        reader = Reader(language, words or self.words)
        return "".join(
            piece if isinstance(piece, str) else said(reader, piece.name, piece.kind, piece.form, values)
            for needed, part in pieces(self.sv if language == "sv" else self.en)
            if needed
            or not any(isinstance(one, Placeholder) and is_missing(values.get(one.name)) for one in part)
            for piece in part
        )

    def typed(self) -> tuple[Placeholder, ...]:
        """Its placeholders, of both languages."""
        return tuple(
            dict.fromkeys(
                piece
                for template in (self.sv, self.en)
                for _, part in pieces(template)
                for piece in part
                if isinstance(piece, Placeholder)
            )
        )

    def placeholders(self) -> set[str]:
        """The names of the values that it cannot do without."""
        return {one.name for one in self.typed() if one.needed}


@dataclass(frozen=True, slots=True)
class Cause:
    """A problem's cause: what is wrong, what to do, where (page in Severa or screen id in the ERP), whether it closes by itself
    once the source is repaired, and what a person can do here (``ACTIONS``)."""

    wrong: Text
    do: Text
    where: Text
    closes_by_itself: bool = True
    actions: tuple[str, ...] = ()

    def texts(self) -> tuple[Text, Text, Text]:
        """All that it says."""
        return self.wrong, self.do, self.where


def _fields(value: Any) -> list[str]:
    """The names of fields in a value of one of ``FIELD_KINDS``."""
    several = value if isinstance(value, list | tuple) else [value]
    return [one["field"] if isinstance(one, Mapping) else str(one) for one in several if one]


def faults(
    text: Text, values: Mapping[str, Any], given: Collection[str] = (), fields: Collection[str] | None = None
) -> list[str]:
    """What keeps a text from being said as it is meant: a value that is missing, or not of its placeholder's kind. ``given``: values
    that the row itself has; ``fields``: the names of fields that have words, None = those of the text's own domain."""
    known = text.words.fields if fields is None else fields
    found = []
    for one in text.typed():
        value = values.get(one.name)
        if is_missing(value) and one.name not in values:
            if one.needed and one.name not in given:
                found.append(f"{one.name} is missing")
        elif value is None or not (is_missing(value) or SHAPES[one.kind](value)):
            found.append(f"{one.name} is no {one.kind}: {value!r}")
        elif one.kind == "term" and value and value not in text.words.terms:
            found.append(f"{one.name} is no term: {value!r}")
        elif one.kind in FIELD_KINDS and (lost := [name for name in _fields(value) if name not in known]):
            found.append(f"{one.name} names fields without words: {', '.join(lost)}")
    return found
