"""Reading Visma.net ERP: records, lists, pages and files; what is not in the shape asked for is *not known*."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from connectors.listing import Batch, Reading, once_each, read_whole
from connectors.meaning import Odd, Question, file_of, json_of, object_of, same_key
from connectors.visma_net.amounts import AMOUNTS
from connectors.visma_net.calls import Calls
from connectors.visma_net.errors import SYSTEM
from connectors.visma_net.paging import Check, Fetched, read_once
from connectors.visma_net.paths import item_path, register_of, typed_key
from connectors.visma_net.queries import Query, changes, query
from connectors.visma_net.register import Register
from connectors.visma_net.registers import REGISTERS
from connectors.visma_net.rows import first, list_in, member, plain
from domain.errors import NotFound, RegisterMissing
from domain.model import Filter, Json, Page, Stored


class Reader:
    """The reading half of a connection. Everything may raise TryLater (NotKnown among it), Refused, SignInFailed."""

    def __init__(self, calls: Calls, time_zone: str) -> None:
        self._calls = calls
        self._time_zone = time_zone

    def get(self, register: str, key: str) -> Stored:
        """One record by its key; ``VismaNetClient.get``."""
        known = register_of(register)
        path = item_path(known, key)
        if not known.is_record:
            raise ValueError(f"what Visma.net ERP has at '{register}' is no record")
        answer = self._calls.read(path)
        try:
            body = record_in(json_of(answer), known, key)
        except Odd as odd:
            raise Question(SYSTEM, f"GET {path}").not_known(odd) from odd
        return Stored(body, answer.headers.get("etag") or None)

    def list(self, register: str, filters: Mapping[str, Filter]) -> Iterator[Json]:
        """All rows of a list; ``VismaNetClient.list``."""
        asked = query(register_of(register), filters, self._time_zone)
        return once_each(self._batches(asked, asked.checked, usable_amounts=True))

    def pages(
        self, register: str, changed_since: datetime | None, position: str | None = None
    ) -> Iterator[Page]:
        """A register page by page; ``VismaNetClient.pages``."""
        asked = changes(register_of(register), changed_since, self._time_zone)
        whole = changed_since is None or asked.register.changed is None
        batches = self._batches(asked, asked.fitting, sure_of_none=whole, position=position)
        return (
            Page([row.body for row in batch.rows], batch.server_time, batch.position) for batch in batches
        )

    def download(self, attachment_id: str) -> bytes:
        """An attachment's bytes; ``VismaNetClient.download``."""
        path = item_path(REGISTERS["attachment"], attachment_id)
        answer = self._calls.read(path, accept="*/*")
        try:
            return file_of(answer)
        except Odd as odd:
            raise Question(SYSTEM, f"GET {path}").not_known(odd) from odd

    def _batches(
        self,
        asked: Query,
        check: Check,
        *,
        usable_amounts: bool = False,
        sure_of_none: bool = False,
        position: str | None = None,
    ) -> Iterator[Batch]:
        known = asked.register

        def once(begin: str | None) -> Reading:
            return read_once(
                known,
                lambda number: self._page(asked, number),
                check=check,
                usable_amounts=usable_amounts,
                sure_of_none=sure_of_none,
                stop=self._calls.stop,
                position=begin,
            )

        try:
            yield from read_whole(once, system=SYSTEM, register=known.name, position=position)
        except NotFound as missing:
            # A list is there even when it is empty: who has none has no such register.
            raise RegisterMissing(
                missing.message, system=SYSTEM, register=known.name, operation=f"GET {known.listing}"
            ) from missing

    def _page(self, asked: Query, number: int) -> Fetched:
        path = asked.register.listing
        answer = self._calls.read(path, params=asked.parameters(number))
        try:
            rows, count = list_in(json_of(answer), asked.register, further=number > 1)
        except Odd as odd:
            raise Question(SYSTEM, f"GET {path}").not_known(odd) from odd
        return Fetched(rows, count, _date(answer))


def record_in(body: object, known: Register, key: str) -> Json:
    """The record of that key. Raises Odd for anything else, another record among it."""
    record = object_of(plain(body), AMOUNTS)
    if known.shows:
        if not any(name in record for name in known.shows):
            raise Odd("it shows none of the register's members")
        return record
    kind, number = typed_key(known, key)
    if not any(same_key(value, number) for name in _key_members(known) for value in member(record, name)):
        raise Odd("it is not the record that was asked for")
    if kind and not same_key(first(record, "documentType"), kind):
        raise Odd("it is of another type than was asked for")
    return record


def _key_members(known: Register) -> list[str]:
    """The members that may show a record's key: the vendor spells the internal id of a project in two ways."""
    if known.name.endswith("/internal"):
        return [name for group in known.identity if len(group) == 1 for name in group]
    return [known.number]


def _date(answer: httpx.Response) -> datetime | None:
    try:
        at = parsedate_to_datetime(answer.headers.get("date", ""))
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
