"""What the domain asks of the world: both vendors' APIs, what the bridge remembers, and the claimed piece of work.

Bodies are plain JSON objects as the vendor sends them, numbers as ``Decimal`` (``Json``). Registers are named by
the vendor's own path segment (``customers``, ``invoicerows``; ``customer``, ``customerinvoice``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Protocol

from domain.setup.settings import TenantSettings

Json = dict[str, Any]
System = Literal["severa", "visma_net"]
Domain = Literal["customer", "product", "project", "invoice", "payment", "cost"]
Filter = str | int | bool | datetime | Sequence[str]


# ---------------------------------------------------------------- the vendors


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a register as it was read; ``server_time`` is the answer's ``Date`` (UTC), if it had one.

    ``position``: where ``pages`` can go on behind this page, in the connector's own words; None: this was the last one, or
    the register cannot be gone on with.
    """

    rows: list[Json]
    server_time: datetime | None
    position: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """One ERP record as read singly. ``etag`` goes back as If-Match; None when the answer had none."""

    body: Json
    etag: str | None


@dataclass(frozen=True, slots=True)
class ActionResult:
    """Answer of an ERP action: result is Done | Queued | InProcess | Failed ('' counts as Done), error its text."""

    result: str
    error: str


class SeveraApi(Protocol):
    """Visma Severa REST. Everything may raise TryLater, Refused, SignInFailed; ``create`` and ``upload`` also OutcomeUnknown.

    ``not_after`` is the permission for one call (seconds of ``domain.clock.boot``): past it nothing is sent and NotSent is
    raised, which also means: begin anew. A call with a permission raises OutcomeUnknown, whatever its verb, when something
    may have happened, and only then: after every other error of it nothing was done (docs/never-twice.md rule 5).
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
        self, register: str, guid: str, changes: Mapping[str, Any], *, not_after: float | None = None
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
    ) -> str | None:
        """PUT of the members given; the new ETag if the answer had one. Raises Stale on 412."""
        ...

    def delete(self, register: str, key: str, *, not_after: float | None = None) -> None:
        """DELETE; a record that is gone already counts as deleted."""
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


# ---------------------------------------------------------------- what the bridge remembers


@dataclass(frozen=True, slots=True)
class Record:
    """Last seen state of one record of one system. ``id`` is the internal id (Severa guid; ERP internal id, or
    ``<type>/<number>`` of a document); ``number`` is what people call it (customer number, code, project number);
    ``requested_at`` is PostgreSQL's time before the request that showed it.
    ``changed_at`` is when the bridge first saw this version (what "latest wins" means, R-CON-1). ``gone``: a complete
    reading of its register did not show it any more."""

    system: System
    register: str
    id: str
    number: str
    name: str
    body: Json
    version: int
    remote_time: datetime | None
    requested_at: datetime
    settled_version: int = 0
    changed_at: datetime | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A pair of records that are the same thing. ``base`` maps field → [severa value, erp value] last agreed on
    (canonical strings, R-CON-1). ``document`` is the one ERP document (type, number) that may be released for this invoice."""

    id: str
    domain: Domain
    severa_register: str
    severa_id: str
    severa_number: str
    erp_register: str
    erp_id: str
    erp_number: str
    base: Mapping[str, Any]
    document: tuple[str, str] | None = None
    state: Mapping[str, Any] = field(default_factory=dict)
    booked: Booked | None = None


@dataclass(frozen=True, slots=True)
class Booked:
    """The ERP document that an invoice is booked as: written once, when it was seen Open or Closed, and never cleared. A
    booked matter is booked: no absence, 404 or empty answer leads back to a create (docs/never-twice.md rule 8)."""

    type: str
    number: str
    total: Decimal


DocumentState = Literal["asked", "made", "claimed", "released", "removed", "retired", "unknown", "void"]
"""asked     a POST with this nonce may have gone out; the number is not known
made      made on hold, its number is known
claimed   the one document of its matter that may be released
released  seen Open or Closed; at most one claimed or released per matter
removed   deleted unreleased, its number is a gap
retired   booked once, replaced by a person's decision ('make it again')
unknown   taken over from 0.1.0: its state is told by a single read
void      asked, and surely never made"""


