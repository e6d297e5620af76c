"""The moves of an invoice: created on hold, proven, checked again, released, numbered (R-INV-1 to R-INV-13).

A plain new invoice costs eight calls: rows · create · read back · Severa again · hold off · release · read · one PATCH.
Every call that cannot be repeated stands between ``begin`` and ``done`` or ``undone``; a successor goes on at the first
step that is not done, and looks before it sends anything again.
"""

from __future__ import annotations

from domain.errors import Forbidden, NotFound, Refused, SignInFailed, Stale, Stop, TryLater, Waiting
from domain.invoice import attachments, look_up, plan, reopening, review
from domain.invoice.attempt import Attempt, Key, Planned, StartOver
from domain.invoice.existing import customer_numbers, in_doubt, present, shown
from domain.invoice.fields import INVOICES, ROWS, STATUSES, in_scope
from domain.invoice.model import REGISTER, ErpDocument, SeveraInvoice
from domain.invoice.prepare import prepare
from domain.invoice.refusals import refusal, told_by
from domain.invoice.release import after_release, prove_held, release
from domain.invoice.write_back import write_back
from domain.mapper import text
from domain.moves import is_fresh
from domain.ports import Delivery, Json, LogLine, Settled
from domain.setup.statuses import Roles, tenant_roles

# Refusals that a project closed meanwhile may be behind.
_PROJECT_REFUSED = frozenset({"invoice.project_refused", "invoice.task_refused"})

# How often a document is started anew in one attempt because the invoice was changed while it was being booked.
ROUNDS = 3


def roles_of(delivery: Delivery) -> Roles:
    """The roles of the tenant's invoice statuses (R-STA-1).

    Raises Stop ``statuses.*`` when the set-up breaks a rule in Severa too, not only as it was last read; it waits for the
    statuses to change. TryLater before they were read.
    """
    records = delivery.books.all("severa", STATUSES)
    if not records:
        raise TryLater("the invoice statuses have not been read yet", retry_after=30, costs_attempt=False)
    try:
        return _derived(delivery, [record.body for record in records])
    except Stop:
        pass
    try:
        return _derived(delivery, list(delivery.severa.list(STATUSES)))
    except Stop as stop:
        stop.waits_for = Waiting("reference", severa_id=STATUSES)
        raise


def _derived(delivery: Delivery, statuses: list[Json]) -> Roles:
    return tenant_roles(statuses, delivery.tenant.settings)


def settle(delivery: Delivery) -> Settled:
    """Brings one Severa invoice or credit note to rest: booked and numbered, failed, or left as it is.

    Raises Waiting (customer, project or item not there yet), TryLater, OutcomeUnknown, Stop with the problem's code.
    """
    record = delivery.severa_record
    if record is None:
        return Settled()
    roles = roles_of(delivery)
    attempt = Attempt(delivery, roles, record.id, SeveraInvoice.of(record.body), read=False)
    begun = _begun(attempt)
    if not begun and not _asks(attempt):
        if delivery.link is not None and attachments.due(delivery.link):
            return attachments.attach(attempt, delivery.link)
        return Settled(problems_stay=_person_acts(attempt))
    try:
        _rounds(attempt, begun=begun)
    except Stop as stop:
        reopening.set_back(attempt)
        stop.effects = attempt.effects()
        stop.values = {"customer": attempt.invoice.customer.name, "invoice": attempt.guid} | stop.values
        raise
    reopening.set_back(attempt)
    return attempt.settled()


def _begun(attempt: Attempt) -> bool:
    """Whether an earlier attempt left something that has to be brought to its end, whatever the status is by now."""
    reopened = attempt.delivery.step(reopening.STEP)
    return (
        bool(attempt.removals())
        or any(attempt.step(name) for name in ("create", "release", "remove"))
        or (reopened is not None and not reopened.result.get("back"))
    )


def _person_acts(attempt: Attempt) -> bool:
    """Whether an invoice that asks for nothing still waits for a person: it failed, or it is booked and stands before
    *transferred*. Its problems stay open then (R-LOG-3)."""
    link, invoice, roles = attempt.delivery.link, attempt.invoice, attempt.roles
    if attempt.role == "failed":
        return True
    place = roles.position(invoice.status)
    early = place is not None and place < roles.positions[roles.transferred.guid]
    return early and link is not None and link.document is not None


