"""Amounts of both systems as they were meant: read without a double's noise, and turned the way that documents show them."""

from __future__ import annotations

from decimal import Decimal

from domain.mapper import decimal, read
from domain.model import Json
from domain.money import ZERO, factor_of_double, of_double


def money(body: Json | None, path: str) -> Decimal:
    """An amount at a dotted path, without a double's noise (both vendors tell numbers as doubles); missing and null count
    as 0."""
    return of_double(decimal(read(body, path)) or ZERO)


def factor(body: Json | None, path: str) -> Decimal:
    """A quantity, price or percentage at a dotted path, without a double's noise; missing and null count as 0."""
    return factor_of_double(decimal(read(body, path)) or ZERO)


def direction(*amounts: Decimal) -> int:
    """The sign of a document's amounts, 1 or −1: that of the first one that is not 0.

    One rule for both systems and for everything that is turned round: a credit note whose total is 0 (rounded to whole
    kronor, or made of rows that cancel each other) still goes one way. Callers give total, net + VAT, net, VAT.
    """
    return next((1 if one > 0 else -1 for one in amounts if one), 1)
