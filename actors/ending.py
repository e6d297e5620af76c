"""The transaction that ends an attempt: what a delivery leaves behind, written under its token in one go."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from actors import dependencies
from actors.connections import open_connection_problem, open_setting_problem
from actors.delivery import RETRY_SECONDS, LiveDelivery
from db import attempts, claim, log, matters, outbox, records, tenants
from db.books import SIBLINGS
from db.claim import Claimed
from db.log import About
from db.matters import matter_domain
from db.tenant import TenantDb
from domain import clock
from domain.doubt import candidates_hash
from domain.errors import (
    BridgeError,
    ForeignWriter,
    InDoubt,
    LeaseLost,
    SettingUnusable,
    SignInFailed,
    Stop,
    TryLater,
    Waiting,
)
from domain.model import Effects, LogLine, Record, Seen, Settled, System
from domain.registers import Concern, Register

if TYPE_CHECKING:
    from actors.work import Workshop

# How soon work goes on whose wait was over before it began.
LOOK_AGAIN = 0.2

logger = structlog.get_logger("work")


class _Joined(Exception):
    """The counterpart's own matter is being worked on: the pair is written at the next attempt."""


class Ending:
    """Every way an attempt can end; each is one transaction."""

    def __init__(
        self, shop: Workshop, delivery: LiveDelivery, exchanges: Sequence[Mapping[str, Any]]
    ) -> None:
        self.shop = shop
        self.row: Claimed = delivery.row
        self.delivery = delivery
        self.exchanges = exchanges
        self.began = clock.monotonic()
        self.again: bool | None = None
        self.held: set[UUID] = set()
        self.planned = [r for r in (delivery.severa_record, delivery.erp_record) if r is not None]

    # ---- the ends

    def settled(self, result: Settled) -> str:
        """Done: the row goes, unless something changed meanwhile."""
        others = self._concerned(result.effects)
        try:
            with self._under_token(lambda db: self._touched(db, result.effects, others)) as db:
                self._keep(db, result.effects, others)
                again = bool(self.again) or self._edited_meanwhile(result.effects)
                if not result.problems_stay:
                    log.close_problems(db, self._about(), "settled")
                dependencies.lift(db, self.row)
                outbox.wake(db, [self.row.matter_id])
                claim.finish(db, self.row, again=again)
                self._see_all(db, result.effects)
                self._finish(db, "done", None)
        except _Joined:
            return self.later(
                TryLater("the counterpart is being worked on"), RETRY_SECONDS, costs_attempt=False
            )
        logger.info(
            "settled",
            matter=str(self.row.matter_id),
            domain=self.row.domain,
            codes=[line.code for line in result.effects.log],
        )
        return "again" if again else "done"

    def fenced(self) -> str:
        """Nothing is permitted any more. Where the matter is still this worker's (its domain or tenant was paused, or its lease ran
        out unnoticed) the row is given back. Else another worker owns it; what is known stands on the own attempt, and the row
        is looked at at once."""
        with suppress(LeaseLost), self._under_token() as db:
            claim.later(db, self.row, delay=RETRY_SECONDS, costs_attempt=False)
            self._finish(db, "later", "no effect is permitted at the moment")
            return "later"
        with self.shop.db.tenant(self.row.tenant_id) as db:
            self.delivery.keep(db)
            claim.make_due(db, self.row)
            self._attempt(db, "fenced", None)
        logger.warning("fenced_out", matter=str(self.row.matter_id))
        return "fenced"

    def later(self, error: BridgeError, retry_after: float | None, *, costs_attempt: bool) -> str:
        """The same delivery again after a while. ``retry_after`` that costs an attempt is taken at its word the first time, so
        that a burst costs nothing, and is the least that is waited from then on: some say 'in a second' for hours."""
        grows = retry_after is None or (costs_attempt and self.row.attempts > 1)
        delay = max(retry_after or 0.0, self._backoff() if grows else 0.0)
        with self._under_token() as db:
            claim.later(db, self.row, delay=delay, costs_attempt=costs_attempt)
            if costs_attempt and self.row.attempts >= self.shop.pace.tell_after:
                self._problem(db, "work.unavailable", {"text": error.message, "times": self.row.attempts})
            self._finish(db, "later", error.message)
        logger.info("later", matter=str(self.row.matter_id), seconds=round(delay, 1), reason=error.message)
        return "later"

    def waiting(self, error: Waiting) -> str:
        """Until what it needs has come to rest, or a person has to be told that it will not."""
        pace = self.shop.pace
        hopeless: Stop | None = None
        pointed_at = self._pointed_at(error)
        with self._under_token(lambda _db: pointed_at) as db:
            wanted = dependencies.target(db, error)
            paired = wanted.matter is not None and wanted.matter.link is not None
            if paired and not error.need:
                # linked between the look and this transaction: nothing would wake it any more
                claim.later(db, self.row, delay=LOOK_AGAIN, costs_attempt=False)
            elif (hopeless := dependencies.hopeless(db, self.row, error, wanted, pace.patience)) is None:
                matter = wanted.matter.id if wanted.matter else None
                dependencies.ensure(db, self.row, error, wanted, wait=pace.wait)
                claim.wait(
                    db, self.row, matter=matter, register=wanted.register, need=error.need, delay=pace.wait
                )
            if hopeless is None:
                self._finish(db, "waiting", error.message)
        return "waiting" if hopeless is None else self.failed(hopeless)

    def signed_out(self, error: SignInFailed) -> str:
        """Nothing can be done before somebody signs in."""
        with self._under_token() as db:
            claim.later(db, self.row, delay=self.shop.pace.sign_in_wait, costs_attempt=False)
            open_connection_problem(db, error)
            self._finish(db, "later", error.message)
        return "later"

    def unusable(self, error: SettingUnusable) -> str:
        """Nothing is done with half of what the tenant chose; work goes on by itself once the setting is repaired."""
        with self._under_token() as db:
            claim.later(db, self.row, delay=self.shop.pace.sign_in_wait, costs_attempt=False)
            open_setting_problem(db, error)
            self._finish(db, "later", error.message)
        return "later"

    def broke(self, error: Exception) -> str:
        """A defect of the bridge: tried again a few times, then a person is told. Never silent, never lost."""
        if self.row.attempts < self.shop.pace.tell_after:
            return self.later(TryLater(f"{type(error).__name__}: {error}"), None, costs_attempt=True)
        return self.failed(Stop("work.defect", {"text": f"{type(error).__name__}: {error}"}))

    def failed(self, stop: Stop) -> str:
        """A person must act: failed or in doubt, with a problem that explains itself."""
        effects = stop.effects or Effects()
        others = self._concerned(effects)
        values = {**stop.values}
        if stop.waits_for is not None and (number := self._their_problem(stop.waits_for)) is not None:
            values["other_problem"] = number
        if isinstance(stop, InDoubt):
            values |= {"shown": list(stop.candidates), "shown_hash": candidates_hash(stop.candidates)}
        pointed_at = self._pointed_at(stop.waits_for)
        try:
            with self._under_token(lambda db: [*pointed_at, *self._touched(db, effects, others)]) as db:
                self._keep(db, effects, others)
                self._problem(db, stop.code, values)
                log.close_problems(db, self._about(), "other cause", keep=[stop.code])
                self._log(db, LogLine(stop.code, {**stop.values}), level="error", outcome=stop.state)
                if stop.state == "failed":
                    dependencies.lift(db, self.row, but=dependencies.blamed(db, stop))
                if self._fail(db, stop) and effects.link is not None:
                    outbox.wake(db, [self.row.matter_id])
                self._see_all(db, effects)
                if isinstance(stop, ForeignWriter):
                    # Behind every other matter: a claim locks its matter first, then looks at the tenant.
                    tenants.set_state(db, "paused")
                self._finish(db, stop.state, stop.code)
        except _Joined:
            return self.later(
                TryLater("the counterpart is being worked on"), RETRY_SECONDS, costs_attempt=False
            )
        logger.warning("failed", matter=str(self.row.matter_id), code=stop.code)
        return stop.state

    # ---- parts

    def _fail(self, db: TenantDb, stop: Stop) -> bool:
        """Leaves the row failed; or, when what it points at has succeeded between the look and this transaction and nothing
        would wake it any more, has it tried again."""
        if stop.waits_for is None:
            claim.fail(db, self.row, stop.state)
            return True
        wanted = dependencies.target(db, stop.waits_for)
        if dependencies.over(db, stop, stop.waits_for, wanted):
            claim.finish(db, self.row, again=True)
            return False
        matter = wanted.matter.id if wanted.matter else None
        claim.fail(db, self.row, stop.state, matter=matter, register=wanted.register)
        return True

    def _pointed_at(self, error: Waiting | None) -> list[UUID]:
        """The matter that this one waits or fails for. A transaction of its own: it may make that one, and nobody is to wait for
        what it makes while it waits for others."""
        if error is None:
            return []
        with self.shop.db.tenant(self.row.tenant_id) as db:
            wanted = dependencies.target(db, error)
        return [wanted.matter.id] if wanted.matter else []

    def _their_problem(self, error: Waiting) -> int | None:
        """The number of the problem that this one points at, where there is one."""
        with self.shop.db.tenant(self.row.tenant_id) as db:
            wanted = dependencies.target(db, error)
            return log.problem_of(db, error.domain, wanted.matter.id) if wanted.matter else None

    def _touched(
        self, db: TenantDb, effects: Effects, others: Sequence[tuple[Concern, Seen]]
    ) -> Iterable[UUID]:
        """The matters that the ending transaction locks beside its own: those that are joined into it, get work, or were
        needed."""
        named = {(work.domain, work.system, work.id) for work in effects.announce}
        named |= {(concern.domain, seen.system, concern.id) for concern, seen in others}
        if named:
            domains = sorted({matter_domain(domain) for domain, _, _ in named})
            found = matters.of_ids(db, domains, sorted({one for _, _, one in named}))
            yield from (matter for matter, _ in found.values())
        if effects.link is not None and (mine := matters.get(db, self.row.matter_id)) is not None:
            yield from matters.counterparts(db, mine, effects.link)
        yield from matters.needs(db, self.row.matter_id)

    @contextmanager
    def _under_token(
        self, touched: Callable[[TenantDb], Iterable[UUID]] = lambda _db: ()
    ) -> Iterator[TenantDb]:
        """A transaction that holds the matter, and those that are ``touched`` beside it, all in the order of their ids so that
        no two endings wait crosswise; it has written down what was done so far. Raises LeaseLost."""
        with self.shop.db.tenant(self.row.tenant_id) as db:
            self.held = {self.row.matter_id, *touched(db)}
            if len(self.held) > 1:
                matters.lock(db, sorted(self.held))
            self.again = claim.hold(db, self.row)
            if self.again is None:
                raise LeaseLost
            self.delivery.keep(db)
            yield db

    def _edited_meanwhile(self, effects: Effects) -> bool:
        """A field that somebody edited while our own write was on its way: it stands in the answer that becomes the last
        seen state, so no poll would announce it, and no merge has seen it yet."""
        link = effects.link or self.delivery.link
        base = (link.base if link else None) or {}
        return any(
            self._edited(seen, planned, base)
            for seen in effects.seen
            for planned in self.planned
            if self._same_record(seen, planned)
        )

    def _same_record(self, seen: Seen, planned: Record) -> bool:
        if (planned.system, planned.register) != (seen.system, seen.register):
            return False
        return planned.id == self.shop.registers[seen.system, seen.register].identify(seen.body)

    def _edited(self, seen: Seen, planned: Record, base: Mapping[str, Any]) -> bool:
        register = self.shop.registers[seen.system, seen.register]
        before, after = register.projection(planned.body), register.projection(seen.body)
        side = 0 if seen.system == "severa" else 1
        return any(
            value != before.get(name) and value != base[name][side]
            for name, value in after.items()
            if isinstance(base.get(name), list | tuple)
        )

    def _concerned(self, effects: Effects) -> list[tuple[Concern, Seen]]:
        """Other domains that what this delivery read or wrote asks for something: settled is per matter and domain, and a
        read of one must not swallow the change for another (rule 12, S11)."""
        found = []
        for seen in effects.seen:
            register = self._register(seen)
            before = next((one for one in self.planned if self._same_record(seen, one)), None)
            if before is not None and register.projection(before.body) == register.projection(seen.body):
                continue
            for concern in register.concerns(seen.body):
                asks = self.shop.specs[concern.domain].asks
                settings = self.delivery.tenant.settings
                if (
                    concern.domain != self.row.domain
                    and concern.id
                    and asks(seen.system, seen.register, seen.body, self.delivery.books, settings)
                ):
                    found.append((concern, seen))
        return found

    def _register(self, seen: Seen) -> Register:
        return self.shop.registers[seen.system, seen.register].of_tenant(self.delivery.tenant.settings)

    def _keep(self, db: TenantDb, effects: Effects, others: Sequence[tuple[Concern, Seen]]) -> None:
        """What a delivery leaves behind, but for its records. Raises _Joined while somebody works on the counterpart's own
        matter."""
        if effects.link and matters.put(db, self.row.matter_id, effects.link, self.held) is not None:
            raise _Joined
        for gap in effects.gaps:
            log.put_gap(db, gap)
        for chosen in effects.chosen:
            matters.take_over_choice(db, chosen)
        self._announce(db, effects, others)
        for line in effects.log:
            self._log(db, line, level=line.level, outcome="done")

    def _see_all(self, db: TenantDb, effects: Effects) -> None:
        """Its records, behind the matters and the work, in their own order: as every transaction that writes several."""
        rows = sorted(((self._key(seen), seen) for seen in effects.seen), key=itemgetter(0))
        of_register: dict[tuple[System, str], set[str]] = {}
        for system, register, key in [
            *((one.system, one.register, one.id) for one in self.planned),
            *(key for key, _ in rows),
        ]:
            of_register.setdefault((system, register), set()).add(key)
        for (system, register), ids in sorted(of_register.items()):
            if len(ids) > 1:
                records.lock(db, system, register, ids)
        self._settle_records(db)
        for _, seen in rows:
            self._see(db, seen)

    def _key(self, seen: Seen) -> tuple[System, str, str]:
        return seen.system, seen.register, self._register(seen).identify(seen.body)

    def _settle_records(self, db: TenantDb) -> None:
        for record in self.planned:
            records.settled(db, record.system, record.register, record.id, record.version)
            for sibling in SIBLINGS.get(record.register, ()):
                records.settled_now(db, record.system, sibling, record.id)

    def _see(self, db: TenantDb, seen: Seen) -> None:
        register = self._register(seen)
        row = records.row_of(register, seen.body, None, self.shop.erp_zone)
        # Where nobody noted the call, it was somewhere between the claim and now: what a poll was asked for meanwhile is read
        # again.
        records.put_own(db, register, row, seen.asked_at or self.row.now, seen.answered_at)

    def _announce(self, db: TenantDb, effects: Effects, others: Sequence[tuple[Concern, Seen]]) -> None:
        for work in effects.announce:
            made = matters.meet(db, work.domain, work.system, work.register, [(work.id, "")])
            self._row(db, work.domain, list(made.values()), work.system, work.register, "followed")
        for concern, seen in others:
            by = {"severa_id" if seen.system == "severa" else "erp_id": concern.id}
            matter = matters.find(db, concern.domain, **by)
            if matter is None or (concern.only_linked and matter.link is None):
                continue
            if matter.id == self.row.matter_id and matter_domain(concern.domain) != matter.domain:
                continue
            self._row(db, concern.domain, [matter.id], seen.system, concern.register, "seen")

    @staticmethod
    def _row(
        db: TenantDb, domain: str, wanted: Sequence[Any], system: str, register: str, cause: str
    ) -> None:
        outbox.announce(db, domain, wanted, cause=cause, system=system, register=register)

    def _about(self) -> About:
        record = self.delivery.severa_record or self.delivery.erp_record
        return About(
            self.row.domain,
            self.row.matter_id,
            system=record.system if record else self.row.system,
            register=record.register if record else self.row.register,
            record_id=record.id if record else "",
            number=record.number if record else "",
            name=record.name if record else "",
        )

    def _problem(self, db: TenantDb, code: str, values: Mapping[str, Any]) -> None:
        log.open_problem(db, self._about(), code, values)

    def _log(self, db: TenantDb, line: LogLine, *, level: str, outcome: str) -> None:
        log.write(
            db,
            about=self._about(),
            direction="from_severa" if self.row.system == "severa" else "from_visma_net",
            level=level,
            outcome=outcome,
            code=line.code,
            values=line.values,
            duration_ms=int((clock.monotonic() - self.began) * 1000),
            attempt_id=self.row.token,
        )

    def _finish(self, db: TenantDb, outcome: str, error: str | None) -> None:
        claim.give_back(db, self.row)
        self._attempt(db, outcome, error)

    def _attempt(self, db: TenantDb, outcome: str, error: str | None) -> None:
        attempts.finish(db, self.row.token, outcome, error, calls=len(self.exchanges))
        attempts.put_payloads(db, self.row.token, self.exchanges)

    def _backoff(self) -> float:
        pace = self.shop.pace
        most = min(pace.backoff_most, pace.backoff * 2 ** min(self.row.attempts - 1, 20))
        return float(most * random.uniform(0.5, 1.0))
