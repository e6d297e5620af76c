"""The outbox: unfinished work only. 'Settle this' — one row per link or unlinked record.

States and who moves them are drawn in docs/states.md; every move is one named statement in ``queries/outbox.sql``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.links import link_domain
from db.pool import Connection
from db.sql import SQL

DOMAINS = ("customer", "product", "project", "invoice", "payment", "cost")


@dataclass(frozen=True, slots=True)
class Taken:
    """A row that was committed ``out``: what the change event says about it."""

    tenant_id: UUID
    id: int
    domain: str
    generation: int
    system: str
    register: str
    subject: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that a worker owns under ``token``."""

    tenant_id: UUID
    id: int
    token: UUID
    domain: str
    subject: str
    delivery: UUID
    attempts: int
    lost: int
    cause: str
    system: str
    register: str
    now: datetime
    tenant_name: str
    language: str
    time_zone: str
    settings: Mapping[str, Any] | None
    # when an earlier attempt of this delivery began, None = this is the first
    first_attempt_at: datetime | None


@dataclass(frozen=True, order=True, slots=True)
class Concerned:
    """A record that has to be settled; ``only_linked``: nothing is to be done when it has no link."""

    system: str
    register: str
    id: str
    only_linked: bool = False


def link_subject(link_id: str) -> str:
    return f"link:{link_id}"


def record_subject(system: str, register: str, id: str) -> str:
    return f"record:{system}/{register}/{id}"


def parse_subject(subject: str) -> tuple[str | None, tuple[str, str, str] | None]:
    """(link id, None) or (None, (system, register, record id))."""
    kind, _, rest = subject.partition(":")
    if kind == "link":
        return rest, None
    system, register, record_id = rest.split("/", 2)
    return None, (system, register, record_id)


def waits_key(domain: str, *, severa_id: str | None = None, erp_id: str | None = None) -> str:
    """What a waiting row waits for."""
    return f"{domain}:severa/{severa_id}" if severa_id else f"{domain}:visma_net/{erp_id}"


def announce(
    db: Connection, tenant_id: UUID, domain: str, subject: str, *, cause: str, system: str, register: str
) -> None:
    """'Settle this' (again). Needs a transaction of the tenant, the one that holds the cause."""
    db.execute(
        SQL["outbox.announce"],
        {
            "tenant_id": tenant_id,
            "domain": domain,
            "subject": subject,
            "cause": cause,
            "system": system,
            "register": register,
        },
    )


def take(
    db: Connection, *, domains: Sequence[str], window: int, per_tenant: int, after: UUID, lease: float
) -> list[Taken]:
    """Commits ready rows ``out``, fairly over tenants. Needs a dispatch transaction."""
    rows = db.execute(
        SQL["outbox.take"],
        {
            "domains": list(domains),
            "window": window,
            "per_tenant": per_tenant,
            "after": after,
            "lease": lease,
        },
    )
    return [
        Taken(
            row["tenant_id"],
            row["id"],
            row["domain"],
            row["generation"],
            row["system"],
            row["register"],
            row["subject"],
        )
        for row in rows
    ]


def untake(db: Connection, taken: Taken) -> None:
    db.execute(
        SQL["outbox.untake"],
        {"tenant_id": taken.tenant_id, "id": taken.id, "generation": taken.generation},
    )


def reap(db: Connection) -> int:
    """Frees rows whose lease ran out; how many. Needs a dispatch transaction."""
    return len(db.execute(SQL["outbox.reap"]).fetchall())


def reset_leases(db: Connection) -> int:
    """Embedded mode's start: nobody else can be working. Needs a dispatch transaction."""
    return len(db.execute(SQL["outbox.reset_leases"]).fetchall())


def claim(
    db: Connection, tenant_id: UUID, id: int, generation: int, token: UUID, lease: float
) -> Claimed | None:
    """None: the message is stale, the row is gone, or the tenant or domain is paused."""
    row = db.execute(
        SQL["outbox.claim"],
        {"tenant_id": tenant_id, "id": id, "generation": generation, "token": token, "lease": lease},
    ).fetchone()
    return Claimed(tenant_id=tenant_id, id=id, token=token, **row) if row else None


def extend(db: Connection, row: Claimed, seconds: float) -> bool:
    """Extends the lease; False: fenced out, or paused before anything was begun."""
    return db.execute(SQL["outbox.extend"], {**_own(row), "lease": seconds}).fetchone() is not None


def hold(db: Connection, row: Claimed) -> bool | None:
    """Locks the row for the finishing transaction: its ``again``, None when it is not ours any more."""
    found = db.execute(SQL["outbox.hold"], _own(row)).fetchone()
    return found["again"] if found else None


def finish(db: Connection, row: Claimed, *, again: bool) -> None:
    """Deletes the row; or, when it changed meanwhile, makes it ready once more."""
    db.execute(SQL["outbox.again"] if again else SQL["outbox.finish"], _own(row))


