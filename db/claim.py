"""The claim: what permits an effect, what records it, and how a delivery ends (docs/never-twice.md rules 3 to 5).

What *permits* names token, generation, epoch and a lease that still runs, after the matter was locked in an earlier
statement of the same transaction. What *records* names the token only: it has happened. Every row count is checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from db.codec import jsonb
from db.migrate import newest_version
from db.sql import SQL
from db.tenant import TenantDb
from domain.clock import settle_time
from domain.errors import LeaseLost
from domain.model import Decision, Document, Json, Step


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row and its matter, both owned under ``token``. ``matter_generation`` counts the matter's leases."""

    tenant_id: UUID
    id: int
    token: UUID
    matter_id: UUID
    matter_generation: int
    domain: str
    delivery: UUID
    attempts: int
    lost: int
    cause: str
    system: str
    register: str
    begun: bool
    waits_since: datetime | None
    now: datetime
    tenant_name: str
    language: str
    time_zone: str
    settings: Mapping[str, Any] | None
    # when an earlier attempt of this delivery began, None = this is the first
    first_attempt_at: datetime | None
    decision: Decision | None
    installation: str
    rewound_at: datetime | None

    @property
    def own(self) -> dict[str, Any]:
        """The values that every fence of a statement compares: row, matter, token, generation."""
        return {
            "id": self.id,
            "matter_id": self.matter_id,
            "token": self.token,
            "matter_generation": self.matter_generation,
        }


