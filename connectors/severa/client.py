"""Visma Severa's REST API behind the port ``SeveraApi``."""

from __future__ import annotations

import mimetypes
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx
import structlog

from connectors.http import (
    CREATE_TIMEOUT,
    FILE_BYTES,
    READ_TIMEOUT,
    Endpoint,
    Observe,
    Pacer,
    Purpose,
    SignIn,
    Timeouts,
    TokenStore,
    Transport,
    dumped,
    parsed,
)
from connectors.severa import paging
from connectors.severa.auth import RENEW_BEFORE, TOKEN_PATH, ClientCredentials, missing
from connectors.severa.errors import DIALECT, SYSTEM
from connectors.severa.models import changed_at, format_time
from connectors.severa.registers import (
    DOWNLOADS,
    OF_PARENT,
    REGISTERS,
    Register,
)
from connectors.severa.spelling import Spelled, Spelling, taken
from domain.errors import (
    NotFound,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    Refused,
    SignInFailed,
    TryLater,
    Unavailable,
)
from domain.ports import Filter, Json, Page

PAGE_ATTEMPTS = 4
"""A list of many pages is not thrown away for one 429: the page is asked for again after the pause."""
LONGEST_PAUSE = 5.0

_JSON = {"Accept": "application/json"}
_OTHER_FORM = frozenset({400, 422})
"""Refusals after which a PATCH is tried in its other form, while it is not known which one the server takes."""
_log = structlog.get_logger(__name__)


