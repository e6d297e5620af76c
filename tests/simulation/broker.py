"""RabbitMQ in a play: queues per domain whose messages may be lost, doubled, late, redelivered or purged."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulation.bridge import Note
from simulation.kernel import Actor, Kernel
from simulation.points import Message
from simulation.wire import Wire

CONSUMER_TIMEOUT = 1800.0
"""RabbitMQ's own limit for a delivery that nobody acknowledges."""
DELIVERY_LIMIT = 20
REDELIVERY = 1.0


@dataclass(eq=False)
class Delivery:
    """One message at one consumer."""

    note: Note
    times: int = 1
    done: bool = False


class Queue:
    """All queues of the play as one: every worker listens to every domain."""

    def __init__(self, kernel: Kernel, wire: Wire) -> None:
        self._kernel = kernel
        self._wire = wire
        self._ready: deque[Delivery] = deque()
        self._idle: list[Actor] = []
        self.under_way = 0

    # ---- the relay's side

    def publish(self, notes: Sequence[Note]) -> list[bool]:
        """True per message that the broker took."""
        self._kernel.alive()
        taken = []
        for note in notes:
            deeds = self._wire.at("message", str(note))
            deed = next((one for one in deeds if isinstance(one, Message)), Message((0.0,)))
            if deed.after is None:
                self._kernel.say(f"message {note} is refused", "broker")
                taken.append(False)
                continue
            if deed.after != (0.0,):
                self._kernel.say(f"message {note} arrives {_times(deed.after)}", "broker")
            taken.append(True)
            for seconds in deed.after:
                self.under_way += 1
                self._kernel.at(0.01 + seconds, self._arriving(Delivery(note)))
        self._kernel.wait(self._kernel.rng.uniform(0.005, 0.05))
        return taken

    def _arriving(self, delivery: Delivery) -> Callable[[], None]:
        def arrive() -> None:
            self.under_way -= 1
            self._ready.append(delivery)
            self._call_one()

        return arrive

    def _call_one(self) -> None:
        while self._idle and self._ready:
            # Who gets it is the schedule's choice, as it is RabbitMQ's.
            actor = self._idle.pop(self._kernel.rng.randrange(len(self._idle)))
            if not actor.process.dead:
                self._kernel.wake(actor)
                return

    def purge(self) -> int:
        """Everything that waits is gone; how many."""
        gone = len(self._ready)
        self._ready.clear()
        return gone

    # ---- a worker's side

    def take(self) -> Delivery:
        """The next message; waits for one. It comes back when its process dies or is silent for too long."""
        actor = self._kernel.current()
        if actor is None:
            raise RuntimeError("only an actor consumes")
        while not self._ready:
            self._idle.append(actor)
            self._kernel.park(600.0)
            if actor in self._idle:
                self._idle.remove(actor)
        delivery = self._ready.popleft()
        self._kernel.at(CONSUMER_TIMEOUT, lambda: self.back(delivery, "nobody acknowledged it"))
        return delivery

    def ack(self, delivery: Delivery) -> None:
        """Done with it."""
        delivery.done = True

    def back(self, delivery: Delivery, why: str) -> None:
        """An unacknowledged message goes back, up to the delivery limit."""
        if delivery.done:
            return
        delivery.done = True
        if delivery.times >= DELIVERY_LIMIT:
            self._kernel.say(f"message {delivery.note} is dropped: delivered too often", "broker")
            return
        self._kernel.say(f"message {delivery.note} goes back: {why}", "broker")
        self.under_way += 1
        self._kernel.at(REDELIVERY, self._arriving(Delivery(delivery.note, delivery.times + 1)))


def _times(after: tuple[float, ...]) -> str:
    if not after:
        return "never"
    return " and ".join(f"after {seconds:.0f} s" if seconds else "at once" for seconds in after)
