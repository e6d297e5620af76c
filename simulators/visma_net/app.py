"""The HTTP face: sign-in, authorisation, rate limits, background mode and the dispatch to the handlers."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from simulators import seed
from simulators.clock import ERP
from simulators.control import ORG, TEMPLATE, Controlled
from simulators.visma_net import (
    contacts,
    customers,
    inventory,
    ledger,
    payables,
    payments,
    people,
    projects,
    receivables,
    reference,
)
from simulators.visma_net.answers import LICENCE_REFUSAL, Answer, RefusalError, not_found
from simulators.visma_net.call import Call, Handler, Routes, Upload
from simulators.visma_net.seeding import company_of
from simulators.visma_net.settling import work_off_queue
from simulators.visma_net.signin import SignIn, Token
from simulators.visma_net.state import Company, Job, Simulation

_VERB_SCOPE = {"GET": "read", "POST": "create", "PUT": "update", "DELETE": "delete"}


def create_app(state: Simulation | None = None) -> Starlette:
    """The simulator as an ASGI application. Without a state of its own it serves Nordkonsult AB."""
    if state is None:
        state = Simulation()
        company_of(state, seed.NORDKONSULT)
    return Erp(state).app


def all_routes() -> Routes:
    """The table of routes of every register."""
    routes = Routes()
    for part in (
        customers,
        contacts,
        inventory,
        projects,
        receivables,
        payments,
        payables,
        ledger,
        reference,
    ):
        part.add_routes(routes)
    routes.add("GET", "/v1/background/{id}", _job)
    routes.add("GET", "/v1/background/{id}/content", _job_content)
    return routes


class Erp:
    """One simulation behind HTTP; the application carries it as ``app.state.erp``."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.signin = SignIn(simulation)
        self.routes = all_routes()
        self.windows: dict[tuple[str, str], tuple[int, int]] = {}  # (tenant, client) -> window, calls in it
        self.under_way: dict[str, int] = {}
        self.being_written: set[tuple[str, str]] = set()
        self.app = Controlled(
            routes=[
                *people.routes(simulation, self.signin),
                Route("/.well-known/openid-configuration", self.connect, methods=["GET"]),
                Route("/connect/{what}", self.connect, methods=["GET", "POST"]),
                Route("/{path:path}", self.serve, methods=["GET", "POST", "PUT", "DELETE", "PATCH"]),
            ],
            settings=simulation.switches,
            org_of=self.org_of,
            org_of_body=self.org_of_body,
        )
        self.app.state.erp = self

    def org_of(self, scope: Scope) -> str | None:
        """The company of a call, by its token."""
        for name, value in scope["headers"]:
            if name == b"authorization":
                token = self.signin.token_of(value.decode("latin-1"))
                return token.tenant_id if token else None
        return None

    def org_of_body(self, path: str, body: bytes) -> str | None:
        """The company of a sign-in, by its form."""
        if not path.lower().startswith("/connect/"):
            return None
        form = dict(parse_qsl(body.decode("latin-1")))
        if "tenant_id" in form:
            return form["tenant_id"].lower()
        grant = self.signin.refresh.get(form.get("refresh_token", "")) or self.signin.codes.get(
            form.get("code", "")
        )
        return grant.tenant_id if grant else None

    async def connect(self, request: Request) -> Response:
        """The sign-in service, told apart by the last part of its path."""
        what = request.path_params.get("what", "discovery").lower()
        request.scope[TEMPLATE] = request.url.path.lower()
        if what == "token" and request.method == "POST":
            form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
            return _response(self.signin.token(form, request.headers.get("authorization", "")))
        if what == "authorize":
            query = dict(request.query_params)
            return _response(self.signin.authorize(query))
        if what == "userinfo":
            token = self.signin.token_of(request.headers.get("authorization", ""))
            return _response(self.signin.userinfo(token))
        if what == "discovery":
            return _response(self.signin.discovery(_base_url(request)))
        if what == "endsession":
            return Response(status_code=200)
        return Response(status_code=404)

    async def serve(self, request: Request) -> Response:
        """Any call below the vendor's paths. An unknown route is a 404 before authentication (docs/vendors/visma-net-erp.md E39)."""
        found = self.routes.find(request.method, request.url.path)
        if isinstance(found, int):
            return Response(status_code=found)
        template, handler, params = found
        request.scope[TEMPLATE] = template
        token = self.signin.token_of(request.headers.get("authorization", ""))
        if token is None:
            return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
        request.scope[ORG] = token.tenant_id
        company = self._company(token)
        if company is None:
            status = self.simulation.switches.licence_status
            return _response(Answer(status, LICENCE_REFUSAL))
        limits = self._count(token, company)
        if limits.get("Retry-After"):
            return Response("Rate limit is exceeded.", 429, headers=limits)
        verb = "update" if "/action/" in template else _VERB_SCOPE.get(request.method, "read")
        if not token.allows(verb):
            return _response(Answer(403, {"message": f"The token lacks the scope for {verb}."}, limits))
        if self.under_way.get(company.tenant_id, 0) >= (company.switches.concurrent_calls or 10**9):
            return Response("Too many concurrent calls.", 429, headers={**limits, "Retry-After": "1"})
        # What is being written: the second of two writes at once is refused.
        path = "/".join(request.url.path.lower().split("/")[2:4])
        record = {(company.tenant_id, path)} if verb in ("update", "delete") else set[tuple[str, str]]()
        if record & self.being_written:
            return _response(_overlap(template, limits))
        self.under_way[company.tenant_id] = self.under_way.get(company.tenant_id, 0) + 1
        self.being_written |= record
        try:
            answer = await self._carried_out(request, company, params, handler)
        finally:
            self.under_way[company.tenant_id] -= 1
            self.being_written -= record
        answer.headers.update(limits)
        answer.headers["Ipp-Request-Id"] = str(uuid.uuid4())
        return _response(answer)

    async def _carried_out(
        self, request: Request, company: Company, params: dict[str, str], handler: Handler
    ) -> Answer:
        if company.switches.latency_seconds:
            await asyncio.sleep(company.switches.latency_seconds)
        call = await self._call(request, company, params)
        return self._background(call, handler) if call.in_background else _run(call, handler)

    def _company(self, token: Token) -> Company | None:
        client = self.simulation.clients.get(token.client_id)
        company = self.simulation.companies.get(token.tenant_id)
        if client is None or company is None or company.tenant_id not in client.tenants:
            return None
        if token.interactive and not company.switches.user_is_api_user:
            return None
        return company

    def _count(self, token: Token, company: Company) -> dict[str, str]:
        """The fixed window per company and client id; a call over the limit says when the next begins."""
        switches = company.switches
        now = ERP.seconds()
        window = int(now // switches.rate_window_seconds)
        key = (token.tenant_id, token.client_id)
        its_window, used = self.windows.get(key, (window, 0))
        used = used + 1 if its_window == window else 1
        self.windows[key] = (window, used)
        left = max(int((window + 1) * switches.rate_window_seconds - now), 1)
        headers = {
            "X-RateLimit-Limit": str(switches.rate_limit),
            "X-RateLimit-Remaining": str(max(switches.rate_limit - used, 0)),
            "X-RateLimit-Reset": str(left),
            "X-RateLimit-Policy": "4-fixed-window",
        }
        if used > switches.rate_limit:
            headers["Retry-After"] = str(left)
        return headers

    async def _call(self, request: Request, company: Company, params: dict[str, str]) -> Call:
        uploads: list[Upload] = []
        body = b""
        if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            async with request.form() as form:
                for value in form.values():
                    if not isinstance(value, str):
                        kind = value.content_type or "application/octet-stream"
                        uploads.append(Upload(value.filename or "file", await value.read(), kind))
        else:
            body = await request.body()
        return Call(
            simulation=self.simulation,
            company=company,
            method=request.method,
            path=request.url.path,
            params=params,
            query={name.lower(): value for name, value in request.query_params.items()},
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
            uploads=uploads,
            base_url=_base_url(request),
            in_background=bool(request.headers.get("erp-api-background")),
        )

    def _background(self, call: Call, handler: Handler) -> Answer:
        """202 at once; the job keeps what the call would have answered (docs/vendors/visma-net-erp.md E9)."""
        received = self.simulation.clock()
        answer = _run(call, handler)
        job = Job(
            id=str(uuid.uuid4()),
            tenant_id=call.company.tenant_id,
            received=received,
            done_at=received + timedelta(seconds=call.company.switches.background_seconds),
            status=answer.status,
            headers=answer.headers,
            content=answer.payload(),
            content_type=answer.content_type,
            path=call.path,
            has_request=bool(call.body),
        )
        call.company.jobs[job.id] = job
        return Answer(202, {"id": job.id, "stateLocation": call.location(f"/v1/background/{job.id}")})


def _overlap(template: str, headers: dict[str, str]) -> Answer:
    """Two writes on one record at the same time: the second loses (docs/vendors/visma-net-erp.md E41)."""
    name = template.split("/")[2]
    text = f"Another process has updated the '{name}' record. Your changes will be lost."
    return Answer(400, {"message": text}, headers)


def _run(call: Call, handler: Handler) -> Answer:
    with call.company.lock:
        try:
            work_off_queue(call.company)
            return handler(call)
        except RefusalError as refusal:
            return refusal.answer()


def _response(answer: Answer) -> Response:
    content = answer.payload()
    headers = dict(answer.headers)
    if content:
        headers["Content-Type"] = answer.content_type
    return Response(content, answer.status, headers=headers)


def _base_url(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"


def _find_job(call: Call) -> Job:
    for company in call.simulation.companies.values():
        job = company.jobs.get(call.params["id"].lower())
        if job is None:
            continue
        if company is not call.company:
            raise RefusalError(403, {"message": "The job belongs to another company."})
        age = call.simulation.clock() - job.received
        if age > timedelta(seconds=company.switches.background_keep_seconds):
            raise RefusalError(410, {"message": "The job is not kept any more."})
        return job
    raise not_found("The job")


def _job(call: Call) -> Answer:
    job, company = _find_job(call), call.company
    done = call.simulation.clock() >= job.done_at
    zone = company.zone
    content = bool(job.content) and done
    location = call.location(f"/v1/background/{job.id}/content")
    shape = {
        "id": job.id,
        # Finished says that the call was made, not that it went well (docs/vendors/visma-net-erp.md E9).
        "status": "Finished" if done else "Started",
        "statusCode": job.status if done else 0,
        "receivedUtc": job.received.astimezone(zone).isoformat(timespec="milliseconds"),
        "startedUtc": job.received.astimezone(zone).isoformat(timespec="milliseconds"),
        "finishedUtc": job.done_at.astimezone(zone).isoformat(timespec="milliseconds") if done else None,
        "webhookAddress": None,
        "errorMessage": None,
        "reference": None,
        "originalUri": call.location(job.path),
        "hasResponseContent": content,
        "hasRequestContent": job.has_request,
        "contentLocation": location if content else None,
        "responseHeaders": job.headers if done else None,
    }
    return Answer(200, shape)


def _job_content(call: Call) -> Answer:
    job = _find_job(call)
    if not job.content or call.simulation.clock() < job.done_at:
        raise not_found("The content")
    return Answer(200, job.content, {}, job.content_type)


__all__ = ["Erp", "all_routes", "create_app"]
