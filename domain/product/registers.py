"""Severa's three registers and the inventory, as the poller reads them."""

from __future__ import annotations

from domain.mapper import latest_time, text
from domain.model import Json
from domain.product.table import KINDS, PRODUCTS, TABLES, Kind
from domain.registers import Concern, Register, reference
from domain.text import code_key

INVENTORY = "inventory"
INVENTORY_KEY = "INVENTORY"
ITEM_CLASSES = "inventory/itemClass"


def _severa_register(kind: Kind) -> Register:
    return Register(
        system="severa",
        name=kind.register,
        identify=lambda body: text(body, "guid"),
        number=lambda body: text(body, "code"),
        title=lambda body: text(body, "name"),
        projection=lambda body: TABLES[kind.register].seen("severa", body),
        concerns=lambda body: (Concern("product", kind.register, text(body, "guid")),),
        remote_time=latest_time,
        mapping_version=TABLES[kind.register].version("severa"),
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
        projection=lambda body: TABLES[PRODUCTS.register].seen("visma_net", body),
        concerns=lambda body: (Concern("product", INVENTORY, text(body, "inventoryId")),),
        single=lambda body: text(body, "inventoryNumber"),
        remote_time=latest_time,
        mapping_version=TABLES[PRODUCTS.register].version("visma_net"),
    ),
    reference("visma_net", ITEM_CLASSES, "id", "description", "type", "description"),
)
