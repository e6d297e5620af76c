"""What finance staff decide about invoices before and after they are booked: hold-for-review (R-INV-15), the list of number
gaps for the auditor (R-INV-5), and which branch a business unit sells for (R-SET-6)."""

from __future__ import annotations

from typing import Any

from app.bootstrap import Bridge
from app.service import explained, find_tenant, staying_tenant
from app.tenancy import who
from db import log, matters, outbox, records, tenants
from db.outbox import Rank
from domain import catalogue
from domain.errors import InputError
from domain.invoice import review
from domain.invoice.fields import INVOICES
from domain.invoice.gaps import reason

UNITS = "businessunits"


def held(bridge: Bridge, name: str) -> list[dict[str, Any]]:
    """Invoices and credit notes that wait for a person, explained, oldest first: totals, VAT and accounts in ``values``."""
    tenant = find_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        rows = [row for row in log.problems(db) if row["code"] in review.CODES]
    return [explained(row, tenant.language) for row in rows]


def release(bridge: Bridge, name: str, wanted: str) -> int:
    """Lets one held invoice (its problem's number, or Severa's guid) or ``all`` of them go; how many.

    The choice is kept for the invoice, audited, and its delivery goes on at once. Raises InputError when there is none.
    """
    tenant = staying_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        rows = [
            row
            for row in log.problems(db)
            if row["code"] in review.CODES
            and (wanted == "all" or wanted in (str(row["id"]), row["record_id"]))
        ]
        if not rows and wanted != "all":
            raise InputError(
                f"No invoice '{wanted}' of tenant '{name}' waits for review: 'severa-bridge review {name}' shows those there are."
            )
        for row in rows:
            seen = review.released_as(str(row["values"].get("seen", "")))
            matters.put_choice(db, "invoice", "severa", row["record_id"], seen)
            outbox.announce(
                db,
                "invoice",
                [row["matter_id"]],
                cause="person",
                system="severa",
                register=INVOICES,
                rank=Rank.PERSON,
            )
            details = {"invoice": row["record_id"], "total": row["values"].get("total", "")}
            tenants.audit(db, who(), "invoice.released", details)
    return len(rows)


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
