"""One HTTP call to a vendor: signed in, paced, limited in time and size, and told apart into no, yes and unknown.

What a failure means is decided here and in ``connectors.verdict``, and nowhere else:

    no       not one byte was sent, or any 4xx → Unavailable, RateLimited, NotSent, Refused and below, SignInFailed
    yes      any 2xx, even an empty one        → the answer
    unknown  everything else, once a byte was sent → Unavailable if the call may be repeated, else OutcomeUnknown

Whether a byte was sent is a fact that the wire keeps, not a guess by the kind of exception. A call under a permission
(``not_after``) must not be repeated, whatever its verb: so of its errors OutcomeUnknown alone means that something may
have happened. Nothing but a ``BridgeError`` is raised, for any answer whatsoever.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpcore
import httpx
import structlog

from connectors.answers import dumped
from connectors.endpoint import Conduct, Endpoint
from connectors.masking import MASK, Exchange, masked_body, masked_json
from connectors.pacing import Purpose
from connectors.signing_in import Renewed, SignIn, Token
from connectors.unpacking import ACCEPTED
from connectors.verdict import failure
from connectors.wire import JSON_BYTES, SIGN_IN_BYTES, BrokenOff, Late, Progress, Wire
from domain import clock
from domain.errors import BridgeError, NotSent, OutcomeUnknown, Refused, SignInFailed, Unavailable

Params = Mapping[str, str | int | bool | Sequence[str | int]]
Files = Mapping[str, tuple[str, bytes, str]]
"""Of a form: field → (file name, content, media type)."""

_EXPECTED = (
    *(httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError),
    *(httpcore.UnsupportedProtocol, httpcore.ConnectionNotAvailable, httpx.InvalidURL, OSError),
    # A host name that cannot be written in ASCII, or has a part longer than DNS allows.
    UnicodeError,
)
_ALWAYS = {"Accept": "*/*", "Accept-Encoding": ACCEPTED, "User-Agent": "severa-bridge"}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Call:
    """One request as it goes out; ``limit`` in seconds, ``largest`` in bytes."""

    method: str
    url: httpx.URL
    repeatable: bool
    limit: float
    headers: Mapping[str, str]
    params: Params | None = None
    content: bytes | None = None
    files: Files | None = None
    form: Mapping[str, str] | None = None
    largest: int = JSON_BYTES
    not_after: float | None = None
    until: float | None = None

    @property
    def operation(self) -> str:
        return f"{self.method} {self.url.path}"

    @property
    def once(self) -> bool:
        """Must not be made a second time when nobody knows what became of it."""
        return not self.repeatable or self.not_after is not None

    def request(self) -> httpx.Request:
        return httpx.Request(
            self.method,
            self.url,
            params=_query(self.params),
            content=self.content,
            data=self.form,
            files=self.files,
            headers={**_ALWAYS, **self.headers},
        )

    def shown(self) -> str:
        """What was sent, masked: the body, or the query of a call without one."""
        if self.form is not None:
            # Only sign-ins are forms, and all that they carry is secret.
            return masked_json(
                {name: value if name == "grant_type" else MASK for name, value in self.form.items()}
            )
        if self.content is not None:
            return masked_body(self.content, self.headers.get("Content-Type", ""))
        return masked_json(dict(self.params)) if self.params else ""


class Transport:
    """All calls of one connection. Safe for threads; ``close`` when done.

    Repeatable calls share kept-alive connections. A call that must not be repeated gets a fresh one of its own: a kept one
    may be closed by the server in the very moment it is used, and then nobody knows what happened.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        conduct: Conduct,
        *,
        signing: SignIn,
    ) -> None:
        """``signing`` keeps its tokens where ``conduct`` says; it may call ``outside`` to sign in."""
        # httpcore writes whole headers into the log: they may not reach it.
        logging.getLogger("httpcore").setLevel(logging.WARNING)
        self._base = endpoint.base_url.rstrip("/")
        self._origin = httpx.URL(self._base)
        self._headers = dict(endpoint.headers)
        self._dialect = endpoint.dialect
        self._timeouts = conduct.timeouts
        self._signing = signing
        self._pacer = conduct.pacer
        self._purpose = conduct.purpose
        self._observe = conduct.observe
        self._wire = Wire()
        self._renewed = Renewed()

    def close(self) -> None:
        """Close the kept connections."""
        self._wire.close()

    def token(self) -> Token:
        """The present token, signing in if need be. Raises SignInFailed, Unavailable."""
        return self._signing.token()

    def renew(self) -> Token:
        """A token that is surely new (set-up's connection test). Raises SignInFailed, Unavailable."""
        return self._signing.renewed()

    def send(
        self,
        method: str,
        path: str,
        *,
        repeatable: bool,
        params: Params | None = None,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        files: Files | None = None,
        purpose: Purpose | None = None,
        timeout: float | None = None,
        largest: int = JSON_BYTES,
        not_after: float | None = None,
        until: float | None = None,
    ) -> httpx.Response:
        """One call; the answer is a 2xx, read to its end. Everything else is raised (module docstring).

        ``path`` begins with "/" (its segments already quoted) and follows the base address; an absolute address must be on
        the same host. ``json`` is written with exact decimals; ``timeout`` in seconds
        replaces the time limit of the whole call; ``largest`` is the most bytes that the answer may have, unpacked.

        ``not_after`` (seconds of ``clock.boot``) is until when the request may go out. It is looked at after sign-in, pacing,
        connecting and TLS, before the head and again before the body; past it NotSent is raised and the request was
        surely not made. A 401 means that nothing was done: one fresh sign-in and the call once more; under a permission,
        which is for one call, NotSent instead, with the fresh token ready for the next.

        ``until`` is the same for a write that may be repeated: it does not leave later, and nothing else changes.
        """
        url = self._address(path)
        if json is not None:
            content = dumped(json)
            headers = {"Content-Type": "application/json", **(headers or {})}
        limit = timeout or (self._timeouts.read if repeatable else self._timeouts.create)
        refused: Token | None = None
        while True:
            token = self._signing.token(refused=refused)
            self._pacer.before(purpose or self._purpose)
            call = _Call(
                method,
                url,
                repeatable=repeatable,
                limit=limit,
                headers={
                    **self._headers,
                    **(headers or {}),
                    "Authorization": f"Bearer {token.access_token}",
                },
                params=params,
                content=content,
                files=files,
                largest=largest,
                not_after=not_after,
                until=until,
            )
            answer = self._exchange(call)
            self._tell_pacer(answer)
            problem = self._judged(answer, call)
            if answer.status_code != 401 or _is_license(problem):
                self._renewed.works(token)
            elif not_after is not None:
                raise self._begin_anew(token, call, problem)
            elif refused is None:
                refused = token
                continue
            if problem is None:
                return answer
            raise problem

    def outside(
        self,
        method: str,
        url: str,
        *,
        json: object = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """A sign-in call: absolute address, no token, any status below 500 except 429 is given back as it came.

        Raises RateLimited and Unavailable.
        """
        content: bytes | None = None
        headers = dict(headers or {})
        if json is not None:
            content = dumped(json)
            headers["Content-Type"] = "application/json"
        call = _Call(
            method,
            httpx.URL(url),
            repeatable=True,
            limit=self._timeouts.read,
            headers=headers,
            content=content,
            form=form,
            largest=SIGN_IN_BYTES,
        )
        answer = self._exchange(call)
        if answer.status_code == 429 or answer.status_code >= 500:
            problem = self._judged(answer, call)
            if problem is not None:
                raise problem
        return answer

    def _address(self, path: str) -> httpx.URL:
        if path.startswith("/"):
            return httpx.URL(self._base + path)
        url = httpx.URL(path)
        if (url.scheme, url.host, url.port) != (self._origin.scheme, self._origin.host, self._origin.port):
            raise Refused(
                "an answer pointed to another host; the token is not sent there",
                system=self._dialect.system,
                operation=f"GET {url.host}",
            )
        return url

    def _begin_anew(self, token: Token, call: _Call, problem: BridgeError | None) -> BridgeError:
        """After a 401 under a permission: NotSent once there is a fresh token; the refusal itself if this one was fresh."""
        if self._renewed.did_not_help(token):
            return problem or self._failed("the token is refused", call)
        self._renewed.got(self._signing.token(refused=token))
        return NotSent(
            "the token was refused; there is a new one",
            system=self._dialect.system,
            operation=call.operation,
            status=401,
        )

    def _exchange(self, call: _Call) -> httpx.Response:
        """The answer, whatever its status. Raises NotSent, Unavailable, OutcomeUnknown."""
        began = clock.monotonic()
        latest = call.until if call.not_after is None else call.not_after
        progress = Progress(began + call.limit, self._timeouts.connect, latest)
        answer: httpx.Response | None = None
        error = ""
        try:
            answer = self._wire.exchange(call.request(), progress, largest=call.largest, alone=call.once)
        except Late as late:
            error = type(late).__name__
            raise NotSent(str(late), system=self._dialect.system, operation=call.operation) from late
        except BrokenOff as broken:
            error = broken.cause
            answer = _decided(broken.answer, call)
            if answer is None:
                raise self._failed(error, call, unknown=call.once) from broken
        except Exception as cause:
            error = type(cause).__name__
            if not isinstance(cause, _EXPECTED):
                _log.exception("exchange_broke", system=self._dialect.system, sent=progress.sent)
            raise self._failed(error, call, unknown=call.once and progress.sent) from cause
        finally:
            self._record(call, clock.monotonic() - began, answer, error)
        return answer

    def _judged(self, answer: httpx.Response, call: _Call) -> BridgeError | None:
        try:
            return failure(answer, self._dialect, call.operation, repeatable=not call.once)
        except Exception as cause:  # noqa: BLE001 - no answer may end as anything but a BridgeError
            _log.exception("answer_not_understood", system=self._dialect.system, status=answer.status_code)
            return self._failed(type(cause).__name__, call, unknown=call.once)

    def _failed(self, error: str, call: _Call, *, unknown: bool = False) -> BridgeError:
        # The text of the exception is left out: it may carry the whole address.
        kind = OutcomeUnknown if unknown else Unavailable
        return kind(
            f"no answer to {call.operation} ({error})",
            system=self._dialect.system,
            operation=call.operation,
            error=error,
        )

    def _tell_pacer(self, answer: httpx.Response) -> None:
        try:
            self._pacer.after(answer.status_code, answer.headers)
        except Exception:  # noqa: BLE001 - bookkeeping that fails must not turn a 'yes' into an unknown outcome
            _log.exception("pacer_failed", system=self._dialect.system)

    def _record(self, call: _Call, seconds: float, answer: httpx.Response | None, error: str) -> None:
        status = answer.status_code if answer is not None else None
        _log.debug(
            "vendor_call",
            system=self._dialect.system,
            method=call.method,
            path=call.url.path,
            status=status,
            seconds=round(seconds, 3),
            error=error,
        )
        if self._observe is None:
            return
        try:
            response = ""
            if answer is not None:
                response = masked_body(answer.content, answer.headers.get("content-type", ""))
            self._observe(
                Exchange(call.method, call.url.path, status, seconds, call.shown(), response, error)
            )
        except Exception:  # noqa: BLE001 - an observer that fails must not turn a 'yes' into an unknown outcome
            _log.exception("observer_failed", system=self._dialect.system)


def _query(params: Params | None) -> httpx.QueryParams | None:
    if params is None:
        return None
    return httpx.QueryParams(
        [
            (name, str(one).lower() if isinstance(one, bool) else str(one))
            for name, value in params.items()
            for one in ([value] if isinstance(value, str | int) else value)
        ]
    )


def _decided(answer: httpx.Response, call: _Call) -> httpx.Response | None:
    """An answer whose body broke off, where its status alone decides over a call that must not be repeated: a 4xx is a
    'no', a 2xx with a Location is a 'yes' that names the record."""
    decides = 400 <= answer.status_code < 500 or (answer.is_success and "location" in answer.headers)
    return answer if call.once and decides else None


def _is_license(problem: BridgeError | None) -> bool:
    return isinstance(problem, SignInFailed) and problem.reason == "no_license"
