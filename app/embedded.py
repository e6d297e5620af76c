"""The embedded default: PostgreSQL from the wheel in the data directory, shared by the processes that use it.

The server listens on a Unix socket only. Roles are the same as in the large installation: the application signs in as
a plain login that cannot bypass row-level security.

Every process that uses the server holds a shared lock for as long. Starting and stopping happen under a second,
exclusive lock, so that the last one to leave can tell that it is the last, and stops the server. A process that is killed
loses its locks with its life; the server it leaves behind is joined, or cleared away, by the next one.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, quote, urlsplit

import psycopg
import structlog

from app import postgresql
from app.postgresql import Server, ServerUser
from app.settings import ROOTS_DIRECTORY
from db.migrate import migrate
from domain import clock
from domain.errors import InputError

logger = structlog.get_logger("embedded")

LOGIN = "bridge"
DATABASE = "bridge"
# How long a server that was killed is given to come to itself.
RECOVERY_SECONDS = 10.0
_START_SECONDS = 120.0
_STOP_SECONDS = 20.0
# What may lie in a data directory: one that holds nothing else is the bridge's own.
_OURS = {"postgres", "postgres.new", "postgres.log", "postgres.log.1", "start.lock", "users.lock", "up.lock"}
_OURS |= {"secret.keys", "bridge.log", "beat.json", ".severa-bridge-demo"}


@contextmanager
def embedded_database(data_dir: Path) -> Iterator[str]:
    """Starts (or joins) the server below ``data_dir``, migrates, and yields the application's URL.

    The last process to leave stops it. Raises InputError with what to do: the directory cannot be written, belongs to
    somebody else or cannot be reached by the server's user; the server does not start; the data is of another version.
    """
    make_data_dir(data_dir)
    data_dir = data_dir.resolve()  # a socket's directory has to be absolute
    server = None
    with _lock_file(data_dir / "users.lock") as users:
        try:
            with _start_lock(data_dir, _START_SECONDS):
                # Cannot block: the exclusive one is only ever held together with the start lock.
                fcntl.flock(users, fcntl.LOCK_SH)
                server = _cluster(data_dir)
                uri = _answering(server)
                _make_database(uri, alone=_alone(data_dir))
            yield urls(uri)[1]
        finally:
            if server is not None:
                _leave(server, data_dir, users)


def urls(uri: str) -> tuple[str, str]:
    """(owner URL, application URL) of the bridge's database on the server with this URI."""
    host = quote(parse_qs(urlsplit(uri).query)["host"][0], safe="/")
    where = f"/{DATABASE}?port={postgresql.PORT}&host={host}"
    return f"postgresql://{postgresql.SUPERUSER}@{where}", f"postgresql://{LOGIN}@{where}"


def make_data_dir(data_dir: Path) -> None:
    """Makes the directory, closed to others. Raises InputError with what to do when it cannot be made or written."""
    try:
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        data_dir.mkdir(mode=0o700, exist_ok=True)
        probe = data_dir / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"The data directory {data_dir} cannot be written ({error.strerror or error}): set BRIDGE_DATA_DIR to a directory of your own."
        ) from error


@contextmanager
def only_process(data_dir: Path) -> Iterator[None]:
    """One embedded bridge per data directory: a second one says so instead of working beside the first."""
    make_data_dir(data_dir)
    with _lock_file(data_dir / "up.lock") as file:
        if not _locked(file):
            raise InputError(
                f"Another bridge already runs on {data_dir}: stop it, or set BRIDGE_DATA_DIR to another directory."
            )
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield


def _cluster(data_dir: Path) -> Server:
    """The cluster of this data directory, set up when it is not there yet."""
    pgdata, log = data_dir / "postgres", data_dir / "postgres.log"
    user = postgresql.server_user(pgdata, data_dir)
    _let_in(user, data_dir)
    binaries = postgresql.programs(user, data_dir)
    try:
        version = (pgdata / "PG_VERSION").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        postgresql.initdb(binaries, pgdata, user, log)
    except PermissionError as error:
        raise InputError(
            f"The database in {pgdata} belongs to another user: run the bridge as that user, or set BRIDGE_DATA_DIR to a directory of your own."
        ) from error
    else:
        brought = postgresql.major_version(binaries)
        if version != str(brought):
            raise InputError(
                f"The database in {pgdata} was written by PostgreSQL {version} and this bridge brings {brought}: "
                f"use the bridge that wrote it, or BRIDGE_DATABASE_URL with a server of version {version}."
            )
    return Server(binaries, pgdata, user, log)


