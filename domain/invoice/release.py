"""The held document proven and released, followed until it is Open or Closed, and its number brought to Severa."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.errors import Forbidden, Refused, SignInFailed, Stale, TryLater
from domain.invoice import attachments, look_up
from domain.invoice.attempt import LOOK_AGAIN, Attempt, Key, Planned, StartOver
from domain.invoice.existing import in_doubt, key_of
from domain.invoice.model import NOT_RELEASABLE, REGISTER, ErpDocument, SeveraInvoice
from domain.invoice.prove import Proof, prove, suspect
from domain.invoice.refusals import refusal, told_by_document
from domain.invoice.totals import money_text, vat_text
from domain.invoice.write_back import write_back
from domain.money import shown
from domain.ports import Settled


def prove_held(attempt: Attempt, planned: Planned, document: ErpDocument) -> Proof:
    """The proof; a document that does not pass is removed and the invoice fails (R-INV-4)."""
    proof = prove(
        attempt.invoice,
        planned.sent,
        document,
        attempt.delivery.limits.total_tolerance,
        foreign=planned.choices.foreign,
    )
    if document.status in NOT_RELEASABLE:
        raise attempt.fail("invoice.not_releasable", {"status": document.status, "text": ""}, document.key)
    if not proof.ok:
        if document.released:
            raise attempt.stop("invoice.already_booked", {"number": document.number})
        if _left_over(attempt):
            # Made by an earlier delivery, of the invoice as it was then: no fault of the invoice as it is now.
            attempt.remove(document.key, "invoice.changed")
            raise StartOver
        code, values = _why(proof, attempt.invoice, document)
        raise attempt.fail(code, values, document.key)
    # The total has a line of its own when the number is written.
    small = "; ".join(str(one) for one in proof.warnings if one.field != "total")
    attempt.done(
        "proof",
        {"difference": f"{proof.difference:f}", "updated": attempt.invoice.updated, "warnings": small},
    )
    return proof


def _left_over(attempt: Attempt) -> bool:
    """Whether the document was found by its marker, not made by this delivery."""
    step = attempt.step("create")
    return step is not None and bool(step.result.get("adopted")) and "sent_at" not in step.result


def _why(proof: Proof, invoice: SeveraInvoice, document: ErpDocument) -> tuple[str, dict[str, str]]:
    reasons = "; ".join(str(one) for one in proof.reasons)
    money = any(
        one.field in {"total", "net", "vat", "rounding"} or one.field.startswith("vat ")
        for one in proof.reasons
    )
    return ("invoice.total_differs" if money else "invoice.content_differs"), {
        "severa_total": money_text(proof.severa_total, invoice.currency),
        "erp_total": money_text(proof.erp_total, invoice.currency),
        "difference": shown(proof.difference, invoice.currency),
        "severa_vat": vat_text(proof.severa_vat),
        "erp_vat": vat_text(proof.erp_vat),
        "reasons": reasons,
        "row": suspect(invoice, document),
    }


def release(attempt: Attempt, document: ErpDocument, etag: str | None) -> None:
    """Severa is read again, the document claimed, hold taken off, and released. Only the claimed number ever is."""
    delivery, key = attempt.delivery, document.key
    planned = attempt.invoice
    proof = attempt.step("proof")
    attempt.read_invoice()
    if attempt.changed(planned, proof.result.get("updated") if proof is not None else None):
        attempt.remove(key, "invoice.changed")
        raise StartOver
    delivery.claim_document(*key)
    if document.status == "Hold":
        try:
            delivery.erp.update(REGISTER[key[0]], key[1], {"hold": {"value": False}}, etag=etag)
        except Stale as error:
            # Somebody touched it after the proof: it is proven again.
            raise StartOver from error
        except Refused as error:
            _refused(attempt, key, error)
            return
    attempt.begin("release", {"type": key[0], "number": key[1]})
    try:
        answer = delivery.erp.act(REGISTER[key[0]], key[1], "release")
    except Refused as error:
        attempt.undone("release", error.message)
        _refused(attempt, key, error)
        return
    except (TryLater, SignInFailed) as error:
        attempt.undone("release", error.message)
        raise
    if answer.result == "Failed":
        attempt.undone("release", answer.error)
        about = told_by_document(document)
        code, values = refusal(answer.error, default="invoice.not_releasable", about=about, status="Failed")
        raise attempt.fail(code, values, key)
    attempt.done("release", {"result": answer.result, "type": key[0], "number": key[1]})


def _refused(attempt: Attempt, key: Key, error: Refused) -> None:
    """The ERP did not take hold off, or did not release: 'already released' is as good as done, all else fails."""
    now = look_up.read_document(attempt.delivery, *key)
    if now is not None and now[0].released:
        attempt.done("release", {"result": "Done", "type": key[0], "number": key[1]})
        return
    if isinstance(error, Stale):
        raise TryLater(error.message) from error
    if isinstance(error, Forbidden):
        raise attempt.stop(
            "invoice.not_allowed", {"text": error.message, "operation": error.operation}
        ) from error
    if now is not None and now[0].status in NOT_RELEASABLE:
        values = {"status": now[0].status, "text": error.message}
        raise attempt.fail("invoice.not_releasable", values, key) from error
    about = told_by_document(now[0]) if now is not None else None
    code, values = refusal(error.message, about=about)
    raise attempt.fail(code, values, key) from error


def after_release(attempt: Attempt) -> Settled:
    """Follows the released document until it is Open or Closed, then writes its number to Severa."""
    key = _released_key(attempt)
    if key is None:
        raise in_doubt(attempt, [])
    answer = look_up.read_document(attempt.delivery, *key)
    if answer is None:
        raise attempt.stop("invoice.document_gone", {"number": key[1]})
    document, etag = answer
    if document.status in NOT_RELEASABLE:
        raise attempt.fail("invoice.not_releasable", {"status": document.status, "text": ""}, key)
    if not document.released:
        _wait_for_release(attempt, document, etag)
        return after_release(attempt)
    return _number(attempt, document)


def _released_key(attempt: Attempt) -> Key | None:
    """The document that was sent to release: as that step says, else as it was made or claimed."""
    released, created, link = attempt.step("release"), attempt.step("create"), attempt.delivery.link
    told = [step.request | step.result for step in (released, created) if step is not None]
    if link is not None and link.document is not None:
        told.append({"type": link.document[0], "number": link.document[1]})
    return next((key for one in told if one.get("number") and (key := key_of(one)) is not None), None)


def _wait_for_release(attempt: Attempt, document: ErpDocument, etag: str | None) -> None:
    """Queued and InProcess are waited for; after that, or when nobody knows whether it was sent, it is released again."""
    step, now = attempt.step("release"), attempt.delivery.now()
    if step is not None and step.done and step.sent_at is not None:
        waited = (now - step.sent_at).total_seconds()
        if waited < attempt.delivery.limits.release_wait_seconds:
            raise TryLater("the release is queued", retry_after=LOOK_AGAIN, costs_attempt=False)
        if step.result.get("again"):
            raise TryLater("the ERP does not finish the release")
    release(attempt, document, etag)
    step = attempt.step("release")
    attempt.done("release", {**(step.result if step else {}), "again": True})


def _number(attempt: Attempt, document: ErpDocument) -> Settled:
    """Number, reference and status to Severa; then, after a create that was sent twice, the search for its twin."""
    proof = attempt.step("proof")
    proven = proof.result if proof is not None and proof.done else {}
    write_back(attempt, document, str(proven.get("difference", "0")))
    attempt.announce += attachments.plan_for_later(attempt)
    _remove_twin(attempt, document)
    _tell(attempt, document, str(proven.get("warnings", "")))
    return attempt.settled()


def _tell(attempt: Attempt, document: ErpDocument, differences: str) -> None:
    """What an attempt, maybe an earlier one, found worth telling of the document."""
    created = attempt.step("create")
    said = (created.request | created.result).get("said") if created is not None else None
    for code, values, level in said or []:
        attempt.say(code, level=level, **(values | {"number": document.number}))
    if differences:
        attempt.say("invoice.proof_warning", level="warning", number=document.number, differences=differences)


def _remove_twin(attempt: Attempt, document: ErpDocument) -> None:
    """After a create that was sent twice: once the second one cannot hide any more, a surplus held document goes."""
    step = attempt.step("create")
    told = step.request | step.result if step is not None else {}
    sent_at = step.sent_at if step is not None else None
    if told.get("sent_at"):
        sent_at = datetime.fromisoformat(str(told["sent_at"]))
    if not told.get("again") or sent_at is None:
        return
    limits = attempt.delivery.limits
    settle_at = sent_at + timedelta(seconds=limits.create_seconds + limits.visibility_seconds)
    left = (settle_at - attempt.delivery.now()).total_seconds()
    if left > 0:
        raise TryLater("a second document may still turn up", retry_after=left, costs_attempt=False)
    customers = [str(told.get("customer", "")), document.customer]
    found = look_up.look_up(attempt.delivery, attempt.invoice, told, customers, attempt.gone())
    others = [one for one in found if one.id != document.id]
    if any(one.released for one in others):
        raise in_doubt(attempt, [document, *others])
    for other in others:
        attempt.remove_twin(other.key)
