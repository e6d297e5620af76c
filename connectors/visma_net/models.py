"""The parts of the wire that the connector itself reads: token answer, metadata, action result, background state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class TokenAnswer(_Wire):
    """Answer of the token endpoint. ``expires_in`` in seconds; ``refresh_token`` only with interactive sign-in."""

    access_token: str = Field(min_length=1)
    expires_in: int = 3600
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme, no secret
    scope: str = ""
    refresh_token: str | None = None


class BackgroundState(_Wire):
    """Where a call that was accepted for the background stands; ``statusCode`` is 0 until it is finished."""

    status: str = ""
    statusCode: int | None = None  # noqa: N815 - the vendor's name
    errorMessage: str | None = None  # noqa: N815 - the vendor's name
    responseHeaders: dict[str, Any] | list[Any] | None = None  # noqa: N815 - the vendor's name


@dataclass(frozen=True, slots=True)
class Count:
    """What a list says of its length: all rows, and how many a page may have at most. None = not said."""

    total: int | None = None
    per_page: int | None = None

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Count:
        """From the ``metadata`` of a row. Zeros stand in nested objects and mean nothing."""
        metadata = row.get("metadata")
        if not isinstance(metadata, Mapping):
            return cls()
        return cls(_positive(metadata.get("totalCount")), _positive(metadata.get("maxPageSize")))

    @classmethod
    def of_envelope(cls, body: Mapping[str, Any]) -> Count:
        """From ``{pageNumber, pageSize, totalCount, records}``."""
        return cls(_positive(body.get("totalCount")), _positive(body.get("pageSize")))


@dataclass(frozen=True, slots=True)
class Settled:
    """The end of a call, direct or in the background: what counts is its status, headers (lower case) and body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def token_answer(body: Any) -> TokenAnswer | None:
    """The token in an answer, None if it has none."""
    try:
        return TokenAnswer.model_validate(body)
    except ValidationError:
        return None


def background_state(body: Any) -> BackgroundState | None:
    """The state in an answer, None if it cannot be read."""
    try:
        return BackgroundState.model_validate(body)
    except ValidationError:
        return None


def _positive(value: Any) -> int | None:
    try:
        number = int(value)
    except (TypeError, ValueError):
        return None
    return number if number > 0 else None
