"""The worker's road: claim → load → settle (domain) → one finishing transaction, and every way it can end otherwise.

settled         row deleted, link, records, log, waiters woken
try later       same delivery again after a back-off; a problem opens when it has been tried for long
waiting         until the record it needs is linked; re-checked every 30 s
a person        failed or in doubt, with a problem that explains itself
fenced out      another worker owns the row: nothing is written but the own attempt's end
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any
from uuid import UUID, uuid4

import structlog

from actors import dependencies
from actors.connections import open_connection_problem
from actors.delivery import LiveDelivery, Systems
from actors.recording import Recorder
from db import attempts, links, log, outbox, records
from db.books import SIBLINGS, ReferenceCache, TenantBooks, subjects_of
from db.outbox import Claimed
from db.pool import Connection, Database
from domain import clock
from domain.errors import (
    BridgeError,
    InputError,
    LeaseLost,
    OutcomeUnknown,
    Refused,
    SignInFailed,
    Stop,
    TryLater,
    Waiting,
)
from domain.ports import (
    Delivery,
    Effects,
    Limits,
    Link,
    LogLine,
    Record,
    Settled,
    TenantContext,
)
from domain.registers import Register
from domain.setup.settings import TenantSettings

logger = structlog.get_logger("work")

Settle = Callable[[Delivery], Settled]


@dataclass(frozen=True, slots=True)
class Pace:
    """Leases and waits of the worker, seconds."""

    claim_lease: float = 300.0
    lease_margin: float = 30.0
    wait: float = 30.0
    backoff: float = 2.0
    backoff_most: float = 900.0
    sign_in_wait: float = 300.0
    unknown_wait: float = 5.0
    # after so many attempts in a row a person is told, though the bridge goes on trying
    tell_after: int = 6
    lost_most: int = 3


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a worker needs; made once per process by the composition root."""

    db: Database
    systems: Systems
    settlers: Mapping[str, Settle]
    registers: Mapping[tuple[str, str], Register]
    limits: Limits
    recorder: Recorder
    worker: str
    erp_zone: tzinfo
    pace: Pace = Pace()
    references: ReferenceCache = field(default_factory=ReferenceCache)

    def settle(self, domain: str, tenant: str, outbox_id: int, generation: int) -> str:
        """One message; what became of it: done | again | later | waiting | failed | in_doubt | fenced | stale."""
        tenant_id = UUID(tenant)
        began = clock.monotonic()
        loaded = self._claim(tenant_id, outbox_id, generation)
        if loaded is None:
            return "stale"
        row, delivery = loaded
        with self.recorder.attempt() as exchanges:
            end = _End(self, row, delivery, exchanges, began)
            try:
                if row.lost >= self.pace.lost_most:
                    raise Stop("work.poison", {"times": row.lost})
                return end.settled(self.settlers[domain](delivery))
            except LeaseLost:
                return end.fenced()
            except Waiting as error:
                return end.waiting(error)
            except TryLater as error:
                return end.later(error, error.retry_after, costs_attempt=error.costs_attempt)
            except OutcomeUnknown as error:
                return end.later(error, self.pace.unknown_wait, costs_attempt=True)
            except SignInFailed as error:
                return end.signed_out(error)
            except Stop as error:
                return end.failed(error)
            except Refused as error:
                return end.failed(
                    Stop(
                        "work.refused",
                        {"system": error.system, "operation": error.operation, "text": error.message},
                    )
                )
            except InputError as error:
                return end.failed(Stop("work.setup", {"text": error.message}))
            except Exception as error:
                logger.exception("settle_broke", domain=domain, subject=row.subject)
                return end.broke(error)

    def _claim(self, tenant_id: UUID, outbox_id: int, generation: int) -> tuple[Claimed, LiveDelivery] | None:
        token = uuid4()
        with self.db.tenant(tenant_id) as db:
            row = outbox.claim(db, tenant_id, outbox_id, generation, token, self.pace.claim_lease)
            if row is None:
                return None
            attempts.start(db, row, self.worker)
            link, severa_record, erp_record = _load(db, row)
            # By the attempts there were, not by the counter: a refunded attempt (429, not yet) may have sent a step.
            steps = {} if row.first_attempt_at is None else attempts.steps(db, tenant_id, row.delivery)
        settings = TenantSettings.model_validate(row.settings or {})
        delivery = LiveDelivery(
            db=self.db,
            systems=self.systems,
            books=TenantBooks(self.db, tenant_id, self.references),
            row=row,
            tenant=TenantContext(str(tenant_id), row.tenant_name, row.language, row.time_zone, settings),
            limits=self.limits,
            link=link,
            severa_record=severa_record,
            erp_record=erp_record,
            steps=steps,
            first_attempt_at=row.first_attempt_at or row.now,
            step_lease=self.pace.claim_lease,
            lease_margin=self.pace.lease_margin,
        )
        return row, delivery


