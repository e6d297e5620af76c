"""Work that needs another matter first: who waits, who had better say so, and when waiting has an end (R-INV-11, R-PRJ-5,
docs/never-twice.md rule 17)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from db import attempts, log, matters, outbox, records
from db.books import ERP_REGISTERS, SEVERA_REGISTERS
from db.claim import Claimed
from db.matters import Matter
from db.outbox import Rank
from db.tenant import TenantDb
from domain.errors import Stop, Waiting
from domain.invoice.plan import ORIGINAL_IN_ERROR, ORIGINAL_NOT_BOOKED, ORIGINAL_UNKNOWN
from domain.model import Record, System

# A wait for a reference register ("reference") names the register where others name a record.
REFERENCE = "reference"
# Invoices are waited for by their credit notes only, which are told so: there is nothing to exchange, that one has to go first.
OF_AN_ORIGINAL = {
    "work.dependency_in_error": ORIGINAL_IN_ERROR,
    "work.dependency_unknown": ORIGINAL_UNKNOWN,
    "work.dependency_left_alone": ORIGINAL_NOT_BOOKED,
}


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds after which a wait is told to a person: for anything at all; for what the bridge has never seen; for what was
    settled and left alone by rule."""

    most: float = 86_400.0
    unseen: float = 900.0
    left_alone: float = 90.0


@dataclass(frozen=True, slots=True)
class Target:
    """What is waited for: a matter with the record that was last seen of it, or a reference register by name."""

    matter: Matter | None
    record: Record | None = None
    register: str | None = None


def target(db: TenantDb, error: Waiting) -> Target:
    """Who is waited for; a record that was never seen gets its matter now, so that its coming wakes the waiter."""
    if error.domain == REFERENCE:
        return Target(None, register=error.severa_id)
    system: System = "severa" if error.severa_id else "visma_net"
    record_id = error.severa_id or error.erp_id or ""
    registers = (SEVERA_REGISTERS if error.severa_id else ERP_REGISTERS)[error.domain]
    record = records.newest(db, system, list(registers), record_id)
    by = {"severa_id": error.severa_id, "erp_id": error.erp_id}
    found = matters.find(db, error.domain, **by)
    if found is None and registers:
        register = record.register if record else registers[0]
        number = record.number if record else ""
        made = matters.meet(db, error.domain, system, register, [(record_id, number)])
        found = matters.get(db, next(iter(made.values()))) if made else None
    return Target(found, record)


def hopeless(db: TenantDb, row: Claimed, error: Waiting, wanted: Target, patience: Patience) -> Stop | None:
    """The problem of a waiter whom waiting does not help: what it needs has failed, is in doubt, waits for the waiter,
    was left alone by rule, was never seen, or does not come. It still goes on by itself when that one is settled."""
    if wanted.matter is None:
        return None
    name = error.name or (wanted.record.name if wanted.record else "")
    values = {"name": name, "domain": error.domain}

    def stop(code: str) -> Stop:
        return Stop(
            OF_AN_ORIGINAL.get(code, code) if error.domain == "invoice" else code, values, waits_for=error
        )

    state = outbox.state_of(db, error.domain, wanted.matter.id)
    if state in ("failed", "in_doubt"):
        return stop("work.dependency_in_error")
    if outbox.in_circle(db, row.matter_id, wanted.matter.id) and row.matter_id > wanted.matter.id:
        # Of those in a circle the younger one gives way and says so; the other goes on waiting for it.
        return stop("work.waits_in_circle")
    if row.waits_since is None:
        return None
    waited = row.now - row.waits_since
    seen = wanted.record is not None and not wanted.record.gone
    if not seen and waited > timedelta(seconds=patience.unseen):
        return stop("work.dependency_unknown")
    alone = state is None and not error.need and wanted.matter.link is None and seen
    if alone and waited > timedelta(seconds=patience.left_alone):
        return stop("work.dependency_left_alone")
    if waited > timedelta(seconds=patience.most):
        return stop("work.waited_too_long")
    return None


def over(db: TenantDb, stop: Stop, error: Waiting, wanted: Target) -> bool:
    """Whether what a delivery failed for has come right between its look and now. To be asked while both matters are held:
    the other one's end wakes whoever points at it, and whoever points at it later is woken by nobody."""
    if wanted.matter is None:
        return False
    if wanted.matter.link is not None and not error.need:
        return True
    in_error = outbox.state_of(db, error.domain, wanted.matter.id) in ("failed", "in_doubt")
    told = stop.code.endswith("_in_error")
    return told and not in_error and not log.has_problem(db, error.domain, wanted.matter.id)


def ensure(db: TenantDb, row: Claimed, error: Waiting, wanted: Target, *, wait: float) -> None:
    """A waiter makes sure that what it waits for has a row, and is told what is needed of it; a failed one is left to its
    problem. What was settled during this wait, without bringing what is needed, is looked at again after ``wait`` seconds and
    not at once: its end wakes the waiter, and the two would go round as fast as they can."""
    if wanted.matter is None:
        return
    new = bool(error.need) and matters.put_need(db, row.matter_id, wanted.matter.id, error.need)
    if not new and row.waits_since is not None:
        soon = max(row.waits_since, row.now - timedelta(seconds=wait))
        if attempts.rested_since(db, error.domain, wanted.matter.id, soon):
            return
    if new or outbox.state_of(db, error.domain, wanted.matter.id) is None:
        announce(db, error.domain, wanted.matter, cause="waited for", rank=Rank.PERSON)


def announce(db: TenantDb, domain: str, matter: Matter, *, cause: str, rank: Rank = Rank.CHANGE) -> None:
    """'Settle this matter', by whichever side it has."""
    system = "severa" if matter.severa else "visma_net"
    side = matter.severa or matter.erp
    outbox.announce(
        db, domain, [matter.id], cause=cause, system=system, register=side[0] if side else "", rank=rank
    )


def blamed(db: TenantDb, stop: Stop) -> UUID | None:
    """The matter in error that a delivery fails for, while something is needed of it. The need stands until that one's problem is
    solved: lifted, its work would succeed with nothing to do and wake the waiter, whose need fails it again, without end."""
    error = stop.waits_for
    if error is None or not error.need:
        return None
    wanted = target(db, error).matter
    in_error = wanted is not None and outbox.state_of(db, error.domain, wanted.id) in ("failed", "in_doubt")
    return wanted.id if wanted is not None and in_error else None


def lift(db: TenantDb, row: Claimed, *, but: UUID | None = None) -> None:
    """A matter that rests needs nothing of others any more: whom it needed is looked at (a project is closed again)."""
    for needed in matters.lift_needs(db, row.matter_id, but=but):
        if matter := matters.get(db, needed):
            announce(db, matter.domain, matter, cause="followed")
