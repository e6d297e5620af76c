"""What holds up a whole tenant: a connection that cannot sign in, a stored setting that cannot be used. One problem each, opened
by whoever meets it, closed by the next poll that does not."""

from __future__ import annotations

from db import log
from db.log import About
from db.tenant import TenantDb
from domain.errors import SettingUnusable, SignInFailed


def _about(system: str) -> About:
    return About("connection", subject=f"connection:{system}", system=system)


def open_connection_problem(db: TenantDb, error: SignInFailed) -> None:
    """A connection that cannot sign in is one problem of the tenant, not one per record."""
    values = {"text": error.message, **{key: _kept(value) for key, value in error.fields.items()}}
    log.open_problem(db, _about(error.system), f"connection.{error.reason}", values)


def _kept(value: object) -> str | list[str]:
    """A field of the error as a problem keeps it."""
    return [str(one) for one in value] if isinstance(value, list | tuple) else str(value)


def close_connection_problem(db: TenantDb, system: str) -> None:
    """A complete poll proves that the connection works."""
    log.close_problems(db, _about(system), "connection works")


_SETTINGS = About("connection", subject="settings")


def open_setting_problem(db: TenantDb, error: SettingUnusable) -> None:
    """One problem of the tenant, not one per record."""
    values = {
        "setting": error.setting,
        "value": error.value,
        "text": error.reason,
        "others": list(error.also),
    }
    log.open_problem(db, _SETTINGS, "setting.unusable", values)


def close_setting_problem(db: TenantDb) -> None:
    """The settings are read and used."""
    log.close_problems(db, _SETTINGS, "settled")
