"""The network between the bridge and both vendors, in process: httpcore's pool is replaced, the vendors' simulators answer.

A call has three points (before its headers, before its body, after it) and travels: it may arrive late, never, or after
its caller has given up; its answer may be lost or be another one. The caller's own limits (``Limits``) are asked at the
points where httpcore would come by them, so that a guard which stands there works as it does on a real connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email.utils import format_datetime
from typing import Any, Protocol
from urllib.parse import unquote

import httpcore

from simulation.kernel import START, Actor, Crashed, Kernel, PlayError
from simulation.points import (
    Answer,
    Change,
    Crash,
    Deed,
    Director,
    Do,
    Late,
    Lie,
    LoseAnswer,
    LoseRequest,
    Pause,
    Point,
    Refuse,
    Where,
)
from simulators import clock as vendor_clock

SEVERA, ERP = "http://severa.test", "http://erp.test"
WRITES = ("POST", "PUT", "PATCH", "DELETE")
SIGN_IN = ("/token", "/refreshtoken")
HTML = b"<html><body>Service temporarily unavailable</body></html>"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a vendor answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Write:
    """One writing call as the vendor took it: the wire's own ledger."""

    at: float
    actor: str
    system: str
    method: str
    path: str
    status: int
    tenant: str


class Limits(Protocol):
    """What the caller of one call keeps to; each raises what ends the call."""

    def connecting(self) -> None: ...
    def head(self) -> None: ...
    def body(self) -> None: ...
    def answer(self) -> float:
        """Seconds that the answer may take from now."""
        ...

    def heard(self, size: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it goes over the wire."""

    method: str
    base: str
    target: str
    headers: list[tuple[bytes, bytes]]
    content: bytes

    @property
    def system(self) -> str:
        return "severa" if self.base == SEVERA else "erp"

    @property
    def path(self) -> str:
        """Without the query; not quoted."""
        return unquote(self.target.partition("?")[0])

    def __str__(self) -> str:
        return f"{self.method} {self.system} {self.path}"


@dataclass(eq=False)
class Letter:
    """A call under way, and what came back."""

    heard: Heard | None = None
    broken: bool = False
    waiting: Actor | None = None


def ask(
    app: Any, method: str, target: str, headers: list[tuple[bytes, bytes]], body: bytes, host: str
) -> Heard:
    """One call of an ASGI application without an event loop: the simulators never wait for anything."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": (host, 80),
    }
    told: list[dict[str, Any]] = []
    sent = False

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        told.append(message)

    running = app(scope, receive, send)
    try:
        running.send(None)
    except StopIteration:
        pass
    else:
        running.close()
        raise PlayError(f"{method} {target}: a simulator waits for something outside of the play")
    status, fields, chunks = 500, [], []
    for message in told:
        if message["type"] == "http.response.start":
            status = message["status"]
            fields = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in message["headers"]]
        else:
            chunks.append(message.get("body", b""))
    return Heard(status, fields, b"".join(chunks))


