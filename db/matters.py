"""Matters: what has to be brought to rest, one row for life, at most one record per side (docs/never-twice.md rules 1 and 2)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.codec import clean_text, jsonb
from db.sql import SQL
from db.tenant import TenantDb
from domain.model import Booked, Chosen, Domain, Link, LinkUpdate, System

# Payments are settled on the invoice's matter; they have none of their own.
_MATTER_DOMAIN: Mapping[str, str] = {"payment": "invoice"}


def matter_domain(domain: str) -> str:
    """The domain whose matters a domain settles."""
    return _MATTER_DOMAIN.get(domain, domain)


@dataclass(frozen=True, slots=True)
class Matter:
    """One matter. ``severa`` and ``erp`` are (register, id), None while that side is empty."""

    id: UUID
    domain: Domain
    severa: tuple[str, str] | None
    erp: tuple[str, str] | None
    severa_number: str
    erp_number: str
    base: Mapping[str, Any]
    state: Mapping[str, Any]
    booked: Booked | None

    @property
    def link(self) -> Link | None:
        """The pair, once both sides are there."""
        if self.severa is None or self.erp is None:
            return None
        return Link(
            str(self.id), self.domain, *self.severa, self.severa_number, *self.erp, self.erp_number,
            self.base, None, self.state, self.booked,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Busy:
    """Why a matter cannot be joined just now: somebody works on it, or a call of it is unanswered."""

    id: UUID
    leased: bool


def _matter(row: Mapping[str, Any] | None) -> Matter | None:
    if row is None:
        return None
    return Matter(
        id=row["id"],
        domain=row["domain"],
        severa=(row["severa_register"], row["severa_id"]) if row["severa_id"] is not None else None,
        erp=(row["erp_register"], row["erp_id"]) if row["erp_id"] is not None else None,
        severa_number=row["severa_number"],
        erp_number=row["erp_number"],
        base=row["base"],
        state=row["state"],
        booked=Booked(row["booked_type"], row["booked_number"], row["booked_total"])
        if row["booked_number"] is not None
        else None,
    )


def get(db: TenantDb, id: UUID) -> Matter | None:
    """By id; one that was joined is the one that it became part of."""
    return _matter(db.execute(SQL["matters.get"], {"id": id}).fetchone())


def find(
    db: TenantDb,
    domain: str,
    *,
    severa_id: str | None = None,
    erp_id: str | None = None,
    erp_number: str | None = None,
) -> Matter | None:
    """The matter of a record, by exactly one of the three; whether or not its other side is there."""
    values = {"domain": matter_domain(domain)}
    if severa_id is not None:
        found = db.execute(SQL["matters.of_severa"], {**values, "severa_id": clean_text(severa_id)})
    elif erp_id is not None:
        found = db.execute(SQL["matters.of_erp"], {**values, "erp_id": clean_text(erp_id)})
    else:
        found = db.execute(SQL["matters.of_number"], {**values, "erp_number": clean_text(erp_number or "")})
    return _matter(found.fetchone())


def link(
    db: TenantDb,
    domain: str,
    *,
    severa_id: str | None = None,
    erp_id: str | None = None,
    erp_number: str | None = None,
) -> Link | None:
    """The pair that a record belongs to, None while it has no counterpart."""
    found = find(db, domain, severa_id=severa_id, erp_id=erp_id, erp_number=erp_number)
    return found.link if found else None


def of_ids(
    db: TenantDb, domains: Iterable[str], ids: Sequence[str]
) -> Mapping[tuple[str, System, str], tuple[UUID, bool]]:
    """(domain, system, record id) → (matter, whether both sides are there) of every record that has a matter."""
    found: dict[tuple[str, System, str], tuple[UUID, bool]] = {}
    rows = db.execute(SQL["matters.of_ids"], {"domains": list(domains), "ids": list(ids)})
    for row in rows:
        paired = row["severa_id"] is not None and row["erp_id"] is not None
        if row["severa_id"] is not None:
            found[row["domain"], "severa", row["severa_id"]] = (row["id"], paired)
        if row["erp_id"] is not None:
            found[row["domain"], "visma_net", row["erp_id"]] = (row["id"], paired)
    return found


def meet(
    db: TenantDb, domain: str, system: System, register: str, records: Iterable[tuple[str, str]]
) -> Mapping[str, UUID]:
    """The matters of records (id, number), made now where they were never seen; record id → matter."""
    wanted = {clean_text(one): clean_text(number) for one, number in records}
    if not wanted:
        return {}
    domain = matter_domain(domain)
    query = SQL["matters.meet_severa"] if system == "severa" else SQL["matters.meet_erp"]
    values = {
        "domain": domain,
        "register": register,
        "ids": list(wanted),
        "numbers": list(wanted.values()),
    }
    db.execute(query, values)
    known = of_ids(db, [domain], list(wanted))
    return {one: known[domain, system, one][0] for one in wanted if (domain, system, one) in known}


def counterparts(db: TenantDb, mine: Matter, update: LinkUpdate) -> list[UUID]:
    """The matters that hold one of the pair's records and are not ``mine``: they have to be joined into it."""
    found: set[UUID] = set()
    for side, record_id, by in (
        (mine.severa, update.severa_id, "severa_id"),
        (mine.erp, update.erp_id, "erp_id"),
    ):
        if not record_id or (side is not None and side[1] == record_id):
            continue
        other = find(db, mine.domain, **{by: record_id})
        if other is not None and other.id != mine.id:
            found.add(other.id)
    return sorted(found)


