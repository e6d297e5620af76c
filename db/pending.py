"""What is still to be done about records: to be read again, announced, found missing, or settled.

The rows and their statements are those of ``db.records``; here stands what a reading asks of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.codec import from_bytes
from db.records import key_of
from db.sql import SQL
from db.tenant import TenantDb
from domain.model import Json, System
from domain.polling import Reading
from domain.registers import Register


@dataclass(frozen=True, slots=True)
class Unannounced:
    """``waiting`` rows of a register that nobody was told of, ``changed`` of them known before; ``known`` in all."""

    known: int
    waiting: int
    changed: int


def to_read_again(db: TenantDb, system: System) -> list[tuple[str, str, Json]]:
    """(register, id, body) of rows whose order nobody could tell, at most a hundred."""
    rows = db.execute(SQL["records.again"], {"system": system})
    return [(row["register"], row["id"], from_bytes(row["body"])) for row in rows]


def sure(
    db: TenantDb,
    register: Register,
    ids: Sequence[str] = (),
    *,
    before: datetime | None = None,
) -> None:
    """Nothing is left to be asked about these, nor about what was answered before a reading that asked for all of it."""
    db.execute(SQL["records.sure"], {**key_of(register), "ids": list(ids), "before": before})


def unannounced(db: TenantDb, system: str, register: str, before: datetime | None = None) -> Unannounced:
    """``before``: when an open reading of the register began, whose rows are not counted."""
    values = {"system": system, "register": register, "before": before}
    row = db.execute(SQL["records.unannounced"], values).fetchone()
    return Unannounced(row["known"], row["waiting"], row["changed"]) if row else Unannounced(0, 0, 0)


def restless(db: TenantDb, system: System) -> set[str]:
    """Registers with rows that nobody was told of."""
    rows = db.execute(SQL["records.restless"], {"system": system})
    return {row["register"] for row in rows}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that nobody was told of, in this version; ``known``: of an earlier version somebody was."""

    id: str
    version: int
    body: Json
    known: bool


def next_unannounced(db: TenantDb, register: Register, before: datetime | None, limit: int) -> list[Waiting]:
    """The next rows that nobody was told of, in the order of their ids. ``before`` as in ``unannounced``."""
    values = {**key_of(register), "before": before, "limit": limit}
    return [
        Waiting(row["id"], row["version"], from_bytes(row["body"]), row["known"])
        for row in db.execute(SQL["records.next_unannounced"], values)
    ]


def announced(
    db: TenantDb,
    register: Register,
    versions: Mapping[str, int],
    settled: Collection[str],
) -> None:
    """Everybody knows of these versions (id → version); the ``settled`` ones have no work of their own."""
    db.execute(
        SQL["records.announced"],
        {
            **key_of(register),
            "ids": list(versions),
            "versions": list(versions.values()),
            "settled": [record_id in settled for record_id in versions],
        },
    )


def missing(db: TenantDb, system: str, reading: Reading) -> int:
    """How many records a whole reading did not show; those answered since it began are not missing."""
    row = db.execute(SQL["records.missing"], _of_reading(system, reading)).fetchone()
    return row["n"] if row else 0


def next_missing(db: TenantDb, system: str, reading: Reading, limit: int) -> list[tuple[str, Json]]:
    """(id, body) of the next missing records, in the order of their ids."""
    values = {**_of_reading(system, reading), "limit": limit}
    return [(row["id"], from_bytes(row["body"])) for row in db.execute(SQL["records.next_missing"], values)]


def gone(db: TenantDb, system: str, reading: Reading, ids: Sequence[str]) -> set[str]:
    """Marks records that a complete reading did not show; which of them."""
    values = {**_of_reading(system, reading), "ids": sorted(ids)}
    return {row["id"] for row in db.execute(SQL["records.gone"], values)}


def _of_reading(system: str, reading: Reading) -> dict[str, Any]:
    return {
        "system": system,
        "register": reading.register,
        "reading_id": reading.id,
        "began_at": reading.began_at,
    }


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A record that was announced and is not settled, in this version."""

    system: str
    register: str
    id: str
    version: int
    body: Json

    @property
    def place(self) -> tuple[str, str, str]:
        """System, register and id: the order in which they are gone through."""
        return self.system, self.register, self.id


def unsettled(db: TenantDb, after: tuple[str, str, str], limit: int) -> list[Unsettled]:
    """The next ones behind ``after``, in the order of system, register and id."""
    system, register, record_id = after
    values = {
        "system": system,
        "register": register,
        "id": record_id,
        "limit": limit,
    }
    return [
        Unsettled(row["system"], row["register"], row["id"], row["version"], from_bytes(row["body"]))
        for row in db.execute(SQL["records.unsettled"], values)
    ]


def still_unsettled(db: TenantDb, found: Sequence[Unsettled]) -> set[tuple[str, str, str]]:
    """Those of them that nobody has settled since, by place."""
    values = {
        "systems": [one.system for one in found],
        "registers": [one.register for one in found],
        "ids": [one.id for one in found],
        "versions": [one.version for one in found],
    }
    rows = db.execute(SQL["records.still_unsettled"], values)
    return {(row["system"], row["register"], row["id"]) for row in rows}
