"""Rows of the bridge's own tables, made through its own functions, with defaults for what a test does not care about."""

from __future__ import annotations

from uuid import UUID, uuid4

from db import attempts, claim, matters, outbox, tenants
from db.claim import Asked, Claimed
from db.outbox import Rank, Taken
from db.pool import Database
from domain.errors import LeaseLost
from domain.model import DOMAINS, System

START = UUID(int=0)
LEASE = 60.0


def make_tenant(db: Database, name: str) -> UUID:
    """A live tenant with one connection."""
    tenant_id = uuid4()
    with db.tenant(tenant_id) as connection:
        tenants.add(connection, name, "sv", "Europe/Stockholm")
        tenants.put_connection(connection, "severa", {"base_url": "http://x"}, b"sealed")
        tenants.set_state(connection, "live")
    return tenant_id


def meet(
    db: Database,
    tenant_id: UUID,
    id: str = "1",
    *,
    domain: str = "invoice",
    system: System = "severa",
    register: str = "invoices",
) -> UUID:
    """The matter of a record."""
    with db.tenant(tenant_id) as connection:
        return matters.meet(connection, domain, system, register, [(id, id)])[id]


def announce(
    db: Database,
    tenant_id: UUID,
    n: int | str = 1,
    domain: str = "invoice",
    *,
    cause: str = "changed",
    rank: Rank = Rank.CHANGE,
) -> UUID:
    """Work on a Severa record's matter; the matter."""
    matter = meet(db, tenant_id, str(n), domain=domain)
    with db.tenant(tenant_id) as connection:
        outbox.announce(
            connection, domain, [matter], cause=cause, system="severa", register="invoices", rank=rank
        )
    return matter


def take(
    db: Database,
    *,
    window: int = 100,
    per_tenant: int = 100,
    after: UUID = START,
    lease: float = 60,
    lowest_first: bool = False,
) -> list[Taken]:
    """What the relay would publish now."""
    with db.dispatch() as connection:
        return outbox.take(
            connection,
            domains=DOMAINS,
            window=window,
            per_tenant=per_tenant,
            after=after,
            lease=lease,
            lowest_first=lowest_first,
        )


def begin(db: Database, taken: Taken, lease: float = 60) -> Claimed | None:
    """A worker gets the message."""
    with db.tenant(taken.tenant_id) as connection:
        row = claim.claim(connection, taken.id, taken.generation, uuid4(), lease)
        if row:
            attempts.start(connection, row, "test")
        return row


def claimed(db: Database, tenant_id: UUID) -> Claimed:
    """The one ready row, taken and claimed."""
    [taken] = take(db)
    row = begin(db, taken)
    assert row is not None
    assert row.tenant_id == tenant_id
    return row


def state(db: Database, tenant_id: UUID, matter: UUID, domain: str = "invoice") -> str | None:
    """The state of a matter's row."""
    with db.tenant(tenant_id) as connection:
        return outbox.state_of(connection, domain, matter)


def asked(name: str = "create", document: str = "", nonce: str = "") -> Asked:
    """A call that a worker wants to make."""
    return Asked(name, 1, {"customer": "10001"}, 30.0, 240.0, 300.0, document, nonce)


def permitted(db: Database, row: Claimed, name: str = "create") -> bool:
    """Whether a call would be permitted to this worker now."""
    try:
        with db.tenant(row.tenant_id) as connection:
            claim.begin(connection, row, asked(name), lease=LEASE)
    except LeaseLost:
        return False
    return True
