"""Connections that cannot sign in: one problem of the tenant, opened by whoever meets it, closed by a complete poll."""

from __future__ import annotations

from uuid import UUID

from db import log
from db.pool import Connection
from domain.errors import SignInFailed


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
