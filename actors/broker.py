"""Our broker on RabbitMQ, and the in-process one; both with the same minimal middleware.

Differences from Dramatiq's own: publisher confirms are on; queue arguments may be those of quorum queues; and a message
whose body names another queue than the one it was consumed from is corrected, because Dramatiq's worker thread would die
of it without a word (docs/decisions/0003). Dramatiq's Retries, TimeLimit and AgeLimit are left out: what must not be
lost is a row in PostgreSQL with a lease, and back-off lives there.
"""

from __future__ import annotations

from typing import Any

from dramatiq.broker import Broker, MessageProxy
from dramatiq.brokers.rabbitmq import RabbitmqBroker, _RabbitmqConsumer
from dramatiq.brokers.stub import StubBroker

from actors.middleware import Logging


class _Consumer(_RabbitmqConsumer):
    def __next__(self) -> MessageProxy | None:
        message: MessageProxy | None = super().__next__()  # type: ignore[no-untyped-call]  # untyped upstream
        if message is not None and message.queue_name != self.queue_name:
            message._message = message._message.copy(queue_name=self.queue_name)  # noqa: SLF001 - no public way
        return message


class EventBroker(RabbitmqBroker):
    """RabbitMQ with confirms; ``quorum`` makes the queues quorum queues (to be fixed before the first start)."""

    def __init__(self, url: str, *, quorum: bool) -> None:
        self._quorum = quorum
        super().__init__(url=url, confirm_delivery=True, middleware=[Logging()])

    @property
    def consumer_class(self) -> type[_Consumer]:
        """The consumer that works off a message whatever queue its body names."""
        return _Consumer

    def _build_queue_arguments(self, queue_name: str) -> dict[str, Any]:
        arguments: dict[str, Any] = super()._build_queue_arguments(queue_name)  # type: ignore[no-untyped-call]  # untyped upstream
        if self._quorum:
            arguments["x-queue-type"] = "quorum"
        return arguments


class InProcessBroker(StubBroker):
    """Dramatiq's in-process broker for the embedded mode: same messages, same actors, no server."""

    def __init__(self) -> None:
        super().__init__(middleware=[Logging()])


def with_timeouts(url: str) -> str:
    """The AMQP URL with a heartbeat and a blocked-connection time-out, unless it names its own."""
    extra = [
        f"{name}={value}"
        for name, value in (("heartbeat", 60), ("blocked_connection_timeout", 30))
        if f"{name}=" not in url
    ]
    return url + ("&" if "?" in url else "?") + "&".join(extra) if extra else url


def make_broker(amqp_url: str | None, *, quorum: bool) -> Broker:
    """RabbitMQ when there is a URL, the in-process broker otherwise."""
    return EventBroker(with_timeouts(amqp_url), quorum=quorum) if amqp_url else InProcessBroker()
