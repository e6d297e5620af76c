"""Visma Severa: ``SeveraClient`` implements ``domain.ports.SeveraApi``; ``SeveraAccess`` says of which organisation."""

from connectors.severa.auth import SeveraAccess
from connectors.severa.client import SeveraClient
from connectors.severa.models import changed_at, parse_time
from connectors.severa.registers import NEEDED_SCOPES, OPTIONAL_SCOPES, REGISTERS

__all__ = [
    "NEEDED_SCOPES",
    "OPTIONAL_SCOPES",
    "REGISTERS",
    "SeveraAccess",
    "SeveraClient",
    "changed_at",
    "parse_time",
]