def _load(db: Connection, row: Claimed) -> tuple[Link | None, Record | None, Record | None]:
    """The link and both last seen records of a subject; a record that was linked meanwhile brings its link."""
    link_id, key = outbox.parse_subject(row.subject)
    link = links.get(db, row.tenant_id, link_id) if link_id else None
    if key:
        system, register, record_id = key
        by = {"severa_id": record_id} if system == "severa" else {"erp_id": record_id}
        link = links.find(db, row.tenant_id, row.domain, **by)
        if link is None:
            record = records.newest(
                db, row.tenant_id, system, [register, *SIBLINGS.get(register, ())], record_id
            )
            return (None, record, None) if system == "severa" else (None, None, record)
    if link is None:
        return None, None, None
    return (
        link,
        records.newest(
            db,
            row.tenant_id,
            "severa",
            [link.severa_register, *SIBLINGS.get(link.severa_register, ())],
            link.severa_id,
        ),
        records.get(db, row.tenant_id, "visma_net", link.erp_register, link.erp_id),
    )


class _End:
    """The transaction that ends an attempt."""

    def __init__(
        self,
        shop: Workshop,
        row: Claimed,
        delivery: LiveDelivery,
        exchanges: list[dict[str, Any]],
        began: float,
    ) -> None:
        self.shop = shop
        self.row = row
        self.delivery = delivery
        self.exchanges = exchanges
        self.began = began
        self.planned = [r for r in (delivery.severa_record, delivery.erp_record) if r is not None]

    # ---- the ends

    def settled(self, result: Settled) -> str:
        with self.shop.db.tenant(self.row.tenant_id) as db:
            again = outbox.hold(db, self.row)
            if again is None:
                raise LeaseLost
            self._keep(db, result.effects)
            subjects = self._subjects()
            if outbox.fold(db, self.row, [s for s in subjects if s != self.row.subject]):
                again = True
            again = again or self._edited_meanwhile(result.effects)
            warnings = [line.code for line in result.effects.log if line.level == "warning"]
            if not result.problems_stay:
                log.close_problems(db, self.row.tenant_id, self.row.domain, subjects, "settled")
            self._wake(db, result.effects)
            outbox.finish(db, self.row, again=again)
            self._finish(db, "done", None)
        logger.info(
            "settled",
            subject=self.row.subject,
            codes=[line.code for line in result.effects.log],
            warnings=len(warnings),
        )
        return "again" if again else "done"

    def fenced(self) -> str:
        with self.shop.db.tenant(self.row.tenant_id) as db:
            self._finish(db, "fenced", None)
        logger.warning("fenced_out", subject=self.row.subject)
        return "fenced"

    def later(self, error: BridgeError, retry_after: float | None, *, costs_attempt: bool) -> str:
        delay = self._backoff() if retry_after is None else retry_after
        with self.shop.db.tenant(self.row.tenant_id) as db:
            outbox.later(db, self.row, delay=delay, costs_attempt=costs_attempt)
            if costs_attempt and self.row.attempts >= self.shop.pace.tell_after:
                self._problem(db, "work.unavailable", {"text": error.message, "times": self.row.attempts})
            self._finish(db, "later", error.message)
        logger.info("later", subject=self.row.subject, seconds=round(delay, 1), reason=error.message)
        return "later"

    def waiting(self, error: Waiting) -> str:
        by = {"severa_id": error.severa_id, "erp_id": error.erp_id}
        hopeless: Stop | None = None
        with self.shop.db.tenant(self.row.tenant_id) as db:
            if links.find(db, self.row.tenant_id, error.domain, **by):
                # linked between the look and this transaction: nothing would wake it any more
                outbox.later(db, self.row, delay=0, costs_attempt=False)
            elif (hopeless := dependencies.hopeless(db, self.row, error)) is None:
                key = outbox.waits_key(error.domain, **by)
                outbox.wait(db, self.row, waits_for=key, delay=self.shop.pace.wait)
                dependencies.ensure(db, self.row, error)
            if hopeless is None:
                self._finish(db, "waiting", error.message)
        return "waiting" if hopeless is None else self.failed(hopeless)

    def signed_out(self, error: SignInFailed) -> str:
        with self.shop.db.tenant(self.row.tenant_id) as db:
            outbox.later(db, self.row, delay=self.shop.pace.sign_in_wait, costs_attempt=False)
            open_connection_problem(db, self.row.tenant_id, error)
            self._finish(db, "later", error.message)
        return "later"

    def broke(self, error: Exception) -> str:
        """A defect of the bridge: tried again a few times, then a person is told. Never silent, never lost."""
        if self.row.attempts < self.shop.pace.tell_after:
            return self.later(TryLater(f"{type(error).__name__}: {error}"), None, costs_attempt=True)
        return self.failed(Stop("work.defect", {"text": f"{type(error).__name__}: {error}"}))

    def failed(self, stop: Stop) -> str:
        effects = stop.effects or Effects()
        with self.shop.db.tenant(self.row.tenant_id) as db:
            if outbox.hold(db, self.row) is None:
                self._finish(db, "fenced", stop.code)
                return "fenced"
            if effects.link is None and self._linked_meanwhile(db):
                # The other side's row linked this very record while it was being looked at: what seemed taken is its own.
                outbox.finish(db, self.row, again=True)
                self._finish(db, "again", stop.code)
                return "again"
            self._keep(db, effects)
            values = {**stop.values}
            self._problem(db, stop.code, values)
            log.close_problems(
                db, self.row.tenant_id, self.row.domain, self._subjects(), "other cause", keep=[stop.code]
            )
            self._log(db, LogLine(stop.code, values), level="error", outcome=stop.state)
            waits_for = dependencies.waits_key(db, self.row, stop.waits_for)
            if stop.waits_for is not None and waits_for is None:
                # It succeeded between the look and this transaction: nothing would wake this one any more.
                outbox.finish(db, self.row, again=True)
            else:
                outbox.fail(db, self.row, stop.state, waits_for=waits_for)
            self._wake(db, effects, failed_too=effects.link is not None)
            self._finish(db, stop.state, stop.code)
        logger.warning("failed", subject=self.row.subject, code=stop.code)
        return stop.state

    # ---- parts

    def _edited_meanwhile(self, effects: Effects) -> bool:
        """A field that somebody edited while our own write was on its way: it stands in the answer that becomes the last
        seen state, so no poll would announce it, and no merge has seen it yet."""
        link = effects.link or self.delivery.link
        base = (link.base if link else None) or {}
        for seen in effects.seen:
            register = self.shop.registers[seen.system, seen.register]
            for planned in self.planned:
                if (planned.system, planned.register) != (seen.system, seen.register) or (
                    planned.id != register.identify(seen.body)
                ):
                    continue
                before, after = register.projection(planned.body), register.projection(seen.body)
                side = 0 if seen.system == "severa" else 1
                if any(
                    value != before.get(name) and value != base[name][side]
                    for name, value in after.items()
                    if isinstance(base.get(name), list | tuple)
                ):
                    return True
        return False

    def _linked_meanwhile(self, db: Connection) -> bool:
        if self.delivery.link is not None:
            return False
        return any(
            links.find(
                db,
                self.row.tenant_id,
                self.row.domain,
                **{"severa_id" if record.system == "severa" else "erp_id": record.id},
            )
            for record in self.planned
        )

    def _keep(self, db: Connection, effects: Effects) -> None:
        tenant_id = self.row.tenant_id
        for record in self.planned:
            records.settled(db, tenant_id, record.system, record.register, record.id, record.version)
            for sibling in SIBLINGS.get(record.register, ()):
                records.settled_now(db, tenant_id, record.system, sibling, record.id)
        if effects.link:
            self.linked = links.put(db, tenant_id, self.delivery.domain, self.delivery.link, effects.link)
        # In the order of the records, like every transaction that writes several: they never wait crosswise.
        for seen in sorted(effects.seen, key=lambda one: (one.system, one.register)):
            register = self.shop.registers[seen.system, seen.register]
            register = register.of_tenant(self.delivery.tenant.settings)
            row = records.row_of(register, seen.body, None, self.shop.erp_zone)
            # Somewhere between the claim and now: what a poll was asked for meanwhile is read again.
            records.put_own(db, tenant_id, register, row, asked_at=self.row.now)
        for gap in effects.gaps:
            log.put_gap(db, tenant_id, gap)
        for work in effects.announce:
            by = {"severa_id": work.id} if work.system == "severa" else {"erp_id": work.id}
            link = links.find(db, tenant_id, work.domain, **by)
            subject = (
                outbox.link_subject(link.id)
                if link
                else outbox.record_subject(work.system, work.register, work.id)
            )
            outbox.announce(
                db,
                tenant_id,
                work.domain,
                subject,
                cause="followed",
                system=work.system,
                register=work.register,
            )
        for line in effects.log:
            self._log(db, line, level=line.level, outcome="done")

    linked: str | None = None

    def _link_id(self) -> str | None:
        return self.linked or (self.delivery.link.id if self.delivery.link else None)

    def _subjects(self) -> list[str]:
        """Everything this work may be known under: its own subject, its link, and both records."""
        found = [self.row.subject]
        if link_id := self._link_id():
            found.append(outbox.link_subject(link_id))
        for record in self.planned:
            found.append(outbox.record_subject(record.system, record.register, record.id))
        if self.delivery.link:
            found += subjects_of(
                self.row.domain,
                severa_id=self.delivery.link.severa_id,
                erp_id=self.delivery.link.erp_id,
            )
        return list(dict.fromkeys(found))

    def _wake(self, db: Connection, effects: Effects, *, failed_too: bool = True) -> None:
        keys = []
        for link in (effects.link, self.delivery.link):
            if link:
                keys += [
                    outbox.waits_key(self.row.domain, severa_id=link.severa_id),
                    outbox.waits_key(self.row.domain, erp_id=link.erp_id),
                ]
        for record in self.planned:
            by = {"severa_id" if record.system == "severa" else "erp_id": record.id}
            keys.append(outbox.waits_key(self.row.domain, **by))
        if keys:
            outbox.wake(db, self.row.tenant_id, list(dict.fromkeys(keys)), failed_too=failed_too)

    def _about(self) -> dict[str, str]:
        record = self.delivery.severa_record or self.delivery.erp_record
        return {
            "domain": self.row.domain,
            "subject": self.row.subject,
            "system": record.system if record else self.row.system,
            "register": record.register if record else self.row.register,
            "record_id": record.id if record else "",
            "number": record.number if record else "",
            "name": record.name if record else "",
        }

    def _problem(self, db: Connection, code: str, values: Mapping[str, Any]) -> None:
        log.open_problem(db, self.row.tenant_id, self._about(), code, values)

    def _log(self, db: Connection, line: LogLine, *, level: str, outcome: str) -> None:
        log.write(
            db,
            self.row.tenant_id,
            about=self._about(),
            direction="from_severa" if self.row.system == "severa" else "from_visma_net",
            level=level,
            outcome=outcome,
            code=line.code,
            values=line.values,
            duration_ms=int((clock.monotonic() - self.began) * 1000),
            attempt_id=self.row.token,
        )

    def _finish(self, db: Connection, outcome: str, error: str | None) -> None:
        attempts.finish(db, self.row.tenant_id, self.row.token, outcome, error, calls=len(self.exchanges))
        attempts.put_payloads(db, self.row.tenant_id, self.row.token, self.exchanges)

    def _backoff(self) -> float:
        pace = self.shop.pace
        most = min(pace.backoff_most, pace.backoff * 2 ** min(self.row.attempts - 1, 20))
        return float(most * random.uniform(0.5, 1.0))
