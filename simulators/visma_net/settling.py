"""Release, settlement and removal in the customer ledger: the states of a document (docs/vendors/visma-net-erp.md E56)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from simulators.visma_net.answers import Answer, action_result, rule_broken
from simulators.visma_net.documents import ZERO, Application, Document, Payment
from simulators.visma_net.entering import check_customer, check_period, check_project, registers
from simulators.visma_net.state import Company
from simulators.visma_net.totals import with_check_digit


def marker(note: str) -> str:
    """The first word of a note, where a connector may keep whose document it is; what follows in the line may tell one try
    from another."""
    return (note.split("\n", 1)[0].split() or [""])[0]


def remove(company: Company, document: Document) -> None:
    """Delete an unreleased document; its number is not given again."""
    if document.released:
        raise rule_broken("The document can't be deleted because it is already released.")
    del registers(company, document.kind)[document.number]
    company.release_queue = [entry for entry in company.release_queue if entry[1] is not document]
    company.removed.append(
        {
            "type": document.kind,
            "number": document.number,
            "note": document.note,
            "customer": document.customer.key,
            "at": company.shown(company.stamp()),
        }
    )


def release(company: Company, document: Document) -> Answer:
    """Release now, later or not at all, as the switches say. Refused: released, held and parked documents."""
    if document.released:
        raise rule_broken("The document can't be released because it is already released.")
    if document.hold:
        raise rule_broken("The document is on hold and can't be released.")
    if document.status != "Balanced":
        raise rule_broken(f"The document has the status {document.status} and can't be released.")
    if any(entry[1] is document for entry in company.release_queue):
        return action_result("InProcess")
    check_customer(document.customer)
    check_period(company, document.period)
    check_project(company, document)
    if document.total < 0:
        raise rule_broken("Document balance will become negative. The document will not be released.")
    switches = company.switches
    if switches.release == "failed":
        return action_result("Failed", switches.release_error)
    if switches.release.startswith("queued"):
        seconds = switches.release_queue_seconds
        due = None if seconds is None else company.clock() + timedelta(seconds=seconds)
        company.release_queue.append((due, document, switches.release == "queued-then-failed"))
        return action_result("Queued")
    finish_release(company, document)
    return action_result("Done")


def work_off_queue(company: Company, *, everything: bool = False) -> int:
    """Finish the queued releases that are due (or all) and say how many."""
    if not company.release_queue:
        return 0
    now = company.clock()
    waiting, done = [], 0
    for due, document, fails in company.release_queue:
        if not everything and (due is None or due > now):
            waiting.append((due, document, fails))
            continue
        done += 1
        if fails:
            document.error_info = company.switches.release_error
            company.touch(document)
        else:
            finish_release(company, document)
    company.release_queue = waiting
    return done


def finish_release(company: Company, document: Document) -> None:
    """The document is in the books: open, numbered for payment, and applied to what it was entered for."""
    document.balance = document.total
    document.status = "Open"
    if not document.payment_reference and document.kind == "Invoice":
        style = company.switches.payment_reference
        if style == "ocr":
            document.payment_reference = with_check_digit(document.number)
        elif style == "number":
            document.payment_reference = document.number
    mark = marker(document.note)
    company.releases[mark] = company.releases.get(mark, 0) + 1
    for _kind, number, amount in document.to_apply:
        target = company.invoices[number]
        # The invoice may have been paid since the credit note was entered.
        part = min(amount, target.balance, document.balance)
        if part <= 0:
            continue
        credit = Application("CRM", document.number, part, document.date, document.customer.key)
        settle(company, target, credit)
        document.applications.append(Application("INV", number, part, document.date, document.customer.key))
        document.balance -= part
    document.to_apply = []
    _close_or_open(company, document)
    if document.send_to_auto_invoice or not (document.dont_print and document.dont_email):
        company.sent_by_erp.append(
            {
                "type": document.kind,
                "number": document.number,
                "autoInvoice": document.send_to_auto_invoice,
                "print": not document.dont_print,
                "email": not document.dont_email,
            }
        )
    company.touch(document)


def _close_or_open(company: Company, document: Document) -> None:
    if document.balance == 0:
        document.status = "Closed"
        document.closed_period = company.period_of(company.today())
    else:
        document.status = "Open"
        document.closed_period = ""


def settle(company: Company, document: Document, application: Application) -> None:
    """Put an application on a released document: its balance falls, at 0 it is closed."""
    document.applications.append(application)
    document.balance -= application.amount
    _close_or_open(company, document)
    company.touch(document)


def target_of(company: Company, kind: str, number: str) -> Document | None:
    """The document that a payment or credit note is applied to."""
    if kind in ("Invoice", "DebitNote", "FinCharge"):
        return company.invoices.get(number)
    return company.credit_notes.get(number) if kind == "CreditNote" else None


def check_payment(company: Company, payment: Payment) -> None:
    """Every line points at an open document of this customer and takes no more than its balance."""
    for line in payment.lines:
        target = target_of(company, line.document_type, line.number)
        if target is None or target.customer is not payment.customer:
            raise rule_broken(f"The document '{line.number}' cannot be found for this customer.")
        if target.status != "Open":
            raise rule_broken(f"The document '{line.number}' is not open.")
        if line.amount + line.write_off > target.balance:
            raise rule_broken(f"The amount applied to '{line.number}' exceeds its balance.")
        if target.currency != payment.currency:
            raise rule_broken(f"The document '{line.number}' has another currency.")
    if payment.kind != "Refund" and payment.applied > payment.amount:
        raise rule_broken("The applied amount exceeds the payment amount.")


def release_payment(company: Company, payment: Payment) -> None:
    """Releases a payment and settles what its lines name."""
    if payment.released:
        raise rule_broken("Payment can't be updated because it is already released.")
    if payment.hold:
        raise rule_broken("Payment is on hold and can't be released.")
    check_payment(company, payment)
    codes = {"Payment": "PMT", "Prepayment": "PPM", "Refund": "REF"}
    for line in payment.lines:
        target = target_of(company, line.document_type, line.number)
        if target is None:
            continue
        customer = payment.customer.key
        if line.amount:
            code = codes.get(payment.kind, "PMT")
            paid = Application(code, payment.number, line.amount, payment.date, customer, payment.payment_ref)
            settle(company, target, paid)
        if line.write_off:
            off = Application("SMB", payment.number, line.write_off, payment.date, customer)
            settle(company, target, off)
    signed = -payment.applied if payment.kind == "Refund" else payment.applied
    payment.status = "Closed" if abs(signed) == payment.amount else "Open"
    company.touch(payment)


def void_payment(company: Company, payment: Payment) -> dict[str, Any]:
    """Void a released payment: its applications are marked voided, the documents open again."""
    if not payment.released or payment.status == "Voided":
        raise rule_broken("Only a released payment can be voided.")
    today = company.today()
    for line in payment.lines:
        target = target_of(company, line.document_type, line.number)
        if target is None:
            continue
        restored: Decimal = ZERO
        for application in target.applications:
            if application.number == payment.number and not application.voided:
                application.voided = True
                restored += application.amount
        target.balance += restored
        target.applications.append(
            Application("RPM", payment.number, -restored, today, payment.customer.key, voided=True)
        )
        _close_or_open(company, target)
        company.touch(target)
    payment.status = "Voided"
    company.touch(payment)
    return {"type": "VoidPayment", "refNbr": payment.number}
