"""What a client is made of, whichever the vendor: where it calls, how that vendor talks, how it goes about its calls."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.masking import Observe
from connectors.pacing import Pacer, Purpose
from connectors.signing_in import TokenStore
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How a client goes about its calls: where its token is kept, what holds it to the vendor's budget and what it calls for, who
    is shown every call, what ends its waits, how long a call may take."""

    tokens: TokenStore
    pacer: Pacer
    purpose: Purpose = "new"
    observe: Observe | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    timeouts: Timeouts = Timeouts()
