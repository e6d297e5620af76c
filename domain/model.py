"""What the domains speak of: records, matters' pairs, documents, what a delivery leaves behind. Plain values, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, get_args

from domain.recording import recorded
from domain.setup.settings import TenantSettings

Json = dict[str, Any]
System = Literal["severa", "visma_net"]
Domain = Literal["customer", "product", "project", "invoice", "payment", "cost"]
DOMAINS: tuple[Domain, ...] = get_args(Domain)
Filter = str | int | bool | datetime | Sequence[str]


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

    def with_(
        self,
        *,
        severa_number: str | None = None,
        erp_number: str | None = None,
        base: Mapping[str, Any] | None = None,
        state: Mapping[str, Any] | None = None,
    ) -> LinkUpdate:
        """What is to be written of this pair: other numbers, a new base, another state; None = as it is."""
        return LinkUpdate(
            self.severa_register,
            self.severa_id,
            self.severa_number if severa_number is None else severa_number,
            self.erp_register,
            self.erp_id,
            self.erp_number if erp_number is None else erp_number,
            base=base,
            state=state,
        )


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
    next one; ``surplus``: its removal ended none).

    ``removals`` counts how often it was removed; ``gone_by`` (of a removed one): PostgreSQL's time after which no reading may
    show it any more."""

    type: str
    number: str
    nonce: str
    state: DocumentState
    round: int = 1
    surplus: bool = False
    reason: str = ""
    removals: int = 0
    gone_by: datetime | None = None


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
class Chosen:
    """A class that somebody changed in the ERP and that the bridge keeps as the record's choice from now on (R-CUS-6, R-PRD-4).

    ``was``: the choice that the delivery knew, None = the tenant's default; one that a person made meanwhile is not overwritten.
    """

    domain: Domain
    severa_id: str
    value: str
    was: str | None


@dataclass(frozen=True, slots=True)
class LogLine:
    """One sentence of the transfer log, as a code with typed values (``domain.values``); level info | warning."""

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)
    level: Literal["info", "warning"] = "info"

    def __post_init__(self) -> None:
        recorded(self.code, self.values)


@dataclass(frozen=True, slots=True)
class Effects:
    """What a delivery leaves behind, written in the transaction that ends it."""

    link: LinkUpdate | None = None
    seen: tuple[Seen, ...] = ()
    gaps: tuple[NumberGap, ...] = ()
    announce: tuple[Announce, ...] = ()
    log: tuple[LogLine, ...] = ()
    chosen: tuple[Chosen, ...] = ()


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
    status_seconds: float = 5.0
    release_wait_seconds: float = 60.0
    absence_seconds: float = 60.0
    total_tolerance: Decimal = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class TenantContext:
    """The tenant as the domain sees it. ``time_zone`` is an IANA name, ``language`` sv | en."""

    id: str
    name: str
    language: str
    time_zone: str
    settings: TenantSettings
