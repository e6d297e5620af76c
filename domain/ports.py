"""What the domain asks of the world: both vendors' APIs, what the bridge remembers, and the claimed piece of work.

Bodies are plain JSON objects as the vendor sends them, numbers as ``Decimal`` (``Json``). Registers are named by
the vendor's own path segment (``customers``, ``invoicerows``; ``customer``, ``customerinvoice``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from domain.model import (
    ActionResult,
    Booked,
    Decision,
    Document,
    Domain,
    Filter,
    Json,
    Limits,
    Link,
    Page,
    Permission,
    Record,
    Step,
    Stored,
    System,
    TenantContext,
)
from domain.sent import Sides, Values


class SeveraApi(Protocol):
    """Visma Severa REST. Everything may raise TryLater, Refused, SignInFailed; ``create`` and ``upload`` also OutcomeUnknown.

    ``not_after`` is the permission for one call (seconds of ``domain.clock.boot``): past it nothing is sent and NotSent is
    raised, which also means: begin anew. A call with a permission raises OutcomeUnknown, whatever its verb, when something
    may have happened, and only then: after every other error of it nothing was done (docs/never-twice.md rule 5).

    ``until`` is for a write that may be repeated and needs no step: it does not leave later, and is a call like any other but
    for that. What a delivery hands out (``Delivery.severa``, ``Delivery.erp``) fills it in for every write without a permission.
    """

    def get(self, register: str, guid: str) -> Json:
        """One record by guid. Raises NotFound."""
        ...

    def list(self, register: str, *, parent: str | None = None, **filters: Filter) -> Iterator[Json]:
        """All rows of a list, paged, each checked against the filters where they can be (R: misspelt filters are
        ignored by the server). ``parent`` is the guid in paths such as invoices/{guid}/invoicerows
        (register ``invoices/invoicerows``)."""
        ...

    def pages(
        self, register: str, *, changed_since: datetime | None = None, position: str | None = None
    ) -> Iterator[Page]:
        """A register page by page for the poller; whole when ``changed_since`` is None or not supported. ``position``: go
        on behind the page that gave it, asked for with the same ``changed_since``."""
        ...

    def create(
        self, register: str, body: Json, *, parent: str | None = None, not_after: float | None = None
    ) -> Json:
        """POST; the created record. Not repeatable: OutcomeUnknown when no answer came."""
        ...

    def patch(
        self,
        register: str,
        guid: str,
        changes: Mapping[str, Any],
        *,
        not_after: float | None = None,
        until: float | None = None,
    ) -> Json:
        """PATCH of replace operations, in the order given; keys are paths (``/status/guid``). The updated record."""
        ...

    def download(self, register: str, guid: str) -> bytes:
        """A file's bytes: register ``files`` (file guid) or ``invoices/pdf`` (invoice guid)."""
        ...

    def upload(
        self,
        project_guid: str,
        name: str,
        description: str,
        content: bytes,
        *,
        not_after: float | None = None,
    ) -> Json:
        """Adds a file to a project. Not repeatable."""
        ...


class ErpApi(Protocol):
    """Visma.net ERP REST. Everything may raise TryLater, Refused, SignInFailed; ``create``, ``act`` and ``attach`` also
    OutcomeUnknown. ``not_after`` as in ``SeveraApi``."""

    def get(self, register: str, key: str) -> Stored:
        """One record by its key (number); ``register`` may be ``customer/internal`` with the internal id. Raises NotFound."""
        ...

    def list(self, register: str, **filters: Filter) -> Iterator[Json]:
        """All rows of a list, paged, date filters sent with their Condition, each row checked against the filters
        where the row shows the filtered field."""
        ...

    def pages(
        self, register: str, *, changed_since: datetime | None = None, position: str | None = None
    ) -> Iterator[Page]:
        """A register page by page for the poller; whole when ``changed_since`` is None or not supported. ``position``: go
        on behind the page that gave it, asked for with the same ``changed_since``."""
        ...

    def create(self, register: str, body: Json, *, not_after: float | None = None) -> str:
        """POST (v2 where the document has it); the key from the Location, '' when the answer carried none."""
        ...

    def update(
        self,
        register: str,
        key: str,
        body: Json,
        *,
        etag: str | None = None,
        not_after: float | None = None,
        until: float | None = None,
    ) -> str | None:
        """PUT of the members given; the new ETag if the answer had one. Raises Stale on 412."""
        ...

    def delete(self, register: str, key: str, *, not_after: float | None = None) -> bool:
        """DELETE; False when the answer was that there is no such record, which may be as wrong as that of a read."""
        ...

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
        """POST …/action/<action>; ``etag`` goes as If-Match where the document lists it (release)."""
        ...

    def attach(
        self, register: str, key: str, name: str, content: bytes, *, not_after: float | None = None
    ) -> None:
        """Header attachment, multipart. Not repeatable."""
        ...

    def download(self, attachment_id: str) -> bytes:
        """An attachment's bytes."""
        ...


