"""Records: the last seen state of every row of every register."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from typing import Any
from uuid import UUID

from db.codec import clean_text, from_bytes, to_bytes
from db.pool import Connection
from db.sql import SQL
from domain.ports import Json, Record, System
from domain.registers import Register
from domain.text import name_key

MARKER = re.compile(r"^severa:[0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a page, read through its register."""

    id: str
    number: str
    name: str
    marker: str | None
    body: bytes
    hash: bytes
    remote_time: datetime | None
    in_scope: bool
    json: Json
    organisation: str = ""
    owner: str = ""
    # never seen before (known after it was stored)
    new: bool = False


def row_of(register: Register, body: Json, start: date | None, zone: tzinfo) -> Row:
    """A row as it will be stored. Raises whatever the register's functions raise on a malformed body.

    ``zone``: of times that carry none (the ERP's). A record that comes from a page and from our own write must get the
    same time, or the later one of the two is taken for the older and ignored.
    """
    remote_time = register.remote_time(body)
    if remote_time is not None and remote_time.tzinfo is None:
        remote_time = remote_time.replace(tzinfo=zone)
    projection = register.projection(body)
    material = "\x1f".join(f"{key}\x1e{projection[key]}" for key in sorted(projection))
    note = body.get("note")
    note = note.get("value") if isinstance(note, dict) else note
    marker = MARKER.match(note) if isinstance(note, str) else None
    return Row(
        id=clean_text(register.identify(body)),
        number=clean_text(register.number(body)),
        name=clean_text(register.title(body)),
        marker=marker[0] if marker else None,
        body=to_bytes(body),
        hash=hashlib.sha256(material.encode("utf-8", "surrogatepass")).digest(),
        remote_time=remote_time,
        in_scope=not register.reference and register.in_scope(body, start),
        json=body,
        organisation=clean_text(register.organisation(body)),
        owner=clean_text(register.owner(body)),
    )


def store(
    db: Connection, tenant_id: UUID, register: Register, rows: Sequence[Row], requested_at: datetime
) -> list[Row]:
    """Writes a page; the rows whose mapped fields changed or that are new (those that have to be announced).

    A changed mapping version re-hashes without announcing. An older remote time never replaces a newer one.
    """
    key = {"tenant_id": tenant_id, "system": register.system, "register": register.name}
    known = {
        row["id"]: row for row in db.execute(SQL["records.known"], {**key, "ids": [row.id for row in rows]})
    }
    changed: list[Row] = []
    same: list[str] = []
    for row in rows:
        old = known.get(row.id)
        # What a newer mapping reads from a body (its owner, say) is written even where nothing changed.
        mapped = old is not None and old["mapping_version"] == register.mapping_version
        if old and mapped and old["hash"] == row.hash and bytes(old["body"]) == row.body:
            same.append(row.id)
            continue
        written = db.execute(
            SQL["records.put"], {**key, **_values(register, row, requested_at), "own": False}
        ).fetchone()
        if written is None:
            continue
        if old is None or (old["version"] != written["version"]):
            changed.append(replace(row, new=old is None))
    if same:
        db.execute(SQL["records.touch"], {**key, "ids": same, "requested_at": requested_at})
    return changed


def put_own(db: Connection, tenant_id: UUID, register: Register, row: Row, requested_at: datetime) -> None:
    """What our own read or write gave back becomes the last seen state, settled: its echo causes nothing (R-CON-2)."""
    key = {"tenant_id": tenant_id, "system": register.system, "register": register.name}
    db.execute(SQL["records.put"], {**key, **_values(register, row, requested_at), "own": True})


def _values(register: Register, row: Row, requested_at: datetime) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": row.number,
        "name": row.name,
        "name_key": name_key(clean_text(row.name)),
        "marker": row.marker,
        "body": row.body,
        "hash": row.hash,
        "mapping_version": register.mapping_version,
        "remote_time": row.remote_time,
        "requested_at": requested_at,
        "in_scope": row.in_scope,
        "organisation": row.organisation,
        "owner": row.owner,
    }


def settled(db: Connection, tenant_id: UUID, system: str, register: str, id: str, version: int) -> None:
    """This version of the record needs nothing more."""
    db.execute(
        SQL["records.settled"],
        {"tenant_id": tenant_id, "system": system, "register": register, "id": id, "version": version},
    )


def settled_now(db: Connection, tenant_id: UUID, system: str, register: str, id: str) -> None:
    """The record has no work of its own in its present version."""
    db.execute(
        SQL["records.settled_now"],
        {"tenant_id": tenant_id, "system": system, "register": register, "id": id},
    )


