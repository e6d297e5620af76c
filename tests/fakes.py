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

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from domain import sent
from domain.errors import BridgeError, Stop, Waiting
from domain.model import Chosen, Domain, Limits, LinkUpdate, Seen, Settled, TenantContext
from domain.setup.settings import TenantSettings
from tests.fakes_books import FakeBooks
from tests.fakes_delivery import NOT_AFTER, FakeDelivery, Matter, link_domain
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


@dataclass
class Outcome:
    """What an attempt ended with, when ``World.run`` ran it."""

    settled: Settled | None
    error: BaseException | None


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
        # Natural keys by domain and key, and who holds them; matters that somebody else works on; pairs joined early.
        self.keys: dict[tuple[str, str], tuple[str, tuple[str, str] | None, tuple[str, str] | None]] = {}
        self.leased: set[tuple[str, str]] = set()
        self.paired: list[tuple[str, str]] = []
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
        delivery.free_keys()
        self._lift_needs(delivery)
        self.see(settled.effects.seen)
        self.choose(settled.effects.chosen)

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
            if delivery.link is None and update.base is None and matter.sent:
                update = replace(update, state={**(update.state or {}), sent.KEY: matter.sent})
            self.books.write_link(domain, update)
            matter.sent = {}
        link = delivery.link
        if domain == "invoice" and link is not None:
            standing = matter.standing()
            document = (standing.type, standing.number) if standing is not None else link.document
            self.books.replace_link(link, document=document, booked=matter.booked)

    def choose(self, chosen: Iterable[Chosen]) -> None:
        """As ``db.matters.take_over_choice``: what a person chose since the delivery looked stays."""
        for one in chosen:
            key = (one.domain, one.severa_id)
            if self.books.choices.get(key) == one.was:
                self.books.choices[key] = one.value

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
                delivery.free_keys(unless_sent=not (stop.effects is not None and stop.effects.link))
                self._lift_needs(delivery)
                if stop.effects is not None:
                    self.see(stop.effects.seen)
                    self.choose(stop.effects.chosen)
                return [*outcomes, Outcome(None, stop)]
            except (BridgeError, Killed) as error:
                if isinstance(error, Waiting):
                    delivery.end()
                    delivery.free_keys(unless_sent=True)
                    self.leave_need(delivery, error)
                outcomes.append(Outcome(None, error))
                self.clock.forward(float(getattr(error, "retry_after", None) or 30))
                delivery = delivery.again()
            else:
                self.finish(delivery, settled)
                return [*outcomes, Outcome(settled, None)]
        raise AssertionError(f"never ends: {[repr(o.error) for o in outcomes][-3:]}")
