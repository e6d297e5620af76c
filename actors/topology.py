"""Exchange, queues and routing keys: the single source for whoever publishes and whoever consumes.

Topic exchange ``bridge.changes``; routing key ``<system>.<domain>.changed``; one durable queue per domain bound to
``*.<domain>.changed``, so that outside subscribers can bind queues of their own.
"""

from __future__ import annotations

from typing import Any

from dramatiq.brokers.rabbitmq import RabbitmqBroker

from domain.model import DOMAINS

EXCHANGE = "bridge.changes"
QUEUES = DOMAINS


def routing_key(system: str, domain: str) -> str:
    """What a change event is published under: ``severa.invoice.changed``."""
    return f"{system}.{domain}.changed"


def declare(broker: RabbitmqBroker) -> None:
    """Declares queues (by the broker, so that all arguments agree), the exchange and the bindings. Idempotent."""
    for queue in QUEUES:
        broker.declare_queue(queue, ensure=True)
    channel: Any = broker.channel
    channel.exchange_declare(EXCHANGE, exchange_type="topic", durable=True)
    for queue in QUEUES:
        channel.queue_bind(queue, EXCHANGE, routing_key=f"*.{queue}.changed")
