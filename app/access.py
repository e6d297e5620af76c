"""What of a tenant file's connection is stored in the open, and what a client is made of then.

The same for a connection that is only tried and for one that is stored, so that what was tried is what is used.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.settings import Settings
from connectors.endpoint import Timeouts
from connectors.severa import SeveraAccess
from connectors.visma_net import VismaNetAccess
from domain.setup.settings import SeveraConnection, VismaNetConnection


def in_the_open(part: SeveraConnection | VismaNetConnection) -> dict[str, str]:
    """What of a connection is stored as it is; its secret is sealed beside it."""
    values = {"base_url": part.base_url, "client_id": part.client_id}
    if isinstance(part, VismaNetConnection):
        values |= {"auth_url": part.auth_url, "kind": part.kind, "tenant_id": part.tenant_id}
    return values


def severa_access(config: Mapping[str, str], secret: str) -> SeveraAccess:
    """``config``: as ``in_the_open`` gave it."""
    return SeveraAccess(config["base_url"], config["client_id"], secret)


def visma_net_access(config: Mapping[str, str], secret: str) -> VismaNetAccess:
    """``config``: as ``in_the_open`` gave it."""
    return VismaNetAccess(
        config["base_url"],
        config["auth_url"],
        "interactive" if config["kind"] == "interactive" else "service",
        config["client_id"],
        secret,
        config["tenant_id"],
    )


def timeouts(settings: Settings) -> Timeouts:
    """How long a call may take in this installation."""
    return Timeouts(read=settings.read_timeout_seconds, create=settings.create_timeout_seconds)
