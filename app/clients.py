"""Both vendors' clients of every tenant, made on first use and kept: signed in, paced and recorded.

Tokens (``app.tokens``) and call slots (``app.slots``) are shared by all processes through PostgreSQL. A connection that is changed
takes effect in every process without a restart: its revision is compared when a delivery or poll begins, and between calls
once in ``RECHECK_SECONDS``. No call begins later than that on the old one, for a process that cannot ask makes no calls.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import cast
from uuid import UUID, uuid4

from actors.recording import Recorder
from app.access import severa_access, timeouts, visma_net_access
from app.settings import Settings
from app.slots import BudgetNotes, LeasedSlots, Role
from app.tokens import StoredTokens, changed
from connectors.endpoint import Conduct
from connectors.pacing import SEVERA_SLOTS, BudgetPacer, Pacer, Purpose, SlotPacer
from connectors.severa import SeveraClient
from connectors.visma_net import VismaNetClient
from db import tenants
from db.pool import Database
from db.secrets import Secrets
from domain import clock
from domain.errors import InputError, Unavailable
from domain.model import System

Client = SeveraClient | VismaNetClient

RECHECK_SECONDS = 5.0
"""So long a process works on without asking whether its connections were changed."""


class Connections:
    """Implements ``actors.delivery.Systems``; one per process. ``close`` when done."""

    def __init__(
        self,
        db: Database,
        secrets: Secrets,
        settings: Settings,
        recorder: Recorder,
        *,
        stop: threading.Event | None = None,
        slot_share: int = 3,
    ) -> None:
        """``slot_share``: how many of a connection's three worker slots this process may hold at once."""
        self._db = db
        self._secrets = secrets
        self._settings = settings
        self._recorder = recorder
        self._stop = stop or threading.Event()
        self._share = slot_share
        self._holder = uuid4()
        self._lock = threading.Lock()
        self._clients: dict[tuple[UUID, System, Purpose], tuple[int, Client]] = {}
        self._revisions: dict[tuple[UUID, System], int] = {}
        self._asked: dict[UUID, float] = {}
        self._pacers: dict[tuple[UUID, System, Role], Pacer] = {}
        self._slots: list[LeasedSlots] = []

    def severa(self, tenant_id: UUID, *, begun: bool = False, poll: bool = False) -> SeveraClient:
        """This process's client of the tenant's Severa organisation. Raises InputError when there is no connection."""
        return cast("SeveraClient", self._client(tenant_id, "severa", _purpose(begun=begun, poll=poll)))

    def erp(self, tenant_id: UUID, *, begun: bool = False, poll: bool = False) -> VismaNetClient:
        """This process's client of the tenant's ERP company. Raises InputError when there is no connection."""
        return cast("VismaNetClient", self._client(tenant_id, "visma_net", _purpose(begun=begun, poll=poll)))

    def refresh(self, tenant_id: UUID) -> None:
        """Drops this tenant's clients whose connection was changed: before every delivery and poll, one small query."""
        with self._lock:
            if not any(key[0] == tenant_id for key in self._clients):
                return
        with self._db.tenant(tenant_id) as db:
            present = tenants.revisions(db)
        with self._lock:
            self._asked[tenant_id] = clock.monotonic()
            for system, revision in present.items():
                self._revisions[tenant_id, _system(system)] = revision
            self._drop(tenant_id, lambda system, revision: present.get(system) != revision)

    def forget(self, tenant_id: UUID) -> None:
        """Drops a tenant's clients (its connection changed)."""
        with self._lock:
            self._drop(tenant_id, lambda _system, _revision: True)

    def close(self) -> None:
        """Closes every client and gives the call slots back."""
        with self._lock:
            for _, client in self._clients.values():
                client.close()
            self._clients.clear()
        for slots in self._slots:
            # while the database is away the leases simply run out
            with contextlib.suppress(Unavailable):
                slots.give_back()

    def _drop(self, tenant_id: UUID, old: Callable[[System, int], bool]) -> None:
        for key, (revision, client) in list(self._clients.items()):
            if key[0] == tenant_id and old(key[1], revision):
                del self._clients[key]
                client.close()
                # What the ERP said of its budget was said to the old address; Severa's slots are the bridge's own.
                if key[1] == "visma_net":
                    self._pacers.pop((tenant_id, key[1], "work"), None)

    def _check(self, tenant_id: UUID, system: System, revision: int) -> None:
        """Raises Unavailable for a client of an older revision; asks the database once in ``RECHECK_SECONDS``."""
        with self._lock:
            asked = self._asked.get(tenant_id, float("-inf"))
        if clock.monotonic() - asked >= RECHECK_SECONDS:
            self.refresh(tenant_id)
        with self._lock:
            if self._revisions.get((tenant_id, system), revision) != revision:
                raise changed(system)

    def _client(self, tenant_id: UUID, system: System, purpose: Purpose) -> Client:
        key = (tenant_id, system, purpose)
        with self._lock:
            if key in self._clients:
                return self._clients[key][1]
        with self._db.tenant(tenant_id) as db:
            stored = tenants.connection(db, system)
        if stored is None:
            raise InputError(f"The tenant has no connection to {system}: add its file again.")
        made = self._make(stored, purpose)
        with self._lock:
            self._revisions[tenant_id, system] = stored.revision
            return self._clients.setdefault(key, (stored.revision, made))[1]

    def _make(self, stored: tenants.StoredConnection, purpose: Purpose) -> Client:
        conduct = Conduct(
            tokens=StoredTokens(
                self._db,
                self._secrets,
                stored,
                lambda: self._check(stored.tenant_id, stored.system, stored.revision),
            ),
            pacer=self._pacer(stored, "poll" if purpose == "poll" else "work"),
            purpose=purpose,
            observe=self._recorder.observer(stored.system),
            stop=self._stop,
            timeouts=timeouts(self._settings),
        )
        secret = self._secrets.open(stored.secret)
        if stored.system == "severa":
            return SeveraClient(severa_access(stored.config, secret), conduct)
        access = visma_net_access(stored.config, secret)
        return VismaNetClient(access, conduct, time_zone=self._settings.erp_time_zone)

    def _pacer(self, stored: tenants.StoredConnection, role: Role) -> Pacer:
        # The ERP's budget is one for polls and work; Severa's slots are apart, so that a poll never waits for work.
        key = (stored.tenant_id, stored.system, role if stored.system == "severa" else "work")
        with self._lock:
            if key not in self._pacers:
                if stored.system == "severa":
                    slots = LeasedSlots(
                        self._db,
                        stored.tenant_id,
                        self._holder,
                        role,
                        self._settings.slot_lease_seconds,
                        share=self._share,
                    )
                    self._slots.append(slots)
                    self._pacers[key] = SlotPacer(
                        slots,
                        calls_per_slot=self._settings.severa_calls_per_second / SEVERA_SLOTS,
                        stop=self._stop,
                    )
                else:
                    self._pacers[key] = BudgetPacer(
                        BudgetNotes(self._db, stored.tenant_id, stored.system),
                        paused_for=stored.paused_for,
                    )
            return self._pacers[key]


def _purpose(*, begun: bool, poll: bool) -> Purpose:
    return "poll" if poll else "begun" if begun else "new"


def _system(name: str) -> System:
    return "severa" if name == "severa" else "visma_net"
