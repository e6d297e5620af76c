"""A line of the ERP as it stands in Severa."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Brought:
    """A line as it stands in Severa: kept in the link, so that it is brought once, ever, and can be taken back.

    ``adopted``: the fee was there before this delivery sent anything; people may have changed it since.
    """

    fee: str
    project: str
    phase: str
    cost: Decimal
    currency: str
    price: Decimal
    price_currency: str
    billable: bool
    date: str
    text: str
    label: str
    adopted: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain values, amounts as strings."""
        return {
            "fee": self.fee,
            "project": self.project,
            "phase": self.phase,
            "cost": format(self.cost, "f"),
            "currency": self.currency,
            "price": format(self.price, "f"),
            "price_currency": self.price_currency,
            "billable": self.billable,
            "date": self.date,
            "text": self.text,
            "label": self.label,
            "adopted": self.adopted,
        }


def brought(values: Mapping[str, Any]) -> Brought:
    """The other way of ``Brought.as_json``."""
    return Brought(**{**values, "cost": Decimal(values["cost"]), "price": Decimal(values["price"])})
