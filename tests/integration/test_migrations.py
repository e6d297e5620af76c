"""Migrations: applied once, drift noticed, equal to db/schema.sql, and refused when the database is newer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from services import Database as Made

from db.migrate import check_version, migrate, migrations
from db.pool import Database
from domain.errors import InputError

SCHEMA = Path(__file__).parents[2] / "db" / "schema.sql"

_DESCRIBE = {
    "columns": """select table_name, column_name, data_type, is_nullable, column_default, is_identity
                  from information_schema.columns where table_schema = 'public' order by 1, 2""",
    "constraints": """select c.conrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid) from pg_constraint c
                      join pg_namespace n on n.oid = c.connamespace where n.nspname = 'public' and c.contype <> 'n' order by 1, 2""",
    "indexes": "select indexname, indexdef from pg_indexes where schemaname = 'public' order by 1",
    "policies": "select tablename, policyname, roles::text, qual, with_check from pg_policies order by 1, 2",
    "rights": """select table_name, grantee, privilege_type from information_schema.role_table_grants
                 where grantee in ('bridge_app', 'bridge_dispatch') order by 1, 2, 3""",
    "column rights": """select table_name, column_name, grantee, privilege_type from information_schema.column_privileges
                        where grantee in ('bridge_app', 'bridge_dispatch') order by 1, 2, 3, 4""",
    "security": "select relname, relrowsecurity, reloptions::text from pg_class where relnamespace = 'public'::regnamespace order by 1",
    "functions": "select proname, prosrc, prosecdef, proacl::text from pg_proc where pronamespace = 'public'::regnamespace order by 1",
}


def _describe(url: str) -> dict[str, list[tuple[Any, ...]]]:
    with psycopg.connect(url) as db:
        return {
            what: [
                row
                for row in db.execute(query.encode()).fetchall()
                # A partition is a month's or a day's, and no part of the schema.
                if "schema_migrations" not in str(row) and not re.search(r"_\d{8}", str(row))
            ]
            for what, query in _DESCRIBE.items()
        }


def test_migrations_make_exactly_what_schema_sql_says(database: Made, empty_database: Made) -> None:
    # Written from the embedded server; which collation knows all letters is the server's (0018).
    with psycopg.connect(database.owner_url) as db:
        [letters] = db.execute("select prosrc from pg_proc where proname = 'bridge_lower'").fetchone() or [""]
    assert "collate pg_catalog." in letters
    schema = re.sub(
        r"select lower\(\$1 collate [^)]*\)", lambda _: letters, SCHEMA.read_text(encoding="utf-8")
    )
    with psycopg.connect(empty_database.owner_url) as db:
        db.execute(schema.encode())
    assert _describe(database.owner_url) == _describe(empty_database.owner_url)


def test_migrating_twice_changes_nothing(empty_database: Made) -> None:
    first = migrate(empty_database.owner_url, empty_database.app_url)
    assert first == [migration.version for migration in migrations()]
    assert migrate(empty_database.owner_url, empty_database.app_url) == []


def test_the_first_rows_of_a_new_installation_have_a_partition(empty_database: Made) -> None:
    """In the default partition they would keep their month's from being made, and a data-only dump from being brought back."""
    migrate(empty_database.owner_url)
    with psycopg.connect(empty_database.owner_url) as db:
        found = db.execute(
            "select distinct inhparent::regclass::text from pg_inherits where inhrelid::regclass::text ~ '_[0-9]{8}$' order by 1"
        ).fetchall()
    assert [table for (table,) in found] == ["audit_log", "payload", "transfer_log"]


def test_a_changed_migration_is_noticed(database: Made) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as db:
        db.execute("update schema_migrations set checksum = 'x' where version = '0001'")
    with pytest.raises(InputError, match="was changed after it was applied"):
        migrate(database.owner_url, database.app_url)


def test_a_newer_database_is_refused_by_the_program(database: Made) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as db:
        db.execute("insert into schema_migrations (version, checksum) values ('9999', 'x')")
    with pytest.raises(InputError, match="newer than this program"):
        migrate(database.owner_url, database.app_url)
    with pytest.raises(InputError, match="newer than this program"):
        Database(database.app_url).open()


def test_an_empty_database_says_what_to_run(empty_database: Made) -> None:
    with (
        psycopg.connect(empty_database.owner_url) as db,
        pytest.raises(InputError, match="severa-bridge db migrate"),
    ):
        check_version(db)


def test_an_unreachable_database_is_one_sentence() -> None:
    with pytest.raises(InputError, match="cannot be reached"):
        migrate("postgresql://nobody@127.0.0.1:1/none")
