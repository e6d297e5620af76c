"""Numbers that change hands in the ERP while its registers cannot be read: no invoice is booked on whoever has them by now."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from road import Json, Road, hours, installation
from services import Database
from stage import wait_for


def project(road: Road, name: str) -> Json:
    return road.add_project(road.add_customer(name), name)


def swapped(road: Road, register: str, numbers: Sequence[str]) -> str:
    """The two numbers change hands while the register cannot be read; the fault's id."""
    first, second = numbers
    fault = road.erp.arm("status", f"^/v1/{register}$", method="GET", status=503, times=None)
    for old, new in ((first, "99999"), (second, first), ("99999", second)):
        road.erp.change(register, old, key=new)
    return fault


def readable_again(road: Road, fault: str) -> None:
    road.erp.simulator.ask("DELETE", f"/faults/{fault}")
    road.settle()


@pytest.mark.req("R-INV-4", "R-CUS-8")
def test_an_invoice_is_booked_on_its_own_customer_though_numbers_changed_hands(database: Database) -> None:
    with installation(database) as made:
        road = made.add_firm(1)
        ours, _ = project(road, "Alfa AB"), project(road, "Beta AB")
        road.settle()
        numbers = [road.erp.one("customer", name=name)["number"] for name in ("Alfa AB", "Beta AB")]
        fault = swapped(road, "customer", numbers)
        guid = road.approve(ours, [hours("1")])
        road.ask()
        wait_for("it is booked", lambda: road.releases(guid) == 1, seconds=60)
        readable_again(road, fault)
        assert road.document(guid)["customer"]["name"] == "Alfa AB"
        assert (road.releases(guid), road.role(guid)) == (1, "transferred")
        # The one that was made for the other customer is gone, with its number accounted for.
        assert len(road.documents(guid)) == 1
        assert len(road.erp.ask("GET", "removed")) == 1


@pytest.mark.req("R-INV-4")
def test_an_invoice_is_booked_on_no_other_project_though_numbers_changed_hands(database: Database) -> None:
    with installation(database) as made:
        road = made.add_firm(1)
        one = project(road, "Epsilon AB")
        two = road.add_project(one["customer"], "Andra projektet")
        road.settle()
        fault = swapped(road, "project", [str(one["number"]), str(two["number"])])
        guid = road.approve(one, [hours("1")])
        road.ask()
        wait_for("somebody is told", lambda: "invoice.content_differs" in road.codes(), seconds=60)
        readable_again(road, fault)
        assert road.releases(guid) == 0
        assert road.documents(guid) == []
