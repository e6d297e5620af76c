"""The PostgreSQL of the tests: one server, a template migrated once, a database of its own for each test."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import signal
import tempfile
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from . import containers
from .process import PrivateServer, ServiceMissingError

IMAGE = "postgres:17"
# Tests judge what the program does, not whether a disk survives a power cut. Everything else is as shipped.
FLAGS = ["-c", "fsync=off", "-c", "max_connections=200", "-c", "shared_buffers=64MB"]


def url_of(parameters: dict[str, str], **changed: str) -> str:
    """A postgresql:// address from libpq's parameters; a directory as host becomes `?host=`."""
    given = {**parameters, **changed}
    user, password = given.pop("user", ""), given.pop("password", "")
    database, host, port = given.pop("dbname", ""), given.pop("host", ""), given.pop("port", "")
    login = urllib.parse.quote(user, safe="") + (
        f":{urllib.parse.quote(password, safe='')}" if password else ""
    )
    if host.startswith("/"):
        given = {"host": host, **({"port": port} if port else {}), **given}
        place = ""
    else:
        place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    query = urllib.parse.urlencode(given, quote_via=urllib.parse.quote, safe="/")
    address = f"postgresql://{login}@{place}/{urllib.parse.quote(database, safe='')}"
    return f"{address}?{query}" if query else address


@dataclass(frozen=True)
class Database:
    """One database: the address of its owner side (may create roles) and of the application's login."""

    name: str
    owner_url: str
    app_url: str


@dataclass
class PostgresServer:
    """A running server; `url` is a superuser's, or one that may create databases and roles."""

    url: str
    version: str
    source: str
    _stop: Callable[[], None]
    _token: str = field(default_factory=lambda: secrets.token_hex(4))
    _template: str | None = None
    _count: int = 0

    @property
    def said(self) -> str:
        """One line for the test report."""
        return f"PostgreSQL {self.version} ({self.source})"

    @contextlib.contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        with psycopg.connect(self.url, autocommit=True, connect_timeout=10) as connection:
            yield connection

    def _named(self, name: str) -> Database:
        parameters = {
            key: str(value) for key, value in conninfo_to_dict(self.url).items() if value is not None
        }
        login = f"bridge_test_{self._token}"
        return Database(
            name,
            owner_url=url_of(parameters, dbname=name),
            app_url=url_of(parameters, dbname=name, user=login, password=f"of-{login}"),
        )

    def create_empty(self, locale: str = "") -> Database:
        """A database without a table, for what tests the migrations themselves. ``locale``: of its letters, '' = the server's."""
        self._count += 1
        name = f"bridge_test_{self._token}_{self._count}"
        with self._connected() as connection:
            made = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
            if locale:
                made += sql.SQL(" LOCALE_PROVIDER libc LOCALE {}").format(sql.Literal(locale))
            connection.execute(made)
        return self._named(name)

    def create(self) -> Database:
        """A migrated database of its own: a copy of the template, about a tenth of a second."""
        if self._template is None:
            empty = self.create_empty()
            _migrate(empty)
            self._template = empty.name
        self._count += 1
        name = f"bridge_test_{self._token}_{self._count}"
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(self._template)
        )
        with self._connected() as connection:
            connection.execute(copy)
        made = self._named(name)
        _is_its_own(made)
        return made

    def drop(self, database: Database) -> None:
        """Removes a database, whoever is still connected to it."""
        with self._connected() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database.name))
            )

    def stop(self) -> None:
        """Removes what this session made, then ends the server when it is ours."""
        if self._template is not None:
            self.drop(self._named(self._template))
            with self._connected() as connection:
                login = sql.Identifier(f"bridge_test_{self._token}")
                connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(login))
        self._stop()


def _migrate(database: Database) -> None:
    from db.migrate import migrate  # noqa: PLC0415  # the services themselves must start without the program

    migrate(database.owner_url, database.app_url)


def _is_its_own(database: Database) -> None:
    """The template's copy is no restored database but a new installation."""
    from db.migrate import know_installation  # noqa: PLC0415  # the services themselves must start without the program

    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("delete from installation")
        know_installation(connection)


def _version(url: str) -> str | None:
    """The server's version, or None when it does not take a connection yet."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            row = connection.execute("SHOW server_version").fetchone()
    except psycopg.OperationalError:
        return None
    return str(row[0]).split()[0] if row else None


def given(url: str) -> PostgresServer:
    """The server that TEST_DATABASE_URL names; raises ServiceMissingError when it does not answer."""
    version = _version(url)
    if version is None:
        raise ServiceMissingError(
            "The PostgreSQL of TEST_DATABASE_URL does not answer: start it, or unset the variable."
        )
    return PostgresServer(url, version, "TEST_DATABASE_URL", lambda: None)


def contained() -> PostgresServer | None:
    """A container, or None when no engine can start one."""
    password = secrets.token_hex(12)
    container = containers.start(
        IMAGE, port=5432, env={"POSTGRES_PASSWORD": password}, command=["postgres", *FLAGS]
    )
    if container is None:
        return None
    url = f"postgresql://postgres:{password}@{container.host}:{container.port}/postgres"
    version = container.wait_for(lambda: _version(url), seconds=60)
    if version is None:
        container.stop()
        return None
    return PostgresServer(url, version, f"container {IMAGE}", container.stop)


def embedded() -> PostgresServer:
    """A private server from the wheel, on a socket in a directory of its own, as root or not."""
    from app import postgresql  # noqa: PLC0415  # the services themselves must start without the program
    from domain.errors import InputError  # noqa: PLC0415

    # Not below TMPDIR, which may be long: a socket's path may have at most 107 bytes.
    directory = Path(tempfile.mkdtemp(prefix="bridge-pg-", dir="/tmp"))
    data, log = directory / "data", directory / "log"
    try:
        user = postgresql.server_user()
        if user:
            directory.chmod(0o711)
        binaries = postgresql.programs(user, directory)
        postgresql.initdb(binaries, data, user, log, durable=False)
    except InputError as error:
        shutil.rmtree(directory, ignore_errors=True)
        raise ServiceMissingError(error.message) from error
    server = PrivateServer(
        [str(binaries / "postgres"), "-D", str(data), "-k", str(data), "-h", "", *FLAGS],
        directory=directory,
        log=log,
        env=postgresql.environment(),
        user=user.name if user else None,
        stop_signal=signal.SIGINT,  # "fast": does not wait for clients
    )
    url = url_of({"user": "postgres", "host": str(data), "dbname": "postgres"})
    server.wait_until(lambda: _version(url) is not None, seconds=30, what="The embedded PostgreSQL")
    return PostgresServer(url, _version(url) or "?", "embedded", server.stop)
