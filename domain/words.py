"""What people read, as data: ``words.toml`` of each domain package and of the set-up, read and checked once, at import.

Sections of a file; a text is ``{ sv = "…", en = "…" }``:

    [cause."product.gone"]   what is wrong (``wrong``), what to do (``do``: a text, or a key of [shared]), where (``where``: keys of
                             [place]), what a person can do here (``actions``), and ``closes_by_itself = false`` where it does not
    [log]                    code → sentence of the transfer log
    [term]                   words that values name by their keys: a register, a role, a kind of document
    [field]                  fields by the names of the mapping tables; ``kind`` says how their values are said
    [place]                  where things are: a page of Severa, a screen of Visma.net ERP
    [shared]                 what several causes say
    [text]                   words that enter documents, file names, CSV

What a file does not have is looked for in the set-up's. A file that is wrong ends the program at its start, with the file and the
place in it: a text is part of the program.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from types import MappingProxyType
from typing import Any, NoReturn

from domain.explain import ACTIONS, Cause, Placeholder, Text, pieces
from domain.saying import FIELD_KINDS, FieldName, Vocabulary
from domain.values import SHAPES

# The set-up first: it has what the others share. A test holds them equal to the domains.
PACKAGES = ("setup", "customer", "product", "project", "invoice", "payment", "cost")
SECTIONS = frozenset({"cause", "log", "term", "field", "place", "shared", "text"})
_CAUSE = frozenset({"wrong", "do", "where", "actions", "closes_by_itself"})


class WordsError(Exception):
    """A words.toml is not as it must be."""


@dataclass(frozen=True, slots=True)
class Words:
    """One file. ``vocabulary``, ``places`` and ``shared`` include the set-up's."""

    causes: Mapping[str, Cause] = field(default_factory=dict)
    log: Mapping[str, Text] = field(default_factory=dict)
    texts: Mapping[str, Text] = field(default_factory=dict)
    places: Mapping[str, Text] = field(default_factory=dict)
    shared: Mapping[str, Text] = field(default_factory=dict)
    vocabulary: Vocabulary = field(default_factory=Vocabulary)

    def text(self, key: str, language: str, **values: Any) -> str:
        """Words that enter a document, a file name or a CSV, in a language; raises KeyError for a key that is not there."""
        return self.texts[key].fill(language, values)


def parse(package: str, toml: str, common: Words | None = None) -> Words:
    """The words of one file. ``common``: those of the set-up. Raises WordsError, naming file and place."""
    reading = _Reading(package, common or Words())
    try:
        told = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        reading.refuse("", str(error))
    return reading.words(told)


