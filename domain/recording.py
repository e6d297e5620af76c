"""The border where problems and log lines are recorded: whether what is said fits the words that will say it.

Each ``Stop`` and each ``LogLine`` passes here when it is made, and what is opened without one passes by ``recorded``. A value that is
missing or of another kind is a defect of the bridge, but no reason to lose the problem that it explains: tests are strict,
production counts, and the line is said with what there is (``domain/saying.py``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeVar

from domain.explain import faults
from domain.words import CAUSES, SENTENCES, WORDS

Values = TypeVar("Values", bound=Mapping[str, Any])

# What the row of a problem or a log line has itself: the record's number and name, its system, the problem's own number.
GIVEN = frozenset({"number", "name", "system", "problem"})

# What the set-up's causes say of a field is named as the record's domain names it.
_ALL_FIELDS = frozenset(name for words in WORDS.values() for name in words.vocabulary.fields)

COUNTED: Counter[str] = Counter()
"""Code → how often it was recorded with values that do not fit, in this process."""


class WordsDoNotFit(Exception):
    """What is recorded cannot be said as it is meant."""


class _Border:
    strict = False


def be_strict() -> None:
    """For tests: what does not fit is raised, not counted."""
    _Border.strict = True


def misfits(code: str, values: Mapping[str, Any]) -> list[str]:
    """What keeps a code's texts from being said with these values; nothing for a code without words."""
    cause, sentence = CAUSES.get(code), SENTENCES.get(code)
    texts = cause.texts() if cause is not None else (sentence,) if sentence is not None else ()
    fields = _ALL_FIELDS if code in WORDS["setup"].causes else None
    return [fault for text in texts for fault in faults(text, values, GIVEN, fields)]


def counted() -> dict[str, int]:
    """Code → how often, since this was asked last; for whoever tells the people who run the bridge."""
    found = dict(COUNTED)
    for code, times in found.items():
        COUNTED[code] -= times
    return {code: times for code, times in found.items() if times}


def recorded(code: str, values: Values) -> Values:
    """The values as they come, once it is known whether they fit. Raises WordsDoNotFit in tests only."""
    found = misfits(code, values)
    if found and _Border.strict:
        raise WordsDoNotFit(f"{code}: {'; '.join(found)}")
    if found:
        COUNTED[code] += 1
    return values
