"""Words for people: problem causes and log sentences as data, in Swedish and English, with values filled in.

Each domain package has its catalogue in ``explain.py`` (``CAUSES`` and ``SENTENCES``); ``catalogue()`` joins them.
Codes are stable: scripts and filters use them (R-LOG-3, R-INV-14).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

_FORMATTER = Formatter()


@dataclass(frozen=True, slots=True)
class Text:
    """One text in both languages; ``{name}`` is filled from the problem's or log line's values."""

    sv: str
    en: str

    def fill(self, language: str, values: Mapping[str, Any]) -> str:
        """The text with its values; a value that is missing shows as '–' rather than failing."""
        return (self.sv if language == "sv" else self.en).format_map(_Forgiving(values))

    def placeholders(self) -> set[str]:
        """The names of the values that it needs in either language."""
        parts = (*_FORMATTER.parse(self.sv), *_FORMATTER.parse(self.en))
        return {name for _, name, _, _ in parts if name}


class _Forgiving(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "–"


@dataclass(frozen=True, slots=True)
class Cause:
    """A problem's cause: what is wrong, what to do, where (page in Severa or screen id in the ERP), and whether it
    closes by itself once the source is repaired."""

    wrong: Text
    do: Text
    where: Text
    closes_by_itself: bool = True
