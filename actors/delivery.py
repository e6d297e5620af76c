"""One claimed row as the domain sees it (``domain.ports.Delivery``), over PostgreSQL and both connectors.

Claim is not send: before each call that cannot be repeated ``begin`` commits ``sent_at`` under the claim's token, with a
lease that outlives the call. A worker that was fenced out still records what it knows on its own attempt, but does
nothing more.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from db import attempts, links, outbox
from db.books import TenantBooks
from db.outbox import Claimed
from db.pool import Database
from domain.errors import LeaseLost, Stop
from domain.ports import (
    Books,
    Domain,
    ErpApi,
    Json,
    Limits,
    Link,
    Record,
    SeveraApi,
    Step,
    TenantContext,
)


class Systems(Protocol):
    """Both systems of a tenant, signed in and paced; ``begun`` work may use the budget's reserve."""

    def severa(self, tenant_id: UUID, *, begun: bool) -> SeveraApi: ...
    def erp(self, tenant_id: UUID, *, begun: bool) -> ErpApi: ...
    def refresh(self, tenant_id: UUID) -> None:
        """Before a delivery: a connection that was changed meanwhile gets new clients."""
        ...


class LiveDelivery:
    """Implements ``domain.ports.Delivery``."""

    def __init__(
        self,
        *,
        db: Database,
        systems: Systems,
        books: TenantBooks,
        row: Claimed,
        tenant: TenantContext,
        limits: Limits,
        link: Link | None,
        severa_record: Record | None,
        erp_record: Record | None,
        steps: Mapping[str, Step],
        first_attempt_at: datetime,
        step_lease: float,
        lease_margin: float,
    ) -> None:
        self._db = db
        self._systems = systems
        self._books = books
        self.row = row
        self._tenant = tenant
        self._limits = limits
        self._link = link
        self._severa_record = severa_record
        self._erp_record = erp_record
        self._steps = dict(steps)
        self._first = first_attempt_at
        self._step_lease = step_lease
        # What a call's limit is lengthened by: time to write its outcome down.
        self._lease_margin = lease_margin
        self._claimed_at = time.monotonic()
        self._begun = any(step.sent_at for step in steps.values())

    @property
    def tenant(self) -> TenantContext:
        return self._tenant

    @property
    def domain(self) -> Domain:
        return self.row.domain  # type: ignore[return-value]  # rows are announced by Domain values only

    @property
    def limits(self) -> Limits:
        return self._limits

    @property
    def link(self) -> Link | None:
        return self._link

    @property
    def severa_record(self) -> Record | None:
        return self._severa_record

    @property
    def erp_record(self) -> Record | None:
        return self._erp_record

    @property
    def severa(self) -> SeveraApi:
        return self._systems.severa(self.row.tenant_id, begun=self._begun)

    @property
    def erp(self) -> ErpApi:
        return self._systems.erp(self.row.tenant_id, begun=self._begun)

    @property
    def books(self) -> Books:
        return self._books

    @property
    def first_attempt_at(self) -> datetime:
        return self._first

    def now(self) -> datetime:
        """The database's clock: its time at the claim plus what has passed here since."""
        return self.row.now + timedelta(seconds=time.monotonic() - self._claimed_at)

    def step(self, name: str) -> Step | None:
        return self._steps.get(name)

    def begin(self, name: str, request: Json, *, limit_seconds: float) -> None:
        lease = max(self._step_lease, limit_seconds + self._lease_margin)
        with self._db.tenant(self.row.tenant_id) as db:
            if not outbox.extend(db, self.row, lease):
                raise LeaseLost
            sent_at = attempts.begin_step(db, self.row, name, request)
        self._begun = True
        self._steps[name] = Step(name, sent_at, False, request, {})

    def done(self, name: str, result: Json) -> None:
        with self._db.tenant(self.row.tenant_id) as db:
            attempts.end_step(db, self.row, name, result)
            ours = outbox.extend(db, self.row, self._step_lease)
        if not ours:
            raise LeaseLost
        old = self._steps.get(name)
        self._steps[name] = (
            replace(old, done=True, result=result) if old else Step(name, None, True, {}, result)
        )

    def undone(self, name: str, reason: str) -> None:
        with self._db.tenant(self.row.tenant_id) as db:
            attempts.undo_step(db, self.row, name, reason)
        self._steps.pop(name, None)

    def claim_document(self, document_type: str, number: str) -> None:
        severa_id = self._source()
        with self._db.tenant(self.row.tenant_id) as db:
            if not outbox.extend(db, self.row, self._step_lease):
                raise LeaseLost
            claimed = links.claim_document(
                db, self.row.tenant_id, severa_id, "customerdocument", (document_type, number)
            )
            found = links.find(db, self.row.tenant_id, "invoice", severa_id=severa_id)
        if not claimed:
            other = found.document[1] if found and found.document else ""
            raise Stop("invoice.other_document", {"number": number, "other": other})
        self._link = found

    def drop_document(self) -> None:
        with self._db.tenant(self.row.tenant_id) as db:
            links.drop_document(db, self.row.tenant_id, self._source())
        self._link = None

    def _source(self) -> str:
        if self._severa_record is None:
            raise RuntimeError("a document is claimed for a Severa invoice only")
        return self._severa_record.id
