"""Attempts: one try of a delivery each, with what was called and how it ended. Their steps are the claim's (``db.claim``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from db.claim import Claimed
from db.codec import clean_text
from db.sql import SQL
from db.tenant import TenantDb


def start(db: TenantDb, row: Claimed, worker: str) -> None:
    """The attempt's id is the claim's token. Earlier attempts that never ended count as lost."""
    values = {
        "id": row.token,
        "delivery": row.delivery,
        "outbox_id": row.id,
        "domain": row.domain,
        "matter_id": row.matter_id,
        "worker": worker,
    }
    db.execute(SQL["attempts.start"], values)
    if row.first_attempt_at is not None:
        db.execute(SQL["attempts.lose"], values)


def silent(db: TenantDb, row: Claimed) -> int:
    """Of the workers that were counted as lost over this row in a row, those that were never heard of again."""
    values = {"delivery": row.delivery, "id": row.token, "last": row.lost}
    found = db.execute(SQL["attempts.silent"], values).fetchone()
    return found["n"] if found else 0


def finish(db: TenantDb, attempt_id: UUID, outcome: str, error: str | None, calls: int) -> None:
    """``outcome``: done | later | waiting | failed | in_doubt | fenced."""
    db.execute(
        SQL["attempts.finish"],
        {
            "id": attempt_id,
            "outcome": outcome,
            "error": None if error is None else clean_text(error)[:2000],
            "calls": calls,
        },
    )


def rested_since(db: TenantDb, domain: str, matter_id: UUID, since: datetime) -> bool:
    """Whether a delivery of the matter in this domain came to its end, with nothing left to do, since a moment."""
    values = {"domain": domain, "matter_id": matter_id, "since": since}
    found = db.execute(SQL["attempts.rested_since"], values).fetchone()
    return bool(found and found["found"])


def of_matter(db: TenantDb, matter_id: UUID) -> Sequence[Mapping[str, Any]]:
    """Attempts with their steps, oldest first, for the timeline of a record (R-LOG-2)."""
    return db.execute(SQL["attempts.of_matter"], {"matter_id": matter_id}).fetchall()


def payloads(db: TenantDb, attempt_ids: Sequence[UUID]) -> Sequence[Mapping[str, Any]]:
    """Requests and responses of attempts, masked."""
    return db.execute(SQL["attempts.payloads"], {"attempts": list(attempt_ids)}).fetchall()


def put_payloads(db: TenantDb, attempt_id: UUID, exchanges: Sequence[Mapping[str, Any]]) -> None:
    """Masked requests and responses of one attempt, in one go."""
    if exchanges:
        db.execute_many(
            SQL["attempts.put_payload"], [{**exchange, "attempt_id": attempt_id} for exchange in exchanges]
        )
