"""What both simulators share: faults armed from outside, a ledger of calls, and the routes under `/_sim/`.

A simulator is a `Controlled` application: a Starlette application whose every call under the vendor's paths
passes the armed faults and is written into the ledger. It stands outside Starlette's own middleware, because
only there the server's connection can be reached and really be closed without an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulators.mangling import held_back, shortened, taken_apart

FaultKind = Literal[
    "status", "commit_then_drop", "drop", "commit_then_status", "delay", "delay_after", "cut", "short"
]
ORG = "sim_org"
"""Key in the ASGI scope under which a handler may name the organisation of a call (a token call, say)."""
TEMPLATE = "sim_template"
"""Key in the ASGI scope under which a handler may name the path template; else path parameters are put back."""


class ConnectionDroppedError(Exception):
    """The fault asked for a closed connection, but the server gives no access to it (no uvicorn below)."""


@dataclass
class Fault:
    """One armed fault. `times` None = until disarmed; `skip` lets the first n matching calls through."""

    kind: FaultKind
    path: str = ""
    method: str | None = None
    times: int | None = 1
    skip: int = 0
    status: int = 503
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 5.0
    org: str | None = None
    id: str = ""
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"unknown kind {self.kind!r}; known: {', '.join(get_args(FaultKind))}")
        self.pattern = re.compile(self.path)

    def matches(self, org: str | None, method: str, path: str) -> bool:
        """Say whether a call is meant by this fault (method, organisation, regular expression on the path)."""
        return (
            (self.method is None or self.method.upper() == method)
            and (self.org is None or self.org == org)
            and self.pattern.search(path) is not None
        )

    def view(self) -> dict[str, Any]:
        """Give the fault as JSON-ready data, with the number of calls it has hit."""
        return dataclasses.asdict(self)


class Faults:
    """The armed faults, in the order in which they were armed; the first that matches is used."""

    def __init__(self) -> None:
        self._armed: dict[str, Fault] = {}
        self._next = 1

    def arm(self, kind: FaultKind, path: str = "", **more: Any) -> str:
        """Arm a fault and give its id. Raises ValueError for an unknown kind, TypeError for an unknown field."""
        fault = Fault(kind=kind, path=path, **more)
        fault.id = f"f{self._next}"
        self._next += 1
        self._armed[fault.id] = fault
        return fault.id

    def disarm(self, fault_id: str | None = None) -> None:
        """Take one fault away, or all."""
        if fault_id is None:
            self._armed.clear()
        else:
            self._armed.pop(fault_id, None)

    def armed(self) -> list[Fault]:
        """Give the faults that can still hit."""
        return list(self._armed.values())

    def __bool__(self) -> bool:
        return bool(self._armed)

    def take(self, org: str | None, method: str, path: str) -> Fault | None:
        """Give the fault that a call runs into, if any, and count it down."""
        for fault in list(self._armed.values()):
            if not fault.matches(org, method, path):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.hits += 1
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    del self._armed[fault.id]
            return fault
        return None


@dataclass(frozen=True)
class Call:
    """One answered (or dropped: status 0) call."""

    time: str
    org: str | None
    method: str
    path: str
    query: str
    status: int
    template: str


class Ledger:
    """Counts of calls per (organisation, method, path template) and the last 2,000 calls."""

    def __init__(self, keep: int = 2000) -> None:
        self.counts: Counter[tuple[str | None, str, str]] = Counter()
        self.calls: deque[Call] = deque(maxlen=keep)

    def record(self, call: Call) -> None:
        """Write one call down."""
        self.counts[call.org, call.method, call.template] += 1
        self.calls.append(call)

    def count(self, *, org: str | None = None, method: str | None = None, template: str | None = None) -> int:
        """Sum the calls that agree with every given part; a part left out agrees with everything."""
        return sum(
            number
            for (its_org, its_method, its_template), number in self.counts.items()
            if (org is None or org == its_org)
            and (method is None or method == its_method)
            and (template is None or template == its_template)
        )

    def reset(self) -> None:
        """Forget everything."""
        self.counts.clear()
        self.calls.clear()

    def view(self) -> dict[str, Any]:
        """Give counts and calls as JSON-ready data."""
        return {
            "counts": [
                {"org": org, "method": method, "path": template, "count": number}
                for (org, method, template), number in sorted(
                    self.counts.items(), key=lambda item: (item[0][0] or "", item[0][2], item[0][1])
                )
            ],
            "calls": [dataclasses.asdict(call) for call in self.calls],
        }


class Controlled(Starlette):
    """A simulator's application: Starlette behind the faults and the ledger.

    `org_of(scope)` tells the organisation of a call from its headers (None: not known);
    `org_of_body(path, body)` is asked for a POST whose headers do not tell (sign-in), so that a fault can be aimed
    at one organisation's sign-in. `settings` is a dataclass instance: the switches of that simulator.
    """

    def __init__(
        self,
        *,
        routes: Sequence[BaseRoute],
        settings: Any,
        org_of: Callable[[Scope], str | None],
        org_of_body: Callable[[str, bytes], str | None] | None = None,
        faults: Faults | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.faults = faults if faults is not None else Faults()
        self.ledger = ledger if ledger is not None else Ledger()
        self.settings = settings
        self._org_of = org_of
        self._org_of_body = org_of_body
        super().__init__(routes=[*control_routes(self.faults, self.ledger, settings), *routes])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: a call of the vendor's API suffers the fault armed for it, and stands in the ledger; ``/_sim/`` does neither."""
        if scope["type"] != "http" or scope["path"].startswith("/_sim/"):
            await super().__call__(scope, receive, send)
            return
        org = self._org_of(scope)
        if org is None and self._org_of_body is not None and scope["method"] == "POST":
            body, receive = await _peek(receive)
            org = self._org_of_body(scope["path"], body)
        started = datetime.now(UTC).isoformat()
        fault = self.faults.take(org, scope["method"], scope["path"]) if self.faults else None
        written = False

        def write(status: int) -> None:
            nonlocal written
            written = True
            self.ledger.record(
                Call(
                    time=started,
                    org=org or scope.get(ORG),
                    method=scope["method"],
                    path=scope["path"],
                    query=scope["query_string"].decode("latin-1"),
                    status=status,
                    template=_template(scope),
                )
            )

        async def observed(message: Message) -> None:
            # Before the answer leaves: whoever has it may look into the ledger at once.
            if message["type"] == "http.response.start":
                write(message["status"])
            await send(message)

        try:
            if fault is None:
                await super().__call__(scope, receive, observed)
            else:
                await _suffer(fault, super().__call__, scope, receive, observed=observed, send=send)
        finally:
            if not written:
                write(0)


