"""Which ERP document is the invoice's: of this delivery's steps, of the link, of the marker index, or looked up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from domain.errors import InDoubt, TryLater
from domain.invoice import look_up, plan
from domain.invoice.attempt import LOOK_AGAIN, Attempt, Key
from domain.invoice.model import ErpDocument, document_type
from domain.ports import Json, Step


def present(attempt: Attempt) -> Key | None:
    """The document of the present round, None when there surely is none.

    Raises TryLater while an unknown create may still come true, InDoubt for two released documents (R-INV-13).
    """
    step, link = attempt.step("create"), attempt.delivery.link
    if step is not None and step.done and step.result.get("number"):
        return key_of(step.result)
    if step is None and link is not None and link.document is not None:
        return key_of({"type": link.document[0], "number": link.document[1]})
    gone = attempt.gone()
    if step is None:
        found = look_up.known_documents(attempt.delivery, attempt.invoice, gone)
        return _adopt(attempt, found) if found else None
    customers = [str(step.request.get("customer", "")), *customer_numbers(attempt)]
    found = look_up.look_up(attempt.delivery, attempt.invoice, step.request, customers, gone)
    if found:
        return _adopt(attempt, found)
    left = _left(attempt, step.sent_at)
    if step.done:
        # Made, but the ERP told no number: it must show itself.
        if left > 0:
            raise TryLater("the new document does not show yet", retry_after=LOOK_AGAIN, costs_attempt=False)
        raise in_doubt(attempt, [])
    if left > 0:
        raise TryLater(
            "it is not known yet whether the document was made", retry_after=left, costs_attempt=False
        )
    return None


def shown(attempt: Attempt, key: Key) -> Key | None:
    """Where the document stands that the ERP does not show under the number it gave; None when it surely is gone.

    A Location may spell a number otherwise than the document, and a new document may need its time to show: making
    another one at once would double it. Raises TryLater within that time.
    """
    step = attempt.step("create")
    if step is None:
        return None
    customers = [
        str(step.request.get("customer") or step.result.get("customer") or ""),
        *customer_numbers(attempt),
    ]
    found = look_up.look_up(attempt.delivery, attempt.invoice, step.request, customers, attempt.gone())
    found = [one for one in found if one.key != key]
    if found:
        return _adopt(attempt, found)
    if _left(attempt, _sent_at(step)) > 0:
        raise TryLater("the new document does not show yet", retry_after=LOOK_AGAIN, costs_attempt=False)
    return None


def _sent_at(step: Step) -> datetime | None:
    said = step.result.get("sent_at")
    return step.sent_at or (datetime.fromisoformat(said) if said else None)


def _left(attempt: Attempt, sent_at: datetime | None) -> float:
    """Seconds until a create that was sent at that time must have shown itself."""
    limits = attempt.delivery.limits
    settle_at = (sent_at or attempt.delivery.now()) + timedelta(
        seconds=limits.create_seconds + limits.visibility_seconds
    )
    return (settle_at - attempt.delivery.now()).total_seconds()


def key_of(result: Json) -> Key | None:
    """Type and number of a document from a step's request or result."""
    kind = document_type(result.get("type"))
    return (kind, str(result["number"])) if kind is not None else None


def customer_numbers(attempt: Attempt) -> list[str]:
    """The ERP number of the invoice's customer, if it is linked."""
    link = attempt.delivery.books.link("customer", severa_id=attempt.invoice.customer.guid)
    return [link.erp_number] if link is not None else []


def _adopt(attempt: Attempt, found: list[ErpDocument]) -> Key:
    keep, others = plan.surplus(found)
    if keep is None:
        raise in_doubt(attempt, found)
    # The others go first: once the kept one is committed, nobody looks for doubles again.
    for other in others:
        attempt.remove_twin(other.key)
    step = attempt.step("create")
    result: Json = {"type": keep.type, "number": keep.number, "adopted": True}
    if step is not None and step.sent_at is not None:
        # Kept in the result as well: the request belongs to the attempt that sent it.
        sent = {
            name: step.request[name]
            for name in ("customer", "date", "currency", "total", "order", "again", "said")
            if name in step.request
        }
        result |= sent | {"sent_at": step.sent_at.isoformat()}
    attempt.done("create", result)
    return keep.key


def in_doubt(attempt: Attempt, found: Iterable[ErpDocument]) -> InDoubt:
    """The problem that only a person can end, with the candidates in view."""
    return InDoubt(
        "invoice.in_doubt",
        {"customer": attempt.invoice.customer.name, "candidates": plan.candidates_text(found) or "–"},
        effects=attempt.effects(),
    )
