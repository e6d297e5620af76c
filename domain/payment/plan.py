"""What a document's balance means for the invoice's status in Severa. Pure; the table of R-PAY-1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from domain.errors import Stop
from domain.invoice.model import ErpDocument, SeveraInvoice
from domain.mapper import day, decimal, read, text
from domain.money import ZERO
from domain.payment.fields import WRITE_OFFS
from domain.ports import Json
from domain.setup.statuses import Role, Roles

Money = Literal["unpaid", "partly", "paid", "other"]

# Statuses of payments that count: released, whether used up or not.
_RELEASED_PAYMENTS = frozenset({"Open", "Closed"})


@dataclass(frozen=True, slots=True)
class Target:
    """Where the invoice has to go. ``role`` None: nowhere, its status stays. ``clear``: the payment date goes."""

    role: Role | None
    date: date | None = None
    clear: bool = False
    waits: bool = False


STAY = Target(None)


def money_of(document: ErpDocument) -> Money:
    """How far a document is paid, by status and balance in document currency.

    Raises Stop for a document that was cancelled or reserved. A document that is not released yet is 'other'.
    """
    if document.status in {"Voided", "Reserved"}:
        code = "payment.document_voided" if document.status == "Voided" else "payment.document_reserved"
        raise Stop(code, {"number": document.number, "status": document.status})
    if document.status == "Closed":
        return "paid"
    if document.status != "Open":
        return "other"
    amount = document.totals.amount or ZERO
    if document.balance >= amount:
        return "unpaid"
    return "partly" if document.balance > 0 else "paid"


def target(roles: Roles, invoice: SeveraInvoice, money: Money, paid_on: date | None = None) -> Target:
    """The move that a payment asks for (R-PAY-1, R-PAY-2), judged by the role of the present status.

    Only between *sent*, *partly paid* and *paid*. While the invoice is *transferred* a payment waits until it is sent.
    """
    present = roles.standing(invoice.status)
    if money == "other" or present is None or present in {"failed", "transfer"}:
        return STAY
    if present == "transferred":
        return STAY if money == "unpaid" else Target(None, waits=True)
    if money == "paid":
        if present == "paid" and invoice.payment_date is not None:
            return STAY
        return Target("paid", date=paid_on)
    if money == "partly" and roles.partly_paid is not None:
        return (
            STAY
            if present == "partly_paid" and not invoice.payment_date
            else Target("partly_paid", clear=True)
        )
    # Nothing paid any more, or a part of it where the set-up has no status for that.
    return Target("sent", clear=True) if present in {"partly_paid", "paid"} else STAY


def changes(roles: Roles, invoice: SeveraInvoice, wanted: Target) -> Mapping[str, object]:
    """The PATCH that brings the invoice to its target, in order; empty when it is there."""
    found: dict[str, object] = {}
    status = roles.of(wanted.role) if wanted.role is not None else None
    if wanted.clear and invoice.payment_date is not None:
        found["paymentDate"] = None
    if wanted.date is not None and invoice.payment_date != wanted.date:
        found["paymentDate"] = wanted.date.isoformat()
    if status is not None and invoice.status != status.guid and roles.standing(invoice.status) != wanted.role:
        found["status"] = status.guid
    return found


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a closed document was closed: ``day`` of the last application (None: it does not say), and what of it was
    written off."""

    day: date | None
    written_off: Decimal


def settlement(document: ErpDocument, payments: Iterable[Json] = ()) -> Settlement:
    """From the document's own applications, and from ``payments`` (rows of customerPayment) where it shows none.

    Only released, unvoided applications count; a void that lists + − + of one payment is summed.
    """
    counting = [one for one in document.applications if one.counts]
    written_off = sum((abs(one.amount) for one in counting if _is_write_off(one.doc_type)), ZERO)
    days = [one.date for one in counting if one.date is not None]
    for payment in payments:
        lines = [
            line for line in read(payment, "paymentLines") or [] if text(line, "refNbr") == document.number
        ]
        if not lines or text(payment, "status") not in _RELEASED_PAYMENTS:
            continue
        paid_on = day(read(payment, "applicationDate"))
        paid = sum((decimal(read(line, "amountPaid")) or ZERO for line in lines), ZERO)
        off = sum((decimal(read(line, "balanceWriteOff")) or ZERO for line in lines), ZERO)
        written_off += abs(off)
        if paid_on is not None and (paid or off):
            days.append(paid_on)
    if document.totals.amount == 0 and not days and document.date is not None:
        days.append(document.date)
    return Settlement(max(days, default=None), written_off)


def _is_write_off(doc_type: str) -> bool:
    return doc_type.replace(" ", "").upper() in WRITE_OFFS


def rounding_balance(document: ErpDocument, difference: Decimal) -> bool:
    """An open rest no larger than the difference noted at the transfer (R-PAY-3)."""
    return document.status == "Open" and ZERO < document.balance <= abs(difference)
