"""The moves of an invoice: created on hold, proven, checked again, released, numbered (R-INV-1 to R-INV-13).

A plain new invoice costs eight calls: rows · create · read back · Severa again · hold off · release · read · one PATCH.
Every call that cannot be repeated stands between ``begin`` and ``done`` or ``undone``; a successor goes on at the first
step that is not done, and looks before it sends anything again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from domain.errors import Forbidden, InDoubt, NotFound, Refused, SignInFailed, Stale, Stop, TryLater, Waiting
from domain.invoice import look_up, plan
from domain.invoice.attempt import Attempt, Key, StartOver
from domain.invoice.document import Choices, Draft, address_differs, applicable, draft
from domain.invoice.fields import INVOICES, ROWS, STATUSES, in_scope
from domain.invoice.model import NOT_RELEASABLE, REGISTER, ErpDocument, SeveraInvoice, document_type
from domain.invoice.prove import Proof, prove
from domain.invoice.refusals import refusal
from domain.invoice.totals import vat_text
from domain.invoice.write_back import write_back
from domain.mapper import text
from domain.moves import is_fresh
from domain.ports import Delivery, Json, Settled
from domain.setup.statuses import Roles, derive_roles

# How often a document is started anew in one attempt because the invoice was changed while it was being booked.
ROUNDS = 3
# How soon a document is looked at again whose release is queued, or whose number the ERP did not tell.
LOOK_AGAIN = 5.0


def roles_of(delivery: Delivery) -> Roles:
    """The roles of the tenant's invoice statuses (R-STA-1). Raises Stop ``statuses.*``, TryLater before they were read."""
    records = delivery.books.all("severa", STATUSES)
    if not records:
        raise TryLater("the invoice statuses have not been read yet", retry_after=30, costs_attempt=False)
    return derive_roles(record.body for record in records)


def settle(delivery: Delivery) -> Settled:
    """Brings one Severa invoice or credit note to rest: booked and numbered, failed, or left as it is.

    Raises Waiting (customer, project or item not there yet), TryLater, OutcomeUnknown, Stop with the problem's code.
    """
    record = delivery.severa_record
    if record is None:
        return Settled()
    roles = roles_of(delivery)
    attempt = Attempt(delivery, roles, record.id, SeveraInvoice.of(record.body), read=False)
    begun = attempt.removals() or any(attempt.step(name) for name in ("create", "remove"))
    if not begun and not _asks(attempt):
        return Settled()
    try:
        if begun:
            attempt.resume_removal()
        if not attempt.read and (begun or not is_fresh(delivery, record)):
            attempt.read_invoice()
    except NotFound:
        return _deleted(attempt)
    for _ in range(ROUNDS):
        try:
            return _walk(attempt)
        except StartOver:
            continue
        except NotFound as error:
            if error.system == "severa" and INVOICES in error.operation:
                return _deleted(attempt)
            raise
        except Stop as stop:
            if stop.effects is None:
                raise attempt.stop(stop.code, stop.values) from stop
            raise
    raise TryLater("the invoice keeps changing while it is being booked")


def _asks(attempt: Attempt) -> bool:
    """Whether the last seen state asks for anything: status *transfer*, and within the tenant's start date."""
    invoice = attempt.invoice
    return attempt.role == "transfer" and in_scope(
        invoice.body, attempt.delivery.tenant.settings.invoices_from
    )


def _walk(attempt: Attempt) -> Settled:
    """One round, from what is known of the document."""
    if _released_before(attempt):
        return _after_release(attempt)
    key = _present(attempt)
    if plan.decide(attempt.roles, attempt.invoice.status, released=False) == "leave":
        return _withdrawn(attempt, key)
    return _book(attempt, key)


def _released_before(attempt: Attempt) -> bool:
    step = attempt.step("release")
    return step is not None and (step.done or step.sent_at is not None)


# ---------------------------------------------------------------- which document is there


