"""One claimed row as the domain sees it (``domain.ports.Delivery``), over PostgreSQL and both connectors.

Claim is not send: before each call ``begin`` commits, under the matter's lease, that one call may leave until its
not-after. What came back is kept until the next commit. A worker that was fenced out still records what it knows on its
own attempt, but does nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID, uuid4

from psycopg.errors import UniqueViolation

from actors.until import erp_until, severa_until
from db import claim, log, matters
from db.books import TenantBooks
from db.claim import Asked, Claimed, Done
from db.matters import Matter
from db.pool import Database
from db.tenant import TenantDb
from domain import clock, sent
from domain.errors import LeaseLost, SettingUnusable, Stop, TryLater, Waiting
from domain.model import (
    Booked,
    Decision,
    Document,
    Domain,
    Json,
    Limits,
    Link,
    NumberGap,
    Permission,
    Record,
    Step,
    System,
    TenantContext,
)
from domain.ports import Books, ErpApi, SeveraApi

# How soon a matter is tried again that wants one which somebody else works on; of two that want each other the younger yields.
YIELD_SECONDS = 3.0
RETRY_SECONDS = 1.0


class Systems(Protocol):
    """Both systems of a tenant, signed in and paced; ``begun`` work may use the budget's reserve."""

    def severa(self, tenant_id: UUID, *, begun: bool) -> SeveraApi:
        """Severa of the tenant. Raises TryLater, SignInFailed, SettingUnusable."""
        ...

    def erp(self, tenant_id: UUID, *, begun: bool) -> ErpApi:
        """The tenant's ERP; raises as ``severa``."""
        ...

    def refresh(self, tenant_id: UUID) -> None:
        """Before a delivery: a connection that was changed meanwhile gets new clients."""
        ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a claim finds of its matter."""

    matter: Matter
    severa_record: Record | None
    erp_record: Record | None
    steps: Mapping[tuple[str, int], Step] = field(default_factory=dict)
    documents: tuple[Document, ...] = ()
    # workers that were lost over it in a row, without a word
    silent: int = 0


@dataclass(frozen=True, slots=True)
class Leases:
    """Seconds: of a step, what a call's limit is lengthened by, and how long a permission stands."""

    step: float
    margin: float
    not_after: float


