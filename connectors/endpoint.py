"""Where a vendor is reached, how it talks, and how long its calls may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.verdict import Dialect

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 60.0
CREATE_TIMEOUT = 250.0
"""Longer than the 240 s after which a create is looked up, so that a late answer is still heard."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. ``read`` and ``create`` are for a whole call, from connecting to the last byte of the answer: ``read`` for
    one that may be repeated, ``create`` for one that must not; ``connect`` is the most of it that connecting may take."""

    connect: float = CONNECT_TIMEOUT
    read: float = READ_TIMEOUT
    create: float = CREATE_TIMEOUT


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One vendor's API: ``base_url`` before every path, ``headers`` with every call of the connection."""

    base_url: str
    dialect: Dialect
    headers: Mapping[str, str] = field(default_factory=dict)
    timeouts: Timeouts = Timeouts()
