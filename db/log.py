"""The transfer log, open problems and the gap list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from db.codec import clean_text, jsonb
from db.pool import Connection
from db.sql import SQL
from domain.ports import NumberGap


def write(
    db: Connection,
    tenant_id: UUID,
    *,
    about: Mapping[str, str],
    direction: str,
    level: str,
    outcome: str,
    code: str,
    values: Mapping[str, Any],
    duration_ms: int,
    attempt_id: UUID | None,
) -> None:
    """One line of the transfer log. ``about``: domain, subject, system, register, record_id, number, name."""
    db.execute(
        SQL["log.write"],
        {
            **{key: clean_text(value) for key, value in about.items()},
            "tenant_id": tenant_id,
            "direction": direction,
            "level": level,
            "outcome": outcome,
            "code": code,
            "values": jsonb(values),
            "duration_ms": duration_ms,
            "attempt_id": attempt_id,
        },
    )


def read(
    db: Connection, tenant_id: UUID, *, domain: str | None, level: str | None, limit: int
) -> Sequence[Mapping[str, Any]]:
    """Newest first."""
    return db.execute(
        SQL["log.read"], {"tenant_id": tenant_id, "domain": domain, "level": level, "limit": limit}
    ).fetchall()


def of_subjects(db: Connection, tenant_id: UUID, subjects: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    """Oldest first."""
    return db.execute(SQL["log.of_subject"], {"tenant_id": tenant_id, "subjects": list(subjects)}).fetchall()


def open_problem(
    db: Connection, tenant_id: UUID, about: Mapping[str, str], code: str, values: Mapping[str, Any]
) -> bool:
    """Opens a problem or notes that it is still there; True when it is new (R-LOG-3: one per record and cause)."""
    row = db.execute(
        SQL["log.open_problem"],
        {
            **{key: clean_text(value) for key, value in about.items()},
            "tenant_id": tenant_id,
            "code": code,
            "values": jsonb(values),
        },
    ).fetchone()
    return bool(row and row["times"] == 1)


def close_problems(
    db: Connection,
    tenant_id: UUID,
    domain: str,
    subjects: Sequence[str],
    how: str,
    *,
    keep: Sequence[str] = (),
) -> None:
    """Closes the open problems of these subjects but the causes in ``keep``."""
    db.execute(
        SQL["log.close_problems"],
        {
            "tenant_id": tenant_id,
            "domain": domain,
            "subjects": list(subjects),
            "how": how,
            "except": list(keep),
        },
    )


def problems(db: Connection, tenant_id: UUID, *, closed_too: bool = False) -> Sequence[Mapping[str, Any]]:
    return db.execute(SQL["log.problems"], {"tenant_id": tenant_id, "all": closed_too}).fetchall()


def problem(db: Connection, tenant_id: UUID, problem_id: int) -> Mapping[str, Any] | None:
    return db.execute(SQL["log.problem"], {"tenant_id": tenant_id, "id": problem_id}).fetchone()


def has_problem(db: Connection, tenant_id: UUID, domain: str, subjects: Sequence[str]) -> bool:
    row = db.execute(
        SQL["log.has_problem"], {"tenant_id": tenant_id, "domain": domain, "subjects": list(subjects)}
    ).fetchone()
    return bool(row and row["found"])


def of_cause(db: Connection, tenant_id: UUID, codes: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    """The open problems of some causes, locked."""
    return db.execute(SQL["log.of_cause"], {"tenant_id": tenant_id, "codes": list(codes)}).fetchall()


def open_problems(db: Connection) -> int:
    """Over all tenants that are live or paused. Needs a dispatch transaction."""
    row = db.execute(SQL["log.open_problems"]).fetchone()
    return row["n"] if row else 0


def put_gap(db: Connection, tenant_id: UUID, gap: NumberGap) -> None:
    db.execute(
        SQL["log.put_gap"],
        {
            "tenant_id": tenant_id,
            "document_type": gap.document_type,
            "number": gap.number,
            "severa_id": gap.severa_id,
            "reason": clean_text(gap.reason),
        },
    )


def gaps(db: Connection, tenant_id: UUID) -> Sequence[Mapping[str, Any]]:
    return db.execute(SQL["log.gaps"], {"tenant_id": tenant_id}).fetchall()
