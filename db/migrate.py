"""Migrations: numbered plain SQL files, applied once, in order, by the owner.

One transaction per file, under an advisory lock, with lock and statement time-outs, and a checksum per applied file:
a file that was changed after it was applied, or a database that is newer than this program, stops everything.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from db.sql import SQL
from domain.errors import InputError

PARTITIONS_AHEAD = 3
"""Months of the logs, and days of the payloads, that have their partition before they begin."""
_LOCK = 8_405_119_002
_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")
_LEASED = "BR001"
_ROLES = ("bridge_app", "bridge_dispatch")


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: version ``0001``, its text and the checksum that is kept with it."""

    version: str
    name: str
    text: LiteralString

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations() -> list[Migration]:
    """All migrations of this program, in order."""
    found = []
    for file in resources.files("db").joinpath("migrations").iterdir():
        if match := _NAME.match(file.name):
            text = file.read_text(encoding="utf-8")
            found.append(Migration(match[1], file.name, text))
    return sorted(found, key=lambda m: m.version)


@functools.cache
def newest_version() -> str:
    """What this program's database stands at; a claim names it, so that an older process is turned away."""
    return migrations()[-1].version


def migrate(owner_url: str, app_url: str | None = None, *, alone: bool = False) -> list[str]:
    """Brings the database up to this program and makes the roles; the versions applied now, [] when up to date.

    ``owner_url`` must be allowed to create roles and tables. ``app_url`` names the login that the application uses: it
    is made (or given its password) as a member of the application roles, which cannot bypass row-level security.
    ``alone``: no process of the bridge can be running (embedded mode): leases are those of the dead. Raises InputError:
    unreachable, newer database, changed migration, work that is leased while tables change their meaning.
    """
    try:
        connection = psycopg.connect(owner_url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise InputError(
            f"The database cannot be reached: {_first_line(error)}. Check the address and that PostgreSQL runs."
        ) from error
    with connection as db:
        db.execute("set lock_timeout = '20s'")
        db.execute("select pg_advisory_lock(%s)", [_LOCK])
        db.execute("set lock_timeout = '4s'")
        db.execute("set statement_timeout = '30s'")
        _make_roles(db, app_url)
        db.execute(
            "create table if not exists schema_migrations (version text primary key, checksum text not null, applied_at timestamptz not null default clock_timestamp())"
        )
        db.execute(sql.SQL("grant select on schema_migrations to {}").format(_list(_ROLES)))
        applied = _check(db)
        now = []
        for migration in migrations():
            if migration.version in applied:
                continue
            with db.transaction(), _leases_explained():
                db.execute("select set_config('bridge.alone', %s, true)", ["on" if alone else ""])
                db.execute(migration.text)
                db.execute(
                    "insert into schema_migrations (version, checksum) values (%s, %s)",
                    [migration.version, migration.checksum],
                )
            now.append(migration.version)
        # Before the first row, which would stand in the default partition, and keep this month's from being made.
        db.execute("select make_partitions(%s)", [PARTITIONS_AHEAD])
        know_installation(db)
        return now


@contextmanager
def _leases_explained() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.Error as error:
        if error.sqlstate != _LEASED:
            raise
        raise InputError(
            "Work is still leased: stop every process of the bridge, wait for its leases to run out (at most five minutes), and migrate again."
        ) from error


def check_version(db: psycopg.Connection[tuple[object, ...]]) -> None:
    """Raises InputError unless the database stands exactly at this program's version."""
    exists = db.execute("select to_regclass('schema_migrations')").fetchone()
    if not exists or exists[0] is None:
        raise InputError("The database is empty: run 'severa-bridge db migrate' first.")
    applied = _check(db)
    missing = [m.version for m in migrations() if m.version not in applied]
    if missing:
        raise InputError(f"The database lacks migration {missing[0]}: run 'severa-bridge db migrate' first.")


def _check(db: psycopg.Connection[tuple[object, ...]]) -> dict[str, str]:
    applied = {
        str(version): str(checksum)
        for version, checksum in db.execute("select version, checksum from schema_migrations").fetchall()
    }
    known = {m.version: m for m in migrations()}
    if newer := sorted(set(applied) - set(known)):
        raise InputError(
            f"The database is newer than this program (it has migration {newer[-1]}): install the newer version of the bridge."
        )
    for version, checksum in sorted(applied.items()):
        if known[version].checksum != checksum:
            raise InputError(
                f"Migration {known[version].name} was changed after it was applied: restore the released file."
            )
    return applied


def _make_roles(db: psycopg.Connection[tuple[object, ...]], app_url: str | None) -> None:
    wanted = conninfo_to_dict(app_url) if app_url else {}
    login = wanted.get("user")
    for role in _ROLES:
        _make_role(db, role, sql.SQL("nologin"))
    if not login:
        return
    login = str(login)
    owner = db.execute("select current_user").fetchone()
    if owner and owner[0] == login:
        raise InputError(
            f"The application may not sign in as the owner of the tables ('{login}'): give BRIDGE_DATABASE_URL a user of its own."
        )
    _make_role(db, login, sql.SQL("login nosuperuser nobypassrls noinherit"))
    if password := wanted.get("password"):
        db.execute(
            sql.SQL("alter role {} password {}").format(sql.Identifier(login), sql.Literal(str(password)))
        )
    db.execute(sql.SQL("grant {} to {}").format(_list(_ROLES), sql.Identifier(login)))


def _make_role(db: psycopg.Connection[tuple[object, ...]], name: str, options: sql.SQL) -> None:
    # Roles belong to the cluster: another database's migration may be making the same one at this moment.
    if db.execute("select from pg_roles where rolname = %s", [name]).fetchone() is None:
        try:
            db.execute(sql.SQL("create role {} {}").format(sql.Identifier(name), options))
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            return


def know_installation(db: psycopg.Connection[Any]) -> None:
    """Writes down which database this is, once. A copy made with CREATE DATABASE … TEMPLATE is another one."""
    db.execute(SQL["installation.know"])


def _list(names: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
