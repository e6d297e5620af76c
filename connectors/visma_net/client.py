"""Visma.net ERP REST behind the domain's port ``ErpApi``."""

from __future__ import annotations

import mimetypes
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from connectors.http import (
    FILE_BYTES,
    Endpoint,
    Observe,
    Pacer,
    Purpose,
    SignIn,
    Timeouts,
    TokenStore,
    Transport,
    parsed,
)
from connectors.visma_net.auth import RENEW_BEFORE, Connect, Kind
from connectors.visma_net.background import accepted_id, finished
from connectors.visma_net.errors import DIALECT, SYSTEM
from connectors.visma_net.keys import Located, located, names_key, segment
from connectors.visma_net.paging import Fetched, walk
from connectors.visma_net.queries import Query, changes, query
from connectors.visma_net.register import Register
from connectors.visma_net.registers import REGISTERS, register
from connectors.visma_net.rows import first, plain
from connectors.visma_net.times import SERVER_ZONE
from domain import clock
from domain.errors import BridgeError, NotFound, SignInFailed
from domain.ports import ActionResult, Filter, Json, Page, Stored

_RESULTS = {word.casefold(): word for word in ("Done", "Queued", "InProcess", "Failed")}
_SUPPLIER_TYPES = {
    word.casefold()
    for word in (
        *("Check", "CreditAdj", "DebitAdj", "Invoice", "Prepayment", "QuickCheck", "Refund"),
        *("VoidCheck", "VoidQuickCheck", "Payment"),
    )
}


@dataclass(frozen=True, slots=True)
class _Limits:
    """Seconds that a read and a call that must not be repeated may take."""

    read: float
    create: float


