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
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from domain.errors import BridgeError, LeaseLost, Stop
from domain.ports import (
    Domain,
    Json,
    Limits,
    Link,
    LinkUpdate,
    Record,
    Seen,
    Settled,
    Step,
    System,
    TenantContext,
)
from domain.registers import Register
from domain.setup.settings import TenantSettings
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


class FakeBooks:
    """What the bridge remembers, in dictionaries."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.links: list[Link] = []
        self.records: dict[tuple[str, str, str], Record] = {}
        self.incomplete: set[tuple[str, str]] = set()
        self.problems: set[tuple[str, str]] = set()
        self.choices: dict[tuple[str, str], str] = {}
        self.branches: dict[str, str] = {}
        self.markers: dict[str, str] = {}
        self.registers: dict[tuple[str, str], Register] = {}

    def remember(
        self,
        system: System,
        register: str,
        body: Json,
        *,
        id: str | None = None,
        number: str | None = None,
        name: str | None = None,
        remote_time: datetime | None = None,
    ) -> Record:
        """Stores the last seen state of a record, as the poller or a finished delivery would."""
        own_id = id or identify(system, register, body)
        before = self.records.get((system, register, own_id))
        shown = (
            number if number is not None else _first(body, "number", "code", "inventoryNumber", "projectID")
        )
        record = Record(
            system=system,
            register=register,
            id=own_id,
            number=shown or _first(body, "referenceNumber"),
            name=name if name is not None else _first(body, "name", "description"),
            body=copy.deepcopy(body),
            version=before.version + 1 if before else 1,
            remote_time=remote_time,
            requested_at=self.clock.now(),
            changed_at=before.changed_at if before and before.body == body else self.clock.now(),
        )
        self.records[system, register, own_id] = record
        # As in the database: a row that shows no note keeps the marker that an earlier one had.
        if register == "customerdocument" and (note := str(body.get("note") or "").split("\n", 1)[0].strip()):
            self.markers[own_id] = note
        return record

    def connect(self, domain: Domain, severa: Record, erp: Record, **more: Any) -> Link:
        """Links two remembered records."""
        made = Link(
            id=f"{domain}-{len(self.links) + 1}",
            domain=domain,
            severa_register=severa.register,
            severa_id=severa.id,
            severa_number=severa.number,
            erp_register=erp.register,
            erp_id=erp.id,
            erp_number=erp.number,
            base=more.pop("base", {}),
            **more,
        )
        self.links.append(made)
        return made

    def write_link(self, domain: Domain, update: LinkUpdate, document: tuple[str, str] | None = None) -> Link:
        """What the finishing transaction does with a LinkUpdate."""
        old = self.link(domain, severa_id=update.severa_id) or self.link(domain, erp_id=update.erp_id)
        made = Link(
            id=old.id if old else f"{domain}-{len(self.links) + 1}",
            domain=domain,
            severa_register=update.severa_register,
            severa_id=update.severa_id,
            severa_number=update.severa_number,
            erp_register=update.erp_register,
            erp_id=update.erp_id,
            erp_number=update.erp_number,
            base=update.base if update.base is not None else (old.base if old else {}),
            document=document or (old.document if old else None),
            state=update.state if update.state is not None else (old.state if old else {}),
        )
        self.links = [known for known in self.links if known is not old] + [made]
        return made

    def replace_link(self, old: Link, **changes: Any) -> Link:
        new = replace(old, **changes)
        self.links = [new if known is old else known for known in self.links]
        return new

    def link(self, domain: Domain, *, severa_id: str | None = None, erp_id: str | None = None) -> Link | None:
        for known in self.links:
            if known.domain == domain and (
                (severa_id is not None and known.severa_id == severa_id)
                or (erp_id is not None and known.erp_id == erp_id)
            ):
                return known
        return None

    def link_by_number(self, domain: Domain, *, erp_number: str) -> Link | None:
        return next((x for x in self.links if x.domain == domain and x.erp_number == erp_number), None)

    def record(self, system: System, register: str, id: str) -> Record | None:
        return self.records.get((system, register, id))

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
        """``organisation`` and ``owner`` are told by the register itself: put it in ``registers`` first."""
        told = self.registers.get((system, register))
        return [
            record
            for record in self.all(system, register)
            if (number is None or record.number.strip().casefold() == number.strip().casefold())
            and (name is None or record.name.strip().casefold() == name.strip().casefold())
            and (
                organisation is None or (told is not None and told.organisation(record.body) == organisation)
            )
            and (owner is None or (told is not None and told.owner(record.body) == owner))
            and not record.gone
        ]

    def find_marker(self, marker: str) -> list[Record]:
        return [
            record
            for record in self.all("visma_net", "customerdocument")
            if self.markers.get(record.id) == marker
        ]

    def all(self, system: System, register: str) -> list[Record]:
        return [
            record
            for key, record in sorted(self.records.items())
            if key[:2] == (system, register) and not record.gone
        ]

    def complete(self, system: System, register: str) -> bool:
        return (system, register) not in self.incomplete

    def has_problem(
        self,
        domain: Domain,
        *,
        severa_id: str | None = None,
        erp_id: str | None = None,
    ) -> bool:
        return ("severa", severa_id or "") in self.problems or ("visma_net", erp_id or "") in self.problems

    def choice(
        self,
        domain: Domain,
        *,
        severa_id: str | None = None,
        erp_id: str | None = None,
    ) -> str | None:
        return self.choices.get((domain, severa_id or "")) or self.choices.get((domain, erp_id or ""))

    def branch(self, business_unit_id: str) -> str | None:
        return self.branches.get(business_unit_id)


def link_domain(domain: Domain) -> Domain:
    """A payment's subject is the invoice's link."""
    return "invoice" if domain == "payment" else domain


def _first(body: Json, *names: str) -> str:
    return next((str(body[name]) for name in names if body.get(name) is not None), "")


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
