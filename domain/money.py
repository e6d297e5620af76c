"""Money: always Decimal, rounded half away from zero to the currency's decimals."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

# ISO 4217: currencies whose smallest unit is not a hundredth.
_DECIMALS = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
ZERO = Decimal(0)


def decimals(currency: str) -> int:
    """Number of decimals of a currency code; 2 where nothing else is known."""
    return _DECIMALS.get(currency.upper(), 2)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Half away from zero (ROUND_HALF_UP on the absolute value, which is what Decimal's mode does)."""
    return amount.quantize(Decimal(1).scaleb(-decimals(currency)), rounding=ROUND_HALF_UP)


def amount(value: Any) -> Decimal:
    """A vendor's number (Decimal, int, or text) as Decimal; None counts as 0. Floats are refused: they were never exact."""
    if value is None:
        return ZERO
    if isinstance(value, float):
        raise TypeError("money must never pass through float")
    return Decimal(value)


def money_of(value: Any) -> Decimal:
    """The amount of a Severa money object {amount, currencyCode}; None counts as 0."""
    return amount(value.get("amount")) if value else ZERO
