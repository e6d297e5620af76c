"""What migrations 0010 and 0011 make of a database that 0.1.0 wrote: keys of names, lookups by number, identities."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from services import Database as Made
from services import PostgresServer

import db.migrate
from db import records
from db.migrate import migrate, migrations
from db.pool import Database
from domain.customer.registers import REGISTERS
from domain.text import name_key

DECOMPOSED = "Ma\u0308larbygg  A\u030a AB"
NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)


def before(made: Made, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database as it was before this migration."""
    everything = migrations()
    with monkeypatch.context() as patched:
        patched.setattr(db.migrate, "migrations", lambda: [m for m in everything if m.version < version])
        migrate(made.owner_url, made.app_url)


def add_tenant(owner: psycopg.Connection[tuple[object, ...]], name: str, company: str) -> UUID:
    own = uuid4()
    owner.execute(
        "insert into tenant (id, name, language, time_zone) values (%s, %s, 'sv', 'Europe/Stockholm')",
        [own, name],
    )
    owner.execute(
        "insert into connection (tenant_id, system, config, secret) values (%s, 'visma_net', jsonb_build_object('tenant_id', %s::text), '')",
        [own, company],
    )
    return own


def test_a_name_that_was_stored_decomposed_is_found_by_any_spelling(
    empty_database: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    before(empty_database, "0010", monkeypatch)
    with psycopg.connect(empty_database.owner_url, autocommit=True) as owner:
        tenant = add_tenant(owner, "a", "c")
        for guid, name, number in (("g1", DECOMPOSED, "Kons-Å"), ("g2", "Ada AB", "KONS-1")):
            # As 0.1.0 made the key: without composing.
            key = " ".join(name.split()).casefold()
            owner.execute(
                """insert into record (tenant_id, system, register, id, number, name, name_key, body, hash, mapping_version, asked_at, answered_at, in_scope)
                   values (%s, 'severa', 'customers', %s, %s, %s, %s, '{}', '', 2, clock_timestamp(), clock_timestamp(), true)""",
                [tenant, guid, number, name, key],
            )
    assert migrate(empty_database.owner_url, empty_database.app_url)[:1] == ["0010"]

    with psycopg.connect(empty_database.owner_url) as owner:
        keys = dict(owner.execute("select name, name_key from record").fetchall())
    assert keys == {name: name_key(name) for name in (DECOMPOSED, "Ada AB")}
    database = Database(empty_database.app_url)
    database.open()
    try:
        with database.tenant(tenant) as connection:
            for name in (DECOMPOSED, "Mälarbygg Å AB", "MÄLARBYGG å ab"):
                found = records.find(connection, "severa", "customers", name=name)
                assert [one.id for one in found] == ["g1"], name
                searched = records.search(connection, ["customers"], name)
                assert [one.id for one in searched] == ["g1"], name
            for number, guid in (("kons-å", "g1"), ("kons-1", "g2"), ("KONS-1", "g2")):
                found = records.find(connection, "severa", "customers", number=number)
                assert [one.id for one in found] == [guid], number
            both = records.find(connection, "severa", "customers", number="kons-1", name="ADA ab")
            assert [one.id for one in both] == ["g2"]
    finally:
        database.close()


def test_a_row_is_stored_under_the_key_that_it_is_looked_up_by(database: Made) -> None:
    register = next(one for one in REGISTERS if one.name == "customers")
    opened = Database(database.app_url)
    opened.open()
    try:
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            tenant = add_tenant(owner, "a", "c")
        with opened.tenant(tenant) as connection:
            row = records.row_of(register, {"guid": "g1", "name": DECOMPOSED, "number": 7}, None, UTC)
            records.put_own(connection, register, row, NOW)
            found = records.find(connection, "severa", "customers", name=DECOMPOSED)
            assert [one.id for one in found] == ["g1"]
    finally:
        opened.close()


@pytest.mark.req("R-SET-4")
def test_tenants_keep_the_company_they_have_and_of_two_on_one_company_the_older_one_does(
    empty_database: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    before(empty_database, "0011", monkeypatch)
    with psycopg.connect(empty_database.owner_url, autocommit=True) as owner:
        older, _younger = add_tenant(owner, "a", "Company-1"), add_tenant(owner, "b", " company-1 ")
        other = add_tenant(owner, "c", "company-2")

    migrate(empty_database.owner_url, empty_database.app_url)

    with psycopg.connect(empty_database.owner_url) as owner:
        kept = owner.execute("select tenant_id, erp_tenant, severa_organisation from identity").fetchall()
    assert sorted(kept, key=lambda row: str(row[1])) == [
        (older, "company-1", None),
        (other, "company-2", None),
    ]


@pytest.mark.parametrize("locale", ["C", ""])
def test_letters_that_differ_only_in_case_are_one_whatever_locale_the_database_has(
    postgres_server: PostgresServer, locale: str
) -> None:
    made = postgres_server.create_empty(locale)
    migrate(made.owner_url, made.app_url)
    opened = Database(made.app_url)
    opened.open()
    try:
        register = next(one for one in REGISTERS if one.name == "customers")
        with psycopg.connect(made.owner_url, autocommit=True) as owner:
            tenant = add_tenant(owner, "a", "c")
            [lowered] = owner.execute("select bridge_lower('ÅÄÖÉÜÆØ Straße')").fetchone() or [""]
        assert lowered == "åäöéüæø straße"
        with opened.tenant(tenant) as connection:
            row = records.row_of(register, {"guid": "g1", "name": "Ö AB", "number": "Kons-Å"}, None, UTC)
            records.put_own(connection, register, row, NOW)
            for number in ("kons-å", "KONS-Å"):
                found = records.find(connection, "severa", "customers", number=number)
                assert [one.id for one in found] == ["g1"], number
    finally:
        opened.close()
        postgres_server.drop(made)
