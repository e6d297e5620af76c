"""Everything that the bridge keeps of a tenant, in one file: a zip with a file of JSON lines per table (R-OPS-5).

Secrets are left out. Amounts are exact; bodies stand as the vendors' own JSON. ``manifest.json`` is written last and counts the
rows: a file without it is not whole.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import simplejson

from db import tables
from db.codec import from_bytes
from db.migrate import newest_version
from db.pool import Database
from db.tables import IDENTITY, TABLES, Table
from db.tenants import Tenant
from domain.errors import InputError

AT_ONCE = 500
Say = Callable[[str, int], None]
"""Table, and how many of its rows so far."""


def check_target(path: Path) -> None:
    """Raises InputError when the file is there already, or cannot be made."""
    if path.exists():
        raise InputError(f"The file {path} is there already: choose another one for the export.")
    try:
        with _opened(path):
            pass
    except OSError as error:
        raise InputError(f"The file {path} cannot be made: {error.strerror or error}.") from error


def export(
    db: Database, tenant: Tenant, path: Path, made_at: datetime, say: Say = lambda _table, _rows: None
) -> dict[str, int]:
    """Writes the file; rows per table. It has its name only when it is whole, and only its owner can read it.

    Raises InputError when it cannot be written.
    """
    try:
        with _opened(path) as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                counts = {
                    table.name: _table(db, tenant.id, table, archive, say)
                    for table in (*exported(), IDENTITY)
                }
                manifest = {
                    "tenant": tenant.name, "id": str(tenant.id), "schema": newest_version(),
                    "made_at": made_at.isoformat(), "rows": counts,
                }  # fmt: skip
                with db.tenant(tenant.id) as connection:
                    archive.writestr("tenant.jsonl", line(tables.tenant_row(connection) or {}))
                archive.writestr("manifest.json", simplejson.dumps(manifest, indent=2))
            file.flush()
            os.fsync(file.fileno())
        _part(path).replace(path)
    except OSError as error:
        raise InputError(f"The export {path} cannot be written: {error.strerror or error}.") from error
    return counts


def exported() -> Iterator[Table]:
    """Every table once, as it is emptied."""
    return (table for table in TABLES if not table.only)


def line(row: dict[str, Any]) -> str:
    """One row as a line of JSON."""
    # Without an encoding bytes come to _plain; with simplejson's own they would be taken for text.
    return simplejson.dumps(row, use_decimal=True, ensure_ascii=True, encoding=None, default=_plain) + "\n"


def _table(db: Database, tenant_id: UUID, table: Table, archive: zipfile.ZipFile, say: Say) -> int:
    after: tuple[Any, ...] | None = None
    count = 0
    with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as out:
        while True:
            # A transaction per page: none is open while the file is written.
            with db.tenant(tenant_id) as connection:
                rows = tables.read(connection, table, after, AT_ONCE)
            for row in rows:
                out.write(line(_readable(row)).encode("ascii"))
            count += len(rows)
            if rows:
                say(table.name, count)
            if len(rows) < AT_ONCE:
                return count
            after = tables.key_of(table, rows[-1])


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """A body as the JSON that it is, not as bytes."""
    if "body" not in row:
        return row
    try:
        return {**row, "body": from_bytes(row["body"])}
    except ValueError:
        return row


def _plain(value: Any) -> Any:
    match value:
        case datetime() | date():
            return value.isoformat()
        case UUID():
            return str(value)
        case bytes() | memoryview():
            return bytes(value).hex()
        case _:
            raise TypeError(f"{type(value).__name__} has no JSON form")


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _opened(path: Path) -> Any:
    """The unfinished file, emptied: what a stopped export has left is of no use."""
    descriptor = os.open(_part(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    return os.fdopen(descriptor, "wb")
