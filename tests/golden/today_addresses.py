"""Addresses as today's tables have them, under the names that 0.1.0's module had."""

from __future__ import annotations

from domain.customer.addresses import FIELD_NAMES, moves, new_address, places, severa_members
from domain.customer.places import country_code, three_lines

__all__ = [
    "FIELD_NAMES",
    "country_code",
    "moves",
    "new_address",
    "places",
    "severa_members",
    "three_lines",
]
