"""Visma.net ERP: the connector (``VismaNetClient``) and of which company (``VismaNetAccess``), its sign-in scopes, its times, its catalogue of registers."""

from connectors.visma_net.auth import NEEDED_SCOPES, Kind, VismaNetAccess, new_verifier
from connectors.visma_net.client import VismaNetClient
from connectors.visma_net.registers import REGISTERS
from connectors.visma_net.times import SERVER_ZONE, filter_day, filter_time, parse_time

__all__ = [
    "NEEDED_SCOPES",
    "REGISTERS",
    "SERVER_ZONE",
    "Kind",
    "VismaNetAccess",
    "VismaNetClient",
    "filter_day",
    "filter_time",
    "new_verifier",
    "parse_time",
]
