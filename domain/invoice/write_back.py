"""The ERP's number, payment reference and the status *transferred* to Severa, in one PATCH and in that order (R-INV-6).

A numbered status first could make Severa give a number of its own; *transferred* twice could make AutoInvoice send twice.
So the status is only ever moved from *transfer*, and what is rewritten is number and reference alone.
"""

from __future__ import annotations

from typing import Any

from domain.errors import Refused, Stop
from domain.invoice.attempt import Attempt
from domain.invoice.fields import DOCUMENTS, INVOICES, NUMBER_PATH, REFERENCE_PATH, STATUS_PATH
from domain.invoice.model import ErpDocument, SeveraInvoice
from domain.invoice.totals import money_text
from domain.mapper import read
from domain.money import ZERO
from domain.ports import Json, LinkUpdate


def write_back(attempt: Attempt, document: ErpDocument, difference: str, *, restored: bool = False) -> None:
    """Writes what Severa is to show of the booked ``document`` and notes the link and the log line.

    ``difference``: ERP total − Severa total as proven. Raises Stop ``invoice.booked_not_numbered`` (the status is back
    in *transfer* then, so that nobody sends the invoice) or ``invoice.moved_after_booking``.
    """
    attempt.link = _link(attempt, document, difference)
    attempt.see(document)
    if not document.number.isdigit():
        raise _not_numbered(attempt, document, "")
    if not attempt.read:
        attempt.read_invoice()
    booked_wrong = abs(document.totals.total - attempt.invoice.total * attempt.invoice.sign)
    if booked_wrong > attempt.delivery.limits.total_tolerance:
        # Changed on one side between proof and release, or since: nobody may send what is not booked.
        raise attempt.stop("invoice.already_booked", {"number": document.number})
    if _missing(attempt, document):
        _write(attempt, document)
    if not document.payment_reference and document.type == "Invoice":
        attempt.say("invoice.no_payment_reference", level="warning", number=document.number)
    _say(attempt, document, difference, restored=restored)


def _write(attempt: Attempt, document: ErpDocument) -> None:
    moved_on = attempt.role != "transfer" and not _numbered(attempt)
    changes = _missing(attempt, document)
    attempt.begin("write_back", {"number": document.number})
    try:
        _patch(attempt, changes)
        again = {path: value for path, value in _missing(attempt, document).items() if path in changes}
        if again:
            # Once more; the status too only if it did not move at all.
            _patch(attempt, again)
    except Refused as error:
        raise _not_numbered(attempt, document, error.message) from error
    if any(path in changes for path in _missing(attempt, document)):
        raise _not_numbered(attempt, document, "")
    attempt.done("write_back", {"number": document.number})
    if moved_on:
        raise attempt.stop(
            "invoice.moved_after_booking", {"number": document.number, "status": attempt.invoice.status_name}
        )


def _numbered(attempt: Attempt) -> bool:
    """The present status is *transferred* or later."""
    place = attempt.roles.position(attempt.invoice.status)
    return place is not None and place >= attempt.roles.positions[attempt.roles.transferred.guid]


def _missing(attempt: Attempt, document: ErpDocument) -> dict[str, Any]:
    """What Severa does not show yet, in the order in which it must be written."""
    invoice, wanted = attempt.invoice, dict[str, Any]()
    in_transfer = attempt.role == "transfer"
    # From *transfer* one PATCH carries all three, also what seems to stand there already.
    if in_transfer or not invoice.number.isdigit() or int(invoice.number) != int(document.number):
        wanted[NUMBER_PATH] = int(document.number)
    if document.payment_reference and (in_transfer or invoice.reference != document.payment_reference):
        wanted[REFERENCE_PATH] = document.payment_reference
    if in_transfer:
        wanted[STATUS_PATH] = attempt.roles.transferred.guid
    return wanted


def _patch(attempt: Attempt, changes: dict[str, Any]) -> None:
    """One PATCH; its answer is the read-back if it shows the three fields, else the invoice is read."""
    answer = attempt.delivery.severa.patch(INVOICES, attempt.guid, changes)
    if _shows(answer):
        attempt.take(answer)
    else:
        attempt.read_invoice()


def _shows(answer: Json) -> bool:
    return (
        SeveraInvoice.of(answer).guid != ""
        and read(answer, "number") is not None
        and read(answer, "status.guid") is not None
        and "referenceNumber" in answer
    )


def _not_numbered(attempt: Attempt, document: ErpDocument, said: str) -> Stop:
    """The document stays; the status goes back to *transfer*, if it is *transferred* now."""
    if attempt.step("write_back") is not None:
        attempt.undone("write_back", said or "the number does not stand")
    attempt.read_invoice()
    if attempt.role == "transferred":
        try:
            attempt.take(
                attempt.delivery.severa.patch(
                    INVOICES, attempt.guid, {STATUS_PATH: attempt.roles.transfer.guid}
                )
            )
        except Refused as error:
            attempt.say(
                "invoice.status_not_written",
                level="warning",
                status=attempt.roles.transfer.name,
                text=error.message,
            )
    return attempt.stop(
        "invoice.booked_not_numbered",
        {"number": document.number, "severa_number": attempt.invoice.number or "–", "text": said or "–"},
    )


def _link(attempt: Attempt, document: ErpDocument, difference: str) -> LinkUpdate:
    return LinkUpdate(
        severa_register=INVOICES,
        severa_id=attempt.guid,
        severa_number=document.number,
        erp_register=DOCUMENTS,
        erp_id=document.id,
        erp_number=document.number,
        state={
            **(attempt.delivery.link.state if attempt.delivery.link is not None else {}),
            "difference": difference,
            "total": f"{document.totals.total:f}",
            "currency": document.currency,
            "customer": document.customer,
        },
    )


def _say(attempt: Attempt, document: ErpDocument, difference: str, *, restored: bool) -> None:
    code = "invoice.transferred"
    if document.type == "CreditNote":
        code = "invoice.credit_note_transferred"
    if restored:
        code = "invoice.restored"
    total = money_text(document.totals.total, document.currency)
    customer = attempt.invoice.customer.name
    attempt.say(code, number=document.number, customer=customer, total=total, difference=difference)
    if document.totals.total - attempt.invoice.total * attempt.invoice.sign != ZERO:
        attempt.say("invoice.difference", level="warning", number=document.number, difference=difference)
