"""Records: the last seen state of every row of every register, ordered by when it was asked for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from typing import Any

from db.codec import clean_text, from_bytes, to_bytes
from db.sql import SQL
from db.tenant import TenantDb
from domain import polling
from domain.model import Json, Record, System
from domain.polling import Asked, Order
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
    # the version it was compared with, None = never seen before
    seen_version: int | None = None


@dataclass(slots=True)
class Compared:
    """A page's rows beside what is stored.

    changed   new, or other values in a mapped field: these have to be announced
    rewritten  the mapped fields agree, something else of the body does not, or the mapping is another one
    same      nothing to write but that they were seen; also what is older than the stored state
    overlaps  asked for while the stored state was being asked for: nobody can tell which is newer
    """

    changed: list[Row] = field(default_factory=list)
    rewritten: list[Row] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    overlaps: list[Row] = field(default_factory=list)


def row_of(register: Register, body: Json, start: date | None, zone: tzinfo) -> Row:
    """A row as it will be stored. Raises whatever the register's functions raise on a malformed body.

    ``zone``: of times that carry none (the ERP's). A record that comes from a page and from our own write must get the
    same time, or the later one of the two is taken for the older and ignored.
    """
    remote_time = register.remote_time(body)
    if remote_time is not None and remote_time.tzinfo is None:
        remote_time = remote_time.replace(tzinfo=zone)
    note = body.get("note")
    note = note.get("value") if isinstance(note, dict) else note
    marker = MARKER.match(note) if isinstance(note, str) else None
    return Row(
        id=clean_text(register.identify(body)),
        number=clean_text(register.number(body)),
        name=clean_text(register.title(body)),
        marker=marker[0] if marker else None,
        body=to_bytes(body),
        hash=hashed(register, body),
        remote_time=remote_time,
        in_scope=not register.reference and register.in_scope(body, start),
        json=body,
        organisation=clean_text(register.organisation(body)),
        owner=clean_text(register.owner(body)),
    )


def hashed(register: Register, body: Json) -> bytes:
    """The hash of the mapped fields: what says whether a row changed."""
    projection = register.projection(body)
    material = "\x1f".join(f"{key}\x1e{projection[key]}" for key in sorted(projection))
    return hashlib.sha256(material.encode("utf-8", "surrogatepass")).digest()


def compare(db: TenantDb, register: Register, rows: Sequence[Row], asked: Asked, now: datetime) -> Compared:
    """A page's rows beside what is stored; nothing is written. ``now``: PostgreSQL's.

    Where the mapping is another one than at the last time, the *stored* body is read by the new one and compared: an
    edit that comes with the first poll after an upgrade is a change, the upgrade is none.
    """
    found = db.execute(SQL["records.known"], {**key_of(register), "ids": [row.id for row in rows]})
    known = {row["id"]: row for row in found}
    made = Compared()
    for row in rows:
        old = known.get(row.id)
        if old is None:
            made.changed.append(row)
            continue
        agrees = _hash_of(register, old) == row.hash and not old["gone"]
        if agrees and old["mapping_version"] == register.mapping_version and bytes(old["body"]) == row.body:
            made.same.append(row.id)
            continue
        order = polling.order(asked, Asked(old["asked_at"], old["answered_at"]), now)
        row = replace(row, seen_version=old["version"])  # noqa: PLW2901 - the same row, with what it was compared with
        if order is Order.NEWER:
            (made.rewritten if agrees else made.changed).append(row)
        elif agrees or order is Order.OLDER:
            made.same.append(row.id)
        else:
            made.overlaps.append(row)
    return made


def _hash_of(register: Register, old: Mapping[str, Any]) -> bytes | None:
    """The stored row's hash by the present mapping; None when the present mapping cannot read it."""
    if old["mapping_version"] == register.mapping_version:
        return bytes(old["hash"])
    try:
        return hashed(register, from_bytes(old["body"]))
    except Exception:  # noqa: BLE001 - a body that the new mapping cannot read differs from one that it can
        return None


def write(
    db: TenantDb,
    register: Register,
    compared: Compared,
    asked: Asked,
    *,
    reading_id: int | None,
    held: Collection[str] = (),
    settled: Collection[str] = (),
) -> list[Row]:
    """Writes what was compared; the rows that somebody else wrote in between, to be read again.

    ``held``: changed rows whose announcing waits for the end of their reading; all others count as announced.
    ``settled``: changed rows that have no work of their own.
    """
    times = {"asked_at": asked.asked_at, "answered_at": asked.answered_at, "reading_id": reading_id}
    # In the order of their ids, like every other transaction that writes many: they never wait crosswise.
    if (compared.changed or compared.rewritten) and compared.same:
        every = [row.id for row in (*compared.changed, *compared.rewritten)] + compared.same
        lock(db, register.system, register.name, every)
    rows = sorted([*compared.changed, *compared.rewritten], key=lambda row: row.id)
    changed = {row.id for row in compared.changed}
    written = [
        db.execute(
            SQL["records.put"],
            {
                **_values(register, row),
                **times,
                "seen_version": row.seen_version,
                "changed": row.id in changed,
                "announced": row.id not in held,
                "settled": row.id in settled,
            },
        )
        for row in rows
    ]
    raced = [row for row, done in zip(rows, written, strict=True) if done.fetchone() is None]
    if compared.same:
        _touch(db, register, compared.same, times)
    return raced


def _touch(db: TenantDb, register: Register, ids: Sequence[str], times: Mapping[str, Any]) -> None:
    db.execute(SQL["records.touch"], {**key_of(register), **times, "ids": sorted(ids)})


def lock(db: TenantDb, system: str, register: str, ids: Collection[str]) -> None:
    """Holds several rows of a register to the end of the transaction, taken in the order of their ids."""
    db.execute(
        SQL["records.lock"],
        {"system": system, "register": register, "ids": list(ids)},
    ).fetchall()


def put_own(
    db: TenantDb,
    register: Register,
    row: Row,
    asked_at: datetime,
    answered_at: datetime | None = None,
) -> None:
    """What our own read or write gave back becomes the last seen state, settled: its echo causes nothing (R-CON-2).

    ``asked_at``, ``answered_at``: PostgreSQL's time before the request and after its answer (None = now). The same rule as
    for polled rows: an answer older than the stored state changes nothing, one that overlaps it stands and is read again.
    """
    values = {**_values(register, row), "asked_at": asked_at, "answered_at": answered_at}
    if db.execute(SQL["records.put_own"], values).fetchone() is None:
        db.execute(SQL["records.own_agrees"], values)


def key_of(register: Register) -> dict[str, Any]:
    """What every statement about a register's records names."""
    return {"system": register.system, "register": register.name}


def _values(register: Register, row: Row) -> dict[str, Any]:
    return {
        **key_of(register),
        "id": row.id,
        "number": row.number,
        "name": row.name,
        "name_key": name_key(clean_text(row.name)),
        "marker": row.marker,
        "body": row.body,
        "hash": row.hash,
        "mapping_version": register.mapping_version,
        "remote_time": row.remote_time,
        "in_scope": row.in_scope,
        "organisation": row.organisation,
        "owner": row.owner,
    }


def settled(db: TenantDb, system: str, register: str, id: str, version: int) -> None:
    """This version of the record needs nothing more."""
    db.execute(
        SQL["records.settled"],
        {"system": system, "register": register, "id": id, "version": version},
    )


def settled_now(db: TenantDb, system: str, register: str, id: str) -> None:
    """The record has no work of its own in its present version."""
    db.execute(
        SQL["records.settled_now"],
        {"system": system, "register": register, "id": id},
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
        row["asked_at"],
        row["settled_version"],
        row["seen_at"],
        row["gone_at"] is not None,
    )


def get(db: TenantDb, system: str, register: str, id: str) -> Record | None:
    """The record as last seen, a gone one too; None when it was never seen."""
    row = db.execute(SQL["records.get"], {"system": system, "register": register, "id": id}).fetchone()
    return _record(row) if row else None


def newest(db: TenantDb, system: str, registers: Sequence[str], id: str) -> Record | None:
    """The record as seen last in any of these registers (a sales case that became a project)."""
    row = db.execute(
        SQL["records.newest"],
        {"system": system, "registers": list(registers), "id": id},
    ).fetchone()
    return _record(row) if row else None


def find(
    db: TenantDb,
    system: System,
    register: str,
    *,
    number: str | None = None,
    name: str | None = None,
    organisation: str | None = None,
    owner: str | None = None,
) -> list[Record]:
    """By number, by name (without case and extra spaces), or by both; by organisation number; or by owner."""
    values: dict[str, Any] = {"system": system, "register": register}
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


def by_marker(db: TenantDb, marker: str) -> list[Record]:
    """Documents of the ERP whose note's first line is this marker, with any nonce behind it (``Books.find_marker``)."""
    rows = db.execute(SQL["records.by_marker"], {"marker": marker})
    return [_record(row) for row in rows]


def all_of(db: TenantDb, system: str, register: str) -> list[Record]:
    """Every record of a register that is not gone."""
    rows = db.execute(SQL["records.all"], {"system": system, "register": register})
    return [_record(row) for row in rows]


def set_scope(db: TenantDb, system: str, register: str, ids: Sequence[str], *, in_scope: bool) -> None:
    """Whether these records are to be settled at all (a changed start date)."""
    values = {"system": system, "register": register, "ids": list(ids), "in_scope": in_scope}
    db.execute(SQL["records.set_scope"], values)


def known_before(db: TenantDb, system: str, register: str, id: str, moment: datetime) -> bool:
    """Whether the bridge had seen a record before a moment."""
    row = db.execute(
        SQL["records.known_before"], {"system": system, "register": register, "id": id, "moment": moment}
    ).fetchone()
    return bool(row and row["known"])


def search(db: TenantDb, registers: list[str], wanted: str) -> list[Record]:
    """Records of these registers by id, number or name, for a person who asks for one; at most 20."""
    rows = db.execute(
        SQL["records.search"],
        {
            "registers": registers,
            "wanted": clean_text(wanted),
            "name_key": name_key(clean_text(wanted)),
        },
    )
    return [_record(row) for row in rows]


def all_in(db: TenantDb, system: str, register: str, other: str) -> bool:
    """True when the register has rows and every one of them stands in the other register too."""
    row = db.execute(
        SQL["records.all_in"],
        {"system": system, "register": register, "other": other},
    ).fetchone()
    return bool(row and row["shown"])


def ids_of_numbers(db: TenantDb, system: str, register: str, numbers: Sequence[str]) -> dict[str, list[str]]:
    """Number → ids of the records that people call so."""
    found: dict[str, list[str]] = {}
    values = {"system": system, "register": register, "numbers": list(numbers)}
    for row in db.execute(SQL["records.ids_of_numbers"], values):
        found.setdefault(row["number"], []).append(row["id"])
    return found


def owners(db: TenantDb, system: str, register: str, ids: Sequence[str]) -> dict[str, str]:
    """Id → the record that it belongs to."""
    values = {"system": system, "register": register, "ids": list(ids)}
    return {row["id"]: row["owner"] for row in db.execute(SQL["records.owners"], values)}
