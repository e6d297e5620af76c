"""The verdict on a call by its answer's status and words: yes, no or unknown, and how long to wait.

The meaning is decided here and nowhere else; ``connectors.http`` adds what happens when
no answer comes at all.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from connectors.answers import message_of, text_of
from domain import clock
from domain.errors import (
    BridgeError,
    Forbidden,
    NotFound,
    NotKnown,
    OutcomeUnknown,
    RateLimited,
    Refused,
    SignInFailed,
    Stale,
    Unavailable,
)

LONGEST_WAIT = 3_600.0
"""Nothing a vendor says makes a tenant stand still for longer (seconds); asking again after an hour harms nobody. It is
also the length of the ERP's window."""
SHORTEST_LIMITED = 1.0
"""After a 429 nobody calls at once, whatever it says."""

_ANOTHER_PROCESS = re.compile(r"another process has (updated|added|deleted)", re.IGNORECASE)
_NO_LICENSE = re.compile(r"\b12027\b|no license for this company", re.IGNORECASE)


def _no_special_body(_answer: httpx.Response, _message: str, _operation: str) -> BridgeError | None:
    return None


def _no_special_case(_status: int, _message: str, _operation: str) -> BridgeError | None:
    return None


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one vendor talks: its name, where its error texts stand, and refusals that mean something special.

    For every answer that is neither 2xx nor 429 ``by_body(answer, message, operation)`` is asked first, then
    ``special(status, message, operation)``; None = the usual meaning.
    """

    system: str
    message: Callable[[httpx.Response], str] = message_of
    special: Callable[[int, str, str], BridgeError | None] = _no_special_case
    by_body: Callable[[httpx.Response, str, str], BridgeError | None] = _no_special_body


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Seconds to wait by ``Retry-After`` (seconds or a date), 0 … 3,600; None = nothing usable is said."""
    value = headers.get("retry-after") or ""
    try:
        seconds = float(value)
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
            seconds = (at - (now or clock.wall())).total_seconds()
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return max(0.0, min(seconds, LONGEST_WAIT)) if math.isfinite(seconds) else None


def limited_for(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait after a 429, 1 … 3,600; None = not said.

    ``X-RateLimit-Reset`` is the end of the window, which stands on *every* answer. It is the time to wait only when the
    window's budget is used up (the window is fixed: before its end nothing is admitted, whatever Retry-After hopes for), or
    when a 429 says nothing else.
    """
    said = retry_after(headers)
    remaining = number(headers, "x-ratelimit-remaining")
    reset = number(headers, "x-ratelimit-reset")
    if reset is not None and (remaining == 0 or (remaining is None and said is None)):
        said = max(said or 0.0, float(reset))
    return None if said is None else max(SHORTEST_LIMITED, min(said, LONGEST_WAIT))


def number(headers: Mapping[str, str], name: str) -> int | None:
    """A header that counts something; None when it is missing, negative or no number."""
    try:
        value = int(float(headers[name]))
    except (KeyError, ValueError, OverflowError):
        return None
    return value if value >= 0 else None


def failure(
    answer: httpx.Response, dialect: Dialect, operation: str, *, repeatable: bool
) -> BridgeError | None:
    """What an answer means, None = yes. ``operation`` is like ``POST /v1/customers``."""
    status = answer.status_code
    if 200 <= status < 300:
        return None
    message = dialect.message(answer) or f"HTTP {status}"
    if status == 429:
        kind: Callable[..., BridgeError] = functools.partial(
            RateLimited, retry_after=limited_for(answer.headers), costs_attempt=True
        )
    elif special := dialect.by_body(answer, message, operation) or dialect.special(
        status, message, operation
    ):
        if repeatable or not isinstance(special, NotKnown):
            return special
        kind = OutcomeUnknown
    elif status == 412 or _ANOTHER_PROCESS.search(message):
        kind = Stale
    elif 400 <= status < 500:
        return _refusal(answer, message, system=dialect.system, status=status, operation=operation)
    elif repeatable:
        kind = functools.partial(Unavailable, retry_after=retry_after(answer.headers))
    else:
        kind = OutcomeUnknown
    return kind(message, system=dialect.system, status=status, operation=operation)


def _refusal(
    answer: httpx.Response, message: str, *, system: str, status: int, operation: str
) -> BridgeError:
    if status in (400, 401, 403) and _NO_LICENSE.search(text_of(answer)):
        return SignInFailed(message, system=system, reason="no_license", status=status)
    if status == 401:
        return SignInFailed(message, system=system, reason="refused", status=status)
    if status in (408, 425):
        # A 'no' that only time cures: the server says that it did not take the request.
        wait = retry_after(answer.headers)
        return Unavailable(message, retry_after=wait, system=system, status=status, operation=operation)
    kind = {403: Forbidden, 404: NotFound}.get(status, Refused)
    return kind(message, system=system, status=status, operation=operation)
