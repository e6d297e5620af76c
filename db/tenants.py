"""Tenants, their settings and connections, tokens and the call slots of a connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.codec import jsonb
from db.pool import Connection
from db.sql import SQL
from domain.model import System


@dataclass(frozen=True, slots=True)
class Tenant:
    """One linked pair of companies; ``state`` is new | reading | live | paused | leaving | erasing."""

    id: UUID
    name: str
    language: str
    time_zone: str
    state: str
    paused_domains: tuple[str, ...]
    live_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredConnection:
    """A connection as stored: ``secret`` and ``token`` are sealed; ``revision`` counts its changes; ``paused_for`` is
    what was left of its pause when it was read (seconds)."""

    tenant_id: UUID
    system: System
    config: Mapping[str, Any]
    secret: bytes
    token: bytes | None
    paused_until: datetime | None
    checked_at: datetime | None
    last_error: str | None
    budget_percent: int
    revision: int
    paused_for: float


def _tenant(row: Mapping[str, Any]) -> Tenant:
    return Tenant(
        row["id"],
        row["name"],
        row["language"],
        row["time_zone"],
        row["state"],
        tuple(row["paused_domains"]),
        row["live_at"],
    )


def add(db: Connection, tenant_id: UUID, name: str, language: str, time_zone: str) -> None:
    """Needs a transaction of that tenant."""
    db.execute(
        SQL["tenants.add"], {"id": tenant_id, "name": name, "language": language, "time_zone": time_zone}
    )


def change(db: Connection, tenant_id: UUID, language: str, time_zone: str) -> None:
    db.execute(SQL["tenants.change"], {"id": tenant_id, "language": language, "time_zone": time_zone})


def all_tenants(db: Connection) -> list[Tenant]:
    """Needs a dispatch transaction."""
    return [_tenant(row) for row in db.execute(SQL["tenants.all"])]


def by_name(db: Connection, name: str) -> Tenant | None:
    """Needs a dispatch transaction."""
    row = db.execute(SQL["tenants.by_name"], {"name": name}).fetchone()
    return _tenant(row) if row else None


def set_state(db: Connection, tenant_id: UUID, state: str, *, stays: bool = False) -> bool:
    """False, and nothing is written, for a tenant that is leaving (unless a person has it stay) or being erased."""
    values = {"id": tenant_id, "state": state, "stays": stays}
    return db.execute(SQL["tenants.set_state"], values).fetchone() is not None


def set_paused_domains(db: Connection, tenant_id: UUID, domains: list[str]) -> None:
    db.execute(SQL["tenants.set_paused_domains"], {"id": tenant_id, "domains": domains})


def pause_domains(db: Connection, tenant_id: UUID, domains: list[str]) -> None:
    """Pauses these domains as well."""
    db.execute(SQL["tenants.pause_domains"], {"id": tenant_id, "domains": domains})


def resume_domains(db: Connection, tenant_id: UUID, domains: list[str]) -> None:
    """These domains go on, whatever else is paused."""
    db.execute(SQL["tenants.resume_domains"], {"id": tenant_id, "domains": domains})


def add_settings(db: Connection, tenant_id: UUID, values: Mapping[str, Any], made_by: str) -> None:
    """A new version of the settings; old ones are kept."""
    db.execute(
        SQL["tenants.add_settings"], {"tenant_id": tenant_id, "values": jsonb(values), "made_by": made_by}
    )


def settings(db: Connection, tenant_id: UUID) -> dict[str, Any]:
    row = db.execute(SQL["tenants.settings"], {"tenant_id": tenant_id}).fetchone()
    return dict(row["values"]) if row else {}


def put_connection(
    db: Connection,
    tenant_id: UUID,
    system: System,
    config: Mapping[str, Any],
    secret: bytes,
    *,
    keep_token: bool = False,
) -> None:
    """``keep_token``: the credentials are those that the stored token was given for."""
    db.execute(
        SQL["tenants.put_connection"],
        {
            "tenant_id": tenant_id,
            "system": system,
            "config": jsonb(config),
            "secret": secret,
            "keep_token": keep_token,
        },
    )
    db.execute(SQL["tenants.make_slots"], {"tenant_id": tenant_id, "system": system})


def put_secret(db: Connection, tenant_id: UUID, system: System, secret: bytes, token: bytes | None) -> None:
    db.execute(
        SQL["tenants.put_secret"],
        {"tenant_id": tenant_id, "system": system, "secret": secret, "token": token},
    )


def connections(db: Connection, tenant_id: UUID) -> list[StoredConnection]:
    return [_connection(row) for row in db.execute(SQL["tenants.connections"], {"tenant_id": tenant_id})]


def connection(db: Connection, tenant_id: UUID, system: System) -> StoredConnection | None:
    row = db.execute(SQL["tenants.connection"], {"tenant_id": tenant_id, "system": system}).fetchone()
    return _connection(row) if row else None


def _connection(row: Mapping[str, Any]) -> StoredConnection:
    return StoredConnection(
        row["tenant_id"],
        row["system"],
        row["config"],
        row["secret"],
        row["token"],
        row["paused_until"],
        row["checked_at"],
        row["last_error"],
        row["budget_percent"],
        row["revision"],
        row["paused_for"],
    )


def revisions(db: Connection, tenant_id: UUID) -> dict[str, int]:
    """The present revision of each connection of the tenant."""
    rows = db.execute(SQL["tenants.revisions"], {"tenant_id": tenant_id})
    return {row["system"]: row["revision"] for row in rows}


def token(db: Connection, tenant_id: UUID, system: System, revision: int) -> tuple[bytes | None] | None:
    """The sealed token in a tuple, None in it when there is none; None alone: the connection is no longer of this revision."""
    row = db.execute(
        SQL["tenants.token"], {"tenant_id": tenant_id, "system": system, "revision": revision}
    ).fetchone()
    return (row["token"],) if row else None


def lease_refresh(db: Connection, tenant_id: UUID, system: System, revision: int) -> bool:
    """True: this process may fetch a new token now."""
    values = {"tenant_id": tenant_id, "system": system, "revision": revision}
    return db.execute(SQL["tenants.lease_refresh"], values).fetchone() is not None


def save_token(
    db: Connection, tenant_id: UUID, system: System, revision: int, token: bytes, expires_at: datetime
) -> bool:
    """False: not kept, since the connection was changed after the sign-in began."""
    values = {
        "tenant_id": tenant_id,
        "system": system,
        "revision": revision,
        "token": token,
        "expires_at": expires_at,
    }
    return db.execute(SQL["tenants.save_token"], values).fetchone() is not None


def end_refresh(db: Connection, tenant_id: UUID, system: System, revision: int) -> None:
    """Gives the lease back without a new token."""
    db.execute(SQL["tenants.end_refresh"], {"tenant_id": tenant_id, "system": system, "revision": revision})


def forget_token(db: Connection, tenant_id: UUID, system: System, revision: int) -> None:
    """Drops the token of this revision."""
    db.execute(SQL["tenants.forget_token"], {"tenant_id": tenant_id, "system": system, "revision": revision})


def set_budget(db: Connection, tenant_id: UUID, system: System, percent: int) -> None:
    db.execute(SQL["tenants.budget"], {"tenant_id": tenant_id, "system": system, "percent": percent})


def pause_for(db: Connection, tenant_id: UUID, system: System, seconds: float) -> None:
    """Nobody calls for so long from now, by the database's clock; a longer pause that runs stays."""
    db.execute(SQL["tenants.pause_until"], {"tenant_id": tenant_id, "system": system, "seconds": seconds})


