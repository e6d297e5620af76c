"""Whether two addresses lead to one system: an id is one within its system, and a host has several names."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import httpcore

from connectors.wire import addresses
from domain import clock

LOOK_UP_SECONDS = 10.0
_USUAL_PORTS = {80, 443}
_HERE = "here"


def one_system(one: str, other: str) -> bool:
    """Two places as ``host`` or ``host:port``. True as well where that cannot be known, since a name that leads nowhere just
    now may lead there again: whoever asks wants to be sure that they are two."""
    (host, port), (other_host, other_port) = _parts(one), _parts(other)
    if not host or not other_host:
        return True
    if port != other_port:
        return False
    return host == other_host or _met(_addresses(host), _addresses(other_host))


def _parts(place: str) -> tuple[str, int | None]:
    """The port is None for the usual ones, which are written or left out."""
    parts = urlsplit(f"//{place}")
    try:
        port = parts.port
    except ValueError:
        return "", None
    return (parts.hostname or "").rstrip("."), None if port in _USUAL_PORTS else port


def _met(one: set[str] | None, other: set[str] | None) -> bool:
    return one is None or other is None or not one.isdisjoint(other)


def _addresses(host: str) -> set[str] | None:
    """None where they cannot be looked up."""
    try:
        found = addresses(host, 443, clock.monotonic() + LOOK_UP_SECONDS)
    except (httpcore.ConnectError, httpcore.ConnectTimeout):
        return None
    return {_HERE if _is_here(address) else address for address in found} or None


def _is_here(address: str) -> bool:
    """This machine has many addresses, and a server may listen on all of them. Only one's own can be bound."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as tried:
            tried.bind((address, 0))
    except OSError:
        return False
    return True
