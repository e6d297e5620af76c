"""Databases of the past (S7, S24, S26)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from simulation.points import Do
from simulation.stage import CREATE, WRITE_BACK, Stage

Stages = Callable[..., AbstractContextManager[Stage]]


@pytest.mark.schedule("S7")
def test_a_dump_put_back_into_the_same_server_books_nothing_twice(stage: Stages) -> None:
    with stage() as play:
        guids = [play.approve(price=str(1000 + n)) for n in range(3)]
        # The dump is taken while the three are on their way to a worker.
        play.rule(Do(play.keep), "message", "invoice")
        # Released, but Severa takes no number yet: it still asks for them, as the old database does.
        refusing = play.answer(WRITE_BACK, 503, times=None)
        play.poll(seconds=300)
        assert [play.documents(guid)[0]["status"] for guid in guids] == ["Open"] * 3
        refusing.times = 0
        play.restore()
        play.adopt_if_asked()
        play.run(300)
        play.poll(seconds=900)
        play.end()


@pytest.mark.schedule("S24")
def test_a_restore_beneath_running_processes_books_nothing_twice(stage: Stages) -> None:
    with stage() as play:
        guids = [play.approve(price=str(1000 + n)) for n in range(2)]
        play.rule(Do(play.keep), "message", "invoice")
        refusing = play.answer(WRITE_BACK, 503, times=None)
        play.poll(seconds=300)
        assert [play.documents(guid)[0]["status"] for guid in guids] == ["Open"] * 2
        refusing.times = 0
        play.restore(running=True)
        play.adopt_if_asked()
        play.run(300)
        play.poll(seconds=900)
        play.end()


@pytest.mark.schedule("S26")
def test_a_create_of_the_lost_future_that_arrives_after_the_restore_is_not_made_again(stage: Stages) -> None:
    with stage() as play:
        play.firm.erp("PATCH", "settings", {"visible_after_seconds": 200})
        play.approve()
        play.keep()
        play.late(CREATE, seconds=200, answer=600)
        play.poll(seconds=60)
        play.restore()
        play.adopt_if_asked()
        play.poll(seconds=2_400)
        play.end()
