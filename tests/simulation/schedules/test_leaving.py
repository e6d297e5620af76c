"""A tenant that is erased while something is out, and its pair of companies added again (S46)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from simulation import bridge as contact
from simulation.stage import CREATE, HOLD_OFF, RELEASE, WRITE_BACK, Stage

Stages = Callable[..., AbstractContextManager[Stage]]


def erase_and_add_again(play: Stage, *, after: float, anyway: bool = True) -> dict[str, float]:
    """The operator erases the tenant and adds its file again at once; when (seconds from now) each was done."""
    kernel = play.play.kernel
    began = kernel.now
    done: dict[str, float] = {}

    def operate(bridge: contact.Bridge) -> None:
        kernel.say("erases the tenant", "operator")
        contact.erase(bridge, play.firm.name, anyway=anyway)
        done["erased"] = kernel.now - began
        kernel.say("adds the pair of companies again", "operator")
        contact.add_tenant(bridge, play.firm.name, play.firm.firm)
        done["live"] = kernel.now - began

    play.play.at(after, lambda: play.play.aside(operate))
    return done


@pytest.mark.schedule("S46")
@pytest.mark.parametrize("where", ["late", "answer lost", "worker killed", "worker paused"])
def test_a_create_that_was_out_when_its_tenant_was_erased_is_not_made_again(
    stage: Stages, where: str
) -> None:
    with stage(few=False) as play:
        # What was made shows late, too: the first reading after the erasure must not come before it.
        play.firm.erp("PATCH", "settings", {"visible_after_seconds": 250})
        guid = play.approve()
        if where == "late":
            play.late(CREATE, seconds=200, answer=600)
        elif where == "answer lost":
            play.lose_answer(CREATE)
        elif where == "worker killed":
            play.crash("worker", after=CREATE)
        else:
            play.pause("worker", before=CREATE, seconds=900)
        done = erase_and_add_again(play, after=30)
        play.poll(seconds=3_000)
        assert set(done) == {"erased", "live"}
        play.end()
        assert play.firm.role(guid) == "transferred"
        assert len(play.documents(guid)) == 1


@pytest.mark.schedule("S46")
@pytest.mark.parametrize("where", [HOLD_OFF, RELEASE, WRITE_BACK])
def test_what_a_delivery_had_begun_is_taken_up_by_the_tenant_that_is_added_again(
    stage: Stages, where: str
) -> None:
    """Its document is held, or released without its number: the books' marker is somebody's, and the fresh tenant takes it."""
    with stage(few=False) as play:
        # Its create was answered, and does not show in any list yet.
        play.firm.erp("PATCH", "settings", {"visible_after_seconds": 250})
        guid = play.approve()
        # Surely not done: nothing is unanswered.
        play.answer(where, 429, times=1, Retry_After="300")
        done = erase_and_add_again(play, after=30)
        play.poll(seconds=3_000)
        assert set(done) == {"erased", "live"}
        play.end()
        assert play.firm.role(guid) == "transferred"
        assert len(play.documents(guid)) == 1


@pytest.mark.schedule("S46", "S43")
def test_a_document_whose_note_was_written_over_before_its_tenant_was_erased_is_a_doubt(
    stage: Stages,
) -> None:
    with stage(few=False) as play:
        play.booked(price="500")
        guid = play.approve()
        refusing = play.answer(WRITE_BACK, 503, times=None)
        play.poll(seconds=60)
        [document] = play.documents(guid)
        number = str(document["referenceNumber"])
        play.firm.erp("PATCH", f"customerinvoice/{number}", {"note": "Betald kontant"})
        play.known.notes[play.firm.name, number] = guid
        refusing.times = 0
        done = erase_and_add_again(play, after=1)
        play.run(3_000)
        assert set(done) == {"erased", "live"}
        assert len(play.firm.documents()) == 2
        [problem] = play.problems()
        assert problem["record_id"] == guid
        play.end()
