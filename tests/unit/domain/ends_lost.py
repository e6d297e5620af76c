"""A delivery that dies at any of its calls, and what happens meanwhile: every call × every meanwhile, by one table."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from domain.model import Settled
from tests.fakes import FakeDelivery, Killed, World
from tests.fakes_registers import poll

Settle = Callable[[FakeDelivery], Settled]


@dataclass
class Death:
    """A world in which a delivery died at its n-th call; ``over``: it had made them all, and only its end was lost."""

    made: World
    delivery: FakeDelivery
    at: str
    over: bool

    # How many calls had been made when it died; one that it died before was not.
    calls: int
    said: list[str] = field(default_factory=list)

    def committed(self, what: str) -> bool:
        """Whether a step, or what was to be sent, of this name was written down."""
        return any(str(call).startswith(f"bridge {what}") for call in self.made.calls[: self.calls])


def deaths(put_up: Callable[[], World], settle: Settle, **which: Any) -> Iterator[Death]:
    """The same world again and again, dead before and after each call of the delivery, and at last at its end."""
    for after in (False, True):
        for n in range(1, 100):
            made = put_up()
            made.calls.clear()
            made.lazy.clear()
            made.faults.arm_nth(n, Killed(), after=after)
            delivery = made.delivery(**which)
            died = True
            with contextlib.suppress(Killed):
                settle(delivery)
                died = False
            made.faults.clear()
            # An end that is lost takes with it what was not committed before it.
            made.faults.killed = True
            when = "after" if after else "before"
            at = f"{when} {made.calls[-1]}" if died else "at its end"
            calls = len(made.calls) - (1 if died and not after else 0)
            yield Death(made, delivery, f"{at} (event {n})", not died, calls)
            if not died:
                break
        else:
            raise AssertionError("more calls than expected")


def rest(
    death: Death,
    settle: Settle,
    *,
    polled: bool = True,
    times: int = 3,
    poll: Callable[[Any], None] = poll,
    **which: Any,
) -> list[str]:
    """The delivery goes on, then others follow; the codes of the problems that a person was told. What was said is kept."""
    made, told = death.made, []
    made.clock.forward(90)
    if polled:
        poll(made)
    ends = [made.run(settle, death.delivery.again())[-1]]
    for _ in range(times):
        made.clock.forward(600)
        poll(made)
        ends.append(made.run(settle, made.delivery(**which))[-1])
    for end in ends:
        if end.settled is not None:
            death.said += [line.code for line in end.settled.effects.log]
        if end.error is not None:
            told.append(str(getattr(end.error, "code", repr(end.error))))
    return told
