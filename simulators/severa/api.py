"""The vendor's HTTP interface: prefixes, sign-in, limiter, scopes, and the way from a call to its operation."""

from __future__ import annotations

import re
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Scope

from simulators.control import ORG, TEMPLATE, json_body
from simulators.severa import files
from simulators.severa.call import Call, Operations, answer, nothing
from simulators.severa.errors import SeveraError, bad_request, not_found
from simulators.severa.fields import lower_keys
from simulators.severa.operations import ordinary, others
from simulators.severa.state import SeveraState, Token

_PREFIX = re.compile(r"^/(?:rest-api|psapublicrest)(?P<below>/.*)?$", re.IGNORECASE)
_VERSION = re.compile(r"^/v1(?:\.0)?(?P<below>/.*)$", re.IGNORECASE)
_ALIVE = {"/heartbeat/server": "Server is alive.", "/heartbeat/database": "Database is alive."}


class Api:
    """Answers every call below the vendor's prefixes for the organisations of one state."""

    def __init__(self, state: SeveraState) -> None:
        self.state = state
        self._operations = Operations([*ordinary(), *others(), *files.OPERATIONS])

    async def handle(self, request: Request) -> Response:
        """Answer one call. The body is read first: nothing is awaited while state changes."""
        body = await request.body()
        try:
            return self._answer(request, body)
        except SeveraError as problem:
            return answer(problem.body(), problem.status)

    def org_of(self, scope: Scope) -> str | None:
        """Tell the client id of a call from its token, else from its header (for faults and the ledger)."""
        headers = Headers(scope=scope)
        token = self.state.tokens.get((headers.get("authorization") or "").partition(" ")[2].strip())
        return token.org.client_id if token is not None else headers.get("client_id")

    def org_of_body(self, path: str, body: bytes) -> str | None:
        """Tell the client id of a sign-in from its body."""
        if not path.lower().endswith(("/token", "/access_token")):
            return None
        sent = lower_keys(json_body(body)).get("client_id")
        return sent if isinstance(sent, str) else None

    def _answer(self, request: Request, body: bytes) -> Response:
        path, method = request.url.path, request.method
        prefixed = _PREFIX.match(path)
        if prefixed is None:
            raise not_found(path)
        below = prefixed["below"] or "/"
        request.scope[TEMPLATE] = below
        if below.lower().startswith("/heartbeat/"):
            return self._heartbeat(request, below.lower())
        versioned = _VERSION.match(below)
        if versioned is None:
            raise not_found(path)
        resource = versioned["below"]
        request.scope[TEMPLATE] = f"/v1{resource}"
        if method == "POST":
            signed_in = self._sign_in(request, resource.lower().rstrip("/"), body)
            if signed_in is not None:
                return signed_in
        token = self.state.authorised(request.headers.get("authorization"), request.headers.get("client_id"))
        request.scope[ORG] = token.org.client_id
        limited = self._limit(token)
        if limited is not None:
            return limited
        found = self._operations.find(method, resource)
        if found is None:
            raise not_found(path)
        operation, params = found
        request.scope[TEMPLATE] = f"/v1{operation.template}"
        missing = [scope for scope in operation.scopes if scope not in token.scopes]
        if missing:
            raise SeveraError(403, "InsufficientApiScope", f"The scope {', '.join(missing)} is required.")
        return operation.handler(Call(token.org, params, request.query_params, request.headers, body))

    def _limit(self, token: Token) -> Response | None:
        limit: int | None = token.org.switch("calls_per_second")
        if self.state.window.admit(token.org.client_id, limit):
            return None
        # Plain text, not the error model: it comes from the limiter in front of the interface.
        headers = {"Retry-After": "1"} if token.org.switch("retry_after") else None
        return PlainTextResponse(
            f"API calls quota exceeded! maximum admitted {limit} per 1s.", 429, headers=headers
        )

    def _heartbeat(self, request: Request, path: str) -> Response:
        if path in _ALIVE:
            return PlainTextResponse(_ALIVE[path])
        if path != "/heartbeat/authorized":
            raise not_found(path)
        self.state.authorised(request.headers.get("authorization"), request.headers.get("client_id"))
        return nothing()

    def _sign_in(self, request: Request, resource: str, body: bytes) -> Response | None:
        if resource not in ("/token", "/refreshtoken", "/signout", "/login/oauth/access_token"):
            return None
        if "json" not in request.headers.get("content-type", ""):
            raise SeveraError(415, "InvalidRequest", "The content type must be application/json.")
        sent: Any = json_body(body)
        if resource == "/signout":
            self.state.sign_out(sent)
            return Response(b"")
        if resource == "/refreshtoken":
            if not isinstance(sent, str):
                raise bad_request("The request body must be the refresh token as text.")
            return answer(self.state.refresh(sent))
        given = lower_keys(sent)
        if given.get("grant_type") == "refresh_token":
            return answer(self.state.refresh(given.get("refresh_token")))
        if not given.get("client_id") or not given.get("client_secret"):
            raise bad_request("client_id and client_secret are required.")
        request.scope[ORG] = given["client_id"]
        return answer(self.state.sign_in(given["client_id"], given["client_secret"], given.get("scope")))
