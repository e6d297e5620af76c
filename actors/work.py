"""The worker's road: claim → load → settle (domain) → one finishing transaction, and every way it can end otherwise.

settled         row deleted, pair, records, log, waiters woken
try later       same delivery again after a back-off; a problem opens when it has been tried for long
waiting         until what it needs has come to rest; re-checked every 30 s, and with an end
a person        failed or in doubt, with a problem that explains itself
database away   the row is given back as soon as the database answers; no worker counts as lost over it
fenced out      another worker owns the matter: nothing is written but what is known, on the own attempt
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import partial
from uuid import UUID, uuid4

import structlog
from psycopg.errors import UniqueViolation

from actors.delivery import RETRY_SECONDS, Leases, LiveDelivery, Loaded, Systems
from actors.dependencies import Patience
from actors.ending import Ending
from actors.misfits import say_misfits
from actors.recording import Recorder
from actors.renewing import AtWork, renewing
from db import attempts, claim, matters, records
from db.books import SIBLINGS, ReferenceCache, TenantBooks
from db.claim import Claimed
from db.pool import Database
from db.tenant import TenantDb
from domain import clock
from domain.errors import (
    InputError,
    LeaseLost,
    OutcomeUnknown,
    Refused,
    SettingUnusable,
    SignInFailed,
    Stop,
    TryLater,
    Unavailable,
    Waiting,
)
from domain.model import Limits, Record, TenantContext
from domain.registers import Register
from domain.setup.settings import TenantSettings, stored_settings
from domain.spec import DomainSpec

logger = structlog.get_logger("work")

# A record is half of one matter only (rule 2).
PAIRED = ("matter_severa", "matter_erp")

# Between two tries to write the end of a delivery whose database is away.
AWAY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Pace:
    """Leases and waits of the worker, seconds."""

    claim_lease: float = 300.0
    lease_margin: float = 30.0
    not_after: float = 30.0
    wait: float = 30.0
    backoff: float = 2.0
    backoff_most: float = 900.0
    sign_in_wait: float = 300.0
    unknown_wait: float = 5.0
    patience: Patience = field(default_factory=Patience)
    # after so many attempts in a row a person is told, though the bridge goes on trying
    tell_after: int = 6
    lost_most: int = 3
    # a delivery without any progress for so long is not spoken for: its lease runs out
    silent_most: float = 900.0

    @property
    def leases(self) -> Leases:
        """How long a claim, a step and a permission last, seconds."""
        return Leases(self.claim_lease, self.lease_margin, self.not_after)


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a worker needs; made once per process by the composition root."""

    db: Database
    systems: Systems
    specs: Mapping[str, DomainSpec]
    registers: Mapping[tuple[str, str], Register]
    limits: Limits
    recorder: Recorder
    worker: str
    erp_zone: tzinfo
    pace: Pace = Pace()
    references: ReferenceCache = field(default_factory=ReferenceCache)
    at_work: AtWork = field(default_factory=AtWork)
    # set when the process is to end: nobody waits for a database then
    stop: threading.Event = field(default_factory=threading.Event)

    def settle(self, domain: str, tenant: str, outbox_id: int, generation: int) -> str:
        """One message; what became of it: done | again | later | waiting | failed | in_doubt | fenced | stale."""
        with self.recorder.attempt() as exchanges:
            delivery = self._claim(UUID(tenant), outbox_id, generation, exchanges)
            if delivery is None:
                return "stale"
            end = Ending(self, delivery, exchanges)
            with self.at_work.with_(delivery):
                ended = self._to_its_end(end, partial(self._settled, domain, delivery, end))
            say_misfits()
            return ended

    def _to_its_end(self, end: Ending, ending: Callable[[], str]) -> str:
        """The first end that can be written: where the database is away, the row is given back as soon as it answers again, until
        its lease has run out anyhow. Else each time that PostgreSQL goes away would count as a worker lost over every row that
        was at work, and three of them in a row as the rows' own fault. Raises Unavailable."""
        began = clock.monotonic()
        while True:
            try:
                return ending()
            except LeaseLost:
                ending = end.fenced
            except Unavailable as away:
                if clock.monotonic() - began > self.pace.claim_lease or self.stop.wait(AWAY_SECONDS):
                    raise
                logger.warning("database_away", matter=str(end.row.matter_id), error=away.message)
                ending = partial(end.later, away, RETRY_SECONDS, costs_attempt=False)

    def renewing(self) -> AbstractContextManager[None]:
        """While the block lasts, deliveries that make progress keep their matters."""
        lease = self.pace.claim_lease
        return renewing(self.db, self.at_work, lease, self.pace.silent_most, every=lease / 10)

    def _settled(self, domain: str, delivery: LiveDelivery, end: Ending) -> str:
        """Settles, and turns every way to fail into its end."""
        try:
            if delivery.unusable is not None:
                raise delivery.unusable
            if delivery.silent >= self.pace.lost_most:
                raise Stop("work.poison", {"times": delivery.silent})
            return end.settled(self.specs[domain].settle(delivery))
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is has an end of its own
            return _end_of(error, end, self.pace, domain)

    def _claim(
        self, tenant_id: UUID, outbox_id: int, generation: int, exchanges: list[dict[str, object]]
    ) -> LiveDelivery | None:
        self.systems.refresh(tenant_id)
        token, asked_at = uuid4(), clock.boot()
        with self.db.tenant(tenant_id) as db:
            row = claim.claim(db, outbox_id, generation, token, self.pace.claim_lease)
            if row is None:
                return None
            structlog.contextvars.bind_contextvars(tenant=row.tenant_name)
            attempts.start(db, row, self.worker)
            loaded = _load(db, row, attempts.silent(db, row) if row.lost >= self.pace.lost_most else 0)
        unusable: SettingUnusable | None = None
        try:
            settings = stored_settings(row.settings)
        except SettingUnusable as error:
            settings, unusable = TenantSettings(), error
        return LiveDelivery(
            db=self.db,
            systems=self.systems,
            books=TenantBooks(self.db, tenant_id, self.references),
            row=row,
            loaded=loaded,
            tenant=TenantContext(str(tenant_id), row.tenant_name, row.language, row.time_zone, settings),
            limits=self.limits,
            leases=self.pace.leases,
            asked_at=asked_at,
            exchanges=exchanges,
            unusable=unusable,
        )


