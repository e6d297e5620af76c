"""The real PostgreSQL of the plays: one migrated database per process, its clock and its ids from the schedule.

Set back between two plays by copying the tables, not by making a database anew. An older state is kept and put back in
the same way (``keep``, ``put_back``): every row is written again, as a restored dump writes it.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import psycopg_pool
from services import Database

from simulation.kernel import START, Kernel
from simulation.wire import Wire

# bridge_now() reads what the play says to the connection before each transaction; ids come from a counter and the seed,
# found before PostgreSQL's own because the bridge's schema stands first in the search path.
_SET_UP = """
create schema if not exists play;
create sequence if not exists play.ids;
create or replace function bridge_now() returns timestamptz language sql volatile parallel safe as
    $$ select current_setting('play.now')::timestamptz $$;
create or replace function play.gen_random_uuid() returns uuid language sql volatile as
    $$ select md5(coalesce(current_setting('play.seed', true), '') || nextval('play.ids'))::uuid $$;
grant usage on schema play to public;
grant usage on sequence play.ids to public;
do $$ declare c record; begin
    for c in select d.adrelid::regclass as tab, a.attname as col
             from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
             where pg_get_expr(d.adbin, d.adrelid) = 'gen_random_uuid()'
    loop execute format('alter table %s alter column %I set default play.gen_random_uuid()', c.tab, c.col); end loop;
