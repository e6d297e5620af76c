"""Tenants, their settings and connections, tokens and the call slots of a connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.codec import jsonb
from db.sql import SQL
from db.tenant import DispatchDb, TenantDb
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


def add(db: TenantDb, name: str, language: str, time_zone: str) -> None:
    """The tenant that the transaction was begun for."""
    db.execute(SQL["tenants.add"], {"name": name, "language": language, "time_zone": time_zone})


def change(db: TenantDb, language: str, time_zone: str) -> None:
    """Language and time zone, as the file names them now."""
    db.execute(SQL["tenants.change"], {"language": language, "time_zone": time_zone})


def all_tenants(db: DispatchDb) -> list[Tenant]:
    """By name."""
    return [_tenant(row) for row in db.execute(SQL["tenants.all"])]


def by_name(db: DispatchDb, name: str) -> Tenant | None:
    """None where there is no such tenant."""
    row = db.execute(SQL["tenants.by_name"], {"name": name}).fetchone()
    return _tenant(row) if row else None


def set_state(db: TenantDb, state: str, *, stays: bool = False) -> bool:
    """False, and nothing is written, for a tenant that is leaving (unless a person has it stay) or being erased."""
    values = {"state": state, "stays": stays}
    return db.execute(SQL["tenants.set_state"], values).fetchone() is not None


def set_paused_domains(db: TenantDb, domains: list[str]) -> None:
    """These domains are paused, and no others."""
    db.execute(SQL["tenants.set_paused_domains"], {"domains": domains})


def pause_domains(db: TenantDb, domains: list[str]) -> None:
    """Pauses these domains as well."""
    db.execute(SQL["tenants.pause_domains"], {"domains": domains})


def resume_domains(db: TenantDb, domains: list[str]) -> None:
    """These domains go on, whatever else is paused."""
    db.execute(SQL["tenants.resume_domains"], {"domains": domains})


def add_settings(db: TenantDb, values: Mapping[str, Any], made_by: str) -> None:
    """A new version of the settings; old ones are kept."""
    db.execute(SQL["tenants.add_settings"], {"values": jsonb(values), "made_by": made_by})


def settings(db: TenantDb) -> dict[str, Any]:
    """The newest version as it is stored, unchecked (``domain.setup.settings.stored_settings`` checks); empty before the first."""
    row = db.execute(SQL["tenants.settings"]).fetchone()
    return dict(row["values"]) if row else {}


def setting_versions(db: TenantDb) -> Sequence[Mapping[str, Any]]:
    """Every version that was kept, newest first: version, values, who, when."""
    return db.execute(SQL["tenants.setting_versions"]).fetchall()


def put_connection(
    db: TenantDb,
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
            "system": system,
            "config": jsonb(config),
            "secret": secret,
            "keep_token": keep_token,
        },
    )
    db.execute(SQL["tenants.make_slots"], {"system": system})


def put_secret(db: TenantDb, system: System, secret: bytes, token: bytes | None) -> None:
    """The same secret and token under another key (rotation); the revision stays."""
    db.execute(
        SQL["tenants.put_secret"],
        {"system": system, "secret": secret, "token": token},
    )


def connections(db: TenantDb) -> list[StoredConnection]:
    """Both, or as many as are stored yet."""
    return [_connection(row) for row in db.execute(SQL["tenants.connections"])]


def connection(db: TenantDb, system: System) -> StoredConnection | None:
    """One of them; None before it is stored."""
    row = db.execute(SQL["tenants.connection"], {"system": system}).fetchone()
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


def revisions(db: TenantDb) -> dict[str, int]:
    """The present revision of each connection of the tenant."""
    rows = db.execute(SQL["tenants.revisions"])
    return {row["system"]: row["revision"] for row in rows}


def token(db: TenantDb, system: System, revision: int) -> tuple[bytes | None] | None:
    """The sealed token in a tuple, None in it when there is none; None alone: the connection is no longer of this revision."""
    row = db.execute(SQL["tenants.token"], {"system": system, "revision": revision}).fetchone()
    return (row["token"],) if row else None


def lease_refresh(db: TenantDb, system: System, revision: int) -> bool:
    """True: this process may fetch a new token now."""
    values = {"system": system, "revision": revision}
    return db.execute(SQL["tenants.lease_refresh"], values).fetchone() is not None


def save_token(db: TenantDb, system: System, revision: int, token: bytes, expires_at: datetime) -> bool:
    """False: not kept, since the connection was changed after the sign-in began."""
    values = {
        "system": system,
        "revision": revision,
        "token": token,
        "expires_at": expires_at,
    }
    return db.execute(SQL["tenants.save_token"], values).fetchone() is not None


def end_refresh(db: TenantDb, system: System, revision: int) -> None:
    """Gives the lease back without a new token."""
    db.execute(SQL["tenants.end_refresh"], {"system": system, "revision": revision})


def forget_token(db: TenantDb, system: System, revision: int) -> None:
    """Drops the token of this revision."""
    db.execute(SQL["tenants.forget_token"], {"system": system, "revision": revision})


def set_budget(db: TenantDb, system: System, percent: int) -> None:
    """The mark below which the call budget of the window has fallen, percent."""
    db.execute(SQL["tenants.budget"], {"system": system, "percent": percent})


def pause_for(db: TenantDb, system: System, seconds: float) -> None:
    """Nobody calls for so long from now, by the database's clock; a longer pause that runs stays."""
    db.execute(SQL["tenants.pause_until"], {"system": system, "seconds": seconds})


def lease_slots(
    db: TenantDb,
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
            "system": system,
            "holder": holder,
            "slots": slots,
            "wanted": wanted,
            "lease": seconds,
        },
    ).fetchall()
    return len(rows)


def free_slots(db: TenantDb, system: System, holder: UUID) -> None:
    """Gives back all call slots of a holder."""
    db.execute(SQL["tenants.free_slots"], {"system": system, "holder": holder})


def branches(db: TenantDb) -> dict[str, str]:
    """Severa business unit → number of the ERP branch (R-SET-6)."""
    rows = db.execute(SQL["tenants.branches"])
    return {row["business_unit_id"]: row["branch_number"] for row in rows}


def put_branch(db: TenantDb, business_unit_id: str, branch_number: str) -> None:
    """Maps a business unit; '' takes the mapping away."""
    values = {
        "business_unit_id": business_unit_id,
        "branch_number": branch_number,
    }
    db.execute(SQL["tenants.put_branch" if branch_number else "tenants.drop_branch"], values)


def audit(db: TenantDb, who: str, action: str, details: Mapping[str, Any]) -> None:
    """Every human action is in the audit log (R-OPS-4)."""
    db.execute(
        SQL["tenants.audit"],
        {"who": who, "action": action, "details": jsonb(details)},
    )
