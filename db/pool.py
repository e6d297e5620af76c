"""Connections to PostgreSQL, each transaction in one of two roles.

``tenant(id)``: role bridge_app, row-level security for that tenant. ``dispatch()``: role bridge_dispatch, which sees ids,
states and times of all tenants but no bodies and no secrets. No transaction may be open during an HTTP or broker call.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from db.codec import register_clean_text
from db.migrate import check_version
from db.tenant import DispatchDb, TenantDb
from domain import clock
from domain.errors import InputError, Unavailable

_Connection = psycopg.Connection[DictRow]

# A connection used this recently is handed out unchecked.
IDLE_SECONDS = 3.0
REBUILT = psycopg.Error
"""What PostgreSQL and the driver raise while a restore drops and makes tables, rights and policies beneath a process: rows that
are missing or there twice, too.

A loop waits until it is over: were it to end, nobody would be left to see that the database was exchanged.
"""

__all__ = ["REBUILT", "Database", "refuse_powerful_login"]

_SESSION = (
    "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=10s -c timezone=UTC"
)


class Database:
    """The application's two pools over one login."""

    def __init__(
        self, url: str, *, size: int = 4, dispatch_size: int = 2, name: str = "severa-bridge"
    ) -> None:
        """``size`` must be at least the number of threads that work at once: a thread that never waits cannot starve."""
        self.url = url
        self._used: WeakKeyDictionary[_Connection, float] = WeakKeyDictionary()
        self._app = self._pool("bridge_app", size, name)
        self._dispatch = self._pool("bridge_dispatch", dispatch_size, name)

    def _pool(self, role: str, size: int, name: str) -> ConnectionPool[_Connection]:
        def configure(connection: _Connection) -> None:
            register_clean_text(connection)
            # An option of the start packet would be refused for a NOINHERIT login: the role is taken afterwards.
            connection.execute(f"set role {role}")
            connection.commit()

        def check(connection: _Connection) -> None:
            try:
                self._check(connection)
            except psycopg.OperationalError:
                # The server went away: all that lie idle are as dead as this one. Left to be found one by one, with a
                # longer pause after each, they would cost whoever asks next half a minute.
                pool.check()
                raise

        pool: ConnectionPool[_Connection] = ConnectionPool(
            self.url,
            connection_class=psycopg.Connection[DictRow],
            kwargs={
                "row_factory": dict_row,
                "options": _SESSION,
                "application_name": name,
                "connect_timeout": 10,
            },
            min_size=size,
            max_size=size,
            open=False,
            timeout=30,
            configure=configure,
            check=check,
            name=role,
        )
        return pool

    def _check(self, connection: _Connection) -> None:
        """A round trip, but only for a connection that may have died while it lay idle."""
        if clock.monotonic() - self._used.get(connection, 0.0) > IDLE_SECONDS:
            ConnectionPool.check_connection(connection)

    def open(self) -> None:
        """Checks the login and the schema's version, then opens both pools. Raises InputError."""
        try:
            with psycopg.connect(self.url, autocommit=True, connect_timeout=10) as db:
                refuse_powerful_login(db)
                db.execute("set role bridge_app")
                check_version(db)
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue) as error:
            raise InputError(
                "The database login lacks the bridge's roles: run 'severa-bridge db migrate' with BRIDGE_OWNER_DATABASE_URL."
            ) from error
        except psycopg.OperationalError as error:
            reason = str(error).strip().splitlines()[0]
            raise InputError(
                f"The database cannot be reached: {reason}. Check BRIDGE_DATABASE_URL and that PostgreSQL runs."
            ) from error
        self._app.open(wait=True, timeout=30)
        self._dispatch.open(wait=True, timeout=30)

    def close(self) -> None:
        """Closes both pools; running transactions end first."""
        self._app.close(timeout=5)
        self._dispatch.close(timeout=5)

    @contextmanager
    def tenant(self, tenant_id: UUID | str) -> Iterator[TenantDb]:
        """A transaction that sees only this tenant; committed at the end, rolled back on an exception."""
        with self._transaction(self._app) as connection:
            connection.execute("select set_config('app.tenant', %s, true)", [str(tenant_id)])
            yield TenantDb(connection, UUID(str(tenant_id)))

    @contextmanager
    def dispatch(self) -> Iterator[DispatchDb]:
        """A transaction that sees the queue of all tenants."""
        with self._transaction(self._dispatch) as connection:
            yield DispatchDb(connection)

    @contextmanager
    def _transaction(self, pool: ConnectionPool[_Connection]) -> Iterator[_Connection]:
        try:
            # Pipelined: statements whose result nobody asks for yet travel together, COMMIT with the last of them.
            with pool.connection() as connection, connection.pipeline():
                yield connection
                connection.commit()
                self._used[connection] = clock.monotonic()
        except PoolTimeout as error:
            raise Unavailable("The database does not answer.") from error
        except psycopg.OperationalError as error:
            # Those that were used lately are as likely dead: none is handed out unchecked any more.
            self._used.clear()
            raise Unavailable(f"The database does not answer: {str(error).strip()}") from error


def refuse_powerful_login(db: psycopg.Connection[Any]) -> None:
    """Row-level security protects tenants from each other only if the login cannot bypass it. Raises InputError."""
    row = db.execute(
        """select rolname, rolsuper, rolbypassrls,
                  exists (select from pg_class where relname = 'outbox' and relkind = 'r' and relowner = r.oid)
           from pg_roles r where rolname = current_user"""
    ).fetchone()
    if row is None:
        raise InputError("The database login is unknown to PostgreSQL.")
    name, superuser, bypass, owner = row
    if superuser or bypass or owner:
        what = (
            "is a superuser"
            if superuser
            else "may bypass row-level security"
            if bypass
            else "owns the tables"
        )
        raise InputError(
            f"The database login '{name}' {what}: give BRIDGE_DATABASE_URL the plain login that 'severa-bridge db migrate' makes."
        )
