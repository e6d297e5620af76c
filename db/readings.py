"""Readings of registers: how far each has come, and whether what it brought is let through or held (R-CON-3).

States and who moves them: ``queries/readings.sql``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.sql import SQL
from db.tenant import TenantDb
from domain.model import System
from domain.polling import Reading


@dataclass(frozen=True, slots=True)
class Held:
    """A reading that the brake has stopped."""

    system: System
    reading: Reading


def _reading(row: Mapping[str, Any]) -> Reading:
    return Reading(**{key: value for key, value in row.items() if key not in ("tenant_id", "system")})


def of_connection(db: TenantDb, system: System) -> list[Reading]:
    """Readings that want something still: open, held, let_through; oldest first."""
    rows = db.execute(SQL["readings.of_connection"], {"system": system})
    return [_reading(row) for row in rows]


def begin(
    db: TenantDb,
    system: System,
    register: str,
    *,
    since: datetime | None,
    began_at: datetime,
    mark_at: datetime,
) -> Reading:
    """``since`` None: the whole register. ``mark_at``: no mark of it may be later."""
    row = db.execute(
        SQL["readings.begin"],
        {
            "system": system,
            "register": register,
            "whole": since is None,
            "since": since,
            "began_at": began_at,
            "mark_at": mark_at,
        },
    ).fetchone()
    if row is None:  # an insert returns its row
        raise RuntimeError("the reading was not begun")
    return _reading(row)


def page(
    db: TenantDb,
    reading: Reading,
    *,
    position: str | None,
    rows: int,
    changed: int,
    unreadable: int,
    left_out: int,
    newest: datetime | None,
) -> Reading:
    """Adds a page's counts; ``position``: where the next one begins."""
    row = db.execute(
        SQL["readings.page"],
        {
            "id": reading.id,
            "position": position,
            "rows": rows,
            "changed": changed,
            "unreadable": unreadable,
            "left_out": left_out,
            "newest": newest,
        },
    ).fetchone()
    return _reading(row) if row else reading


def cleared(db: TenantDb, reading: Reading, n: int) -> Reading:
    """So many of the rows that were left out have been read singly."""
    row = db.execute(SQL["readings.cleared"], {"id": reading.id, "n": n}).fetchone()
    return _reading(row) if row else reading


def end(db: TenantDb, reading: Reading, state: str, *, completed: bool) -> Reading:
    """``state``: complete | let_through | held | dead. ``completed``: it was read to its end just now."""
    row = db.execute(
        SQL["readings.end"],
        {"id": reading.id, "state": state, "completed": completed},
    ).fetchone()
    return _reading(row) if row else reading


def announced(db: TenantDb, reading: Reading, n: int, *, state: str | None = None) -> None:
    """So many changes of known records were announced with it; ``state``: what it is from now on."""
    db.execute(SQL["readings.announced"], {"id": reading.id, "n": n, "state": state})


def supersede(db: TenantDb, system: System, register: str) -> None:
    """The register's held reading makes way for a newer one."""
    db.execute(SQL["readings.supersede"], {"system": system, "register": register})


def given_up(db: TenantDb, system: System, reading: Reading) -> int:
    """How many rows readings that never came to their end have announced since the last complete one."""
    row = db.execute(
        SQL["readings.given_up"],
        {"system": system, "register": reading.register, "id": reading.id},
    ).fetchone()
    return int(row["n"]) if row else 0


def clear(db: TenantDb, system: System, reading: Reading) -> None:
    """A complete reading stands for all finished ones before it."""
    db.execute(
        SQL["readings.clear"],
        {"system": system, "register": reading.register, "id": reading.id},
    )


def held(db: TenantDb) -> list[Held]:
    """What the brake has stopped at this tenant, locked."""
    rows = db.execute(SQL["readings.held"]).fetchall()
    return [Held(row["system"], _reading(row)) for row in rows]


def open_one(db: TenantDb, system: System, register: str) -> Reading | None:
    """The register's reading whose pages are being read."""
    row = db.execute(SQL["readings.open"], {"system": system, "register": register}).fetchone()
    return _reading(row) if row else None


def resume(db: TenantDb, reading: Reading) -> None:
    """A person has let it through; the next poll announces it."""
    db.execute(SQL["readings.resume"], {"id": reading.id})