def _let_in(user: ServerUser | None, data_dir: Path) -> None:
    """Lets the server's user pass a data directory that only root may enter; never touches a directory above it.

    Raises InputError naming a directory that works.
    """
    if user is None:
        return
    wall = postgresql.barrier(data_dir, user)
    if wall == data_dir and _private_and_ours(data_dir):
        os.chown(data_dir, -1, user.gid)
        data_dir.chmod(0o710)
        wall = postgresql.barrier(data_dir, user)
    if wall is not None:
        raise InputError(
            f"The data directory {data_dir} cannot be used by root: the database server runs as the user "
            f"'{user.name}', who may not pass {wall}. Set BRIDGE_DATA_DIR to a directory such as {ROOTS_DIRECTORY}."
        )


def _private_and_ours(data_dir: Path) -> bool:
    found = data_dir.stat()
    if found.st_uid != 0 or found.st_mode & 0o077:
        return False
    return all(entry.name in _OURS or entry.name.startswith("postgresql-") for entry in data_dir.iterdir())


def _answering(server: Server) -> str:
    """The server's URI once it takes a connection, started as often as it takes.

    One that was killed still shows its socket for a moment, and one that comes up after a kill may close the first
    connections. Raises InputError when that goes on.
    """
    deadline = clock.monotonic() + RECOVERY_SECONDS
    while True:
        host = quote(server.start(), safe="/")
        uri = f"postgresql://{postgresql.SUPERUSER}@/postgres?port={postgresql.PORT}&host={host}"
        try:
            psycopg.connect(uri, connect_timeout=10).close()
        except psycopg.OperationalError as error:
            if clock.monotonic() > deadline:
                raise _no_answer(error) from error
            clock.pause(0.1)
        else:
            return uri


def _no_answer(error: psycopg.OperationalError) -> InputError:
    return InputError(f"The embedded PostgreSQL does not answer: {str(error).strip().splitlines()[0]}.")


def _alone(data_dir: Path) -> bool:
    """Whether no other process works on this data directory: what is leased there belongs to the dead."""
    with _lock_file(data_dir / "up.lock") as file:
        return _locked(file) or file.read().strip() == str(os.getpid())


def _make_database(uri: str, *, alone: bool) -> None:
    """The bridge's database and its login, at this program's version."""
    try:
        with psycopg.connect(uri, autocommit=True, connect_timeout=10) as db:
            if db.execute("select from pg_database where datname = %s", [DATABASE]).fetchone() is None:
                db.execute(f"create database {DATABASE}")  # type: ignore[call-overload, unused-ignore]
    except psycopg.OperationalError as error:
        raise _no_answer(error) from error
    migrate(*urls(uri), alone=alone)


def _leave(server: Server, data_dir: Path, users: IO[str]) -> None:
    """Stops the server when nobody else uses it."""
    try:
        with _start_lock(data_dir, _STOP_SECONDS):
            if _locked(users) and not server.stop():
                logger.warning("embedded_postgresql_still_runs", data_directory=str(data_dir))
    except InputError:
        # Whoever has been starting all this time uses the server from now on, and stops it.
        logger.warning("embedded_postgresql_left_running", data_directory=str(data_dir))


@contextmanager
def _start_lock(data_dir: Path, seconds: float) -> Iterator[None]:
    """Held while the server is started or stopped. Raises InputError when another process holds it for too long."""
    deadline = clock.monotonic() + seconds
    with _lock_file(data_dir / "start.lock") as file:
        while not _locked(file):
            if clock.monotonic() > deadline:
                raise InputError(
                    f"Another process has been starting or stopping the database in {data_dir} for {seconds:.0f} s: end it and try again."
                )
            clock.pause(0.02)
        yield


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_file(path: Path) -> IO[str]:
    return postgresql.open_private(path, os.O_RDWR, "r+")