def put(db: TenantDb, id: UUID, update: LinkUpdate, held: Collection[UUID] | None = None) -> Busy | None:
    """Writes the pair onto the matter ``id``; whatever stood for one of its records alone is joined into it.

    ``held``: the matters that this transaction locked, in id order; None: none, they are locked now.
    Busy: another matter holds one of the records and somebody works on it, a call of it is unanswered, or it is not among
    those held (it came since they were locked, and locking it now might wait crosswise); nothing was written then. Raises
    ValueError when that record has a counterpart of its own already: two pairs are never joined.
    """
    mine = get(db, id)
    if mine is None:
        raise RuntimeError("a matter is never deleted")
    others = counterparts(db, mine, update)
    if others and held is None:
        lock(db, [mine.id, *others])
    for other in others:
        if held is not None and other not in held:
            return Busy(other, leased=True)
        if busy := join(db, mine.id, other):
            return busy
    db.execute(
        SQL["matters.put"],
        {
            "id": mine.id,
            "severa_register": update.severa_register,
            "severa_id": update.severa_id,
            "severa_number": update.severa_number,
            "erp_register": update.erp_register or None,
            "erp_id": update.erp_id or None,
            "erp_number": update.erp_number,
            "base": None if update.base is None else jsonb(update.base),
            "state": None if update.state is None else jsonb(update.state),
        },
    )
    return None


def join(db: TenantDb, into: UUID, other: UUID) -> Busy | None:
    """``other`` becomes part of ``into`` (rule 2): work, waits, needs and problems move, its row stays and points.

    Raises ValueError for two that have the same side filled, but for a side that ``into`` is about to leave.
    """
    rows = {row["id"]: row for row in db.execute(SQL["matters.lock"], {"ids": [into, other]})}
    theirs = rows.get(other)
    if theirs is None or theirs["joined_into"] is not None or rows[into]["joined_into"] is not None:
        # Somebody joined one of them between the look and the lock.
        return Busy(other, leased=True)
    if theirs["severa_id"] is not None and theirs["erp_id"] is not None:
        raise ValueError("two pairs are never joined")
    busy = db.execute(SQL["matters.busy"], {"id": other}).fetchone()
    if busy and (busy["leased"] or busy["unsettled"]):
        return Busy(other, leased=bool(busy["leased"]))
    values = {"into": into, "other": other}
    for name in (
        "join_sent", "join", "join_work", "join_work_drop", "join_work_move", "join_waits",
        "join_problems_close", "join_problems", "join_needs",
    ):  # fmt: skip
        db.execute(SQL[f"matters.{name}"], values)
    return None


