"""From changed rows to 'settle this': whom a row concerns, and the brake for changes that look like an accident.

A register's rows are stored page by page, but announced when its last page is in: only then can be told whether a poll
changed more of a register than people do (R-CON-3). Then the domain of the tenant is paused and a problem asks; the
rows wait in the outbox until somebody resumes the domain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from db import log, matters, outbox, records, tenants
from db.log import About
from db.matters import matter_domain
from db.outbox import Rank
from db.tenant import TenantDb
from domain.invoice.fields import DOCUMENTS
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
    db: TenantDb, tenant_id: UUID, registers: Registers, register: Register, body: Json
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
    db: TenantDb,
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
    known = matters.of_ids(
        db, sorted({matter_domain(one.domain) for one, _ in concerns}), [one.id for one, _ in concerns]
    )
    wanted: dict[tuple[str, str], dict[str, UUID | None]] = {}
    own: set[str] = set()
    for concern, row_id in concerns:
        matter, paired = known.get(
            (matter_domain(concern.domain), register.system, concern.id), (None, False)
        )
        if not paired and (concern.only_linked or only_linked):
            continue
        if concern.id == row_id:
            own.add(row_id)
        wanted.setdefault((concern.domain, concern.register), {})[concern.id] = matter
    made = sum(
        _announce(db, register, domain, its, ids, cause) for (domain, its), ids in sorted(wanted.items())
    )
    for row_id, _ in listed:
        if row_id not in own:
            records.settled_now(db, tenant_id, register.system, register.name, row_id)
    return made


def _announce(
    db: TenantDb,
    register: Register,
    domain: str,
    concerned: str,
    ids: Mapping[str, UUID | None],
    cause: str,
) -> int:
    """One domain's rows, set-based; whoever is seen for the first time gets a matter."""
    unmet = [(one, "") for one, matter in ids.items() if matter is None]
    met = matters.meet(db, domain, register.system, concerned, unmet)
    found = [matter or met[one] for one, matter in ids.items() if matter is not None or one in met]
    rank = Rank.CHANGE if cause == "changed" else Rank.SWEEP
    return outbox.announce(
        db, domain, found, cause=cause, system=register.system, register=concerned, rank=rank
    )


def marked(db: TenantDb, rows: Iterable[records.Row]) -> None:
    """ERP documents with our marker that are not known to their invoice's matter: its delivery decides (rule 6)."""
    by_guid: dict[str, list[str]] = {}
    for row in rows:
        if row.marker is not None:
            by_guid.setdefault(row.marker.partition(":")[2], []).append(row.id)
    if not by_guid:
        return
    known = matters.document_matters(db, [one for ids in by_guid.values() for one in ids])
    invoices = matters.of_ids(db, ["invoice"], list(by_guid))
    due = [
        invoices["invoice", "severa", guid][0]
        for guid, ids in by_guid.items()
        if ("invoice", "severa", guid) in invoices
        and any(known.get(one) != invoices["invoice", "severa", guid][0] for one in ids)
    ]
    outbox.announce(db, "invoice", due, cause="marker", system="visma_net", register=DOCUMENTS)


def gone(
    db: TenantDb, tenant_id: UUID, registers: Registers, register: Register, missing: Sequence[str]
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
    db: TenantDb,
    tenant_id: UUID,
    register: Register,
    domains: Iterable[str],
    values: Mapping[str, object],
) -> bool:
    """Pauses the domains and asks; False when a person has resumed them after the same question not long ago."""
    subject = f"brake:{register.system}/{register.name}"
    wanted = sorted(domains)
    if all(log.closed_lately(db, domain, subject, BRAKE, RESUMED) for domain in wanted):
        return False
    tenants.pause_domains(db, tenant_id, wanted)
    for domain in wanted:
        about = About(domain, subject=subject, system=register.system, register=register.name)
        log.open_problem(db, about, BRAKE, {"register": register.name, "domain": domain, **values})
    return True
