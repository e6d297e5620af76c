"""One attempt at an invoice: what it knows, how it calls, and what it leaves behind.

What outlives the attempt is no member here: documents, steps and the fact *booked* are the matter's, and come from the
delivery each time they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from domain.errors import Stop
from domain.invoice.choices import Choices
from domain.invoice.document import Draft
from domain.invoice.model import ErpDocument, Party, SeveraInvoice
from domain.invoice.phases import Facts, Key, Wish, present, round_of
from domain.invoice.plan import Needs
from domain.invoice.registers import DOCUMENTS, INVOICES, projection
from domain.mapper import text
from domain.model import (
    Announce,
    Booked,
    Document,
    Effects,
    Json,
    Link,
    LinkUpdate,
    LogLine,
    NumberGap,
    Permission,
    Settled,
    Step,
)
from domain.moves import absent, guarded, there
from domain.ports import Delivery
from domain.setup.statuses import Role, Roles
from domain.trail import Trail

Answer = TypeVar("Answer")

# How soon (seconds) a document is looked at again that does not show yet, or whose release is queued.
LOOK_AGAIN = 5.0

# Names of all steps that phases look at.
STEPS = ("create", "release", "remove", "failed")
# Steps that move a status in Severa: an unanswered one is waited for before the status is read.
# Open question: whether Severa carries out PATCHes in the order in which they arrive. Not relied on for that reason.
STATUS_STEPS = ("write_back", "write_back again", "back")
# Members of the link's state: documents with our marker that are not ours, each told once; total and number of what a
# delivery that ended said to be booked.
OTHERS = "others"
TOTAL = "total"
NUMBERED = "numbered"


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be sent and what the document is judged by. ``invoice``: the one it was planned from; ``project``:
    Severa's project that it is posted on; ``said``: log lines for the day it is booked."""

    invoice: SeveraInvoice
    need: Needs
    choices: Choices
    sent: Draft
    project: Party | None = None
    said: tuple[LogLine, ...] = ()


