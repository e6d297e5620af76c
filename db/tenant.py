"""A transaction of one tenant, and one over all of them: two types, so that neither can be taken for the other.

``TenantDb`` is bound to its tenant: every statement gets ``tenant_id`` from the transaction, never from a caller, and
row-level security shows nothing else. ``DispatchDb`` sees ids, states and times of all tenants; only its statements name
tenants. A function of ``db`` that takes a ``TenantDb`` has no parameter for the tenant: there is one source for who is meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

import psycopg
from psycopg.rows import DictRow

Cursor = psycopg.Cursor[DictRow]
Values = Mapping[str, Any] | Sequence[Any]


class Connection(Protocol):
    """What both kinds have in common, for what is nobody's: the clock."""

    def execute(self, query: Any, values: Values | None = None) -> Cursor:
        """One statement."""
        ...


class TenantDb:
    """One transaction of one tenant."""

    __slots__ = ("_connection", "tenant_id")

    def __init__(self, connection: psycopg.Connection[DictRow], tenant_id: UUID) -> None:
        self._connection = connection
        self.tenant_id = tenant_id

    def execute(self, query: Any, values: Values | None = None) -> Cursor:
        """One statement; ``%(tenant_id)s`` is this transaction's tenant."""
        if values is None or isinstance(values, Mapping):
            return self._connection.execute(query, {**(values or {}), "tenant_id": self.tenant_id})
        return self._connection.execute(query, values)

    def execute_many(self, query: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        """One statement for many rows, in one round trip."""
        with self._connection.cursor() as cursor:
            cursor.executemany(query, [{**row, "tenant_id": self.tenant_id} for row in rows])


class DispatchDb:
    """One transaction over the queue of all tenants."""

    __slots__ = ("_connection",)

    def __init__(self, connection: psycopg.Connection[DictRow]) -> None:
        self._connection = connection

    def execute(self, query: Any, values: Values | None = None) -> Cursor:
        """One statement."""
        return self._connection.execute(query, values)