def _load(db: TenantDb, row: Claimed, silent: int) -> Loaded:
    """The matter, both last seen records, its steps and its documents."""
    matter = matters.get(db, row.matter_id)
    if matter is None:
        raise RuntimeError("a matter is never deleted")
    return Loaded(
        matter,
        _newest(db, "severa", matter.severa),
        _newest(db, "visma_net", matter.erp),
        claim.steps(db, row),
        claim.documents(db, row) if matter.domain == "invoice" else (),
        silent,
    )


def _newest(db: TenantDb, system: str, side: tuple[str, str] | None) -> Record | None:
    if side is None:
        return None
    register, record_id = side
    return records.newest(db, system, [register, *SIBLINGS.get(register, ())], record_id)


def _end_of(error: Exception, end: Ending, pace: Pace, domain: str) -> str:
    """By what the caller does next; the narrower kind first."""
    match error:
        case Waiting():
            return end.waiting(error)
        case TryLater():
            return end.later(error, error.retry_after, costs_attempt=error.costs_attempt)
        case OutcomeUnknown():
            return end.later(error, pace.unknown_wait, costs_attempt=True)
        case SignInFailed():
            return end.signed_out(error)
        case SettingUnusable():
            return end.unusable(error)
        case Stop():
            return end.failed(error)
        case Refused():
            return end.failed(_refused(error))
        case InputError():
            return end.failed(Stop("work.setup", {"text": error.message}))
        case UniqueViolation() if error.diag.constraint_name in PAIRED:
            # A poll announced the counterpart between the look and the write; the next attempt finds and joins it.
            met = TryLater("the counterpart was announced just now")
            return end.later(met, RETRY_SECONDS, costs_attempt=False)
        case _:
            logger.error("settle_broke", domain=domain, matter=str(end.row.matter_id), exc_info=error)
            return end.broke(error)


def _refused(error: Refused) -> Stop:
    return Stop("work.refused", {"system": error.system, "operation": error.operation, "text": error.message})
