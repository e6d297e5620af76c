"""Reading Severa: records, lists, pages and files; what is not in the shape asked for is *not known*."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx
import structlog

from connectors.http import Transport
from connectors.listing import Batch, Reading, once_each, read_whole
from connectors.meaning import Odd, Question, file_of, json_of, key_text, object_of, same_key
from connectors.severa import paging
from connectors.severa.amounts import AMOUNTS
from connectors.severa.errors import SYSTEM
from connectors.severa.models import changed_at, format_time
from connectors.severa.registers import DOWNLOADS, OF_PARENT, REGISTERS, Register
from connectors.wire import FILE_BYTES
from domain.errors import NotFound, RateLimited, Refused, RegisterMissing, Unavailable
from domain.model import Filter, Json, Page

PAGE_ATTEMPTS = 4
"""A list of many pages is not thrown away for one 429: the page is asked for again after the pause."""
LONGEST_PAUSE = 5.0

ACCEPT_JSON = {"Accept": "application/json"}
LONGEST_CODE = 3
"""Letters of a country's code; what is longer is its name."""

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_FIRST_BYTES: Mapping[str, bytes] = {"invoices/pdf": b"%PDF"}
_log = structlog.get_logger(__name__)


class Reader:
    """The reading half of a connection. Everything may raise TryLater (NotKnown among it), Refused, SignInFailed."""

    def __init__(self, transport: Transport, stop: threading.Event) -> None:
        self._transport = transport
        self._stop = stop

    def get(self, register: str, guid: str) -> Json:
        """One record by guid; ``SeveraClient.get``."""
        entry = register_of(register)
        path = entry.list_path if entry.paging == "single" else entry.item_path
        if path is None:
            raise ValueError(f"records of {register} are not read singly")
        path = filled(path, guid=guid)
        answer = self._transport.send("GET", path, repeatable=True, headers=ACCEPT_JSON)
        question = Question(SYSTEM, f"GET {path}")
        try:
            found = _found(json_of(answer), entry, guid)
        except Odd as odd:
            raise question.not_known(odd) from odd
        if found is None:
            raise NotFound(system=SYSTEM, status=404, operation=question.operation)
        return found

    def list(self, register: str, parent: str | None, filters: Mapping[str, Filter]) -> Iterator[Json]:
        """All rows of a list; ``SeveraClient.list``."""
        entry = register_of(register, parent)
        query = paging.query_of(entry, filters)
        rows = once_each(self._batches(entry, query, parent, usable_amounts=True))
        return (row for row in rows if _is_wanted(row, entry, filters))

    def pages(
        self, register: str, changed_since: datetime | None, position: str | None = None
    ) -> Iterator[Page]:
        """A register page by page; ``SeveraClient.pages``."""
        entry = register_of(register)
        if entry.needs_parent:
            raise ValueError(f"{register} is read below a record, not as a whole")
        query: dict[str, paging.Wire] = {}
        if changed_since is not None and entry.change_filter is not None:
            query[entry.change_filter] = format_time(changed_since)
            query.update({name: list(values) for name, values in entry.change_options.items()})
        return self._pages(entry, query, changed_since if query else None, position)

    def download(self, register: str, guid: str) -> bytes:
        """A file's bytes; ``SeveraClient.download``."""
        if register not in DOWNLOADS:
            raise ValueError(f"{register} has no bytes; known: {', '.join(DOWNLOADS)}")
        path, query = DOWNLOADS[register]
        path = filled(path, guid=guid)
        answer = self._transport.send(
            "GET", path, repeatable=True, params=query, headers={"Accept": "*/*"}, largest=FILE_BYTES
        )
        try:
            return file_of(answer, starts=_FIRST_BYTES.get(register, b""))
        except Odd as odd:
            raise Question(SYSTEM, f"GET {path}").not_known(odd) from odd

    def _pages(
        self,
        entry: Register,
        query: Mapping[str, paging.Wire],
        since: datetime | None,
        position: str | None,
    ) -> Iterator[Page]:
        older = 0
        for batch in self._batches(entry, query, None, usable_amounts=False, position=position):
            page = Page([row.body for row in batch.rows], batch.server_time, batch.position)
            yield page
            if since is not None and not entry.change_options:
                older += sum(1 for row in page.rows if (time := changed_at(row)) is not None and time < since)
        if older:
            _log.warning(
                "filter_ignored", system=SYSTEM, register=entry.name, filter=entry.change_filter, rows=older
            )

    def _batches(
        self,
        entry: Register,
        query: Mapping[str, paging.Wire],
        parent: str | None,
        *,
        usable_amounts: bool,
        position: str | None = None,
    ) -> Iterator[Batch]:
        if entry.list_path is None:
            raise ValueError(f"{entry.name} is not read as a list")
        path = filled(entry.list_path, parent=parent)

        def once(begin: str | None) -> Reading:
            return paging.read_once(
                entry,
                query,
                lambda sent: self._page(path, sent),
                usable_amounts=usable_amounts,
                position=begin,
            )

        try:
            yield from read_whole(once, system=SYSTEM, register=entry.name, position=position)
        except NotFound as missing:
            if parent is not None:
                # What the rows belong to is gone: that is what the vendor's 404 says of a path with its guid.
                raise
            raise RegisterMissing(
                missing.message, system=SYSTEM, register=entry.name, operation=f"GET {path}"
            ) from missing

    def _page(self, path: str, query: Mapping[str, paging.Wire]) -> httpx.Response:
        for attempt in range(1, PAGE_ATTEMPTS + 1):
            if self._stop.is_set():
                raise Unavailable("stopping", system=SYSTEM, costs_attempt=False)
            try:
                return self._transport.send("GET", path, repeatable=True, params=query, headers=ACCEPT_JSON)
            except RateLimited as limited:
                pause = 1.0 if limited.retry_after is None else limited.retry_after
                if attempt == PAGE_ATTEMPTS or pause > LONGEST_PAUSE:
                    raise
                self._stop.wait(pause)
        raise AssertionError("unreachable: the last attempt returns or raises")


