"""From changed rows to 'settle this': whom a row concerns, and that everybody concerned has work.

The one place where what was seen becomes work. Always in the order of the ids and at most ``SLICE`` rows in a transaction,
so that a large announcement neither holds locks for long nor waits crosswise with another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from db import outbox, records
from db.outbox import Concerned
from db.pool import Connection
from domain.ports import Json
from domain.registers import Concern, Register

Registers = Mapping[tuple[str, str], Register]
Listed = Sequence[tuple[str, Json]]
"""Rows of a register: (id, body)."""

SLICE = 1000


def announce(
    db: Connection,
    tenant_id: UUID,
    register: Register,
    rows: Listed,
    *,
    cause: str = "changed",
    only_linked: bool = False,
) -> set[str]:
    """'Settle this' for everybody whom these rows concern; the ids of those that have no work of their own: they are
    settled with another record, or concern nobody yet.

    ``only_linked``: what is not linked is left alone.
    """
    own: set[str] = set()
    for domain, concerned in by_domain(db, tenant_id, register, rows, only_linked=only_linked).items():
        told, _ = outbox.announce_all(db, tenant_id, domain, concerned, cause=cause)
        own.update(one.id for one in told)
    return {row_id for row_id, _ in rows if row_id not in own}


def by_domain(
    db: Connection, tenant_id: UUID, register: Register, rows: Listed, *, only_linked: bool = False
) -> dict[str, list[Concerned]]:
    """Domain → whom these rows concern in it, by id; nobody where a row names a record that has not been seen. Domains in
    the order of their names: two announcements take them alike."""
    found: dict[str, set[Concerned]] = {}
    for concern in _resolved(db, tenant_id, register, rows):
        one = Concerned(register.system, concern.register, concern.id, concern.only_linked or only_linked)
        found.setdefault(concern.domain, set()).add(one)
    return {domain: sorted(found[domain]) for domain in sorted(found)}


def _resolved(db: Connection, tenant_id: UUID, register: Register, rows: Listed) -> Iterable[Concern]:
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
        name: records.ids_of_numbers(db, tenant_id, register.system, name, sorted(wanted))
        for name, wanted in numbers.items()
    }
    of_between = {
        name: records.owners(db, tenant_id, register.system, name, sorted(wanted))
        for name, wanted in between.items()
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


def lacking(db: Connection, tenant_id: UUID, register: Register, rows: Listed) -> list[tuple[str, Json]]:
    """The audit's question: rows that have work of their own to do and no row of it in any domain."""
    lacking: set[str] = set()
    having: set[str] = set()
    for domain, concerned in by_domain(db, tenant_id, register, rows).items():
        lack = {one.id for one in outbox.without_work(db, tenant_id, domain, concerned)}
        lacking |= lack
        having |= {one.id for one in concerned if not one.only_linked and one.id not in lack}
    return [(row_id, body) for row_id, body in rows if row_id in lacking - having]