def lock(db: TenantDb, ids: Sequence[UUID]) -> None:
    """Holds several matters to the end of the transaction; taken in id order, so that two never wait crosswise."""
    db.execute(SQL["matters.lock"], {"ids": list(ids)}).fetchall()


def share(db: TenantDb, ids: Sequence[UUID]) -> None:
    """Keeps several matters from being ended or joined to the end of the transaction; in id order, as ``lock``."""
    if ids:
        db.execute(SQL["matters.share"], {"ids": list(ids)}).fetchall()


def needs(db: TenantDb, id: UUID) -> list[UUID]:
    """The matters of which this one needs something."""
    return [row["needed_id"] for row in db.execute(SQL["matters.needs"], {"id": id})]


def needed(db: TenantDb, id: UUID) -> tuple[str, ...]:
    """What other matters need of this one just now (rule 20)."""
    return tuple(row["what"] for row in db.execute(SQL["matters.needed"], {"id": id}))


def put_need(db: TenantDb, matter_id: UUID, needed_id: UUID, what: str) -> bool:
    """A matter needs something of another until it rests; True when that is new."""
    values = {"matter_id": matter_id, "needed_id": needed_id, "what": what}
    return db.execute(SQL["matters.put_need"], values).fetchone() is not None


def lift_needs(db: TenantDb, matter_id: UUID, *, but: UUID | None = None) -> list[UUID]:
    """A matter that rests needs nothing more, ``but`` of one; whom it had needed."""
    values = {"matter_id": matter_id, "but": but}
    return [row["needed_id"] for row in db.execute(SQL["matters.lift_needs"], values)]


def document_owner(db: TenantDb, type: str, number: str) -> str | None:
    """Severa guid of the invoice whose document this is or was."""
    row = db.execute(SQL["matters.document_owner"], {"type": type, "number": number}).fetchone()
    return row["severa_id"] if row else None


def document_matters(db: TenantDb, ids: Sequence[str]) -> Mapping[str, UUID]:
    """ERP document id (``type/number``) → the invoice's matter, of those that are or were one's."""
    rows = db.execute(SQL["matters.document_matter"], {"ids": list(ids)})
    return {row["id"]: row["matter_id"] for row in rows}


def removed_before(db: TenantDb, ids: Sequence[str], asked_at: datetime) -> list[UUID]:
    """Matters of documents among these (``type/number``) that were removed, and whose removal must have shown at ``asked_at``."""
    if not ids:
        return []
    rows = db.execute(SQL["matters.removed_before"], {"ids": list(ids), "asked_at": asked_at})
    return [row["matter_id"] for row in rows]


def doubtful(db: TenantDb) -> Sequence[Mapping[str, Any]]:
    """Matters in doubt with the problem that says why, oldest first."""
    return db.execute(SQL["matters.doubtful"]).fetchall()


def decide(db: TenantDb, matter_id: UUID, generation: int, decision: Mapping[str, Any]) -> bool:
    """Keeps a person's decision for the next delivery; False when the matter moved since it was shown."""
    values = {"matter_id": matter_id, "generation": generation, "decision": jsonb(decision)}
    return db.execute(SQL["matters.decide"], values).fetchone() is not None


def choice(db: TenantDb, domain: str, system: str, record_id: str) -> str | None:
    """The class kept in the bridge for a record (R-CUS-6)."""
    row = db.execute(
        SQL["matters.choice"], {"domain": domain, "system": system, "record_id": record_id}
    ).fetchone()
    return row["value"] if row else None


def put_choice(db: TenantDb, domain: str, system: str, record_id: str, value: str) -> None:
    """Keeps what a person chose for a record: a class (R-CUS-6), or what of an invoice was let go (R-INV-15)."""
    values = {"domain": domain, "system": system, "record_id": record_id, "value": value}
    db.execute(SQL["matters.put_choice"], values)


def take_over_choice(db: TenantDb, chosen: Chosen) -> None:
    """Keeps a class that was changed in the ERP as the choice, unless a person has chosen since the delivery looked."""
    values = {
        "domain": chosen.domain,
        "record_id": chosen.severa_id,
        "value": chosen.value,
        "was": chosen.was,
    }
    db.execute(SQL["matters.take_over_choice"], values)
