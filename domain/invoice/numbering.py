"""The ERP's number, payment reference and the status *transferred* to Severa, in one PATCH and in that order (R-INV-6).

A numbered status first could make Severa give a number of its own; *transferred* twice could make AutoInvoice send twice.
So the status is only ever moved from *transfer*, never back from where it went, and a PATCH that nobody answered is waited
for before the status is read (docs/never-twice.md rule 5: S6, S22).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from domain.errors import Refused, Stop
from domain.invoice import files
from domain.invoice.documents import customer_numbers, read_present
from domain.invoice.doubt import decided, in_doubt, lost_candidate
from domain.invoice.model import ErpDocument, SeveraInvoice, document_type
from domain.invoice.phases import key_of
from domain.invoice.plan import same_booking
from domain.invoice.registers import (
    DOCUMENTS,
    INVOICES,
    NUMBER_PATH,
    REFERENCE_PATH,
    ROWS,
    STATUS_PATH,
    projection,
)
from domain.invoice.work import NUMBERED, STATUS_STEPS, TOTAL, Work
from domain.mapper import read, text
from domain.model import Announce, Booked, Json, LinkUpdate
from domain.money import ZERO
from domain.moves import wait_until_settled
from domain.text import one_line
from domain.values import money


def number(work: Work) -> None:
    """Compares what is booked with Severa, whole, and writes number, reference and status where they do not stand.

    Raises Stop ``invoice.document_gone`` (in doubt), ``invoice.already_booked``, ``invoice.booked_not_numbered`` (the status is
    back in *transfer* then, so that nobody sends the invoice), ``invoice.moved_after_booking``, ``invoice.sent_unnumbered``,
    TryLater.
    """
    booked = work.booked
    if booked is None or work.deleted:
        raise work.stop("invoice.deleted_in_severa", {"number": booked.number} if booked else None)
    resumed = _settle_status_steps(work)
    document = _document(work, booked)
    if document is None:
        return
    untold = work.booked_now or resumed or not work.told
    begun = untold or not work.shows(booked)
    if not (begun or work.role == "transfer" or work.sent_on):
        # A person took it out of the process after it was booked: its problem stays theirs.
        work.numbered = True
        return
    difference = document.totals.total - work.invoice.total * work.invoice.sign
    work.trail.link = _link(work, document, difference)
    if not document.number.isdigit():
        work.read_invoice()
        raise _not_numbered(work, document, "")
    if not work.read or (work.role == "transfer" and work.aged):
        _look_again(work)
        difference = document.totals.total - work.invoice.total * work.invoice.sign
    _compare(work, document, difference)
    moved = _moved(work, document)
    wrote = _put_right(work, document)
    work.numbered = True
    work.compared = not (begun or wrote or work.delivery.decision is not None)
    if moved:
        raise work.stop(moved, {"number": document.number, "status": work.invoice.status_name})
    if not work.compared:
        _say(work, document, difference, restored=not untold)
    # Files that are due go in this very delivery if it only compared.
    if not (work.compared and files.due(work.delivery.link)):
        files.plan_for_later(work)


def _look_again(work: Work) -> None:
    """Severa's present state, before a status is written over it: a release may take long. An edit is compared whole."""
    before = _says(work)
    work.read_invoice()
    if _says(work) != before:
        work.proven = False


def _moved(work: Work, document: ErpDocument) -> str:
    """Code of what a person did before the number was written: moved the invoice out of the process, or past it, where it went
    on with another number or none; '' for neither. What AutoInvoice does follows our own write."""
    if work.role == "transfer":
        return ""
    if not work.sent_on:
        return "invoice.moved_after_booking"
    unnumbered = NUMBER_PATH in _missing(work, document) and work.step("write_back") is None
    first = work.booked_now or not work.told
    return "invoice.sent_unnumbered" if first and unnumbered and not work.remade else ""


def _put_right(work: Work, document: ErpDocument) -> bool:
    """Writes what Severa does not show; whether anything was missing. Raises Stop as ``number`` does."""
    if not _missing(work, document):
        return False
    before = _says(work)
    _write(work, document)
    if _says(work) != before:
        _edited(work, document)
    return True


def _settle_status_steps(work: Work) -> bool:
    """Waits for status PATCHes that nobody answered; True if there was one. What they did shows in the status read next."""
    found = [name for name in STATUS_STEPS if work.open_step(name) is not None]
    for name in found:
        wait_until_settled(
            work.delivery, work.open_step(name), "it is not known yet whether the status was moved"
        )
    if found:
        work.read_invoice()
    for name in found:
        # Judged by what stands now: what is missing is written under a permission of its own.
        work.done(name, {"settled": True})
    return bool(found)