Answer = TypeVar("Answer")


class Books(Protocol):
    """Read access to what the bridge remembers of this tenant. No call leaves the house."""

    def at_once(self, ask: Callable[[Books], Answer]) -> Answer:
        """What ``ask`` finds out with many questions, asked together. ``ask`` makes no call of a vendor."""
        ...

    def link(self, domain: Domain, *, severa_id: str | None = None, erp_id: str | None = None) -> Link | None:
        """The link of a Severa guid or an ERP internal id in a domain."""
        ...

    def link_by_number(self, domain: Domain, *, erp_number: str) -> Link | None:
        """The link whose ERP number is this (product code, customer number, project number, document number)."""
        ...

    def record(self, system: System, register: str, id: str) -> Record | None:
        """The last seen state of a record by internal id."""
        ...

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
        """Records by number and/or name (case-insensitive, trimmed), by organisation number (normalised), or by the
        record they belong to (as ``Register.owner`` says it). Gone ones are left out."""
        ...

    def find_marker(self, marker: str) -> list[Record]:
        """ERP documents (register customerdocument) whose note's first line is this marker (``severa:<guid>``), with
        whatever nonce behind it."""
        ...

    def document_owner(self, type: str, number: str) -> str | None:
        """Severa guid of the invoice whose document this is or was, None = nobody's."""
        ...

    def knew_before(self, system: System, register: str, id: str, moment: datetime) -> bool:
        """Whether the bridge had seen this record before a moment (rule 7: such a one is no look-alike)."""
        ...

    def needed(
        self, domain: Domain, *, severa_id: str | None = None, erp_id: str | None = None
    ) -> tuple[str, ...]:
        """What other matters need of this one just now (``Waiting.need``): 'active' for a project that late documents
        wait for (rule 20)."""
        ...

    def all(self, system: System, register: str) -> list[Record]:
        """A whole register as last read: reference registers such as invoicestatuses, vatCategory, creditTerm."""
        ...

    def complete(self, system: System, register: str) -> bool:
        """True once the register was read to its end at least once (nothing is created or matched before)."""
        ...

    def has_problem(self, domain: Domain, *, severa_id: str | None = None, erp_id: str | None = None) -> bool:
        """True while the record is itself in error."""
        ...

    def choice(
        self, domain: Domain, *, severa_id: str | None = None, erp_id: str | None = None
    ) -> str | None:
        """The class kept in the bridge for this record (customer class, item class), None = the tenant's default (R-CUS-6).
        Of an invoice: ``released`` once a person let it go (R-INV-15)."""
        ...

    def branch(self, business_unit_id: str) -> str | None:
        """Number of the ERP branch that a Severa business unit is mapped to, None = not mapped (R-SET-6)."""
        ...