def _rounds(attempt: Attempt, *, begun: bool) -> None:
    """Goes on with what was begun, then walks until the invoice stands still."""
    record = attempt.delivery.severa_record
    try:
        if begun:
            attempt.resume_removal()
        stale = begun or record is None or not is_fresh(attempt.delivery, record)
        if not attempt.read and stale:
            attempt.read_invoice()
    except NotFound:
        _deleted(attempt)
        return
    for _ in range(ROUNDS):
        try:
            _walk(attempt)
        except StartOver:
            continue
        except NotFound as error:
            if error.system != "severa" or INVOICES not in error.operation:
                raise
            _deleted(attempt)
        return
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
        return after_release(attempt)
    key = present(attempt)
    if plan.decide(attempt.roles, attempt.invoice.status, released=False) == "leave":
        return _withdrawn(attempt, key)
    return _book(attempt, key)


def _released_before(attempt: Attempt) -> bool:
    step = attempt.step("release")
    return step is not None and (step.done or step.sent_at is not None)


# ---------------------------------------------------------------- booking


def _book(attempt: Attempt, key: Key | None) -> Settled:
    """Status *transfer*: a document is made if there is none, then proven, released and numbered."""
    delivery = attempt.delivery
    document: ErpDocument | None = None
    etag: str | None = None
    if key is not None:
        document, etag = _read_held(attempt, key)
        key = document.key
        if document.released:
            return _restore(attempt, document)
    rows = delivery.severa.list(ROWS, parent=attempt.guid)
    attempt.invoice = SeveraInvoice.of(attempt.invoice.body, rows)
    try:
        planned = prepare(attempt, creating=key is None)
    except Stop as stop:
        raise attempt.fail(stop.code, stop.values, key, waits_for=stop.waits_for) from stop
    if document is None:
        review.check_released(attempt, planned)
        reopening.open_for(attempt, planned.project)
        document, etag = _read_held(attempt, _create(attempt, planned))
    prove_held(attempt, planned, document)
    release(attempt, document, etag)
    return after_release(attempt)


def _read_held(attempt: Attempt, key: Key) -> tuple[ErpDocument, str | None]:
    """The document as it is. One that is gone was removed by somebody: its number is a gap, and it is made again."""
    answer = look_up.read_document(attempt.delivery, *key)
    if answer is None and (elsewhere := shown(attempt, key)) is not None:
        answer = look_up.read_document(attempt.delivery, *elsewhere)
    if answer is None:
        attempt.remove(key, "invoice.removed_by_others")
        raise StartOver
    return answer


def _create(attempt: Attempt, planned: Planned) -> Key:
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
        # Told once the invoice is booked, maybe by a successor.
        "said": [[line.code, dict(line.values), line.level] for line in _lines(invoice, planned)],
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
        code, values = refusal(error.message, about=told_by(planned.sent))
        if code in _PROJECT_REFUSED and reopening.open_refused(attempt, planned.project):
            raise StartOver from error
        raise attempt.fail(code, values) from error
    except (TryLater, SignInFailed) as error:
        attempt.undone("create", error.message)
        raise
    attempt.done("create", {"type": invoice.document_type, "number": number, "said": request["said"]})
    if not number:
        found = present(attempt)
        if found is None:
            raise in_doubt(attempt, [])
        return found
    return (invoice.document_type, number)


def _lines(invoice: SeveraInvoice, planned: Planned) -> tuple[LogLine, ...]:
    """What the log says of a document when it is booked: what was cut, chosen, and a credit note that is left open."""
    said = planned.said
    if invoice.is_credit_note and planned.choices.original is None:
        values = {"original": planned.choices.credited or "–"}
        said += (LogLine("invoice.credit_left_open", values, "warning"),)
    return said


# ---------------------------------------------------------------- the other ends


def _restore(attempt: Attempt, document: ErpDocument) -> Settled:
    """Booked already and set to transfer again: number and status come back if nothing changed (R-INV-12)."""
    numbers = customer_numbers(attempt)
    same = plan.same_booking(
        attempt.invoice, document, numbers[0] if numbers else "", attempt.delivery.limits.total_tolerance
    )
    attempt.see(document)
    if not same:
        raise attempt.stop("invoice.already_booked", {"number": document.number})
    difference = document.totals.total - attempt.invoice.total * attempt.invoice.sign
    write_back(attempt, document, f"{difference:f}", restored=True)
    attempt.announce += attachments.plan_for_later(attempt)
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
    key = present(attempt)
    if key is None:
        return attempt.settled()
    answer = look_up.read_document(attempt.delivery, *key)
    if answer is not None and answer[0].released:
        raise attempt.stop("invoice.deleted_in_severa", {"number": key[1]})
    attempt.remove(key, "invoice.deleted_in_severa")
    attempt.say("invoice.withdrawn", number=key[1], status="–")
    return attempt.settled()
