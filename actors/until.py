"""No write leaves a delivery without a time after which it may not (docs/never-twice.md rule 5).

A worker that is paused between the word that lets it write and the call would else send what it read half an hour ago over what a
person and another worker have written since.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from domain.model import Json
from domain.ports import ErpApi, SeveraApi

Until = Callable[[], float]
"""Seconds of ``clock.boot``; asks for the lease when the last answer is over. Raises LeaseLost."""


class _Through:
    """Everything else is the client's own: reads need no permission, and whatever is made or moved is begun with one of its own."""

    def __init__(self, client: Any, until: Until) -> None:
        self._client = client
        self._until = until

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


class _Severa(_Through):
    def patch(
        self, register: str, guid: str, changes: Mapping[str, Any], *, not_after: float | None = None
    ) -> Any:
        if not_after is not None:
            return self._client.patch(register, guid, changes, not_after=not_after)
        return self._client.patch(register, guid, changes, until=self._until())


class _Erp(_Through):
    def update(
        self,
        register: str,
        key: str,
        body: Json,
        *,
        etag: str | None = None,
        not_after: float | None = None,
    ) -> Any:
        if not_after is not None:
            return self._client.update(register, key, body, etag=etag, not_after=not_after)
        return self._client.update(register, key, body, etag=etag, until=self._until())


def severa_until(client: SeveraApi, until: Until) -> SeveraApi:
    """The client whose changes without a permission leave by ``until`` or not at all (NotSent)."""
    return cast("SeveraApi", _Severa(client, until))


def erp_until(client: ErpApi, until: Until) -> ErpApi:
    """The same of the ERP."""
    return cast("ErpApi", _Erp(client, until))
