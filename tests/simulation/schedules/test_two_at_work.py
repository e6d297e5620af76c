"""Two deliveries of one invoice, and workers that stand still (S1 to S6, S21 to S23, S30)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from simulation.points import Answer, Refuse
from simulation.stage import CREATE, HOLD_OFF, NEW_CUSTOMER, READ_INVOICE, RELEASE, REMOVE, WRITE_BACK, Stage

Stages = Callable[..., AbstractContextManager[Stage]]

# Longer than any lease and the whole settle time.
LONG = 1_500.0
# The eight calls of a plain invoice, in order.
ROAD = {
    "rows": "GET severa .*invoicerows",
    "create": CREATE,
    "read back": "GET erp .*/customerinvoice/[0-9]+$",
    "Severa again": READ_INVOICE,
    "hold off": HOLD_OFF,
    "release": "POST erp .*action/release",
    "write back": WRITE_BACK,
}


def redo(play: Stage, guid: str, price: str = "1750") -> None:
    """A person takes the invoice back, changes it and approves it again, within a moment."""
    if play.firm.role(guid) == "transfer":
        play.play.kernel.say(f"takes the invoice back, sets {price}, approves it again", "people")
        play.firm.move(guid, "draft")
        play.firm.reprice(guid, price)
        play.firm.move(guid, "transfer")


@pytest.mark.schedule("S1")
@pytest.mark.parametrize("how", ["another price", "another reference"])
def test_two_deliveries_of_one_invoice_release_one_document(stage: Stages, how: str) -> None:
    """Nobody crashes and no lease ends: somebody touches the held document, the invoice is redone, and the second delivery
    of the same invoice, which knows the first document, looks for it when the first delivery has made another one."""
    with stage() as play:
        guid = play.approve()

        def edit() -> None:
            if how == "another price":
                redo(play, guid)
            else:
                play.play.kernel.say("changes the reference of the invoice", "people")
                play.firm.change("invoices", guid, yourReference="Anna")

        play.when(HOLD_OFF, lambda: play.play.at(2, edit))
        play.when(HOLD_OFF, lambda: play.play.poll_soon(4))
        # The second worker has just taken up the invoice, and stands still until the first has claimed its second document.
        play.when(
            HOLD_OFF, lambda: play.play.at(5, lambda: play.pause("worker", before="^GET erp", seconds=50))
        )
        play.pause("worker", before=HOLD_OFF, seconds=15)
        play.answer(HOLD_OFF, 412)
        play.pause("worker", before=HOLD_OFF, seconds=150, skip=1)
        play.poll(seconds=900)
        play.end()


@pytest.mark.schedule("S1")
@pytest.mark.parametrize("where", ROAD)
@pytest.mark.parametrize("how", ["redone", "touched"])
def test_an_invoice_that_is_edited_while_it_is_being_booked_is_booked_once_and_as_approved(
    stage: Stages, where: str, how: str
) -> None:
    """A worker takes a minute after one call, a person edits, the poll comes by."""
    with stage() as play:
        guid = play.approve()
        play.pause("worker", after=ROAD[where], seconds=100)

        def edit() -> None:
            if how == "redone":
                redo(play, guid)
            else:
                play.play.kernel.say("changes the reference of the invoice", "people")
                play.firm.change("invoices", guid, yourReference="Anna")

        play.when(ROAD[where], lambda: play.play.at(5, edit), where="answered")
        play.when(ROAD[where], lambda: play.play.poll_soon(15), where="answered")
        play.poll(seconds=400)
        play.end()


@pytest.mark.schedule("S2")
def test_an_invoice_that_goes_back_to_draft_while_its_release_waits_leaves_no_held_document(
    stage: Stages,
) -> None:
    with stage() as play:
        guid = play.approve()
        play.answer(HOLD_OFF, 503, Retry_After="300")
        play.poll()
        play.firm.move(guid, "draft")
        play.poll(seconds=600)
        assert not [one for one in play.documents(guid) if one["status"] == "Hold"]
        play.firm.move(guid, "transfer")
        play.poll(seconds=600)
        play.end()
        assert play.firm.role(guid) == "transferred"


@pytest.mark.schedule("S3")
def test_a_write_back_whose_answer_is_lost_is_brought_to_its_end_after_the_invoice_was_sent(
    stage: Stages,
) -> None:
    with stage() as play:
        play.setting("attachments", "files")
        guid = play.firm.draft(play.firm.project())
        play.firm.severa("POST", f"invoices/{guid}/files", {"name": "tidrapport.pdf", "text": "tio timmar"})
        play.firm.move(guid, "transfer")
        # Severa did it, and what comes back is its gateway's excuse: nobody heard the answer.
        play.rule(Answer(503, b"", {"Retry-After": "300"}, done=True), "sent", WRITE_BACK)
        play.auto_invoice(every=10)
        play.poll(seconds=30)
        play.poll(seconds=60)
        play.poll(seconds=600)
        play.end()
        [document] = play.documents(guid)
        assert [file["name"] for file in document["attachments"]] == ["tidrapport.pdf"]


@pytest.mark.schedule("S2")
@pytest.mark.parametrize("crashes", [False, True])
def test_an_invoice_that_goes_back_to_draft_between_its_release_and_its_number_is_told(
    stage: Stages, *, crashes: bool
) -> None:
    with stage() as play:
        guid = play.approve()
        play.when(RELEASE, lambda: play.firm.move(guid, "draft"), where="answered")
        if crashes:
            play.crash("worker", before=WRITE_BACK)
        else:
            play.rule(Refuse(), "headers", WRITE_BACK)
        play.poll(seconds=900)
        play.end()
        assert [row["code"] for row in play.problems()] == ["invoice.moved_after_booking"]


@pytest.mark.schedule("S4")
def test_a_worker_that_wakes_after_its_removal_takes_nothing_from_its_successor(stage: Stages) -> None:
    with stage() as play:
        guid = play.approve()
        # A person edits between the create and the last look: the held document has to go and be made anew.
        play.when(READ_INVOICE, lambda: play.firm.reprice(guid, "1750"))
        play.pause("worker", after=REMOVE, seconds=500)
        # The successor has released another one and is about to number it when the first one wakes.
        play.pause("worker", after=RELEASE, seconds=200)
        play.poll(seconds=2 * LONG)
        play.auto_invoice()
        play.run(120)
        for document in play.documents(guid):
            play.firm.pay(document, date="2026-11-20")
        play.poll(seconds=600)
        play.end()
        assert play.firm.role(guid) == "paid"


@pytest.mark.schedule("S5")
@pytest.mark.parametrize("what", ["document", "customer"])
def test_a_create_that_was_begun_is_not_sent_long_after(stage: Stages, what: str) -> None:
    with stage(few=False) as play:
        if what == "customer":
            address = {
                "addressline": "Kungsgatan 1",
                "postalCode": "111 43",
                "city": "Stockholm",
                "country": "SE",
            }
            play.firm.severa("POST", "customers", {"name": "Nykund AB", "address": address})
            play.pause("worker", before=NEW_CUSTOMER, seconds=LONG)
        else:
            play.approve()
            play.pause("worker", before=CREATE, seconds=LONG)
        play.poll(seconds=2 * LONG)
        play.end()


@pytest.mark.schedule("S6")
def test_a_stale_write_back_does_not_move_a_sent_invoice_back(stage: Stages) -> None:
    with stage() as play:
        guid = play.approve()
        play.pause("worker", before=WRITE_BACK, seconds=LONG)
        play.auto_invoice()
        play.poll(seconds=2 * LONG)
        play.end()
        assert play.firm.role(guid) == "sent"


@pytest.mark.schedule("S21")
@pytest.mark.parametrize("what", ["document", "customer"])
def test_a_create_that_stands_still_between_headers_and_body_is_dropped(stage: Stages, what: str) -> None:
    with stage(few=False) as play:
        if what == "customer":
            address = {
                "addressline": "Kungsgatan 1",
                "postalCode": "111 43",
                "city": "Stockholm",
                "country": "SE",
            }
            play.firm.severa("POST", "customers", {"name": "Nykund AB", "address": address})
            play.pause("worker", between=NEW_CUSTOMER, seconds=LONG)
        else:
            play.approve()
            play.pause("worker", between=CREATE, seconds=LONG)
        play.poll(seconds=2 * LONG)
        play.end()


@pytest.mark.schedule("S22")
def test_a_write_back_that_the_network_held_for_90_seconds_does_not_send_an_invoice_twice(
    stage: Stages,
) -> None:
    with stage() as play:
        play.approve()
        play.late(WRITE_BACK, seconds=90)
        play.auto_invoice(every=15)
        play.poll(seconds=900)
        play.end()


@pytest.mark.schedule("S23")
def test_a_create_settles_from_the_last_moment_at_which_it_could_be_sent(stage: Stages) -> None:
    with stage() as play:
        play.firm.erp("PATCH", "settings", {"visible_after_seconds": 250})
        guid = play.approve()
        play.pause("worker", before=CREATE, seconds=290)
        play.late(CREATE, seconds=235, answer=600)
        play.poll(seconds=3_000)
        released = [one for one in play.documents(guid) if one["status"] not in ("Hold", "Balanced")]
        assert len(released) <= 1
        play.end()


@pytest.mark.schedule("S30")
def test_a_step_of_postgresqls_clock_makes_no_second_document(stage: Stages) -> None:
    with stage() as play:
        guid = play.approve()

        def step() -> None:
            play.play.kernel.say("PostgreSQL's clock steps 20 minutes forward", "clock")
            play.play.database.ahead += 1_200

        play.when(CREATE, lambda: play.play.at(5, step), where="sent")
        play.late(CREATE, seconds=200)
        play.poll(seconds=900)
        # Nothing is taken up before every lease and wait is surely over.
        assert len(play.documents(guid)) == 1
        play.run(2_400)
        assert play.firm.role(guid) == "transferred"
        play.end()