@dataclass(frozen=True, slots=True)
class _Reading:
    package: str
    common: Words

    def refuse(self, place: str, why: str) -> NoReturn:
        raise WordsError(f"domain/{self.package}/words.toml{f', {place}' if place else ''}: {why}")

    def words(self, told: Mapping[str, Any]) -> Words:
        if unknown := told.keys() - SECTIONS:
            self.refuse("", f"there is no section {', '.join(sorted(unknown))}")
        vocabulary = Vocabulary(
            terms={**self.common.vocabulary.terms, **self._terms(told.get("term", {}))},
            fields={**self.common.vocabulary.fields, **self._fields(told.get("field", {}))},
        )

        def texts(section: str) -> dict[str, Text]:
            return {
                key: self._text(f"{section}.{key}", one, vocabulary)
                for key, one in told.get(section, {}).items()
            }

        known = Words(
            places={**self.common.places, **texts("place")},
            shared={**self.common.shared, **texts("shared")},
            texts={**self.common.texts, **texts("text")},
            vocabulary=vocabulary,
        )
        log = {self._code(f"log.{code}", code): one for code, one in texts("log").items()}
        causes = {
            self._code(f"cause.{code}", code): self._cause(f"cause.{code}", one, known)
            for code, one in told.get("cause", {}).items()
        }
        if twice := log.keys() & causes.keys():
            self.refuse("", f"{', '.join(sorted(twice))} stands in [cause] and in [log]")
        return replace(known, log=log, causes=causes)

    def _code(self, place: str, code: str) -> str:
        domain, dot, name = code.partition(".")
        ours = domain not in PACKAGES if self.package == "setup" else domain == self.package
        if not (ours and dot and name.replace("_", "a").isalnum()):
            self.refuse(place, "this code belongs to another file")
        return code

    def _terms(self, told: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
        return {key: self._pair(f"term.{key}", one) for key, one in told.items()}

    def _fields(self, told: Mapping[str, Any]) -> dict[str, FieldName]:
        found = {}
        for name, one in told.items():
            kind = one.get("kind", "") if isinstance(one, Mapping) else ""
            if kind not in FIELD_KINDS:
                self.refuse(f"field.{name}", f"there is no kind '{kind}' of a field")
            words = {key: value for key, value in one.items() if key != "kind"} if kind else one
            found[name] = FieldName(*self._pair(f"field.{name}", words), kind)
        return found

    def _pair(self, place: str, told: Any) -> tuple[str, str]:
        if not isinstance(told, Mapping) or told.keys() != {"sv", "en"}:
            self.refuse(place, "sv and en, and nothing else, are wanted")
        for language, text in told.items():
            if not isinstance(text, str) or not text.strip():
                self.refuse(f"{place}.{language}", "there is no text")
        return told["sv"], told["en"]

    def _text(self, place: str, told: Any, words: Vocabulary) -> Text:
        text = Text(*self._pair(place, told), words)
        swedish, english = (self._placeholders(place, template) for template in (text.sv, text.en))
        if swedish != english:
            odd = sorted({f"{{{one.name}:{one.kind}}}" for one in swedish ^ english})
            self.refuse(place, f"the languages do not say the same values: {', '.join(odd)}")
        return text

    def _placeholders(self, place: str, template: str) -> set[Placeholder]:
        found = set()
        for needed, part in pieces(template):
            for piece in part:
                if isinstance(piece, Placeholder):
                    found.add(self._placeholder(place, piece))
                elif any(mark in piece for mark in "{}[]"):
                    self.refuse(
                        place, f"a placeholder or a part is not closed, or not as it must be: {piece.strip()}"
                    )
            if not needed and not any(isinstance(piece, Placeholder) for piece in part):
                self.refuse(place, "a part that may be left out has no value that it depends on")
        names = {one.name for one in found}
        if lost := [one.form for one in found if one.kind == "value" and one.form not in names]:
            self.refuse(place, f"a value's field is named by no placeholder: {', '.join(lost)}")
        return found

    def _placeholder(self, place: str, one: Placeholder) -> Placeholder:
        """It as both languages must have it: the nouns of a count are the language's own."""
        if one.kind not in SHAPES:
            self.refuse(place, f"there is no kind '{one.kind}' (of {{{one.name}}})")
        wrong = {
            "count": bool(one.form) and len([noun for noun in one.form.split("|") if noun]) != 2,
            "value": not one.form,
        }
        if wrong.get(one.kind, bool(one.form)):
            self.refuse(place, f"'{one.form}' says nothing to the kind {one.kind} (of {{{one.name}}})")
        return replace(one, form="") if one.kind == "count" else one

    def _cause(self, place: str, told: Any, known: Words) -> Cause:
        if not isinstance(told, Mapping) or not {"wrong", "do", "where"} <= told.keys() <= _CAUSE:
            self.refuse(place, "wrong, do and where are wanted, and may be actions and closes_by_itself")
        do = told["do"]
        actions = tuple(told.get("actions", ()))
        if unknown := [one for one in actions if one not in ACTIONS]:
            self.refuse(place, f"there is no action {', '.join(unknown)}")
        closes = told.get("closes_by_itself", True)
        if not isinstance(closes, bool):
            self.refuse(place, "closes_by_itself is true or false")
        return Cause(
            wrong=self._text(f"{place}.wrong", told["wrong"], known.vocabulary),
            do=self._named(place, do, "shared", known.shared)
            if isinstance(do, str)
            else self._text(f"{place}.do", do, known.vocabulary),
            where=self._where(place, told["where"], known),
            closes_by_itself=closes,
            actions=actions,
        )

    def _named(self, place: str, key: Any, section: str, texts: Mapping[str, Text]) -> Text:
        if not isinstance(key, str) or key not in texts:
            self.refuse(place, f"there is no [{section}] {key}")
        return texts[key]

    def _where(self, place: str, told: Any, known: Words) -> Text:
        """One place, or several one behind the other."""
        keys = told if isinstance(told, list) else [told]
        found = [self._named(place, key, "place", known.places) for key in keys]
        return Text(" ".join(one.sv for one in found), " ".join(one.en for one in found), known.vocabulary)


def _read() -> Iterator[tuple[str, Words]]:
    common = Words()
    codes: dict[str, str] = {}
    for package in PACKAGES:
        file = resources.files(f"domain.{package}").joinpath("words.toml")
        if not file.is_file():
            continue
        words = parse(package, file.read_text(encoding="utf-8"), common)
        for code in (*words.causes, *words.log):
            if code in codes:
                raise WordsError(f"domain/{package}/words.toml: {code} stands in {codes[code]}'s file too")
            codes[code] = package
        if package == "setup":
            common = replace(words, causes={}, log={})
        yield package, words


WORDS: Mapping[str, Words] = MappingProxyType(dict(_read()))
"""Package → its words."""

CAUSES: Mapping[str, Cause] = MappingProxyType(
    {code: cause for words in WORDS.values() for code, cause in words.causes.items()}
)
"""Problem code → what is wrong, what to do, where."""

SENTENCES: Mapping[str, Text] = MappingProxyType(
    {code: text for words in WORDS.values() for code, text in words.log.items()}
)
"""Log code → sentence, of what is no problem."""
