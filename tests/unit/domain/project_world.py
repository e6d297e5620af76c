"""A Severa project, its ERP project, and the world in which they are settled."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import Stop
from domain.model import Effects, Json
from domain.project.steps import settle
from tests.fakes import World
from tests.fakes_registers import poll, put_erp, put_severa
from tests.fakes_registers import world as registers

STATUSES = (
    ("failed", {}),
    ("draft", {"isDefault": True}),
    ("transfer", {"isReadOnly": True}),
    ("transferred", {"isReadOnly": True, "hasInvoiceNumber": True, "isSent": True}),
    ("sent", {"isReadOnly": True, "hasInvoiceNumber": True, "isSent": True, "isWaitingPayment": True}),
    ("part", {"isReadOnly": True, "hasInvoiceNumber": True, "isSent": True, "isWaitingPayment": True}),
    ("paid", {"isReadOnly": True, "hasInvoiceNumber": True, "isSent": True, "isPaid": True}),
)


def world(*, customer_linked: bool = True) -> World:
    made = registers()
    for state in ("InProgress", "Won", "Lost"):
        made.books.remember(
            "severa", "salesstatustypes", {"guid": state.lower(), "salesState": state, "name": state}
        )
    for order, (guid, flags) in enumerate(STATUSES):
        body = {"guid": guid, "name": guid, "sortOrder": order, "isActive": True, **flags}
        made.books.remember("severa", "invoicestatuses", body)
    ours = put_severa(
        made, "customers", {"guid": "c1", "name": "Ada AB", "number": 10001, "isInternal": False}
    )
    if customer_linked:
        theirs = put_erp(made, "customer", "10001", {"internalId": 7, "number": "10001", "name": "Ada AB"})
        made.books.connect(
            "customer",
            made.books.remember("severa", "customers", ours),
            made.books.remember("visma_net", "customer", theirs),
        )
    return made


def project(**more: Any) -> Json:
    return {
        "guid": "p1",
        "number": 4711,
        "name": "ERP rollout",
        "isInternal": False,
        "isClosed": False,
        "customer": {"guid": "c1", "name": "Ada AB"},
        "salesStatus": {"salesStatusTypeGuid": "won"},
        "startDate": "2026-03-01",
        "createdDateTime": "2026-02-27T23:30:00Z",
        **more,
    }


def there(**more: Any) -> Json:
    return {
        "internalID": 812,
        "projectID": "4711",
        "customer": {"number": "10001"},
        "description": "ERP rollout",
        "status": "Active",
        "startDate": "2026-03-01T00:00:00",
        "tasks": [{"taskId": "10", "status": "Active"}],
        **more,
    }


def settled(made: World, register: str = "projects") -> Effects:
    delivery = made.delivery("project", severa=(register, "p1"))
    done = settle(delivery)
    made.finish(delivery, done)
    return done.effects


def stopped(made: World) -> Stop:
    with pytest.raises(Stop) as caught:
        settle(made.delivery("project", severa=("projects", "p1")))
    return caught.value


def linked(made: World) -> tuple[Json, Json]:
    put_severa(made, "projects", project())
    settled(made)
    made.calls.clear()
    made.clock.forward(600)
    poll(made)
    return made.severa.stored("projects", "p1"), made.erp.stored("project", "4711")


def later(made: World) -> Effects:
    made.clock.forward(600)
    poll(made)
    return settled(made)


def changed(made: World) -> list[str]:
    return [str(call) for call in made.calls if call.method in ("create", "update", "patch")]
