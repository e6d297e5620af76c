"""A first meeting that died at any of its calls, and a person who edits before the next attempt (R-CON-1, decision 0017)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from domain.customer.steps import settle as settle_customer
from domain.model import Json
from domain.product.steps import settle as settle_product
from tests.fakes import World
from tests.fakes_registers import put_erp, put_severa
from tests.fakes_registers import world as products
from tests.unit.domain import product_world
from tests.unit.domain.customer_world import linked, ours, theirs, world
from tests.unit.domain.ends_lost import Death, Settle, deaths, rest
from tests.unit.domain.test_customer_contacts import contact, person, reach
from tests.unit.domain.test_ends_lost import RULES, ruled

pytestmark = pytest.mark.req("R-CON-1")

Place = tuple[str, ...]


@dataclass(frozen=True)
class Field:
    """Where a field stands on either side, and what somebody sets it to."""

    severa: Place
    erp: Place
    value: str


@dataclass(frozen=True)
class Case:
    """A first meeting: the records before it, and how both are found afterwards."""

    put_up: Callable[[str], World]
    settle: Settle
    which: dict[str, Any]
    severa: str
    erp: str
    fields: tuple[Field, ...]
    # What is written down once the meeting has decided.
    decided: str = "sending met"


WEB = Field(("website",), ("mainContact", "web"), "https://last.example")
NAME = Field(("name",), ("name",), "Ada Sista AB")
MAIL = Field(("email",), ("mainContact", "email"), "sist@ada.example")
CITY = Field(("headquarterAddress", "city"), ("mainAddress", "city"), "Luleå")
POSITION = Field(("jobTitle",), ("position",), "Sista")
LAST_NAME = Field(("lastName",), ("lastName",), "Nyberg")
PRODUCT = Field(("name",), ("description",), "Sista")


def severa_customer(rule: str) -> World:
    made = ruled(world(), conflict_customer=rule)
    put_severa(made, "customers", ours())
    put_severa(made, "addresses", address())
    return made


def erp_customer(rule: str) -> World:
    made = ruled(world(), conflict_customer=rule)
    put_erp(made, "customer", "20001", theirs())
    return made


def address() -> Json:
    shown = ours()["headquarterAddress"]
    flags = dict.fromkeys(("isVisitAddress", "isBillingAddress", "isPostalAddress"), True)
    return {**shown, "country": {"guid": "se", "name": "Sverige"}, "customer": {"guid": "c1"}, **flags}


def two_customers(rule: str) -> World:
    made = ruled(world(), conflict_customer=rule)
    # Where nobody decides, a difference is asked about whoever dies.
    decided = rule in ("severa", "visma_net")
    put_severa(made, "customers", ours(number=20001, **({"email": "var@ada.example"} if decided else {})))
    put_severa(made, "addresses", address())
    put_erp(made, "customer", "20001", theirs())
    return made


def severa_product(rule: str) -> World:
    made = ruled(products(), conflict_product=rule)
    put_severa(made, "products", product_world.product())
    return made


def erp_product(rule: str) -> World:
    made = ruled(products(), conflict_product=rule)
    put_erp(made, "inventory", "LIC", product_world.item(inventoryId=77))
    return made


def two_products(rule: str) -> World:
    made = ruled(products(), conflict_product=rule)
    price = {"unitPrice": {"amount": 7, "currencyCode": "SEK"}} if rule in ("severa", "visma_net") else {}
    put_severa(made, "products", product_world.product(**price))
    put_erp(made, "inventory", "LIC", product_world.item(inventoryId=77))
    return made


def severa_contact(rule: str) -> World:
    made = ruled(world(), conflict_customer=rule)
    linked(made)
    put_severa(made, "contactpersons", person())
    put_severa(made, "contactcommunications", reach("m1", "EmailAddress", "kari@ada.example"))
    return made


def erp_contact(rule: str) -> World:
    made = ruled(world(), conflict_customer=rule)
    linked(made)
    put_erp(made, "contact", "700", contact(title=""))
    return made


def two_contacts(rule: str) -> World:
    made = severa_contact(rule)
    title = "Chef" if rule in ("severa", "visma_net") else "Projektledare"
    put_erp(made, "contact", "700", contact(phone2="+46 90 222", position=title))
    return made


FROM_SEVERA = {"domain": "customer", "severa": ("customers", "c1")}
FROM_ERP = {"domain": "customer", "erp": ("customer", "501")}
CUSTOMER_FIELDS = (WEB, NAME, MAIL, CITY)
MADE = {
    "customer in the ERP": Case(
        severa_customer, settle_customer, FROM_SEVERA, "customers", "customer", CUSTOMER_FIELDS
    ),
    "customer in Severa": Case(
        erp_customer, settle_customer, FROM_ERP, "customers", "customer", CUSTOMER_FIELDS
    ),
    "product in the ERP": Case(
        severa_product, settle_product, {"domain": "product", "severa": ("products", "p-LIC")},
        "products", "inventory", (PRODUCT,),
    ),
    "product in Severa": Case(
        erp_product, settle_product, {"domain": "product", "erp": ("inventory", "77")},
        "products", "inventory", (PRODUCT,),
    ),
    "contact in the ERP": Case(
        severa_contact, settle_customer, FROM_SEVERA, "contactpersons", "contact", (POSITION, LAST_NAME)
    ),
    "contact in Severa": Case(
        erp_contact, settle_customer, FROM_SEVERA, "contactpersons", "contact", (POSITION,)
    ),
}  # fmt: skip
MET = {
    "customers from Severa": Case(
        two_customers, settle_customer, FROM_SEVERA, "customers", "customer", CUSTOMER_FIELDS
    ),
    "customers from the ERP": Case(
        two_customers, settle_customer, FROM_ERP, "customers", "customer", CUSTOMER_FIELDS
    ),
    "products": Case(
        two_products, settle_product, {"domain": "product", "severa": ("products", "p-LIC")},
        "products", "inventory", (PRODUCT,),
    ),
    "contacts": Case(
        two_contacts, settle_customer, FROM_SEVERA, "contactpersons", "contact", (POSITION, LAST_NAME),
        "sending contact:p1",
    ),
}  # fmt: skip


def only(rows: dict[str, Json]) -> Json:
    [row] = rows.values()
    return row


def both(made: World, case: Case) -> tuple[Json | None, Json | None]:
    ours_, theirs_ = made.severa.records.get(case.severa), made.erp.records.get(case.erp)
    return (only(ours_) if ours_ else None, only(theirs_) if theirs_ else None)


def get(row: Json, place: Place) -> Any:
    for name in place:
        row = (row or {}).get(name)  # type: ignore[assignment]
    return row


def put(made: World, row: Json, place: Place, value: str) -> None:
    *above, name = place
    for one in above:
        row = row[one]
    row[name] = value
    if place == CITY.severa:
        # A headquarter address on the customer is a copy of its address.
        for address in made.severa.records.get("addresses", {}).values():
            if address["guid"] == row.get("guid"):
                address[name] = value


def fields(cases: dict[str, Case]) -> list[Any]:
    return [
        pytest.param(case, one, id=f"{name}-{one.erp[-1]}")
        for name, case in cases.items()
        for one in case.fields
    ]


def agree(death: Death, case: Case, field: Field, value: str, told: list[str]) -> None:
    ours_, theirs_ = both(death.made, case)
    assert ours_ is not None, death.at
    assert theirs_ is not None, death.at
    stands = (get(ours_, field.severa), get(theirs_, field.erp), told)
    assert stands == (value, value, []), death.at


@pytest.mark.parametrize(("rule", "polled"), [("ask", True), ("severa", False), ("visma_net", True)])
@pytest.mark.parametrize(("case", "field"), fields(MADE))
@pytest.mark.parametrize("side", ["severa", "visma_net"])
def test_whenever_a_create_dies_a_later_edit_on_either_side_stands(
    case: Case, field: Field, rule: str, side: str, *, polled: bool
) -> None:
    for death in deaths(lambda: case.put_up(rule), case.settle, **case.which):
        ours_, theirs_ = both(death.made, case)
        row, place = (ours_, field.severa) if side == "severa" else (theirs_, field.erp)
        if row is None or (len(place) > 1 and not row.get(place[0])):
            continue
        put(death.made, row, place, field.value)
        told = rest(death, case.settle, polled=polled, **case.which)
        if set(told) == {"customer.in_doubt_renamed"}:
            # Nobody can tell one that was renamed from another; a person does, and it is not made twice.
            assert (field, side) == (NAME, "visma_net")
            put(death.made, row, place, ours()["name"])
            told = rest(death, case.settle, **case.which)
            put(death.made, row, place, field.value)
            told += rest(death, case.settle, **case.which)
        agree(death, case, field, field.value, told)


@pytest.mark.parametrize("rule", ["ask", "latest"])
@pytest.mark.parametrize("case", MADE.values(), ids=MADE)
def test_whenever_a_create_dies_and_nothing_happens_both_are_there_once(case: Case, rule: str) -> None:
    smooth = case.put_up(rule)
    delivery = smooth.delivery(**case.which)
    smooth.finish(delivery, case.settle(delivery))
    for death in deaths(lambda: case.put_up(rule), case.settle, **case.which):
        assert rest(death, case.settle, **case.which) == [], death.at
        for one in case.fields:
            expected = tuple(
                get(row or {}, at) for row, at in zip(both(smooth, case), (one.severa, one.erp), strict=True)
            )
            found = tuple(
                get(row or {}, at)
                for row, at in zip(both(death.made, case), (one.severa, one.erp), strict=True)
            )
            assert found == expected, death.at


@pytest.mark.parametrize("rule", ["ask", "severa", "visma_net"])
@pytest.mark.parametrize(("case", "field"), fields(MADE))
def test_who_edits_on_both_sides_after_a_create_is_judged_by_the_rule(
    case: Case, field: Field, rule: str
) -> None:
    for death in deaths(lambda: case.put_up(rule), case.settle, **case.which):
        rows = both(death.made, case)
        if not death.over or rows[0] is None or rows[1] is None:
            continue
        put(death.made, rows[0], field.severa, f"{field.value} ett")
        put(death.made, rows[1], field.erp, f"{field.value} två")
        told = rest(death, case.settle, **case.which)
        stands = (get(rows[0], field.severa), get(rows[1], field.erp))
        if rule == "ask":
            assert set(told) & {"customer.conflict", "product.conflict"}, (death.at, told)
            assert stands == (f"{field.value} ett", f"{field.value} två"), death.at
        else:
            won = f"{field.value} {'ett' if rule == 'severa' else 'två'}"
            assert (*stands, told) == (won, won, []), death.at


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("case", "field"), fields(MET))
@pytest.mark.parametrize("side", ["severa", "visma_net"])
def test_whenever_a_meeting_dies_that_had_decided_a_later_edit_stands(
    case: Case, field: Field, rule: str, side: str
) -> None:
    seen = 0
    for death in deaths(lambda: case.put_up(rule), case.settle, **case.which):
        if not death.committed(case.decided):
            continue
        seen += 1
        ours_, theirs_ = both(death.made, case)
        row, place = (ours_, field.severa) if side == "severa" else (theirs_, field.erp)
        assert row is not None
        put(death.made, row, place, field.value)
        agree(death, case, field, field.value, rest(death, case.settle, **case.which))
    assert seen > 2
