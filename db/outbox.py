"""The outbox: unfinished work only. 'Settle this' — one row per matter and domain.

States and who moves them are drawn in docs/states.md; every move is one named statement in ``queries/outbox.sql``, and
those of a worker in ``queries/claim.sql``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from uuid import UUID

from db.sql import SQL
from db.tenant import DispatchDb, TenantDb

ANNOUNCED_AT_ONCE = 1000


class Rank(IntEnum):
    """What goes before what (rule 19)."""

    PERSON = 0
    CHANGE = 1
    SWEEP = 2


@dataclass(frozen=True, slots=True)
class Taken:
    """A row that was committed ``out``: what the change event says about it."""

    tenant_id: UUID
    id: int
    domain: str
    generation: int
    system: str
    register: str
    matter_id: UUID


def announce(
    db: TenantDb,
    domain: str,
    matters: Iterable[UUID],
    *,
    cause: str,
    system: str,
    register: str,
    rank: Rank = Rank.CHANGE,
) -> int:
    """'Settle these' (again), in the transaction that holds the cause; how many had no row before."""
    wanted = sorted(set(matters))
    if not wanted:
        return 0
    rows = db.execute(
        SQL["outbox.announce"],
        {
            "domain": domain,
            "matters": wanted,
            "cause": cause,
            "system": system,
            "register": register,
            "rank": int(rank),
        },
    )
    return sum(row["made"] for row in rows)


def take(
    db: DispatchDb,
    *,
    domains: Sequence[str],
    window: int,
    per_tenant: int,
    after: UUID,
    lease: float,
    lowest_first: bool = False,
) -> list[Taken]:
    """Commits ready rows ``out``, fairly over tenants, and gives them in the order in which they are to be sent.
    ``lowest_first``: what a setting or a sweep announced has its turn."""
    rows = db.execute(
        SQL["outbox.take"],
        {
            "domains": list(domains),
            "window": window,
            "per_tenant": per_tenant,
            "after": after,
            "lease": lease,
            "lowest_first": lowest_first,
        },
    )
    names = ("tenant_id", "id", "domain", "generation", "system", "register", "matter_id")
    # RETURNING has no order of its own.
    ordered = sorted(rows, key=lambda row: (row["domain"], row["of_domain"]))
    return [Taken(*(row[name] for name in names)) for row in ordered]


def untake(db: DispatchDb, taken: Taken) -> None:
    """A row whose message the broker did not take goes back."""
    db.execute(
        SQL["outbox.untake"],
        {"tenant_id": taken.tenant_id, "id": taken.id, "generation": taken.generation},
    )


def reap(db: DispatchDb) -> int:
    """Frees matters and rows whose lease ran out; how many rows."""
    lost = len(db.execute(SQL["claim.reap"]).fetchall())
    return lost + len(db.execute(SQL["claim.reap_messages"]).fetchall())


def reset_leases(db: DispatchDb) -> int:
    """Embedded mode's start: nobody else can be working."""
    db.execute(SQL["claim.reset"])
    return len(db.execute(SQL["claim.reset_rows"]).fetchall())


def wake(db: TenantDb, matters: Sequence[UUID], *, failed_too: bool = True) -> None:
    """What waited for one of these goes on. ``failed_too``: also what failed because of it."""
    states = ["waiting", "failed"] if failed_too else ["waiting"]
    db.execute(SQL["outbox.wake"], {"matters": list(matters), "states": states})


def wake_register(db: TenantDb, register: str) -> None:
    """What failed for a reference register's set-up goes on once that has changed."""
    db.execute(SQL["outbox.wake_key"], {"key": register})


def state_of(db: TenantDb, domain: str, matter_id: UUID) -> str | None:
    """The state of a matter's row, None when it has none."""
    row = db.execute(SQL["outbox.state"], {"domain": domain, "matter_id": matter_id}).fetchone()
    return row["state"] if row else None


def in_circle(db: TenantDb, matter_id: UUID, needed: UUID) -> bool:
    """Whether the one needed waits for this one, through however many others."""
    row = db.execute(SQL["outbox.circle"], {"matter_id": matter_id, "needed": needed}).fetchone()
    return bool(row and row["found"])


def retry(db: TenantDb, domain: str, matter_id: UUID) -> bool:
    """A person's retry; False when there is no row that can be retried."""
    done = db.execute(SQL["outbox.retry"], {"domain": domain, "matter_id": matter_id})
    return done.fetchone() is not None


def failed_count(db: TenantDb) -> int:
    """Rows that failed and wait for a person."""
    row = db.execute(SQL["outbox.failed_count"]).fetchone()
    return row["n"] if row else 0


def retry_failed(db: TenantDb) -> None:
    """A setting was changed: what failed under the old one is tried again."""
    db.execute(SQL["outbox.retry_failed"])


def due_now(db: TenantDb) -> None:
    """Everything that sits out a pause goes on: what it waited for, a sign-in, is there."""
    db.execute(SQL["outbox.sign_in_again"])


def rows(db: TenantDb) -> Sequence[Mapping[str, Any]]:
    """All unfinished work of the tenant, oldest first."""
    return db.execute(SQL["outbox.rows"]).fetchall()


def unfinished(db: DispatchDb) -> int:
    """Rows that the bridge still has to work on."""
    row = db.execute(SQL["outbox.unfinished"]).fetchone()
    return row["n"] if row else 0


def unfinished_by(db: DispatchDb) -> Sequence[Mapping[str, Any]]:
    """The same as (tenant, domain, state, n, due_at)."""
    return db.execute(SQL["outbox.unfinished_by"]).fetchall()


def claims(db: DispatchDb) -> int:
    """Grows with every delivery that begins."""
    row = db.execute(SQL["outbox.claims"]).fetchone()
    return int(row["n"]) if row else 0


def counts(db: DispatchDb) -> Sequence[Mapping[str, Any]]:
    """(domain, state, n, oldest) for metrics and scaling."""
    return db.execute(SQL["outbox.counts"]).fetchall()


def with_work(db: TenantDb, domain: str, matters: Sequence[UUID]) -> set[UUID]:
    """Which of these matters have a row in the domain, whatever its state: the audit's question."""
    values = {"domain": domain, "matters": list(matters)}
    return {row["matter_id"] for row in db.execute(SQL["outbox.with_work"], values)}


def unfinished_of(db: TenantDb, domain: str, matters: Sequence[UUID]) -> set[UUID]:
    """Which of these matters something is still open about in the domain: work in whatever state, or a problem."""
    values = {"domain": domain, "matters": list(matters)}
    return {row["matter_id"] for row in db.execute(SQL["outbox.unfinished_of"], values)}
