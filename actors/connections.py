"""What is wrong with a connection as a whole: problems of the tenant, opened by whoever meets them, closed by a poll."""

from __future__ import annotations

from uuid import UUID

from db import log
from db.pool import Connection
from domain.errors import ShortList, SignInFailed


def open_connection_problem(db: Connection, tenant_id: UUID, error: SignInFailed) -> None:
    """A connection that cannot sign in is one problem of the tenant, not one per record."""
    about = {
        "domain": "connection",
        "subject": f"connection:{error.system}",
        "system": error.system,
        "register": "",
        "record_id": "",
        "number": "",
        "name": "",
    }
    log.open_problem(
        db,
        tenant_id,
        about,
        f"connection.{error.reason}",
        {"text": error.message, **{key: str(value) for key, value in error.fields.items()}},
    )


def close_connection_problem(db: Connection, tenant_id: UUID, system: str) -> None:
    """A complete poll proves that the connection works."""
    log.close_problems(db, tenant_id, "connection", [f"connection:{system}"], "connection works")


def open_short_list_problem(
    db: Connection, tenant_id: UUID, system: str, register: str, error: ShortList
) -> None:
    """A register whose list does not come whole is one problem, however often it is read (R-LOG-3)."""
    about = {
        "domain": "poll",
        "subject": _short_list(system, register),
        "system": system,
        "register": register,
        "record_id": "",
        "number": "",
        "name": "",
    }
    values = {
        "system": system,
        "register": register,
        "expected": "?" if error.expected is None else error.expected,
        "got": error.got,
    }
    log.open_problem(db, tenant_id, about, "poll.short_list", values)


def close_short_list_problem(db: Connection, tenant_id: UUID, system: str, register: str) -> None:
    """A complete reading of the register ends it."""
    log.close_problems(db, tenant_id, "poll", [_short_list(system, register)], "read completely")


def _short_list(system: str, register: str) -> str:
    return f"list:{system}/{register}"
