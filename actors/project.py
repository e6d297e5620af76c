"""The project actor: one change event → one claimed row, settled."""

from __future__ import annotations

import dramatiq
from dramatiq.broker import Broker

from actors.work import Workshop


def declare(broker: Broker, shop: Workshop) -> dramatiq.Actor[..., None]:
    """Declares the actor on its queue. It never raises for what went wrong in the work itself: that stands in its row."""

    @dramatiq.actor(broker=broker, actor_name="settle_project", queue_name="project")
    def settle_project(*, tenant: str, outbox_id: int, generation: int, **_event: object) -> None:
        shop.settle("project", tenant, outbox_id, generation)

    return settle_project
