"""NEW and ASKED: one document is asked for, on hold and marked; and found again when nobody knows what came of it (R-INV-13)."""

from __future__ import annotations

from domain.errors import Forbidden, Refused, Stale, TryLater
from domain.invoice import plan, review
from domain.invoice.documents import (
    Found,
    Sought,
    customer_numbers,
    look_up,
    marked,
    marker_of,
    may_be_forgotten,
    nonces_without_number,
    renumbered,
    since_when,
)
from domain.invoice.doubt import candidates_of, decided, in_doubt
from domain.invoice.failing import sent_unbooked
from domain.invoice.gather import check_project, check_refused, gather
from domain.invoice.model import REGISTER, ErpDocument, SeveraInvoice
from domain.invoice.phases import Rest, Wish
from domain.invoice.refusals import refusal, told_by
from domain.invoice.registers import in_scope
from domain.invoice.whose import carry_out, take_found
from domain.invoice.work import LOOK_AGAIN, Planned, Work
from domain.mapper import text
from domain.model import Json, LogLine, Permission, Step
from domain.moves import is_fresh, unsettled

# States of a document that a decision to make it again retires.
RETIRED_BY_MAKE = frozenset({"claimed", "released", "unknown"})
# Refusals that a project or task closed meanwhile may be behind.
_PROJECT_REFUSED = frozenset({"invoice.project_refused", "invoice.task_refused"})


def ask(work: Work) -> Wish | Rest | None:
    """Status *transfer*: planned from both sides as they are, then one document is asked for.

    Raises Waiting, TryLater, OutcomeUnknown with the step left begun, Stop ``invoice.*``.
    """
    record = work.delivery.severa_record
    if record is not None and record.gone and not (work.read or work.deleted):
        # A reading did not show it. Whatever its status asks for: deleted, its problem is over.
        work.read_invoice()
    if work.deleted or not (work.make or _asks(work)):
        return Rest(problems_stay=work.role == "failed" and not work.deleted)
    if not work.read and (work.make or record is None or not is_fresh(work.delivery, record)):
        work.read_invoice()
    if work.role != "transfer":
        if work.make:
            raise work.stop("invoice.make_needs_transfer", {"status": work.invoice.status_name})
        if work.sent_on and work.round > 1 and not may_be_forgotten(work):
            # Its document was removed to be made anew, and somebody sent it in between.
            raise sent_unbooked(work)
        return Rest()
    planned = gather(work, creating=True)
    review.check_released(work, planned)
    check_project(work, planned.project)
    if not work.make and may_be_forgotten(work) and _found_forgotten(work, planned):
        return None
    _create(work, planned)
    return None


def _asks(work: Work) -> bool:
    """Whether the last seen state asks for anything: status *transfer*, and within the tenant's start date."""
    invoice = work.invoice
    return plan.decide(work.roles, invoice.status, released=False) != "leave" and in_scope(
        invoice.body, work.delivery.tenant.settings.invoices_from
    )


def _create(work: Work, planned: Planned) -> None:
    """Makes the document on hold; its marker bears the nonce that the step was begun with."""
    invoice, delivery = planned.invoice, work.delivery
    request = _request(planned)

    def send(permission: Permission) -> str:
        body = marked(planned.sent, invoice, delivery.installation, permission.nonce).body()
        return delivery.erp.create(REGISTER[invoice.document_type], body, not_after=permission.not_after)

    # A document that was claimed or booked is retired with this begin: it ends its round.
    replaced = work.make and work.present is not None and work.present.state in RETIRED_BY_MAKE
    turn = work.round + int(replaced)
    try:
        number = work.effect("create", request, send, document=invoice.document_type, round=turn)
    except Stale as error:
        raise TryLater(error.message) from error
    except Forbidden as error:
        values = {"text": error.message, "operation": error.operation}
        raise work.stop("invoice.not_allowed", values) from error
    except Refused as error:
        _refused(work, planned, error)
        return
    work.make = False
    work.done(
        "create",
        {"type": invoice.document_type, "number": number, "said": request["said"]},
        round=turn,
    )


def _refused(work: Work, planned: Planned, error: Refused) -> None:
    """A refusal that another record may be behind is looked into once, and the invoice planned again; else it is a Stop."""
    code, values = refusal(error.message, about=told_by(planned.sent))
    if code in _PROJECT_REFUSED:
        check_refused(work, planned.project)
    if code == "invoice.customer_refused" and renumbered(work) not in ("", planned.need.customer):
        return
    raise work.stop(code, values) from error


