"""A credit note whose original is not booked yet (R-INV-7, R-INV-11): what it waits for is said in words that name it, and it goes
on by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from simulation import bridge as contact
from simulation.stage import Stage

Stages = Callable[..., AbstractContextManager[Stage]]

pytestmark = [pytest.mark.req("R-INV-7", "R-INV-11"), pytest.mark.schedule("S17")]

# What people know an invoice without a number by.
NAMED = "Mälarbygg Entreprenad AB 1, 2026-11-20, 2 500,00 SEK"


def credited(play: Stage, original: str) -> str:
    """A person credits an invoice and approves the credit note at once; its guid."""
    made = play.firm.severa("POST", "invoices", {"credit_of": original, "force": True, "date": "2026-11-21"})
    guid: str = made["guid"]
    play.firm.move(guid, "transfer")
    return guid


def assert_told(play: Stage, note: str, code: str, named: str = NAMED) -> None:
    """Once, by that name, and without a delivery for it while nothing changes."""
    [problem] = [one for one in play.problems() if one["record_id"] == note]
    assert (problem["code"], problem["times"]) == (code, 1)
    assert named in problem["wrong"]
    play.play.outcomes.clear()
    play.run(3_600)
    assert len(play.play.outcomes) <= 2
    assert play.firm.role(note) == "transfer"


def assert_both_booked(play: Stage, original: str, note: str) -> None:
    play.poll(seconds=600)
    assert [play.firm.role(original), play.firm.role(note)] == ["transferred", "transferred"]
    assert play.problems() == []
    play.end()


def test_one_that_is_no_more_than_a_draft(stage: Stages) -> None:
    with stage() as play:
        original = play.firm.draft(play.firm.project())
        note = credited(play, original)
        play.poll(seconds=1_200)
        assert_told(play, note, "invoice.original_not_booked")
        play.firm.move(original, "transfer")
        assert_both_booked(play, original, note)


def test_one_that_the_erp_refuses(stage: Stages) -> None:
    with stage() as play:
        play.firm.erp("PATCH", "inventory/KONS", {"status": "Inactive"})
        original = play.approve()
        note = credited(play, original)
        play.poll(seconds=1_200)
        assert_told(play, note, "invoice.original_in_error")
        play.firm.erp("PATCH", "inventory/KONS", {"status": "Active"})
        play.firm.move(original, "transfer")
        assert_both_booked(play, original, note)


def test_one_that_waits_for_a_persons_review(stage: Stages) -> None:
    with stage() as play:
        play.setting("hold_invoices", "true")
        original = play.approve()
        note = credited(play, original)
        play.poll(seconds=1_200)
        assert_told(play, note, "invoice.original_in_error")
        [held] = [row for row in play.problems() if row["code"] == "invoice.held_for_review"]
        play.operator(lambda bridge: contact.release(bridge, play.firm.name, str(held["id"])))
        assert_both_booked(play, original, note)


def test_one_that_nobody_ever_saw(stage: Stages) -> None:
    with stage() as play:
        original = play.firm.draft(play.firm.project())

        def without(body: bytes) -> bytes:
            rows = json.loads(body)
            return json.dumps([row for row in rows if row.get("guid") != original]).encode()

        play.known.unseen.add(original)
        play.change("GET severa .*/invoices$", without, times=None)
        note = credited(play, original)
        play.poll(seconds=1_200)
        assert_told(play, note, "invoice.original_unknown", "Mälarbygg Entreprenad AB 1")
        play.script.rules.clear()
        play.firm.move(original, "transfer")
        assert_both_booked(play, original, note)


@pytest.mark.schedule("S34")
def test_two_that_credit_each_other_are_told_once_and_go_on_when_a_person_has_parted_them(
    stage: Stages,
) -> None:
    """Nothing in Severa's document forbids it, and its two fields of a credit note may both be filled."""
    with stage() as play:
        one, other = play.firm.draft(play.firm.project()), play.firm.draft(play.firm.project())
        for mine, theirs in ((one, other), (other, one)):
            play.firm.change("invoices", mine, isCreditNote=True, reimburseInvoice=theirs)
            play.firm.move(mine, "transfer")
        play.poll(seconds=1_200)
        assert sorted((problem["code"], problem["times"]) for problem in play.problems()) == [
            ("invoice.original_in_error", 1),
            ("work.waits_in_circle", 1),
        ]
        assert all(NAMED in problem["wrong"] for problem in play.problems())
        play.play.outcomes.clear()
        play.run(3_600)
        assert play.play.outcomes == []
        play.firm.change("invoices", one, isCreditNote=False, reimburseInvoice=None)
        assert_both_booked(play, one, other)
