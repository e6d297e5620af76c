"""What a person reads of a problem that a test has met."""

from __future__ import annotations

from domain.errors import Stop
from domain.words import CAUSES


def wrong(stop: Stop, language: str = "sv") -> str:
    """What is wrong, in a language."""
    return CAUSES[stop.code].wrong.fill(language, stop.values)