async def _swallow(_message: Message) -> None:
    """An answer that nobody gets."""


async def _suffer(
    fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, *, observed: Send, send: Send
) -> None:
    match fault.kind:
        case "status":
            await _answer(fault)(scope, receive, observed)
        case "commit_then_status":
            await app(scope, receive, _swallow)
            await _answer(fault)(scope, receive, observed)
        case "drop":
            # Read to the end first: closing with unread data resets the connection, another error at the caller.
            await _peek(receive)
            await _drop(receive, send)
        case "commit_then_drop":
            await app(scope, receive, _swallow)
            await _drop(receive, send)
        case "delay":
            # The whole call has arrived: it is carried out even when the caller has hung up meanwhile.
            _, receive = await _peek(receive)
            await asyncio.sleep(fault.seconds)
            await app(scope, receive, observed)
        case "delay_after":
            held = await held_back(app, scope, receive)
            await asyncio.sleep(fault.seconds)
            for message in held:
                await observed(message)
        case "cut":
            start, body = taken_apart(await held_back(app, scope, receive))
            await observed(start)
            # The head still promises the whole length.
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            await _drop(receive, send)
        case "short":
            start, body = taken_apart(await held_back(app, scope, receive))
            await _tell_less(start, shortened(body), observed=observed, send=send)