def _present(attempt: Attempt) -> Key | None:
    """The document of the present round, None when there surely is none.

    Raises TryLater while an unknown create may still come true, InDoubt for two released documents (R-INV-13).
    """
    step, link = attempt.step("create"), attempt.delivery.link
    if step is not None and step.done and step.result.get("number"):
        return _key(step.result)
    if step is None and link is not None and link.document is not None:
        return _adopt_claimed(attempt, link.document)
    gone = attempt.gone()
    if step is None:
        found = look_up.known_documents(attempt.delivery, attempt.invoice, gone)
        return _adopt(attempt, found) if found else None
    customers = [str(step.request.get("customer", "")), *_customer_numbers(attempt)]
    found = look_up.look_up(attempt.delivery, attempt.invoice, step.request, customers, gone)
    if found:
        return _adopt(attempt, found)
    limits = attempt.delivery.limits
    settle_at = (step.sent_at or attempt.delivery.now()) + timedelta(
        seconds=limits.create_seconds + limits.visibility_seconds
    )
    left = (settle_at - attempt.delivery.now()).total_seconds()
    if step.done:
        # Made, but the ERP told no number: it must show itself.
        if left > 0:
            raise TryLater("the new document does not show yet", retry_after=LOOK_AGAIN, costs_attempt=False)
        raise _in_doubt(attempt, [])
    if left > 0:
        raise TryLater(
            "it is not known yet whether the document was made", retry_after=left, costs_attempt=False
        )
    return None


def _key(result: Json) -> Key | None:
    kind = document_type(result.get("type"))
    return (kind, str(result["number"])) if kind is not None else None


def _customer_numbers(attempt: Attempt) -> list[str]:
    link = attempt.delivery.books.link("customer", severa_id=attempt.invoice.customer.guid)
    return [link.erp_number] if link is not None else []


def _adopt_claimed(attempt: Attempt, document: tuple[str, str]) -> Key | None:
    """The document that an earlier delivery claimed."""
    kind = document_type(document[0])
    return (kind, document[1]) if kind is not None else None


def _adopt(attempt: Attempt, found: list[ErpDocument]) -> Key:
    keep, others = plan.surplus(found)
    if keep is None:
        raise _in_doubt(attempt, found)
    # The others go first: once the kept one is committed, nobody looks for doubles again.
    for other in others:
        attempt.remove_twin(other.key)
    attempt.done("create", {"type": keep.type, "number": keep.number, "adopted": True})
    return keep.key


def _in_doubt(attempt: Attempt, found: Iterable[ErpDocument]) -> InDoubt:
    return InDoubt(
        "invoice.in_doubt",
        {"customer": attempt.invoice.customer.name, "candidates": plan.candidates_text(found) or "–"},
        effects=attempt.effects(),
    )


# ---------------------------------------------------------------- booking


@dataclass(frozen=True, slots=True)
class _Planned:
    """What is to be sent and what it is judged by."""

    need: plan.Needs
    choices: Choices
    sent: Draft


def _book(attempt: Attempt, key: Key | None) -> Settled:
    """Status *transfer*: a document is made if there is none, then proven, released and numbered."""
    delivery = attempt.delivery
    document: ErpDocument | None = None
    etag: str | None = None
    if key is not None:
        document, etag = _read_held(attempt, key)
        if document.released:
            return _restore(attempt, document)
    rows = delivery.severa.list(ROWS, parent=attempt.guid)
    attempt.invoice = SeveraInvoice.of(attempt.invoice.body, rows)
    try:
        planned = _plan(attempt, creating=key is None)
    except Stop as stop:
        raise attempt.fail(stop.code, stop.values, key) from stop
    if document is None:
        key = _create(attempt, planned)
        document, etag = _read_held(attempt, key)
    proof = _prove(attempt, planned, document)
    if not document.released:
        _release(attempt, document, etag)
    return _after_release(attempt, proof)


def _read_held(attempt: Attempt, key: Key) -> tuple[ErpDocument, str | None]:
    """The document as it is. One that is gone was removed by somebody: its number is a gap, and it is made again."""
    answer = look_up.read_document(attempt.delivery, *key)
    if answer is None:
        attempt.remove(key, "invoice.removed_by_others")
        raise StartOver
    return answer


