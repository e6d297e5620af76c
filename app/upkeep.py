"""Upkeep: partitions ahead, and the audit that no announced change is without work.

It has its turn beside the relay's, a slice at a time, so that a large tenant delays no message. Its alarm means something:
what a reading has not let through yet, what is being settled, and what failed and has its problem, is not its business.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from app import announcing
from db import pending, tenants
from db.migrate import PARTITIONS_AHEAD
from db.pool import Database
from db.tenant import TenantDb
from db.tenants import Tenant
from domain import clock
from domain.model import Json
from domain.registers import Register

logger = structlog.get_logger("upkeep")

SLICE = 500
TENANTS = 25
_START = ("", "", "")


class Upkeep:
    """``turn`` does what is due next, if anything is."""

    def __init__(self, db: Database, registers: Mapping[tuple[str, str], Register], every: float) -> None:
        """``every``: seconds from one round to the next."""
        self._db = db
        self._registers = registers
        self._every = every
        self._next_round = 0.0
        # what is left of this round: tenants, and how far the first of them has been looked at
        self._left: list[Tenant] = []
        self._after = _START

    def turn(self) -> None:
        """One slice of a round; a round begins every ``every`` seconds. Raises TryLater."""
        if not self._left:
            now = clock.monotonic()
            if now < self._next_round:
                return
            self._next_round = now + self._every
            self._begin()
            return
        # Tenants with nothing to look at cost one short question each: many of them fit into one turn.
        for _ in range(TENANTS):
            found, more = self._audit(self._left[0])
            if not more:
                self._left.pop(0)
                self._after = _START
            if found or not self._left:
                return

    def round(self) -> None:
        """A whole round at once, whether it is due or not."""
        self._begin()
        while self._left:
            self.turn()

    def _begin(self) -> None:
        with self._db.dispatch() as db:
            db.execute("select make_partitions(%s)", [PARTITIONS_AHEAD])
            self._left = [one for one in tenants.all_tenants(db) if one.state == "live"]
        self._after = _START

    def _audit(self, tenant: Tenant) -> tuple[int, bool]:
        """The next slice of a tenant: (unsettled records in it, whether there is more)."""
        with self._db.tenant(tenant.id) as db:
            found = pending.unsettled(db, self._after, SLICE)
            lost = self._lost(db, found)
        if found:
            self._after = found[-1].place
        if lost:
            with self._db.tenant(tenant.id) as db:
                for register, rows in lost.items():
                    announcing.announce(db, self._registers[register], rows, cause="audit")
            # Should be 0: a record was changed and nothing was going to settle it.
            rows_lost = sum(len(rows) for rows in lost.values())
            logger.error(
                "audit_found_unsettled", tenant=tenant.name, tenant_id=str(tenant.id), rows=rows_lost
            )
        return len(found), len(found) == SLICE

    def _lost(
        self, db: TenantDb, found: list[pending.Unsettled]
    ) -> dict[tuple[str, str], list[tuple[str, Json]]]:
        """Register → rows without work, in three looks: unsettled, no work, still unsettled. A delivery that ends between
        two of them takes its row and its record's debt away together, so that the third look sees it."""
        of_register: dict[tuple[str, str], list[tuple[str, Json]]] = {}
        for one in found:
            if (one.system, one.register) in self._registers:
                of_register.setdefault((one.system, one.register), []).append((one.id, one.body))
        lacking = {
            key: announcing.lacking(db, self._registers[key], rows) for key, rows in of_register.items()
        }
        if not any(lacking.values()):
            return {}
        still = pending.still_unsettled(db, found)
        sure = {
            key: [(row_id, body) for row_id, body in rows if (*key, row_id) in still]
            for key, rows in sorted(lacking.items())
        }
        return {key: rows for key, rows in sure.items() if rows}
