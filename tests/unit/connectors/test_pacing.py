"""Call budgets with a clock that is moved by hand: nothing here waits."""

from __future__ import annotations

import contextlib
import threading
from typing import get_args

import pytest

from connectors.pacing import BudgetPacer, FixedSlots, Purpose, SlotPacer
from domain.errors import RateLimited, Unavailable


class Clock:
    """Seconds; sleeping moves them."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Sink:
    def __init__(self) -> None:
        self.told: list[float] = []

    def crossed(self, percent: int) -> None:
        self.told.append(percent)

    def paused(self, seconds: float) -> None:
        self.told.append(seconds)


class Slots:
    def __init__(self, *held: int) -> None:
        self.left = list(held)

    def held(self) -> int:
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]


def turns(pacer: SlotPacer, clock: Clock, count: int) -> list[float]:
    times = []
    for _ in range(count):
        pacer.before("new")
        times.append(round(clock(), 3))
    return times


class TestSeveraSlots:
    def test_calls_are_spaced_evenly_at_two_a_second_for_each_slot(self) -> None:
        for held, spacing in ((1, 0.5), (4, 0.125)):
            clock = Clock()
            pacer = SlotPacer(FixedSlots(held), clock=clock, sleep=clock.sleep)
            assert turns(pacer, clock, 4) == [round(spacing * n, 3) for n in range(4)]

    def test_no_second_holds_more_calls_than_the_vendor_admits(self) -> None:
        clock = Clock()
        times = turns(SlotPacer(clock=clock, sleep=clock.sleep), clock, 40)
        assert max(sum(start <= time < start + 1 for time in times) for start in times) == 8

    def test_time_that_passed_unused_is_not_saved_up_for_a_burst(self) -> None:
        clock = Clock()
        pacer = SlotPacer(FixedSlots(1), clock=clock, sleep=clock.sleep)
        pacer.before("new")
        clock.sleep(60)
        assert turns(pacer, clock, 3) == [60.0, 60.5, 61.0]

    @pytest.mark.parametrize(("headers", "pause"), [({"retry-after": "3"}, 3.0), ({}, 1.0)])
    def test_after_a_429_nobody_calls_for_the_time_the_vendor_names_or_a_second(
        self, headers: dict[str, str], pause: float
    ) -> None:
        clock = Clock()
        pacer = SlotPacer(clock=clock, sleep=clock.sleep, jitter=lambda: 0.5)
        pacer.before("new")
        pacer.after(429, headers)
        assert turns(pacer, clock, 2) == [pause + 0.25, pause + 0.375]

    def test_a_good_answer_pauses_nothing(self) -> None:
        clock = Clock()
        pacer = SlotPacer(clock=clock, sleep=clock.sleep)
        pacer.after(200, {"retry-after": "3"})
        assert turns(pacer, clock, 1) == [0.0]

    def test_a_429_met_by_one_thread_holds_back_a_turn_already_given_to_another(self) -> None:
        clock = Clock()

        def sleep(seconds: float) -> None:
            clock.sleep(seconds)
            if clock() == 0.5:
                pacer.after(429, {"retry-after": "2"})

        pacer = SlotPacer(FixedSlots(1), clock=clock, sleep=sleep, jitter=lambda: 0.0)
        assert turns(pacer, clock, 2) == [0.0, 2.5]

    def test_a_wait_longer_than_allowed_is_refused_with_the_time_to_come_back(self) -> None:
        clock = Clock()
        pacer = SlotPacer(clock=clock, sleep=clock.sleep, jitter=lambda: 0.0)
        pacer.after(429, {"retry-after": "30"})
        with pytest.raises(RateLimited) as caught:
            pacer.before("poll")
        assert caught.value.retry_after == 30
        assert not caught.value.costs_attempt
        assert clock() == 0

    def test_without_a_slot_it_waits_for_one_and_at_last_gives_up(self) -> None:
        clock = Clock()
        SlotPacer(Slots(0, 0, 1), clock=clock, sleep=clock.sleep).before("new")
        assert clock() == 0.5
        with pytest.raises(RateLimited, match="slot"):
            SlotPacer(Slots(0), clock=clock, sleep=clock.sleep).before("new")
        assert clock() == 10.5

    def test_a_wait_ends_at_once_when_the_process_stops(self) -> None:
        stop = threading.Event()
        stop.set()
        pacer = SlotPacer(stop=stop)
        pacer.after(429, {"retry-after": "9"})
        with pytest.raises(Unavailable, match="stopping"):
            pacer.before("new")

    def test_threads_that_come_together_get_turns_of_their_own(self) -> None:
        waits: list[float] = []

        def sleep(seconds: float) -> None:
            # The clock stands still, so that every wait shows the turn that was given.
            waits.append(round(seconds, 3))
            raise Unavailable("stopping")

        pacer = SlotPacer(FixedSlots(1), clock=lambda: 0.0, sleep=sleep)

        def call() -> None:
            with contextlib.suppress(Unavailable):
                pacer.before("new")

        threads = [threading.Thread(target=call) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
        assert sorted(waits) == [0.5, 1.0, 1.5, 2.0, 2.5]


def rate(limit: int, left: int, reset: int = 1800) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(left),
        "x-ratelimit-reset": str(reset),
    }


@pytest.mark.req("R-OPS-2")
class TestErpBudget:
    def pacer(self, clock: Clock, sink: Sink | None = None) -> BudgetPacer:
        return BudgetPacer(sink, clock=clock)

    def test_nothing_is_refused_before_the_first_answer_or_without_headers(self) -> None:
        pacer = self.pacer(Clock())
        pacer.after(200, {})
        for purpose in get_args(Purpose):
            pacer.before(purpose)
        assert pacer.percent is None

    def test_the_last_fifth_is_kept_for_begun_work(self) -> None:
        pacer = self.pacer(Clock())
        pacer.after(200, rate(100, 20))
        pacer.before("new")
        pacer.after(200, rate(100, 19, reset=600))
        held_back: tuple[Purpose, ...] = ("poll", "new")
        for purpose in held_back:
            with pytest.raises(RateLimited) as caught:
                pacer.before(purpose)
            assert caught.value.retry_after == 600
        pacer.before("begun")

    def test_when_nothing_is_left_nobody_calls(self) -> None:
        pacer = self.pacer(Clock())
        pacer.after(200, rate(100, 0, reset=60))
        with pytest.raises(RateLimited):
            pacer.before("begun")

    def test_calls_between_two_answers_are_counted_off(self) -> None:
        pacer = self.pacer(Clock())
        pacer.after(200, rate(10, 3))
        for _ in range(3):
            pacer.before("begun")
        with pytest.raises(RateLimited):
            pacer.before("begun")

    def test_a_new_window_begins_by_the_clock(self) -> None:
        clock = Clock()
        pacer = self.pacer(clock)
        pacer.after(200, rate(100, 0, reset=60))
        clock.sleep(60)
        pacer.before("poll")

    def test_others_are_told_once_for_each_mark_and_again_in_the_next_window(self) -> None:
        clock, sink = Clock(), Sink()
        pacer = self.pacer(clock, sink)
        for left in (90, 50, 49, 48, 30, 19, 10, 4, 3):
            pacer.after(200, rate(100, left, reset=100))
        assert sink.told == [50, 20, 5]
        clock.sleep(100)
        pacer.after(200, rate(100, 99, reset=3600))
        pacer.after(200, rate(100, 45, reset=3500))
        assert sink.told == [50, 20, 5, 50]

    def test_a_fall_over_several_marks_is_told_as_the_lowest(self) -> None:
        sink = Sink()
        self.pacer(Clock(), sink).after(200, rate(1000, 30))
        assert sink.told == [5]

    def test_a_429_pauses_everything_to_the_end_of_the_window_and_is_told_once(self) -> None:
        clock, sink = Clock(), Sink()
        pacer = self.pacer(clock, sink)
        pacer.after(429, {"retry-after": "120"})
        pacer.after(429, {"retry-after": "60"})
        with pytest.raises(RateLimited) as caught:
            pacer.before("begun")
        assert caught.value.retry_after == 120
        assert sink.told == [120]
        clock.sleep(120)
        pacer.before("begun")

    def test_a_429_with_an_empty_budget_waits_for_the_window_whatever_retry_after_says(self) -> None:
        pacer = self.pacer(Clock(), Sink())
        pacer.after(429, {"retry-after": "1", **rate(500, 0, reset=1500)})
        with pytest.raises(RateLimited) as caught:
            pacer.before("begun")
        assert caught.value.retry_after == 1500

    def test_a_429_while_budget_is_left_pauses_briefly(self) -> None:
        clock, sink = Clock(), Sink()
        pacer = self.pacer(clock, sink)
        pacer.after(429, rate(500, 300, reset=1500))
        with pytest.raises(RateLimited) as caught:
            pacer.before("begun")
        assert caught.value.retry_after == 5
        clock.sleep(5)
        pacer.before("begun")
        assert sink.told == [5]

    @pytest.mark.parametrize("status", [500, 503, 504])
    def test_only_a_429_pauses(self, status: int) -> None:
        pacer = self.pacer(Clock(), Sink())
        pacer.after(status, rate(500, 300, reset=1500))
        pacer.before("poll")

    def test_a_window_is_never_longer_than_an_hour(self) -> None:
        clock = Clock()
        pacer = self.pacer(clock)
        pacer.after(200, rate(100, 0, reset=1_793_606_400))
        with pytest.raises(RateLimited) as caught:
            pacer.before("begun")
        assert caught.value.retry_after == 3600
        clock.sleep(3600)
        pacer.before("begun")

    def test_a_budget_below_nought_is_none(self) -> None:
        pacer = self.pacer(Clock())
        pacer.after(200, rate(-100, -5))
        pacer.before("poll")
        assert pacer.percent is None

    def test_a_pause_that_another_process_met_is_kept(self) -> None:
        clock = Clock()
        pacer = BudgetPacer(paused_for=30, clock=clock)
        with pytest.raises(RateLimited):
            pacer.before("begun")
        clock.sleep(30)
        pacer.before("begun")

    def test_headers_that_are_no_numbers_are_passed_over(self) -> None:
        pacer = self.pacer(Clock())
        pacer.after(
            200, {"x-ratelimit-limit": "many", "x-ratelimit-remaining": "", "x-ratelimit-reset": "inf"}
        )
        pacer.before("poll")
        assert pacer.percent is None
