"""``domain.ports.Books`` over PostgreSQL: what the bridge remembers of one tenant.

Each question is a short transaction of its own, or many of them are one (``at_once``).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from threading import Lock
from typing import Any
from uuid import UUID

from db import log, matters, records, streams, tenants
from db.pool import Database
from db.tenant import TenantDb
from domain import clock
from domain.model import Domain, Link, Record, System
from domain.ports import Answer, Books

REFERENCE_SECONDS = 5.0


class ReferenceCache:
    """Reference registers change rarely and are asked for with every invoice: kept for a few seconds per process."""

    def __init__(self, seconds: float = REFERENCE_SECONDS) -> None:
        self._seconds = seconds
        self._lock = Lock()
        self._kept: dict[tuple[UUID, str, str], tuple[float, list[Record]]] = {}

    def get(
        self,
        reading: Callable[[], AbstractContextManager[TenantDb]],
        tenant_id: UUID,
        system: str,
        register: str,
    ) -> list[Record]:
        """``reading`` opens the tenant's transaction when there is something to ask."""
        key = (tenant_id, system, register)
        with self._lock:
            kept = self._kept.get(key)
        if kept and clock.monotonic() - kept[0] < self._seconds:
            return kept[1]
        with reading() as connection:
            found = records.all_of(connection, system, register)
        with self._lock:
            if len(self._kept) > 2000:
                self._kept.clear()
            self._kept[key] = (clock.monotonic(), found)
        return found


class TenantBooks:
    """Implements ``domain.ports.Books``."""

    def __init__(self, db: Database, tenant_id: UUID, cache: ReferenceCache) -> None:
        self._db = db
        self._tenant_id = tenant_id
        self._cache = cache
        self._kept: dict[tuple[Hashable, ...], Any] = {}
        self._branches: Mapping[str, str] | None = None
        self._held: TenantDb | None = None

    def at_once(self, ask: Callable[[Books], Answer]) -> Answer:
        """What ``ask`` finds out, in one transaction; its answers are kept for the delivery. ``ask`` makes no call."""
        if self._held is not None:
            return ask(self)
        with self._db.tenant(self._tenant_id) as db:
            self._held = db
            try:
                return ask(self)
            finally:
                self._held = None

    @contextmanager
    def _reading(self) -> Iterator[TenantDb]:
        if self._held is not None:
            yield self._held
            return
        with self._db.tenant(self._tenant_id) as db:
            yield db

    def _asked(self, key: tuple[Hashable, ...], ask: Callable[[TenantDb], Answer]) -> Answer:
        """Asks once per delivery: what was found is a snapshot, what was not found is looked for again."""
        if key in self._kept:
            kept: Answer = self._kept[key]
            return kept
        with self._reading() as db:
            found = ask(db)
        if found:
            self._kept[key] = found
        return found

    def link(self, domain: Domain, *, severa_id: str | None = None, erp_id: str | None = None) -> Link | None:
        """Asked once per delivery where there is one; what is not linked is looked for again."""
        return self._asked(
            ("link", domain, severa_id, erp_id),
            lambda db: matters.link(db, domain, severa_id=severa_id, erp_id=erp_id),
        )

    def link_by_number(self, domain: Domain, *, erp_number: str) -> Link | None:
        """As ``link``, by the number in the ERP."""
        return self._asked(
            ("number", domain, erp_number), lambda db: matters.link(db, domain, erp_number=erp_number)
        )

    def record(self, system: System, register: str, id: str) -> Record | None:
        """Asked once per delivery, likewise."""
        return self._asked(
            ("record", system, register, id),
            lambda db: records.get(db, system, register, id),
        )

    def find(
        self,
        system: System,
        register: str,
        *,
        number: str | None = None,
        name: str | None = None,
        organisation: str | None = None,
        owner: str | None = None,
    ) -> list[Record]:
        """Never kept: what other deliveries link or make meanwhile is found."""
        with self._reading() as db:
            return records.find(
                db,
                system,
                register,
                number=number,
                name=name,
                organisation=organisation,
                owner=owner,
            )

    def find_marker(self, marker: str) -> list[Record]:
        """Of the documents that polls and deliveries have seen; the vendor's list is another thing."""
        with self._reading() as db:
            return records.by_marker(db, marker)

    def document_owner(self, type: str, number: str) -> str | None:
        """Over all matters of the tenant, retired documents included."""
        with self._reading() as db:
            return matters.document_owner(db, type, number)

    def knew_before(self, system: System, register: str, id: str, moment: datetime) -> bool:
        """By the database's clock."""
        with self._reading() as db:
            return records.known_before(db, system, register, id, moment)

    def needed(
        self, domain: Domain, *, severa_id: str | None = None, erp_id: str | None = None
    ) -> tuple[str, ...]:
        """Nothing for a record that has no matter."""
        with self._reading() as db:
            found = matters.find(db, domain, severa_id=severa_id, erp_id=erp_id)
            return matters.needed(db, found.id) if found else ()

    def all(self, system: System, register: str) -> list[Record]:
        """From the cache of this process, some seconds old at most."""
        return self._cache.get(self._reading, self._tenant_id, system, register)

    def complete(self, system: System, register: str) -> bool:
        """Asked once per delivery and system."""
        found = self._asked(("streams", system), lambda db: streams.streams(db, system)).get(register)
        return bool(found and found.complete_at)

    def has_problem(self, domain: Domain, *, severa_id: str | None = None, erp_id: str | None = None) -> bool:
        """False for a record that has no matter."""
        with self._reading() as db:
            found = matters.find(db, domain, severa_id=severa_id, erp_id=erp_id)
            return found is not None and log.has_problem(db, domain, found.id)

    def choice(
        self, domain: Domain, *, severa_id: str | None = None, erp_id: str | None = None
    ) -> str | None:
        """Asked once per delivery, also when there is none."""
        system, record_id = ("severa", severa_id) if severa_id else ("visma_net", erp_id)
        key = (domain, system, record_id or "")
        # Most records have none: that, too, is asked once. A choice made meanwhile announces the record again.
        if key not in self._kept:
            with self._reading() as db:
                self._kept[key] = matters.choice(db, *key)
        choice: str | None = self._kept[key]
        return choice

    def branch(self, business_unit_id: str) -> str | None:
        """All mappings of the tenant are read at the first question."""
        if self._branches is None:
            with self._reading() as db:
                self._branches = tenants.branches(db)
        return self._branches.get(business_unit_id)


# Under which registers an unlinked record of a domain may stand.
SEVERA_REGISTERS: dict[str, tuple[str, ...]] = {
    "customer": ("customers",),
    "product": ("products", "worktypes", "travelexpensetypes"),
    "project": ("projects", "salescases"),
    "invoice": ("invoices",),
    "payment": ("invoices",),
    "cost": (),
}
# Registers that show the same record: a sales case that is won leaves one and stands in the other.
SIBLINGS: dict[str, tuple[str, ...]] = {"projects": ("salescases",), "salescases": ("projects",)}
ERP_REGISTERS: dict[str, tuple[str, ...]] = {
    "customer": ("customer",),
    "product": ("inventory",),
    "project": ("project",),
    "invoice": (),
    "payment": ("customerdocument",),
    "cost": ("supplierInvoice", "journaltransaction"),
}
