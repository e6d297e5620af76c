"""What was just made is not there for a while: nobody is told of it, and it is not made twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.customer.steps import settle as settle_customer
from domain.errors import NotFound, Stop, TryLater
from domain.product.steps import settle as settle_product
from domain.project.steps import settle as settle_project
from tests.fakes import World
from tests.fakes_registers import put_erp, put_severa
from tests.fakes_registers import world as registers
from tests.unit.domain import customer_world, product_world, project_world

pytestmark = pytest.mark.req("R-CUS-1", "R-PRD-1", "R-PRJ-1")


def hidden(side: Any, register: str, times: int) -> Callable[[], int]:
    """The register's single reads that come after a create answer 404 so often; how many did."""
    read, create, left, made = side.get, side.create, [times], [False]

    def get(name: str, key: str, *more: Any, **options: Any) -> Any:
        if made[0] and name == register and left[0] > 0:
            left[0] -= 1
            raise NotFound("not there", system="visma_net", status=404, operation=f"GET {name}")
        return read(name, key, *more, **options)

    def creates(name: str, *more: Any, **options: Any) -> Any:
        made[0] = made[0] or name.startswith(register)
        return create(name, *more, **options)

    side.get, side.create = get, creates
    return lambda: times - left[0]


def of_project() -> tuple[World, Any, dict[str, Any]]:
    made = project_world.world()
    put_severa(made, "projects", project_world.project())
    return made, settle_project, {"domain": "project", "severa": ("projects", "p1")}


def of_product() -> tuple[World, Any, dict[str, Any]]:
    made = registers()
    put_severa(made, "products", product_world.product())
    return made, settle_product, {"domain": "product", "severa": ("products", "p-LIC")}


def of_item() -> tuple[World, Any, dict[str, Any]]:
    made, body = registers(), product_world.item()
    put_erp(made, "inventory", "LIC", body)
    return made, settle_product, {"domain": "product", "erp": ("inventory", str(body["inventoryId"]))}


def of_customer() -> tuple[World, Any, dict[str, Any]]:
    made = customer_world.world()
    put_severa(made, "customers", customer_world.ours())
    return made, settle_customer, {"domain": "customer", "severa": ("customers", "c1")}


def of_erp_customer() -> tuple[World, Any, dict[str, Any]]:
    made, body = customer_world.world(), customer_world.theirs()
    put_erp(made, "customer", "20001", body)
    return made, settle_customer, {"domain": "customer", "erp": ("customer", str(body["internalId"]))}


CASES = {
    "project": (of_project, "erp", "project"),
    "item": (of_product, "erp", "inventory"),
    "product": (of_item, "severa", "products"),
    "ERP customer": (of_customer, "erp", "customer"),
    "Severa customer": (of_erp_customer, "severa", "customers"),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_asked_for_again_and_linked(case: str) -> None:
    put_up, side, register = CASES[case]
    made, settle, which = put_up()
    vendor = getattr(made, side)
    seen = hidden(vendor, register, 2)
    delivery = made.delivery(**which)
    for _ in range(2):
        with pytest.raises(TryLater, match="does not show yet"):
            settle(delivery)
        delivery = delivery.again()
        made.clock.forward(5)
    made.finish(delivery, settle(delivery))
    assert seen() == 2
    assert len([call for call in made.calls if call.method == "create" and call.register == register]) == 1
    assert len(made.books.links) == before(case) + 1


def before(case: str) -> int:
    """The project's customer is linked."""
    return 1 if case == "project" else 0


@pytest.mark.parametrize("case", CASES)
def test_what_never_shows_is_told_once_every_reader_would_see_it(case: str) -> None:
    put_up, side, register = CASES[case]
    made, settle, which = put_up()
    hidden(getattr(made, side), register, 99)
    delivery = made.delivery(**which)
    with pytest.raises(TryLater):
        settle(delivery)
    delivery = delivery.again()
    made.clock.forward(made.limits.visibility_seconds + 1)
    with pytest.raises(Stop):
        settle(delivery)
