"""A tenant with something in every table, for what empties or copies them all."""

from __future__ import annotations

from collections import Counter
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from factories import announce, begin, make_tenant, meet, permitted, take
from psycopg import sql

from app.bootstrap import Bridge
from db import claim, tenants

OWNED = """
select c.table_name, array_agg(c.column_name::text order by c.ordinal_position) as key
from information_schema.table_constraints t
join information_schema.key_column_usage c using (constraint_schema, constraint_name, table_schema, table_name)
join pg_class p on p.oid = format('%I', t.table_name)::regclass
where t.constraint_type = 'PRIMARY KEY' and t.table_schema = 'public' and not p.relispartition
  and exists (select from information_schema.columns o where o.table_schema = 'public' and o.table_name = t.table_name and o.column_name = 'tenant_id')
group by c.table_name
"""


def owned(owner: psycopg.Connection[Any]) -> dict[str, tuple[str, ...]]:
    """Every table with a tenant in it, and its key without the tenant."""
    found = owner.execute(OWNED).fetchall()
    return {name: tuple(one for one in key if one != "tenant_id") for name, key in found}


def rows_of(owner: psycopg.Connection[Any], tenant: UUID) -> Counter[str]:
    counts = Counter[str]()
    for name in owned(owner):
        query = sql.SQL("select count(*) from {} where tenant_id = %s").format(sql.Identifier(name))
        [count] = owner.execute(query, [tenant]).fetchone() or (0,)
        counts[name] = count
    return counts


def filled(bridge: Bridge, owner: psycopg.Connection[Any], name: str) -> UUID:
    """A tenant with a few rows in every table, some pointing at each other."""
    tenant = make_tenant(bridge.db, name)
    with bridge.db.tenant(tenant) as db:
        tenants.put_connection(db, "visma_net", {"base_url": "http://y", "client_id": "c"}, b"sealed")
        tenants.audit(db, "anna", "tenant.added", {})
        tenants.add_settings(db, {"costs": "cost"}, "anna")
        tenants.put_branch(db, "unit", "1")
    for n in range(7):
        announce(bridge.db, tenant, n)
    with bridge.db.dispatch() as db:
        db.execute("select make_partitions(1)")
    others = [meet(bridge.db, tenant, f"joined{n}") for n in range(3)]
    values = {"t": tenant, "m": meet(bridge.db, tenant, "0"), "o": others}
    row = claimed_one(bridge, tenant)
    assert permitted(bridge.db, row)
    with bridge.db.tenant(tenant) as db:
        claim.later(db, row, delay=60, costs_attempt=True)
        claim.give_back(db, row)
    for statement in FILL:
        owner.execute(statement, values)
    assert min(rows_of(owner, tenant).values()) > 0, rows_of(owner, tenant)
    return tenant


def claimed_one(bridge: Bridge, tenant: UUID) -> claim.Claimed:
    mine = [one for one in take(bridge.db) if one.tenant_id == tenant]
    row = begin(bridge.db, mine[0])
    assert row is not None
    return row


FILL: tuple[LiteralString, ...] = (
    "update matter set joined_into = %(m)s where tenant_id = %(t)s and id = any (%(o)s)",
    "insert into document (tenant_id, matter_id, type, number, state) select %(t)s, %(m)s, 'Invoice', n::text, 'removed' from generate_series(1, 5) n",
    "insert into need (tenant_id, matter_id, needed_id, what) select %(t)s, %(m)s, o, 'open' from unnest(%(o)s::uuid[]) o",
    "insert into problem (tenant_id, domain, subject, matter_id, system, register, record_id, code) values (%(t)s, 'invoice', '', %(m)s, 'severa', 'invoices', '1', 'x')",
    "insert into number_gap (tenant_id, document_type, number, severa_id, reason) values (%(t)s, 'Invoice', '7', '1', 'x')",
    "insert into choice (tenant_id, domain, system, record_id, value) values (%(t)s, 'customer', 'severa', '1', 'DEFAULT')",
    ("insert into record (tenant_id, system, register, id, body, hash, mapping_version, asked_at, answered_at, in_scope)"
    " select %(t)s, 'severa', 'customers', n::text, '{\"amount\": 1.10, \"name\": \"\\\\ud800 Åsa\"}', '\\xfe01', 1, bridge_now(), bridge_now(), true"
    " from generate_series(1, 9) n"),
    "insert into reading (tenant_id, system, register, whole, began_at, mark_at) values (%(t)s, 'severa', 'customers', true, bridge_now(), bridge_now())",
    "insert into stream (tenant_id, system, register) values (%(t)s, 'severa', 'customers')",
    "insert into identity (tenant_id, severa_place, severa_organisation, erp_place, erp_tenant) values (%(t)s, 'x', %(t)s::text, 'y', %(t)s::text)",
    "insert into payload (tenant_id, at, system, method, path, seconds) select %(t)s, bridge_now() - n * interval '8 hours', 'severa', 'GET', '/', 0 from generate_series(0, 9) n",
    ("insert into transfer_log (tenant_id, at, domain, subject, direction, system, register, record_id, level, outcome, code)"
    " select %(t)s, bridge_now() - n * interval '20 days', 'invoice', '', 'from_severa', 'severa', 'invoices', '1', 'info', 'done', 'x' from generate_series(0, 5) n"),
)  # fmt: skip


def settle(owner: psycopg.Connection[Any]) -> None:
    """Every settle time is over."""
    owner.execute("update step set settles_at = bridge_now() - interval '1 second'")
