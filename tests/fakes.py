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

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from domain.errors import BridgeError, LeaseLost, Stop
from domain.ports import (
    Domain,
    Json,
    Limits,
    Link,
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


def link_domain(domain: Domain) -> Domain:
    """A payment's subject is the invoice's link."""
    return "invoice" if domain == "payment" else domain


@dataclass
class Outcome:
    """What an attempt ended with, when ``World.run`` ran it."""

    settled: Settled | None
    error: BaseException | None


class FakeDelivery:
    """One attempt. ``again()`` is the next attempt of the same delivery: its steps are still there."""

    def __init__(
        self,
        world: World,
        domain: Domain,
        severa: tuple[str, str] | None,
        erp: tuple[str, str] | None,
        steps: dict[str, Step] | None = None,
        *,
        first_attempt_at: datetime | None = None,
    ) -> None:
        self.world = world
        self._domain: Domain = domain
        self._severa_id, self._erp_id = severa, erp
        self.steps: dict[str, Step] = {} if steps is None else steps
        self._first = first_attempt_at or world.clock.now()
        self.lease_lost_on: set[str] = set()
        self._begun_here: set[str] = set()

    def again(self) -> FakeDelivery:
        return FakeDelivery(
            self.world, self._domain, self._severa_id, self._erp_id, self.steps, first_attempt_at=self._first
        )

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

    def now(self) -> datetime:
        return self.world.clock.now()

    def step(self, name: str) -> Step | None:
        return self.steps.get(name)

    def _commit(self, method: str, name: str, work: Callable[[], None]) -> None:
        call = Call("bridge", method, name, "")
        self.world.calls.append(call)
        if name in self.lease_lost_on:
            raise LeaseLost
        self.world.faults.around(call, work)

    def begin(self, name: str, request: Json, *, limit_seconds: float) -> None:
        assert limit_seconds > 0, "a call without a limit would hold its lease for ever"
        own = json.loads(json.dumps(request, default=str))

        def work() -> None:
            self.steps[name] = Step(name, sent_at=self.now(), done=False, request=own, result={})
            self._begun_here.add(name)

        self._commit("begin", name, work)

    def done(self, name: str, result: Json) -> None:
        own = json.loads(json.dumps(result))  # no Decimal, no dates: totals are strings

        def work() -> None:
            # As in the database, where a step is a row of its attempt: one that an earlier attempt began is done
            # by a row of its own, without that one's request.
            before = self.steps.get(name) if name in self._begun_here else None
            self.steps[name] = Step(
                name,
                sent_at=before.sent_at if before else None,
                done=True,
                request=before.request if before else {},
                result=own,
            )

        self._commit("done", name, work)

    def undone(self, name: str, reason: str) -> None:
        assert reason, "a step is undone for a reason"
        self._commit("undone", name, lambda: self._forget(name))

    def _forget(self, name: str) -> None:
        if name in self._begun_here:
            self.steps.pop(name, None)

    def claim_document(self, document_type: str, number: str) -> None:
        def work() -> None:
            known = self.world.claims.get(self._claim_key())
            if known is not None and known != (document_type, number):
                raise Stop("invoice.other_document", {"number": number, "other": known[1]})
            self.world.claims[self._claim_key()] = (document_type, number)
            if self.link is not None:
                self.world.books.replace_link(self.link, document=(document_type, number))

        self._commit("claim", f"{document_type}/{number}", work)

    def drop_document(self) -> None:
        def work() -> None:
            self.world.claims.pop(self._claim_key(), None)
            if self.link is not None:
                self.world.books.replace_link(self.link, document=None)

        self._commit("drop", "document", work)

    def _claim_key(self) -> tuple[str, str]:
        assert self._severa_id is not None, "only a Severa record can claim a document"
        return (self._domain, self._severa_id[1])


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
        self.claims: dict[tuple[str, str], tuple[str, str]] = {}
        self.limits = Limits()
        self.tenant = TenantContext(
            "t1", "nordkonsult", "sv", "Europe/Stockholm", settings or TenantSettings.model_validate({})
        )

    def delivery(
        self, domain: Domain, *, severa: tuple[str, str] | None = None, erp: tuple[str, str] | None = None
    ) -> FakeDelivery:
        """A delivery of a record, (register, id) on the side that caused it."""
        return FakeDelivery(self, domain, severa, erp)

    def finish(self, delivery: FakeDelivery, settled: Settled) -> None:
        """Writes what a settled delivery leaves behind, as the finishing transaction does."""
        document = self.claims.get((delivery.domain, delivery._severa_id[1])) if delivery._severa_id else None
        if settled.effects.link is not None:
            self.books.write_link(link_domain(delivery.domain), settled.effects.link, document)
        self.see(settled.effects.seen)

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
                if stop.effects is not None:
                    if stop.effects.link is not None:
                        self.books.write_link(link_domain(delivery.domain), stop.effects.link)
                    self.see(stop.effects.seen)
                return [*outcomes, Outcome(None, stop)]
            except (BridgeError, Killed) as error:
                outcomes.append(Outcome(None, error))
                self.clock.forward(float(getattr(error, "retry_after", None) or 30))
                delivery = delivery.again()
            else:
                self.finish(delivery, settled)
                return [*outcomes, Outcome(settled, None)]
        raise AssertionError(f"never ends: {[repr(o.error) for o in outcomes][-3:]}")