async def _tell_less(start: Message, body: bytes, *, observed: Send, send: Send) -> None:
    kept = [(name, value) for name, value in start.get("headers", ()) if name.lower() != b"content-length"]
    await observed({**start, "headers": [*kept, (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


def _answer(fault: Fault) -> Response:
    if isinstance(fault.body, str):
        return Response(fault.body, fault.status, headers=fault.headers, media_type="text/plain")
    return JSONResponse(fault.body, fault.status, headers=fault.headers)


async def _drop(receive: Receive, send: Send) -> None:
    # uvicorn hands out the bound method of its request cycle; the cycle holds the connection. Nothing in ASGI itself
    # can close a connection without an answer.
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionDroppedError
    transport.close()
    # Waiting for the disconnect keeps the server from answering 500 in our place.
    while (await receive())["type"] != "http.disconnect":
        pass


async def _peek(receive: Receive) -> tuple[bytes, Receive]:
    chunks: list[Message] = []
    while True:
        message = await receive()
        chunks.append(message)
        if message["type"] != "http.request" or not message.get("more_body", False):
            break
    replay = deque(chunks)

    async def again() -> Message:
        return replay.popleft() if replay else await receive()

    return b"".join(chunk.get("body", b"") for chunk in chunks), again


def _template(scope: Scope) -> str:
    named = scope.get(TEMPLATE)
    if isinstance(named, str):
        return named
    path: str = scope["path"]
    for name, value in scope.get("path_params", {}).items():
        path = path.replace(f"/{value}", f"/{{{name}}}", 1)
    return path


def control_routes(faults: Faults, ledger: Ledger, settings: Any) -> list[BaseRoute]:
    """Give the routes `/_sim/faults`, `/_sim/calls` and `/_sim/settings` over the given objects."""

    async def list_faults(_request: Request) -> Response:
        return JSONResponse([fault.view() for fault in faults.armed()])

    async def arm(request: Request) -> Response:
        body = await request.json()
        try:
            fault_id = faults.arm(**body)
        except (TypeError, ValueError, re.error) as problem:
            return JSONResponse({"message": str(problem)}, 400)
        return JSONResponse({"id": fault_id}, 201)

    async def disarm(request: Request) -> Response:
        faults.disarm(request.path_params.get("fault_id") or request.query_params.get("id"))
        return Response(status_code=204)

    async def calls(request: Request) -> Response:
        view = ledger.view()
        if request.query_params.get("reset", "").lower() == "true":
            ledger.reset()
        return JSONResponse(view)

    async def read_settings(_request: Request) -> Response:
        return JSONResponse(dataclasses.asdict(settings))

    async def change_settings(request: Request) -> Response:
        problem = set_fields(settings, await request.json())
        if problem:
            return JSONResponse({"message": problem}, 400)
        return JSONResponse(dataclasses.asdict(settings))

    return [
        Route("/_sim/faults", list_faults, methods=["GET"]),
        Route("/_sim/faults", arm, methods=["POST"]),
        Route("/_sim/faults", disarm, methods=["DELETE"]),
        Route("/_sim/faults/{fault_id}", disarm, methods=["DELETE"]),
        Route("/_sim/calls", calls, methods=["GET"]),
        Route("/_sim/settings", read_settings, methods=["GET"]),
        Route("/_sim/settings", change_settings, methods=["PATCH"]),
    ]


def set_fields(settings: Any, changes: dict[str, Any]) -> str | None:
    """Set fields of a dataclass instance; all or nothing. Gives None, or a sentence about an unknown field."""
    known = {one.name for one in dataclasses.fields(settings)}
    unknown = sorted(set(changes) - known)
    if unknown:
        return f"unknown settings {', '.join(unknown)}; known: {', '.join(sorted(known))}"
    for name, value in changes.items():
        setattr(settings, name, value)
    return None


class Window:
    """Counts calls per key within the last `seconds`; the limiters of both vendors are built on it."""

    def __init__(self, seconds: float = 1.0) -> None:
        self.seconds = seconds
        self._calls: dict[str, deque[float]] = {}

    def admit(self, key: str, limit: int | None) -> bool:
        """Count one call and say whether it is within the limit; a refused call does not count. None: no limit."""
        if limit is None:
            return True
        now = time.monotonic()
        calls = self._calls.setdefault(key, deque())
        while calls and calls[0] <= now - self.seconds:
            calls.popleft()
        if len(calls) >= limit:
            return False
        calls.append(now)
        return True


def json_body(body: bytes) -> Any:
    """Parse a JSON body; None when it is not JSON."""
    with contextlib.suppress(ValueError):
        return json.loads(body)
    return None
