"""Whatever people edit on both sides, in whatever order, with deliveries in between: both sides end alike, or the
difference stands in a question; and a further run writes nothing (R-CON-1, R-CON-2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.customer import addresses, contacts
from domain.customer import registers as customer_fields
from domain.customer.steps import settle as settle_customer
from domain.customer.table import CUSTOMER
from domain.errors import Stop
from domain.model import Json
from domain.product.steps import settle as settle_product
from domain.product.table import TABLES
from domain.setup.settings import TenantSettings
from tests.fakes import World
from tests.fakes_registers import poll, put_erp, put_severa, world
from tests.unit.domain.customer_world import ours, theirs
from tests.unit.domain.customer_world import world as customer_world
from tests.unit.domain.test_customer_addresses import block, place
from tests.unit.domain.test_customer_contacts import contact, person, reach

pytestmark = pytest.mark.req("R-CON-1", "R-CON-2")

RULES = st.sampled_from(["severa", "visma_net", "latest", "ask"])
TEXTS = st.sampled_from(["Ett", "Två", "Tre"])
PLACES = st.sampled_from(["Umeå", "Luleå", "Piteå", "Kiruna"])
# Longer than the ping-pong guard remembers.
DAY = 25 * 3600.0

Edit = tuple[str, str, Any]


def ruled(made: World, rule: str) -> World:
    chosen = TenantSettings.model_validate({"conflict_customer": rule, "conflict_product": rule})
    made.tenant = replace(made.tenant, settings=chosen)
    return made


def deliver(made: World, domain: Any, settle: Callable[..., Any], key: tuple[str, str]) -> Stop | None:
    """A poll and a delivery a day later (so that the ping-pong guard has nothing to say); its question if it asks one."""
    made.clock.forward(DAY)
    poll(made)
    outcomes = made.run(settle, made.delivery(domain, severa=key))
    error = outcomes[-1].error
    assert error is None or isinstance(error, Stop), error
    return error


def writes(made: World) -> list[str]:
    return [str(call) for call in made.calls if call.method in ("create", "update", "patch")]


# ---------------------------------------------------------------- products

PRODUCT_EDITS: dict[str, tuple[Callable[[Json, Any], None], st.SearchStrategy[Any]]] = {
    "severa.name": (lambda row, value: row.update(name=value), TEXTS),
    "severa.price": (
        lambda row, value: row.update(unitPrice={"amount": value, "currencyCode": "SEK"}),
        st.sampled_from([Decimal(0), Decimal("10.5"), Decimal(99)]),
    ),
    "severa.active": (lambda row, value: row.update(isActive=value), st.booleans()),
    "erp.name": (lambda row, value: row.update(description=value), TEXTS),
    "erp.price": (
        lambda row, value: row.update(defaultPrice=value),
        st.sampled_from([Decimal(0), Decimal("10.5"), Decimal("7.25")]),
    ),
    "erp.active": (
        lambda row, value: row.update(status=value),
        st.sampled_from(["Active", "Inactive", "NoSales"]),
    ),
}


def edits_of(table: dict[str, Any]) -> st.SearchStrategy[list[list[Edit]]]:
    one = st.sampled_from(sorted(table)).flatmap(lambda name: st.tuples(st.just(name), table[name][1]))
    return st.lists(st.lists(one, max_size=4), max_size=4)


@settings(max_examples=60)
@given(RULES, edits_of(PRODUCT_EDITS))
def test_products_converge(rule: str, rounds: list[list[Edit]]) -> None:
    made = ruled(world(), rule)
    put_severa(
        made,
        "products",
        {
            "guid": "p1",
            "name": "Konsult",
            "code": "K1",
            "isActive": True,
            "unitPrice": {"amount": Decimal(10), "currencyCode": "SEK"},
        },
    )
    stop = deliver(made, "product", settle_product, ("products", "p1"))
    assert stop is None
    ours_now, theirs_now = made.severa.stored("products", "p1"), made.erp.stored("inventory", "K1")
    for some in rounds:
        for name, value in some:  # type: ignore[misc]  # pairs of (edit, value)
            PRODUCT_EDITS[name][0](ours_now if name.startswith("severa") else theirs_now, value)
        stop = deliver(made, "product", settle_product, ("products", "p1"))

        left = TABLES["products"].values("severa", ours_now)
        right = TABLES["products"].values("visma_net", theirs_now)
        differing = {name for name in left if name in right and left[name] != right[name]}
        assert differing == asked_fields(stop), (left, right)
        made.calls.clear()
        deliver(made, "product", settle_product, ("products", "p1"))
        assert writes(made) == [], "a second run writes nothing"


def asked_fields(stop: Stop | None) -> set[str]:
    """The fields that a question lists; only 'ask' may leave any."""
    if stop is None:
        return set()
    assert stop.code.endswith(".conflict"), stop.code
    return {one["field"] for one in stop.values["fields"]}


# ---------------------------------------------------------------- customers with addresses and contacts


def _block(name: str) -> Callable[[Json, Any], None]:
    def edit(row: Json, value: Any) -> None:
        before = dict(row[name])
        row[name] = {**before, "city": value}
        if name == "mainAddress":
            # What is the main address follows it.
            for other in ("invoiceAddress", "deliveryAddress"):
                if row[other]["addressId"] == before["addressId"]:
                    row[other] = dict(row[name])
        elif before["addressId"] == row["mainAddress"]["addressId"]:
            row[name]["addressId"] += {"invoiceAddress": 1, "deliveryAddress": 2}[name]

    return edit


CUSTOMER_EDITS: dict[str, tuple[Callable[[World, Any], None], st.SearchStrategy[Any]]] = {
    "severa.name": (lambda made, value: _patch(made, "customers", "c1", {"/name": value}), TEXTS),
    "severa.website": (lambda made, value: _patch(made, "customers", "c1", {"/website": value}), TEXTS),
    "severa.city": (lambda made, value: _patch(made, "addresses", "a1", {"/city": value}), PLACES),
    "severa.billing": (lambda made, city: _own_billing(made, city=city), PLACES),
    "severa.job": (lambda made, value: _patch(made, "contactpersons", "p1", {"/jobTitle": value}), TEXTS),
    "severa.mobile": (
        lambda made, value: _patch(made, "contactcommunications", "m1", {"/value": value}),
        TEXTS,
    ),
    "erp.name": (lambda made, value: _erp(made).update(name=value), TEXTS),
    "erp.website": (lambda made, value: _erp(made)["mainContact"].update(web=value), TEXTS),
    "erp.main": (lambda made, value: _block("mainAddress")(_erp(made), value), PLACES),
    "erp.invoice": (lambda made, value: _block("invoiceAddress")(_erp(made), value), PLACES),
    "erp.delivery": (lambda made, value: _block("deliveryAddress")(_erp(made), value), PLACES),
    "erp.job": (lambda made, value: made.erp.stored("contact", "700").update(position=value), TEXTS),
    "erp.mobile": (lambda made, value: made.erp.stored("contact", "700").update(phone1=value), TEXTS),
}


def _patch(made: World, register: str, guid: str, changes: Json) -> None:
    made.severa.patch(register, guid, changes)


def _own_billing(made: World, city: str) -> None:
    """A person gives the customer an invoice address of its own in Severa, or changes that."""
    rows = made.severa.records["addresses"]
    if "a2" not in rows:
        made.severa.store("addresses", place("a2", city=city, isPostalAddress=False, isVisitAddress=False))
    for guid, row in rows.items():
        row["isBillingAddress"] = guid == "a2"
    made.severa.patch("addresses", "a2", {"/city": city})


def _erp(made: World) -> Json:
    return made.erp.stored("customer", "20001")


def both_sides(made: World) -> tuple[dict[str, str], dict[str, str]]:
    """Every mapped field of the customer, its addresses and its contact, on either side."""
    countries = tuple(one.body for one in made.books.all("severa", "localization/countries"))
    rows = list(made.severa.records["addresses"].values())
    customer = made.severa.stored("customers", "c1")
    communications = tuple(made.severa.records["contactcommunications"].values())
    ours_contact = contacts.severa_values(
        contacts.Person(made.severa.stored("contactpersons", "p1"), communications)
    )
    left = {
        **CUSTOMER.values("severa", customer),
        **addresses.severa_values(customer, rows, countries, {}),
        **{f"contact {name}": value for name, value in ours_contact.items()},
    }
    theirs_contact = contacts.erp_values(made.erp.stored("contact", "700"))
    right = {
        **customer_fields.erp_values(_erp(made)),
        **{f"contact {name}": value for name, value in theirs_contact.items()},
    }
    # Terms and numbers are compared by their meaning; a class and notes are not carried over here.
    for name in ("payment_term", "number", "customer_class", "notes", "currency"):
        left.pop(name, None)
        right.pop(name, None)
    return left, right


@settings(max_examples=60)
@given(RULES, edits_of(CUSTOMER_EDITS))
def test_customers_with_addresses_and_contacts_converge(rule: str, rounds: list[list[Edit]]) -> None:
    made = ruled(customer_world(), rule)
    put_severa(made, "customers", ours(number=20001))
    put_severa(made, "addresses", place())
    put_severa(made, "contactpersons", person())
    put_severa(made, "contactcommunications", reach("m1", "MobilePhone", "+46 70 111"))
    put_severa(made, "contactcommunications", reach("m2", "EmailAddress", "kari@ada.example"))
    shown = {name: block() for name in addresses.BLOCKS.values()}
    put_erp(made, "customer", "20001", theirs(**shown))
    put_erp(made, "contact", "700", contact())
    assert deliver(made, "customer", settle_customer, ("customers", "c1")) is None
    for some in rounds:
        for name, value in some:  # type: ignore[misc]  # pairs of (edit, value)
            CUSTOMER_EDITS[name][0](made, value)
        stop = deliver(made, "customer", settle_customer, ("customers", "c1"))

        left, right = both_sides(made)
        differing = {name for name in left if name in right and left[name] != right[name]}
        assert bool(differing) == (stop is not None), (left, right, stop and stop.values)
        if stop is not None:
            assert rule in ("ask", "latest")
            asked = {one["field"] for one in stop.values["fields"]}
            assert {name.removeprefix("contact ") for name in differing} <= asked, stop.values
            # A person answers by entering the same value; here Severa's is entered in the ERP.
        made.calls.clear()
        deliver(made, "customer", settle_customer, ("customers", "c1"))
        assert writes(made) == [], "a second run writes nothing"
