"""From changed rows to 'settle this': whom a row concerns, and that everybody concerned has work.

The one place where what was seen becomes work. At most ``SLICE`` rows in a transaction, so that a large announcement does not
hold locks for long. Nobody waits crosswise: matters in the order of their ids, then rows of work, then records, here as in the
transaction that ends a delivery.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db import matters, outbox, records
from db.matters import matter_domain
from db.outbox import Rank
from db.tenant import TenantDb
from domain.invoice.registers import DOCUMENTS
from domain.model import Json, System
from domain.registers import Concern, Register

Registers = Mapping[tuple[str, str], Register]
Listed = Sequence[tuple[str, Json]]
"""Rows of a register: (id, body)."""

SLICE = 1000


@dataclass(frozen=True, order=True, slots=True)
class Concerned:
    """A record that has to be settled; ``only_linked``: nothing is to be done when it has no counterpart."""

    system: System
    register: str
    id: str
    only_linked: bool = False


def announce(
    db: TenantDb,
    register: Register,
    rows: Listed,
    *,
    cause: str = "changed",
    also: Collection[UUID] = (),
) -> set[str]:
    """'Settle this' for everybody whom these rows concern; the ids of those that have no work of their own: they are
    settled with another record, or concern nobody yet. ``also``: other matters that the transaction goes on to.

    ``cause`` *gone*: of what is not there any more only who is linked, or whom something is open about; the rest asks nothing.
    """
    by = by_domain(db, register, rows, only_linked=cause == "gone")
    known = {
        domain: _matters(db, domain, concerned, unfinished=cause == "gone")
        for domain, concerned in by.items()
    }
    # Over all domains at once: a delivery may be at two of them.
    held = {matter for found in known.values() for matter in found.values() if matter is not None}
    matters.share(db, sorted(held | set(also)))
    own: set[str] = set()
    for domain, found in known.items():
        own.update(_announce(db, domain, _met(db, domain, found), cause))
    return {row_id for row_id, _ in rows if row_id not in own}


def _announce(db: TenantDb, domain: str, found: Mapping[Concerned, UUID | None], cause: str) -> set[str]:
    """One domain's work, set-based. The ids of those announced."""
    of_register: dict[tuple[System, str], dict[str, UUID]] = {}
    for one, matter in found.items():
        if matter is not None:
            of_register.setdefault((one.system, one.register), {})[one.id] = matter
    rank = Rank.CHANGE if cause == "changed" else Rank.SWEEP
    for (system, register), ones in sorted(of_register.items()):
        outbox.announce(db, domain, ones.values(), cause=cause, system=system, register=register, rank=rank)
    return {record_id for ones in of_register.values() for record_id in ones}


def _matters(
    db: TenantDb,
    domain: str,
    concerned: Sequence[Concerned],
    *,
    unfinished: bool = False,
) -> dict[Concerned, UUID | None]:
    """The matter of everybody concerned, None for one that was never seen; who may do without work when it has no
    counterpart is left out then, ``unfinished``: unless something is open about it."""
    own = matter_domain(domain)
    known = matters.of_ids(db, [own], sorted({one.id for one in concerned}))
    at = outbox.unfinished_of(db, domain, [matter for matter, _ in known.values()]) if unfinished else set()
    found: dict[Concerned, UUID | None] = {}
    for one in concerned:
        matter, paired = known.get((own, one.system, one.id), (None, False))
        if paired or not one.only_linked or matter in at:
            found[one] = matter
    return found


def _met(db: TenantDb, domain: str, found: Mapping[Concerned, UUID | None]) -> dict[Concerned, UUID | None]:
    """With the matters of those that were never seen, made now."""
    unmet: dict[tuple[System, str], list[Concerned]] = {}
    for one, matter in found.items():
        if matter is None and not one.only_linked:
            unmet.setdefault((one.system, one.register), []).append(one)
    made: dict[Concerned, UUID | None] = {}
    for (system, register), ones in sorted(unmet.items()):
        met = matters.meet(db, domain, system, register, [(one.id, "") for one in ones])
        made |= {one: met.get(one.id) for one in ones}
    return {**found, **made}


