"""What processes share of a vendor's call budget: Severa's call slots, leased; what the ERP said is left, noted.

Spacing between calls is each process's own (``connectors.pacing``).
"""

from __future__ import annotations

import threading
from typing import Literal
from uuid import UUID

from connectors.pacing import SEVERA_SLOTS
from db import tenants
from db.pool import Database
from domain import clock
from domain.model import System

Role = Literal["poll", "work"]


class LeasedSlots:
    """``connectors.pacing.SlotSource``: the poller owns slot 0, workers lease the other three between them.

    A process asks for all free slots and gives back what others may need by holding each lease only for a while.
    """

    def __init__(
        self, db: Database, tenant_id: UUID, holder: UUID, role: Role, lease: float, *, share: int = 3
    ) -> None:
        self._db = db
        self._tenant_id = tenant_id
        self._holder = holder
        self._slots = [0] if role == "poll" else list(range(1, SEVERA_SLOTS))
        self._wanted = 1 if role == "poll" else share
        self._lease = lease
        self._lock = threading.Lock()
        self._held = 0
        self._until = float("-inf")

    def held(self) -> int:
        """How many slots this process has at present; asks for them, or for longer, when it is time."""
        with self._lock:
            now = clock.monotonic()
            if now >= self._until:
                with self._db.tenant(self._tenant_id) as db:
                    self._held = tenants.lease_slots(
                        db,
                        "severa",
                        holder=self._holder,
                        slots=self._slots,
                        wanted=self._wanted,
                        seconds=self._lease,
                    )
                # Renewed at half time; looked for again soon when others have them all.
                self._until = now + (self._lease / 2 if self._held else 0.5)
            return self._held

    def give_back(self) -> None:
        """Frees the slots at the end of the process, so that the next one need not wait for their leases."""
        with self._lock:
            if self._held:
                with self._db.tenant(self._tenant_id) as db:
                    tenants.free_slots(db, "severa", self._holder)
            self._held, self._until = 0, float("-inf")


class BudgetNotes:
    """``connectors.pacing.BudgetSink``: written to the connection only when a threshold is crossed or after a 429."""

    def __init__(self, db: Database, tenant_id: UUID, system: System) -> None:
        self._db = db
        self._tenant_id = tenant_id
        self._system = system

    def crossed(self, percent: int) -> None:
        """The rest of the window's budget fell below so many percent."""
        with self._db.tenant(self._tenant_id) as db:
            tenants.set_budget(db, self._system, percent)

    def paused(self, seconds: float) -> None:
        """The vendor answered 429: nobody calls for so long."""
        with self._db.tenant(self._tenant_id) as db:
            tenants.pause_for(db, self._system, seconds)
