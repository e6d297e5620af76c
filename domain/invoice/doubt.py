"""In doubt: what a person is shown to compare, and how what they decide is carried out (docs/never-twice.md rules 7 to 9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from domain.doubt import candidates_hash
from domain.errors import InDoubt
from domain.invoice.model import ErpDocument
from domain.invoice.phases import Key
from domain.invoice.plan import candidates_kept
from domain.invoice.registers import DOCUMENTS
from domain.invoice.work import Work
from domain.mapper import text
from domain.model import Decision, Json
from domain.moves import wait_until_settled

# Members of a candidate, in the order in which they are compared.
MEMBERS = (
    "type",
    "number",
    "status",
    "customer",
    "date",
    "due",
    "currency",
    "total",
    "vat",
    "order",
    "created",
    "note",
)
# ``status`` of the candidate that is no document: what the bridge sent, or would send.
SENT = "sent"


def candidate(document: ErpDocument) -> Json:
    """An ERP document as a candidate."""
    return {
        "type": document.type,
        "number": document.number,
        "status": document.status,
        "customer": document.customer,
        "date": str(document.date or ""),
        "due": str(document.due_date or ""),
        "currency": document.currency,
        "total": f"{document.totals.total:f}",
        "vat": f"{document.totals.vat:f}",
        "order": text(document.body, "customerRefNumber"),
        "created": text(document.body, "createdDateTime"),
        "note": document.note,
    }


def sent_candidate(request: Mapping[str, Any]) -> Json:
    """What the bridge sent, from the create step's request."""
    told = {name: str(request.get(name) or "") for name in MEMBERS}
    return told | {"status": SENT, "number": "", "created": "", "note": ""}


def lost_candidate(work: Work, key: Key) -> Json:
    """A document that was released and is not there any more, as it was last seen."""
    record = work.delivery.books.record("visma_net", DOCUMENTS, f"{key[0]}/{key[1]}")
    body: Json = record.body if record is not None else {}
    return candidate(ErpDocument.of(body, key[0])) | {"type": key[0], "number": key[1], "status": ""}


def candidates_of(documents: Iterable[ErpDocument], request: Mapping[str, Any] | None = None) -> list[Json]:
    """Candidates of a doubt: what was sent first, then the documents by type and number."""
    found = [candidate(one) for one in sorted(documents, key=lambda one: (one.type, one.number))]
    return [sent_candidate(request), *found] if request else found


def in_doubt(
    work: Work, candidates: list[Json], documents: Iterable[ErpDocument] = (), code: str = "invoice.in_doubt"
) -> InDoubt:
    """The problem that only a person can end, with the candidates in view."""
    values: dict[str, Any] = {"candidates": candidates_kept(documents)}
    if number := next((one["number"] for one in candidates if one["number"]), ""):
        values["number"] = number
    return InDoubt(code, work.named() | values, candidates=candidates)


def decided(work: Work, candidates: list[Json]) -> Decision | None:
    """A person's decision about just these candidates.

    None when there is none, or when it was made of others: what came meanwhile has to be seen first. *Make it* is waited
    with until no create can come true any more. Raises TryLater.
    """
    decision = work.delivery.decision
    if decision is None or decision.shown != candidates_hash(candidates):
        return None
    if decision.kind == "make":
        for name in ("create", "release"):
            wait_until_settled(
                work.delivery, work.step(name), "it is not known yet what became of the last one"
            )
    return decision
