"""The mapping of Severa's three registers to the inventory, and the four registers as the poller reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from domain.fields import Field
from domain.mapper import flag, known_factor, latest_time, read, text
from domain.model import Json
from domain.registers import Concern, Register
from domain.text import canonical, code_key

# Open question: which item classes a company has; the tenant's settings name one per register.
# Open question: whether a POST of an inventory item needs more than these; units, posting class and VAT category are
# taken to come from the class.
CREATED_WITH = ("inventoryNumber", "itemClass", "description")

INVENTORY = "inventory"
INVENTORY_KEY = "INVENTORY"
ITEM_CLASSES = "inventory/itemClass"

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

FIELDS = (
    Field("name", "name", "description", "↔"),
    Field(
        "code",
        "code",
        "inventoryNumber",
        "↔",
        "link key",
        note="case kept; not longer than the INVENTORY key",
    ),
    Field(
        "price",
        "unitPrice.amount",
        "defaultPrice",
        "↔",
        "decimal",
        note="travel expense types: unitCost.amount; work types have none; mileage and daily allowance only to the ERP",
    ),
    Field(
        "active", "isActive", "status", "↔", "active", note="written to the ERP only when the boolean changes"
    ),
    Field(
        "item_class",
        "",
        "itemClass.id",
        "→",
        "choice",
        erp_write="itemClass",
        note="kept in the bridge (R-PRD-4)",
    ),
    Field("type", "", "type", "←", "register", note="decides the Severa register (R-PRD-1)"),
)


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
    sv: str
    en: str


PRODUCTS = Kind(
    "products",
    "unitPrice",
    ("NonStockItem", "ServiceItem"),
    "item_class_product",
    MappingProxyType({"type": "Materials"}),
    "produkt",
    "product",
)
WORK_TYPES = Kind(
    "worktypes",
    "",
    ("LaborItem",),
    "item_class_work_type",
    MappingProxyType({"isProductive": True}),
    "arbetstyp",
    "work type",
)
TRAVEL_EXPENSES = Kind(
    "travelexpensetypes",
    "unitCost",
    ("ExpenseItem",),
    "item_class_travel_expense",
    MappingProxyType({"expenseClass": "OtherTravelExpense", "includeTime": False}),
    "resekostnad",
    "travel expense type",
)
KINDS = (PRODUCTS, WORK_TYPES, TRAVEL_EXPENSES)
BY_REGISTER: Mapping[str, Kind] = MappingProxyType({kind.register: kind for kind in KINDS})
BY_TYPE: Mapping[str, Kind] = MappingProxyType({one: kind for kind in KINDS for one in kind.types})


def severa_values(kind: Kind, body: Json) -> dict[str, str]:
    """The mapped fields of a Severa record as canonical strings."""
    values = {
        "name": text(body, "name"),
        "code": text(body, "code"),
        "active": canonical(flag(read(body, "isActive"))),
    }
    if kind.price:
        values["price"] = canonical(known_factor(read(body, f"{kind.price}.amount")))
    return values


def erp_values(body: Json) -> dict[str, str]:
    """The mapped fields of an item as canonical strings; an unknown status is left out."""
    values = {
        "name": text(body, "description"),
        "code": text(body, "inventoryNumber"),
        "price": canonical(known_factor(read(body, "defaultPrice"))),
        "item_class": text(body, "itemClass.id"),
    }
    active = ACTIVE_BY_STATUS.get(text(body, "status"))
    if active is not None:
        values["active"] = canonical(active)
    return values


def _severa_projection(kind: Kind, body: Json) -> Mapping[str, str]:
    values = severa_values(kind, body)
    if kind.price:
        values["currency"] = text(body, f"{kind.price}.currencyCode")
    if kind is TRAVEL_EXPENSES:
        values["class"] = text(body, "expenseClass")
    return values


def _erp_projection(body: Json) -> Mapping[str, str]:
    return {**erp_values(body), "type": text(body, "type")}


def _severa_register(kind: Kind) -> Register:
    return Register(
        system="severa",
        name=kind.register,
        identify=lambda body: text(body, "guid"),
        number=lambda body: text(body, "code"),
        title=lambda body: text(body, "name"),
        projection=lambda body: _severa_projection(kind, body),
        concerns=lambda body: (Concern("product", kind.register, text(body, "guid")),),
        remote_time=latest_time,
    )


def natural_key(body: Json) -> str:
    """What a product, work type or travel expense type is held by while it is created, over both directions and all three
    registers (docs/never-twice.md rule 2a): its code; '' if it has none. ``body`` of either system."""
    return code_key(text(body, "code") or text(body, "inventoryNumber"))


REGISTERS: tuple[Register, ...] = (
    *(_severa_register(kind) for kind in KINDS),
    Register(
        system="visma_net",
        name=INVENTORY,
        identify=lambda body: text(body, "inventoryId"),
        number=lambda body: text(body, "inventoryNumber"),
        title=lambda body: text(body, "description"),
        projection=_erp_projection,
        concerns=lambda body: (Concern("product", INVENTORY, text(body, "inventoryId")),),
        single=lambda body: text(body, "inventoryNumber"),
        remote_time=latest_time,
    ),
    Register(
        system="visma_net",
        name=ITEM_CLASSES,
        identify=lambda body: text(body, "id"),
        number=lambda body: text(body, "id"),
        title=lambda body: text(body, "description"),
        projection=lambda body: {"type": text(body, "type"), "description": text(body, "description")},
        concerns=lambda _body: (),
        remote_time=lambda _body: None,
        reference=True,
    ),
)