def by_domain(
    db: TenantDb, register: Register, rows: Listed, *, only_linked: bool = False
) -> dict[str, list[Concerned]]:
    """Domain → whom these rows concern in it, by id; nobody where a row names a record that has not been seen. Domains in
    the order of their names: two announcements take them alike."""
    found: dict[str, set[Concerned]] = {}
    for concern in _resolved(db, register, rows):
        one = Concerned(register.system, concern.register, concern.id, concern.only_linked or only_linked)
        found.setdefault(concern.domain, set()).add(one)
    return {domain: sorted(found[domain]) for domain in sorted(found)}


def _resolved(db: TenantDb, register: Register, rows: Listed) -> Iterable[Concern]:
    """The concerns of all rows with their ids: those that name a number or go through another record in one question each."""
    concerns = [concern for _, body in rows for concern in register.concerns(body)]
    numbers: dict[str, set[str]] = {}
    between: dict[str, set[str]] = {}
    for concern in concerns:
        if concern.number:
            numbers.setdefault(concern.register, set()).add(concern.number)
        elif concern.through:
            between.setdefault(concern.through, set()).add(concern.id)
    of_number = {
        name: records.ids_of_numbers(db, register.system, name, sorted(wanted))
        for name, wanted in numbers.items()
    }
    of_between = {
        name: records.owners(db, register.system, name, sorted(wanted)) for name, wanted in between.items()
    }
    for concern in concerns:
        if concern.number:
            for named in of_number[concern.register].get(concern.number, ()):
                yield Concern(concern.domain, concern.register, named, concern.only_linked)
        elif concern.through:
            if owner := of_between[concern.through].get(concern.id):
                yield Concern(concern.domain, concern.register, owner, concern.only_linked)
        elif concern.id:
            yield concern


def lacking(db: TenantDb, register: Register, rows: Listed) -> list[tuple[str, Json]]:
    """The audit's question: rows that have work of their own to do and no row of it in any domain."""
    lacking: set[str] = set()
    having: set[str] = set()
    for domain, concerned in by_domain(db, register, rows).items():
        known = _matters(db, domain, concerned)
        at_work = outbox.with_work(db, domain, [one for one in known.values() if one is not None])
        lack = {one.id for one, matter in known.items() if matter is None or matter not in at_work}
        lacking |= lack
        having |= {one.id for one in concerned if not one.only_linked and one.id not in lack}
    return [(row_id, body) for row_id, body in rows if row_id in lacking - having]


def documents(db: TenantDb, compared: records.Compared, asked_at: datetime) -> set[UUID]:
    """Matters of invoices whose documents a page shows otherwise than the bridge knows them: their deliveries decide (rule 6).

    Changed rows with our marker that are not known to their invoice's matter; and rows, changed or not, of documents that were
    removed and must not have been shown any more when the page was asked for.
    """
    shown = [row.id for row in (*compared.changed, *compared.rewritten)] + compared.same
    return {*_marked(db, compared.changed), *matters.removed_before(db, shown, asked_at)}


def marked(db: TenantDb, due: Collection[UUID]) -> None:
    """Work for what ``documents`` found."""
    outbox.announce(db, "invoice", due, cause="marker", system="visma_net", register=DOCUMENTS)


def _marked(db: TenantDb, rows: Iterable[records.Row]) -> Iterable[UUID]:
    by_guid: dict[str, list[str]] = {}
    for row in rows:
        if row.marker is not None:
            by_guid.setdefault(row.marker.partition(":")[2], []).append(row.id)
    if not by_guid:
        return []
    known = matters.document_matters(db, [one for ids in by_guid.values() for one in ids])
    invoices = matters.of_ids(db, ["invoice"], list(by_guid))
    return [
        invoices["invoice", "severa", guid][0]
        for guid, ids in by_guid.items()
        if ("invoice", "severa", guid) in invoices
        and any(known.get(one) != invoices["invoice", "severa", guid][0] for one in ids)
    ]
