"""Customers both ways, proven by what stands in both systems."""

from __future__ import annotations

import pytest
from road import Road


@pytest.mark.req("R-CUS-1", "R-CUS-4")
def test_a_customer_made_in_severa_gets_its_number_from_the_erp(road: Road) -> None:
    made = road.add_customer("Havsörnen AB", vatNumber="SE556111222201", email="ekonomi@havsornen.example")
    road.settle()
    theirs = road.erp.one("customer", name="Havsörnen AB")
    assert theirs["mainAddress"]["city"] == "Stockholm"
    assert road.severa.one("customers", guid=made["guid"])["number"] == int(theirs["number"])
