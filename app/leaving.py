"""A tenant leaves: nothing more is let through, everything sent comes to its end, it is exported, and erased (rule 23, S46).

Each step can be begun again: whatever stops it, the tenant is left *leaving* (it may still stay) or *erasing* (it may not), and
``erase`` goes on from there. The pair of companies is free when the tenant is gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID

import psycopg
import structlog

from app import exporting
from app.bootstrap import Bridge
from app.tenancy import find_tenant, who
from db import leaving, tables, tenants
from db.leaving import Erasure, Unfinished, Waits
from db.tables import IDENTITY, LINES, TABLES, Table
from db.tenants import Tenant
from domain.errors import InputError, Interrupted

logger = structlog.get_logger("leaving")

# Rows erased in one transaction.
PORTION = 2_000
# Longest pause between two looks at what is waited for, seconds.
LOOK_AGAIN = 5.0
LOOK_SOON = 0.5
# Something may be written while the last rows go; who writes on is no process of this version.
ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Progress:
    """``rows`` of a table have been exported or erased so far."""

    what: Literal["exported", "erased"]
    table: str
    rows: int


Say = Callable[[Waits | Progress], None]


class NotFinished(InputError):
    """Matters that the vendors would show unfinished for ever: nothing is erased unless a person says so."""

    def __init__(self, message: str, unfinished: Sequence[Unfinished]) -> None:
        super().__init__(message)
        self.unfinished = list(unfinished)


def unfinished(bridge: Bridge, name: str) -> list[Unfinished]:
    """What would be left behind at the vendors if the tenant were erased now."""
    tenant = find_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        return leaving.unfinished(db)


def leave(bridge: Bridge, name: str, *, anyway: bool = False) -> Tenant:
    """No claim, no poll, no announcement is let through from now on; deliveries under way end by themselves.

    Raises NotFinished, with nothing changed, for what only a person can end; not with ``anyway``.
    """
    tenant = find_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        doubts = [one for one in leaving.unfinished(db) if one.what == "in_doubt"]
    if doubts and not anyway and tenant.state not in ("leaving", "erasing"):
        raise NotFinished(_sentence(tenant, doubts), doubts)
    with bridge.db.tenant(tenant.id) as db:
        if leaving.leave(db):
            tenants.audit(db, who(), "tenant.leaving", {"anyway": anyway})
            logger.info("leaving", tenant=tenant.name, tenant_id=str(tenant.id))
    return find_tenant(bridge, name)


def waits(bridge: Bridge, tenant: Tenant) -> Waits:
    """What a leaving tenant waits for at this moment."""
    with bridge.db.tenant(tenant.id) as db:
        return leaving.waits(db)


def erase(
    bridge: Bridge, name: str, *, export_to: Path | None, anyway: bool = False, say: Say = lambda _: None
) -> Erasure:
    """Has the tenant leave, waits until everything that was sent is over, exports and erases it; what is left of it.

    ``export_to``: a zip file that is not there yet, None = without. ``anyway``: also with matters that are in doubt or begun.
    Goes on where it was stopped; what was exported before the erasing began is not exported again. Raises InputError,
    NotFinished when the wait is over, and Interrupted on Ctrl-C between two looks.
    """
    tenant = find_tenant(bridge, name)
    if tenant.state != "erasing":
        if export_to is not None:
            exporting.check_target(export_to)
        tenant = leave(bridge, name, anyway=anyway)
    while tenant.state != "erasing":
        _begin(bridge, tenant, export_to, say, anyway=anyway)
        tenant = find_tenant(bridge, name)
        if tenant.state not in ("leaving", "erasing"):
            raise InputError(f"The tenant '{name}' stays: somebody resumed it. Nothing was erased.")
    gone = _erase(bridge, tenant.id, say)
    bridge.connections.forget(tenant.id)
    logger.warning("erased", tenant=tenant.name, tenant_id=str(tenant.id), rows=sum(gone.counts.values()))
    return gone


def erasures(bridge: Bridge) -> list[Erasure]:
    """What is left of erased tenants, oldest first."""
    with bridge.db.dispatch() as db:
        return leaving.erasures(db)


# ---------------------------------------------------------------- until nothing leads back


def _begin(bridge: Bridge, tenant: Tenant, export_to: Path | None, say: Say, *, anyway: bool) -> None:
    """Waits, exports and begins; when something came in between, the caller looks and begins anew."""
    over = _wait(bridge, tenant, say)
    with bridge.db.tenant(tenant.id) as db:
        left = leaving.unfinished(db)
    if left and not anyway:
        raise NotFinished(_sentence(tenant, left), left)
    if export_to is not None:
        exporting.export(
            bridge.db, tenant, export_to, over.now, lambda table, rows: say(Progress("exported", table, rows))
        )
    with bridge.db.tenant(tenant.id) as db:
        leaving.begin_erasing(db, who(), str(export_to or ""), Counter(one.what for one in left))


def _wait(bridge: Bridge, tenant: Tenant, say: Say) -> Waits:
    """Until no delivery is under way and every settle time is over."""
    told: tuple[object, ...] | None = None
    while True:
        found = waits(bridge, tenant)
        if not found.writes:
            raise InputError(
                "Nothing is erased while writes are off, for this may not be the database that counts: 'severa-bridge db status' says why."
            )
        if found.over:
            return found
        news = (found.at_work, found.unanswered, found.until, found.steady)
        if news != told:
            say(found)
            told = news
        if bridge.stop.wait(_pause(found)):
            raise Interrupted(f"Stopped; the tenant '{tenant.name}' is leaving.")


def _pause(found: Waits) -> float:
    """Seconds until something can be over: a delivery may end at any time, a settle time ends when it does."""
    if found.at_work or found.until is None:
        return LOOK_SOON
    return min(LOOK_AGAIN, max(0.0, (found.until - found.now).total_seconds()) + 0.01)


def _sentence(tenant: Tenant, left: Sequence[Unfinished]) -> str:
    number = Counter(one.what for one in left)
    words: dict[Literal["in_doubt", "held", "begun"], str] = {
        "in_doubt": "in doubt",
        "held": "with a document that may stand on hold in Visma.net ERP",
        "begun": "begun and not brought to an end",
    }
    said = ", ".join(f"{number[what]} {word}" for what, word in words.items() if number[what])
    cure = (
        f"decide what is in doubt ('severa-bridge doubt list {tenant.name}')"
        if tenant.state not in ("leaving", "erasing")
        else f"have them finished ('severa-bridge tenant resume {tenant.name}')"
    )
    return (
        f"Of tenant '{tenant.name}' nobody would look after {len(left)} any more ({said}): "
        f"{cure}, or erase it with --anyway."
    )


# ---------------------------------------------------------------- the erasure


def _erase(bridge: Bridge, tenant_id: UUID, say: Say) -> Erasure:
    """Empties every table in portions, then takes the tenant itself away."""
    for _ in range(ROUNDS):
        for table in TABLES:
            _empty(bridge, tenant_id, table, say)
        try:
            return _end(bridge, tenant_id)
        except psycopg.errors.ForeignKeyViolation:
            # A process that had not noticed yet wrote something: once more.
            continue
    raise InputError("Something of the tenant is written again and again: run the command once more.")


def _empty(bridge: Bridge, tenant_id: UUID, table: Table, say: Say) -> None:
    after = None
    count = 0
    while True:
        if bridge.stop.is_set():
            raise Interrupted("Stopped; the erasing goes on when the command is run again.")
        with bridge.db.tenant(tenant_id) as db:
            rows, after = tables.delete(db, table, after, PORTION)
            if rows:
                leaving.count(db, table.name, rows)
        if not rows:
            return
        count += rows
        say(Progress("erased", table.name, count))
        if rows < PORTION:
            return


def _end(bridge: Bridge, tenant_id: UUID) -> Erasure:
    """What came in last, the identity and the tenant, in one transaction: the pair of companies is free."""
    with bridge.db.tenant(tenant_id) as db:
        if not leaving.lock(db):
            gone = leaving.erasure(db)
            if gone is None:
                raise InputError("The tenant is not being erased.")
            return gone
        for table in (*LINES, IDENTITY):
            if rows := tables.delete_all(db, table):
                leaving.count(db, table.name, rows)
        return leaving.end(db)
