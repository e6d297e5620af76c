"""A yes that was none: the vendor answers as if it had done what was asked, and did nothing (docs/never-twice.md rules 6 and 15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import pytest

from domain.invoice.whose import REMOVALS
from simulation import bridge as contact
from simulation.schedules.test_decided import decide, doubts
from simulation.stage import CREATE, HOLD_OFF, NEW_CUSTOMER, RELEASE, REMOVE, WRITE_BACK, Stage

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


# ---------------------------------------------------------------- every other write


def customer(play: Stage, number: int = 10001) -> dict[str, object]:
    return next(one for one in play.firm.register("severa", "customers") if one["number"] == number)


def web(play: Stage) -> tuple[object, object]:
    """A customer's website in Severa and in the ERP."""
    there = next(one for one in play.firm.register("erp", "customer") if one["number"] == "10001")
    return customer(play)["website"], there["mainContact"]["web"]


def edited_in_severa(play: Stage) -> None:
    play.firm.change("customers", str(customer(play)["guid"]), website="https://ny.example")


def edited_in_erp(play: Stage) -> None:
    play.firm.erp("PATCH", "customer/10001", {"mainContact": {"web": "https://ny.example"}})


def new_customer(play: Stage) -> None:
    address = {"addressline": "Kungsgatan 1", "postalCode": "111 43", "city": "Stockholm", "country": "SE"}
    play.firm.severa("POST", "customers", {"name": "Ny AB", "address": address})


def new_project(play: Stage) -> None:
    play.firm.severa("POST", "projects", {"name": "Nytt", "customer": customer(play)["guid"]})


def renamed(play: Stage) -> None:
    play.firm.change("projects", str(play.firm.project()["guid"]), name="Nytt namn")


def closed(play: Stage) -> None:
    play.firm.change("projects", str(play.firm.project(1002)["guid"]), isClosed=True)


def approved(play: Stage) -> None:
    play.approve()


def refused_by_the_erp(play: Stage) -> None:
    play.firm.erp("PATCH", "inventory/KONS", {"status": "Inactive"})
    play.approve()


def paid(play: Stage) -> None:
    guid = play.booked()
    play.firm.move(guid, "sent")
    play.poll()
    play.firm.pay(play.documents(guid)[0], date="2026-11-20")


PUT_CUSTOMER, PATCH_CUSTOMER = "PUT erp .*customer", "PATCH severa .*customers"
PUT_PROJECT = "PUT erp .*project"
ONCE: Mapping[str, tuple[Callable[[Stage], None], str, list[str]]] = {
    "create a document": (approved, CREATE, []),
    # The version that it named is not the stored one: proven again.
    "take off hold": (approved, HOLD_OFF, []),
    "release": (approved, RELEASE, []),
    "number and status": (approved, WRITE_BACK, []),
    "failed": (refused_by_the_erp, WRITE_BACK, ["invoice.item_refused"]),
    "payment status": (paid, WRITE_BACK, []),
    "create a customer": (new_customer, NEW_CUSTOMER, ["customer.refused"]),
    "change a customer in the ERP": (edited_in_severa, PUT_CUSTOMER, []),
    "create a project": (new_project, "POST erp .*project", ["project.not_found_after_create"]),
    "rename a project": (renamed, PUT_PROJECT, []),
    "complete a project": (closed, PUT_PROJECT, []),
}
# Answered with 204 and nothing done: what shows in the record that is read then.
IGNORED_ONCE: Mapping[str, tuple[Callable[[Stage], None], str, list[str]]] = {
    "take off hold": (approved, HOLD_OFF, ["invoice.refused"]),
    "release": (approved, RELEASE, []),
    "number and status": (approved, WRITE_BACK, []),
    "failed": (refused_by_the_erp, WRITE_BACK, ["invoice.item_refused"]),
    "payment status": (paid, WRITE_BACK, []),
    "change a customer in Severa": (edited_in_erp, PATCH_CUSTOMER, []),
    "a customer's number": (new_customer, PATCH_CUSTOMER, []),
}
ALWAYS: Mapping[str, tuple[Callable[[Stage], None], str, list[str]]] = {
    # Severa's document has no empty answer to a PATCH: not known, tried on.
    "number and status": (approved, WRITE_BACK, ["work.unavailable"]),
    "change a customer in the ERP": (edited_in_severa, PUT_CUSTOMER, ["work.not_taken"]),
    "change a customer in Severa": (edited_in_erp, PATCH_CUSTOMER, ["work.unavailable"]),
    "a customer's number": (new_customer, PATCH_CUSTOMER, ["work.unavailable"]),
    "rename a project": (renamed, PUT_PROJECT, ["work.not_taken"]),
    "complete a project": (closed, PUT_PROJECT, ["work.not_taken"]),
}


