"""A create holds its natural key first, and what was found is joined before the first effect on it (S31, rules 2 and 2a)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from domain.customer.steps import settle as settle_customer
from domain.errors import OutcomeUnknown, TryLater, Unavailable, Waiting
from domain.model import Domain, Settled
from domain.product.steps import settle as settle_product
from domain.project.steps import settle as settle_project
from tests.fakes import FakeDelivery, World
from tests.fakes_registers import put_erp, put_severa
from tests.fakes_registers import world as register_world
from tests.unit.domain.customer_world import ours, theirs
from tests.unit.domain.customer_world import world as customer_world
from tests.unit.domain.product_world import item, product
from tests.unit.domain.project_world import project, there
from tests.unit.domain.project_world import world as project_world

Settle = Callable[[Any], Settled]


@dataclass(frozen=True)
class Case:
    """A record that is about to be made on the other side."""

    domain: Domain
    settle: Settle
    made_in: str
    fresh: Callable[[], World]
    severa: tuple[str, str] | None = None
    erp: tuple[str, str] | None = None

    def delivery(self, world: World) -> FakeDelivery:
        return world.delivery(self.domain, severa=self.severa, erp=self.erp)


def _customer() -> World:
    made = customer_world()
    put_severa(made, "customers", ours())
    return made


def _erp_customer() -> World:
    made = customer_world()
    put_erp(made, "customer", "20001", theirs())
    return made


def _product() -> World:
    made = register_world()
    put_severa(made, "products", product(code="LIC"))
    return made


def _item() -> World:
    made = register_world()
    put_erp(made, "inventory", "LIC", item())
    return made


def _project() -> World:
    made = project_world()
    put_severa(made, "projects", project())
    return made


CASES = [
    Case("customer", settle_customer, "customer", _customer, severa=("customers", "c1")),
    Case("customer", settle_customer, "customers", _erp_customer, erp=("customer", "501")),
    Case("product", settle_product, "inventory", _product, severa=("products", "p-LIC")),
    Case("product", settle_product, "products", _item, erp=("inventory", str(item()["inventoryId"]))),
    Case("project", settle_project, "project", _project, severa=("projects", "p1")),
]
each = pytest.mark.parametrize("case", CASES, ids=lambda one: f"{one.domain} made in {one.made_in}")


def creates(world: World) -> list[str]:
    return [str(call) for call in world.calls if call.method == "create"]


@pytest.mark.schedule("S31")
@each
def test_who_finds_the_key_held_waits_for_its_holder_and_makes_nothing(case: Case) -> None:
    made = case.fresh()
    made.faults.arm("create", case.made_in, OutcomeUnknown())
    with pytest.raises(OutcomeUnknown):
        case.settle(case.delivery(made))
    [(held, _)] = made.keys.items()
    other = case.fresh()
    other.keys[held] = ("somebody", ("register", "somebody"), None)

    with pytest.raises(Waiting) as caught:
        case.settle(case.delivery(other))

    assert (caught.value.domain, caught.value.severa_id) == (case.domain, "somebody")
    assert creates(other) == []


@each
def test_a_key_is_held_while_the_create_is_unknown_and_free_when_the_pair_is_complete(case: Case) -> None:
    made = case.fresh()
    made.faults.arm("create", case.made_in, OutcomeUnknown(), after=True)
    delivery = case.delivery(made)
    with pytest.raises(OutcomeUnknown):
        case.settle(delivery)
    assert len(made.keys) == 1

    made.run(case.settle, delivery.again())

    assert made.keys == {}
    assert made.paired == []


MET = [
    ("customer", settle_customer, _customer, lambda made: put_erp(made, "customer", "20001", theirs()),
     {"severa": ("customers", "c1")}, ("visma_net", "501")),
    ("customer", settle_customer, _erp_customer, lambda made: put_severa(made, "customers", ours()),
     {"erp": ("customer", "501")}, ("severa", "c1")),
    ("product", settle_product, _product, lambda made: put_erp(made, "inventory", "LIC", item()),
     {"severa": ("products", "p-LIC")}, ("visma_net", str(item()["inventoryId"]))),
    ("product", settle_product, _item, lambda made: put_severa(made, "products", product(code="LIC")),
     {"erp": ("inventory", str(item()["inventoryId"]))}, ("severa", "p-LIC")),
    ("project", settle_project, _project, lambda made: put_erp(made, "project", "4711", there()),
     {"severa": ("projects", "p1")}, ("visma_net", str(there()["internalID"]))),
]  # fmt: skip
met = pytest.mark.parametrize(("domain", "settle", "fresh", "meet", "of", "found"), MET)


@met
def test_what_was_found_is_joined_before_the_first_effect(
    domain: Domain, settle: Settle, fresh: Any, meet: Any, of: Any, found: tuple[str, str]
) -> None:
    made = fresh()
    meet(made)

    made.run(settle, made.delivery(domain, **of))

    assert made.paired == [found]


@met
def test_nothing_is_written_while_somebody_works_on_what_was_found(
    domain: Domain, settle: Settle, fresh: Any, meet: Any, of: Any, found: tuple[str, str]
) -> None:
    made = fresh()
    meet(made)
    made.leased.add((domain, found[1]))

    with pytest.raises(TryLater) as caught:
        settle(made.delivery(domain, **of))

    assert not isinstance(caught.value, Unavailable)
    assert [str(call) for call in made.calls if call.method in ("create", "update", "patch")] == []
