"""The parts of the wire that the connector itself reads: token answer, metadata, action result, background state."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_WHOLE = re.compile(r"(?P<number>[0-9]{1,12})(\.0{1,9})?")


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class TokenAnswer(_Wire):
    """Answer of the token endpoint. ``expires_in`` in seconds; ``refresh_token`` only with interactive sign-in."""

    access_token: str = Field(pattern=r"^[!-~]+$", max_length=20_000)
    expires_in: int = Field(default=3600, ge=0, le=366 * 86_400)
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme, no secret
    scope: str = ""
    refresh_token: str | None = None


class BackgroundState(_Wire):
    """Where a call that was accepted for the background stands; ``statusCode`` is 0 until it is finished."""

    id: str | None = None
    status: str = ""
    statusCode: int | None = None  # noqa: N815 - the vendor's name
    errorMessage: str | None = None  # noqa: N815 - the vendor's name
    hasResponseContent: bool | None = None  # noqa: N815 - the vendor's name
    responseHeaders: dict[str, Any] | list[Any] | None = None  # noqa: N815 - the vendor's name


@dataclass(frozen=True, slots=True)
class Count:
    """What a list says of its length: all rows, and how many a page may have at most. None = not said."""

    total: int | None = None
    per_page: int | None = None

    @classmethod
    def of_row(cls, row: Mapping[str, object]) -> Count:
        """From the ``metadata`` of a row. Zeros stand in nested objects and mean nothing."""
        metadata = row.get("metadata")
        if not isinstance(metadata, Mapping):
            return cls()
        return cls(_count(metadata.get("totalCount")) or None, _count(metadata.get("maxPageSize")) or None)

    @classmethod
    def of_envelope(cls, body: Mapping[str, object]) -> Count:
        """From ``{pageNumber, pageSize, totalCount, records}``; there 0 says that the list is empty."""
        return cls(_count(body.get("totalCount")), _count(body.get("pageSize")) or None)


def token_answer(body: object) -> TokenAnswer | None:
    """The token in an answer, None if it has none."""
    try:
        return TokenAnswer.model_validate(body)
    except ValidationError:
        return None


def background_state(body: object) -> BackgroundState | None:
    """The state in an answer, None if it cannot be read."""
    try:
        return BackgroundState.model_validate(body)
    except ValidationError:
        return None


def _count(value: object) -> int | None:
    """A number of rows, given as a number or as text; None for everything that is none."""
    text = str(value) if isinstance(value, int | str | Decimal) and not isinstance(value, bool) else ""
    match = _WHOLE.fullmatch(text.strip())
    return int(match["number"]) if match else None
