"""What people decide, set and wait for (S16 to S19)."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from simulation import bridge as contact
from simulation.stage import Stage

WRITE_PROJECT = "PUT erp .*/project/"

Stages = Callable[..., AbstractContextManager[Stage]]


@pytest.mark.schedule("S16")
def test_resuming_a_tenant_after_a_brake_resumes_what_the_brake_had_paused(stage: Stages) -> None:
    with stage() as play:
        address = {
            "addressline": "Kungsgatan 1",
            "postalCode": "111 43",
            "city": "Stockholm",
            "country": "SE",
        }
        for n in range(3):
            play.firm.severa("POST", "customers", {"name": f"Kund {n} AB", "address": address})
        play.poll(seconds=600)
        for n, one in enumerate(play.firm.register("severa", "customers")):
            if not one["isInternal"]:
                play.firm.change("customers", one["guid"], website=f"https://mass{n}.example")
        play.poll(seconds=600)
        assert [problem for problem in play.problems() if "brake" in problem["code"]]
        play.operator(lambda bridge: contact.pause(bridge, play.firm.name, paused=False))
        play.poll(seconds=600)
        play.end()


@pytest.mark.schedule("S17")
def test_an_invoice_that_waits_for_a_project_nobody_ever_saw_is_told_to_a_person(stage: Stages) -> None:
    with stage() as play:
        made = play.firm.severa(
            "POST", "projects", {"name": "Osedd", "customer": play.firm.project()["customer"]["guid"]}
        )

        def without(body: bytes) -> bytes:
            rows = json.loads(body)
            return json.dumps([row for row in rows if row.get("guid") != made["guid"]]).encode()

        play.known.unseen.add(made["guid"])
        play.change("GET severa .*/projects$", without, times=None)
        guid = play.firm.draft(made)
        play.firm.move(guid, "transfer")
        play.poll(seconds=600)
        play.end(keep_script=True)
        # Looked at every half minute of the quarter of an hour, and once more when the project's own work came to its end.
        looks = [
            domain for domain, outcome in play.play.outcomes if domain == "invoice" and outcome == "waiting"
        ]
        assert 30 <= len(looks) <= 75


@pytest.mark.schedule("S17")
@pytest.mark.parametrize("answer", ["a lie", "a no"])
def test_an_invoice_and_a_project_that_cannot_be_opened_for_it_do_not_go_round(
    stage: Stages, answer: str
) -> None:
    """Both failed, the invoice took its need back, the project succeeded with nothing to do and woke it: 350 deliveries an hour."""
    with stage() as play:
        project = play.firm.project(1001)
        play.firm.change("projects", project["guid"], isClosed=True)
        play.poll(seconds=300)
        if answer == "a lie":
            play.lie(WRITE_PROJECT, times=None)
        else:
            play.answer(WRITE_PROJECT, 400, b'{"message":"no"}', times=None, Content_Type="application/json")
        guid = play.approve()
        play.poll(seconds=900)
        play.play.outcomes.clear()
        play.run(3_600)
        assert len(play.play.outcomes) <= 10
        play.script.rules.clear()
        [own] = [one for one in play.problems() if one["code"] in ("project.refused", "work.not_taken")]
        play.operator(lambda bridge: contact.retry(bridge, play.firm.name, own))
        play.poll(seconds=600)
        play.end()
        assert play.firm.role(guid) == "transferred"
        [there] = [one for one in play.firm.register("erp", "project") if one["projectID"] == "1001"]
        assert there["status"] == "Completed"


@pytest.mark.schedule("S17")
@pytest.mark.parametrize("system", ["erp", "severa"])
def test_who_says_come_again_in_a_second_for_an_hour_is_not_asked_each_second(
    stage: Stages, system: str
) -> None:
    with stage() as play:
        asked = play.answer(f"GET {system} .*/customers?$", 429, times=None, Retry_After="1")
        play.poll(seconds=60)
        before = play.play.wire.calls
        play.run(3_600)
        assert asked.times is None
        # Each poll asks for a page of Severa four times at the most.
        assert play.play.wire.calls - before <= 4 * 4 * 60
        play.script.rules.clear()
        play.end()


@pytest.mark.schedule("S18")
def test_what_was_released_at_one_sum_is_not_booked_at_another(stage: Stages) -> None:
    with stage() as play:
        play.setting("hold_invoices", "true")
        guid = play.approve(price="1000")
        play.poll()
        assert play.documents(guid) == []
        [held] = [row for row in play.problems() if row["record_id"] == guid]
        play.operator(lambda bridge: contact.release(bridge, play.firm.name, str(held["id"])))
        play.firm.reprice(guid, "94488")
        play.poll(seconds=900)
        booked = [str(one["amountInCurrency"]) for one in play.documents(guid) if one["status"] != "Hold"]
        assert booked in ([], ["2500.0"])
        play.end()


@pytest.mark.schedule("S19")
def test_a_start_date_that_is_moved_back_takes_up_what_was_already_seen(stage: Stages) -> None:
    with stage() as play:
        play.setting("invoices_from", "2026-12-01")
        guid = play.approve()
        play.poll()
        assert play.firm.role(guid) == "transfer"
        play.setting("invoices_from", "2026-01-01")
        play.poll(seconds=900)
        play.end()
        assert play.firm.role(guid) == "transferred"
