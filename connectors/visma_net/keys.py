"""Keys in paths: how a number becomes a path segment, and how a Location gives a number back."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

_PLAIN = re.compile(r"[^\x00-\x20\x7f\"%:/?#\[\]@!$&'()*+,;=<>\\^`{|}]+")
_ENCODED = re.compile(r"b64\((?P<text>[A-Za-z0-9_=-]*)\)", re.IGNORECASE)


def segment(key: str) -> str:
    """The path segment of a key: itself, percent-encoded, or ``b64(<base64url>)`` if it has reserved characters.

    Raises ValueError for an empty key, which would address the whole register.
    """
    if not key:
        raise ValueError("an empty key addresses no record")
    # "." and ".." would be taken out of the path, and gateways cut dots off the end (docs/vendors/visma-net-erp.md E16).
    if _PLAIN.fullmatch(key) and not key.endswith("."):
        return quote(key, safe="", errors="replace")
    # A lone surrogate is in no key of the ERP; the server says so.
    text = base64.urlsafe_b64encode(key.encode("utf-8", "replace")).decode().rstrip("=")
    return f"b64({text})"


def plain(text: str) -> str:
    """The key that a path segment stands for."""
    text = unquote(text)
    match = _ENCODED.fullmatch(text)
    if match is None:
        return text
    encoded = match["text"].rstrip("=")
    try:
        return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except ValueError:
        return text


@dataclass(frozen=True, slots=True)
class Located:
    """What a Location names: the record's key, and whether that is its internal id instead of its number."""

    key: str
    internal: bool = False


def located(location: str, register: str) -> Located | None:
    """The record that a create's Location names. Scheme, host, case, query and a slash at the end do not matter.

    None when there is no Location, when it names the register only, or when it leads elsewhere.
    """
    path = urlsplit(location.strip()).path.rstrip("/") if location else ""
    parts = [part for part in path.split("/") if part]
    if not parts:
        return None
    key = plain(parts[-1])
    names = {name.casefold() for name in (register, *register.split("/"))}
    if not key or key.casefold() in names or names.isdisjoint(part.casefold() for part in parts[:-1]):
        return None
    return Located(key, internal=len(parts) > 1 and parts[-2].casefold() == "internal")


def names_key(location: str, key: str) -> bool:
    """True if a Location ends with this very key: one with ``/`` or ``#`` may stand there as it is."""
    return f"{unquote(location)}/".casefold().endswith((f"/{key}/".casefold(), f"/{key}//".casefold()))