end $$;
"""
_TABLES = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'schema_migrations'
order by 1
"""
_INSTALLATION = """
select column_name from information_schema.columns
where table_schema = 'public' and table_name = 'installation' and column_name <> 'written_by' order by ordinal_position
"""
_LEAVES = """
select c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relkind = 'r'
"""
_PLANS = ("enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "jit")
COMPACT = 40
"""After so many plays the tables are made anew: each play leaves its rows behind as dead ones."""
_SEQUENCES = "select sequencename, last_value from pg_sequences where schemaname = 'public' order by 1"


class Store:
    """One database for many plays."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._owner = psycopg.connect(database.owner_url, autocommit=True)
        self._owner.execute("set session_replication_role = replica")
        self._owner.execute("set synchronous_commit = off")
        self._owner.execute(_SET_UP)
        name = self._one("select current_database()")
        self._owner.execute(f'alter database "{name}" set search_path = play, public, pg_catalog')
        self._owner.execute(f"alter database \"{name}\" set play.now = '{START.isoformat()}'")
        # What a play finds must not depend on how many plays there were before: no plan follows the values or what a
        # connection has grown used to. Planned once per connection, because planning takes longer than running.
        for setting in ("plan_cache_mode = force_generic_plan", *(f"{one} = off" for one in _PLANS)):
            self._owner.execute(f'alter database "{name}" set {setting}')
        self._tables = [row[0] for row in self._owner.execute(_TABLES)]
        for (leaf,) in self._owner.execute(_LEAVES).fetchall():
            self._owner.execute(f"alter table {leaf} set (autovacuum_enabled = false)")
        self._plays = 0
        self._kept: dict[str, list[tuple[str, int | None]]] = {}

    def _one(self, query: str) -> Any:
        row = self._owner.execute(query).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        self._owner.close()

    def now(self, when: str) -> None:
        """The time for sessions of the owner (looking in by hand)."""
        self._owner.execute("select set_config('play.now', %s, false)", [when])

    def look(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """By hand, as the owner: for words about a schedule, never for the judge."""
        return self._owner.execute(query, values).fetchall()  # type: ignore[arg-type]

    def keep(self, name: str = "base") -> None:
        """Copies every table aside."""
        with self._owner.transaction():
            self._owner.execute(f"drop schema if exists kept_{name} cascade")
            self._owner.execute(f"create schema kept_{name}")
            for table in self._tables:
                self._owner.execute(f'create unlogged table kept_{name}."{table}" as table public."{table}"')
        self._kept[name] = [(row[0], row[1]) for row in self._owner.execute(_SEQUENCES)]
        self._owner.execute(self._copier(name))
        self._owner.execute(self._copier(name, truncate=True))

    def _copier(self, name: str, *, truncate: bool = False) -> str:
        # A row of the installation that is written anew is a restored one. A play begins with one that never was.
        tables = [table for table in self._tables if table != "installation" or name != "base"]
        # Names come from the catalogue of our own database.
        empty = (
            "truncate " + ", ".join(f'public."{table}"' for table in tables) + ";\n"
            if truncate
            else "".join(f'delete from public."{table}";\n' for table in tables)  # noqa: S608
        )
        filled = "".join(
            f'insert into public."{table}" overriding system value select * from kept_{name}."{table}";\n'  # noqa: S608
            for table in tables
        )
        if name == "base":
            columns = [row[0] for row in self._owner.execute(_INSTALLATION)]
            kept = ", ".join(f'"{column}" = k."{column}"' for column in columns)
            filled += (
                f"update public.installation i set written_by = pg_current_xact_id(), {kept} "  # noqa: S608
                "from kept_base.installation k;\n"
            )
        called = f"{name}_anew" if truncate else name
        return (
            f"create or replace function play.put_back_{called}() returns void language plpgsql as $p$ begin\n"
            f"{empty}{filled}end $p$"
        )

    def put_back(self, name: str = "base", *, sequences: bool = True, anew: bool = False) -> None:
        """Writes every row of an older state again, whoever is at work meanwhile. ``anew``: into empty files."""
        self._owner.execute(f"select play.put_back_{name}{'_anew' if anew else ''}()")
        if sequences:
            for sequence, last in self._kept[name]:
                self._owner.execute(
                    "select setval(%s::regclass, %s, %s)",
                    [f'public."{sequence}"', last or 1, last is not None],
                )

    def begin_play(self, seed: int) -> None:
        """The base state, and ids of this seed."""
        self._plays += 1
        self.put_back(anew=self._plays % COMPACT == 0)
        self._owner.execute("select setval('play.ids', 1, false)")

    @contextlib.contextmanager
    def played(
        self, kernel: Kernel, wire: Wire, seed: int, names: Callable[[str], str]
    ) -> Iterator[DatabaseClock]:
        """Transactions of the bridge are control points; its database tells the play's time. ``names``: a statement's name."""
        clock = DatabaseClock(kernel)
        pool_connection = psycopg_pool.ConnectionPool.connection
        commit, execute = psycopg.Connection.commit, psycopg.Connection.execute
        check = psycopg_pool.ConnectionPool.check_connection

        @contextlib.contextmanager
        def connection(pool: Any, timeout: float | None = None) -> Iterator[Any]:
            kernel.alive()
            wire.at("begin", "a transaction")
            with pool_connection(pool, timeout) as found:
                found.pgconn.exec_(f"set play.now = '{clock.text()}'; set play.seed = '{seed}'".encode())
                said.pop(found, None)
                yield found
            if told := done.pop(found, None):
                wire.at("committed", told)
            kernel.wait(kernel.rng.uniform(0.001, 0.02))

        def committing(found: Any) -> None:
            # The pool commits once more, when there is nothing left to commit.
            if told := said.pop(found, None):
                done[found] = ", ".join(told)
                wire.at("commit", done[found])
            commit(found)

        @functools.wraps(execute)
        def executing(found: Any, query: Any, *values: Any, **more: Any) -> Any:
            kernel.alive()
            if isinstance(query, str) and (name := names(query)):
                said.setdefault(found, []).append(name)
            return execute(found, query, *values, **more)

        said: dict[Any, list[str]] = {}
        done: dict[Any, str] = {}
        psycopg_pool.ConnectionPool.connection = connection  # type: ignore[method-assign, assignment]
        psycopg_pool.ConnectionPool.check_connection = staticmethod(lambda _found: None)  # type: ignore[method-assign]
        psycopg.Connection.commit = committing  # type: ignore[method-assign, assignment]
        psycopg.Connection.execute = executing  # type: ignore[method-assign, assignment]
        try:
            yield clock
        finally:
            psycopg_pool.ConnectionPool.connection = pool_connection  # type: ignore[method-assign]
            psycopg_pool.ConnectionPool.check_connection = staticmethod(check)  # type: ignore[method-assign]
            psycopg.Connection.commit = commit  # type: ignore[method-assign]
            psycopg.Connection.execute = execute  # type: ignore[method-assign]


class DatabaseClock:
    """PostgreSQL's clock in a play: can be stepped alone (S30)."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.ahead = 0.0

    def text(self) -> str:
        """Now, as PostgreSQL reads it."""
        return (START + timedelta(seconds=self._kernel.now + self.ahead)).isoformat()
