"""What people decide about a doubt, and what they do to documents meanwhile (S42 to S45)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from domain.errors import InputError
from simulation import bridge as contact
from simulation.points import Do
from simulation.schedules.test_answers import foreign
from simulation.stage import CREATE, HOLD_OFF, WRITE_BACK, Stage

Stages = Callable[..., AbstractContextManager[Stage]]


def doubts(play: Stage) -> list[dict[str, Any]]:
    """What the person is shown."""
    shown: list[dict[str, Any]] = []
    play.operator(lambda bridge: shown.extend(contact.doubts(bridge, play.firm.name)))
    return shown


def decide(play: Stage, doubt: dict[str, Any], how: str) -> bool:
    """Whether the decision was taken."""
    play.play.kernel.say(f"decides {how}", "people")
    with contextlib.suppress(InputError):
        play.operator(lambda bridge: contact.decide(bridge, play.firm.name, doubt, how))
        return True
    return False


@pytest.mark.schedule("S42")
def test_a_credit_note_is_applied_to_the_document_that_counts_and_not_to_a_removed_one(stage: Stages) -> None:
    with stage() as play:
        guid = play.approve()
        # The first document is claimed and then made anew, because somebody edited the invoice.
        play.when(HOLD_OFF, lambda: play.play.at(2, lambda: _redone(play, guid)))
        play.pause("worker", before=HOLD_OFF, seconds=15)
        play.answer(HOLD_OFF, 412)
        # The invoice is credited as soon as it can be.
        credited: list[str] = []

        def credit() -> None:
            if not credited and play.firm.role(guid) in ("transferred", "sent"):
                play.firm.move(guid, "sent")
                made = play.firm.severa("POST", "invoices", {"credit_of": guid, "status": "transfer"})
                credited.append(str(made["guid"]))
                play.play.poll_soon()

        for n in range(20):
            play.play.at(30 + n * 10, credit)
        play.poll(seconds=900)
        play.poll(seconds=900)
        play.end()
        [note] = [one for one in play.firm.documents() if one.get("documentType") == "CreditNote"]
        numbers = {str(one["referenceNumber"]) for one in play.documents(guid)}
        assert all(str(one["refNbr"]) in numbers for one in note.get("applications") or [])


def _redone(play: Stage, guid: str) -> None:
    if play.firm.role(guid) == "transfer":
        play.firm.move(guid, "draft")
        play.firm.reprice(guid, "1750")
        play.firm.move(guid, "transfer")


@pytest.mark.schedule("S43")
def test_a_document_whose_note_a_person_wrote_over_is_not_made_again_after_a_restore(stage: Stages) -> None:
    with stage() as play:
        guid = play.approve()
        play.rule(Do(play.keep), "message", "invoice")
        refusing = play.answer(WRITE_BACK, 503, times=None)
        play.poll(seconds=300)
        [document] = play.documents(guid)
        number = str(document["referenceNumber"])
        play.firm.erp("PATCH", f"customerinvoice/{number}", {"note": "Betald kontant"})
        play.known.notes[play.firm.name, number] = guid
        refusing.times = 0
        play.restore()
        play.adopt_if_asked()
        play.run(300)
        play.poll(seconds=1_800)
        assert len(play.firm.documents()) == 1
        play.end()
        # Nothing proves that it is this one: a person says so.
        if play.firm.role(guid) != "transferred":
            [doubt] = doubts(play)
            assert decide(play, doubt, f"this:Invoice/{number}")
            play.poll(seconds=600)
            assert play.firm.role(guid) == "transferred"
        assert len(play.firm.documents()) == 1


@pytest.mark.schedule("S44")
@pytest.mark.parametrize("seen", ["before it came", "after it came"])
def test_make_it_decided_on_older_candidates_makes_no_second_document(stage: Stages, seen: str) -> None:
    """The create arrives after every wait; meanwhile a colleague's look-alike has put the matter in doubt."""
    with stage() as play:
        guid = play.approve()
        play.when(CREATE, lambda: foreign(play))
        play.late(CREATE, seconds=1_500)
        play.poll(seconds=1_200)
        shown = doubts(play)
        assert len(shown) == 1
        if seen == "after it came":
            play.run(600)
            shown = doubts(play)
        else:
            play.run(360)
        for doubt in shown:
            decide(play, doubt, "make")
        play.run(900)
        play.poll(seconds=900)
        play.end()
        assert len([one for one in play.documents(guid) if one["status"] != "Hold"]) == 1


@pytest.mark.schedule("S45")
def test_the_successor_of_a_voided_document_is_no_twin(stage: Stages) -> None:
    with stage() as play:
        guid = play.booked()
        [document] = play.documents(guid)
        play.firm.erp("PATCH", f"customerinvoice/{document['referenceNumber']}", {"status": "Voided"})
        play.firm.move(guid, "transfer")
        play.poll(seconds=900)
        [doubt] = doubts(play)
        assert decide(play, doubt, "make")
        play.known.again[guid] += 1
        play.poll(seconds=900)
        play.sweep_soon()
        play.poll(seconds=900)
        play.end()
        states = sorted(str(one["status"]) for one in play.documents(guid))
        assert states == ["Open", "Voided"]
        assert play.firm.role(guid) == "transferred"
        assert not play.problems()
