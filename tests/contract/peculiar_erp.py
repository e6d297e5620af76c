"""A server for tests that answers as the test says, behind an ordinary Visma Connect sign-in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.endpoint import Conduct
from connectors.pacing import NoPacing
from connectors.signing_in import MemoryTokenStore
from connectors.visma_net import VismaNetAccess, VismaNetClient
from simulators.server import running


@dataclass
class Seen:
    """One request as it arrived; ``path`` before percent-decoding."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


Answering = Callable[[Seen], Response]


@dataclass
class Peculiar:
    """A server that answers as a test says, behind an ordinary sign-in."""

    answering: Answering
    seen: list[Seen] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    token_answer: Callable[[dict[str, str]], Response] | None = None

    def app(self) -> Starlette:
        async def token(request: Request) -> Response:
            async with request.form() as form:
                asked = {name: str(value) for name, value in form.items()}
            self.forms.append(asked)
            if self.token_answer is not None:
                return self.token_answer(asked)
            return JSONResponse({"access_token": f"t{len(self.forms)}", "expires_in": 3600})

        async def anything(request: Request) -> Response:
            seen = Seen(
                request.method,
                request.scope["raw_path"].decode(),
                dict(request.query_params),
                dict(request.headers),
                await request.body(),
            )
            self.seen.append(seen)
            return self.answering(seen)

        verbs = ["GET", "POST", "PUT", "DELETE"]
        return Starlette(
            routes=[
                Route("/connect/token", token, methods=["POST"]),
                Route("/{path:path}", anything, methods=verbs),
            ]
        )


@contextmanager
def client_of(server: Peculiar, **options: Any) -> Iterator[VismaNetClient]:
    with running(server.app()) as url:
        access = VismaNetAccess(
            url,
            f"{url}/connect",
            options.pop("kind", "service"),
            "isv_test",
            "top-secret",
            "6f9d3b52-0c1e-4c55-9b1a-7d3c8e5f2a10",
        )
        conduct = {"tokens": MemoryTokenStore(), "pacer": NoPacing(), **options}
        client = VismaNetClient(access, Conduct(**conduct))
        try:
            yield client
        finally:
            client.close()


def row(number: int, **more: Any) -> dict[str, Any]:
    return {"internalId": number, "number": str(number), "name": f"Kund {number}", **more}


def paged(rows: list[dict[str, Any]], *, cap: int, metadata: bool = True) -> Answering:
    """Pages of at most ``cap`` rows, whatever pageSize says."""

    def answer(seen: Seen) -> Response:
        size = min(int(seen.query["pageSize"]), cap)
        number = int(seen.query["pageNumber"])
        count = {"metadata": {"totalCount": len(rows), "maxPageSize": cap}} if metadata else {}
        return JSONResponse([{**one, **count} for one in rows[(number - 1) * size : number * size]])

    return answer
