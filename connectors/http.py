"""One HTTP call to a vendor: signed in, paced, limited in time, and told apart into no, yes and unknown.

What a failure means is decided here and nowhere else (design: "No / yes / unknown"):

    no       never connected, or any 4xx       → Unavailable, RateLimited, Refused and below, SignInFailed
    yes      any 2xx, even an empty one        → the answer
    unknown  everything else, once a byte was sent → Unavailable if the call may be repeated, else OutcomeUnknown
"""

from __future__ import annotations

import functools
import logging
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import httpx
import structlog

from connectors.answers import MESSAGE_LENGTH, Dialect, dumped, failure, message_of, parsed, retry_after
from connectors.masking import MASK, Exchange, masked_body, masked_json
from connectors.signing_in import MemoryTokenStore, SignIn, Token, TokenStore
from domain.errors import BridgeError, OutcomeUnknown, Refused, SignInFailed, Unavailable

__all__ = [
    "MESSAGE_LENGTH",
    "Dialect",
    "Exchange",
    "MemoryTokenStore",
    "Observe",
    "Pacer",
    "Params",
    "Purpose",
    "SignIn",
    "Token",
    "TokenStore",
    "Transport",
    "dumped",
    "failure",
    "message_of",
    "parsed",
    "retry_after",
]

Purpose = Literal["poll", "new", "begun"]
Observe = Callable[[Exchange], None]
Params = Mapping[str, str | int | bool | Sequence[str | int]]

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 60.0
CREATE_TIMEOUT = 250.0
"""Longer than the 240 s after which a create is looked up, so that a late answer is still heard (design)."""
POOL_TIMEOUT = 10.0

_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    # A host name that cannot be written in ASCII, or has a part longer than DNS allows.
    UnicodeError,
)
_TRANSFER_HEADERS = {"content-encoding", "transfer-encoding", "content-length"}

_log = structlog.get_logger(__name__)


class Pacer(Protocol):
    """Keeps a connection within the vendor's call budget; one per connection, shared by threads."""

    def before(self, purpose: Purpose) -> None:
        """Before every call: may wait a bounded time, may raise RateLimited."""
        ...

    def after(self, status: int, headers: Mapping[str, str]) -> None:
        """After every answer; ``headers`` compare their names without regard to case."""
        ...