class SeveraClient:
    """One Severa organisation. Safe for threads; ``close`` when done.

    Registers are named by the path (``customers``, ``invoices/invoicerows``, ``localization/countries``): see
    ``registers.REGISTERS``. An unknown register, filter or verb is a ValueError: the server would ignore it in silence.
    """

    def __init__(
        self,
        base_url: str,
        client_id: str,
        client_secret: str,
        *,
        tokens: TokenStore,
        pacer: Pacer,
        purpose: Purpose = "new",
        observe: Observe | None = None,
        stop: threading.Event | None = None,
        read_timeout: float = READ_TIMEOUT,
        create_timeout: float = CREATE_TIMEOUT,
    ) -> None:
        """``base_url`` is the part before ``/v1`` (``https://…/rest-api``); the time-outs are seconds."""
        self._base = base_url.rstrip("/").removesuffix("/v1")
        self._stop = stop or threading.Event()
        self._credentials = ClientCredentials(
            client_id, client_secret, self._post_token, pause=self._stop.wait
        )
        self._client_id = client_id
        self._spelling = Spelling()
        self._transport = Transport(
            Endpoint(
                self._base,
                DIALECT,
                {"Client_Id": client_id},
                Timeouts(read=read_timeout, create=create_timeout),
            ),
            signing=SignIn(tokens, self._credentials.sign_in, renew_before=RENEW_BEFORE, stop=self._stop),
            pacer=pacer,
            purpose=purpose,
            observe=observe,
        )

    def close(self) -> None:
        """Close the kept connections."""
        self._transport.close()

    def check(self) -> set[str]:
        """Sign in afresh and give the granted scopes (R-SET-2).

        Raises SignInFailed: reason missing_scope with field ``missing`` (names, sorted), wrong_secret, no_license,
        refused; and Unavailable.
        """
        try:
            granted = self._credentials.granted(self._transport.renew())
        except SignInFailed as refusal:
            if refusal.reason != "wrong_secret":
                raise
            # A server that refuses a sign-in as a whole says the same for a wrong secret and for one scope too many.
            granted = self._credentials.granted(None)
        lacking = missing(granted)
        if lacking:
            raise SignInFailed(
                f"missing scopes: {', '.join(lacking)}",
                system=SYSTEM,
                reason="missing_scope",
                missing=lacking,
            )
        return granted

    def get(self, register: str, guid: str) -> Json:
        """One record by guid; registers of one object (organizationsettings) take ''. Raises NotFound."""
        entry = _register(register)
        path = entry.list_path if entry.paging == "single" else entry.item_path
        if path is None:
            raise ValueError(f"records of {register} are not read singly")
        path = _filled(path, guid=guid)
        body = parsed(self._transport.send("GET", path, repeatable=True, headers=_JSON))
        if isinstance(body, list):
            # A country by its letters and a flat rate answer a list.
            if not body:
                raise NotFound(system=SYSTEM, status=404, operation=f"GET {path}")
            body = body[0]
        if not isinstance(body, dict):
            raise Unavailable(f"the answer to GET {path} is not a record", system=SYSTEM)
        return body

    def list(self, register: str, *, parent: str | None = None, **filters: Filter) -> Iterator[Json]:
        """All rows of a list, each once, each checked against the filters.

        ``parent`` is the guid in ``invoices/{guid}/invoicerows``. Raises Refused ``filter ignored`` when a row comes back
        that was not asked for; ValueError for an unknown register or filter name.
        """
        entry = _register(register, parent)
        query = paging.query_of(entry, filters)
        return self._rows(entry, parent, query, filters)

    def _rows(
        self,
        entry: Register,
        parent: str | None,
        query: Mapping[str, paging.Wire],
        filters: Mapping[str, Filter],
    ) -> Iterator[Json]:
        known: set[str] = set()
        for page in self._read(entry, query, parent):
            for row in page.rows:
                verdicts = {
                    name: paging.agrees(row, entry.filters[name], value) for name, value in filters.items()
                }
                ignored = [name for name, verdict in verdicts.items() if verdict is False]
                if ignored:
                    raise Refused(
                        f"filter ignored: {', '.join(ignored)} of {entry.name}",
                        system=SYSTEM,
                        operation=f"GET {entry.list_path}",
                        filters=ignored,
                    )
                guid = str(row.get("guid") or "")
                if None in verdicts.values() or (guid and guid in known):
                    continue
                known.add(guid)
                yield row

    def pages(
        self, register: str, *, changed_since: datetime | None = None, position: str | None = None
    ) -> Iterator[Page]:
        """A register page by page; whole when ``changed_since`` is None or the register has no such filter.

        ``position``: of a page that an earlier reading with the same ``changed_since`` gave; goes on behind it. A server that
        no longer knows it refuses.

        A row changed between two pages comes twice, the newer one later. Rows older than asked for are handed on: a
        customer comes back for its changed address with its own times unchanged.
        """
        entry = _register(register)
        if entry.needs_parent:
            raise ValueError(f"{register} is read below a record, not as a whole")
        query: dict[str, paging.Wire] = {}
        if changed_since is not None and entry.change_filter is not None:
            query[entry.change_filter] = format_time(changed_since)
            query.update({name: list(values) for name, values in entry.change_options.items()})
        return self._pages(entry, query, changed_since if query else None, position)

    def _pages(
        self,
        entry: Register,
        query: Mapping[str, paging.Wire],
        since: datetime | None,
        position: str | None,
    ) -> Iterator[Page]:
        older = 0
        for page in self._read(entry, query, None, position):
            yield page
            if since is not None and not entry.change_options:
                older += sum(1 for row in page.rows if (time := changed_at(row)) is not None and time < since)
        if older:
            _log.warning(
                "filter_ignored", system=SYSTEM, register=entry.name, filter=entry.change_filter, rows=older
            )

    def _read(
        self,
        entry: Register,
        query: Mapping[str, paging.Wire],
        parent: str | None,
        position: str | None = None,
    ) -> Iterator[Page]:
        if entry.list_path is None:
            raise ValueError(f"{entry.name} is not read as a list")
        path = _filled(entry.list_path, parent=parent)

        def read(with_paging: Mapping[str, paging.Wire]) -> httpx.Response:
            for attempt in range(1, PAGE_ATTEMPTS + 1):
                if self._stop.is_set():
                    raise Unavailable("stopping", system=SYSTEM, costs_attempt=False)
                try:
                    return self._transport.send(
                        "GET", path, repeatable=True, params=with_paging, headers=_JSON
                    )
                except RateLimited as limited:
                    pause = 1.0 if limited.retry_after is None else limited.retry_after
                    if attempt == PAGE_ATTEMPTS or pause > LONGEST_PAUSE:
                        raise
                    self._stop.wait(pause)
            raise AssertionError("unreachable: the last attempt returns or raises")

        yield from paging.read_pages(entry, query, read, position)

    def create(
        self, register: str, body: Json, *, parent: str | None = None, not_after: float | None = None
    ) -> Json:
        """POST; the created record as the vendor stored it.

        Sent once, on a connection of its own. Raises OutcomeUnknown when no answer came, and also when the vendor said
        yes without saying what it made: then it has to be looked up as well.
        """
        entry = _register(register, parent)
        if entry.create_path is None:
            raise ValueError(f"{register} records are not created by the bridge")
        path = _filled(entry.create_path, parent=parent)
        answer = self._transport.send(
            "POST", path, repeatable=False, json=body, headers=_JSON, not_after=not_after
        )
        created = _first(parsed(answer))
        if created is not None and created.get("guid"):
            return created
        guid = _last_segment(answer.headers.get("location", ""))
        if guid and entry.item_path is not None:
            try:
                return self.get(entry.name, guid)
            except (TryLater, Refused, SignInFailed):
                # Whatever the reading failed of, the record was made: this must never look like 'not done'.
                _log.warning("created_but_not_read", system=SYSTEM, register=entry.name, guid=guid)
        raise OutcomeUnknown(
            f"POST {path} was accepted but the answer does not name the record",
            system=SYSTEM,
            status=answer.status_code,
            operation=f"POST {path}",
        )

    def patch(
        self, register: str, guid: str, changes: Mapping[str, Any], *, not_after: float | None = None
    ) -> Json:
        """PATCH of replace operations in the order given; the record as stored afterwards.

        Keys are paths (``/status/guid``), values native JSON, None clears. Raises ValueError for no changes at all. Under a
        permission (``not_after``) one form is tried: NotSent when another one may be meant, OutcomeUnknown when no answer came.
        """
        entry = _register(register)
        if entry.item_path is None or not entry.patches:
            raise ValueError(f"{register} records are not changed by the bridge")
        if not changes:
            raise ValueError("a PATCH needs at least one change")
        path = _filled(entry.item_path, guid=guid)
        ways = self._spelling.ways(entry.name, changes)
        refusal = self._spelling.refusal(entry.name, changes)
        stored: Json | None = None
        for way in ways:
            try:
                answer = self._transport.send(
                    "PATCH", path, repeatable=True, json=way.operations, headers=_JSON, not_after=not_after
                )
            except Refused as refused:
                # A refusal is a 'no': nothing was changed, and the other form may be the one that is meant.
                if refused.status not in _OTHER_FORM:
                    raise
                refusal = refused if refusal is None or _about_the_path(refusal) else refusal
                self._begin_anew(entry.name, changes, ways, way, not_after, refused)
                continue
            stored = _first(parsed(answer), guid)
            if stored is None or (len(ways) > 1 and not taken(changes, entry.name, stored)):
                # Before a status is written a second time it must be sure that the first writing did nothing.
                stored = self._read_back(entry.name, guid, not_after)
            if taken(changes, entry.name, stored):
                self._spelling.learn(entry.name, changes, way.form)
                return stored
            self._begin_anew(entry.name, changes, ways, way, not_after, None)
        self._spelling.give_up(entry.name, changes)
        if stored is None:
            raise refusal or Refused(system=SYSTEM, operation=f"PATCH {path}")
        return stored

    def _read_back(self, register: str, guid: str, not_after: float | None) -> Json:
        try:
            return self.get(register, guid)
        except (TryLater, Refused, SignInFailed) as error:
            if not_after is None:
                raise
            # The change was accepted: what the reading failed of must not look like 'not done'.
            raise OutcomeUnknown(
                f"{register} {guid} was changed but cannot be read", system=SYSTEM
            ) from error

    def _begin_anew(
        self,
        register: str,
        changes: Mapping[str, Any],
        ways: Sequence[Spelled],
        way: Spelled,
        not_after: float | None,
        refused: Refused | None,
    ) -> None:
        """One permission is one call: the next form needs another. The form that was refused is remembered."""
        if not_after is not None and way is not ways[-1]:
            self._spelling.refused(register, changes, way.form, refused)
            raise NotSent("this form is not taken, another one is to be tried", system=SYSTEM)

    def download(self, register: str, guid: str) -> bytes:
        """The bytes of ``files`` (file guid, not the guid of the invoice file) or of ``invoices/pdf`` (invoice guid)."""
        if register not in DOWNLOADS:
            raise ValueError(f"{register} has no bytes; known: {', '.join(DOWNLOADS)}")
        path, query = DOWNLOADS[register]
        answer = self._transport.send(
            "GET",
            _filled(path, guid=guid),
            repeatable=True,
            params=query,
            headers={"Accept": "*/*"},
            largest=FILE_BYTES,
        )
        return answer.content

    def upload(
        self,
        project_guid: str,
        name: str,
        description: str,
        content: bytes,
        *,
        not_after: float | None = None,
    ) -> Json:
        """Add one file to a project (multipart/related); its metadata, {} if the vendor gave none. Not repeatable."""
        entry = REGISTERS["projects/files"]
        boundary = uuid.uuid4().hex
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        body = b"\r\n".join(
            [
                f"--{boundary}\r\nContent-Type: application/json\r\n".encode(),
                dumped({"Description": description, "Name": name}),
                f"--{boundary}\r\nContent-Type: {kind}\r\n".encode(),
                content,
                f"--{boundary}--\r\n".encode(),
            ]
        )
        answer = self._transport.send(
            "POST",
            _filled(entry.create_path or "", parent=project_guid),
            repeatable=False,
            content=body,
            headers={**_JSON, "Content-Type": f"multipart/related; boundary={boundary}"},
            not_after=not_after,
        )
        return _first(parsed(answer)) or {}

    def _post_token(self, body: dict[str, str]) -> httpx.Response:
        return self._transport.outside(
            "POST", self._base + TOKEN_PATH, json=body, headers={"Client_Id": self._client_id, **_JSON}
        )


