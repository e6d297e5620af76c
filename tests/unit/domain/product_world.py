"""A Severa product, its ERP item, and the world in which they are settled."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.errors import Stop
from domain.model import Effects, Json
from domain.product.steps import settle
from tests.fakes import World
from tests.fakes_registers import poll, put_erp, put_severa


def product(code: str | None = "LIC", **more: Any) -> Json:
    price = {"amount": Decimal("1200.50"), "currencyCode": "SEK"}
    return {
        "guid": f"p-{code}",
        "name": "Licence",
        "code": code,
        "isActive": True,
        "unitPrice": price,
        **more,
    }


def item(code: str = "LIC", kind: str = "NonStockItem", **more: Any) -> Json:
    return {
        "inventoryId": abs(hash(code)) % 10_000,
        "inventoryNumber": code,
        "description": "Licence",
        "status": "Active",
        "type": kind,
        "itemClass": {"id": "PRODUCT", "type": kind},
        "defaultPrice": Decimal("1200.5"),
        **more,
    }


def linked(made: World, severa: Json | None = None, erp: Json | None = None) -> tuple[Json, Json]:
    ours, theirs = severa or product(), erp or item()
    put_severa(made, "products", ours)
    put_erp(made, "inventory", theirs["inventoryNumber"], theirs)
    settled = settle(made.delivery("product", severa=("products", ours["guid"])))
    made.finish(made.delivery("product", severa=("products", ours["guid"])), settled)
    made.calls.clear()
    return made.severa.stored("products", ours["guid"]), made.erp.stored(
        "inventory", theirs["inventoryNumber"]
    )


def changed(made: World) -> list[str]:
    return [str(call) for call in made.calls if call.method in ("create", "update", "patch")]


def settle_again(made: World, guid: str = "p-LIC") -> Effects:
    made.clock.forward(600)
    poll(made)
    delivery = made.delivery("product", severa=("products", guid))
    settled = settle(delivery)
    made.finish(delivery, settled)
    return settled.effects


def stopped(made: World, **which: Any) -> Stop:
    with pytest.raises(Stop) as caught:
        settle(made.delivery("product", **which))
    return caught.value