def _request(planned: Planned) -> Json:
    """What the step keeps of what was sent: to find it again, and to be shown beside what was found."""
    invoice = planned.invoice
    return {
        "type": invoice.document_type,
        "customer": planned.need.customer,
        "date": str(invoice.date),
        "due": str(invoice.due_date or "") if not invoice.is_credit_note else "",
        "currency": invoice.currency,
        "total": f"{invoice.total * invoice.sign:f}",
        "vat": f"{invoice.tax * invoice.sign:f}",
        "order": text(invoice.body, "orderNumber"),
        "updated": invoice.updated,
        # Told once the invoice is booked, maybe by a successor.
        "said": [[line.code, dict(line.values), line.level] for line in _lines(invoice, planned)],
    }


def _lines(invoice: SeveraInvoice, planned: Planned) -> tuple[LogLine, ...]:
    """What the log says of a document when it is booked: what was cut, chosen, and a credit note that is left open."""
    said = planned.said
    if invoice.is_credit_note and planned.choices.original is None:
        values = {"original": planned.choices.credited}
        said += (LogLine("invoice.credit_left_open", values, "warning"),)
    return said


# ---------------------------------------------------------------- ASKED


def find(work: Work) -> Wish | None:
    """A create that nobody answered, or whose number nobody told: looked for by its marker, and only looked for until it has
    settled (S23). What looks alike then stops the next create (S8).

    Raises TryLater until then, InDoubt for look-alikes and for two documents of one nonce of which one is released.
    """
    step = work.step("create")
    request: Json = {} if step is None else step.request | step.result
    numbers = (str(request.get("customer") or ""), *customer_numbers(work))
    since = since_when(work, step.sent_at if step is not None else None)
    found = look_up(work, Sought(request, numbers, since))
    if _adopted(work, found, step, request):
        return None
    _wait(work, step)
    # Before absence is concluded: the ERP lists a renumbered customer's documents under its new number only (docs/vendors/visma-net-erp.md E52).
    if renumbered(work) not in ("", *numbers):
        found = look_up(work, Sought(request, (work.customer,), since))
        if _adopted(work, found, step, request):
            return None
    # Late ones of calls that were given up before.
    take_found(work, found.marked)
    numberless = step is None or step.done
    if work.present is None and (found.alike or numberless):
        _doubt(work, found.alike, request)
    if work.open_step("create") is not None or numberless:
        work.undone("create", "looked up after every limit: it was not done")
    return None


def _wait(work: Work, step: Step | None) -> None:
    """Raises TryLater while the create may still come true, or the new document may still not show."""
    if step is None or (step.done and step.settles_at is None):
        return
    left = unsettled(work.delivery, step)
    if left <= 0:
        return
    if step.done:
        raise TryLater("the new document does not show yet", retry_after=LOOK_AGAIN, costs_attempt=False)
    raise TryLater("it is not known yet whether the document was made", retry_after=left, costs_attempt=False)


def _adopted(work: Work, found: Found, step: Step | None, request: Json) -> bool:
    """Takes the document that bears the nonce of the create; of several, which a person must have copied, the first made
    unless any was released. False when there is none."""
    mine = found.of({step.nonce} if step is not None else nonces_without_number(work.delivery.documents))
    if not mine:
        return False
    keep, _copies = plan.surplus(mine)
    if keep is None or (keep.released and len(mine) > 1):
        _doubt(work, mine, request)
        return True
    marker = marker_of(keep.note)
    nonce = marker.nonce if marker is not None else ""
    work.delivery.adopt_document(keep.type, keep.number, nonce, round=work.round)
    if work.open_step("create") is not None:
        kept: Json = {
            name: request[name] for name in ("customer", "date", "updated", "said") if name in request
        }
        work.done("create", {**kept, "type": keep.type, "number": keep.number})
    return True


def _found_forgotten(work: Work, planned: Planned) -> bool:
    """The vendor asked before a create of a database that was found restored (rule 10). True: a document was taken.

    Raises InDoubt for a look-alike without our marker: somebody may have overwritten the note of ours (S43).
    """
    request = _request(planned)
    numbers = (planned.need.customer, *customer_numbers(work))
    found = look_up(work, Sought(request, numbers, since_when(work, None)))
    take_found(work, found.marked)
    if work.present is None and found.alike:
        _doubt(work, found.alike, request)
    return work.present is not None


def _doubt(work: Work, documents: list[ErpDocument], request: Json) -> None:
    candidates = candidates_of(documents, request)
    decision = decided(work, candidates)
    if decision is None:
        raise in_doubt(work, candidates, documents)
    carry_out(work, decision, documents)
    if work.make and work.open_step("create") is not None:
        work.undone("create", "a person has it made again")
