"""Every table that belongs to a tenant, read and emptied portion by portion in the order of its key.

No portion is larger than its caller says, so that no lock is held for long. In the order in which they may be emptied: what
points at another row goes before it. ``tests/integration/test_erasing.py`` finds a table that is missing here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import sql

from db.tenant import TenantDb


@dataclass(frozen=True, slots=True)
class Table:
    """``key``: its primary key without the tenant; ``secret``: columns that never leave the database; ``only``: a part of its
    rows."""

    name: LiteralString
    key: tuple[LiteralString, ...]
    secret: frozenset[str] = frozenset()
    only: LiteralString = ""


# Lines about a tenant point at nothing; whoever is writing one just now is waited for, then they are looked at once more.
LINES = (
    Table("payload", ("at", "id")),
    Table("transfer_log", ("at", "id")),
    Table("audit_log", ("at", "id")),
)
TABLES = (
    Table("need", ("matter_id", "needed_id", "what")),
    Table("document", ("id",)),
    Table("step", ("attempt_id", "name", "round")),
    Table("attempt", ("id",)),
    Table("outbox", ("id",)),
    Table("problem", ("id",)),
    Table("matter", ("id",), only="joined_into is not null"),
    Table("matter", ("id",)),
    Table("number_gap", ("document_type", "number")),
    Table("choice", ("domain", "system", "record_id")),
    Table("record", ("system", "register", "id")),
    Table("reading", ("id",)),
    Table("stream", ("system", "register")),
    Table("connection_slot", ("system", "slot")),
    Table("branch_map", ("business_unit_id",)),
    Table("setting", ("version",)),
    *LINES,
    Table("connection", ("system",), frozenset({"secret", "token", "poll_token"})),
)
# What frees the pair of companies goes with the tenant, in one transaction.
IDENTITY = Table("identity", ())


def read(db: TenantDb, table: Table, after: Sequence[Any] | None, limit: int) -> list[dict[str, Any]]:
    """The next rows behind the key ``after`` (None = the first ones), secrets left out."""
    query = sql.SQL("select * from {table} where {chosen} {order} limit %(limit)s").format(
        table=sql.Identifier(table.name), chosen=_chosen(table, after), order=_order(table)
    )
    rows = db.execute(query, {**_values(after), "limit": limit}).fetchall()
    return [{name: value for name, value in row.items() if name not in table.secret} for row in rows]


def key_of(table: Table, row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What ``read`` goes on behind."""
    return tuple(row[name] for name in table.key)


def delete(
    db: TenantDb, table: Table, after: Sequence[Any] | None, limit: int
) -> tuple[int, tuple[Any, ...] | None]:
    """Erases the next rows behind the key ``after``: (how many, the last one's key; None = there were none)."""
    names = _names(table.key)
    query = sql.SQL(
        "with portion as (select {names} from {table} where {chosen} {order} limit %(limit)s),"
        " gone as (delete from {table} t using portion p where t.tenant_id = %(tenant_id)s and {same} returning {returned})"
        " select {names}, count(*) over () as n from gone {last} limit 1"
    ).format(
        names=names,
        table=sql.Identifier(table.name),
        chosen=_chosen(table, after),
        order=_order(table),
        same=sql.SQL(" and ").join(
            sql.SQL("t.{0} = p.{0}").format(sql.Identifier(name)) for name in table.key
        ),
        returned=sql.SQL(", ").join(sql.Identifier("t", name) for name in table.key),
        last=sql.SQL("order by ")
        + sql.SQL(", ").join(sql.Identifier(name) + sql.SQL(" desc") for name in table.key),
    )
    row = db.execute(query, {**_values(after), "limit": limit}).fetchone()
    return (row["n"], key_of(table, row)) if row else (0, None)


def delete_all(db: TenantDb, table: Table) -> int:
    """Erases what is there in one go: for the few rows that are left or were never many."""
    query = sql.SQL(
        "with gone as (delete from {table} where tenant_id = %(tenant_id)s returning 1) select count(*) as n from gone"
    )
    row = db.execute(query.format(table=sql.Identifier(table.name))).fetchone()
    return row["n"] if row else 0


def _chosen(table: Table, after: Sequence[Any] | None) -> sql.Composable:
    parts: list[sql.Composable] = [sql.SQL("tenant_id = %(tenant_id)s")]
    if table.only:
        parts.append(sql.SQL(table.only))
    if after is not None:
        places = sql.SQL(", ").join(sql.Placeholder(f"after_{n}") for n in range(len(table.key)))
        parts.append(sql.SQL("({}) > ({})").format(_names(table.key), places))
    return sql.SQL(" and ").join(parts)


def _order(table: Table) -> sql.Composable:
    return sql.SQL("order by ") + _names(table.key) if table.key else sql.SQL("")


def _names(key: Sequence[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, key))


def _values(after: Sequence[Any] | None) -> dict[str, Any]:
    return {f"after_{n}": value for n, value in enumerate(after or ())}


def tenant_row(db: TenantDb) -> dict[str, Any] | None:
    """The tenant's own row."""
    row = db.execute(sql.SQL("select * from tenant where id = %(tenant_id)s")).fetchone()
    return dict(row) if row else None