@dataclass(slots=True)
class Work:
    """``read``: the invoice was read from Severa in this attempt, not only taken from the last poll.

    read_at         PostgreSQL's time before the request that last showed it; None: not known
    document, etag  the present document as last read in this attempt
    planned         what this attempt planned of the invoice as it is
    proven          this attempt proved the document, and Severa stood as planned after that
    booked_now      this attempt saw the document Open for the first time
    numbered        this attempt found or made Severa show what is booked
    compared        it only compared both sides, because a problem was open: it had nothing to write
    customer        the customer's ERP number, re-read after a refusal; '' = as remembered
    others          ids of documents with our marker that are not ours
    make            a person decided that a new document is made
    deleted         Severa has no such invoice any more
    audited         the marker audit was made in this attempt
    """

    delivery: Delivery
    roles: Roles
    guid: str
    invoice: SeveraInvoice
    read: bool = False
    read_at: datetime | None = None
    document: ErpDocument | None = None
    etag: str | None = None
    planned: Planned | None = None
    proven: bool = False
    booked_now: bool = False
    numbered: bool = False
    compared: bool = False
    make: bool = False
    deleted: bool = False
    audited: bool = False
    customer: str = ""
    wish: Wish | None = None
    others: set[str] = field(default_factory=set)
    trail: Trail = field(default_factory=Trail)

    def __post_init__(self) -> None:
        self.trail.delivery = self.delivery
        if self.delivery.link is not None:
            self.others |= {str(one) for one in self.delivery.link.state.get(OTHERS) or ()}

    # ------------------------------------------------------------ facts

    @property
    def round(self) -> int:
        """Which round of the matter this is: one more behind each removed document."""
        return round_of(self.delivery.documents)

    @property
    def present(self) -> Document | None:
        """The document that counts now, None while there is none."""
        return present(self.delivery.documents)

    @property
    def booked(self) -> Booked | None:
        """The fact, unless a person had the document replaced."""
        found = self.delivery.booked
        retired = {(one.type, one.number) for one in self.delivery.documents if one.state == "retired"}
        return found if found is not None and (found.type, found.number) not in retired else None

    @property
    def remade(self) -> bool:
        """A person decided that the document is made again: Severa may still show the number of the one before."""
        return self.make or any(one.state == "retired" for one in self.delivery.documents)

    def step(self, name: str, *, back: int = 0) -> Step | None:
        """A step of the present round, or of ``back`` rounds ago."""
        turn = self.round - back
        return self.delivery.step(name, round=turn) if turn > 0 else None

    def open_step(self, name: str) -> Step | None:
        """The step if it was begun and nobody knows what came of it."""
        step = self.step(name)
        return step if step is not None and step.sent_at is not None and not step.done else None

    def facts(self) -> Facts:
        """What the phase is derived from."""
        return Facts(
            round=self.round,
            documents=self.delivery.documents,
            booked=self.booked,
            steps=self._steps(back=0),
            before=self._steps(back=1),
            wish=self.wish,
            owes=self._owes(),
            again=self.make,
        )

    def _steps(self, *, back: int) -> dict[str, Step]:
        return {name: step for name in STEPS if (step := self.step(name, back=back)) is not None}

    def _owes(self) -> bool:
        """Whether Severa, as last seen, does not show what is booked (rule 15), or a problem says that it may not: that one
        ends by comparing, not because somebody tried again."""
        booked = self.booked
        if booked is None or self.numbered:
            return False
        if self.booked_now or not self.told or any(self.open_step(name) is not None for name in STATUS_STEPS):
            return True
        if self.role == "transfer" or self.delivery.decision is not None:
            return True
        return not self.shows(booked) or (
            self.sent_on and self.delivery.books.has_problem("invoice", severa_id=self.guid)
        )

    @property
    def told(self) -> bool:
        """A delivery has ended that said what is booked. One that broke off before it could leaves the fact and nothing else,
        and after a restore Severa may show it all already."""
        state = self.delivery.link.state if self.delivery.link is not None else {}
        number = self.booked.number if self.booked is not None else ""
        # Of what 0.1.0 said only the total was kept.
        return TOTAL in state and state.get(NUMBERED, number) == number

    def shows(self, booked: Booked) -> bool:
        """Whether Severa, as last seen, has number and reference of what is booked."""
        number = self.invoice.number
        if not number.isdigit() or not booked.number.isdigit() or int(number) != int(booked.number):
            return False
        record = self.delivery.books.record("visma_net", DOCUMENTS, f"{booked.type}/{booked.number}")
        reference = text(record.body, "paymentReference") if record is not None else ""
        return not reference or reference == self.invoice.reference

    # ------------------------------------------------------------ Severa's side

    @property
    def role(self) -> Role | None:
        """Role of the invoice's present status."""
        return self.roles.role_of(self.invoice.status)

    @property
    def sent_on(self) -> bool:
        """The present status is *transferred* or later."""
        place = self.roles.position(self.invoice.status)
        return place is not None and place >= self.roles.positions[self.roles.transferred.guid]

    def read_invoice(self) -> SeveraInvoice:
        """The invoice as Severa has it now; its rows are kept. Raises NotFound."""
        body = self.delivery.severa.get(INVOICES, self.guid)
        there(self.delivery, INVOICES)
        return self.take(body)

    def missed(self) -> None:
        """Severa said that there is no such invoice. Raises TryLater until that counts: nobody would look again."""
        record = self.delivery.severa_record
        gone = record is not None and record.gone
        absent(self.delivery, INVOICES, "Severa does not show the invoice", gone=gone)

    def take(self, body: Json) -> SeveraInvoice:
        """A body that Severa gave back just now becomes the present state."""
        self.invoice = replace(SeveraInvoice.of(body), rows=self.invoice.rows)
        self.read = True
        self.read_at = (self.delivery.last_call() or (None, None))[0]
        self.trail.see("severa", INVOICES, self.guid, body)
        return self.invoice

    @property
    def aged(self) -> bool:
        """Whether the status was read so long ago that somebody may have moved it since, or nobody knows when."""
        if not self.read or self.read_at is None:
            return True
        return (self.delivery.now() - self.read_at).total_seconds() >= self.delivery.limits.status_seconds

    def changed(self, planned: SeveraInvoice) -> bool:
        """Whether the present invoice is no longer the planned one: moved on, edited, or not for transfer any more."""
        return (
            self.role != "transfer"
            or self.invoice.updated != planned.updated
            or projection(self.invoice.body) != projection(planned.body)
        )

    # ------------------------------------------------------------ the ERP's side

    def see(self, document: ErpDocument) -> None:
        """A document as it was read just now."""
        self.trail.see("visma_net", DOCUMENTS, document.id, document.listed)

    def forget_document(self) -> None:
        """What was planned and read of the document counts no more."""
        self.document = self.etag = self.planned = None
        self.proven = False

    # ------------------------------------------------------------ effects

    def effect(
        self,
        name: str,
        request: Json,
        call: Callable[[Permission], Answer],
        *,
        document: str = "",
        round: int | None = None,
    ) -> Answer:
        """One call under a step of the present round; see ``domain.moves.guarded``."""
        return guarded(
            self.delivery,
            name,
            request,
            call,
            round=self.round if round is None else round,
            document=document,
        )

    def done(self, name: str, result: Json, *, round: int | None = None) -> None:
        """A step of this round (or ``round``) was answered with a yes."""
        self.delivery.done(name, result, round=self.round if round is None else round)

    def undone(self, name: str, reason: str, *, round: int | None = None) -> None:
        """A step of this round (or ``round``) surely did nothing."""
        self.delivery.undone(name, reason or "refused", round=self.round if round is None else round)

    # ------------------------------------------------------------ what is left behind

    def link_update(self, link: Link | LinkUpdate, **state: Any) -> LinkUpdate:
        """The link with some members of its state changed, and with what is known of documents that are not ours."""
        told = {OTHERS: sorted(self.others)} if self.others else {}
        update = link.with_() if isinstance(link, Link) else link
        return replace(update, state={**(link.state or {}), **state, **told})

    def effects(self) -> Effects:
        """What the finishing transaction writes."""
        for gap in self._gaps():
            self.trail.gap(gap)
        effects = self.trail.effects()
        return replace(effects, announce=(*effects.announce, *self._closed_projects()))

    def _gaps(self) -> list[NumberGap]:
        """Numbers of the documents that this delivery removed."""
        return [
            NumberGap(one.type, one.number, self.guid, one.reason, self._told_of(one))
            for one in self.delivery.documents
            if one.state == "removed" and self._removed_here(one)
        ]

    def _told_of(self, document: Document) -> dict[str, Any]:
        """What the auditor's sentence of a gap is filled with: the failure's values, else what the invoice says."""
        step = self.delivery.step("remove", round=document.round)
        then = (step.request.get("then") or {}) if step is not None and not document.surplus else {}
        return {
            "customer": self.invoice.customer.name,
            "invoice": self.guid,
            "date": str(self.invoice.date or ""),
            "number": document.number,
            "status": self.invoice.status_name,
        } | dict(then.get("values") or {})

    def _removed_here(self, document: Document) -> bool:
        main = self.delivery.step("remove", round=document.round)
        if main is not None and _names(main, document):
            return True
        return any(
            self.delivery.step(removal_of(document), round=turn) is not None
            for turn in range(1, self.round + 1)
        )

    def _closed_projects(self) -> list[Announce]:
        """Closed projects of this invoice, and those opened for it: their closing may have waited for it (R-PRJ-3)."""
        books = self.delivery.books
        records = [books.record("severa", "projects", one.guid) for one in self.invoice.projects]
        return [
            Announce("project", "severa", "projects", record.id)
            for record in records
            if record is not None
            and (record.body.get("isClosed") is True or books.needed("project", severa_id=record.id))
        ]

    def settled(self, *, problems_stay: bool = False) -> Settled:
        """What the delivery leaves behind."""
        return Settled(self.effects(), problems_stay)

    def stop(self, code: str, values: Mapping[str, Any] | None = None) -> Stop:
        """A Stop that always names the customer."""
        return Stop(code, self.named() | dict(values or {}))

    def named(self) -> dict[str, Any]:
        """What every problem of the invoice says."""
        return {"customer": self.invoice.customer.name, "date": str(self.invoice.date or "")}


def removal_of(document: Document) -> str:
    """Name of the step that removes a surplus document."""
    return f"remove {document.type}/{document.number}"


def _names(step: Step, document: Document) -> bool:
    told = step.request | step.result
    return (told.get("type"), told.get("number")) == (document.type, document.number)


__all__ = [
    "LOOK_AGAIN",
    "NUMBERED",
    "OTHERS",
    "STATUS_STEPS",
    "TOTAL",
    "Key",
    "Planned",
    "Work",
    "removal_of",
]