@dataclass(frozen=True, slots=True)
class Document:
    """An ERP document of a matter. ``nonce`` stands in its marker, one per POST, '' for what 0.1.0 made; ``number`` is ''
    while nobody knows it; ``round`` is the round of the matter that asked for it (a removal that ends a round begins the
    next one; ``surplus``: its removal ended none)."""

    type: str
    number: str
    nonce: str
    state: DocumentState
    round: int = 1
    surplus: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Permission:
    """What ``begin`` grants: one call, that may not leave after ``not_after`` (seconds of ``domain.clock.boot``); ``nonce``
    belongs into the marker of the document that the call makes, '' for other calls."""

    not_after: float
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about a matter in doubt (rule 9): ``this`` names the document that it is, ``make`` asks for a
    new one. ``shown``: hash of the candidates that the person saw; the delivery compares it with those of now."""

    kind: Literal["this", "make"]
    type: str
    number: str
    shown: str
    by: str


@dataclass(frozen=True, slots=True)
class LinkUpdate:
    """What the finishing transaction writes to the link (made if there is none). None = leave as it is."""

    severa_register: str
    severa_id: str
    severa_number: str
    erp_register: str
    erp_id: str
    erp_number: str
    base: Mapping[str, Any] | None = None
    state: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A record as our own read or write gave it back: it becomes the last seen state, so that its echo in the
    next poll has the same hash (R-CON-2)."""

    system: System
    register: str
    body: Json
    # PostgreSQL's time before the request and after the answer; None: unknown, taken as overlapping everything
    asked_at: datetime | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NumberGap:
    """An ERP number that was used by a document that had to be removed (R-INV-5). ``reason`` is a code, ``values`` fill
    its sentence."""

    document_type: str
    number: str
    severa_id: str
    reason: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Announce:
    """Another piece of work that this one made possible or necessary: 'settle this' in ``domain``."""

    domain: Domain
    system: System
    register: str
    id: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """One sentence of the transfer log, as a code with values; level info | warning."""

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)
    level: Literal["info", "warning"] = "info"


@dataclass(frozen=True, slots=True)
class Effects:
    """What a delivery leaves behind, written in the transaction that ends it."""

    link: LinkUpdate | None = None
    seen: tuple[Seen, ...] = ()
    gaps: tuple[NumberGap, ...] = ()
    announce: tuple[Announce, ...] = ()
    log: tuple[LogLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """A delivery that ended well. Without log lines it is quiet: nothing had to be done.

    ``problems_stay``: nothing was done because a person still has to act (an edited invoice that stands in the failed
    status); otherwise a settled record's problems close by themselves (R-LOG-3).
    """

    effects: Effects = Effects()
    problems_stay: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One move of a matter as the attempts so far left it: ``sent_at`` without ``done`` = outcome unknown.

    ``settles_at``: when an unanswered one must have shown itself: its not-after + the call's limit + the vendor's visibility
    time, by PostgreSQL's clock; never reckoned from ``sent_at`` (S23). ``nonce``: of the document that it asked for.
    """

    name: str
    sent_at: datetime | None
    done: bool
    request: Json
    result: Json
    round: int = 1
    settles_at: datetime | None = None
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """The installation's waiting times and tolerances; seconds, and money in invoice currency."""

    create_seconds: float = 240.0
    visibility_seconds: float = 300.0
    fresh_seconds: float = 120.0
    release_wait_seconds: float = 60.0
    total_tolerance: Decimal = Decimal("0.05")


class Books(Protocol):
    """Read access to what the bridge remembers of this tenant. No call leaves the house."""

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


@dataclass(frozen=True, slots=True)
class TenantContext:
    """The tenant as the domain sees it. ``time_zone`` is an IANA name, ``language`` sv | en."""

    id: str
    name: str
    language: str
    time_zone: str
    settings: TenantSettings


class Delivery(Protocol):
    """One claimed 'settle this': who and what, both systems, and the steps committed under its token.

    A settle function takes one of these and returns Settled or raises from ``domain.errors``. Before every call that
    cannot be repeated it calls ``begin`` (commits ``sent_at`` with a lease longer than the call's limit; no row, no
    call), afterwards ``done`` (commits what came back) or, when the vendor said no, ``undone``.
    """

    @property
    def tenant(self) -> TenantContext: ...
    @property
    def domain(self) -> Domain: ...
    @property
    def limits(self) -> Limits: ...
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
    def severa(self) -> SeveraApi: ...
    @property
    def erp(self) -> ErpApi: ...
    @property
    def books(self) -> Books: ...

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
