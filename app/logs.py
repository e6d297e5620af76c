"""Structured logs: JSON lines on standard error or in a file, or short coloured ones when a person looks on."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import IO, Any, TextIO, cast

import structlog

_QUIET = ("httpx", "httpcore", "pika", "dramatiq", "uvicorn", "uvicorn.access", "asyncio", "urllib3")
# pika tells every failed attempt to connect in ten lines and a traceback; whoever connects says it in one.
_LEAST = {"pika": logging.CRITICAL, "dramatiq": logging.ERROR}


_NUMBERS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


def set_up(
    level: str,
    *,
    human: bool | None = None,
    file: IO[str] | None = None,
    hears: structlog.typing.Processor | None = None,
) -> None:
    """``human``: None = decide by whether standard error is a terminal. ``file``: instead of standard error. ``hears`` is given
    every line from ``info`` on, whatever the ``level`` of those that are written."""
    number = _NUMBERS[level]
    human = sys.stderr.isatty() if human is None else human
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if human else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if hears is None else [hears, _from(number)]),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            number if hears is None else min(number, logging.INFO)
        ),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO | None", file) or sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    for name in _QUIET:
        logging.getLogger(name).setLevel(_LEAST.get(name, logging.WARNING))


def _from(number: int) -> structlog.typing.Processor:
    """Lets lines of this level and above through."""

    def drop(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if _NUMBERS.get(str(event.get("level")), number) < number:
            raise structlog.DropEvent
        return event

    return drop
