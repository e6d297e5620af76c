"""A create whose answer or end was lost, and a person who edits before the next delivery: nothing is made twice, no edit lost."""

from __future__ import annotations

import pytest

from domain.customer.steps import settle
from domain.errors import OutcomeUnknown
from domain.model import Json
from tests.fakes import FakeDelivery, World
from tests.fakes_registers import poll, put_erp, put_severa
from tests.unit.domain import customer_world
from tests.unit.domain.customer_world import linked, theirs
from tests.unit.domain.test_customer_contacts import contact, pair, person
from tests.unit.domain.test_ends_lost import RULES, customers

pytestmark = pytest.mark.req("R-CON-1")

ERP = ("customer", "501")
LAST = "https://last.example"


def made_in_severa(made: World) -> tuple[FakeDelivery, Json, Json]:
    """A customer was made from the ERP's; the delivery's last transaction never came."""
    put_erp(made, "customer", "20001", theirs())
    delivery = made.delivery("customer", erp=ERP)
    settle(delivery)
    made.clock.forward(600)
    [severa] = made.severa.records["customers"].values()
    return delivery, severa, made.erp.stored("customer", "20001")


def rest(made: World, delivery: FakeDelivery) -> None:
    poll(made)
    *_, last = made.run(settle, delivery)
    assert last.error is None
    for _ in range(2):
        made.clock.forward(600)
        poll(made)
        *_, last = made.run(settle, made.delivery("customer", erp=ERP))
        assert last.error is None


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("side", ["severa", "visma_net"])
def test_an_edit_after_a_create_in_severa_stands_on_both_sides(rule: str, side: str) -> None:
    made = customers(rule)
    delivery, severa, erp = made_in_severa(made)
    if side == "severa":
        severa["website"] = LAST
    else:
        erp["mainContact"]["web"] = LAST
    rest(made, delivery)
    assert len(made.severa.records["customers"]) == 1
    assert (severa["website"], erp["mainContact"]["web"]) == (LAST, LAST)


def test_a_customer_that_is_renamed_while_its_create_is_unanswered_is_not_made_twice() -> None:
    made = customers("ask")
    put_erp(made, "customer", "20001", theirs())
    made.faults.arm("create", "customers", OutcomeUnknown(), after=True)
    delivery = made.delivery("customer", erp=ERP)
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    made.erp.stored("customer", "20001")["name"] = "Ada Nya AB"
    rest(made, delivery.again())
    [severa] = made.severa.records["customers"].values()
    assert severa["name"] == "Ada Nya AB"


def unanswered(made: World, register: str) -> FakeDelivery:
    """A delivery of the customer whose create of this arrived, and whose answer did not."""
    made.faults.arm("create", register, OutcomeUnknown(), after=True)
    made.clock.forward(60)
    poll(made)
    delivery = made.delivery("customer", severa=("customers", "c1"))
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    made.clock.forward(30)
    return delivery


@pytest.mark.parametrize("seen", [True, False], ids=["polled there", "not polled there"])
def test_a_contact_that_is_renamed_while_its_create_in_the_erp_is_unanswered_is_not_made_twice(
    *, seen: bool
) -> None:
    made = customers("ask")
    linked(made)
    ours = put_severa(made, "contactpersons", person())
    delivery = unanswered(made, "contact")
    made.severa.stored("contactpersons", "p1")["lastName"] = "Nyberg"
    if seen:
        poll(made)
    else:
        made.books.remember("severa", "contactpersons", ours | {"lastName": "Nyberg"})
    made.run(settle, delivery.again())
    customer_world.later(made)
    [row] = made.erp.records["contact"].values()
    assert row["lastName"] == "Nyberg"


def test_one_that_is_renamed_while_its_create_in_severa_is_unanswered_is_not_made_twice() -> None:
    made = customers("ask")
    linked(made)
    theirs_ = put_erp(made, "contact", "700", contact())
    delivery = unanswered(made, "contactpersons")
    made.erp.stored("contact", "700")["lastName"] = "Nyberg"
    made.books.remember("visma_net", "contact", theirs_ | {"lastName": "Nyberg"})
    made.run(settle, delivery.again())
    customer_world.later(made)
    [row] = made.severa.records["contactpersons"].values()
    assert row["lastName"] == "Nyberg"


def test_a_phone_number_that_changes_while_its_create_is_unanswered_is_not_made_twice() -> None:
    made = customers("ask")
    _, there = pair(made)
    there["phone2"] = "+46 90 222"
    delivery = unanswered(made, "contactcommunications")
    there["phone2"] = "+46 90 333"
    made.books.remember("visma_net", "contact", there)
    made.run(settle, delivery.again())
    customer_world.later(made)
    rows = made.severa.records["contactcommunications"].values()
    assert sorted(row["value"] for row in rows if row["communicationType"]["type"] == "Phone") == [
        "+46 90 333"
    ]