def _register(name: str, parent: str | None = None) -> Register:
    entry = REGISTERS.get(OF_PARENT.get(name, name) if parent is not None else name)
    if entry is None:
        raise ValueError(f"unknown register {name}")
    return entry


def _filled(path: str, *, guid: str | None = None, parent: str | None = None) -> str:
    for placeholder, value in (("{guid}", guid), ("{parent}", parent)):
        if placeholder not in path:
            continue
        # An empty segment would ask for the whole list instead of one record.
        if not value:
            raise ValueError(f"{path} needs {placeholder}")
        path = path.replace(placeholder, quote(value, safe=""))
    return path


def _first(body: Any, guid: str | None = None) -> Json | None:
    rows = [row for row in (body if isinstance(body, list) else [body]) if isinstance(row, dict)]
    if not rows:
        return None
    return next((row for row in rows if guid is not None and row.get("guid") == guid), rows[0])


def _about_the_path(refusal: Refused) -> bool:
    """Whether the vendor complains of the form of a PATCH and not of what is in it: the other form says more."""
    return any(word in refusal.message.casefold() for word in ("path", "target location", "/status"))


def _last_segment(location: str) -> str:
    return unquote(urlsplit(location).path.rstrip("/").rsplit("/", 1)[-1]) if location else ""