def lease_slots(
    db: Connection,
    tenant_id: UUID,
    system: System,
    *,
    holder: UUID,
    slots: list[int],
    wanted: int,
    seconds: float,
) -> int:
    """How many of these call slots the holder has now (0 = others have them all)."""
    rows = db.execute(
        SQL["tenants.lease_slot"],
        {
            "tenant_id": tenant_id,
            "system": system,
            "holder": holder,
            "slots": slots,
            "wanted": wanted,
            "lease": seconds,
        },
    ).fetchall()
    return len(rows)


def free_slots(db: Connection, tenant_id: UUID, system: System, holder: UUID) -> None:
    db.execute(SQL["tenants.free_slots"], {"tenant_id": tenant_id, "system": system, "holder": holder})


def branches(db: Connection, tenant_id: UUID) -> dict[str, str]:
    """Severa business unit → number of the ERP branch (R-SET-6)."""
    rows = db.execute(SQL["tenants.branches"], {"tenant_id": tenant_id})
    return {row["business_unit_id"]: row["branch_number"] for row in rows}


def put_branch(db: Connection, tenant_id: UUID, business_unit_id: str, branch_number: str) -> None:
    """Maps a business unit; '' takes the mapping away."""
    values = {
        "tenant_id": tenant_id,
        "business_unit_id": business_unit_id,
        "branch_number": branch_number,
    }
    db.execute(SQL["tenants.put_branch" if branch_number else "tenants.drop_branch"], values)


def audit(db: Connection, tenant_id: UUID, who: str, action: str, details: Mapping[str, Any]) -> None:
    """Every human action is in the audit log (R-OPS-4)."""
    db.execute(
        SQL["tenants.audit"],
        {"tenant_id": tenant_id, "who": who, "action": action, "details": jsonb(details)},
    )