class Wire:
    """All calls of a play."""

    def __init__(
        self,
        kernel: Kernel,
        apps: dict[str, Any],
        crash: Callable[[Actor, Crash], None],
        remember: Callable[[], Callable[[], None]],
    ) -> None:
        """``apps``: the vendors' applications by host. ``crash`` takes a process down and plans its restart. ``remember``
        gives back how to put the vendors' state back as it is."""
        self.kernel = kernel
        self.director: Director | None = None
        self.writes: list[Write] = []
        self.calls = 0
        self.reads: dict[str, int] = {}
        self.pausing: list[Actor] = []
        self._apps = apps
        self._crash = crash
        self._remember = remember

    # ---- points

    def at(self, where: Where, what: str) -> list[Deed]:
        """Asks the director; pauses, crashes and moves are done here, the rest is the caller's."""
        kernel, actor = self.kernel, self.kernel.current()
        if actor is None or self.director is None:
            return []
        left: list[Deed] = []
        for deed in self.director.at(Point(actor.name, where, what)):
            if isinstance(deed, Pause):
                kernel.say(f"pauses {deed.seconds:.0f} s {_words(where)} {what}")
                self.pausing.append(actor)
                kernel.wait(deed.seconds)
                self.pausing.remove(actor)
            elif isinstance(deed, Crash):
                kernel.say(f"CRASHES {_words(where)} {what}")
                self._crash(actor, deed)
                raise Crashed(actor.name)
            elif isinstance(deed, Do):
                deed.move()
            else:
                left.append(deed)
        return left

    # ---- one call

    def handle(self, request: httpcore.Request, limits: Limits) -> httpcore.Response:
        """In place of ``httpcore.ConnectionPool.handle_request``."""
        kernel = self.kernel
        kernel.alive()
        self.calls += 1
        call = _call(request)
        what = f"{call.method} {call.system} {call.path}"
        limits.connecting()
        deeds = self.at("headers", what)
        if any(isinstance(deed, Refuse) for deed in deeds):
            kernel.say(f"{what}: no connection")
            kernel.wait(0.2)
            raise httpcore.ConnectError("connection refused")
        limits.head()
        deeds += self.at("body", what)
        limits.body()
        deeds += self.at("sent", what)
        letter = Letter(waiting=kernel.current())
        self._post(letter, call, deeds)
        return self._hear(letter, what, limits)

    def _post(self, letter: Letter, call: Call, deeds: list[Deed]) -> None:
        """Sends the call on its way: it is carried out when it arrives, whatever became of its sender."""
        kernel = self.kernel
        sender = letter.waiting.name if letter.waiting else "–"
        late = next((deed for deed in deeds if isinstance(deed, Late)), Late())
        lost = next((deed for deed in deeds if isinstance(deed, LoseRequest)), None)
        unheard = next((deed for deed in deeds if isinstance(deed, LoseAnswer)), None)
        instead = next((deed for deed in deeds if isinstance(deed, Answer | Change)), None)
        lies = next((deed for deed in deeds if isinstance(deed, Lie)), None)
        there, back = kernel.rng.uniform(0.01, 0.1), kernel.rng.uniform(0.01, 0.1)

        def deliver(heard: Heard | None, *, broken: bool = False) -> None:
            letter.heard, letter.broken = heard, broken
            if letter.waiting is not None:
                kernel.wake(letter.waiting)

        def arrive() -> None:
            if isinstance(instead, Answer) and not instead.done and not instead.cut:
                heard = Heard(instead.status, list(instead.headers.items()), instead.body)
            else:
                put_back = self._remember() if lies is not None else None
                heard = self._carry_out(sender, call)
                heard = _changed(heard, instead)
                if put_back is not None:
                    put_back()
                    if lies is not None and lies.as_before:
                        there = self._carry_out(sender, replace(call, method="GET", content=b""))
                        # As Severa answers a PATCH: with the record in an array.
                        heard = Heard(heard.status, heard.headers, b"[" + there.body + b"]")
                    kernel.say(f"{call}: {heard.status}, and nothing of it is kept", call.system)
            if instead is not None:
                kernel.say(
                    f"{call}: answers {heard.status} {_shown(heard.body)}",
                    call.system,
                )
            if unheard is not None:
                kernel.say(
                    f"{call}: {heard.status}, the answer is lost",
                    call.system,
                )
                if unheard.reset:
                    kernel.at(back, lambda: deliver(None, broken=True))
                return
            cut = isinstance(instead, Answer) and instead.cut
            kernel.at(back + late.answer, lambda: deliver(heard, broken=cut))

        if lost is not None:
            kernel.say(f"{call.method} {call.path}: the call is lost on its way")
            if lost.reset:
                kernel.at(there, lambda: deliver(None, broken=True))
            return
        if late.seconds:
            kernel.say(f"{call.method} {call.path}: under way for {late.seconds:.0f} s")
        kernel.at(there + late.seconds, arrive)

    def _carry_out(self, sender: str, call: Call) -> Heard:
        system, method = call.system, call.method
        heard = ask(
            self._apps[call.base],
            method,
            call.target,
            call.headers,
            call.content,
            call.base.partition("//")[2],
        )
        # As the servers in front of both vendors do.
        clock = vendor_clock.SEVERA if system == "severa" else vendor_clock.ERP
        heard.headers.append(("date", format_datetime(clock.now(), usegmt=True)))
        path = call.target.partition("?")[0]
        if method in WRITES and not path.lower().endswith(SIGN_IN):
            tenant = self._tenant(system, call.headers)
            self.writes.append(Write(self.kernel.now, sender, system, method, path, heard.status, tenant))
            self.kernel.say(f"{method} {path} for {sender}: {heard.status}", system)
        elif method == "GET":
            self.reads[system] = self.reads.get(system, 0) + 1
        return heard

    def _tenant(self, system: str, headers: list[Any]) -> str:
        app = self._apps[SEVERA if system == "severa" else ERP]
        found: str | None = app._org_of({"type": "http", "headers": headers})
        return found or ""

    def _hear(self, letter: Letter, what: str, limits: Limits) -> httpcore.Response:
        kernel = self.kernel
        if letter.waiting is None:
            # Somebody outside of the play calls (go-live): what is on its way arrives at once.
            raise PlayError("a call outside of the play")
        limit = limits.answer()
        kernel.park(limit)
        heard, letter.waiting = letter.heard, None
        if letter.broken and heard is None:
            kernel.say(f"{what}: the connection breaks")
            raise httpcore.RemoteProtocolError("Server disconnected without sending a response.")
        if heard is None:
            kernel.say(f"{what}: no answer within {limit:.0f} s")
            raise httpcore.ReadTimeout("timed out")
        self.at("answered", what)
        limits.heard(1)
        return httpcore.Response(
            heard.status,
            headers=[(k.encode("latin-1"), v.encode("latin-1")) for k, v in heard.headers],
            content=_cut(heard.body) if letter.broken else heard.body,
        )


def _call(request: httpcore.Request) -> Call:
    url = request.url
    base = f"{url.scheme.decode('ascii')}://{url.host.decode('ascii')}"
    content = b"".join(request.stream)  # type: ignore[arg-type]
    headers = [(k.lower(), v) for k, v in request.headers]
    return Call(request.method.decode("ascii"), base, url.target.decode("ascii"), headers, content)


def _cut(body: bytes) -> Iterator[bytes]:
    """A body that breaks off."""
    yield body[: len(body) // 2]
    raise httpcore.RemoteProtocolError("peer closed connection without sending complete message body")


def _changed(heard: Heard, deed: Answer | Change | None) -> Heard:
    if isinstance(deed, Change):
        body = deed.how(heard.body)
        kept = [(k, v) for k, v in heard.headers if k.lower() != "content-length"]
        return Heard(heard.status, kept, body)
    if isinstance(deed, Answer) and deed.done:
        return Heard(deed.status, list(deed.headers.items()), deed.body)
    return heard


def _words(where: str) -> str:
    return {
        "begin": "before",
        "commit": "before the commit of",
        "committed": "after the commit of",
        "headers": "before the headers of",
        "body": "between headers and body of",
        "sent": "after sending",
        "answered": "with the answer of",
        "message": "publishing",
    }[where]


def _shown(body: bytes) -> str:
    return body[:40].decode("utf-8", "replace")


__all__ = ["ERP", "HTML", "SEVERA", "START", "Heard", "Wire", "Write", "ask"]
