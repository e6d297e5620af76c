"""How the services say things: the systems' names, times and ids as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

SYSTEM_NAMES: Mapping[str, str] = {"severa": "Severa", "visma_net": "Visma.net ERP"}


def iso(at: datetime | None) -> str | None:
    """A time as ISO 8601, None for none."""
    return at.isoformat() if at else None


def plain(value: Any) -> Any:
    """A time or id as text; other values as they are."""
    return (
        value.isoformat() if isinstance(value, datetime) else str(value) if isinstance(value, UUID) else value
    )
