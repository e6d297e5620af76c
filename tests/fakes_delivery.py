"""One claimed delivery over the fakes, and what the database would keep of its matter."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from domain import sent
from domain.errors import LeaseLost, Stop, TryLater, Waiting
from domain.model import (
    Booked,
    Decision,
    Document,
    Domain,
    Json,
    Limits,
    Link,
    Permission,
    Record,
    Step,
    System,
    TenantContext,
)
from tests.fakes_books import FakeBooks
from tests.fakes_vendors import Call, FakeErp, FakeSevera

if TYPE_CHECKING:
    from tests.fakes import World

# Seconds after which a permission has run out (docs/never-twice.md rule 5).
NOT_AFTER = 30.0


def link_domain(domain: Domain) -> Domain:
    """A payment's subject is the invoice's link."""
    return "invoice" if domain == "payment" else domain


@dataclass
class Matter:
    """What the database keeps of one matter: its documents, whether it is booked, and steps nobody answered.

    ``steps`` holds every step of the delivery that goes on; ``left`` those of earlier deliveries that are unanswered, and
    whatever a cost line became.
    """

    documents: list[Document] = field(default_factory=list)
    booked: Booked | None = None
    decision: Decision | None = None
    left: dict[tuple[str, int], Step] = field(default_factory=dict)
    # What was sent before there is a pair (domain.sent); afterwards the link's state keeps it.
    sent: dict[str, sent.Values] = field(default_factory=dict)

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
                    replace(one, state="retired") if one.state in ("claimed", "released", "unknown") else one
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
            if self._domain == "cost":
                # Known for life: a line or file is brought once, ever.
                matter.left[name, round] = steps[name, round]
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
            rows = {(one.type, one.number) for one in matter.documents}
            assert not matter.documents or (document_type, number) in rows, "only a known document is claimed"
            known = matter.standing()
            if known is not None and (known.type, known.number) != (document_type, number):
                raise Stop("invoice.other_document", {"number": number, "other": known.number})
            matter.put_number(document_type, number, state="claimed")

        self._commit("claim", f"{document_type}/{number}", change)

    def adopt_document(self, document_type: str, number: str, nonce: str, *, round: int = 1) -> None:
        def change(matter: Matter, steps: Steps) -> None:
            row = next((one for one in matter.documents if nonce and one.nonce == nonce), None)
            if row is not None and row.number not in ("", number) and row.state != "made":
                raise Stop("invoice.other_document", {"number": number, "other": row.number})
            if row is not None:
                matter.put(nonce, type=document_type, number=number, state="made", round=round, surplus=False)
            elif any((one.type, one.number) == (document_type, number) for one in matter.documents):
                matter.put_number(document_type, number, nonce=nonce, state="made")
            else:
                matter.documents.append(Document(document_type, number, nonce, "made", round))

        self._commit("adopt", f"{document_type}/{number}", change)

    @property
    def sent_so_far(self) -> Mapping[str, sent.Values]:
        link = self.link
        return (link.state.get(sent.KEY) or {}) if link is not None else self._matter().sent

    def sending(
        self,
        to_erp: Mapping[str, str],
        to_severa: Mapping[str, str],
        *,
        part: str = "",
        over: sent.Sides | None = None,
    ) -> None:
        if not (to_erp or to_severa):
            return
        noted = sent.noted(self.sent_so_far, part, to_erp=to_erp, to_severa=to_severa, over=over)

        def change(matter: Matter, _steps: Steps) -> None:
            link = self.link
            if link is not None:
                self.books.replace_link(link, state={**link.state, sent.KEY: noted})
            else:
                matter.sent = noted

        self._commit("sending", part or "link", change)

    def drop_document(self, document_type: str, number: str, reason: str, *, surplus: bool = False) -> None:
        assert reason, "a number is a gap for a reason"
        gone_by = self.now() + timedelta(seconds=self.limits.visibility_seconds)

        def change(matter: Matter, _steps: Steps) -> None:
            known = next(
                (one for one in matter.documents if (one.type, one.number) == (document_type, number)), None
            )
            told = {"reason": reason, "surplus": surplus}
            if known is not None and known.state == "removed":
                told = {"reason": known.reason, "surplus": known.surplus}
            removals = known.removals + 1 if known is not None else 1
            matter.put_number(
                document_type, number, state="removed", removals=removals, gone_by=gone_by, **told
            )

        self._commit("drop", f"{document_type}/{number}", change)

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

    # ------------------------------------------------------------ pairs

    def pair(self, system: System, id: str) -> None:
        """As in the database: what stands for the counterpart alone is joined, unless somebody works on it."""
        by = {"severa_id" if system == "severa" else "erp_id": id}
        link = self.books.link(self._domain, **by)
        if link is not None and link != self.link:
            raise TryLater("the counterpart has one of its own by now", retry_after=1.0)
        other = self.world.matters.get((self._domain, id))
        if id != self.subject and (self._domain, id) in self.world.leased:
            raise TryLater("somebody works on the counterpart", retry_after=1.0, costs_attempt=False)
        if id != self.subject and other is not None and other.left:
            raise Waiting(self._domain, **by)
        self.world.paired.append((system, id))
        if other is not None and id != self.subject:
            # What the other one sent is known to whoever goes on.
            self._matter().sent = {**self._matter().sent, **other.sent}

    def hold_key(self, key: str) -> None:
        if not key:
            return
        subject, severa, erp = self.world.keys.setdefault(
            (self._domain, key), (self.subject, self._severa_id, self._erp_id)
        )
        if subject == self.subject:
            return
        if severa is not None:
            raise Waiting(self._domain, severa_id=severa[1])
        raise Waiting(self._domain, erp_id=erp[1] if erp else None)

    def free_keys(self, *, unless_sent: bool = False) -> None:
        """The pair is complete, or (``unless_sent``) nothing stands behind the key."""
        if unless_sent and any(step.sent_at for step in self._stored.values()):
            return
        self.world.keys = {
            key: holder for key, holder in self.world.keys.items() if holder[0] != self.subject
        }
