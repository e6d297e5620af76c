"""In-memory vendors: what they store is all that can be found in them, and any call can be made to fail."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.errors import NotFound, NotSent, Stale
from domain.model import ActionResult, Filter, Json, Page, Stored, System
from tests.fakes_faults import Call, Faults, Killed

__all__ = ["START", "Call", "Clock", "FakeErp", "FakeSevera", "Faults", "Killed", "identify", "unwrapped"]

START = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime = START) -> None:
        self.time = start
        # Times from before the last call of a vendor and from after its answer.
        self.called: tuple[datetime, datetime] | None = None

    def boot(self) -> float:
        """As ``domain.clock.boot``: seconds that only differences mean anything of."""
        return (self.time - START).total_seconds()

    def now(self) -> datetime:
        return self.time

    def forward(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class _Vendor:
    system: System

    def __init__(self, clock: Clock, faults: Faults, calls: list[Call]) -> None:
        self.clock = clock
        self.faults = faults
        self.calls = calls
        self.records: dict[str, dict[str, Json]] = {}
        # Permissions that were granted and those that were used, one call each; one vendor's are the other's.
        self.permitted: list[float] = []
        self.used: set[float] = set()
        # A pause of the process between the permission and the first byte (S5, S23): seconds, taken once.
        self.pauses: dict[tuple[str, str], float] = {}
        # (method, register) → how often a call is answered as if it had been done, and is not.
        self.lies: dict[tuple[str, str], int] = {}

    def store(self, register: str, body: Json, key: str | None = None) -> Json:
        """Puts a record there as if a person had; the key is taken from the body if not given."""
        own = copy.deepcopy(body)
        self.records.setdefault(register, {})[key or identify(self.system, register, own)] = own
        return own

    def stored(self, register: str, key: str) -> Json:
        """The live record, to be looked at or changed by the test."""
        try:
            return self.records[register][key]
        except KeyError:
            raise NotFound(
                "Resource not found", system=self.system, status=404, operation=f"GET {register}"
            ) from None

    def own_calls(self) -> list[Call]:
        """What was asked of this vendor, in order."""
        return [call for call in self.calls if call.system == self.system]

    def _do(
        self,
        method: str,
        register: str,
        key: str,
        body: Any,
        work: Callable[[], Any],
        *,
        not_after: float | None = None,
    ) -> Any:
        """``not_after``: None for a read, and for a write that nobody guards."""
        self.clock.forward(self.pauses.pop((method, register), 0.0))
        if not_after is not None:
            if self.clock.boot() > not_after or not_after in self.used:
                raise NotSent(f"{method} {register}: the permission has run out")
            self.used.add(not_after)
        before = self.clock.now()
        call = Call(self.system, method, register, key, copy.deepcopy(body))
        self.calls.append(call)
        if self.lies.get((method, register), 0) > 0:
            self.lies[method, register] -= 1
            work = self._lying(work)
        try:
            return self.faults.around(call, work)
        finally:
            self.clock.called = (before, self.clock.now())

    def _lying(self, work: Callable[[], Any]) -> Callable[[], Any]:
        """Its answer is that of a call that was carried out; nothing of it is kept."""
        names = [name for name in ("records", "children", "attachments") if hasattr(self, name)]

        def lie() -> Any:
            kept = {name: copy.deepcopy(getattr(self, name)) for name in names}
            answer = work()
            for name, value in kept.items():
                setattr(self, name, value)
            return answer

        return lie

    def _matching(self, register: str, filters: Mapping[str, Filter]) -> list[Json]:
        """Override for filters that mean more than equality of a member."""
        rows = self.records.get(register, {}).values()
        return [
            copy.deepcopy(row)
            for row in rows
            if all(str(row.get(name)) == str(value) for name, value in filters.items() if name in row)
        ]

    def pages(self, register: str, *, changed_since: datetime | None = None) -> Iterator[Page]:
        yield self._do("pages", register, "", changed_since, lambda: self._page(register))

    def _page(self, register: str) -> Page:
        return Page(self._matching(register, {}), self.clock.now())


class FakeSevera(_Vendor):
    """Severa: PATCH of ``/a/b`` paths sets the member; every write moves ``lastUpdatedDateTime``."""

    system: System = "severa"

    def __init__(self, clock: Clock, faults: Faults, calls: list[Call]) -> None:
        super().__init__(clock, faults, calls)
        self.children: dict[tuple[str, str], list[Json]] = {}
        self.files: dict[tuple[str, str], bytes] = {}
        self._next = 0

    def get(self, register: str, guid: str) -> Json:
        body: Json = self._do("get", register, guid, None, lambda: copy.deepcopy(self.stored(register, guid)))
        return body

    def list(self, register: str, *, parent: str | None = None, **filters: Filter) -> Iterator[Json]:
        def work() -> list[Json]:
            if parent is not None:
                return copy.deepcopy(self.children.get((register, parent), []))
            return self._matching(register, filters)

        yield from self._do("list", register, parent or "", dict(filters), work)

    def create(
        self, register: str, body: Json, *, parent: str | None = None, not_after: float | None = None
    ) -> Json:
        def work() -> Json:
            self._next += 1
            new = {
                **copy.deepcopy(body),
                "guid": f"{register}-{self._next}",
                "createdDateTime": self.clock.now().isoformat(),
            }
            self.on_create(register, new, parent)
            if parent is not None:
                self.children.setdefault((register, parent), []).append(new)
            self.records.setdefault(register, {})[new["guid"]] = new
            return copy.deepcopy(new)

        created: Json = self._do("create", register, parent or "", body, work, not_after=not_after)
        return created

    def on_create(self, register: str, new: Json, parent: str | None) -> None:
        """What the server adds to a new record."""

    def patch(
        self, register: str, guid: str, changes: Mapping[str, Any], *, not_after: float | None = None
    ) -> Json:
        def work() -> Json:
            body = self.stored(register, guid)
            for path, value in changes.items():
                self.on_patch(register, body, path, copy.deepcopy(value))
            body["lastUpdatedDateTime"] = self.clock.now().isoformat()
            return copy.deepcopy(body)

        patched: Json = self._do("patch", register, guid, dict(changes), work, not_after=not_after)
        return patched

    def on_patch(self, register: str, body: Json, path: str, value: Any) -> None:
        """One replace operation."""
        *parents, leaf = path.strip("/").split("/")
        for name in parents:
            if not isinstance(body.get(name), dict):
                body[name] = {}
            body = body[name]
        body[leaf] = value

    def download(self, register: str, guid: str) -> bytes:
        content: bytes = self._do("download", register, guid, None, lambda: self.files[register, guid])
        return content

    def upload(
        self,
        project_guid: str,
        name: str,
        description: str,
        content: bytes,
        *,
        not_after: float | None = None,
    ) -> Json:
        body = {"name": name, "description": description, "size": len(content)}
        return self.create("projects/files", body, parent=project_guid, not_after=not_after)


class FakeErp(_Vendor):
    """Visma.net ERP: ``create`` numbers by itself; update members are unwrapped and put over the record.

    Override ``on_create``, ``on_update``, ``on_act`` for a register that does more than store.
    """

    system: System = "visma_net"

    def __init__(self, clock: Clock, faults: Faults, calls: list[Call]) -> None:
        super().__init__(clock, faults, calls)
        self.etags: dict[tuple[str, str], int] = {}
        self.attachments: dict[tuple[str, str], dict[str, bytes]] = {}
        self.location_comes_back = True
        self._next = 100

    def get(self, register: str, key: str) -> Stored:
        def work() -> Stored:
            if register.endswith("/internal"):
                base = register.removesuffix("/internal")
                rows = self.records.get(base, {}).values()
                found = [
                    row for row in rows if key in {str(row.get("internalId")), str(row.get("internalID"))}
                ]
                if not found:
                    raise NotFound(
                        "Resource not found", system="visma_net", status=404, operation=f"GET {register}"
                    )
                return Stored(copy.deepcopy(found[0]), None)
            return Stored(copy.deepcopy(self.stored(register, key)), self._etag(register, key))

        answer: Stored = self._do("get", register, key, None, work)
        return answer

    def _etag(self, register: str, key: str) -> str:
        return f'"{self.etags.get((register, key), 0)}"'

    def _touch(self, register: str, key: str) -> None:
        self.etags[register, key] = self.etags.get((register, key), 0) + 1
        body = self.records.get(register, {}).get(key)
        if body is not None:
            # The ERP's times carry no zone.
            body["lastModifiedDateTime"] = self.clock.now().replace(tzinfo=None).isoformat()

    def list(self, register: str, **filters: Filter) -> Iterator[Json]:
        yield from self._do("list", register, "", dict(filters), lambda: self._matching(register, filters))

    def create(self, register: str, body: Json, *, not_after: float | None = None) -> str:
        def work() -> str:
            self._next += 1
            key = self.on_create(register, copy.deepcopy(body), str(self._next))
            created = self.records[register][key]
            created.setdefault("createdDateTime", self.clock.now().replace(tzinfo=None).isoformat())
            self._touch(register, key)
            return key if self.location_comes_back else ""

        key: str = self._do("create", register, "", body, work, not_after=not_after)
        return key

    def on_create(self, register: str, body: Json, number: str) -> str:
        """Stores the new record under its key and returns the key."""
        self.records.setdefault(register, {})[number] = {**unwrapped(body), "number": number}
        return number

    def _match(self, register: str, key: str, etag: str | None) -> None:
        if etag is not None and etag != self._etag(register, key):
            raise Stale("The record was changed", system="visma_net", status=412, operation=register)

    def update(
        self,
        register: str,
        key: str,
        body: Json,
        *,
        etag: str | None = None,
        not_after: float | None = None,
    ) -> str | None:
        def work() -> str:
            self.stored(register, key)
            self._match(register, key, etag)
            self.on_update(register, key, copy.deepcopy(body), etag)
            self._touch(register, key)
            return self._etag(register, key)

        new: str | None = self._do("update", register, key, body, work, not_after=not_after)
        return new

    def on_update(self, register: str, key: str, body: Json, etag: str | None) -> None:
        """Puts the members given over the record."""
        self.records[register][key].update(unwrapped(body))

    def delete(self, register: str, key: str, *, not_after: float | None = None) -> bool:
        answer: bool = self._do(
            "delete", register, key, None, lambda: self.on_delete(register, key), not_after=not_after
        )
        return answer

    def on_delete(self, register: str, key: str) -> bool:
        """Whether there was such a record."""
        return self.records.get(register, {}).pop(key, None) is not None

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
        def work() -> ActionResult:
            self.stored(register, key)
            self._match(register, key, etag)
            result = self.on_act(register, key, action, body)
            self._touch(register, key)
            return result

        answer: ActionResult = self._do("act", f"{register}/{action}", key, body, work, not_after=not_after)
        return answer

    def on_act(self, register: str, key: str, action: str, body: Json | None) -> ActionResult:
        """What the action does."""
        return ActionResult("Done", "")

    def attach(
        self, register: str, key: str, name: str, content: bytes, *, not_after: float | None = None
    ) -> None:
        def work() -> None:
            self.attachments.setdefault((register, key), {})[name] = content

        self._do("attach", register, key, name, work, not_after=not_after)

    def download(self, attachment_id: str) -> bytes:
        def work() -> bytes:
            for files in self.attachments.values():
                if attachment_id in files:
                    return files[attachment_id]
            raise NotFound("Resource not found", system="visma_net", status=404, operation="GET attachment")

        content: bytes = self._do("download", "attachment", attachment_id, None, work)
        return content


def unwrapped(value: Any) -> Any:
    """An update body without its ``{"value": …}`` wrappers."""
    if isinstance(value, dict):
        return (
            unwrapped(value["value"])
            if value.keys() == {"value"}
            else {k: unwrapped(v) for k, v in value.items()}
        )
    return [unwrapped(item) for item in value] if isinstance(value, list) else value


def identify(system: System, register: str, body: Json) -> str:
    """The internal id of a record, as the registers of the domain say it."""
    if system == "severa":
        return str(body["guid"])
    if "documentType" in body and "referenceNumber" in body:
        return f"{body['documentType']}/{body['referenceNumber']}"
    for name in (
        "internalId",
        "internalID",
        "inventoryId",
        "vatCategoryId",
        "vatId",
        "termsId",
        "contactId",
        "number",
        "id",
    ):
        if body.get(name) is not None:
            return str(body[name])
    raise KeyError(f"no id in a record of {register}")
