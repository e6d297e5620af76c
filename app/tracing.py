"""The road of a record: what it is, its link, its unfinished work, its attempts with steps and calls, its log (R-LOG-2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.bootstrap import Bridge
from app.explaining import log_line
from app.tenancy import find_tenant
from app.words import iso, plain
from db import attempts, log, matters, outbox, records
from db.books import ERP_REGISTERS, SEVERA_REGISTERS
from domain.errors import InputError
from domain.model import DOMAINS

# What people call the registers on the command line.
REGISTER_WORDS: Mapping[str, str] = {
    "customers": "customer", "products": "product", "worktypes": "product", "travelexpensetypes": "product",
    "inventory": "product", "projects": "project", "salescases": "project", "invoices": "invoice",
    "customerdocument": "invoice", "customerinvoice": "invoice", "customercreditnote": "invoice",
    "creditnote": "invoice", "supplierinvoice": "cost", "journaltransaction": "cost", "payments": "payment",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Traced:
    """A record's road: what it is, its link, its unfinished work, its attempts with steps and calls, its log lines."""

    record: dict[str, Any]
    link: dict[str, Any] | None
    work: list[dict[str, Any]]
    attempts: list[dict[str, Any]]
    log: list[dict[str, Any]]


def trace(bridge: Bridge, name: str, register: str, wanted: str) -> list[Traced]:
    """The timeline of the records that an id, number or name names (R-LOG-2). Raises InputError when there is none."""
    tenant = find_tenant(bridge, name)
    domain = _domain_of(register)
    registers = [*SEVERA_REGISTERS[domain], *ERP_REGISTERS[domain]]
    if domain == "invoice":
        registers.append("customerdocument")
    with bridge.db.tenant(tenant.id) as db:
        found = records.search(db, registers, wanted)
    if not found:
        raise InputError(f"No {domain} '{wanted}' has been seen for tenant '{name}'.")
    traced: dict[str, Traced] = {}
    for record in found:
        by = {"severa_id" if record.system == "severa" else "erp_id": record.id}
        with bridge.db.tenant(tenant.id) as db:
            matter = matters.find(db, domain, **by)
            link = matter.link if matter else None
            tried = attempts.of_matter(db, matter.id) if matter else []
            calls = attempts.payloads(db, [row["id"] for row in tried])
            lines = log.of_matter(db, matter.id) if matter else []
            work = [row for row in outbox.rows(db) if matter is not None and row["matter_id"] == matter.id]
        traced.setdefault(
            str(matter.id) if matter else f"{record.system}/{record.register}/{record.id}",
            Traced(
                {
                    "system": record.system,
                    "register": record.register,
                    "id": record.id,
                    "number": record.number,
                    "name": record.name,
                    "version": record.version,
                    "settled_version": record.settled_version,
                    "remote_time": iso(record.remote_time),
                },
                None
                if link is None
                else {
                    "severa_id": link.severa_id,
                    "severa_number": link.severa_number,
                    "erp_id": link.erp_id,
                    "erp_number": link.erp_number,
                },
                [{k: plain(v) for k, v in row.items()} for row in work],
                [_attempt(row, calls) for row in tried],
                [log_line(row, tenant.language) for row in lines],
            ),
        )
    return list(traced.values())


def _attempt(row: Mapping[str, Any], calls: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "started_at": iso(row["started_at"]),
        "ended_at": iso(row["ended_at"]),
        "domain": row["domain"],
        "outcome": row["outcome"],
        "error": row["error"],
        "worker": row["worker"],
        "steps": row["steps"],
        "calls": [
            {
                key: plain(call[key])
                for key in (
                    "at",
                    "system",
                    "method",
                    "path",
                    "status",
                    "seconds",
                    "request",
                    "response",
                    "error",
                )
            }
            for call in calls
            if call["attempt_id"] == row["id"]
        ],
    }


def _domain_of(register: str) -> str:
    word = register.lower()
    if word in DOMAINS:
        return word
    if word in REGISTER_WORDS:
        return REGISTER_WORDS[word]
    raise InputError(
        f"There is no register '{register}': choose customer, product, project, invoice, payment or cost."
    )
