"""What finance staff decide about invoices before and after they are booked: hold-for-review (R-INV-15), the list of number
gaps for the auditor (R-INV-5), and which branch a business unit sells for (R-SET-6)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.bootstrap import Bridge
from app.service import explained, find_tenant, staying_tenant
from app.tenancy import who
from db import log, matters, outbox, records, tenants
from db.outbox import Rank
from db.tenant import TenantDb
from domain import catalogue
from domain.errors import InputError
from domain.explain import Text
from domain.invoice import review
from domain.invoice.gaps import reason
from domain.invoice.registers import INVOICES

UNITS = "businessunits"
_CALLED = Text("[ till {customer}][ på {total:money}]", "[ to {customer}][ for {total:money}]")
_TOTAL = Text("[{total:money}]", "[{total:money}]")
# In place of an invoice's number: every one that was shown.
ALL = "all"


@dataclass(frozen=True, slots=True)
class LetGo:
    """What a release did. ``count``: how many went; ``missed``: invoices that were named and did not go, ``new``: those that wait
    and were not named, a sentence each."""

    count: int
    missed: tuple[str, ...] = ()
    new: tuple[str, ...] = ()


def held(bridge: Bridge, name: str) -> list[dict[str, Any]]:
    """Invoices and credit notes that wait for a person, explained, oldest first: totals, VAT and accounts in ``values``, and
    ``seen`` (what a release has to name: the invoice, its rows and receiver as they are shown)."""
    tenant = find_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        rows = _waiting(db)
    return [explained(row, tenant.language) | {"seen": _mark(row)} for row in rows]


def wanted_of(rows: Sequence[Mapping[str, Any]], name: str, wanted: str) -> list[Mapping[str, Any]]:
    """Those of the list that are meant by a problem's number, Severa's guid, or ``all``. Raises InputError: no such invoice."""
    found = [row for row in rows if wanted == ALL or wanted in (str(row["id"]), row["record_id"])]
    if not found and wanted != ALL:
        raise InputError(
            f"No invoice '{wanted}' of tenant '{name}' waits for review: 'severa-bridge review {name}' shows those there are."
        )
    return found


def release(bridge: Bridge, name: str, wanted: str, seen: Collection[str]) -> LetGo:
    """Lets one held invoice (its problem's number, or Severa's guid) or ``all`` of them go, each only as it was shown
    (docs/never-twice.md rule 18).

    ``seen`` is what ``held`` gave with them: *all* is those that were shown, not those that wait by now. What is kept for an
    invoice is the hash in its mark, which its delivery compares with what it would send. Audited; the delivery goes on at once.
    Raises InputError: no such invoice, or the one that was meant is not as it was shown, or was not shown.
    """
    tenant = staying_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        rows = wanted_of(_waiting(db), name, wanted)
        named = {mark.partition("-")[0] for mark in seen}
        left = [row for row in rows if _mark(row) not in seen]
        if left and wanted != ALL:
            raise InputError(
                f"{_why(left[0], named)}: look again with 'severa-bridge review {name}', then let it go."
            )
        going = [row for row in rows if _mark(row) in seen]
        for row in going:
            _let_go(db, row)
    if wanted != ALL:
        return LetGo(len(going))
    gone = sorted(named - {str(row["id"]) for row in rows})
    return LetGo(
        len(going),
        (
            *(_why(row, named) for row in left if str(row["id"]) in named),
            *(f"Invoice {number} does not wait for review any more" for number in gone),
        ),
        tuple(_why(row, named) for row in left if str(row["id"]) not in named),
    )


def _waiting(db: TenantDb) -> list[Mapping[str, Any]]:
    return [row for row in log.open_problems(db) if row["code"] in review.CODES]


def _let_go(db: TenantDb, row: Mapping[str, Any]) -> None:
    matters.put_choice(db, "invoice", "severa", row["record_id"], review.released_as(_hash(row)))
    outbox.announce(
        db,
        "invoice",
        [row["matter_id"]],
        cause="person",
        system="severa",
        register=INVOICES,
        rank=Rank.PERSON,
    )
    details = {"invoice": row["record_id"], "total": _TOTAL.fill("en", row["values"]), "seen": _hash(row)}
    tenants.audit(db, who(), "invoice.released", details)


def _hash(row: Mapping[str, Any]) -> str:
    return str(row["values"].get("seen", ""))


def _mark(row: Mapping[str, Any]) -> str:
    """The problem's number and the hash of what it shows: two invoices may be alike in everything that is hashed."""
    return f"{row['id']}-{_hash(row)}"


def _why(row: Mapping[str, Any], named: Collection[str]) -> str:
    """Why an invoice stays, with what it says now: a mark tells that something else was shown, not what."""
    called = f"Invoice {row['id']}{_CALLED.fill('en', row['values'])}"
    return f"{called} {'has changed since it was shown' if str(row['id']) in named else 'was not shown'}"


def gaps(bridge: Bridge, name: str) -> list[dict[str, Any]]:
    """ERP numbers that were used by removed documents: number, date, Severa invoice, reason in the tenant's language."""
    tenant = find_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        rows = log.gaps(db)
    sentences = catalogue.sentences()
    return [
        {
            "document_type": row["document_type"],
            "number": row["number"],
            "at": row["at"].isoformat(),
            "severa_id": row["severa_id"],
            "code": row["reason"],
            "reason": reason(row["reason"], row["values"], row["number"], sentences, tenant.language),
        }
        for row in rows
    ]


def branches(bridge: Bridge, name: str) -> list[dict[str, str]]:
    """The mapped business units: guid and name, branch number."""
    tenant = find_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        mapped = tenants.branches(db)
        known = {record.id: record.name for record in records.all_of(db, "severa", UNITS)}
    return [
        {"business_unit": guid, "name": known.get(guid, ""), "branch": number}
        for guid, number in sorted(mapped.items())
    ]


def map_branch(bridge: Bridge, name: str, unit: str, branch: str) -> str:
    """Maps a business unit (guid, code or name) to a branch number; '' takes the mapping away. The unit's name.

    Raises InputError: no such unit, several, or the ERP has no such branch (each only once the register was read).
    """
    tenant = staying_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        units = records.all_of(db, "severa", UNITS)
        wanted = unit.strip().casefold()
        found = [
            record
            for record in units
            if wanted in {record.id.casefold(), record.name.strip().casefold(), _code(record.body)}
        ]
        if len(found) != 1:
            raise InputError(
                f"'{unit}' is {'no business unit' if not found else 'several business units'} of Severa: "
                "choose from "
                + ", ".join(sorted(f"{record.name} ({record.id})" for record in found or units))
                + "."
            )
        there = {record.number for record in records.all_of(db, "visma_net", "branch")}
        if branch and there and branch not in there:
            raise InputError(
                f"Visma.net ERP has no branch '{branch}': choose from {', '.join(sorted(there))}."
            )
        tenants.put_branch(db, found[0].id, branch)
        details = {"business_unit": found[0].id, "branch": branch}
        tenants.audit(db, who(), "branch.mapped", details)
    return found[0].name


def _code(body: dict[str, Any]) -> str:
    return str(body.get("code") or "").strip().casefold() or "\0"
