"""Work that needs another record first: who waits, who had better say so, and what wakes it (R-INV-11, R-PRJ-5)."""

from __future__ import annotations

from db import attempts, links, outbox, records
from db.books import SEVERA_REGISTERS
from db.outbox import Claimed
from db.pool import Connection
from domain.errors import Stop, Waiting
from domain.invoice.plan import ORIGINAL_NOT_BOOKED

# So often a record that is settled without a link is asked for again before the waiter says so.
WAITS_MOST = 3


def hopeless(db: Connection, row: Claimed, error: Waiting) -> Stop | None:
    """The problem of a waiter whose dependency has failed, or was left alone by rule however often it was asked for; it
    still goes on by itself when that one is settled. None: waiting makes sense."""
    alone, name = False, error.name
    for register in SEVERA_REGISTERS[error.domain] if error.severa_id else ():
        record = records.get(db, row.tenant_id, "severa", register, error.severa_id or "")
        if record is None:
            continue
        name = name or record.name
        subject = outbox.record_subject("severa", register, record.id)
        state = outbox.state_of(db, row.tenant_id, error.domain, subject)
        if state in ("failed", "in_doubt"):
            values = {"name": error.name or record.name, "domain": error.domain}
            return Stop("work.dependency_in_error", values, waits_for=error)
        alone = alone or (state is None and record.settled_version >= record.version)
    if alone and attempts.waits(db, row.tenant_id, row.delivery) >= WAITS_MOST:
        # Invoices are waited for by their credit notes only: there is nothing to exchange, that one has to go first.
        code = ORIGINAL_NOT_BOOKED if error.domain == "invoice" else "work.dependency_left_alone"
        return Stop(code, {"name": name or "–", "domain": error.domain}, waits_for=error)
    return None


def ensure(db: Connection, row: Claimed, error: Waiting) -> None:
    """A waiter makes sure that what it waits for has a row; a failed one is left to its problem."""
    if not error.severa_id:
        return
    for register in SEVERA_REGISTERS[error.domain]:
        if records.get(db, row.tenant_id, "severa", register, error.severa_id):
            subject = outbox.record_subject("severa", register, error.severa_id)
            if outbox.state_of(db, row.tenant_id, error.domain, subject) is None:
                outbox.announce(
                    db,
                    row.tenant_id,
                    error.domain,
                    subject,
                    cause="waited for",
                    system="severa",
                    register=register,
                )


def waits_key(db: Connection, row: Claimed, waits_for: Waiting | None) -> str | None:
    """Key of the record in error that a failed row points at; None: none, or it is linked by now."""
    if waits_for is None:
        return None
    by = {"severa_id": waits_for.severa_id, "erp_id": waits_for.erp_id}
    if links.find(db, row.tenant_id, waits_for.domain, **by):
        return None
    return outbox.waits_key(waits_for.domain, **by)
