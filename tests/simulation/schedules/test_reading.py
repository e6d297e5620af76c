"""What polls, stamps and marks lose (S11 to S15, S20)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import pytest

from simulation.stage import READ_INVOICE, Stage

Stages = Callable[..., AbstractContextManager[Stage]]
LIST_CUSTOMERS = "GET severa .*/customers$"


def customers(play: Stage) -> list[dict[str, object]]:
    """Severa's customers without the firm itself."""
    return [one for one in play.firm.register("severa", "customers") if not one["isInternal"]]


def more_customers(play: Stage, count: int) -> None:
    """So many new customers, known in both systems."""
    address = {"addressline": "Kungsgatan 1", "postalCode": "111 43", "city": "Stockholm", "country": "SE"}
    for n in range(count):
        play.firm.severa("POST", "customers", {"name": f"Kund {n} AB", "address": address})
    play.poll(seconds=600)
    assert len(play.firm.register("erp", "customer")) == len(customers(play))


@pytest.mark.schedule("S11")
def test_an_invoice_set_to_transfer_again_just_before_a_payment_delivery_reads_it_is_taken_up(
    stage: Stages,
) -> None:
    with stage() as play:
        guid = play.booked()
        play.firm.move(guid, "sent")
        play.poll()
        [document] = play.documents(guid)
        play.firm.pay(document, date="2026-11-20")
        play.when(READ_INVOICE, lambda: play.firm.move(guid, "transfer"))
        play.poll(seconds=600)
        play.end()
        assert play.firm.role(guid) != "transfer" or play.problems()


@pytest.mark.schedule("S12")
def test_a_stamp_that_goes_back_does_not_make_the_newer_state_old(stage: Stages) -> None:
    """The ERP's clock was forty minutes ahead at the first edit, or the hour came twice in October: the same."""
    with stage() as play:
        play.play.theatre.vendors.erp_ahead = 2_400.0
        play.firm.erp("PATCH", "customer/10001", {"mainContact": {"web": "https://first.example"}})
        play.poll(seconds=300)
        play.play.theatre.vendors.erp_ahead = 0.0
        play.firm.erp("PATCH", "customer/10001", {"mainContact": {"web": "https://second.example"}})
        play.poll(seconds=300)
        play.end()
        assert any(one["website"] == "https://second.example" for one in customers(play))


@pytest.mark.schedule("S13")
def test_a_register_that_takes_longer_to_read_than_the_overlap_loses_no_edit(stage: Stages) -> None:
    with stage() as play:
        more_customers(play, 4)
        play.firm.severa("PATCH", "switches", {"maximum_rows": 1})
        # The four were changed a while ago, so that the reading shows them again: four minutes for each page, which ends
        # no lease.
        play.pause("poller", after=LIST_CUSTOMERS, seconds=240, times=None)
        listed = [one for one in customers(play) if str(one["name"]).startswith("Kund")]
        early, late = str(listed[0]["guid"]), str(listed[-1]["guid"])
        play.play.at(
            60,
            lambda: play.firm.change("customers", early, website="https://early.example"),
            "edits a row read early",
        )
        play.play.at(
            700,
            lambda: play.firm.change("customers", late, website="https://late.example"),
            "edits the last row",
        )
        play.poll(seconds=3_000)
        play.play.wire.director.rules.clear()  # type: ignore[union-attr]
        play.end()


@pytest.mark.schedule("S14")
def test_an_edit_just_before_a_delivery_is_asked_about_and_not_overwritten(stage: Stages) -> None:
    with stage() as play:
        guid = next(str(one["guid"]) for one in customers(play) if one["number"] == 10001)
        # Both sides were edited and polled a moment ago: what was polled counts as fresh.
        play.firm.change("customers", guid, email="ny@malarbygg.example")
        play.firm.erp("PATCH", "customer/10001", {"mainContact": {"web": "https://erp.example"}})
        # The worker has what was polled, and asks the ERP first.
        edit = partial(play.firm.change, "customers", guid, website="https://severa.example")
        play.when("^GET", edit, actor="worker")
        play.poll(seconds=600)
        play.end()
        [one] = [one for one in customers(play) if one["guid"] == guid]
        assert one["website"] == "https://severa.example" or play.problems()


@pytest.mark.schedule("S15")
def test_a_poller_that_dies_between_the_pages_of_a_mass_change_still_asks(stage: Stages) -> None:
    with stage() as play:
        more_customers(play, 3)
        play.firm.severa("PATCH", "switches", {"maximum_rows": 1})
        for n, one in enumerate(customers(play)):
            play.firm.change("customers", str(one["guid"]), website=f"https://mass{n}.example")
        play.crash("poller", after=LIST_CUSTOMERS, skip=3)
        written = len(play.play.wire.writes)
        play.poll(seconds=1_800)
        play.poll(seconds=1_800)
        codes = [problem["code"] for problem in play.problems()]
        assert len(play.play.wire.writes) == written, codes
        assert [code for code in codes if "brake" in code]


@pytest.mark.schedule("S20")
def test_a_payment_that_is_voided_and_made_again_between_two_polls_brings_its_new_day(stage: Stages) -> None:
    with stage() as play:
        guid = play.booked()
        play.firm.move(guid, "sent")
        play.poll()
        [document] = play.documents(guid)
        payment = play.firm.pay(document, date="2026-11-20")
        play.poll(seconds=300)
        assert str(play.firm.invoice(guid)["paymentDate"]).startswith("2026-11-20")
        play.firm.void(payment)
        play.firm.pay(play.documents(guid)[0], date="2026-11-27")
        play.poll(seconds=600)
        play.end()
        assert str(play.firm.invoice(guid)["paymentDate"]).startswith("2026-11-27")
