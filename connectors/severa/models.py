"""The parts of Severa's answers that the connector itself reads: the token, errors, and points in time.

Everything else is handed on as it came.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

ZONELESS = UTC
"""Open question: the zone of a time that is written without one. The document does not say; UTC is the likeliest."""

_SCOPE_SEPARATOR = re.compile(r"[\s,]+")
_DEFAULT_LIFETIME = 3600
_LONGEST_LIFETIME = 366 * 86_400
"""Seconds. A token that is said to live longer was not made by Severa: its own live an hour (docs/vendors/severa.md S2)."""


class TokenAnswer(BaseModel):
    """Answer of ``POST /v1/token``. The member names are Severa's own, not OAuth's; those are accepted as well."""

    model_config = ConfigDict(extra="ignore")

    access_token: str = Field(pattern=r"^[!-~]+$", max_length=20_000)
    expires_in: int | None = Field(default=None, ge=0, le=_LONGEST_LIFETIME)
    expires_utc: str | None = None
    scope: frozenset[str] = frozenset()
    refresh_token: str | None = None

    @field_validator("scope", mode="before")
    @classmethod
    def _split(cls, value: object) -> frozenset[str]:
        if value is not None and not isinstance(value, str | list | tuple | set | frozenset):
            raise ValueError("a scope is text or a list")
        parts = _SCOPE_SEPARATOR.split(value) if isinstance(value, str) else value or ()
        return frozenset(str(part).strip().lower() for part in parts if str(part).strip())

    def expires_at(self, now: datetime) -> datetime:
        """The end of the token's life by our own clock: the seconds it still lives, else the time it names, else an hour."""
        if self.expires_in is not None:
            return now + timedelta(seconds=self.expires_in)
        return parse_time(self.expires_utc) or now + timedelta(seconds=_DEFAULT_LIFETIME)


def token_answer(body: object) -> TokenAnswer | None:
    """The token answer, its member names in any letter case; None when it is none."""
    if not isinstance(body, Mapping):
        return None
    members = {str(name).lower(): value for name, value in body.items()}
    try:
        return TokenAnswer(
            access_token=members.get("access_token") or "",
            expires_in=members.get("access_token_expires_in", members.get("expires_in")),
            expires_utc=members.get("access_token_expires_utc"),
            scope=members.get("scope") or frozenset(),
            refresh_token=members.get("refresh_token"),
        )
    except ValidationError:
        return None


class ErrorDetail(BaseModel):
    """One message of an error answer."""

    model_config = ConfigDict(extra="ignore")

    message: str | None = None


class ErrorBody(BaseModel):
    """``error`` of an error answer: ``type`` is one of the document's words (InvalidParameter, InsufficientApiScope …)."""

    model_config = ConfigDict(extra="ignore")

    type: str | None = None
    details: list[ErrorDetail] | None = None


def error_body(body: object) -> ErrorBody | None:
    """The error of an answer, None when the answer has no such shape (a 429 is plain text)."""
    if not isinstance(body, Mapping) or not isinstance(body.get("error"), Mapping):
        return None
    try:
        return ErrorBody.model_validate(body["error"])
    except ValidationError:
        return None


def parse_time(text: object) -> datetime | None:
    """A time of the wire (0 to 7 fraction digits, with or without zone) as an aware datetime in UTC; None if it is none."""
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    try:
        return (time if time.tzinfo else time.replace(tzinfo=ZONELESS)).astimezone(UTC)
    except OverflowError:
        # The first or last day there is, in a zone that leads beyond it.
        return time.replace(tzinfo=UTC)


def format_time(time: datetime) -> str:
    """An aware datetime as it goes into a query: ISO 8601 in UTC with Z, milliseconds rounded down."""
    if time.tzinfo is None:
        raise ValueError("a time must carry a zone")
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def server_time(date: str | None) -> datetime | None:
    """The ``Date`` header of an answer, in UTC."""
    if not date:
        return None
    try:
        time = parsedate_to_datetime(date)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def changed_at(row: Mapping[str, object]) -> datetime | None:
    """When a row was last changed: the later of created and updated, None when it shows neither."""
    times = [
        parse_time(row.get(name)) for name in ("createdDateTime", "lastUpdatedDateTime", "deletedDateTime")
    ]
    return max((time for time in times if time is not None), default=None)
