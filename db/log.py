"""The transfer log, open problems and the gap list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.codec import clean_text, jsonb
from db.sql import SQL
from db.tenant import DispatchDb, TenantDb
from domain.model import NumberGap
from domain.recording import recorded


@dataclass(frozen=True, slots=True)
class About:
    """What a line or a problem is about: a matter, or (``subject``) something that is none, such as a connection or a
    register; ``number`` and ``name`` are what people call it."""

    domain: str
    matter_id: UUID | None = None
    subject: str = ""
    system: str = ""
    register: str = ""
    record_id: str = ""
    number: str = ""
    name: str = ""

    def values(self) -> dict[str, Any]:
        """For a statement; texts as PostgreSQL takes them."""
        names = ("domain", "subject", "system", "register", "record_id", "number", "name")
        return {"matter_id": self.matter_id} | {name: clean_text(getattr(self, name)) for name in names}


def write(
    db: TenantDb,
    *,
    about: About,
    direction: str,
    level: str,
    outcome: str,
    code: str,
    values: Mapping[str, Any],
    duration_ms: int,
    attempt_id: UUID | None,
) -> None:
    """One line of the transfer log."""
    db.execute(
        SQL["log.write"],
        {
            **about.values(),
            "direction": direction,
            "level": level,
            "outcome": outcome,
            "code": code,
            "values": jsonb(values),
            "duration_ms": duration_ms,
            "attempt_id": attempt_id,
        },
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines or problems are asked for; None = any. ``record``: an id, number or name, whole; ``search``: a part of number,
    name, id, cause or values, or one of the causes ``codes``; the period from ``since`` until before ``until``."""

    domain: str | None = None
    level: str | None = None
    outcome: str | None = None
    cause: str | None = None
    record: str | None = None
    search: str | None = None
    codes: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def values(self) -> dict[str, Any]:
        """For a statement."""
        return asdict(self) | {"codes": list(self.codes)}


def read(db: TenantDb, wanted: Wanted, limit: int) -> Sequence[Mapping[str, Any]]:
    """Lines of the transfer log, newest first, at most ``limit``."""
    return db.execute(SQL["log.read"], wanted.values() | {"limit": limit}).fetchall()


def read_counts(db: TenantDb, wanted: Wanted) -> Sequence[Mapping[str, Any]]:
    """The same lines as (domain, code, level, n, first_at, last_at), the most first."""
    return db.execute(SQL["log.read_counts"], wanted.values()).fetchall()


def of_matter(db: TenantDb, matter_id: UUID) -> Sequence[Mapping[str, Any]]:
    """Oldest first."""
    return db.execute(SQL["log.of_matter"], {"matter_id": matter_id}).fetchall()


def open_problem(db: TenantDb, about: About, code: str, values: Mapping[str, Any]) -> bool:
    """Opens a problem or notes that it is still there; True when it is new (R-LOG-3: one per matter and cause). ``values``: typed
    (``domain.values``)."""
    kept = jsonb(recorded(code, values))
    row = db.execute(SQL["log.open_problem"], {**about.values(), "code": code, "values": kept}).fetchone()
    return bool(row and row["times"] == 1)


def close_problems(db: TenantDb, about: About, how: str, *, keep: Sequence[str] = ()) -> None:
    """Closes the open problems of what ``about`` names (domain with matter, or with subject) but the causes in ``keep``."""
    db.execute(SQL["log.close_problems"], {**about.values(), "how": how, "except": list(keep)})


def open_problems(db: TenantDb) -> Sequence[Mapping[str, Any]]:
    """All of them, oldest first."""
    return db.execute(SQL["log.open_problems"]).fetchall()


def problems_found(
    db: TenantDb, wanted: Wanted, limit: int, *, closed_too: bool = False
) -> Sequence[Mapping[str, Any]]:
    """Problems that were asked for, oldest first, at most ``limit``."""
    values = wanted.values() | {"all": closed_too, "limit": limit}
    return db.execute(SQL["log.problems_found"], values).fetchall()


def problem_counts(db: TenantDb, wanted: Wanted, *, closed_too: bool = False) -> Sequence[Mapping[str, Any]]:
    """The same as (domain, code, n, open, first_at, last_at), the most first."""
    return db.execute(SQL["log.problem_counts"], wanted.values() | {"all": closed_too}).fetchall()


def problem(db: TenantDb, problem_id: int) -> Mapping[str, Any] | None:
    """By its number."""
    return db.execute(SQL["log.problem"], {"id": problem_id}).fetchone()


def has_problem(db: TenantDb, domain: str, matter_id: UUID) -> bool:
    """Whether a matter is itself in error in a domain."""
    row = db.execute(SQL["log.has_problem"], {"domain": domain, "matter_id": matter_id}).fetchone()
    return bool(row and row["found"])


def problem_of(db: TenantDb, domain: str, matter_id: UUID) -> int | None:
    """The number of a matter's oldest open problem in a domain, for whom it holds up."""
    row = db.execute(SQL["log.problem_of"], {"domain": domain, "matter_id": matter_id}).fetchone()
    return int(row["id"]) if row else None


def told_of(db: TenantDb, codes: Sequence[str]) -> Sequence[tuple[str, UUID]]:
    """Domain and matter of the open problems of some causes that stand without work."""
    rows = db.execute(SQL["log.told_of"], {"codes": list(codes)})
    return [(row["domain"], row["matter_id"]) for row in rows]


def of_cause(db: TenantDb, codes: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    """The open problems of some causes, locked."""
    return db.execute(SQL["log.of_cause"], {"codes": list(codes)}).fetchall()


def open_problems_of(db: DispatchDb) -> dict[str, int]:
    """Name of each tenant with open problems → how many; those that are live or paused."""
    return {row["tenant"]: row["n"] for row in db.execute(SQL["log.open_problems_of"])}


def put_gap(db: TenantDb, gap: NumberGap) -> None:
    """A number that was used by a document that had to be removed (R-INV-5)."""
    db.execute(
        SQL["log.put_gap"],
        {
            "document_type": gap.document_type,
            "number": gap.number,
            "severa_id": gap.severa_id,
            "reason": clean_text(gap.reason),
            "values": jsonb(gap.values),
        },
    )


def gaps(db: TenantDb) -> Sequence[Mapping[str, Any]]:
    """Oldest first."""
    return db.execute(SQL["log.gaps"]).fetchall()
