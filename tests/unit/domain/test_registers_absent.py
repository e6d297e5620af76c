"""A linked customer, product or project that a vendor denies once is there (docs/never-twice.md rule 11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from domain.customer.steps import settle as settle_customer
from domain.errors import Unavailable
from domain.model import Domain, Json, System
from domain.product.steps import settle as settle_product
from domain.project.steps import settle as settle_project
from tests.fakes import World
from tests.fakes_registers import poll
from tests.fakes_registers import world as product_world
from tests.unit.domain import customer_world, project_world
from tests.unit.domain import product_world as products
from tests.unit.domain.absences import denied, said_once, said_twice

Settle = Callable[[Any], object]


@dataclass(frozen=True)
class Kind:
    """How a register is set up; ``reads``: how each system is asked for one of its records; ``name``: a field of Severa's."""

    domain: Domain
    register: str
    guid: str
    settle: Settle
    made: Callable[[], tuple[World, Json]]
    reads: dict[System, tuple[str, ...]]
    name: str = "name"


def _customer() -> tuple[World, Json]:
    made = customer_world.world()
    return made, customer_world.linked(made)[0]


def _product() -> tuple[World, Json]:
    made = product_world()
    return made, products.linked(made)[0]


def _project() -> tuple[World, Json]:
    made = project_world.world()
    return made, project_world.linked(made)[0]


KINDS = {
    "customer": Kind("customer", "customers", "c1", settle_customer, _customer,
                     {"severa": ("customers",), "visma_net": ("customer", "customer/internal")}),
    "product": Kind("product", "products", "p-LIC", settle_product, _product,
                    {"severa": ("products",), "visma_net": ("inventory", "inventory/internal")}),
    "project": Kind("project", "projects", "p1", settle_project, _project,
                    {"severa": ("projects",), "visma_net": ("project", "project/internal")}),
}  # fmt: skip
SIDES: tuple[System, ...] = ("severa", "visma_net")


def renamed(kind: Kind) -> World:
    """Linked, and renamed in Severa since."""
    made, severa = kind.made()
    severa[kind.name] = "Another name"
    made.clock.forward(600)
    poll(made)
    made.calls.clear()
    return made


@pytest.mark.req("R-CUS-8")
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", KINDS)
def test_a_linked_record_that_is_denied_once_is_kept_in_step(name: str, side: System) -> None:
    kind = KINDS[name]
    made = renamed(kind)
    denied(made, side, *kind.reads[side])
    delivery = made.delivery(kind.domain, severa=(kind.register, kind.guid))
    kind.settle(said_once(made, kind.settle, delivery))
    assert [call.method for call in made.calls if call.method == "update"] == ["update"]


@pytest.mark.req("R-CUS-8")
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", KINDS)
def test_one_that_is_denied_twice_is_told(name: str, side: System) -> None:
    kind = KINDS[name]
    made = renamed(kind)
    for _ in range(2):
        denied(made, side, *kind.reads[side])
    stop = said_twice(made, kind.settle, made.delivery(kind.domain, severa=(kind.register, kind.guid)))
    assert stop.code == f"{kind.domain}.gone"
    assert [call for call in made.calls if call.method in ("update", "patch", "create")] == []


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", KINDS)
def test_what_was_shown_in_between_withdraws_what_was_said_before(name: str, side: System) -> None:
    kind = KINDS[name]
    made = renamed(kind)
    denied(made, side, *kind.reads[side])
    delivery = said_once(made, kind.settle, made.delivery(kind.domain, severa=(kind.register, kind.guid)))
    made.faults.arm("update", kind.reads["visma_net"][0], Unavailable())
    with pytest.raises(Unavailable):
        kind.settle(delivery)
    denied(made, side, *kind.reads[side])
    kind.settle(said_once(made, kind.settle, delivery.again()))