def _record(row: Mapping[str, Any]) -> Record:
    return Record(
        row["system"],
        row["register"],
        row["id"],
        row["number"],
        row["name"],
        from_bytes(row["body"]),
        row["version"],
        row["remote_time"],
        row["requested_at"],
        row["settled_version"],
        row["seen_at"],
        row["gone_at"] is not None,
    )


def get(db: Connection, tenant_id: UUID, system: str, register: str, id: str) -> Record | None:
    row = db.execute(
        SQL["records.get"], {"tenant_id": tenant_id, "system": system, "register": register, "id": id}
    ).fetchone()
    return _record(row) if row else None


def newest(db: Connection, tenant_id: UUID, system: str, registers: Sequence[str], id: str) -> Record | None:
    """The record as seen last in any of these registers (a sales case that became a project)."""
    row = db.execute(
        SQL["records.newest"],
        {"tenant_id": tenant_id, "system": system, "registers": list(registers), "id": id},
    ).fetchone()
    return _record(row) if row else None


def find(
    db: Connection,
    tenant_id: UUID,
    system: System,
    register: str,
    *,
    number: str | None = None,
    name: str | None = None,
    organisation: str | None = None,
    owner: str | None = None,
) -> list[Record]:
    """By number, by name (without case and extra spaces), or by both; by organisation number; or by owner."""
    values: dict[str, Any] = {"tenant_id": tenant_id, "system": system, "register": register}
    if owner is not None:
        query, values = SQL["records.by_owner"], values | {"owner": owner}
    elif organisation is not None:
        query, values = SQL["records.by_organisation"], values | {"organisation": organisation}
    elif number is not None and name is not None:
        query = SQL["records.by_number_and_name"]
        values |= {"number": number, "name_key": name_key(clean_text(name))}
    elif number is not None:
        query, values = SQL["records.by_number"], values | {"number": number}
    else:
        query, values = SQL["records.by_name"], values | {"name_key": name_key(clean_text(name or ""))}
    return [_record(row) for row in db.execute(query, values)]


def by_marker(db: Connection, tenant_id: UUID, marker: str) -> list[Record]:
    rows = db.execute(SQL["records.by_marker"], {"tenant_id": tenant_id, "marker": marker})
    return [_record(row) for row in rows]


def all_of(db: Connection, tenant_id: UUID, system: str, register: str) -> list[Record]:
    rows = db.execute(SQL["records.all"], {"tenant_id": tenant_id, "system": system, "register": register})
    return [_record(row) for row in rows]


def set_scope(db: Connection, system: str, register: str, ids: Sequence[str], *, in_scope: bool) -> None:
    """Whether these records are to be settled at all (a changed start date)."""
    values = {"system": system, "register": register, "ids": list(ids), "in_scope": in_scope}
    db.execute(SQL["records.set_scope"], values)


def known_before(db: Connection, system: str, register: str, id: str, moment: datetime) -> bool:
    """Whether the bridge had seen a record before a moment."""
    row = db.execute(
        SQL["records.known_before"], {"system": system, "register": register, "id": id, "moment": moment}
    ).fetchone()
    return bool(row and row["known"])


def search(db: Connection, tenant_id: UUID, registers: list[str], wanted: str) -> list[Record]:
    rows = db.execute(
        SQL["records.search"],
        {
            "tenant_id": tenant_id,
            "registers": registers,
            "wanted": clean_text(wanted),
            "name_key": name_key(clean_text(wanted)),
        },
    )
    return [_record(row) for row in rows]


def ids(db: Connection, tenant_id: UUID, system: str, register: str) -> set[str]:
    rows = db.execute(SQL["records.ids"], {"tenant_id": tenant_id, "system": system, "register": register})
    return {row["id"] for row in rows}


def count(db: Connection, tenant_id: UUID, system: str, register: str) -> int:
    row = db.execute(
        SQL["records.count"], {"tenant_id": tenant_id, "system": system, "register": register}
    ).fetchone()
    return row["n"] if row else 0


def all_in(db: Connection, tenant_id: UUID, system: str, register: str, other: str) -> bool:
    """True when the register has rows and every one of them stands in the other register too."""
    row = db.execute(
        SQL["records.all_in"],
        {"tenant_id": tenant_id, "system": system, "register": register, "other": other},
    ).fetchone()
    return bool(row and row["shown"])


def gone(db: Connection, tenant_id: UUID, system: str, register: str, missing: list[str]) -> None:
    """These were absent from a complete sweep."""
    db.execute(
        SQL["records.gone"],
        {"tenant_id": tenant_id, "system": system, "register": register, "ids": missing},
    )