@dataclass(frozen=True, slots=True)
class Done:
    """What a call brought, waiting to be committed."""

    name: str
    round: int
    result: Json
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that is about to be made. ``not_after``, ``limit`` and ``margin`` in seconds; ``visibility``: how long what it makes
    may take to show; ``document``: type of the document that it makes, with its ``nonce``."""

    name: str
    round: int
    request: Json
    not_after: float
    limit: float
    visibility: float
    document: str = ""
    nonce: str = ""
    margin: float = 0.0

    @property
    def settles(self) -> float:
        """Seconds after which an unanswered one has shown itself."""
        return settle_time(
            not_after=self.not_after, limit=self.limit, margin=self.margin, visibility=self.visibility
        )


# ---------------------------------------------------------------- the beginning


def claim(db: TenantDb, id: int, generation: int, token: UUID, lease: float) -> Claimed | None:
    """Takes a row and its matter. None: the message is stale, somebody works on the matter, the tenant or domain is paused,
    nothing may be written to this database, or a newer program migrated it; the row is given back then."""
    values: dict[str, Any] = {"id": id, "generation": generation, "token": token, "lease": lease}
    db.execute(SQL["claim.of_row"], values)
    db.execute(SQL["claim.tenant"], values)
    row = db.execute(SQL["claim.start"], {**values, "schema": newest_version()}).fetchone()
    if row is None:
        db.execute(SQL["claim.refuse"], values)
        return None
    held = db.execute(SQL["claim.lease"], values).fetchone()
    if held is None:
        raise LeaseLost
    db.execute(SQL["claim.supersede"], values)
    decision = Decision(**held["decision"]) if held["decision"] else None
    return Claimed(
        tenant_id=db.tenant_id,
        id=id,
        token=token,
        matter_generation=held["generation"],
        decision=decision,
        installation=held["installation"],
        rewound_at=held["rewound_at"],
        **row,
    )


def steps(db: TenantDb, row: Claimed) -> dict[tuple[str, int], Step]:
    """The steps of this delivery, and whatever call of this matter and domain is unanswered; the newest of each name and
    round. A step that was undone is as if it had never been begun; one that was done says nothing of a call that was begun
    under its name later."""
    found: dict[tuple[str, int], Step] = {}
    rows = db.execute(
        SQL["attempts.steps"],
        {"delivery": row.delivery, "matter_id": row.matter_id, "domain": row.domain},
    )
    for one in rows:
        key = (one["name"], one["round"])
        step = Step(
            one["name"],
            one["sent_at"],
            one["done_at"] is not None,
            one["request"],
            one["result"],
            one["round"],
            one["settles_at"],
            one["nonce"],
        )
        if step.done or step.sent_at is not None:
            found[key] = step
    return found


def documents(db: TenantDb, row: Claimed) -> tuple[Document, ...]:
    """Every document that the matter ever asked for, oldest first."""
    found = db.execute(SQL["claim.documents"], {"matter_id": row.matter_id})
    return tuple(Document(**one) for one in found)


# ---------------------------------------------------------------- what permits an effect


def _permit(db: TenantDb, row: Claimed, lease: float) -> None:
    """Locks the matter, then asks; raises LeaseLost."""
    db.execute(SQL["claim.lock"], row.own)
    if db.execute(SQL["claim.permit"], {**row.own, "lease": lease}).fetchone() is None:
        raise LeaseLost


def renew(db: TenantDb, row: Claimed, lease: float) -> bool:
    """A worker that works says so; False when it is not its own any more, or busy with it this moment."""
    return db.execute(SQL["claim.renew"], {**row.own, "lease": lease}).fetchone() is not None


def begin(db: TenantDb, row: Claimed, asked: Asked, *, lease: float, remake: bool = False) -> datetime:
    """Permits one call; its settle time. ``remake``: a person decided that the document is made again."""
    _permit(db, row, max(lease, asked.not_after + asked.limit + asked.margin))
    db.execute(SQL["claim.begun"], row.own)
    if asked.document:
        if remake:
            db.execute(SQL["claim.retire"], row.own)
            db.execute(SQL["claim.reopen"], row.own)
        db.execute(
            SQL["claim.asked"],
            {**row.own, "type": asked.document, "nonce": asked.nonce, "round": asked.round},
        )
    found = db.execute(
        SQL["attempts.begin_step"],
        {
            **_step(row, asked.name, asked.round),
            "request": jsonb(asked.request),
            "not_after": timedelta(seconds=asked.not_after),
            "settles": timedelta(seconds=asked.settles),
            "nonce": asked.nonce,
        },
    ).fetchone()
    if found is None:
        raise RuntimeError("the step was not written")
    at: datetime = found["settles_at"]
    return at


def claim_document(db: TenantDb, row: Claimed, type: str, number: str, *, lease: float) -> bool:
    """The one document of this matter that may be released; False when another one is (R-INV-13)."""
    _permit(db, row, lease)
    values = {**row.own, "type": type, "number": number}
    return db.execute(SQL["claim.claim"], values).fetchone() is not None


def adopt(db: TenantDb, row: Claimed, document: Document, *, lease: float) -> bool:
    """A document found by its marker, or named by a person, is the matter's; False when it is another one's."""
    _permit(db, row, lease)
    values = {
        **row.own,
        "type": document.type,
        "number": document.number,
        "nonce": document.nonce,
        "round": document.round,
    }
    if db.execute(SQL["claim.known"], values).fetchone() is not None:
        return True
    if db.execute(SQL["claim.taken"], values).fetchone() is not None:
        return False
    if db.execute(SQL["claim.returned"], values).fetchone() is not None:
        db.execute(SQL["claim.no_gap"], values)
        return True
    return db.execute(SQL["claim.adopt"], values).fetchone() is not None


def drop(
    db: TenantDb,
    row: Claimed,
    type: str,
    number: str,
    reason: str,
    *,
    surplus: bool,
    lease: float,
    visibility: float,
) -> None:
    """A document was removed unreleased; it is named. ``visibility``: seconds until that must show everywhere. One that was
    removed before keeps what was said of it then. Raises LeaseLost also when it stands as released."""
    _permit(db, row, lease)
    values = {
        **row.own,
        "type": type,
        "number": number,
        "reason": reason,
        "surplus": surplus,
        "visibility": visibility,
    }
    if db.execute(SQL["claim.drop"], values).fetchone() is None:
        if db.execute(SQL["claim.known"], values).fetchone() is not None:
            # It stands as released: a second row of its number would be refused by the table, as a defect.
            raise LeaseLost
        adopted = {**row.own, "type": type, "number": number, "nonce": "", "round": 1}
        db.execute(SQL["claim.adopt"], adopted)
        if db.execute(SQL["claim.drop"], values).fetchone() is None:
            raise LeaseLost


def hold_key(db: TenantDb, row: Claimed, key: str, *, lease: float) -> UUID | None:
    """Holds a natural key before a create (rule 2a); the matter that holds it already, None = it is ours. Raises
    psycopg.errors.UniqueViolation when another one took it between the look and the write: its transaction is lost."""
    _permit(db, row, lease)
    values = {**row.own, "key": key, "domain": row.domain}
    other = db.execute(SQL["claim.key_holder"], values).fetchone()
    if other is not None:
        found: UUID = other["id"]
        return found
    if db.execute(SQL["claim.hold_key"], values).fetchone() is None:
        raise LeaseLost
    return None


def sending(db: TenantDb, row: Claimed, sent: Mapping[str, Any], *, lease: float) -> None:
    """Permits writes to a linked register, and keeps which values they send. Raises LeaseLost."""
    _permit(db, row, lease)
    if db.execute(SQL["claim.sending"], {**row.own, "sent": jsonb(sent)}).fetchone() is None:
        raise LeaseLost


# ---------------------------------------------------------------- what records one


def record(db: TenantDb, row: Claimed, dones: Sequence[Done]) -> None:
    """What calls brought. On the own attempt and by the own nonce, so that it is true whoever holds the matter now."""
    for one in dones:
        db.execute(SQL["attempts.end_step"], {**_step(row, one.name, one.round), "result": jsonb(one.result)})
        number = one.result.get("number")
        if one.nonce and number:
            values = {"nonce": one.nonce, "type": str(one.result.get("type", "")), "number": str(number)}
            db.execute(SQL["claim.made"], values)


def undo(db: TenantDb, row: Claimed, name: str, round: int, nonce: str, reason: str) -> None:
    """The vendor surely did not do it."""
    db.execute(SQL["attempts.undo_step"], {**_step(row, name, round), "result": jsonb({"undone": reason})})
    if nonce:
        db.execute(SQL["claim.unmade"], {"nonce": nonce})


def book(db: TenantDb, row: Claimed, type: str, number: str, total: Decimal) -> None:
    """The document was seen Open or Closed: a fact, whoever holds the matter."""
    values = {**row.own, "type": type, "number": number, "total": total}
    db.execute(SQL["claim.book"], values)
    db.execute(SQL["claim.released"], values)


# ---------------------------------------------------------------- the end


def hold(db: TenantDb, row: Claimed) -> bool | None:
    """Locks the matter for the finishing transaction: the row's ``again``, None when it is not ours any more."""
    db.execute(SQL["claim.lock"], row.own)
    found = db.execute(SQL["claim.holds"], row.own).fetchone()
    return bool(found["again"]) if found else None


