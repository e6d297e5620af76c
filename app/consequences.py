"""A changed setting is a change (docs/never-twice.md rule 19): what it asks for of matters that were seen already.

Counted beforehand, announced with the lowest rank: 100,000 matters of a start date go behind the invoice that somebody has
just approved. What is in doubt is left alone: only proof or a person ends it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar
from uuid import UUID

from db import log, matters, outbox, records
from db.books import ReferenceCache, TenantBooks
from db.matters import matter_domain
from db.outbox import ANNOUNCED_AT_ONCE, Rank
from db.pool import Database
from db.tenants import Tenant
from domain import catalogue
from domain.model import Record, System
from domain.registers import Concern, Register
from domain.setup.settings import TenantSettings

Registers = Mapping[tuple[str, str], Register]
Id = TypeVar("Id", str, UUID)

# Whose value decides whether a record asks for anything; other settings only change how it is carried over. A test holds it
# to what ``asks``, ``wanted`` and ``start_setting`` read: with one left out, what it decides otherwise is never announced.
DECIDING = ("invoices_from", "costs_from", "costs", "journal_modules", "status_roles", "ignored_statuses")

# Whose value decides whether something is a problem that stands without work of its own: setting → causes.
STANDING: Mapping[str, Sequence[str]] = {"small_balance_limit": ("payment.written_off",)}


@dataclass(slots=True)
class Consequences:
    """``asked``: by domain and register, the ids of records that ask for something now and did not before; ``scope``: by
    register, those that are in scope now (True) or not any more (False); ``failed``: rows that failed under the old value; ``told``: matters
    with a problem that the new value may end, by domain."""

    asked: dict[tuple[str, System, str], list[str]] = field(default_factory=dict)
    scope: dict[tuple[str, str, bool], list[str]] = field(default_factory=dict)
    failed: int = 0
    told: dict[str, list[UUID]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many matters are looked at again."""
        return sum(map(len, self.asked.values())) + sum(map(len, self.told.values())) + self.failed


def of(
    db: Database, registers: Registers, tenant: Tenant, before: TenantSettings, after: TenantSettings
) -> Consequences:
    """What a change from one to the other asks for; nothing is written."""
    found = Consequences()
    with db.tenant(tenant.id) as connection:
        found.failed = outbox.failed_count(connection)
        changed = [name for name in STANDING if getattr(before, name) != getattr(after, name)]
        for domain, matter in log.told_of(connection, [code for name in changed for code in STANDING[name]]):
            found.told.setdefault(domain, []).append(matter)
    if all(getattr(before, name) == getattr(after, name) for name in DECIDING):
        return found
    books = TenantBooks(db, tenant.id, ReferenceCache())
    for register in registers.values():
        if register.reference or not (register.start_setting or register.name == "invoices"):
            continue
        with db.tenant(tenant.id) as connection:
            known = records.all_of(connection, register.system, register.name)
        for record in known:
            _weigh(found, register, record, books, before, after)
    return found


def _weigh(
    found: Consequences,
    register: Register,
    record: Record,
    books: TenantBooks,
    before: TenantSettings,
    after: TenantSettings,
) -> None:
    was, now = (register.in_scope(record.body, _start(register, one)) for one in (before, after))
    if was != now:
        found.scope.setdefault((register.system, register.name, now), []).append(record.id)
    for concern in register.concerns(record.body):
        asked = was and _asks(register, record, concern, books, before)
        asks = now and _asks(register, record, concern, books, after)
        if asks and not asked and concern.id:
            key = (concern.domain, register.system, concern.register)
            found.asked.setdefault(key, []).append(concern.id)


def _asks(
    register: Register, record: Record, concern: Concern, books: TenantBooks, settings: TenantSettings
) -> bool:
    spec = catalogue.SPECS[concern.domain]
    return spec.asks(register.system, register.name, record.body, books, settings)


def _start(register: Register, settings: TenantSettings) -> date | None:
    return getattr(settings, register.start_setting) if register.start_setting else None


def announce(db: Database, tenant: Tenant, found: Consequences) -> None:
    """Has everything looked at again, a thousand at a time."""
    for (system, register, now), ids in found.scope.items():
        for some in _slices(ids):
            with db.tenant(tenant.id) as connection:
                records.set_scope(connection, system, register, some, in_scope=now)
    for (domain, system, register), ids in found.asked.items():
        for some in _slices(ids):
            with db.tenant(tenant.id) as connection:
                met = matters.meet(
                    connection,
                    matter_domain(domain),
                    system,
                    register,
                    [(one, "") for one in some],
                )
                outbox.announce(
                    connection, domain, list(met.values()),
                    cause="setting", system=system, register=register, rank=Rank.SWEEP,
                )  # fmt: skip
    for domain, told in found.told.items():
        for matters_told in _slices(told):
            with db.tenant(tenant.id) as connection:
                outbox.announce(
                    connection, domain, matters_told,
                    cause="setting", system="severa", register="", rank=Rank.SWEEP,
                )  # fmt: skip
    with db.tenant(tenant.id) as connection:
        outbox.retry_failed(connection)


def _slices(ids: Sequence[Id]) -> Iterator[Sequence[Id]]:
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), ANNOUNCED_AT_ONCE):
        yield ordered[start : start + ANNOUNCED_AT_ONCE]
