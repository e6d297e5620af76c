"""A vendor that says 'come again in a second' to whatever work asks of it, for an hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from simulation.stage import CREATE, READ_DOCUMENT, Stage

Stages = Callable[..., AbstractContextManager[Stage]]

WRITES = "(POST|PUT|PATCH) {} .*/(customer|invoice)"
CALLED = {
    "writes to the ERP": WRITES.format("erp"),
    "writes to Severa": WRITES.format("severa"),
    "reads of the ERP": READ_DOCUMENT,
}
# Two seconds, four, eight … of back-off, then one each quarter of an hour.
MOST = 20


def deliveries(play: Stage) -> Counter[str]:
    """How often each domain's work was tried."""
    return Counter(domain for domain, _ in play.play.outcomes)


@pytest.mark.req("R-INV-12")
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("seconds", ["0", "1"])
@pytest.mark.parametrize("called", CALLED)
def test_work_is_tried_ever_more_seldom_is_told_and_goes_on_by_itself(
    stage: Stages, called: str, seconds: str, status: int
) -> None:
    """Each matter came again every few seconds, as it was told, 900 times an hour."""
    with stage() as play:
        asked = play.answer(CALLED[called], status, times=None, Retry_After=seconds)
        guid = play.approve()
        edited = next(one for one in play.firm.register("severa", "customers") if one["number"] == 10001)
        play.firm.change("customers", edited["guid"], website="https://ny.example")
        play.poll(seconds=1)
        for _ in range(60):
            play.run(60)
            assert max(deliveries(play).values()) <= MOST
        assert asked.hits >= 5
        assert {one["code"] for one in play.problems()} == {"work.unavailable"}
        play.script.rules.clear()
        play.run(1_000)
        assert play.firm.role(guid) == "transferred"
        assert play.problems() == []
        play.end()


def test_a_burst_costs_seconds(stage: Stages) -> None:
    with stage() as play:
        play.answer(CREATE, 429, times=12, Retry_After="1")
        guids = [play.approve() for _ in range(12)]
        play.poll(seconds=60)
        assert [play.firm.role(guid) for guid in guids] == ["transferred"] * 12
        assert play.problems() == []
        play.end()
