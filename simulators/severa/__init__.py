"""A stateful simulator of the Severa REST API: an independent reading of the vendor's public documents."""

from __future__ import annotations

from starlette.routing import Route

from simulators.control import Controlled
from simulators.severa.api import Api
from simulators.severa.errors import SeveraError
from simulators.severa.organisation import Organisation
from simulators.severa.people import People
from simulators.severa.people_routes import PeopleRoutes
from simulators.severa.state import SeveraState
from simulators.severa.switches import Switches

__all__ = ["Organisation", "People", "SeveraError", "SeveraState", "Switches", "create_app"]

_METHODS = ["GET", "POST", "PATCH", "DELETE"]


def create_app(state: SeveraState | None = None) -> Controlled:
    """Give the simulator as an ASGI application; without a state one with Nordkonsult AB in it.

    The vendor's paths are below `/rest-api/v1`, `/rest-api/v1.0` and `/psapublicrest/v1`, the simulator's own below
    `/_sim/`. The application carries `faults`, `ledger` and `settings` (the switches) for tests of the same process.
    """
    if state is None:
        state = SeveraState()
        state.add_organisation("nordkonsult")
    api = Api(state)
    return Controlled(
        routes=[*PeopleRoutes(state).routes(), Route("/{path:path}", api.handle, methods=_METHODS)],
        settings=state.switches,
        org_of=api.org_of,
        org_of_body=api.org_of_body,
    )
