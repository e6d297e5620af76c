"""The moves of an invoice: created on hold, proven, checked again, released, numbered (R-INV-1 to R-INV-13).

A plain new invoice costs eight calls: rows · create · read back · Severa again · hold off · release · read · one PATCH.
Every call that cannot be repeated stands between ``begin`` and ``done`` or ``undone``; a successor goes on at the first
step that is not done, and looks before it sends anything again.
"""

from __future__ import annotations

from domain.errors import Forbidden, NotFound, Refused, SignInFailed, Stale, Stop, TryLater, Waiting
from domain.invoice import look_up, plan
from domain.invoice.attempt import Attempt, Key, Planned, StartOver
from domain.invoice.document import Choices, address_differs, applicable, draft
from domain.invoice.existing import customer_numbers, in_doubt, present
from domain.invoice.fields import INVOICES, ROWS, STATUSES, in_scope
from domain.invoice.model import REGISTER, ErpDocument, SeveraInvoice
from domain.invoice.refusals import refusal
from domain.invoice.release import after_release, prove_held, release
from domain.invoice.write_back import write_back
from domain.mapper import text
from domain.moves import is_fresh
from domain.ports import Delivery, Settled
from domain.setup.statuses import Roles, derive_roles

# How often a document is started anew in one attempt because the invoice was changed while it was being booked.
ROUNDS = 3


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
    begun = attempt.removals() or any(attempt.step(name) for name in ("create", "release", "remove"))
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
    prove_held(attempt, planned, document)
    release(attempt, document, etag)
    return after_release(attempt)


def _read_held(attempt: Attempt, key: Key) -> tuple[ErpDocument, str | None]:
    """The document as it is. One that is gone was removed by somebody: its number is a gap, and it is made again."""
    answer = look_up.read_document(attempt.delivery, *key)
    if answer is None:
        attempt.remove(key, "invoice.removed_by_others")
        raise StartOver
    return answer


def _plan(attempt: Attempt, *, creating: bool) -> Planned:
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
    return Planned(need, choices, draft(invoice, need, choices))


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
        found = present(attempt)
        if found is None:
            raise in_doubt(attempt, [])
        return found
    return (invoice.document_type, number)


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
