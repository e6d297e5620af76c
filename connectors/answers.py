"""What an answer says: its JSON, its error text, how long to wait, and what its status means.

The meaning is decided here and nowhere else (design: "No / yes / unknown"); ``connectors.http`` adds what happens when
no answer comes at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import simplejson

from domain.errors import (
    BridgeError,
    Forbidden,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    SignInFailed,
    Stale,
    Unavailable,
)

MESSAGE_LENGTH = 300
_ANOTHER_PROCESS = re.compile(r"another process has (updated|added|deleted)", re.IGNORECASE)
_NO_LICENSE = re.compile(r"\b12027\b|no license for this company", re.IGNORECASE)
_TAGS = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)


def dumped(value: Any) -> bytes:
    """The value as JSON bytes with exact decimals. Raises TypeError for a float: it was never exact."""
    _refuse_floats(value)
    return str(simplejson.dumps(value, use_decimal=True, ensure_ascii=False)).encode("utf-8", "surrogatepass")


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("a float must not be sent; use Decimal")
    if isinstance(value, Mapping):
        for member in value.values():
            _refuse_floats(member)
    elif isinstance(value, list | tuple):
        for member in value:
            _refuse_floats(member)


def _no_special_body(_answer: httpx.Response, _message: str, _operation: str) -> BridgeError | None:
    return None


def _no_special_case(_status: int, _message: str, _operation: str) -> BridgeError | None:
    return None


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Seconds to wait by ``Retry-After`` (seconds or a date), else ``X-RateLimit-Reset`` (seconds); None = not said."""
    value = headers.get("retry-after") or headers.get("x-ratelimit-reset")
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
        except ValueError:
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        seconds = (at - (now or datetime.now(UTC))).total_seconds()
    # Nothing a vendor says makes us wait longer than a day, or not at all (NaN compares false).
    return max(0.0, min(seconds, 86_400.0)) if seconds == seconds else None  # noqa: PLR0124 - the test for NaN


def parsed(answer: httpx.Response) -> Any:
    """The answer's JSON with numbers as Decimal and int, None when the body is empty or no JSON."""
    try:
        return simplejson.loads(answer.content, use_decimal=True) if answer.content.strip() else None
    except (ValueError, RecursionError):
        return None


def message_of(answer: httpx.Response) -> str:
    """The vendor's own words in an answer, at most 300 characters; '' if it has none.

    Knows Severa's ``error.details[].message`` and the ERP's ``message | Message | ExceptionMessage |
    error_description``; everything else is the body's text without its HTML tags.
    """
    body = parsed(answer)
    if isinstance(body, Mapping):
        error = body.get("error")
        if isinstance(error, Mapping):
            details = error.get("details")
            texts = [
                str(detail["message"])
                for detail in (details if isinstance(details, list) else [])
                if isinstance(detail, Mapping) and detail.get("message")
            ]
            text = "; ".join(texts) or str(error.get("message") or error.get("type") or "")
            if text:
                return text[:MESSAGE_LENGTH]
        for name in ("message", "Message", "ExceptionMessage", "error_description", "detail", "title"):
            if isinstance(body.get(name), str) and body[name].strip():
                return str(body[name]).strip()[:MESSAGE_LENGTH]
        if isinstance(error, str) and error:
            return error[:MESSAGE_LENGTH]
    if isinstance(body, str):
        return body.strip()[:MESSAGE_LENGTH]
    return " ".join(_TAGS.sub(" ", answer.text).split())[:MESSAGE_LENGTH]


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


def failure(
    answer: httpx.Response, dialect: Dialect, operation: str, *, repeatable: bool
) -> BridgeError | None:
    """What an answer means, None = yes. ``operation`` is like ``POST /v1/customers``."""
    status = answer.status_code
    if 200 <= status < 300:
        return None
    system = dialect.system
    message = dialect.message(answer) or f"HTTP {status}"
    wait = retry_after(answer.headers)
    if status == 429:
        return RateLimited(message, retry_after=wait, system=system, status=status, operation=operation)
    special = dialect.by_body(answer, message, operation) or dialect.special(status, message, operation)
    if special is not None:
        return special
    if status == 412 or _ANOTHER_PROCESS.search(message):
        return Stale(message, system=system, status=status, operation=operation)
    if status in (400, 401, 403) and _NO_LICENSE.search(answer.text):
        return SignInFailed(message, system=system, reason="no_license", status=status)
    if status == 401:
        return SignInFailed(message, system=system, reason="refused", status=status)
    if status == 403:
        return Forbidden(message, system=system, status=status, operation=operation)
    if status == 404:
        return NotFound(message, system=system, status=status, operation=operation)
    if status in (408, 425):
        # A 'no' that only time cures: the server says that it did not take the request.
        return Unavailable(message, retry_after=wait, system=system, status=status, operation=operation)
    if 400 <= status < 500:
        return Refused(message, system=system, status=status, operation=operation)
    if repeatable:
        return Unavailable(message, retry_after=wait, system=system, status=status, operation=operation)
    return OutcomeUnknown(message, system=system, status=status, operation=operation)