class Delivery(Protocol):
    """One claimed 'settle this': who and what, both systems, and the steps committed under its token.

    A settle function takes one of these and returns Settled or raises from ``domain.errors``. Before every call that
    cannot be repeated it calls ``begin`` (commits ``sent_at`` with a lease longer than the call's limit; no row, no
    call), afterwards ``done`` (commits what came back) or, when the vendor said no, ``undone``.
    """

    @property
    def tenant(self) -> TenantContext:
        """The tenant with its settings."""
        ...

    @property
    def domain(self) -> Domain:
        """What is settled."""
        ...

    @property
    def limits(self) -> Limits:
        """The installation's limits."""
        ...

    @property
    def link(self) -> Link | None:
        """The link being settled, if the record is linked already."""
        ...

    @property
    def severa_record(self) -> Record | None:
        """Last seen Severa side (of the link, or the unlinked record that caused this)."""
        ...

    @property
    def erp_record(self) -> Record | None:
        """Last seen ERP side."""
        ...

    @property
    def severa(self) -> SeveraApi:
        """Severa, signed in and paced."""
        ...

    @property
    def erp(self) -> ErpApi:
        """The ERP, likewise."""
        ...

    @property
    def books(self) -> Books:
        """What the bridge remembers."""
        ...

    @property
    def first_attempt_at(self) -> datetime:
        """When this delivery was first claimed (start of the look-up window)."""
        ...

    @property
    def documents(self) -> tuple[Document, ...]:
        """Every ERP document that this matter ever asked for, oldest first; current after ``begin``, ``done``,
        ``claim_document``, ``drop_document``, ``adopt_document`` and ``book``."""
        ...

    @property
    def booked(self) -> Booked | None:
        """The fact that the matter is booked."""
        ...

    @property
    def decision(self) -> Decision | None:
        """A person's decision that this delivery is to carry out."""
        ...

    @property
    def installation(self) -> str:
        """This installation's short name in markers: ``severa:<guid> <installation>.<nonce>``."""
        ...

    @property
    def rewound_at(self) -> datetime | None:
        """When this database was last found restored or adopted, None = never: what was made before that moment may be
        unknown to it (rules 7 and 10)."""
        ...

    def now(self) -> datetime:
        """The database's clock, UTC."""
        ...

    def step(self, name: str, *, round: int = 1) -> Step | None:
        """The step as the attempts of this delivery left it, None = never begun; and any step of this matter that was
        sent by whatever delivery and is not answered."""
        ...

    def begin(
        self, name: str, request: Json, *, limit_seconds: float, round: int = 1, document: str = ""
    ) -> Permission:
        """Commits that one call is about to be made, and with it every ``done`` so far; what it returns goes to that call.

        ``document``: the type of the ERP document that the call makes; it gets a row and a nonce in the same transaction.
        Raises LeaseLost (another worker, another epoch, the tenant paused before anything was begun): then no call may
        be made.
        """
        ...

    @property
    def sent_so_far(self) -> Mapping[str, Values]:
        """What deliveries of this matter that never came to their end have sent, by part (``domain.sent``), with what this
        one has; before there is a pair as well."""
        ...

    def sending(
        self,
        to_erp: Mapping[str, str],
        to_severa: Mapping[str, str],
        *,
        part: str = "",
        over: Sides | None = None,
    ) -> None:
        """Commits which fields of a register are about to be written with which values, and over which (``domain.sent``),
        before the first of the calls; nothing when there are none. Raises LeaseLost: then no call may be made."""
        ...

    def done(self, name: str, result: Json, *, round: int = 1) -> None:
        """What the call brought; committed with the next ``begin``, ``claim_document`` or the end of the attempt. A process
        that dies before that leaves the step unanswered, and its successor looks. Also for repeatable steps worth not
        repeating. A result with ``number`` makes the document of the step's nonce *made*."""
        ...

    def undone(self, name: str, reason: str, *, round: int = 1) -> None:
        """The vendor surely did not do it: the step may be begun again, and a document that it asked for is void."""
        ...

    def claim_document(self, document_type: str, number: str) -> None:
        """Commits the one ERP document that may be released for this source (R-INV-13). Raises LeaseLost, or Stop
        ``invoice.other_document`` when another number is claimed already."""
        ...

    def adopt_document(self, document_type: str, number: str, nonce: str, *, round: int = 1) -> None:
        """A document that was found by its marker (``nonce`` '' for one of 0.1.0) becomes *made*. Raises LeaseLost."""
        ...

    def drop_document(self, document_type: str, number: str, reason: str, *, surplus: bool = False) -> None:
        """The document was removed unreleased: it is *removed*, its number a gap with this reason. Names the document;
        nothing is deleted. ``surplus``: its round goes on. Raises LeaseLost."""
        ...

    def book(self, document_type: str, number: str, total: Decimal) -> None:
        """The document was seen Open or Closed: the matter is *booked*, once and for all, with the next commit."""
        ...

    def last_call(self) -> tuple[datetime, datetime] | None:
        """PostgreSQL's time from before the last call of this delivery and from after its answer (rule 13); None before
        the first one."""
        ...

    def pair(self, system: System, id: str) -> None:
        """The counterpart of this matter was found: whatever stands for it alone is joined into this matter, before the first
        effect on it (docs/never-twice.md rule 2). Raises TryLater or Waiting while somebody works on it."""
        ...

    def hold_key(self, key: str) -> None:
        """Before a create: holds its natural key over both directions until the pair is complete (rule 2a). Raises Waiting
        for the matter that holds it; '' holds nothing."""
        ...
