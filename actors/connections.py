"""Connections that cannot sign in: one problem of the tenant, opened by whoever meets it, closed by a complete poll."""

from __future__ import annotations

from db import log
from db.log import About
from db.tenant import TenantDb
from domain.errors import SignInFailed


def _about(system: str) -> About:
    return About("connection", subject=f"connection:{system}", system=system)


def open_connection_problem(db: TenantDb, error: SignInFailed) -> None:
    """A connection that cannot sign in is one problem of the tenant, not one per record."""
    values = {"text": error.message, **{key: str(value) for key, value in error.fields.items()}}
    log.open_problem(db, _about(error.system), f"connection.{error.reason}", values)


def close_connection_problem(db: TenantDb, system: str) -> None:
    """A complete poll proves that the connection works."""
    log.close_problems(db, _about(system), "connection works")
