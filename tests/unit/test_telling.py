"""What `up` tells a person who looks on."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import structlog

from app import logs
from app.cli.processes import ended_sentences
from app.running import Ended, Outcome
from app.telling import AGAIN, Teller
from domain import clock


def heard(*events: dict[str, Any]) -> Teller:
    teller = Teller()
    for event in events:
        assert teller.hear(None, "", event) is event
    return teller


def settled(*codes: str, tenant: str = "one") -> dict[str, Any]:
    return {"event": "settled", "level": "info", "tenant": tenant, "codes": list(codes)}


def test_what_was_done_is_added_up_in_a_sentence_per_tenant() -> None:
    teller = heard(
        *(settled("customer.linked", "customer.contact_linked") for _ in range(5)),
        *(settled("customer.created_in_erp", "customer.numbered") for _ in range(2)),
        settled("invoice.transferred"),
        settled("invoice.credit_note_transferred"),
        settled("project.created", tenant="two"),
        settled(tenant="three"),
    )
    assert teller.said() == [
        "one: 5 customers linked, 2 made; 5 contacts linked; 1 invoice booked; 1 credit note booked.",
        "two: 1 project made.",
    ]
    assert teller.said() == []


def test_a_problem_is_counted_and_a_warning_is_said_as_it_is() -> None:
    failed = {"event": "failed", "level": "warning", "tenant": "one", "code": "invoice.no_rows"}
    cut = {
        "event": "poll_failed",
        "level": "warning",
        "tenant": "one",
        "system": "severa",
        "register": "invoices",
        "error": "no answer",
    }
    assert heard(failed, cut, {"event": "later", "level": "info"}).said() == [
        "one: 1 problem ('severa-bridge problems one').",
        "Poll failed (one, Severa invoices): no answer",
    ]


class Standing(clock.MachineClock):
    """Stands until a test moves it."""

    at = 0.0

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def time() -> Iterator[Standing]:
    standing = Standing()
    before = clock.use(standing)
    yield standing
    clock.use(before)


def test_a_warning_that_goes_on_is_said_once_in_a_while(time: Standing) -> None:
    cut = {"event": "poll_failed", "level": "warning", "tenant": "one", "error": "no answer"}
    teller = heard(cut, cut, cut)
    assert teller.said() == ["Poll failed (one): no answer"]
    teller.hear(None, "", cut)
    assert teller.said() == []
    time.at = AGAIN
    teller.hear(None, "", cut)
    assert teller.said() == ["Poll failed (one): no answer"]


@pytest.mark.parametrize("level", ["warning", "info"])
def test_it_hears_what_is_not_written(level: str) -> None:
    teller, out = Teller(), StringIO()
    logs.set_up(level, human=False, file=out, hears=teller.hear)
    try:
        structlog.get_logger().info("settled", tenant="one", codes=["customer.linked"])
        structlog.get_logger().debug("settled", tenant="one", codes=["customer.linked"])
        structlog.get_logger().warning("poll_failed", tenant="one", error="no answer")
    finally:
        structlog.reset_defaults()
    assert teller.said() == ["one: 1 customer linked.", "Poll failed (one): no answer"]
    assert [line.count('"event"') for line in out.getvalue().splitlines()] == [1] * (
        2 if level == "info" else 1
    )


@pytest.mark.req("R-OPS-1")
def test_an_end_names_tenants_with_their_problems_and_what_is_waited_for() -> None:
    some = {"one": 2, "two": 1}
    assert ended_sentences(Outcome(Ended.CLEAN), None) == ["Idle: everything is settled."]
    [said] = ended_sentences(Outcome(Ended.WITH_PROBLEMS, some), None)
    assert (
        said
        == "Idle, with open problems: one 2, two 1 ('severa-bridge problems one' 'severa-bridge problems two')."
    )
    waits = ("one: 3 of invoice (tried again in 12 s)",)
    assert ended_sentences(Outcome(Ended.TIMED_OUT, {"two": 1}, waits), 90.0) == [
        "Out of time after 90 s. It waited for:",
        "  one: 3 of invoice (tried again in 12 s)",
        "Open problems: two 1 ('severa-bridge problems two').",
    ]
