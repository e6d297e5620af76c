"""Number, reference and status of what is booked, and answers to their PATCH that say nothing (rules 11 and 15).

Severa's document gives a PATCH the record in an array. Whatever else is answered says neither yes nor no: what counts is the
record as it is read again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest

from simulation import bridge as contact
from simulation.points import Answer
from simulation.stage import READ_INVOICE, WRITE_BACK, Stage
from simulation.wire import HTML

Stages = Callable[..., AbstractContextManager[Stage]]

OTHER = json.dumps([{"guid": "00000000-0000-4000-8000-000000000000", "number": 77, "status": {"guid": "x"}}])
# Status, body, content type, and whether the connection breaks in the middle of the true answer.
WRONG: Mapping[str, tuple[int, bytes, str, bool]] = {
    "empty": (200, b"", "application/json", False),
    "no content": (204, b"", "application/json", False),
    "page": (200, HTML, "text/html", False),
    "null": (200, b"null", "application/json", False),
    "empty list": (200, b"[]", "application/json", False),
    "half JSON": (200, b'[{"guid": "', "application/json", False),
    "broken off": (200, b"", "application/json", True),
    "another record": (200, OTHER.encode(), "application/json", False),
}
each_wrong = pytest.mark.parametrize("wrong", WRONG)
done_or_not = pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])


def misanswer(play: Stage, wrong: str, *, done: bool, times: int | None = 1, skip: int = 0) -> Any:
    status, body, kind, cut = WRONG[wrong]
    if cut and not done:
        # The true answer breaks off and nothing was kept of what it says.
        play.lie(WRITE_BACK, times=times, skip=skip)
    deed = Answer(status, body, {"Content-Type": kind}, done=done, cut=cut)
    return play.rule(deed, "sent", WRITE_BACK, times=times, skip=skip)


def assert_numbered(play: Stage, guid: str) -> None:
    [document] = play.documents(guid)
    assert str(play.firm.invoice(guid)["number"]) == document["referenceNumber"]
    assert play.firm.role(guid) == "transferred"
    assert play.problems() == []


@pytest.mark.req("R-INV-6")
@each_wrong
@done_or_not
@pytest.mark.parametrize("times", [1, 3])
def test_an_answer_that_says_nothing_ends_numbered_and_untold(
    stage: Stages, wrong: str, *, done: bool, times: int
) -> None:
    with stage() as play:
        guid = play.approve()
        asked = misanswer(play, wrong, done=done, times=times)
        play.poll(seconds=1_200 * times)
        assert asked.hits == (1 if done else times)
        assert_numbered(play, guid)
        play.end()


@pytest.mark.req("R-INV-6")
@each_wrong
def test_one_that_always_says_nothing_and_does_nothing_is_told_as_that_and_numbered_once_it_works(
    stage: Stages, wrong: str
) -> None:
    with stage() as play:
        guid = play.approve()
        asked = misanswer(play, wrong, done=False, times=None)
        play.poll(seconds=5_400)
        assert asked.hits < 20
        [problem] = play.problems()
        assert problem["code"] == "work.unavailable"
        assert "PATCH" in problem["values"]["text"] or "status" in problem["values"]["text"]
        play.script.rules.clear()
        play.run(1_200)
        assert_numbered(play, guid)
        play.end()


@pytest.mark.req("R-INV-6")
@each_wrong
@done_or_not
def test_nothing_is_said_of_the_number_by_a_record_that_cannot_be_read(
    stage: Stages, wrong: str, *, done: bool
) -> None:
    """Neither the PATCH nor the look behind it is understood."""
    with stage() as play:
        guid = play.approve()
        misanswer(play, wrong, done=done)
        play.when(WRITE_BACK, partial(unread, play))
        play.poll(seconds=1_800)
        assert_numbered(play, guid)
        play.end()


def unread(play: Stage) -> None:
    """The next looks at the invoice are answered with a page."""
    play.html(READ_INVOICE, times=3)


def without_number(play: Stage, guid: str, *, times: int) -> None:
    """Severa takes a write-back without its number, and says so in the answer."""

    def changed(body: bytes) -> bytes:
        rows = json.loads(body)
        return json.dumps([{**row, "number": None} for row in rows]).encode()

    play.change(WRITE_BACK, changed, times=times)
    for skip in range(times):
        play.when(
            WRITE_BACK,
            lambda: play.firm.change("invoices", guid, number=None),
            where="answered",
            skip=skip,
        )


@pytest.mark.req("R-INV-6")
def test_a_number_that_is_not_taken_twice_is_told_and_closes_when_a_reading_shows_it(stage: Stages) -> None:
    with stage() as play:
        guid = play.approve()
        without_number(play, guid, times=2)
        play.poll(seconds=600)
        [problem] = play.problems()
        assert (problem["code"], problem["values"]["fields"]) == ("invoice.booked_not_numbered", ["number"])
        assert play.firm.role(guid) == "transfer"
        # A person types it, as the problem says; Severa's own status may stay or move on.
        [document] = play.documents(guid)
        play.firm.change("invoices", guid, number=int(document["referenceNumber"]))
        play.poll(seconds=600)
        assert_numbered(play, guid)
        play.end()


@pytest.mark.req("R-INV-6")
@each_wrong
@done_or_not
def test_the_way_back_to_transfer_is_not_known_either(stage: Stages, wrong: str, *, done: bool) -> None:
    """Severa has taken the status twice and the number not: the status goes back, and that answer says nothing."""
    with stage() as play:
        guid = play.approve()
        without_number(play, guid, times=2)
        asked = misanswer(play, wrong, done=done, skip=2)
        play.poll(seconds=1_800)
        assert asked.hits == 1
        told = [one["code"] for one in play.problems()]
        if told:
            assert told == ["invoice.booked_not_numbered"]
            assert (play.firm.role(guid), play.firm.invoice(guid)["number"]) == ("transfer", None)
            [problem] = play.problems()
            play.operator(lambda bridge: contact.retry(bridge, play.firm.name, problem))
            play.run(600)
        assert_numbered(play, guid)
        play.end()


@pytest.mark.req("R-INV-6")
def test_a_refusal_of_what_stands_there_all_the_same_is_no_problem(stage: Stages) -> None:
    with stage(workers=1) as play:
        # Which form of a status Severa takes is known by then: a refused one is not tried in another.
        play.booked()
        guid = play.approve()
        refusal = b'{"error":{"type":"InvalidOperation","details":[{"message":"read-only"}]}}'
        deed = Answer(400, refusal, {"Content-Type": "application/json"}, done=True)
        play.rule(deed, "sent", WRITE_BACK)
        play.poll(seconds=600)
        assert_numbered(play, guid)
        play.end()


@pytest.mark.req("R-INV-6")
def test_what_comes_true_after_it_was_told_closes_it(stage: Stages) -> None:
    with stage() as play:
        guid = play.approve()
        without_number(play, guid, times=2)
        play.poll(seconds=600)
        assert [one["code"] for one in play.problems()] == ["invoice.booked_not_numbered"]
        [document] = play.documents(guid)
        play.firm.change(
            "invoices",
            guid,
            number=int(document["referenceNumber"]),
            referenceNumber=document["paymentReference"],
        )
        play.firm.move(guid, "transferred")
        writes = len(play.play.wire.writes)
        play.poll(seconds=600)
        assert_numbered(play, guid)
        assert len(play.play.wire.writes) == writes
        play.end()
