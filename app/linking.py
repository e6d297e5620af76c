"""What people decide about pairs of records: moving a link (R-CUS-8), and the class of one record (R-CUS-6, R-PRD-4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.bootstrap import Bridge
from app.service import find_tenant, staying_tenant
from app.tenancy import who
from db import matters, outbox, records, tenants
from db.books import ERP_REGISTERS, SEVERA_REGISTERS
from db.outbox import Rank
from db.tenant import TenantDb
from domain.errors import InputError
from domain.model import Domain, Link, LinkUpdate, Record
from domain.product.registers import ITEM_CLASSES
from domain.reference import CUSTOMER_CLASSES
from domain.text import code_key

LINKED_DOMAINS: tuple[Domain, ...] = ("customer", "product", "project")
CLASS_REGISTERS = {"customer": CUSTOMER_CLASSES, "product": ITEM_CLASSES}


def relink(bridge: Bridge, name: str, domain: str, severa: str, erp: str) -> dict[str, Any]:
    """Moves a link to another pair of records; what was linked before.

    ``severa`` and ``erp`` are ids (Severa guid, ERP internal id) or numbers. The link starts without an agreed state:
    fields that differ are decided by the tenant's rule. Raises InputError: unknown record or domain, a record that has
    gone, or both linked to others.
    """
    tenant = staying_tenant(bridge, name)
    wanted = _domain(domain, LINKED_DOMAINS)
    with bridge.db.tenant(tenant.id) as db:
        ours = _one(db, "Severa", SEVERA_REGISTERS[wanted], severa)
        theirs = _one(db, "Visma.net ERP", ERP_REGISTERS[wanted], erp)
        moved = _moved(db, wanted, ours, theirs)
        before = _shown(moved.link)
        update = LinkUpdate(
            ours.register,
            ours.id,
            ours.number,
            theirs.register,
            theirs.id,
            theirs.number,
            base={},
            state={},
        )
        if matters.put(db, moved.id, update) is not None:
            raise InputError(
                f"{ours.name} or {theirs.name} is being worked on just now: try again in a minute."
            )
        details = {"domain": wanted, "severa": ours.id, "erp": theirs.id, "before": before}
        tenants.audit(db, who(), "link.moved", details)
        outbox.announce(
            db,
            wanted,
            [moved.id],
            cause="person",
            system="severa",
            register=ours.register,
            rank=Rank.PERSON,
        )
    return {"severa": f"{ours.number} {ours.name}", "erp": f"{theirs.number} {theirs.name}", "before": before}


def _moved(db: TenantDb, domain: Domain, ours: Record, theirs: Record) -> matters.Matter:
    """The matter that the pair becomes: the linked one of both, else either, else one that is made. Raises InputError for two that
    are linked to others, or to each other already."""
    left = matters.find(db, domain, severa_id=ours.id)
    right = matters.find(db, domain, erp_id=theirs.id)
    if left is not None and right is not None:
        if left.id == right.id:
            raise InputError(
                f"{ours.number} {ours.name} and {theirs.number} {theirs.name} are linked already."
            )
        if left.link is not None and right.link is not None:
            raise InputError(
                f"Both are linked to others: {ours.name} to {left.erp_number} in Visma.net ERP, {theirs.name} to "
                f"{right.severa_number} in Severa. Relink or deactivate one of those first."
            )
    known = [one for one in (left, right) if one is not None]
    for one in known:
        if one.link is not None:
            return one
    if known:
        return known[0]
    met = matters.meet(db, domain, "severa", ours.register, [(ours.id, ours.number)])
    made = matters.find(db, domain, severa_id=next(iter(met)))
    if made is None:
        raise InputError(f"{ours.name} cannot be linked just now: try again.")
    return made


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of the ERP that can be chosen, and which one a record has in the bridge (None = the tenant's default)."""

    record: str
    chosen: str | None
    offered: Sequence[tuple[str, str]]


def classes(bridge: Bridge, name: str, domain: str, severa: str) -> Classes:
    """What can be chosen for one Severa customer, product, work type or travel expense. Raises InputError."""
    tenant = find_tenant(bridge, name)
    wanted = _domain(domain, tuple(CLASS_REGISTERS))
    with bridge.db.tenant(tenant.id) as db:
        record = _one(db, "Severa", SEVERA_REGISTERS[wanted], severa)
        offered = records.all_of(db, "visma_net", CLASS_REGISTERS[wanted])
        chosen = matters.choice(db, wanted, "severa", record.id)
    return Classes(
        f"{record.number} {record.name}".strip(), chosen, [(one.number, one.name) for one in offered]
    )


def choose_class(bridge: Bridge, name: str, domain: str, severa: str, value: str) -> str:
    """Keeps the class of one Severa record in the bridge and carries it over; the record's number and name.

    Raises InputError: unknown record, or a class that the ERP does not have.
    """
    tenant = staying_tenant(bridge, name)
    wanted = _domain(domain, tuple(CLASS_REGISTERS))
    offered = [one for one, _ in classes(bridge, name, domain, severa).offered]
    # As the ERP spells it: its keys do not tell case apart.
    value = next((one for one in offered if code_key(one) == code_key(value)), value)
    if value not in offered:
        raise InputError(f"Visma.net ERP has no class '{value}': choose from {', '.join(offered) or '–'}.")
    with bridge.db.tenant(tenant.id) as db:
        record = _one(db, "Severa", SEVERA_REGISTERS[wanted], severa)
        matters.put_choice(db, wanted, "severa", record.id, value)
        details = {"domain": wanted, "severa": record.id, "class": value}
        tenants.audit(db, who(), "class.chosen", details)
        met = matters.meet(db, wanted, "severa", record.register, [(record.id, record.number)])
        outbox.announce(
            db,
            wanted,
            list(met.values()),
            cause="person",
            system="severa",
            register=record.register,
            rank=Rank.PERSON,
        )
    return f"{record.number} {record.name}".strip()


def _domain(domain: str, allowed: Sequence[Domain | str]) -> Domain:
    for one in LINKED_DOMAINS:
        if one == domain and one in allowed:
            return one
    raise InputError(f"'{domain}' cannot be used here: choose from {', '.join(allowed)}.")


def _one(db: TenantDb, system: str, registers: Sequence[str], wanted: str) -> Record:
    """The one record of these registers with this id or number that is still there. Raises InputError."""
    found = [
        one
        for one in records.search(db, list(registers), wanted)
        if not one.gone and code_key(wanted) in (code_key(one.id), code_key(one.number))
    ]
    exact = [one for one in found if one.id == wanted] or found
    ids = {one.id for one in exact}
    if not ids:
        raise InputError(f"{system} has no record '{wanted}' in {', '.join(registers)}.")
    if len(ids) > 1:
        raise InputError(
            f"'{wanted}' is several records in {system}: name the id ({', '.join(sorted(ids))})."
        )
    return exact[0]


def _shown(link: Link | None) -> dict[str, str] | None:
    return None if link is None else {"severa": link.severa_id, "erp": link.erp_id}
