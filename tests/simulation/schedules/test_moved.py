"""What people moved or merged elsewhere while the bridge knew it where it was: two linked customers (S32), a fee (S48)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from simulation.points import Do
from simulation.stage import Stage
from simulation.vendors import Json

Stages = Callable[..., AbstractContextManager[Stage]]


# ---------------------------------------------------------------- two linked customers that the ERP merges


def customer(play: Stage, system: str, number: int) -> Json:
    """A customer of either system by its number, {} when it is gone."""
    register = "customers" if system == "severa" else "customer"
    found = play.firm.register(system, register)
    return next((one for one in found if str(one["number"]) == str(number)), {})


@pytest.mark.req("R-CUS-8")
@pytest.mark.schedule("S32")
def test_two_linked_customers_that_the_erp_merges_are_never_joined(stage: Stages) -> None:
    """10001 goes into 10002, which has its organisation number by then; both are linked, and 10001 is edited and invoiced."""
    with stage() as play:
        old, heir = customer(play, "severa", 10001), customer(play, "severa", 10002)
        play.firm.change("customers", heir["guid"], vatNumber=old["vatNumber"])
        play.poll(seconds=600)
        before = customer(play, "erp", 10002)
        assert before["vatRegistrationId"] == old["vatNumber"]
        play.firm.erp("DELETE", "customer/10001")
        play.firm.change("customers", old["guid"], email="gammal@malarbygg.example")
        invoice = play.approve()
        play.sweep_soon()
        play.poll(seconds=3_600)
        assert customer(play, "erp", 10002) == before
        assert customer(play, "severa", 10001)["guid"] == old["guid"]
        kept = {**heir, "vatNumber": old["vatNumber"]}
        named = ("guid", "number", "name", "email", "website", "vatNumber")
        assert [customer(play, "severa", 10002)[name] for name in named] == [kept[name] for name in named]
        assert "customer.merged_linked" in {problem["code"] for problem in play.problems()}
        assert play.documents(invoice) == []
        play.end()


# ---------------------------------------------------------------- a fee on another project


@pytest.mark.req("R-CST-5")
@pytest.mark.schedule("S48")
def test_a_fee_that_a_person_moved_to_another_project_is_not_brought_again_after_a_restore(
    stage: Stages,
) -> None:
    with stage(few=False) as play:
        play.setting("costs", "cost")
        supplier = play.firm.erp("POST", "supplier", {"name": "Resebyrån AB"})
        play.poll(seconds=300)
        # The dump knows that the document is to be brought, and not that it was.
        play.rule(Do(play.keep), "message", "cost")
        line = {"project": "1001", "task": "10", "account": "4600", "amount": "800", "description": "Tåg"}
        bill = {"supplier": supplier["number"], "reference": "2207", "date": "2026-11-20", "lines": [line]}
        play.firm.erp("POST", "supplierinvoices", bill)
        play.poll(seconds=600)
        [fee] = play.firm.register("severa", "projectfees")
        other = play.firm.project(1002)["guid"]
        play.firm.change("projectfees", fee["guid"], project=other)
        play.restore()
        play.adopt_if_asked()
        play.run(300)
        play.poll(seconds=1_800)
        play.end()
        [still] = play.firm.register("severa", "projectfees")
        assert (still["guid"], still["project"]["guid"]) == (fee["guid"], other)
        assert play.problems() == []
