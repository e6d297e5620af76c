"""The people's moves over HTTP, under `/_sim/orgs`, and what an operator of the simulator does to an organisation."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from dataclasses import fields
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from simulators.severa.call import answer, nothing
from simulators.severa.errors import SeveraError, bad_field, bad_request, not_found
from simulators.severa.files import pdf
from simulators.severa.organisation import Organisation
from simulators.severa.people import People
from simulators.severa.state import SeveraState
from simulators.severa.switches import Switches

_SWITCHES = {one.name for one in fields(Switches)}


class PeopleRoutes:
    """The routes over one state."""

    def __init__(self, state: SeveraState) -> None:
        self.state = state

    def routes(self) -> list[BaseRoute]:
        """Give the routes, the special ones before those for any register."""
        org = "/_sim/orgs/{client_id}"
        table: list[tuple[str, str, Callable[[Request], Awaitable[Any]]]] = [
            ("GET", "/_sim/orgs", self._orgs),
            ("POST", "/_sim/orgs", self._add_org),
            ("POST", "/_sim/revoke", self._revoke),
            ("GET", f"{org}/settings", self._settings),
            ("PATCH", f"{org}/settings", self._change_settings),
            ("GET", f"{org}/details", self._details),
            ("PATCH", f"{org}/details", self._change_details),
            ("GET", f"{org}/switches", self._switches),
            ("PATCH", f"{org}/switches", self._change_switches),
            ("PATCH", f"{org}/scopes", self._change_scopes),
            ("POST", f"{org}/revoke", self._revoke),
            ("GET", f"{org}/history/{{guid}}", self._history),
            ("POST", f"{org}/invoices/{{guid}}/status", self._set_status),
            ("POST", f"{org}/invoices/{{guid}}/files", self._attach),
            ("GET", f"{org}/{{register}}", self._look),
            ("POST", f"{org}/{{register}}", self._add),
            ("GET", f"{org}/{{register}}/{{guid}}", self._look_at),
            ("PATCH", f"{org}/{{register}}/{{guid}}", self._change),
            ("DELETE", f"{org}/{{register}}/{{guid}}", self._remove),
        ]
        return [Route(path, _answering(handler), methods=[method]) for method, path, handler in table]

    def _org(self, request: Request) -> Organisation:
        org = self.state.organisations.get(request.path_params["client_id"])
        if org is None:
            raise not_found(f"organisation {request.path_params['client_id']}")
        return org

    def _people(self, request: Request) -> People:
        return People(self._org(request))

    async def _orgs(self, _request: Request) -> Any:
        return [
            {"client_id": org.client_id, "name": org.name, "roles": org.roles}
            for org in self.state.organisations.values()
        ]

    async def _add_org(self, request: Request) -> Any:
        sent = await _object(request)
        try:
            org = self.state.add_organisation(
                sent.get("firm", "nordkonsult"),
                statuses=sent.get("statuses", "no-approval"),
                name=sent.get("name"),
                client_id=sent.get("client_id"),
                client_secret=sent.get("client_secret"),
            )
        except ValueError as problem:
            raise bad_request(str(problem)) from None
        return answer(
            {
                "client_id": org.client_id,
                "client_secret": org.client_secret,
                "name": org.name,
                "guid": org.details["guid"],
                "roles": org.roles,
            },
            201,
        )

    async def _revoke(self, request: Request) -> Any:
        self.state.revoke(request.path_params.get("client_id"))
        return nothing()

    async def _settings(self, request: Request) -> Any:
        return self._org(request).settings

    async def _change_settings(self, request: Request) -> Any:
        org = self._org(request)
        return _update(org.settings, await _object(request), set(org.settings))

    async def _details(self, request: Request) -> Any:
        return self._org(request).details

    async def _change_details(self, request: Request) -> Any:
        org = self._org(request)
        return _update(org.details, await _object(request), set(org.details))

    async def _switches(self, request: Request) -> Any:
        return self._org(request).all_switches()

    async def _change_switches(self, request: Request) -> Any:
        org = self._org(request)
        _update(org.overrides, await _object(request), _SWITCHES)
        return org.all_switches()

    async def _change_scopes(self, request: Request) -> Any:
        org = self._org(request)
        org.granted_scopes = set((await _object(request)).get("scopes") or ())
        return sorted(org.granted_scopes)

    async def _history(self, request: Request) -> Any:
        return self._people(request).history(request.path_params["guid"])

    async def _set_status(self, request: Request) -> Any:
        status = (await _object(request)).get("status")
        return self._people(request).set_status(request.path_params["guid"], str(status))

    async def _attach(self, request: Request) -> Any:
        """Take {name, data (base64) or text, isInternal, contentType, description}; without data a small PDF."""
        sent = await _object(request)
        name = sent.get("name", "bilaga.pdf")
        try:
            data = base64.b64decode(sent["data"], validate=True) if "data" in sent else None
        except (binascii.Error, TypeError, ValueError):
            raise bad_field("data", "data must be base64.") from None
        if data is None:
            data = str(sent["text"]).encode() if "text" in sent else pdf(name)
        made = self._people(request).attach(
            request.path_params["guid"],
            name,
            data,
            internal=bool(sent.get("isInternal")),
            content_type=sent.get("contentType", "application/pdf"),
            description=sent.get("description"),
        )
        return answer(made, 201)

    async def _look(self, request: Request) -> Any:
        return self._people(request).look(request.path_params["register"])

    async def _look_at(self, request: Request) -> Any:
        return self._people(request).look_at(request.path_params["register"], request.path_params["guid"])

    async def _add(self, request: Request) -> Any:
        sent = await _object(request)
        return answer(self._people(request).add(request.path_params["register"], sent), 201)

    async def _change(self, request: Request) -> Any:
        sent = await _object(request)
        return self._people(request).change(
            request.path_params["register"], request.path_params["guid"], sent
        )

    async def _remove(self, request: Request) -> Any:
        self._people(request).remove(request.path_params["register"], request.path_params["guid"])
        return nothing()


def _answering(handler: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            made = await handler(request)
        except SeveraError as problem:
            return answer(problem.body(), problem.status)
        return made if isinstance(made, Response) else answer(made)

    return endpoint


async def _object(request: Request) -> dict[str, Any]:
    try:
        sent = json.loads(await request.body() or b"{}", parse_float=Decimal)
    except ValueError:
        raise bad_request("The request body is not valid JSON.") from None
    if not isinstance(sent, dict):
        raise bad_request("The request body must be an object.")
    return sent


def _update(target: dict[str, Any], sent: dict[str, Any], known: set[str]) -> dict[str, Any]:
    unknown = sorted(set(sent) - known)
    if unknown:
        raise bad_field(unknown[0], f"Unknown: {', '.join(unknown)}.")
    target.update(sent)
    return target