def _plan(attempt: Attempt, *, creating: bool) -> _Planned:
    delivery, invoice = attempt.delivery, attempt.invoice
    need = plan.needs(delivery.books, invoice)
    if creating:
        if invoice.number:
            raise Stop("invoice.has_number", {"number": invoice.number})
        plan.check_prediction(delivery.books, invoice, need, delivery.limits.total_tolerance)
    credited, original = _credited(attempt, need, creating=creating)
    choices = Choices(
        branch=plan.branch(delivery.books, invoice),
        terms=""
        if invoice.is_credit_note
        else plan.credit_terms(delivery.books, invoice, need.customer_body),
        period=plan.period(delivery.books, invoice),
        foreign=plan.is_foreign(invoice, plan.base_currency(delivery.books)),
        country=_country(attempt, need),
        task=delivery.tenant.settings.project_task,
        language=delivery.tenant.language,
        credited=credited,
        original=original,
    )
    return _Planned(need, choices, draft(invoice, need, choices))


def _credited(attempt: Attempt, need: plan.Needs, *, creating: bool) -> tuple[str, ErpDocument | None]:
    """Number of the credited invoice, and its document if the note may be applied to it (R-INV-7)."""
    invoice, delivery = attempt.invoice, attempt.delivery
    if not invoice.is_credit_note or invoice.credited is None:
        return "", None
    link = delivery.books.link("invoice", severa_id=invoice.credited.guid)
    number = link.erp_number if link is not None and link.erp_number else invoice.credited.number
    if not number:
        raise Waiting("invoice", severa_id=invoice.credited.guid)
    if link is None or not creating:
        return number, None
    answer = look_up.read_document(delivery, "Invoice", link.erp_number)
    if answer is not None and applicable(invoice, answer[0], need.customer):
        return number, answer[0]
    return number, None


def _country(attempt: Attempt, need: plan.Needs) -> str | None:
    """ERP country of the receiver's address, None if the address is the customer's own. Raises Stop."""
    invoice, delivery = attempt.invoice, attempt.delivery
    if not address_differs(invoice, need.customer_body):
        return None
    name = text(invoice.body, "receiverAddress.country")
    own = {
        text(need.customer_body, f"{block}.country.{part}")
        for block in ("mainAddress", "invoiceAddress")
        for part in ("id", "name")
    }
    if not name or name in own:
        return text(need.customer_body, "mainAddress.country.id")
    known = [record.body for record in delivery.books.all("severa", "localization/countries")]
    for country in known or delivery.severa.list("localization/countries"):
        if name.casefold() in {
            text(country, part).casefold() for part in ("name", "englishName", "code2", "code3")
        }:
            return text(country, "code2")
    raise Stop("invoice.country_unknown", {"country": name})


def _create(attempt: Attempt, planned: _Planned) -> Key:
    """Makes the document on hold. Raises OutcomeUnknown with the step left begun."""
    invoice, delivery = attempt.invoice, attempt.delivery
    earlier = attempt.step("create")
    request = {
        "type": invoice.document_type,
        "customer": planned.need.customer,
        "date": str(invoice.date),
        "currency": invoice.currency,
        "total": f"{invoice.total * invoice.sign:f}",
        "order": text(invoice.body, "orderNumber"),
        # Sent a second time after an unknown outcome: a twin may still turn up and is looked for at the end.
        "again": earlier is not None,
    }
    attempt.begin("create", request)
    try:
        number = delivery.erp.create(REGISTER[invoice.document_type], planned.sent.body())
    except (Stale, Forbidden) as error:
        attempt.undone("create", error.message)
        if isinstance(error, Stale):
            raise TryLater(error.message) from error
        raise attempt.stop(
            "invoice.not_allowed", {"text": error.message, "operation": error.operation}
        ) from error
    except Refused as error:
        attempt.undone("create", error.message)
        code, values = refusal(error.message)
        raise attempt.fail(code, values) from error
    except (TryLater, SignInFailed) as error:
        attempt.undone("create", error.message)
        raise
    attempt.done("create", {"type": invoice.document_type, "number": number})
    attempt.log += planned.sent.warnings
    if invoice.is_credit_note and planned.choices.original is None:
        attempt.say(
            "invoice.credit_left_open",
            level="warning",
            number=number,
            original=planned.choices.credited or "–",
        )
    if not number:
        found = _present(attempt)
        if found is None:
            raise _in_doubt(attempt, [])
        return found
    return (invoice.document_type, number)