@dataclass(frozen=True, slots=True)
class _Call:
    """One request as it goes out; ``limit`` in seconds."""

    method: str
    url: httpx.URL
    repeatable: bool
    limit: float
    headers: Mapping[str, str]
    params: Params | None = None
    content: bytes | None = None
    files: Any = None
    form: Mapping[str, str] | None = None

    @property
    def operation(self) -> str:
        return f"{self.method} {self.url.path}"

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

    Repeatable calls share one kept-alive client. A call that must not be repeated gets a fresh connection of its own:
    a kept one may be closed by the server in the very moment it is used, and then nobody knows what happened.
    """

    def __init__(
        self,
        base_url: str,
        *,
        dialect: Dialect,
        tokens: TokenStore,
        sign_in: Callable[[Token | None], Token],
        pacer: Pacer,
        purpose: Purpose = "new",
        renew_before: float = 300.0,
        headers: Mapping[str, str] | None = None,
        observe: Observe | None = None,
        stop: threading.Event | None = None,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        create_timeout: float = CREATE_TIMEOUT,
        sign_in_wait: float = 20.0,
    ) -> None:
        """``sign_in`` gets the stored token (for its refresh token) and gives a new one, or raises SignInFailed;
        it may call ``outside``. ``renew_before``: seconds before expiry at which a token is replaced."""
        # httpx writes whole addresses, httpcore whole headers into the log: neither may reach it.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        logging.getLogger("httpcore").setLevel(logging.WARNING)
        self._base = base_url.rstrip("/")
        self._origin = httpx.URL(self._base)
        self._dialect = dialect
        self._pacer = pacer
        self._purpose: Purpose = purpose
        self._headers = dict(headers or {})
        self._observe = observe
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._create_timeout = create_timeout
        self._signing = SignIn(tokens, sign_in, renew_before=renew_before, wait=sign_in_wait, stop=stop)
        self._client = self._fresh_client()

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()

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
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        files: Any = None,
        purpose: Purpose | None = None,
        timeout: float | None = None,
    ) -> httpx.Response:
        """One call; the answer is a 2xx, read to its end. Everything else is raised (module docstring).

        ``path`` begins with "/" (its segments already quoted) and follows the base address; an absolute address must be on
        the same host. ``json`` is written with exact decimals; ``files`` as httpx takes them; ``timeout`` in seconds
        replaces the read time-out. A 401 means that nothing was done: one fresh sign-in and the call once more.
        """
        url = self._address(path)
        operation = f"{method} {url.path}"
        if json is not None:
            content = dumped(json)
            headers = {"Content-Type": "application/json", **(headers or {})}
        limit = timeout or (self._read_timeout if repeatable else self._create_timeout)
        refused: Token | None = None
        while True:
            token = self._signing.token(refused=refused)
            self._pacer.before(purpose or self._purpose)
            answer = self._exchange(
                _Call(
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
                )
            )
            self._tell_pacer(answer)
            problem = failure(answer, self._dialect, operation, repeatable=repeatable)
            if problem is None:
                return answer
            if answer.status_code == 401 and refused is None and not _is_license(problem):
                refused = token
                continue
            raise problem

    def outside(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
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
            limit=self._read_timeout,
            headers=headers,
            content=content,
            form=form,
        )
        answer = self._exchange(call)
        if answer.status_code == 429 or answer.status_code >= 500:
            problem = failure(answer, self._dialect, call.operation, repeatable=True)
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

    def _fresh_client(self) -> httpx.Client:
        return httpx.Client(follow_redirects=False, timeout=self._timeout(self._read_timeout), verify=_tls())

    def _timeout(self, read: float) -> httpx.Timeout:
        return httpx.Timeout(connect=self._connect_timeout, read=read, write=READ_TIMEOUT, pool=POOL_TIMEOUT)

    def _exchange(self, call: _Call) -> httpx.Response:
        began = time.monotonic()
        client = self._client if call.repeatable else self._fresh_client()
        answer: httpx.Response | None = None
        error = ""
        try:
            request = client.build_request(
                call.method,
                call.url,
                params=_query(call.params),
                content=call.content,
                data=call.form,
                files=call.files,
                headers=dict(call.headers),
                timeout=self._timeout(call.limit),
            )
            answer = _received(client, request, began + call.limit, repeatable=call.repeatable)
        except _NEVER_SENT as cause:
            error = type(cause).__name__
            raise self._unavailable(error, call.operation) from cause
        except (httpx.HTTPError, httpx.StreamError, OSError) as cause:
            error = type(cause).__name__
            if call.repeatable:
                raise self._unavailable(error, call.operation) from cause
            raise OutcomeUnknown(
                f"no answer to {call.operation} ({error})",
                system=self._dialect.system,
                operation=call.operation,
                error=error,
            ) from cause
        finally:
            if not call.repeatable:
                client.close()
            self._record(call, time.monotonic() - began, answer, error)
        return answer

    def _unavailable(self, error: str, operation: str) -> Unavailable:
        # The text of httpx is left out: it may carry the whole address.
        return Unavailable(
            f"no answer to {operation} ({error})",
            system=self._dialect.system,
            operation=operation,
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
        response = ""
        if answer is not None:
            response = masked_body(answer.content, answer.headers.get("content-type", ""))
        exchange = Exchange(call.method, call.url.path, status, seconds, call.shown(), response, error)
        try:
            self._observe(exchange)
        except Exception:  # noqa: BLE001 - an observer that fails must not turn a 'yes' into an unknown outcome
            _log.exception("observer_failed", system=self._dialect.system)


@functools.cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes longer than a call; a fresh client per create must not pay it each time.
    return httpx.create_ssl_context()


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


def _received(
    client: httpx.Client, request: httpx.Request, deadline: float, *, repeatable: bool
) -> httpx.Response:
    """The answer read to its end, with its own time limit: a server that drips bytes never trips a read time-out.

    When the body breaks off, a call that must not be repeated is still judged by its status where that alone decides:
    a 4xx is a 'no', a 2xx with a Location is a 'yes' that names the record.
    """
    answer = client.send(request, stream=True)
    chunks: list[bytes] = []
    try:
        for chunk in answer.iter_bytes():
            chunks.append(chunk)
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the answer takes too long", request=request)
    except (httpx.HTTPError, httpx.StreamError, OSError):
        decided = 400 <= answer.status_code < 500 or (answer.is_success and "location" in answer.headers)
        if repeatable or not decided:
            raise
        chunks = []
    finally:
        answer.close()
    kept = [
        (name, value) for name, value in answer.headers.multi_items() if name.lower() not in _TRANSFER_HEADERS
    ]
    return httpx.Response(answer.status_code, headers=kept, content=b"".join(chunks), request=request)


def _is_license(problem: BridgeError) -> bool:
    return isinstance(problem, SignInFailed) and problem.reason == "no_license"
