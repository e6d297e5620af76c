"""Money: always Decimal, rounded half away from zero to the currency's decimals.

How many decimals a currency has is the company's own choice: the ERP's currency register says it (``decimalPrecision``),
and ISO 4217 only where that register is silent. A ``Currency`` carries the answer with its code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from domain.ports import Books

# The ERP's currencies: how many decimals each has.
CURRENCIES = "currency"

# ISO 4217: currencies whose smallest unit is not a hundredth. Used where the ERP's register says nothing.
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


# More decimals than any ledger keeps: a precision beyond it is no answer.
_MOST_DECIMALS = 8

# Severa tells numbers as doubles (docs/vendors/severa.md S24). Their arithmetic leaves noise such as
# 1250.0000000000002; no amount of a ledger has more than four decimals, and none differs by a millionth.
_LEDGER = Decimal("0.0001")
_NOISE = Decimal("0.000001")
_CENT = Decimal("0.01")
# A double tells 15 digits truly; what stands behind them in a price or a quantity is noise as well.
_TRUE_DIGITS = Context(prec=15, rounding=ROUND_HALF_UP)


class Currency(str):
    """A currency code that knows its decimals. As text it is the code and nothing else."""

    __slots__ = ("decimals",)
    decimals: int

    def __new__(cls, code: str, decimals: int) -> Self:
        """``decimals``: those that amounts of the currency are rounded to."""
        made = super().__new__(cls, code)
        made.decimals = decimals
        return made

    def __reduce__(self) -> tuple[type[Currency], tuple[str, int]]:
        return type(self), (str(self), self.decimals)

    @classmethod
    def of(cls, code: str, register: Iterable[Mapping[str, Any]]) -> Self:
        """The currency as the rows of the ERP's register ``currency`` describe it ({id, decimalPrecision}), else as ISO
        4217 does."""
        for row in register:
            told, known = row.get("decimalPrecision"), str(row.get("id") or "").strip()
            if known.upper() != code.upper() or told is None:
                continue
            if 0 <= int(told) <= _MOST_DECIMALS:
                return cls(code, int(told))
        return cls(code, decimals(code))


def currency_of(books: Books, code: str) -> Currency:
    """A currency with the decimals of the ERP's register, of ISO 4217 where it does not list it."""
    return Currency.of(code, (record.body for record in books.all("visma_net", CURRENCIES)))


def decimals(currency: str) -> int:
    """Number of decimals of a currency: what it knows itself, else ISO 4217's for its code, 2 where nothing is known."""
    if isinstance(currency, Currency):
        return currency.decimals
    return _DECIMALS.get(currency.upper(), 2)


def smallest_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01, 1 for one without decimals."""
    return Decimal(1).scaleb(-decimals(currency))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Half away from zero (ROUND_HALF_UP on the absolute value, which is what Decimal's mode does)."""
    return amount.quantize(smallest_unit(currency), rounding=ROUND_HALF_UP)


def shown(amount: Decimal, currency: str) -> str:
    """An amount with the currency's decimals, or with more where those would hide a part of it: 1234.50 JPY stays
    1234.5, or a sentence would say that 1235 is not 1235."""
    short = rounded(amount, currency)
    return f"{short:f}" if short == amount else f"{amount.normalize():f}"


def of_double(amount: Decimal) -> Decimal:
    """An amount of money as it was meant before it became a double: within a millionth of four decimals it is those four.
    A real difference is never hidden, no currency can show one that small."""
    ledger = amount.quantize(_LEDGER, rounding=ROUND_HALF_UP)
    if ledger == amount:
        return amount
    if abs(ledger - amount) > _NOISE:
        return factor_of_double(amount)
    cents = ledger.quantize(_CENT, rounding=ROUND_HALF_UP)
    return cents if cents == ledger else ledger


def factor_of_double(value: Decimal) -> Decimal:
    """A price or quantity as it was meant before it became a double: fifteen digits, which a double tells truly. More is
    not taken off: 0.0000005 is a price where the quantity is a million."""
    true = _TRUE_DIGITS.plus(value)
    return true if true != value else value


def amount(value: Any) -> Decimal:
    """A vendor's number (Decimal, int, or text) as Decimal; None counts as 0. Floats are refused: they were never exact."""
    if value is None:
        return ZERO
    if isinstance(value, float):
        raise TypeError("money must never pass through float")
    return Decimal(value)