def register_of(name: str, parent: str | None = None) -> Register:
    """The register of that name, or the one below a record that it means when a parent is given. Raises ValueError."""
    entry = REGISTERS.get(OF_PARENT.get(name, name) if parent is not None else name)
    if entry is None:
        raise ValueError(f"unknown register {name}")
    return entry


def filled(path: str, *, guid: str | None = None, parent: str | None = None) -> str:
    """The path with its guids, quoted. Raises ValueError for an empty one: it would ask for the whole list."""
    for placeholder, value in (("{guid}", guid), ("{parent}", parent)):
        if placeholder not in path:
            continue
        if not value:
            raise ValueError(f"{path} needs {placeholder}")
        # A lone surrogate in a guid is no guid; the server says so.
        path = path.replace(placeholder, quote(value, safe="", errors="replace"))
    return path


def record_of(body: object, guid: str) -> Json:
    """The record of that guid. Raises Odd for anything else."""
    record = object_of(body, AMOUNTS)
    if not same_key(record.get("guid"), guid):
        raise Odd("it is not the record that was asked for")
    return record


def _found(body: object, entry: Register, guid: str) -> Json | None:
    """The record in the answer to a single read; None where the read is a search and found none."""
    if entry.paging == "single":
        record = object_of(body, AMOUNTS)
        if not any(name in record for name in entry.shows):
            raise Odd("it shows none of the register's members")
        return record
    if entry.searched and isinstance(body, list):
        return _searched(body, entry, guid)
    return record_of(body, guid)


def _searched(rows: list[Any], entry: Register, key: str) -> Json | None:
    """The hit of a search by guid, code or name: the row that shows the key, or the only one where it was a name."""
    if not rows:
        return None
    records = [object_of(row, AMOUNTS) for row in rows]
    if not all(key_text(record.get("guid")) for record in records):
        raise Odd("a row without its guid")
    for record in records:
        if any(same_key(record.get(name), key) for name in entry.searched):
            return record
    # A name is found in other spellings too; a guid or a code is found as itself or not at all.
    is_name = "name" in entry.searched and len(key) > LONGEST_CODE and not _GUID.fullmatch(key)
    if len(records) > 1 or not is_name:
        raise Odd("it is not the record that was asked for")
    return records[0]


def _is_wanted(row: Json, entry: Register, filters: Mapping[str, Filter]) -> bool:
    """Whether a row was asked for; False for what a looser search also found. Raises Refused for a foreign row."""
    verdicts = {name: paging.agrees(row, entry.filters[name], value) for name, value in filters.items()}
    ignored = [name for name, verdict in verdicts.items() if verdict is False]
    if ignored:
        raise Refused(
            f"filter ignored: {', '.join(ignored)} of {entry.name}",
            system=SYSTEM,
            operation=f"GET {entry.list_path}",
            filters=ignored,
        )
    return None not in verdicts.values()
