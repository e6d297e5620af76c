"""The one middleware: log context per message, bound before and cleared after.

Nothing is retried here: an actor that raises (the database is away) is acknowledged, and its row comes back when its
lease runs out.
"""

from __future__ import annotations

import structlog
from dramatiq import Middleware
from dramatiq.broker import Broker, MessageProxy

log = structlog.get_logger("actors")


class Logging(Middleware):
    """Binds the tenant's id, domain and trace id to every log line of a message; its name follows with the claim
    (``actors.work``), since a message carries ids only."""

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """The names of the message, for every line that is logged until it is over."""
        structlog.contextvars.bind_contextvars(
            tenant_id=message.kwargs.get("tenant"),
            domain=message.queue_name,
            trace=message.kwargs.get("trace"),
        )

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: object | None = None,
        exception: BaseException | None = None,
    ) -> None:
        """A message whose actor failed is logged; actors of the bridge end their own errors."""
        if exception is not None:
            log.error("message_failed", error=str(exception), kind=type(exception).__name__)
        structlog.contextvars.clear_contextvars()
