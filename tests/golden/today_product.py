"""The product's mapping as today's table has it, answering under the names that 0.1.0's functions had."""

from __future__ import annotations

from typing import Any

from domain.product.plan import Sides, new_record, severa_members
from domain.product.plan import erp_members as members_of
from domain.product.plan import new_item as item_of
from domain.product.table import PRODUCTS

__all__ = ["Sides", "erp_members", "new_item", "new_record", "severa_members"]


def erp_members(merged: Any, sides: Any = None) -> Any:
    """Members of an item's update; 0.1.0's took no sides, today's table reads none of them for an item."""
    return members_of(sides or _ANY, merged)


def new_item(kind: Any, severa: Any, item_class: str, *, foreign_price: bool) -> Any:
    """Members of a new item; a foreign price is one in another currency than the ERP's."""
    return item_of(Sides(kind, severa, {}, currency="?" if foreign_price else ""), item_class)


_ANY = Sides(PRODUCTS, {}, {})
