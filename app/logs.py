"""Structured logs: JSON lines on standard error, or short coloured ones when a person looks on."""

from __future__ import annotations

import logging
import sys

import structlog

_QUIET = ("httpx", "httpcore", "pika", "dramatiq", "uvicorn", "uvicorn.access", "asyncio", "urllib3")
# pika tells every failed attempt to connect in ten lines and a traceback; whoever connects says it in one.
_LEAST = {"pika": logging.CRITICAL, "dramatiq": logging.ERROR}


def set_up(level: str, *, human: bool | None = None) -> None:
    """``human``: None = decide by whether standard error is a terminal."""
    number = {"debug": 10, "info": 20, "warning": 30, "error": 40}[level]
    human = sys.stderr.isatty() if human is None else human
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if human else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    for name in _QUIET:
        logging.getLogger(name).setLevel(_LEAST.get(name, logging.WARNING))
