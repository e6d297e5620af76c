"""A yes that was none: the vendor answers as if it had done what was asked, and did nothing (docs/never-twice.md rules 6 and 15)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from domain.invoice.whose import REMOVALS
from simulation import bridge as contact
from simulation.schedules.test_decided import decide, doubts
from simulation.stage import REMOVE, Stage

Stages = Callable[..., AbstractContextManager[Stage]]


def withdrawn(play: Stage) -> str:
    """An invoice that went back to draft before its document was released: the document has to go."""
    guid = play.approve()
    play.when("PUT erp .*customerinvoice", lambda: play.firm.move(guid, "draft"))
    play.answer("PUT erp .*customerinvoice", 503)
    return guid


def gaps(play: Stage) -> list[str]:
    """Numbers of the gap list."""
    found: list[str] = []
    play.operator(lambda bridge: found.extend(contact.gaps(bridge, play.firm.name)))
    return found


@pytest.mark.req("R-INV-5")
def test_a_document_whose_removal_was_answered_and_not_made_is_removed_again(stage: Stages) -> None:
    with stage() as play:
        guid = withdrawn(play)
        play.answer(REMOVE, 204)
        play.poll(seconds=1_800)
        assert [one["status"] for one in play.documents(guid)] == ["Hold"]
        play.sweep_soon()
        play.poll(seconds=600)
        assert play.documents(guid) == []
        play.end()


@pytest.mark.req("R-INV-5")
def test_a_reading_right_after_the_removal_says_nothing_of_it(stage: Stages) -> None:
    with stage() as play:
        withdrawn(play)
        play.answer(REMOVE, 204)
        play.poll(seconds=60)
        play.sweep_soon()
        play.poll(seconds=60)
        assert len(play.documents(play.firm.register("severa", "invoices")[-1]["guid"])) == 1
        play.sweep_soon()
        play.run(600)
        play.sweep_soon()
        play.poll(seconds=600)
        play.end()


@pytest.mark.req("R-INV-5")
def test_a_document_that_no_removal_takes_away_is_told_by_its_number(stage: Stages) -> None:
    with stage() as play:
        guid = withdrawn(play)
        lying = play.answer(REMOVE, 204, times=None)
        for _ in range(5):
            play.sweep_soon()
            play.poll(seconds=900)
        [document] = play.documents(guid)
        [problem] = play.problems()
        assert (problem["code"], problem["values"]["number"]) == (
            "invoice.comes_back",
            document["referenceNumber"],
        )
        assert lying.hits == REMOVALS
        play.end(keep_script=True)


@pytest.mark.req("R-INV-5", "R-INV-13")
def test_a_removed_document_that_somebody_released_is_in_doubt_until_a_person_says_that_it_is_this_one(
    stage: Stages,
) -> None:
    with stage() as play:
        guid = withdrawn(play)
        play.answer(REMOVE, 204)
        play.poll(seconds=900)
        [held] = play.documents(guid)
        number = str(held["referenceNumber"])
        assert gaps(play) == [number]
        play.firm.erp("PATCH", f"customerinvoice/{number}", {"status": "Released"})
        play.firm.move(guid, "transfer")
        play.sweep_soon()
        play.poll(seconds=900)
        [doubt] = doubts(play)
        assert len(play.documents(guid)) == 1
        assert decide(play, doubt, f"this:Invoice/{number}")
        play.run(600)
        assert (play.firm.role(guid), str(play.firm.invoice(guid)["number"])) == ("transferred", number)
        assert gaps(play) == []
        play.end()