# ---------------------------------------------------------------- proof and release


def _prove(attempt: Attempt, planned: _Planned, document: ErpDocument) -> Proof:
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
        code, values = _why(proof, attempt.invoice)
        raise attempt.fail(code, values, document.key)
    for finding in proof.warnings:
        attempt.say("invoice.proof_warning", level="warning", number=document.number, difference=str(finding))
    attempt.done("proof", {"difference": f"{proof.difference:f}", "updated": attempt.invoice.updated})
    return proof


def _why(proof: Proof, invoice: SeveraInvoice) -> tuple[str, dict[str, str]]:
    reasons = "; ".join(str(one) for one in proof.reasons)
    money = any(
        one.field in {"total", "net", "vat", "rounding"} or one.field.startswith("vat ")
        for one in proof.reasons
    )
    return ("invoice.total_differs" if money else "invoice.content_differs"), {
        "severa_total": f"{proof.severa_total:f} {invoice.currency}",
        "erp_total": f"{proof.erp_total:f} {invoice.currency}",
        "difference": f"{proof.difference:f}",
        "severa_vat": vat_text(proof.severa_vat),
        "erp_vat": vat_text(proof.erp_vat),
        "reasons": reasons,
    }


def _release(attempt: Attempt, document: ErpDocument, etag: str | None) -> None:
    """Severa is read again, the document claimed, hold taken off, and released. Only the claimed number ever is."""
    delivery, key = attempt.delivery, document.key
    planned = attempt.invoice
    proof = attempt.step("proof")
    attempt.read_invoice()
    if attempt.changed(planned, proof.result.get("updated") if proof is not None else None):
        attempt.remove(key, "invoice.changed")
        raise StartOver
    attempt.checked = True
    delivery.claim_document(*key)
    if document.status == "Hold":
        try:
            delivery.erp.update(REGISTER[key[0]], key[1], {"hold": {"value": False}}, etag=etag)
        except Stale as error:
            # Somebody touched it after the proof: it is proven again.
            raise StartOver from error
        except Forbidden as error:
            raise attempt.stop(
                "invoice.not_allowed", {"text": error.message, "operation": error.operation}
            ) from error
        except Refused as error:
            code, values = refusal(error.message)
            raise attempt.fail(code, values, key) from error
    attempt.begin("release", {"type": key[0], "number": key[1]})
    try:
        answer = delivery.erp.act(REGISTER[key[0]], key[1], "release")
    except Refused as error:
        _release_refused(attempt, key, error)
        return
    except (TryLater, SignInFailed) as error:
        attempt.undone("release", error.message)
        raise
    if answer.result == "Failed":
        attempt.undone("release", answer.error)
        code, values = refusal(answer.error, default="invoice.not_releasable", status="Failed")
        raise attempt.fail(code, values, key)
    attempt.done("release", {"result": answer.result})


def _release_refused(attempt: Attempt, key: Key, error: Refused) -> None:
    now = look_up.read_document(attempt.delivery, *key)
    if now is not None and now[0].released:
        # 'Already released' is as good as done.
        attempt.done("release", {"result": "Done"})
        return
    attempt.undone("release", error.message)
    if isinstance(error, Stale):
        raise TryLater(error.message) from error
    if isinstance(error, Forbidden):
        raise attempt.stop(
            "invoice.not_allowed", {"text": error.message, "operation": error.operation}
        ) from error
    code, values = refusal(error.message)
    raise attempt.fail(code, values, key) from error


def _after_release(attempt: Attempt, proof: Proof | None = None) -> Settled:
    """Follows the released document until it is Open or Closed, then writes its number to Severa."""
    step, created = attempt.step("release"), attempt.step("create")
    key = _key(step.request) if step is not None else _key(created.result) if created is not None else None
    if key is None:
        raise _in_doubt(attempt, [])
    answer = look_up.read_document(attempt.delivery, *key)
    if answer is None:
        raise attempt.stop("invoice.document_gone", {"number": key[1]})
    document, etag = answer
    if document.status in NOT_RELEASABLE:
        raise attempt.fail("invoice.not_releasable", {"status": document.status, "text": ""}, key)
    if not document.released:
        _wait_for_release(attempt, document, etag)
        return _after_release(attempt, proof)
    return _number(attempt, document)


