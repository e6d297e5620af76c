"""Answers that are not what they look like, and documents that are not ours (S8 to S10, S27, S28)."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest

from simulation import bridge as contact
from simulation.stage import CREATE, LIST_DOCUMENTS, READ_DOCUMENT, WRITE_BACK, Stage

Stages = Callable[..., AbstractContextManager[Stage]]
ROW = {
    "inventoryNumber": "KONS",
    "description": "Konsultation",
    "quantity": 2,
    "unitPriceInCurrency": 1000,
    "operation": "Insert",
}


def foreign(play: Stage, *, released: bool = False, day: str = "2026-11-20", note: str = "") -> str:
    """A person enters a document in the ERP; its number."""
    made = play.firm.erp(
        "POST",
        "customerinvoice",
        {
            "customerNumber": "10001",
            "documentDate": day,
            "hold": not released,
            "note": note,
            "customerRefNumber": "PO-77120",
            "invoiceLines": [ROW],
            "released": released,
        },
    )
    number = str(made["referenceNumber"])
    play.known.documents.add((play.firm.name, number))
    play.play.kernel.say(f"enters document {number} ({made['status']}, {made['amountInCurrency']})", "people")
    return number


def document(play: Stage, number: str) -> dict[str, Any]:
    """A document of the ERP, {} when it is gone."""
    return next((one for one in play.firm.documents() if str(one["referenceNumber"]) == number), {})


@pytest.mark.schedule("S8")
def test_two_foreign_documents_that_look_like_ours_are_left_alone(stage: Stages) -> None:
    """Our create never happened; a colleague entered the same twice, on hold."""
    with stage() as play:
        play.approve()
        numbers: list[str] = []
        play.when(CREATE, lambda: numbers.extend(foreign(play) for _ in range(2)))
        play.lose_request(CREATE)
        play.poll(seconds=3_000)
        assert [document(play, number).get("status") for number in numbers] == ["Hold", "Hold"]
        play.end()
        assert [document(play, number).get("status") for number in numbers] == ["Hold", "Hold"]


@pytest.mark.schedule("S8")
@pytest.mark.parametrize("days", [0, 2])
def test_a_foreign_released_document_is_not_taken_for_ours(stage: Stages, days: int) -> None:
    with stage() as play:
        guid = play.approve()
        numbers: list[str] = []
        if days:
            play.play.theatre.vendors.erp_ahead = -days * 86_400.0
            numbers.append(foreign(play, released=True))
            play.play.theatre.vendors.erp_ahead = 0.0
        else:
            play.when(CREATE, lambda: numbers.append(foreign(play, released=True)))
        play.lose_request(CREATE)
        play.poll(seconds=3_000)
        play.end()
        assert str(play.firm.invoice(guid)["number"]) != numbers[0]


@pytest.mark.schedule("S9")
def test_a_booked_invoice_whose_document_answers_404_is_not_booked_again(stage: Stages) -> None:
    with stage() as play:
        guid = play.approve()
        # Booked; Severa refuses the number, so that a person has to act.
        refusing = play.answer(WRITE_BACK, 400, b"{}", times=None, Content_Type="application/json")
        play.poll()
        refusing.times = 0
        assert [one["status"] for one in play.documents(guid)] == ["Open"]
        # The ERP shows it nowhere for a while, and somebody tries again.
        play.answer(READ_DOCUMENT, 404, times=None)
        play.answer(LIST_DOCUMENTS, 200, b"[]", times=None, Content_Type="application/json")
        for _ in range(2):
            for problem in play.problems():
                play.operator(lambda bridge, one=problem: contact.retry(bridge, play.firm.name, one))
            play.run(900)
        assert len(play.documents(guid)) == 1
        play.end()


@pytest.mark.schedule("S10")
@pytest.mark.parametrize("wrong", ["html", "short", "404 later"])
def test_a_list_that_is_none_does_not_say_that_nothing_is_there(stage: Stages, wrong: str) -> None:
    """The document was made and its answer lost; the look-up answers something that is not a list of everything."""
    with stage() as play:
        guid = play.approve()
        play.lose_answer(CREATE)
        # A colleague's document of the same day comes first in every list.
        foreign(play, day="2026-11-20")
        if wrong == "html":
            play.html(LIST_DOCUMENTS, times=None)
        elif wrong == "short":
            play.change(LIST_DOCUMENTS, partial(_without, guid), times=None)
        else:
            # One row per page: ours would be on the second.
            play.firm.erp("PATCH", "settings", {"max_page_size": 1, "default_page_size": 1})
            play.answer(LIST_DOCUMENTS, 404, times=None, skip=1)
        play.poll(seconds=2_400)
        assert len(play.documents(guid)) == 1
        play.end()


def _without(guid: str, body: bytes) -> bytes:
    """A list that leaves our document out and still counts it."""
    rows = json.loads(body)
    if not isinstance(rows, list):
        return body
    return json.dumps([row for row in rows if guid not in str(row.get("note", row))]).encode()


@pytest.mark.schedule("S27")
@pytest.mark.parametrize("seconds", [60, 1_500], ids=["under its lease", "longer than its lease"])
def test_a_document_that_is_polled_between_its_create_and_its_done_is_not_removed(
    stage: Stages, seconds: float
) -> None:
    """The worker lives, and stands between the answer to its create and the moment at which it says so."""
    with stage() as play:
        guid = play.approve()
        play.pause("worker", after=CREATE, seconds=seconds)
        play.when(CREATE, lambda: play.play.poll_soon(5), where="answered")
        play.poll(seconds=2_400)
        play.end()
        assert len(play.documents(guid)) == 1
        assert play.firm.erp("GET", "removed") == []


@pytest.mark.schedule("S28")
@pytest.mark.parametrize("released", [False, True])
def test_a_persons_copy_with_our_note_is_neither_removed_nor_a_doubt(
    stage: Stages, *, released: bool
) -> None:
    with stage() as play:
        guid = play.booked()
        [ours] = play.documents(guid)
        number = foreign(play, note=str(ours["note"]), released=released)
        before = document(play, number)["status"]
        play.poll(seconds=600)
        play.firm.change("invoices", guid, yourReference="Anna")
        play.poll(seconds=600)
        play.end()
        assert document(play, number).get("status") == before
        assert play.firm.role(guid) == "transferred"
