"""Addresses of the vendors as a tenant's file names them: whole, and none that a secret would be readable on."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

# Ends of names that are never given out to the public: RFC 6761, 6762, 8375, and .internal.
_PRIVATE_ENDS = (".localhost", ".local", ".test", ".internal", ".home.arpa")
_A_NAME = re.compile(r"[a-z][a-z0-9-]*")


def vendor_address(value: str) -> str:
    """The address without a slash at its end. Raises ValueError when paths cannot follow it, and for ``http://`` to a public
    host: client secret and token would cross the network readable (R-OPS-2)."""
    if not re.match(r"^https?://[^\s/\\]+(?:/[^\s\\]*)?$", value) or not (host := _host(value)):
        raise ValueError("must be an address that begins with http:// or https:// and names a host")
    parts = urlsplit(value)
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError(
            "must be an address without ?, # and @: paths follow it, and secrets have keys of their own"
        )
    if parts.scheme == "http" and not private(host):
        raise ValueError(
            "must begin with https://: with http:// the secret could be read on its way "
            "(only localhost and hosts of a private network may have it)"
        )
    return value.rstrip("/")


def _host(value: str) -> str | None:
    """Raises nothing: None where host or port are none."""
    try:
        parts = urlsplit(value)
        return parts.hostname if parts.port is None or parts.port > 0 else None
    except ValueError:
        return None


def private(host: str) -> bool:
    """Whether a host is this machine or one of a private network. Told by its name: a name is not looked up, for what it
    leads to today says nothing of tomorrow."""
    name = host.lower().rstrip(".")
    try:
        return not ip_address(name.partition("%")[0]).is_global
    except ValueError:
        # One word is a neighbour's (`simulators` in compose); one of digits is an address in disguise.
        return _A_NAME.fullmatch(name) is not None or name.endswith(_PRIVATE_ENDS)


Url = Annotated[str, AfterValidator(vendor_address)]
