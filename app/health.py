"""A sign of life: the health file is touched while the loops turn, and a container's health check looks at its age."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from domain import clock

BEAT_SECONDS = 5.0


def heart(path: Path | None) -> Callable[[], None]:
    """A function that touches the file at most every few seconds; does nothing without a file."""
    last = float("-inf")

    def beat() -> None:
        nonlocal last
        if path is None or clock.monotonic() - last < BEAT_SECONDS:
            return
        last = clock.monotonic()
        path.touch()

    return beat