class LiveDelivery:
    """Implements ``domain.ports.Delivery``."""

    def __init__(
        self,
        *,
        db: Database,
        systems: Systems,
        books: TenantBooks,
        row: Claimed,
        loaded: Loaded,
        tenant: TenantContext,
        limits: Limits,
        leases: Leases,
        asked_at: float,
        exchanges: Sequence[Mapping[str, Any]],
        unusable: SettingUnusable | None = None,
    ) -> None:
        """``asked_at``: the boot-time clock from before the claim; ``exchanges``: the calls of this attempt as they are
        recorded; ``unusable``: why ``tenant``'s settings are not the stored ones, and nothing may be settled."""
        self.unusable = unusable
        self._db = db
        self._systems = systems
        self._books = books
        self.row = row
        self.matter = loaded.matter
        self._tenant = tenant
        self._limits = limits
        self._severa_record = loaded.severa_record
        self._erp_record = loaded.erp_record
        self._steps = dict(loaded.steps)
        self._documents = loaded.documents
        self.silent = loaded.silent
        self._booked = loaded.matter.booked
        self._decision = row.decision
        self._leases = leases
        self._exchanges = exchanges
        self._before = asked_at
        self._after = clock.boot()
        self._begun = row.begun or any(step.sent_at for step in loaded.steps.values())
        self._sent: Mapping[str, sent.Values] = loaded.matter.state.get(sent.KEY) or {}
        # Until when writes of registers may leave; asked anew when that is over.
        self._until = 0.0
        self._pending: list[Done] = []
        self._booking: tuple[str, str, Decimal] | None = None

    # ------------------------------------------------------------ what it is about

    @property
    def tenant(self) -> TenantContext:
        """The tenant with its settings, as they stood when the row was claimed."""
        return self._tenant

    @property
    def domain(self) -> Domain:
        """The domain of the row."""
        return self.row.domain  # type: ignore[return-value]  # rows are announced by Domain values only

    @property
    def limits(self) -> Limits:
        """The installation's limits: seconds of calls and waits, the tolerance of totals."""
        return self._limits

    @property
    def link(self) -> Link | None:
        """The pair of the matter as it was claimed."""
        return self.matter.link

    @property
    def severa_record(self) -> Record | None:
        """Last seen Severa side; ``actors/work.py`` looks it up with the claim."""
        return self._severa_record

    @property
    def erp_record(self) -> Record | None:
        """Last seen ERP side, likewise."""
        return self._erp_record

    @property
    def severa(self) -> SeveraApi:
        """Severa, whose writes without a step may leave until ``until`` (rule 5)."""
        return severa_until(self._systems.severa(self.row.tenant_id, begun=self._begun), self.until)

    @property
    def erp(self) -> ErpApi:
        """The ERP, likewise."""
        return erp_until(self._systems.erp(self.row.tenant_id, begun=self._begun), self.until)

    @property
    def books(self) -> Books:
        """What the bridge remembers, as a snapshot of this delivery."""
        return self._books

    @property
    def first_attempt_at(self) -> datetime:
        """When this delivery was first claimed; the time of this claim for its first attempt."""
        return self.row.first_attempt_at or self.row.now

    @property
    def documents(self) -> tuple[Document, ...]:
        """Every ERP document that the matter ever asked for, as this delivery has changed them."""
        return self._documents

    @property
    def booked(self) -> Booked | None:
        """The fact that the matter is booked, also when it is committed with the next step only."""
        return self._booked

    @property
    def decision(self) -> Decision | None:
        """A person's decision, until it is carried out."""
        return self._decision

    @property
    def installation(self) -> str:
        """The word of this installation that stands in markers."""
        return self.row.installation

    @property
    def rewound_at(self) -> datetime | None:
        """When the history of this database was last found to have lost its end; None = never."""
        return self.row.rewound_at

    def now(self) -> datetime:
        """The database's clock: its time at the claim plus what has passed here since."""
        return self.row.now + timedelta(seconds=clock.boot() - self._after)

    def progress(self) -> float:
        """When this delivery last got an answer, or was claimed: seconds of ``domain.clock.boot``."""
        return float(self._exchanges[-1]["boot"]) if self._exchanges else self._before

    def last_call(self) -> tuple[datetime, datetime] | None:
        """Between which two moments of the database's clock the last answer was asked for and given; None before the first."""
        if not self._exchanges:
            return None
        answered, seconds = float(self._exchanges[-1]["boot"]), float(self._exchanges[-1]["seconds"])
        # The claim's time lies between the two readings of our clock: the earlier bound for the one, the later for the other.
        return (
            self.row.now + timedelta(seconds=answered - seconds - self._after),
            self.row.now + timedelta(seconds=answered - self._before),
        )

    # ------------------------------------------------------------ steps

    def step(self, name: str, *, round: int = 1) -> Step | None:
        """A step of this delivery, or an unanswered one of the matter that an earlier delivery left."""
        return self._steps.get((name, round))

    def begin(
        self, name: str, request: Json, *, limit_seconds: float, round: int = 1, document: str = ""
    ) -> Permission:
        """Commits that one call may be made now, and what is still waiting to be committed. Raises LeaseLost."""
        nonce = uuid4().hex[:12] if document else ""
        asked = Asked(
            name,
            round,
            request,
            self._leases.not_after,
            limit_seconds,
            self._limits.visibility_seconds,
            document,
            nonce,
            self._leases.margin,
        )
        remake = bool(document) and self._decision is not None and self._decision.kind == "make"
        # Before the statement that grants it: what the way to PostgreSQL and a lock wait take is not added to it.
        not_after = clock.boot() + self._leases.not_after
        with self._db.tenant(self.row.tenant_id) as db:
            self._flush(db)
            settles_at = claim.begin(db, self.row, asked, lease=self._leases.step, remake=remake)
        self._flushed()
        self._begun = True
        self._steps[name, round] = Step(
            name, self.now(), False, request, {}, round=round, settles_at=settles_at, nonce=nonce
        )
        if document:
            if remake:
                self._retire()
            self._documents += (Document(document, "", nonce, "asked", round),)
        return Permission(not_after, nonce)

    @property
    def sent_so_far(self) -> Mapping[str, sent.Values]:
        """What was sent to registers and no base tells of yet (decision 0017), by part."""
        return self._sent

    def sending(
        self,
        to_erp: Mapping[str, str],
        to_severa: Mapping[str, str],
        *,
        part: str = "",
        over: sent.Sides | None = None,
    ) -> None:
        """Notes what is about to be sent, in the transaction that permits it. Raises LeaseLost."""
        if not (to_erp or to_severa):
            return
        self._sent = sent.noted(self._sent, part, to_erp=to_erp, to_severa=to_severa, over=over)
        self._permitted()

    def until(self) -> float:
        """Until when a write without a step may leave (rule 5), in seconds of ``clock.boot``. Raises LeaseLost."""
        if clock.boot() >= self._until:
            self._permitted()
        return self._until

    def _permitted(self) -> None:
        until = clock.boot() + self._leases.not_after
        # As with a step: the lease outlives the last call that may leave by then.
        outlived = self._leases.not_after + self._limits.create_seconds + self._leases.margin
        with self._db.tenant(self.row.tenant_id) as db:
            self._flush(db)
            claim.sending(db, self.row, self._sent, lease=max(self._leases.step, outlived))
        self._flushed()
        self._until = until

    def done(self, name: str, result: Json, *, round: int = 1) -> None:
        """Notes what a call brought; committed with the next step, or with the end of the attempt."""
        old = self._steps.get((name, round))
        nonce = old.nonce if old else ""
        self._pending.append(Done(name, round, result, nonce))
        self._steps[name, round] = (
            replace(old, done=True, result=result) if old else Step(name, None, True, {}, result, round)
        )
        if nonce and result.get("number"):
            kind, number = str(result.get("type", "")), str(result["number"])
            self._documents = tuple(
                replace(one, type=kind, number=number, state="made")
                if one.nonce == nonce and one.state in ("asked", "void")
                else one
                for one in self._documents
            )

    def undone(self, name: str, reason: str, *, round: int = 1) -> None:
        """Commits that a call surely had no effect; its document is void. Raises LeaseLost."""
        old = self._steps.pop((name, round), None)
        nonce = old.nonce if old else ""
        with self._db.tenant(self.row.tenant_id) as db:
            claim.undo(db, self.row, name, round, nonce, reason)
            self._flush(db)
        self._flushed()
        if nonce:
            self._documents = tuple(
                replace(one, state="void") if one.nonce == nonce and one.state == "asked" else one
                for one in self._documents
            )

    def keep(self, db: TenantDb) -> None:
        """Commits, with the transaction that ends the attempt, what is still waiting for it."""
        self._flush(db)

    def _flush(self, db: TenantDb) -> None:
        claim.record(db, self.row, self._pending)
        if self._booking:
            claim.book(db, self.row, *self._booking)

    def _flushed(self) -> None:
        self._pending.clear()
        self._booking = None

    # ------------------------------------------------------------ documents

    def claim_document(self, document_type: str, number: str) -> None:
        """Commits which document may be released. Raises Stop ``invoice.other_document``, LeaseLost."""
        with self._db.tenant(self.row.tenant_id) as db:
            self._flush(db)
            claimed = claim.claim_document(db, self.row, document_type, number, lease=self._leases.step)
        self._flushed()
        if not claimed:
            other = next((one.number for one in self._documents if one.state in ("claimed", "released")), "")
            raise Stop("invoice.other_document", {"number": number, "other": other})
        self._mark(document_type, number, "claimed")

    def adopt_document(self, document_type: str, number: str, nonce: str, *, round: int = 1) -> None:
        """Commits that a document that was found is the matter's. Raises Stop ``invoice.other_document``, LeaseLost."""
        document = Document(document_type, number, nonce, "made", round)
        with self._db.tenant(self.row.tenant_id) as db:
            self._flush(db)
            ours = claim.adopt(db, self.row, document, lease=self._leases.step)
            now = claim.documents(db, self.row)
        self._flushed()
        if not ours:
            raise Stop("invoice.other_document", {"number": number, "other": ""})
        self._documents = now

    def drop_document(self, document_type: str, number: str, reason: str, *, surplus: bool = False) -> None:
        """Commits that a document is removed, and its number as a gap (R-INV-5). Raises LeaseLost."""
        source = self.matter.severa[1] if self.matter.severa else ""
        with self._db.tenant(self.row.tenant_id) as db:
            self._flush(db)
            claim.drop(
                db,
                self.row,
                document_type,
                number,
                reason,
                surplus=surplus,
                lease=self._leases.step,
                visibility=self._limits.visibility_seconds,
            )
            log.put_gap(db, NumberGap(document_type, number, source, reason))
            now = claim.documents(db, self.row)
        self._flushed()
        self._documents = now

    def book(self, document_type: str, number: str, total: Decimal) -> None:
        """Notes that the matter is booked, once and for life; committed with the next step or the end."""
        if self._booked is not None:
            return
        self._booked = Booked(document_type, number, total)
        self._booking = (document_type, number, total)
        self._decision = None
        self._mark(document_type, number, "released")

    def _mark(self, document_type: str, number: str, state: Any) -> None:
        self._documents = tuple(
            replace(one, state=state)
            if (one.type, one.number) == (document_type, number) and one.state != "removed"
            else one
            for one in self._documents
        )

    def _retire(self) -> None:
        self._booked = None
        self._decision = None
        self._documents = tuple(
            replace(one, state="retired", reason="decided")
            if one.state in ("claimed", "released", "unknown")
            else one
            for one in self._documents
        )

    # ------------------------------------------------------------ pairs

    def pair(self, system: System, id: str) -> None:
        """Joins what stands for the counterpart alone into this matter, before the first effect on it (rule 2)."""
        by = {"severa_id" if system == "severa" else "erp_id": id}
        with self._db.tenant(self.row.tenant_id) as db:
            found = matters.find(db, self.matter.domain, **by)
            if found is None or found.id == self.matter.id:
                return
            # Both in the order of their ids, before either is asked for anything: its own worker may join this one.
            matters.lock(db, [self.matter.id, found.id])
            if claim.hold(db, self.row) is None:
                raise LeaseLost
            self._flush(db)
            other = matters.get(db, found.id)
            free = other is not None and other.id == found.id and other.link is None
            busy = matters.join(db, self.matter.id, found.id) if free else None
            mine = matters.get(db, self.matter.id)
        self._sent = (mine.state if mine is not None else {}).get(sent.KEY) or {}
        self._flushed()
        if other is None or not free:
            raise TryLater("the counterpart has one of its own by now", retry_after=RETRY_SECONDS)
        if busy is not None:
            self._yield_to(other, leased=busy.leased)

    def _yield_to(self, other: Matter, *, leased: bool) -> None:
        if leased:
            younger = self.matter.id > other.id
            raise TryLater(
                "somebody works on the counterpart",
                retry_after=YIELD_SECONDS if younger else RETRY_SECONDS,
                costs_attempt=False,
            )
        raise self._waiting(other)

    def hold_key(self, key: str) -> None:
        """Holds the natural key of what is about to be made (rule 2a). Raises Waiting for the matter that holds it."""
        if not key:
            return
        try:
            other = self._key_holder(key)
        except UniqueViolation as error:
            # Another one took it in the same moment, and is found by the next look.
            raise TryLater(
                "somebody makes the same just now", retry_after=RETRY_SECONDS, costs_attempt=False
            ) from error
        if other is not None:
            raise self._waiting(other)

    def _key_holder(self, key: str) -> Matter | None:
        """Takes the key; the matter that holds it already."""
        with self._db.tenant(self.row.tenant_id) as db:
            self._flush(db)
            holder = claim.hold_key(db, self.row, key, lease=self._leases.step)
            other = matters.get(db, holder) if holder else None
        self._flushed()
        return other

    def _waiting(self, other: Matter) -> Waiting:
        if other.severa is not None:
            return Waiting(other.domain, severa_id=other.severa[1], name=other.severa_number)
        return Waiting(other.domain, erp_id=other.erp[1] if other.erp else None, name=other.erp_number)
