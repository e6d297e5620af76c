"""From changed rows to 'settle this': whom a row concerns, and the brake for changes that look like an accident.

A register's rows are stored page by page, but announced when its last page is in: only then can be told whether a poll
changed more of a register than people do (R-CON-3). Then the domain of the tenant is paused and a problem asks; the
rows wait in the outbox until somebody resumes the domain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from db import links, log, outbox, records, tenants
from db.pool import Connection
from domain.ports import Json
from domain.registers import Concern, Register

Registers = Mapping[tuple[str, str], Register]

# The registers that people keep. A month's invoices or a day's payments may well change all at once.
BRAKED = frozenset({"customer", "product", "project"})
BRAKE = "poll.brake"
# A person who resumes the domain has said yes to what stands there; the same reading is not asked about again for a day.
RESUMED = "resumed"


@dataclass(slots=True)
class Held:
    """What one reading of a register has brought so far. ``changed``: how many of the rows were known before."""

    rows: dict[str, records.Row] = field(default_factory=dict)
    changed: int = 0

    def add(self, rows: Iterable[records.Row]) -> None:
        for row in rows:
            if row.id not in self.rows and not row.new:
                self.changed += 1
            self.rows[row.id] = row


@dataclass(frozen=True, slots=True)
class Brake:
    """The installation's limits: more than ``percent`` of a register and at least ``records`` of it."""

    percent: int
    records: int

    def stops(self, changed: int, known: int) -> bool:
        return changed >= self.records and changed * 100 > known * self.percent


def resolved(
    db: Connection, tenant_id: UUID, registers: Registers, register: Register, body: Json
) -> list[Concern]:
    """Whom a row concerns, by id; nobody where it names a record that has not been seen."""
    found = []
    for concern in register.concerns(body):
        if concern.number:
            named = records.find(db, tenant_id, register.system, concern.register, number=concern.number)
            found += [replace(concern, id=one.id, number="") for one in named]
        elif concern.through:
            between = records.get(db, tenant_id, register.system, concern.through, concern.id)
            own = registers.get((register.system, concern.through))
            owner = own.owner(between.body) if between is not None and own is not None else ""
            found += [replace(concern, id=owner, through="")] if owner else []
        elif concern.id:
            found.append(concern)
    return found


def announce(
    db: Connection,
    tenant_id: UUID,
    registers: Registers,
    register: Register,
    rows: Iterable[tuple[str, Json]],
    *,
    cause: str = "changed",
    only_linked: bool = False,
) -> int:
    """'Settle this' for everybody whom these rows (id, body) concern; how many that had no row before.

    A row that is settled with another record, or concerns nobody yet, has no work of its own. ``only_linked``: what is
    not linked is left alone.
    """
    listed = list(rows)
    concerns = [
        (concern, row_id)
        for row_id, body in listed
        for concern in resolved(db, tenant_id, registers, register, body)
    ]
    by_domain = {links.link_domain(concern.domain) for concern, _ in concerns}
    linked: dict[tuple[str, str], str] = {}
    for found_id, domain, severa_id, erp_id in links.of_ids(
        db, tenant_id, sorted(by_domain), [concern.id for concern, _ in concerns]
    ):
        linked[domain, severa_id] = linked[domain, erp_id] = found_id
    own: set[str] = set()
    made = 0
    for concern, row_id in concerns:
        link_id = linked.get((links.link_domain(concern.domain), concern.id))
        if link_id is not None:
            subject = outbox.link_subject(link_id)
        elif concern.only_linked or only_linked:
            continue
        else:
            subject = outbox.record_subject(register.system, concern.register, concern.id)
        if concern.id == row_id:
            own.add(row_id)
        made += outbox.state_of(db, tenant_id, concern.domain, subject) is None
        outbox.announce(
            db,
            tenant_id,
            concern.domain,
            subject,
            cause=cause,
            system=register.system,
            register=concern.register,
        )
    for row_id, _ in listed:
        if row_id not in own:
            records.settled_now(db, tenant_id, register.system, register.name, row_id)
    return made


def gone(
    db: Connection, tenant_id: UUID, registers: Registers, register: Register, missing: Sequence[str]
) -> None:
    """Records that a complete reading did not show: marked, and those that are linked looked at (R-CUS-8)."""
    bodies = [
        (record.id, record.body)
        for record_id in missing
        if (record := records.get(db, tenant_id, register.system, register.name, record_id)) is not None
    ]
    records.gone(db, tenant_id, register.system, register.name, list(missing))
    if not register.passing and domains_of(register, [body for _, body in bodies]) & BRAKED:
        announce(db, tenant_id, registers, register, bodies, cause="gone", only_linked=True)


def domains_of(register: Register, bodies: Iterable[Json]) -> set[str]:
    """The domains that rows of a register concern."""
    return {concern.domain for body in bodies for concern in register.concerns(body)}


def brake(
    db: Connection,
    tenant_id: UUID,
    register: Register,
    domains: Iterable[str],
    values: Mapping[str, object],
) -> bool:
    """Pauses the domains and asks; False when a person has resumed them after the same question not long ago."""
    subject = f"brake:{register.system}/{register.name}"
    wanted = sorted(domains)
    if all(log.closed_lately(db, tenant_id, domain, subject, BRAKE, RESUMED) for domain in wanted):
        return False
    tenants.pause_domains(db, tenant_id, wanted)
    for domain in wanted:
        about = {
            "domain": domain,
            "subject": subject,
            "system": register.system,
            "register": register.name,
            "record_id": "",
            "number": "",
            "name": "",
        }
        log.open_problem(db, tenant_id, about, BRAKE, {"register": register.name, "domain": domain, **values})
    return True