class VismaNetClient:
    """One company of Visma.net ERP. Safe for threads; ``close`` when done. Implements ``domain.ports.ErpApi``.

    Rows and records come with bare values (a ``{"value": x}`` on the way is taken off) and numbers as Decimal; bodies
    to write are sent as given, so the caller wraps. Registers and their filters: ``connectors.visma_net.registers``.
    """

    def __init__(
        self,
        base_url: str,
        auth_url: str,
        kind: Kind,
        client_id: str,
        client_secret: str,
        tenant_id: str,
        *,
        tokens: TokenStore,
        pacer: Pacer,
        purpose: Purpose = "new",
        observe: Observe | None = None,
        stop: threading.Event | None = None,
        read_timeout: float = 60.0,
        create_timeout: float = 250.0,
        time_zone: str = SERVER_ZONE,
    ) -> None:
        """``/v1`` and ``/v2`` are below ``base_url``, ``/token`` and ``/authorize`` below ``auth_url``; time-outs in
        seconds; ``time_zone`` is the one the server's zone-less times are in."""
        self._stop = stop or threading.Event()
        self._time_zone = time_zone
        self._limits = _Limits(read_timeout, create_timeout)
        self._tokens = tokens
        self._connect = Connect(
            auth_url.rstrip("/"), kind, client_id, client_secret, tenant_id, self._post_form
        )
        self._transport = Transport(
            Endpoint(
                base_url,
                DIALECT,
                {"Accept": "application/json"},
                Timeouts(read=read_timeout, create=create_timeout),
            ),
            signing=SignIn(tokens, self._connect.sign_in, renew_before=RENEW_BEFORE, stop=self._stop),
            pacer=pacer,
            purpose=purpose,
            observe=observe,
        )

    def close(self) -> None:
        """Close the kept connections."""
        self._transport.close()

    # ------------------------------------------------------------ sign-in

    def authorize_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """Where the user signs in (interactive kind). ``verifier`` from ``new_verifier()``, kept until the user is back."""
        return self._connect.authorize_url(redirect_uri, state, verifier)

    def exchange_code(self, code: str, verifier: str, redirect_uri: str) -> None:
        """Trade the code the user came back with for tokens and keep both in the token store. Raises SignInFailed."""
        self._tokens.save(self._connect.exchange(code, verifier, redirect_uri))

    def check(self) -> Json:
        """The company behind this connection (``organization``: name, corporateId, vatRegistrationId, baseCurrency,
        branches), read with a fresh sign-in.

        Raises SignInFailed missing_scope with ``missing=[…]`` when the token lacks a needed scope, no_license for a
        tenant id that is no company of the user's, and NotFound when no organization is shown.
        """
        token = self._transport.renew()
        missing = self._connect.missing(token.scope)
        if missing:
            raise SignInFailed(
                f"missing scopes: {' '.join(missing)}", system=SYSTEM, reason="missing_scope", missing=missing
            )
        for organization in self.list("organization"):
            return organization
        raise NotFound("no organization", system=SYSTEM, status=200, operation="GET /v1/organization")

    # ------------------------------------------------------------ reading

    def get(self, register: str, key: str) -> Stored:
        """One record by its key; ``register`` may be ``customer/internal`` with the internal id, and a supplier
        document's key ``<type>/<number>``. Raises NotFound."""
        path = _item(_register(register), key)
        answer = self._ended(
            self._transport.send("GET", path, repeatable=True), f"GET {path}", repeatable=True
        )
        body = plain(parsed(answer))
        if isinstance(body, list) and len(body) == 1:
            body = body[0]
        if not isinstance(body, dict) or not body:
            raise NotFound(
                f"{register} {key} is empty",
                system=SYSTEM,
                status=answer.status_code,
                operation=f"GET {path}",
            )
        return Stored(body, answer.headers.get("etag") or None)

    def list(self, register: str, **filters: Filter) -> Iterator[Json]:
        """All rows of a list. A paired filter (times, document dates, balance) is sent with ``>=`` unless its own
        ``…Condition`` is given; moments become server-local, days plain dates.

        Every row is checked against the filters where it shows the filtered member: one foreign row raises Refused
        ("filter ignored"). Raises ValueError for a filter the register does not have.
        """
        asked = query(_register(register), filters, self._time_zone)
        return self._rows(asked)

    def pages(
        self, register: str, *, changed_since: datetime | None = None, position: str | None = None
    ) -> Iterator[Page]:
        """A register page by page; whole when ``changed_since`` is None or the register has no such filter.

        ``position``: of a page that an earlier reading with the same ``changed_since`` gave; goes on behind it.

        Rows that do not fit the filter are left out and logged. A register whose pages count lines (journals) comes as one
        page. ``customerdocument`` covers invoices and credit notes.
        """
        asked = changes(_register(register), changed_since, self._time_zone)
        return walk(
            asked.register,
            lambda page: self._page(asked, page),
            check=asked.fitting,
            stop=self._stop,
            position=position,
        )

    def download(self, attachment_id: str) -> bytes:
        """The bytes of an attachment's latest revision. Raises NotFound."""
        path = _item(REGISTERS["attachment"], attachment_id)
        answer = self._transport.send(
            "GET", path, repeatable=True, headers={"Accept": "*/*"}, largest=FILE_BYTES
        )
        return self._ended(answer, f"GET {path}", repeatable=True).content

    # ------------------------------------------------------------ writing

    def create(self, register: str, body: Json, *, not_after: float | None = None) -> str:
        """POST (v2 for customerinvoice, customerCreditNote, journaltransaction); the new record's key, '' when the
        answer does not tell it. A task's register is ``projecttask/<internal id of its project>``.

        Raises OutcomeUnknown when no answer came; once the ERP said yes nothing is raised any more.
        """
        known, parent = _parented(register)
        if not known.creating:
            raise ValueError(f"nothing is created in Visma.net ERP register '{register}'")
        path = known.creating.format(key=segment(parent)) if "{key}" in known.creating else known.creating
        return self._key(known, self._once("POST", path, json=body, not_after=not_after), body)

    def update(
        self,
        register: str,
        key: str,
        body: Json,
        *,
        etag: str | None = None,
        not_after: float | None = None,
    ) -> str | None:
        """PUT of the members given; the new ETag if the answer had one. Raises Stale when ``etag`` is not the record's
        any more. Not sent where the document does not take If-Match (inventory)."""
        known = _register(register)
        if not known.changing:
            raise ValueError(f"nothing is changed in Visma.net ERP register '{register}'")
        path = _item(known, key)
        headers = {"If-Match": etag} if etag and known.if_match else None
        answer = self._transport.send(
            "PUT", path, repeatable=True, json=body, headers=headers, not_after=not_after
        )
        answer = self._ended(answer, f"PUT {path}", repeatable=not_after is None, limit=self._limits.read)
        return answer.headers.get("etag") or None

    def delete(self, register: str, key: str, *, not_after: float | None = None) -> None:
        """DELETE; a record that is gone already counts as deleted."""
        known = _register(register)
        if not known.removing:
            raise ValueError(f"nothing is deleted in Visma.net ERP register '{register}'")
        path = _item(known, key)
        try:
            answer = self._transport.send("DELETE", path, repeatable=True, not_after=not_after)
            self._ended(answer, f"DELETE {path}", repeatable=not_after is None, limit=self._limits.read)
        except NotFound:
            return

    def act(
        self,
        register: str,
        key: str,
        action: str,
        body: Json | None = None,
        *,
        etag: str | None = None,
        not_after: float | None = None,
    ) -> ActionResult:
        """POST …/action/<action>; an answer without a body is Done. ``changeCustomerCd``, ``changeInventoryNbr`` and
        ``changeProjectId`` take the internal id as key. ``etag`` goes as If-Match where the document lists it (the releases).
        Raises OutcomeUnknown when no answer came, Stale when the record is another by now."""
        known = _register(register)
        if action not in known.actions:
            raise ValueError(f"Visma.net ERP register '{register}' has no action '{action}'")
        path = known.actions[action].format(key=segment(key))
        headers = {"If-Match": etag} if etag and known.if_match and action == "release" else None
        answer = self._once("POST", path, json=body, headers=headers, not_after=not_after)
        return _action_result(plain(parsed(answer)))

    def attach(
        self, register: str, key: str, name: str, content: bytes, *, not_after: float | None = None
    ) -> None:
        """Header attachment, multipart: raw bytes would be kept broken. The same name again makes a new revision.

        Not repeatable: OutcomeUnknown when no answer came.
        """
        known = _register(register)
        if not known.attaching:
            raise ValueError(f"nothing can be attached in Visma.net ERP register '{register}'")
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._once(
            "POST",
            known.attaching.format(key=segment(key)),
            files={"file": (name, content, media_type)},
            not_after=not_after,
        )

    # ------------------------------------------------------------ inside

    def _post_form(self, url: str, form: Mapping[str, str]) -> httpx.Response:
        return self._transport.outside("POST", url, form=form, headers={"Accept": "application/json"})

    def _rows(self, asked: Query) -> Iterator[Json]:
        for page in walk(
            asked.register, lambda number: self._page(asked, number), check=asked.checked, stop=self._stop
        ):
            yield from page.rows

    def _page(self, asked: Query, number: int) -> Fetched:
        path = asked.register.listing
        try:
            answer = self._transport.send("GET", path, repeatable=True, params=asked.parameters(number))
        except NotFound:
            # A page past the end is empty; that it must be a 200 stands nowhere.
            if number == 1:
                raise
            return Fetched([], None)
        answer = self._ended(answer, f"GET {path}", repeatable=True)
        return Fetched(parsed(answer), _date(answer))

    def _once(
        self,
        method: str,
        path: str,
        *,
        json: Json | None = None,
        files: Any = None,
        headers: Mapping[str, str] | None = None,
        not_after: float | None = None,
    ) -> httpx.Response:
        began = clock.monotonic()
        answer = self._transport.send(
            method, path, repeatable=False, json=json, files=files, headers=headers, not_after=not_after
        )
        return self._ended(answer, f"{method} {path}", repeatable=False, began=began)

    def _ended(
        self,
        answer: httpx.Response,
        operation: str,
        *,
        repeatable: bool,
        began: float | None = None,
        limit: float | None = None,
    ) -> httpx.Response:
        """The answer itself, or for a 202 what the background made of the call."""
        accepted = accepted_id(answer)
        if accepted is None:
            return answer
        if limit is None:
            limit = self._limits.read if repeatable else self._limits.create
        return finished(
            accepted,
            self._follow,
            operation=operation,
            repeatable=repeatable,
            limit=limit - (clock.monotonic() - began if began is not None else 0.0),
            stop=self._stop,
        )

    def _follow(self, path: str) -> httpx.Response:
        # What belongs to a call under way is begun work: the budget's reserve is kept for it.
        return self._transport.send("GET", path, repeatable=True, purpose="begun")

    def _key(self, known: Register, answer: httpx.Response, sent: Json) -> str:
        location = answer.headers.get("location", "")
        chosen = first(plain(sent), known.number) if known.number else ""
        if chosen and names_key(location, chosen):
            return chosen
        place = located(location, known.name)
        if place is None:
            body = plain(parsed(answer))
            return first(body, known.number) if known.number and isinstance(body, dict) else ""
        return self._number(known, place) if place.internal else place.key

    def _number(self, known: Register, place: Located) -> str:
        internal = REGISTERS.get(f"{known.name}/internal")
        if internal is None:
            return place.key
        try:
            body = plain(parsed(self._follow(_item(internal, place.key))))
        except BridgeError:
            # The record is there; only its number could not be read. Whoever called looks it up.
            return ""
        return first(body, known.number)


def _register(name: str) -> Register:
    try:
        return register(name)
    except KeyError as unknown:
        raise ValueError(unknown.args[0]) from unknown


def _parented(name: str) -> tuple[Register, str]:
    """The register to create in, and its parent's id where the path names it (``projecttask/812``)."""
    if name in REGISTERS:
        return REGISTERS[name], ""
    family, _, parent = name.rpartition("/")
    return (REGISTERS[family], parent) if family in REGISTERS and parent else (_register(name), "")


def _item(known: Register, key: str) -> str:
    if not known.item:
        raise ValueError(f"Visma.net ERP register '{known.name}' has no single records")
    kind, slash, number = key.partition("/")
    if known.typed_item and slash and kind.casefold() in _SUPPLIER_TYPES:
        return known.typed_item.format(type=segment(kind), key=segment(number))
    return known.item.format(key=segment(key))


def _action_result(body: Any) -> ActionResult:
    if not isinstance(body, dict):
        return ActionResult("Done", "")
    said = str(body.get("actionResult") or "")
    error = str(body.get("errorInfo") or "")
    return ActionResult(_RESULTS.get(said.replace(" ", "").casefold(), said or "Done"), error)


def _date(answer: httpx.Response) -> datetime | None:
    try:
        at = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