def _wait_for_release(attempt: Attempt, document: ErpDocument, etag: str | None) -> None:
    """Queued and InProcess are waited for; after that, or when nobody knows whether it was sent, it is released again."""
    step, now = attempt.step("release"), attempt.delivery.now()
    if step is not None and step.done and step.sent_at is not None:
        waited = (now - step.sent_at).total_seconds()
        if waited < attempt.delivery.limits.release_wait_seconds:
            raise TryLater("the release is queued", retry_after=LOOK_AGAIN, costs_attempt=False)
        if step.result.get("again"):
            raise TryLater("the ERP does not finish the release")
    _release(attempt, document, etag)
    step = attempt.step("release")
    attempt.done("release", {**(step.result if step else {}), "again": True})


# ---------------------------------------------------------------- the end


def _number(attempt: Attempt, document: ErpDocument) -> Settled:
    """Number, reference and status to Severa; then, after a create that was sent twice, the search for its twin."""
    proof = attempt.step("proof")
    difference = str(proof.result.get("difference", "0")) if proof is not None and proof.done else "0"
    write_back(attempt, document, difference)
    _remove_twin(attempt, document)
    return attempt.settled()


def _remove_twin(attempt: Attempt, document: ErpDocument) -> None:
    step = attempt.step("create")
    if step is None or not step.request.get("again") or step.sent_at is None:
        return
    limits = attempt.delivery.limits
    settle_at = step.sent_at + timedelta(seconds=limits.create_seconds + limits.visibility_seconds)
    left = (settle_at - attempt.delivery.now()).total_seconds()
    if left > 0:
        raise TryLater("a second document may still turn up", retry_after=left, costs_attempt=False)
    customers = [str(step.request.get("customer", "")), document.customer]
    found = look_up.look_up(attempt.delivery, attempt.invoice, step.request, customers, attempt.gone())
    others = [one for one in found if one.id != document.id]
    if any(one.released for one in others):
        raise _in_doubt(attempt, [document, *others])
    for other in others:
        attempt.remove_twin(other.key)


def _restore(attempt: Attempt, document: ErpDocument) -> Settled:
    """Booked already and set to transfer again: number and status come back if nothing changed (R-INV-12)."""
    numbers = _customer_numbers(attempt)
    same = plan.same_booking(
        attempt.invoice, document, numbers[0] if numbers else "", attempt.delivery.limits.total_tolerance
    )
    attempt.see(document)
    if not same:
        raise attempt.stop("invoice.already_booked", {"number": document.number})
    difference = document.totals.total - attempt.invoice.total * attempt.invoice.sign
    write_back(attempt, document, f"{difference:f}", restored=True)
    return attempt.settled()


def _withdrawn(attempt: Attempt, key: Key | None) -> Settled:
    """The invoice is not in transfer any more: a document that is still held goes, a booked one stays."""
    if key is None:
        return attempt.settled()
    answer = look_up.read_document(attempt.delivery, *key)
    if answer is not None and answer[0].released:
        raise attempt.stop(
            "invoice.moved_after_booking", {"number": key[1], "status": attempt.invoice.status_name}
        )
    attempt.remove(key, "invoice.withdrawn")
    attempt.say("invoice.withdrawn", number=key[1], status=attempt.invoice.status_name)
    return attempt.settled()


def _deleted(attempt: Attempt) -> Settled:
    """The Severa invoice was deleted: a held document goes with it."""
    key = _present(attempt)
    if key is None:
        return attempt.settled()
    answer = look_up.read_document(attempt.delivery, *key)
    if answer is not None and answer[0].released:
        raise attempt.stop("invoice.deleted_in_severa", {"number": key[1]})
    attempt.remove(key, "invoice.deleted_in_severa")
    attempt.say("invoice.withdrawn", number=key[1], status="–")
    return attempt.settled()
