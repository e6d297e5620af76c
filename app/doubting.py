"""What a person decides about a matter in doubt (docs/never-twice.md rule 9, R-INV-13): *it is this one*, *none of these, make
it*, or *wait*.

A decision names what was shown: the matter's generation and the hash of its candidates. It is refused if either moved, and
carried out by a delivery under the matter's lease, which looks once more before it does anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.bootstrap import Bridge
from app.explaining import explained
from app.tenancy import find_tenant, staying_tenant, who
from app.words import iso
from db import log, matters, outbox, tenants
from db.tenant import TenantDb
from domain.errors import InputError

Kind = Literal["this", "make", "wait"]
# The domain whose deliveries read decisions.
DECIDED = "invoice"


@dataclass(frozen=True, slots=True)
class Choice:
    """``document``: ``type/number`` of the candidate that it is (kind *this*)."""

    kind: Kind
    document: str = ""


def doubts(bridge: Bridge, name: str) -> list[dict[str, Any]]:
    """Matters in doubt, oldest first: what is wrong and what to do in the tenant's language, the candidates side by side,
    ``seen`` (what a decision has to name), and ``settles_at`` (before it *make* is refused)."""
    tenant = find_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        rows = [row for row in matters.doubtful(db) if row["problem_id"] is not None]
        told = {row["problem_id"]: _problem(db, row["problem_id"]) for row in rows}
    return [_doubt(row, explained(told[row["problem_id"]], tenant.language)) for row in rows]


def doubt(bridge: Bridge, name: str, number: str) -> dict[str, Any]:
    """One matter in doubt, by its problem's number. Raises InputError."""
    found = next((one for one in doubts(bridge, name) if str(one["id"]) == number), None)
    if found is None:
        raise InputError(f"Nothing of tenant '{name}' with the number '{number}' is in doubt.")
    return found


def decide(bridge: Bridge, name: str, number: str, choice: Choice, seen: str) -> str:
    """Keeps the decision and has it carried out at once; a sentence that says what happens now.

    ``seen`` is what ``doubts`` gave with the candidates. Raises InputError: unknown, moved since, no such candidate, too
    early.
    """
    tenant = staying_tenant(bridge, name)
    shown = doubt(bridge, name, number)
    if seen != shown["seen"]:
        raise InputError("What is in doubt has changed since it was shown: look again, then decide.")
    if shown["domain"] != DECIDED and choice.kind != "wait":
        # No delivery of another domain carries a decision out: it would be taken, and nothing would come of it.
        raise InputError(
            "Only an invoice can be decided here: do what the problem says in Visma.net ERP, then choose wait to have it looked at again."
        )
    candidate = _candidate(shown, choice)
    with bridge.db.tenant(tenant.id) as db:
        row = next(one for one in matters.doubtful(db) if one["problem_id"] == shown["id"])
        if choice.kind == "make" and row["settles_at"] is not None and row["settles_at"] > row["now"]:
            raise InputError(
                f"The first call may still come true until {iso(row['settles_at'])}: it cannot be made again before."
            )
        if choice.kind != "wait":
            decision = {
                "kind": choice.kind,
                "type": candidate.get("type", ""),
                "number": candidate.get("number", ""),
                "shown": row["values"].get("shown_hash", ""),
                "by": who(),
            }
            if not matters.decide(db, row["matter_id"], row["generation"], decision):
                raise InputError("It is being looked at just now: try again in a moment.")
        outbox.retry(db, row["domain"], row["matter_id"])
        details = {"problem": shown["id"], "decision": choice.kind, "document": choice.document}
        tenants.audit(db, who(), "doubt.decided", details)
    return {
        "this": f"{choice.document} is looked at once more and then taken as this invoice's document.",
        "make": "It is looked for once more and then made again.",
        "wait": "It is looked for again now, and stays in doubt if nothing proves it.",
    }[choice.kind]


def _problem(db: TenantDb, problem_id: int) -> Mapping[str, Any]:
    row = log.problem(db, problem_id)
    if row is None:
        raise RuntimeError("a problem is never deleted")
    return row


def _doubt(row: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    values = row["values"]
    return {
        "id": told["id"],
        "domain": row["domain"],
        "record_id": row["severa_id"] or row["erp_id"],
        "number": told["number"],
        "name": told["name"],
        "wrong": told["wrong"],
        "do": told["do"],
        "candidates": values.get("shown", []),
        "seen": f"{row['generation']}-{values.get('shown_hash', '')}",
        "settles_at": iso(row["settles_at"]),
        "decided": row["decision"] is not None,
        "opened_at": told["opened_at"],
    }


def _candidate(shown: Mapping[str, Any], choice: Choice) -> Mapping[str, Any]:
    if choice.kind != "this":
        return {}
    offered = {
        f"{one.get('type')}/{one.get('number')}": one for one in shown["candidates"] if one.get("number")
    }
    if choice.document not in offered:
        raise InputError(
            f"'{choice.document}' is none of the candidates: choose from {', '.join(offered) or '–'}."
        )
    found: Mapping[str, Any] = offered[choice.document]
    return found
