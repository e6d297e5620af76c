"""The mapping of Severa's three registers to the inventory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from domain.conversion import CHOICE, PRICE, TEXT, Conversion, active
from domain.mapper import text
from domain.model import Json
from domain.table import Field, Table

# Open question: which item classes a company has; the tenant's settings name one per register.
# Open question: whether a POST of an inventory item needs more than these; units, posting class and VAT category are
# taken to come from the class.
CREATED_WITH = ("inventoryNumber", "itemClass", "description")

# What an ERP status means in Severa; a status that is not here (Unknown) changes nothing.
ACTIVE_BY_STATUS: Mapping[str, bool] = MappingProxyType(
    {
        "Active": True,
        "NoPurchases": True,
        "NoSales": False,
        "NoRequest": False,
        "Inactive": False,
        "MarkedForDeletion": False,
    }
)

# What employees are paid is no sales price: these classes' prices go to the ERP only.
PAID_RATES = frozenset({"Mileage", "DailyAllowance"})


@dataclass(frozen=True, slots=True)
class Kind:
    """One of Severa's three registers.

    price       member of the money, '' if it has none
    types       ERP item types that belong here; items made from here are of the first
    setting     the tenant setting with the item class of new items
    on_create   what a record made in Severa also gets
    """

    register: str
    price: str
    types: tuple[str, ...]
    setting: str
    on_create: Mapping[str, str | bool]


PRODUCTS = Kind(
    "products",
    "unitPrice",
    ("NonStockItem", "ServiceItem"),
    "item_class_product",
    MappingProxyType({"type": "Materials"}),
)
WORK_TYPES = Kind(
    "worktypes",
    "",
    ("LaborItem",),
    "item_class_work_type",
    MappingProxyType({"isProductive": True}),
)
TRAVEL_EXPENSES = Kind(
    "travelexpensetypes",
    "unitCost",
    ("ExpenseItem",),
    "item_class_travel_expense",
    MappingProxyType({"expenseClass": "OtherTravelExpense", "includeTime": False}),
)
KINDS = (PRODUCTS, WORK_TYPES, TRAVEL_EXPENSES)
BY_REGISTER: Mapping[str, Kind] = MappingProxyType({kind.register: kind for kind in KINDS})
BY_TYPE: Mapping[str, Kind] = MappingProxyType({one: kind for kind in KINDS for one in kind.types})


def price(kind: Kind, currency: str = "") -> Conversion:
    """The price of a kind. Severa's is an amount with its currency: what the record has, else the organisation's."""

    def money(value: str, overwritten: Json) -> Any:
        own = text(overwritten, f"{kind.price}.currencyCode")
        return {"amount": Decimal(value or 0), "currencyCode": own or currency}

    return PRICE.but(to_severa=money)


def _table(kind: Kind) -> Table:
    rows = [
        Field("name", "name", "description", on_create="always"),
        Field("code", "code", "inventoryNumber", TEXT, when="key", on_create="always",
              note="links both; case kept; not longer than the INVENTORY key"),
        Field("active", "isActive", "status", active(ACTIVE_BY_STATUS),
              note="written to the ERP only when the boolean changes"),
        # Severa has no such field: the bridge keeps it.
        Field("item_class", "", "itemClass.id", CHOICE, met="nobody", erp_write="itemClass",
              note="kept in the bridge (R-PRD-4)"),
        Field("type", "", "type", TEXT, "←", when="seen", note="decides the Severa register (R-PRD-1)"),
    ]  # fmt: skip
    if kind.price:
        note = "mileage and daily allowance only to the ERP" if kind is TRAVEL_EXPENSES else ""
        rows[2:2] = [
            Field("price", f"{kind.price}.amount", "defaultPrice", price(kind), severa_write=kind.price, note=note),
            Field("currency", f"{kind.price}.currencyCode", "", TEXT, "→", when="seen",
                  note="a price in another currency than the ERP's stays where it is"),
        ]  # fmt: skip
    if kind is TRAVEL_EXPENSES:
        rows.append(
            Field(
                "class",
                "expenseClass",
                "",
                TEXT,
                "→",
                when="seen",
                note="whether its price is what employees are paid",
            )
        )
    return Table(tuple(rows))


TABLES: Mapping[str, Table] = MappingProxyType({kind.register: _table(kind) for kind in KINDS})


def table_of(kind: Kind, severa: Json, currency: str = "") -> Table:
    """The table of one Severa record: paid rates go to the ERP only, and new prices are in the organisation's currency."""
    table = TABLES[kind.register]
    if not kind.price:
        return table
    if kind is TRAVEL_EXPENSES and text(severa, "expenseClass") in PAID_RATES:
        table = table.one_way("price", "→")
    return table.where(price=price(kind, currency))


def erp_values(item: Json) -> dict[str, str]:
    """The fields of an item of any kind as they are compared; an unknown status is left out."""
    return TABLES[PRODUCTS.register].values("visma_net", item)
