"""HELD and RELEASING: the held document proven, claimed, and released; then followed until it is Open or Closed (R-INV-4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from domain.errors import Forbidden, Refused, Stale, Stop, TryLater
from domain.invoice import parties, review
from domain.invoice.documents import (
    Sought,
    customer_numbers,
    look_up,
    marked,
    missed_document,
    read_made,
    read_present,
    renumbered,
    since_when,
)
from domain.invoice.doubt import decided, in_doubt, lost_candidate
from domain.invoice.failing import outdated
from domain.invoice.gather import gather
from domain.invoice.model import NOT_RELEASABLE, REGISTER, ErpDocument, SeveraInvoice
from domain.invoice.phases import Key, Remove, Wish, key_of
from domain.invoice.prove import Finding, Proof, prove, suspect
from domain.invoice.refusals import refusal, told_by_document
from domain.invoice.totals import per_rate
from domain.invoice.work import LOOK_AGAIN, Planned, Work
from domain.model import Permission
from domain.moves import unsettled
from domain.values import money


def prove_and_release(work: Work) -> Wish | None:
    """The document as it is, against the invoice as it is; then claimed and released. Only the claimed number ever is.

    Raises Waiting, TryLater, OutcomeUnknown with the release left begun, Stop ``invoice.*``.
    """
    key = key_of(work.present)
    if key is None:
        raise TryLater("the document is not known yet")
    document = read_made(work, key)
    if document is None:
        return _not_there(work, key)
    row = work.present
    if document.key != key and row is not None and row.state == "made":
        # The Location spelt its number otherwise: it is claimed and released under its own.
        work.delivery.adopt_document(*document.key, row.nonce, round=work.round)
    if document.released:
        # Somebody was faster.
        _book(work, document)
        return None
    if not work.deleted and work.planned is None and not work.read:
        work.read_invoice()
    if work.deleted or work.role != "transfer":
        return outdated(work, key)
    planned = work.planned or gather(work, creating=False)
    if document.customer != planned.need.customer and renumbered(work) == document.customer:
        planned = gather(work, creating=False)
    return _proven(work, planned, document) or _release(work, document)


def _not_there(work: Work, key: Key) -> Wish | None:
    """The ERP does not show the document under the number it gave: a Location may spell a number otherwise than the
    document, and a new document may need its time to show. After that it was removed by somebody. Raises TryLater."""
    row, step = work.present, work.step("create")
    if row is None or step is None or step.sent_at is None:
        return _removed_by_others(work, key)
    sought = Sought(
        step.request | step.result,
        (str(step.request.get("customer") or ""), *customer_numbers(work)),
        since_when(work, step.sent_at),
    )
    mine = [one for one in look_up(work, sought).of({row.nonce}) if one.key != key]
    if mine:
        work.delivery.adopt_document(mine[0].type, mine[0].number, row.nonce, round=work.round)
        return None
    if step.settles_at is not None and step.settles_at > work.delivery.now():
        raise TryLater("the new document does not show yet", retry_after=LOOK_AGAIN, costs_attempt=False)
    return _removed_by_others(work, key)


def _removed_by_others(work: Work, key: Key) -> Remove:
    missed_document(work.delivery, key)
    return Remove(key, "invoice.removed_by_others")


# ---------------------------------------------------------------- the proof


def _proven(work: Work, planned: Planned, document: ErpDocument) -> Wish | None:
    """The proof, what a person let go, and Severa once more. None: the document may be released; else why it has to go."""
    if not review.still_released(work, planned) or _another(planned, document):
        return Remove(document.key, "invoice.changed")
    customer = parties.other_customer(work, planned, document)
    if customer is not None and renumbered(work) not in ("", planned.need.customer):
        # Made for whoever has the number by now: made again under the number that the customer has.
        return Remove(document.key, "invoice.changed")
    proof = _proof(work, planned, document, customer)
    if document.status in NOT_RELEASABLE:
        raise work.stop("invoice.not_releasable", {"status": document.status, "text": ""})
    if not proof.ok:
        if _left_over(work, planned) or _edited_since(work, planned):
            # Made of the invoice as it was then: no fault of the invoice as it is now.
            return outdated(work, document.key)
        code, values = _why(proof, planned.invoice, document)
        raise work.stop(code, values)
    # The total has a line of its own when the number is written.
    small = [one.kept() for one in proof.warnings if one.field != "total"]
    work.read_invoice()
    if work.changed(planned.invoice):
        return outdated(work, document.key)
    work.done("proof", {"warnings": small})
    work.proven = True
    return None


def _proof(work: Work, planned: Planned, document: ErpDocument, customer: Finding | None) -> Proof:
    """Against what was sent, and whose it is. ``customer``: another one than the linked."""
    row = work.present
    nonce = row.nonce if row is not None else ""
    sent = marked(planned.sent, planned.invoice, work.delivery.installation, nonce)
    tolerance = work.delivery.limits.total_tolerance
    proof = prove(planned.invoice, sent, document, tolerance, foreign=planned.choices.foreign)
    found = (customer, parties.other_project(work, planned, document))
    others = [one for one in found if one is not None]
    return replace(proof, ok=proof.ok and not others, findings=(*proof.findings, *others))


def _another(planned: Planned, document: ErpDocument) -> bool:
    """An invoice that became a credit note, or the other way round: another kind of document."""
    return document.type != planned.invoice.document_type


def _left_over(work: Work, planned: Planned) -> bool:
    """Whether the document was made by an earlier delivery, or of the invoice as it was before an edit."""
    step = work.step("create")
    told = step.request | step.result if step is not None else {}
    return told.get("updated") != planned.invoice.updated


def _edited_since(work: Work, planned: Planned) -> bool:
    """Whether somebody edits the invoice at this moment: its head and its rows may then be of different moments."""
    work.read_invoice()
    return work.changed(planned.invoice)


def _why(proof: Proof, invoice: SeveraInvoice, document: ErpDocument) -> tuple[str, dict[str, Any]]:
    reasons = [one.kept() for one in proof.reasons]
    amounts = any(one.field in {"total", "net", "vat", "rounding"} or one.of_rate for one in proof.reasons)
    return ("invoice.total_differs" if amounts else "invoice.content_differs"), {
        "severa_total": money(proof.severa_total, invoice.currency),
        "erp_total": money(proof.erp_total, invoice.currency),
        "difference": money(proof.difference, invoice.currency),
        "severa_vat": per_rate(proof.severa_vat),
        "erp_vat": per_rate(proof.erp_vat),
        "reasons": reasons,
        "row": suspect(invoice, document),
    }


# ---------------------------------------------------------------- the release


def _release(work: Work, document: ErpDocument) -> Wish | None:
    """Claimed, hold taken off, released; both writes carry If-Match of what was proven, so that nothing else is released."""
    delivery, key, etag = work.delivery, document.key, work.etag
    delivery.claim_document(*key)
    register, told = REGISTER[key[0]], {"type": key[0], "number": key[1]}
    again = work.open_step("release") is not None

    def hold_off(permission: Permission) -> str | None:
        members = {"hold": {"value": False}}
        return delivery.erp.update(register, key[1], members, etag=etag, not_after=permission.not_after)

    try:
        if document.status == "Hold":
            etag = work.effect("hold_off", told, hold_off)
            work.done("hold_off", {"etag": etag or ""})
        answer = work.effect(
            "release",
            told | {"again": again},
            lambda permission: delivery.erp.act(
                register, key[1], "release", etag=etag, not_after=permission.not_after
            ),
        )
    except Refused as error:
        return _refused(work, key, error)
    if answer.result == "Failed":
        work.undone("release", answer.error)
        about = told_by_document(document)
        code, values = refusal(answer.error, default="invoice.not_releasable", about=about, status="Failed")
        raise work.stop(code, values)
    # The step stays open until the document is seen in the books: whoever comes next follows it.
    return None


def _refused(work: Work, key: Key, error: Refused) -> Wish | None:
    """The ERP did not take hold off, or did not release: 'already released' is as good as done, all else fails."""
    if isinstance(error, Stale):
        # Somebody touched it after the proof: it is proven again, against the invoice as it is by then.
        work.planned = None
        work.read = False
        return None
    now = read_present(work, key)
    if now is not None and now.released:
        _book(work, now)
        return None
    if isinstance(error, Forbidden):
        values = {"text": error.message, "operation": error.operation}
        raise work.stop("invoice.not_allowed", values) from error
    if now is not None and now.status in NOT_RELEASABLE:
        values = {"status": now.status, "text": error.message}
        raise work.stop("invoice.not_releasable", values) from error
    about = told_by_document(now) if now is not None else None
    code, values = refusal(error.message, about=about)
    raise work.stop(code, values) from error


# ---------------------------------------------------------------- RELEASING


def follow(work: Work) -> Wish | None:
    """A release was sent: the document is followed until it is Open or Closed; one that stays unreleased is proven and
    released once more. Raises TryLater, InDoubt for a document that is gone."""
    step = work.step("release")
    key = key_of(step.request | step.result if step is not None else None) or key_of(work.present)
    if step is None or key is None:
        raise TryLater("the release is not known yet")
    document = read_present(work, key)
    if document is None:
        return _gone(work, key)
    if document.released:
        _book(work, document)
        return None
    if document.status in NOT_RELEASABLE:
        raise _not_open(work, document)
    waited = (work.delivery.now() - (step.sent_at or work.delivery.now())).total_seconds()
    if waited < work.delivery.limits.release_wait_seconds:
        raise TryLater("the release is queued", retry_after=LOOK_AGAIN, costs_attempt=False)
    if step.request.get("again") and (left := unsettled(work.delivery, step)) > 0:
        # Asked for twice: from here on each look counts, so that a person hears of an ERP that never ends one.
        raise TryLater("the ERP does not finish the release", retry_after=left)
    return prove_and_release(work)


def _not_open(work: Work, document: ErpDocument) -> Stop:
    return work.stop("invoice.not_releasable", {"status": document.status, "text": ""})


def _gone(work: Work, key: Key) -> Wish | None:
    """Released, maybe, and not there: nobody makes another one but a person (rule 8)."""
    candidates = [lost_candidate(work, key)]
    decision = decided(work, candidates)
    if decision is None or decision.kind != "make":
        raise in_doubt(work, candidates, code="invoice.document_gone")
    work.undone("release", "a person has the document made again")
    work.make = True
    return None


def _book(work: Work, document: ErpDocument) -> None:
    """Seen Open or Closed: booked, for good."""
    row = work.present
    if row is None or row.state not in ("claimed", "released"):
        work.delivery.claim_document(*document.key)
    work.delivery.book(document.type, document.number, document.totals.total)
    told = {"type": document.type, "number": document.number, "status": document.status}
    released_by_us = work.open_step("release") is not None
    for name in ("hold_off", "release"):
        if work.open_step(name) is not None:
            work.done(name, told)
    # One that 0.1.0 booked was told then: only what Severa does not show is owed.
    work.booked_now = released_by_us or (row is not None and row.state != "unknown")