# Answered by Severa with the record as it was: a yes that did nothing.
IN_SHAPE: Mapping[str, tuple[Callable[[Stage], None], str, list[str]]] = {
    "number and status": (approved, WRITE_BACK, ["invoice.booked_not_numbered"]),
    "change a customer in Severa": (edited_in_erp, PATCH_CUSTOMER, ["work.not_taken"]),
    "a customer's number": (new_customer, PATCH_CUSTOMER, ["work.not_taken"]),
}


def lied_to(play: Stage, act: Callable[[Stage], None]) -> list[str]:
    """Codes of the problems, after what was asked for and a day's sweep."""
    if act is not paid:
        act(play)
    play.poll(seconds=2_400)
    play.sweep_soon()
    play.poll(seconds=2_400)
    return sorted(str(one["code"]) for one in play.problems())


@pytest.mark.parametrize("write", ONCE)
def test_a_write_that_was_answered_as_done_and_was_not_ends_right_or_is_told(
    stage: Stages, write: str
) -> None:
    act, call, told = ONCE[write]
    with stage() as play:
        if act is paid:
            act(play)
        lying = play.lie(call)
        assert (lied_to(play, act), lying.hits) == (told, 1)
        play.end()


@pytest.mark.parametrize("write", IGNORED_ONCE)
def test_a_write_that_was_ignored_with_204_ends_right_or_is_told(stage: Stages, write: str) -> None:
    act, call, told = IGNORED_ONCE[write]
    with stage() as play:
        if act is paid:
            act(play)
        lying = play.answer(call, 204)
        assert (lied_to(play, act), lying.hits) == (told, 1)
        if act is new_customer:
            [made] = [one for one in play.firm.register("severa", "customers") if one["name"] == "Ny AB"]
            assert made["number"] == 10003
        play.end()


@pytest.mark.parametrize("write", ALWAYS)
def test_a_write_that_is_always_ignored_is_told_and_not_sent_without_end(stage: Stages, write: str) -> None:
    act, call, told = ALWAYS[write]
    with stage() as play:
        lying = play.answer(call, 204, times=None)
        assert lied_to(play, act) == told
        assert lying.hits < 16
        if act in (edited_in_severa, edited_in_erp):
            assert sorted(web(play)) == ["https://malarbygg.example", "https://ny.example"]


@pytest.mark.parametrize("times", [1, None], ids=["once", "always"])
@pytest.mark.parametrize("write", IN_SHAPE)
def test_a_write_that_severa_shows_to_have_ignored_is_made_once_more_and_then_told(
    stage: Stages, write: str, times: int | None
) -> None:
    act, call, told = IN_SHAPE[write]
    with stage(workers=1) as play:
        play.booked()
        ignored = play.ignore(call, times=times)
        assert lied_to(play, act) == ([] if times else told)
        assert ignored.hits < 12
        play.script.rules.clear()
        for problem in play.problems():
            play.operator(lambda bridge, one=problem: contact.retry(bridge, play.firm.name, one))
        play.poll(seconds=600)
        assert play.problems() == []
        if act is new_customer:
            [made] = [one for one in play.firm.register("severa", "customers") if one["name"] == "Ny AB"]
            assert made["number"] == 10003
        play.end()
