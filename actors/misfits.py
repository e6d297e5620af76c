"""Tells those who run the bridge which texts could not be said as they are meant: a defect that no user should have to report."""

from __future__ import annotations

import structlog

from domain import recording

logger = structlog.get_logger("words")


def say_misfits() -> None:
    """One line per code that was recorded with values that do not fit its words since this was asked last (``domain.recording``)."""
    for code, times in recording.counted().items():
        logger.error("words_do_not_fit", code=code, times=times)