def later(db: Connection, row: Claimed, *, delay: float, costs_attempt: bool) -> None:
    db.execute(SQL["outbox.later"], {**_own(row), "delay": delay, "refund": 0 if costs_attempt else 1})


def wait(db: Connection, row: Claimed, *, waits_for: str, delay: float) -> None:
    db.execute(SQL["outbox.wait"], {**_own(row), "waits_for": waits_for, "delay": delay})


def fail(db: Connection, row: Claimed, state: str, *, waits_for: str | None = None) -> None:
    """``state``: failed | in_doubt. ``waits_for``: what must succeed first, as ``waits_key`` says it."""
    db.execute(SQL["outbox.fail"], {**_own(row), "state": state, "waits_for": waits_for})


def wake(db: Connection, tenant_id: UUID, keys: Sequence[str], *, failed_too: bool = True) -> None:
    """What waited for one of these (``waits_key``) goes on. ``failed_too``: also what failed because of it."""
    states = ["waiting", "failed"] if failed_too else ["waiting"]
    db.execute(SQL["outbox.wake"], {"tenant_id": tenant_id, "keys": list(keys), "states": states})


def fold(db: Connection, row: Claimed, subjects: Sequence[str]) -> bool:
    """Removes the rows of records that have become part of a link; True if one of them still had work."""
    rows = db.execute(
        SQL["outbox.fold"],
        {"tenant_id": row.tenant_id, "domain": row.domain, "subjects": list(subjects), "id": row.id},
    ).fetchall()
    return bool(rows)


def state_of(db: Connection, tenant_id: UUID, domain: str, subject: str) -> str | None:
    """The state of a subject's row, None when it has none."""
    row = db.execute(
        SQL["outbox.row"], {"tenant_id": tenant_id, "domain": domain, "subject": subject}
    ).fetchone()
    return row["state"] if row else None


def retry(db: Connection, tenant_id: UUID, domain: str, subject: str) -> bool:
    """A person's retry of a failed row; False when it has no row that can be retried."""
    done = db.execute(SQL["outbox.retry"], {"tenant_id": tenant_id, "domain": domain, "subject": subject})
    return done.fetchone() is not None


def rows(db: Connection, tenant_id: UUID) -> Sequence[Mapping[str, Any]]:
    return db.execute(SQL["outbox.rows"], {"tenant_id": tenant_id}).fetchall()


def unfinished(db: Connection) -> int:
    """Rows that the bridge still has to work on. Needs a dispatch transaction."""
    row = db.execute(SQL["outbox.unfinished"]).fetchone()
    return row["n"] if row else 0


def counts(db: Connection) -> Sequence[Mapping[str, Any]]:
    """(domain, state, n, oldest) for metrics and scaling. Needs a dispatch transaction."""
    return db.execute(SQL["outbox.counts"]).fetchall()


def announce_all(
    db: Connection,
    tenant_id: UUID,
    domain: str,
    concerned: Sequence[Concerned],
    *,
    cause: str,
) -> tuple[set[Concerned], int]:
    """'Settle this' for records of one system, at most 1,000 in a transaction: (for whom, how many had no row before).

    Those that may not be announced without a link are left out when they have none.
    """
    if not concerned:
        return set(), 0
    rows = db.execute(
        SQL["outbox.announce_all"], {**_concerned(tenant_id, domain, concerned), "cause": cause}
    )
    made = {(row["register"], row["id"]): row["made"] for row in rows}
    return {one for one in concerned if (one.register, one.id) in made}, sum(made.values())


def without_work(
    db: Connection, tenant_id: UUID, domain: str, concerned: Sequence[Concerned]
) -> set[Concerned]:
    """Those that would be announced and have no row, whatever the state of a row may be."""
    if not concerned:
        return set()
    rows = db.execute(SQL["outbox.without_work"], _concerned(tenant_id, domain, concerned))
    found = {(row["register"], row["id"]) for row in rows}
    return {one for one in concerned if (one.register, one.id) in found}


def _concerned(tenant_id: UUID, domain: str, concerned: Sequence[Concerned]) -> dict[str, Any]:
    # In the order of the ids, and each record once: who may do without a link stands for who may not.
    ordered: dict[tuple[str, str], bool] = {}
    for one in sorted(concerned):
        key = (one.register, one.id)
        ordered[key] = ordered.get(key, True) and one.only_linked
    return {
        "tenant_id": tenant_id,
        "domain": domain,
        "link_domain": link_domain(domain),
        "system": concerned[0].system,
        "registers": [register for register, _ in ordered],
        "ids": [record_id for _, record_id in ordered],
        "only_linked": list(ordered.values()),
    }


def _own(row: Claimed) -> dict[str, Any]:
    return {"tenant_id": row.tenant_id, "id": row.id, "token": row.token}