def _document(work: Work, booked: Booked) -> ErpDocument | None:
    """The booked document as it is. One that is gone or voided is for a person (rule 8); None: they had it made again."""
    kind = document_type(booked.type)
    document = work.document
    if document is None or key_of({"type": booked.type, "number": booked.number}) != document.key:
        document = read_present(work, (kind, booked.number)) if kind is not None else None
    if document is not None and document.status != "Voided":
        return document
    candidates = [lost_candidate(work, (kind or "Invoice", booked.number))]
    decision = decided(work, candidates)
    if decision is None or decision.kind != "make":
        raise in_doubt(work, candidates, code="invoice.document_gone")
    work.make = True
    return None


# ---------------------------------------------------------------- compared whole


def _compare(work: Work, document: ErpDocument, difference: Decimal) -> None:
    """Raises Stop ``invoice.already_booked`` when the invoice says something else than what is booked (R-INV-12, rule 15):
    changed on one side between proof and release, or since. Nobody may send what is not booked."""
    differs = list(_differences(work, document))
    tolerance = work.delivery.limits.total_tolerance
    if abs(difference) > tolerance and "total" not in differs:
        differs.append("total")
    if differs:
        values = {"number": document.number, "differs": differs}
        raise work.stop("invoice.already_booked", values)


def _differences(work: Work, document: ErpDocument) -> Iterator[str]:
    """Names of what does not agree; nothing where this attempt has proven it just now."""
    if work.proven:
        return
    invoice, tolerance = work.invoice, work.delivery.limits.total_tolerance
    numbers = [one for one in customer_numbers(work) if one]
    customer = document.customer if document.customer in numbers else (numbers or [""])[0]
    if not same_booking(invoice, document, customer, tolerance):
        yield "booking"
    dated = document.type == "Invoice" and document.due_date and invoice.due_date
    if dated and document.due_date != invoice.due_date:
        yield "dueDate"
    for name, path in (("orderNumber", "customerRefNumber"), ("yourReference", "externalReference")):
        ours, theirs = one_line(text(invoice.body, name)), one_line(text(document.body, path))
        # The ERP may have cut it.
        if (
            read(document.body, path) is not None
            and ours != theirs
            and not (theirs and ours.startswith(theirs))
        ):
            yield name
    if document.lines and not _same_lines(work, document):
        yield "lines"


def _same_lines(work: Work, document: ErpDocument) -> bool:
    """Whether each row's net stands on a line. Grouped rows become several lines: there the totals must do."""
    rows = work.delivery.severa.list(ROWS, parent=work.guid)
    invoice = SeveraInvoice.of(work.invoice.body, rows)
    if not invoice.rows or any(len(row.codes) > 1 for row in invoice.rows):
        return True
    ours = sorted(row.net(invoice.currency) * invoice.sign for row in invoice.rows)
    theirs = sorted(line.amount for line in document.lines if line.amount is not None)
    tolerance = work.delivery.limits.total_tolerance
    return len(ours) == len(theirs) and all(
        abs(one - other) <= tolerance for one, other in zip(ours, theirs, strict=True)
    )


# ---------------------------------------------------------------- the PATCH


def _write(work: Work, document: ErpDocument) -> None:
    """One PATCH, and once more what does not stand after it, under a name of its own: one call per permission.

    Raises Stop ``invoice.booked_not_numbered`` when a reading of its own shows that it still does not stand: neither a refusal
    nor what an answer shows is the record.
    """
    changes = _missing(work, document)
    said = ""
    try:
        _patch(work, "write_back", document, changes)
        again = {path: value for path, value in _missing(work, document).items() if path in changes}
        if again:
            _patch(work, "write_back again", document, again)
    except Refused as error:
        said = error.message
    if not said and not any(path in changes for path in _missing(work, document)):
        return
    work.read_invoice()
    if any(path in changes for path in _missing(work, document)):
        raise _not_numbered(work, document, said)


def _patch(work: Work, name: str, document: ErpDocument, changes: dict[str, Any]) -> None:
    """Its answer is the read-back if it shows the three fields, else the invoice is read."""
    answer = work.effect(
        name,
        {"number": document.number, "fields": sorted(changes)},
        lambda permission: work.delivery.severa.patch(
            INVOICES, work.guid, changes, not_after=permission.not_after
        ),
    )
    if _shows(answer):
        work.take(answer)
    else:
        work.read_invoice()
    work.done(name, {"number": document.number})


def _missing(work: Work, document: ErpDocument) -> dict[str, Any]:
    """What has to be written, in the order in which it must be: from *transfer* one PATCH carries all three, also what seems
    to stand there already."""
    wanted: dict[str, Any] = {NUMBER_PATH: int(document.number)}
    if document.payment_reference:
        wanted[REFERENCE_PATH] = document.payment_reference
    if work.role == "transfer":
        return wanted | {STATUS_PATH: work.roles.transferred.guid}
    return {path: wanted[path] for path in _unlike(work, document)}


