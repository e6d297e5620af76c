"""Attempts and their steps: what was sent, when, and what came back. A successor reads them before it does anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from db.codec import clean_text, jsonb
from db.outbox import Claimed
from db.pool import Connection
from db.sql import SQL
from domain.ports import Json, Step


def start(db: Connection, row: Claimed, worker: str) -> None:
    """The attempt's id is the claim's token. Earlier attempts that never ended count as lost."""
    values = {
        "tenant_id": row.tenant_id,
        "id": row.token,
        "delivery": row.delivery,
        "outbox_id": row.id,
        "domain": row.domain,
        "subject": row.subject,
        "worker": worker,
    }
    db.execute(SQL["attempts.start"], values)
    if row.first_attempt_at is not None:
        db.execute(SQL["attempts.lose"], values)


def finish(
    db: Connection, tenant_id: UUID, attempt_id: UUID, outcome: str, error: str | None, calls: int
) -> None:
    """``outcome``: done | later | waiting | failed | in_doubt | fenced."""
    db.execute(
        SQL["attempts.finish"],
        {
            "tenant_id": tenant_id,
            "id": attempt_id,
            "outcome": outcome,
            "error": None if error is None else clean_text(error)[:2000],
            "calls": calls,
        },
    )


def steps(db: Connection, tenant_id: UUID, delivery: UUID) -> dict[str, Step]:
    """The steps of all attempts of a delivery: a step that is done anywhere is done, else its newest state counts."""
    found: dict[str, Step] = {}
    for row in db.execute(SQL["attempts.steps"], {"tenant_id": tenant_id, "delivery": delivery}):
        step = Step(row["name"], row["sent_at"], row["done_at"] is not None, row["request"], row["result"])
        if step.done or step.name not in found or not found[step.name].done:
            found[step.name] = step
    return {name: step for name, step in found.items() if step.done or step.sent_at is not None}


def begin_step(db: Connection, row: Claimed, name: str, request: Json) -> datetime:
    """Commits ``sent_at`` (with the transaction); the time."""
    found = db.execute(SQL["attempts.begin_step"], {**_step(row, name), "request": jsonb(request)}).fetchone()
    if found is None:  # an upsert without a condition returns its row
        raise RuntimeError("the step was not written")
    at: datetime = found["sent_at"]
    return at


def end_step(db: Connection, row: Claimed, name: str, result: Json) -> None:
    db.execute(SQL["attempts.end_step"], {**_step(row, name), "result": jsonb(result)})


def undo_step(db: Connection, row: Claimed, name: str, reason: str) -> None:
    db.execute(SQL["attempts.undo_step"], {**_step(row, name), "result": jsonb({"undone": reason})})


def _step(row: Claimed, name: str) -> dict[str, Any]:
    return {
        "tenant_id": row.tenant_id,
        "attempt_id": row.token,
        "delivery": row.delivery,
        "name": name,
    }


def of_subjects(db: Connection, tenant_id: UUID, subjects: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    """Attempts with their steps, oldest first, for the timeline of a record (R-LOG-2)."""
    return db.execute(
        SQL["attempts.of_subject"], {"tenant_id": tenant_id, "subjects": list(subjects)}
    ).fetchall()


def payloads(db: Connection, tenant_id: UUID, attempt_ids: Sequence[UUID]) -> Sequence[Mapping[str, Any]]:
    """Requests and responses of attempts, masked."""
    return db.execute(
        SQL["attempts.payloads"], {"tenant_id": tenant_id, "attempts": list(attempt_ids)}
    ).fetchall()


def put_payloads(
    db: Connection, tenant_id: UUID, attempt_id: UUID | None, exchanges: Sequence[Mapping[str, Any]]
) -> None:
    """Masked requests and responses of one attempt, in one go."""
    if not exchanges:
        return
    with db.cursor() as cursor:
        cursor.executemany(
            SQL["attempts.put_payload"],
            [{**exchange, "tenant_id": tenant_id, "attempt_id": attempt_id} for exchange in exchanges],
        )


def waits(db: Connection, tenant_id: UUID, delivery: UUID) -> int:
    """How often this delivery has waited for another record so far."""
    row = db.execute(SQL["attempts.waits"], {"tenant_id": tenant_id, "delivery": delivery}).fetchone()
    return row["n"] if row else 0
