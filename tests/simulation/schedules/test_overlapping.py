"""Readings and writes that overlap, and the same thing made on both sides (S31, S35 to S38, S41)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from simulation.points import Pause
from simulation.stage import WRITE_BACK, Stage

Stages = Callable[..., AbstractContextManager[Stage]]
ADDRESS = {"addressline": "Kungsgatan 1", "postalCode": "111 43", "city": "Stockholm", "country": "SE"}
LIST_SEVERA = "GET severa .*/customers$"
LIST_ERP = "GET erp .*/customer$"
NEW = "Nykund AB"


def named(play: Stage, name: str) -> tuple[int, int]:
    """How many customers of a name stand in Severa and in the ERP."""
    ours = [one for one in play.firm.register("severa", "customers") if one["name"] == name]
    theirs = [one for one in play.firm.register("erp", "customer") if one["mainContact"]["name"] == name]
    return len(ours), len(theirs)


@pytest.mark.schedule("S31")
def test_a_customer_typed_in_both_systems_between_two_polls_is_one_customer(stage: Stages) -> None:
    with stage(workers=3) as play:
        play.firm.severa(
            "POST", "customers", {"name": NEW, "address": ADDRESS, "vatNumber": "SE556677889901"}
        )
        play.firm.erp("POST", "customer", {"name": NEW, "corporateId": "556677-8899"})
        # Both deliveries have planned when the first one makes something.
        play.pause("worker", after="^GET", seconds=20)
        play.poll(seconds=900)
        play.poll(seconds=900)
        assert named(play, NEW) == (1, 1)
        play.end()


@pytest.mark.schedule("S35")
def test_a_record_that_a_worker_makes_behind_a_sweeps_page_is_not_gone(stage: Stages) -> None:
    with stage() as play:
        # The ERP's customers have been read when the new one is made there; the reading ends afterwards.
        play.firm.severa("POST", "customers", {"name": NEW, "address": ADDRESS})
        play.sweep_soon()
        play.pause("poller", after=LIST_ERP, seconds=250)
        play.poll(seconds=900)
        assert named(play, NEW) == (1, 1)
        play.sweep_soon()
        play.poll(seconds=900)
        play.end()
        assert named(play, NEW) == (1, 1)
        assert not play.problems()


@pytest.mark.schedule("S36")
def test_a_page_of_a_sweep_that_is_stored_late_does_not_undo_what_was_written_meanwhile(
    stage: Stages,
) -> None:
    with stage() as play:
        play.firm.erp("PATCH", "customer/10001", {"mainContact": {"web": "https://ny.example"}})
        play.sweep_soon()
        # Severa's customers were read with the old website; they are stored when the new one stands there already.
        play.pause("poller", after=LIST_SEVERA, seconds=250)
        play.poll(seconds=240)
        play.poll(seconds=900)
        [one] = [one for one in play.firm.register("severa", "customers") if one["number"] == 10001]
        assert one["website"] == "https://ny.example"
        written = len(play.play.wire.writes)
        play.sweep_soon()
        play.poll(seconds=900)
        play.end()
        assert len(play.play.wire.writes) == written
        assert not play.problems()


@pytest.mark.schedule("S37")
@pytest.mark.parametrize("late", [20.0, 50.0])
def test_an_older_answer_to_a_later_question_does_not_undo_a_write(stage: Stages, late: float) -> None:
    """The poll's request was carried out before our PATCH and is answered after it."""
    with stage() as play:
        play.firm.erp("PATCH", "customer/10001", {"mainContact": {"web": "https://ny.example"}})
        play.firm.change(
            "customers",
            str(
                next(
                    one["guid"] for one in play.firm.register("severa", "customers") if one["number"] == 10001
                )
            ),
            email="ny@malarbygg.example",
        )
        play.late(LIST_SEVERA, seconds=0.0, answer=late, times=3)
        play.poll(seconds=5)
        play.poll(seconds=300)
        play.poll(seconds=900)
        play.end()
        [ours] = [one for one in play.firm.register("severa", "customers") if one["number"] == 10001]
        assert (ours["website"], ours["email"]) == ("https://ny.example", "ny@malarbygg.example")
        assert len([one for one in play.play.wire.writes if "customer" in one.path]) <= 2


@pytest.mark.schedule("S22")
@pytest.mark.parametrize("side", ["severa", "erp"])
def test_a_write_of_a_register_that_stood_still_after_its_permission_does_not_go_over_a_later_edit(
    stage: Stages, side: str
) -> None:
    """Paused between the word that it may write and the call, beyond every lease; a person edits again, another worker writes."""
    with stage() as play:
        [ours] = [one for one in play.firm.register("severa", "customers") if one["number"] == 10001]

        def edit(web: str) -> None:
            if side == "severa":
                play.firm.change("customers", str(ours["guid"]), website=web)
            else:
                play.firm.erp("PATCH", "customer/10001", {"mainContact": {"web": web}})
            play.sweep_soon()
            play.play.poll_soon()

        edit("https://old.example")
        paused = play.rule(Pause(1_500), "committed", "sending", actor="worker")
        play.play.at(600, lambda: edit("https://new.example"), "edits again")
        play.poll(seconds=4_000)
        assert paused.hits == 1
        play.sweep_soon()
        play.poll(seconds=900)
        play.end()
        [ours] = [one for one in play.firm.register("severa", "customers") if one["number"] == 10001]
        [theirs] = [one for one in play.firm.register("erp", "customer") if one["number"] == "10001"]
        assert (ours["website"], theirs["mainContact"]["web"]) == ("https://new.example",) * 2


@pytest.mark.schedule("S38")
def test_a_payment_that_comes_while_attachments_are_brought_for_long_makes_no_loop(stage: Stages) -> None:
    with stage() as play:
        play.setting("attachments", "files")
        guid = play.firm.draft(play.firm.project())
        for n in range(5):
            play.firm.severa(
                "POST", f"invoices/{guid}/files", {"name": f"bilaga{n}.pdf", "text": "tio timmar"}
            )
        play.firm.move(guid, "transfer")
        # Each file takes four minutes.
        play.late("POST erp .*attachment", seconds=230, times=None)

        def pay() -> None:
            play.firm.move(guid, "sent")
            play.firm.pay(play.documents(guid)[0], date="2026-11-20")
            play.play.poll_soon()

        play.when(WRITE_BACK, lambda: play.play.at(60, pay), where="answered")
        play.poll(seconds=3_600)
        play.end()
        assert play.firm.role(guid) == "paid"
        [document] = play.documents(guid)
        assert len(document["attachments"]) == 5
        assert len(play.play.outcomes) < 30


@pytest.mark.schedule("S41")
@pytest.mark.parametrize("apart", [0, 40])
def test_two_late_documents_on_a_closed_project_leave_it_closed(stage: Stages, apart: int) -> None:
    with stage(few=False) as play:
        project = play.firm.project()
        guids = [play.firm.draft(project, price=str(1000 + n)) for n in range(2)]
        play.firm.change("projects", project["guid"], isClosed=True)
        play.poll(seconds=600)
        for n, guid in enumerate(guids):
            play.play.at(n * apart, lambda one=guid: play.firm.move(one, "transfer"), "approves an invoice")
            play.play.poll_soon(n * apart + 1)
        # The first one has been let in when the project's own delivery comes by.
        play.pause("worker", after="POST erp /v2/customerinvoice$", seconds=60)
        play.run(1_800)
        play.poll(seconds=900)
        play.end()
        assert [play.firm.role(guid) for guid in guids] == ["transferred", "transferred"]
