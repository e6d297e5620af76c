"""Whose money a new product's price is, when no currency of Severa is marked as the organisation's own (R-PRD-3)."""

from __future__ import annotations

import pytest

from domain.errors import Stop
from domain.model import Json
from domain.product.steps import settle
from tests.fakes import World
from tests.fakes_registers import put_erp, world
from tests.unit.domain.product_world import item


def unmarked(details: Json) -> World:
    """A tenant whose currencies are not marked, with what the organisation's own record says."""
    made = world()
    for record in made.books.all("severa", "currencies"):
        made.books.remember("severa", "currencies", {**record.body, "isOrganizationCurrency": False})
    made.severa.records["organizationdetails"] = {"": details}
    return made


@pytest.mark.parametrize(
    "details",
    [
        {"currency": {"code": "SEK"}},
        {"currency": None, "activeCompanies": [{"currencyCode": "SEK"}, {"currencyCode": "SEK"}]},
    ],
    ids=["its own", "its companies'"],
)
def test_the_currency_is_taken_from_the_organisations_own_record(details: Json) -> None:
    made = unmarked(details)
    body = put_erp(made, "inventory", "LIC", item())
    settle(made.delivery("product", erp=("inventory", str(body["inventoryId"]))))
    (new,) = made.severa.records["products"].values()
    assert new["unitPrice"]["currencyCode"] == "SEK"


def test_companies_of_several_currencies_leave_it_open() -> None:
    made = unmarked({"activeCompanies": [{"currencyCode": "SEK"}, {"currencyCode": "EUR"}]})
    body = put_erp(made, "inventory", "LIC", item())
    with pytest.raises(Stop) as stop:
        settle(made.delivery("product", erp=("inventory", str(body["inventoryId"]))))
    assert stop.value.code == "product.currency_unknown"
