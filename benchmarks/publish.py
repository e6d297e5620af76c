"""Publishing with streaming confirms beside ``actor.send`` with a confirm per message, same broker, same run."""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import dramatiq
from services import Services

from actors import topology
from actors.broker import EventBroker, with_timeouts
from actors.publisher import ConfirmingPublisher, Outgoing

MESSAGES = 3000


def main() -> int:
    """Command line: no arguments. Prints both rates."""
    services = Services()
    try:
        amqp = with_timeouts(services.rabbitmq().create_vhost())
        broker = EventBroker(amqp, quorum=False)
        topology.declare(broker)

        @dramatiq.actor(broker=broker, actor_name="settle_invoice", queue_name="invoice")
        def settle_invoice(*, n: int) -> None:
            raise NotImplementedError(n)  # nobody consumes here

        publisher = ConfirmingPublisher(amqp, topology.EXCHANGE)
        key = topology.routing_key("severa", "invoice")
        publisher.publish([Outgoing(key, settle_invoice.message(n=0).encode())], timeout=30)
        began = time.monotonic()
        for n in range(MESSAGES):
            settle_invoice.send(n=n)
        single = MESSAGES / (time.monotonic() - began)
        began = time.monotonic()
        taken = 0
        for start in range(0, MESSAGES, 200):
            batch = [Outgoing(key, settle_invoice.message(n=n).encode()) for n in range(start, start + 200)]
            taken += sum(publisher.publish(batch, timeout=30))
        streamed = MESSAGES / (time.monotonic() - began)
        assert taken == MESSAGES
        publisher.close()
        broker.close()
        print(
            f"actor.send with confirms {single:.0f}/s, streaming confirms in batches of 200 {streamed:.0f}/s: {streamed / single:.1f} times"
        )
    finally:
        services.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