def give_back(db: TenantDb, row: Claimed) -> None:
    """The matter is free for the next delivery."""
    db.execute(SQL["claim.give_back"], row.own)


def make_due(db: TenantDb, row: Claimed) -> None:
    """Fenced out: whoever comes next looks at once."""
    db.execute(SQL["claim.make_due"], row.own)


def finish(db: TenantDb, row: Claimed, *, again: bool) -> None:
    """Deletes the row; or, when it changed meanwhile, makes it ready once more."""
    db.execute(SQL["claim.forget_key"], row.own)
    db.execute(SQL["claim.forget_decision"], row.own)
    # In a pipeline only a fetched result tells how many rows there were.
    if again or db.execute(SQL["claim.finish"], row.own).fetchone() is None:
        db.execute(SQL["claim.again"], row.own)


def later(db: TenantDb, row: Claimed, *, delay: float, costs_attempt: bool) -> None:
    """The same delivery again after ``delay`` seconds."""
    db.execute(SQL["claim.later"], {**row.own, "delay": delay, "refund": 0 if costs_attempt else 1})


def wait(
    db: TenantDb,
    row: Claimed,
    *,
    matter: UUID | None,
    register: str | None = None,
    need: str = "",
    delay: float,
) -> None:
    """Waits for another matter, or for a reference register by name."""
    db.execute(SQL["claim.free_key"], row.own)
    values = {**row.own, "waits_matter": matter, "waits_key": register, "need": need, "delay": delay}
    db.execute(SQL["claim.wait"], values)


def fail(
    db: TenantDb, row: Claimed, state: str, *, matter: UUID | None = None, register: str | None = None
) -> None:
    """``state``: failed | in_doubt. ``matter`` or ``register``: what must succeed first."""
    db.execute(SQL["claim.forget_decision"], row.own)
    db.execute(SQL["claim.free_key"], row.own)
    values = {**row.own, "state": state, "waits_matter": matter, "waits_key": register}
    db.execute(SQL["claim.fail"], values)


def _step(row: Claimed, name: str, round: int) -> dict[str, Any]:
    return {
        "attempt_id": row.token,
        "delivery": row.delivery,
        "matter_id": row.matter_id,
        "domain": row.domain,
        "name": name,
        "round": round,
    }
