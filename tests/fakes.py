"""In-memory stand-ins for the domain's ports: both vendors, the books, and one claimed delivery.

They keep state like the real ones do: a second ``settle`` with a new ``FakeDelivery.again()`` sees the steps that
the first one committed, and only what was really written is there to be found.

    world = World()
    world.severa.store("customers", {"guid": "c1", "name": "Ada AB"})
    world.faults.arm("create", "customer", OutcomeUnknown(), after=True)   # done, but the answer was lost
    delivery = world.delivery("customer", severa=("customers", "c1"))
    settled = settle(delivery); world.finish(delivery, settled)
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.errors import BridgeError, LeaseLost, Stop, Waiting
from domain.ports import (
    Booked,
    Decision,
    Document,
    Domain,
    Json,
    Limits,
    Link,
    LinkUpdate,
    Permission,
    Record,
    Seen,
    Settled,
    Step,
    TenantContext,
)
from domain.setup.settings import TenantSettings
from tests.fakes_books import FakeBooks
from tests.fakes_vendors import START, Call, Clock, FakeErp, FakeSevera, Faults, Killed, identify, unwrapped

__all__ = [
    "START",
    "Call",
    "Clock",
    "FakeBooks",
    "FakeDelivery",
    "FakeErp",
    "FakeSevera",
    "Faults",
    "Killed",
    "Outcome",
    "World",
    "identify",
    "unwrapped",
]


# Seconds after which a permission has run out (never-twice.md rule 5).
NOT_AFTER = 30.0


def link_domain(domain: Domain) -> Domain:
    """A payment's subject is the invoice's link."""
    return "invoice" if domain == "payment" else domain


@dataclass
class Outcome:
    """What an attempt ended with, when ``World.run`` ran it."""

    settled: Settled | None
    error: BaseException | None


@dataclass
class Matter:
    """What the database keeps of one matter: its documents, whether it is booked, and steps nobody answered.

    ``steps`` holds every step of the delivery that goes on; ``left`` those of earlier deliveries that are unanswered.
    """

    documents: list[Document] = field(default_factory=list)
    booked: Booked | None = None
    decision: Decision | None = None
    left: dict[tuple[str, int], Step] = field(default_factory=dict)

    def put(self, nonce: str, **changes: Any) -> None:
        """Changes the document of a nonce."""
        self.documents = [replace(one, **changes) if one.nonce == nonce else one for one in self.documents]

    def put_number(self, type: str, number: str, **changes: Any) -> None:
        """Changes the document of a number; one that 0.1.0 knew and nobody wrote down gets its row."""
        if not any((one.type, one.number) == (type, number) for one in self.documents):
            self.documents.append(Document(type, number, "", "made"))
        self.documents = [
            replace(one, **changes) if (one.type, one.number) == (type, number) else one
            for one in self.documents
        ]

    def standing(self) -> Document | None:
        """The one that may be released, or is."""
        return next((one for one in self.documents if one.state in ("claimed", "released")), None)


Steps = dict[tuple[str, int], Step]
Change = Callable[[Matter, Steps], None]


class FakeDelivery:
    """One attempt. ``again()`` is the next attempt of the same delivery: its steps are still there.

    As in the database ``done``, ``undone`` and ``book`` are seen at once by this attempt, and stand for others once the next
    ``begin`` or ``claim_document`` commits, or the attempt ends. A process that was killed loses them.
    """

    def __init__(
        self,
        world: World,
        domain: Domain,
        severa: tuple[str, str] | None,
        erp: tuple[str, str] | None,
        steps: Steps | None = None,
        *,
        first_attempt_at: datetime | None = None,
    ) -> None:
        self.world = world
        self._domain: Domain = domain
        self._severa_id, self._erp_id = severa, erp
        self._stored: Steps = {} if steps is None else steps
        self._first = first_attempt_at or world.clock.now()
        self.lease_lost_on: set[str] = set()
        self._pending: list[Change] = []
        self._view, self.steps = copy.deepcopy(self._matter()), dict(self._stored)
        world.faults.killed = False
        world.attempts.append(self)

    def again(self) -> FakeDelivery:
        self.end()
        return FakeDelivery(
            self.world,
            self._domain,
            self._severa_id,
            self._erp_id,
            self._stored,
            first_attempt_at=self._first,
        )

    def end(self) -> None:
        """The attempt is over: what it knows is written down, unless its process died."""
        if self.world.faults.killed:
            self._pending.clear()
        self._flush()

    def _matter(self) -> Matter:
        link = self.link if link_domain(self._domain) == "invoice" else None
        return self.world.matter(self._domain, link.severa_id if link is not None else self.subject)

    def _now(self, change: Change) -> None:
        """Seen by this attempt at once."""
        change(self._view, self.steps)

    def _lazily(self, change: Change) -> None:
        self._now(change)
        self._pending.append(change)

    def _flush(self) -> None:
        for change in self._pending:
            change(self._matter(), self._stored)
        self._pending.clear()

    @property
    def subject(self) -> str:
        """What is delivered, in one word."""
        return (self._severa_id or self._erp_id or ("", ""))[1]

    @property
    def tenant(self) -> TenantContext:
        return self.world.tenant

    @property
    def domain(self) -> Domain:
        return self._domain

    @property
    def limits(self) -> Limits:
        return self.world.limits

    @property
    def link(self) -> Link | None:
        return self.world.books.link(
            link_domain(self._domain),
            severa_id=self._severa_id[1] if self._severa_id else None,
            erp_id=self._erp_id[1] if self._erp_id else None,
        )

    @property
    def severa_record(self) -> Record | None:
        if self.link is not None:
            return self.world.books.record("severa", self.link.severa_register, self.link.severa_id)
        return self.world.books.record("severa", *self._severa_id) if self._severa_id else None

    @property
    def erp_record(self) -> Record | None:
        if self.link is not None:
            return self.world.books.record("visma_net", self.link.erp_register, self.link.erp_id)
        return self.world.books.record("visma_net", *self._erp_id) if self._erp_id else None

    @property
    def severa(self) -> FakeSevera:
        return self.world.severa

    @property
    def erp(self) -> FakeErp:
        return self.world.erp

    @property
    def books(self) -> FakeBooks:
        return self.world.books

    @property
    def first_attempt_at(self) -> datetime:
        return self._first

    @property
    def documents(self) -> tuple[Document, ...]:
        return tuple(self._view.documents)

    @property
    def booked(self) -> Booked | None:
        return self._view.booked

    @property
    def decision(self) -> Decision | None:
        return self._view.decision

    @property
    def installation(self) -> str:
        return self.world.installation

    @property
    def rewound_at(self) -> datetime | None:
        return self.world.rewound_at

    def now(self) -> datetime:
        return self.world.clock.now()

    def last_call(self) -> tuple[datetime, datetime] | None:
        return self.world.clock.called

    def step(self, name: str, *, round: int = 1) -> Step | None:
        return self.steps.get((name, round)) or self._view.left.get((name, round))

    def _commit(self, method: str, name: str, change: Change) -> None:
        call = Call("bridge", method, name, "")
        self.world.calls.append(call)
        if name in self.lease_lost_on:
            raise LeaseLost

        def work() -> None:
            self._flush()
            self._now(change)
            change(self._matter(), self._stored)

        self.world.faults.around(call, work)

    def begin(
        self, name: str, request: Json, *, limit_seconds: float, round: int = 1, document: str = ""
    ) -> Permission:
        assert limit_seconds > 0, "a call without a limit would hold its lease for ever"
        own = json.loads(json.dumps(request, default=str))
        nonce = self.world.new_nonce() if document else ""
        settles_at = self.now() + timedelta(
            seconds=NOT_AFTER + limit_seconds + self.limits.visibility_seconds
        )
        step = Step(name, self.now(), False, own, {}, round, settles_at, nonce)

        def change(matter: Matter, steps: Steps) -> None:
            steps[name, round] = step
            matter.left.pop((name, round), None)
            if not document:
                return
            if matter.decision is not None and matter.decision.kind == "make":
                matter.documents = [
                    replace(one, state="retired") if one.state in ("claimed", "released") else one
                    for one in matter.documents
                ]
                matter.decision = None
            matter.documents.append(Document(document, "", nonce, "asked", round))

        self._commit("begin", name, change)
        return Permission(self.world.permit(NOT_AFTER), nonce)

    def _remembered(self, method: str, name: str, change: Change) -> None:
        call = Call("bridge", method, name, "")
        self.world.lazy.append(call)
        self.world.faults.around(call, lambda: self._lazily(change))

    def done(self, name: str, result: Json, *, round: int = 1) -> None:
        own = json.loads(json.dumps(result))  # no Decimal, no dates: totals are strings
        before = self.step(name, round=round)

        def change(matter: Matter, steps: Steps) -> None:
            known = before or Step(name, None, False, {}, {}, round)
            steps[name, round] = replace(known, done=True, result=own)
            matter.left.pop((name, round), None)
            if known.nonce and own.get("number"):
                matter.put(known.nonce, number=str(own["number"]), state="made")

        self._remembered("done", name, change)

    def undone(self, name: str, reason: str, *, round: int = 1) -> None:
        assert reason, "a step is undone for a reason"
        before = self.step(name, round=round)

        def change(matter: Matter, steps: Steps) -> None:
            steps.pop((name, round), None)
            matter.left.pop((name, round), None)
            if before is not None and before.nonce:
                matter.put(before.nonce, state="void")

        self._remembered("undone", name, change)

    def claim_document(self, document_type: str, number: str) -> None:
        def change(matter: Matter, steps: Steps) -> None:
            known = matter.standing()
            if known is not None and (known.type, known.number) != (document_type, number):
                raise Stop("invoice.other_document", {"number": number, "other": known.number})
            matter.put_number(document_type, number, state="claimed")

        self._commit("claim", f"{document_type}/{number}", change)

    def adopt_document(self, document_type: str, number: str, nonce: str, *, round: int = 1) -> None:
        def change(matter: Matter, steps: Steps) -> None:
            row = next((one for one in matter.documents if nonce and one.nonce == nonce), None)
            if row is not None:
                matter.put(nonce, type=document_type, number=number, state="made")
            elif any((one.type, one.number) == (document_type, number) for one in matter.documents):
                matter.put_number(document_type, number, nonce=nonce, state="made")
            else:
                matter.documents.append(Document(document_type, number, nonce, "made", round))

        self._commit("adopt", f"{document_type}/{number}", change)

    def drop_document(self, document_type: str, number: str, reason: str, *, surplus: bool = False) -> None:
        assert reason, "a number is a gap for a reason"
        self._commit(
            "drop",
            f"{document_type}/{number}",
            lambda matter, _steps: matter.put_number(
                document_type, number, state="removed", reason=reason, surplus=surplus
            ),
        )

    def book(self, document_type: str, number: str, total: Decimal) -> None:
        standing = self._view.standing()
        assert standing is not None, "only a claimed document is booked"
        assert (standing.type, standing.number) == (document_type, number)

        def change(matter: Matter, steps: Steps) -> None:
            matter.put_number(document_type, number, state="released")
            retired = {(one.type, one.number) for one in matter.documents if one.state == "retired"}
            if matter.booked is None or (matter.booked.type, matter.booked.number) in retired:
                matter.booked = Booked(document_type, number, total)

        self._remembered("book", f"{document_type}/{number}", change)


class World:
    """One tenant: both vendors, the books, a clock, faults to arm and the list of everything that was asked."""

    def __init__(
        self,
        *,
        settings: TenantSettings | None = None,
        severa: type[FakeSevera] = FakeSevera,
        erp: type[FakeErp] = FakeErp,
    ) -> None:
        self.clock = Clock()
        self.faults = Faults()
        self.calls: list[Call] = []
        self.books = FakeBooks(self.clock)
        self.severa = severa(self.clock, self.faults, self.calls)
        self.erp = erp(self.clock, self.faults, self.calls)
        # One call per permission, whichever vendor it goes to.
        self.erp.used = self.severa.used
        self.needs: dict[tuple[str, str], dict[str, str]] = {}
        self.matters: dict[tuple[str, str], Matter] = {}
        self.attempts: list[FakeDelivery] = []
        # What is remembered without a commit of its own (done, undone, book); commits stand in ``calls``.
        self.lazy: list[Call] = []
        self.installation = "prod"
        self.rewound_at: datetime | None = None
        self._nonces = 0
        self.limits = Limits()
        self.tenant = TenantContext(
            "t1", "nordkonsult", "sv", "Europe/Stockholm", settings or TenantSettings.model_validate({})
        )

    def delivery(
        self, domain: Domain, *, severa: tuple[str, str] | None = None, erp: tuple[str, str] | None = None
    ) -> FakeDelivery:
        """A delivery of a record, (register, id) on the side that caused it; whatever went before it is over."""
        for attempt in self.attempts:
            attempt.end()
            self._keep(attempt, None)
        self.attempts.clear()
        return FakeDelivery(self, domain, severa, erp)

    def matter(self, domain: Domain, id: str) -> Matter:
        """What is kept of a matter, made when it is first asked for."""
        return self.matters.setdefault((link_domain(domain), id), Matter())

    def new_nonce(self) -> str:
        self._nonces += 1
        return f"n{self._nonces}"

    def permit(self, seconds: float) -> float:
        """A permission as ``domain.clock.boot`` would tell it; no two are equal, so that one call per permission shows."""
        self.severa.permitted.append(self.clock.boot() + seconds + len(self.severa.permitted) * 1e-9)
        return self.severa.permitted[-1]

    @property
    def settle_seconds(self) -> float:
        """From a begin until a call that nobody answered must have shown itself."""
        return NOT_AFTER + self.limits.create_seconds + self.limits.visibility_seconds

    def commits(self) -> list[str]:
        """What was committed so far, in order; the end of a delivery is one more."""
        return [str(call) for call in self.calls if call.system == "bridge"]

    def rewind(self) -> None:
        """The database was restored from a dump older than everything here: matters, links of invoices and steps are lost."""
        self.matters.clear()
        self.attempts.clear()
        self.books.links = [link for link in self.books.links if link.domain != "invoice"]
        self.rewound_at = self.clock.now()

    def finish(self, delivery: FakeDelivery, settled: Settled) -> None:
        """Writes what a settled delivery leaves behind, as the finishing transaction does."""
        delivery.end()
        self._keep(delivery, settled.effects.link)
        self._lift_needs(delivery)
        self.see(settled.effects.seen)

    def leave_need(self, delivery: FakeDelivery, waiting: Waiting) -> None:
        """What a delivery asks of another matter stands until its own comes to rest (rule 20)."""
        if waiting.need and waiting.severa_id:
            key = (waiting.domain, waiting.severa_id)
            self.needs.setdefault(key, {})[delivery.subject] = waiting.need
            self._needs_changed(key)

    def _lift_needs(self, delivery: FakeDelivery) -> None:
        for key, needs in self.needs.items():
            needs.pop(delivery.subject, None)
            self._needs_changed(key)

    def _needs_changed(self, key: tuple[str, str]) -> None:
        self.books.needs[key] = tuple(self.needs[key].values())

    def _keep(self, delivery: FakeDelivery, update: LinkUpdate | None) -> None:
        matter = delivery._matter()
        matter.left |= {key: step for key, step in delivery._stored.items() if step.sent_at and not step.done}
        domain = link_domain(delivery.domain)
        if update is not None:
            self.books.write_link(domain, update)
        link = delivery.link
        if domain == "invoice" and link is not None:
            standing = matter.standing()
            document = (standing.type, standing.number) if standing is not None else link.document
            self.books.replace_link(link, document=document, booked=matter.booked)

    def see(self, seen: Iterable[Seen]) -> None:
        for one in seen:
            self.books.remember(one.system, one.register, one.body)

    def run(
        self, settle: Callable[[FakeDelivery], Settled], delivery: FakeDelivery, *, attempts: int = 30
    ) -> list[Outcome]:
        """Attempts until the delivery settles or a person must act; the clock jumps to each next attempt.

        Ends with the last outcome; an error that repeats for ever fails the test.
        """
        outcomes: list[Outcome] = []
        for _ in range(attempts):
            try:
                settled = settle(delivery)
            except Stop as stop:
                delivery.end()
                self._keep(delivery, stop.effects.link if stop.effects is not None else None)
                self._lift_needs(delivery)
                if stop.effects is not None:
                    self.see(stop.effects.seen)
                return [*outcomes, Outcome(None, stop)]
            except (BridgeError, Killed) as error:
                if isinstance(error, Waiting):
                    self.leave_need(delivery, error)
                outcomes.append(Outcome(None, error))
                self.clock.forward(float(getattr(error, "retry_after", None) or 30))
                delivery = delivery.again()
            else:
                self.finish(delivery, settled)
                return [*outcomes, Outcome(settled, None)]
        raise AssertionError(f"never ends: {[repr(o.error) for o in outcomes][-3:]}")