def _unlike(work: Work, document: ErpDocument) -> list[str]:
    """Paths of what Severa, as last seen, does not show as it is booked."""
    invoice = work.invoice
    numbered = document.number.isdigit() and invoice.number.isdigit()
    differs = {
        NUMBER_PATH: not numbered or int(invoice.number) != int(document.number),
        REFERENCE_PATH: document.payment_reference not in ("", invoice.reference),
        STATUS_PATH: work.role == "transfer",
    }
    return [path for path, unlike in differs.items() if unlike]


def _shows(answer: Json) -> bool:
    return (
        SeveraInvoice.of(answer).guid != ""
        and read(answer, "number") is not None
        and read(answer, "status.guid") is not None
        and "referenceNumber" in answer
    )


def _not_numbered(work: Work, document: ErpDocument, said: str) -> Stop:
    """The document stays; the status goes back to *transfer*, if it is *transferred* now."""
    fields = [path.strip("/").partition("/")[0] for path in _unlike(work, document)]
    _back(work, document)
    return work.stop(
        "invoice.booked_not_numbered",
        {
            "number": document.number,
            "severa_number": work.invoice.number,
            "fields": fields,
            "text": said,
        },
    )


def _back(work: Work, document: ErpDocument) -> None:
    """Takes *transferred* back, if it is that now: nobody may send the invoice."""
    if work.role == "transferred":
        changes = {STATUS_PATH: work.roles.transfer.guid}
        try:
            work.take(
                work.effect(
                    "back",
                    {"number": document.number},
                    lambda permission: work.delivery.severa.patch(
                        INVOICES, work.guid, changes, not_after=permission.not_after
                    ),
                )
            )
            work.done("back", {})
        except Refused as error:
            work.trail.say(
                "invoice.status_not_written",
                level="warning",
                status=work.roles.transfer.name,
                text=error.message,
            )


def _says(work: Work) -> dict[str, str]:
    """What the invoice says, but for what the PATCH writes."""
    kept = projection(work.invoice.body)
    return {name: value for name, value in kept.items() if name not in ("number", "reference", "status")}


def _edited(work: Work, document: ErpDocument) -> None:
    """Between the last look and the PATCH somebody edited the invoice: its answer is compared whole once more.

    Raises Stop ``invoice.already_booked``, with the status back in *transfer*: nobody may send what is not booked.
    """
    work.proven = False
    try:
        _compare(work, document, document.totals.total - work.invoice.total * work.invoice.sign)
    except Stop:
        work.read_invoice()
        _back(work, document)
        raise


# ---------------------------------------------------------------- what is left behind


def _link(work: Work, document: ErpDocument, difference: Decimal) -> LinkUpdate:
    known = work.delivery.link
    made = LinkUpdate(
        severa_register=INVOICES,
        severa_id=work.guid,
        severa_number=document.number,
        erp_register=DOCUMENTS,
        erp_id=document.id,
        erp_number=document.number,
        state=known.state if known is not None else {},
    )
    return work.link_update(
        made,
        difference=f"{difference:f}",
        **{TOTAL: f"{document.totals.total:f}", NUMBERED: document.number},
        currency=document.currency,
        customer=document.customer,
    )


def _say(work: Work, document: ErpDocument, difference: Decimal, *, restored: bool) -> None:
    code = "invoice.transferred"
    if document.type == "CreditNote":
        code = "invoice.credit_note_transferred"
    if restored:
        code = "invoice.restored"
    told = money(difference, document.currency)
    work.trail.say(
        code,
        number=document.number,
        customer=work.invoice.customer.name,
        total=money(document.totals.total, document.currency),
        difference=told,
    )
    if difference != ZERO:
        work.trail.say("invoice.difference", level="warning", number=document.number, difference=told)
    if not document.payment_reference and document.type == "Invoice":
        work.trail.say("invoice.no_payment_reference", level="warning", number=document.number)
    if not restored:
        _tell(work, document)


def _tell(work: Work, document: ErpDocument) -> None:
    """What an attempt, maybe an earlier one, found worth telling of the document, and its payment: what was said of the one
    before it is not true of it, and what was paid before anybody knew whose it is was asked of nobody."""
    if work.remade or document.status != "Open" or document.balance != document.totals.total:
        work.trail.announce.append(Announce("payment", "severa", INVOICES, work.guid))
    created, proof = work.step("create"), work.step("proof")
    said = (created.request | created.result).get("said") if created is not None else None
    for code, values, level in said or []:
        work.trail.say(code, level=level, **(values | {"number": document.number}))
    differences = proof.result.get("warnings") if proof is not None else None
    if differences:
        work.trail.say(
            "invoice.proof_warning", level="warning", number=document.number, differences=differences
        )
