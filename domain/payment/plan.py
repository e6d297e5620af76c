"""What a document's balance means for the invoice's status in Severa. Pure; the table of R-PAY-1."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from domain.errors import Stop
from domain.invoice.amounts import money
from domain.invoice.model import Application, ErpDocument, SeveraInvoice, document_type
from domain.mapper import day, read, text
from domain.model import Json
from domain.money import ZERO
from domain.payment.registers import VOIDS, WRITE_OFFS, type_key
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
        # Status and date are one agreement: paid on the 20th, voided and paid again on the 27th is another date.
        dated = invoice.payment_date is not None and paid_on in {None, invoice.payment_date}
        return STAY if present == "paid" and dated else Target("paid", date=paid_on)
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
    """How a closed document was closed: ``day`` of the last application (None: it does not say), what of it was written
    off, and what all applications that stand make up."""

    day: date | None
    written_off: Decimal
    applied: Decimal = ZERO


def settlement(document: ErpDocument, payments: Iterable[Json] = ()) -> Settlement:
    """From the document's own applications, and from ``payments`` (rows of customerPayment) where it shows none.

    Only what stands counts and gives its date: released, not voided, and not taken back by its own negative.
    """
    standing = list(_standing(document.applications))
    written_off = sum((abs(one.amount) for one in standing if type_key(one.doc_type) in WRITE_OFFS), ZERO)
    applied = sum((abs(one.amount) + abs(one.discount) for one in standing), ZERO)
    days = [one.date for one in standing if one.date is not None]
    for payment in _unvoided(payments):
        lines = [line for line in read(payment, "paymentLines") or [] if _is_about(line, document)]
        paid_on = day(read(payment, "applicationDate"))
        paid = sum((money(line, "amountPaid") for line in lines), ZERO)
        off = sum((money(line, "balanceWriteOff") for line in lines), ZERO)
        written_off += abs(off)
        if paid_on is not None and (paid or off):
            days.append(paid_on)
    if document.totals.amount == 0 and not days and document.date is not None:
        days.append(document.date)
    return Settlement(max(days, default=None), written_off, applied)


def _standing(applications: Iterable[Application]) -> Iterator[Application]:
    """The applications that still stand, one for each paying document: its sum, on the day of its last part.

    A payment that was voided is listed with its negative, as a document of another type but the same number; one that
    was only taken off the invoice, and perhaps put on again, with the same type (+ − +).
    """
    counting = [one for one in applications if one.counts]
    gone = _voided((one.doc_type, one.number) for one in counting)
    groups: dict[tuple[str, str], list[Application]] = {}
    for one in counting:
        key = (type_key(one.doc_type), one.number)
        if key not in gone:
            groups.setdefault(key, []).append(one)
    for parts in groups.values():
        amount, discount = (
            sum((one.amount for one in parts), ZERO),
            sum((one.discount for one in parts), ZERO),
        )
        if not amount and not discount:
            continue
        same_way = [one.date for one in parts if one.date is not None and one.amount * amount >= 0]
        yield replace(parts[0], amount=amount, discount=discount, date=max(same_way, default=None))


def _voided(documents: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """The voiding documents among these (type, number) and those that they void, which bear the same number."""
    found: set[tuple[str, str]] = set()
    for doc_type, number in documents:
        key = type_key(doc_type)
        found |= {(one, number) for one in (key, *VOIDS.get(key, ())) if key in VOIDS}
    return found


def _unvoided(payments: Iterable[Json]) -> list[Json]:
    """Released payments without the voiding ones and those that they void."""
    rows = list(payments)
    gone = _voided((text(one, "type"), text(one, "refNbr")) for one in rows)
    return [
        one
        for one in rows
        if text(one, "status") in _RELEASED_PAYMENTS
        and (type_key(text(one, "type") or "Payment"), text(one, "refNbr")) not in gone
    ]


def _is_about(line: Json, document: ErpDocument) -> bool:
    """Whether a payment's line is about this document: numbers are unique per type only."""
    kind = text(line, "documentType")
    return text(line, "refNbr") == document.number and (not kind or document_type(kind) == document.type)


def rounding_balance(document: ErpDocument, difference: Decimal) -> bool:
    """An open rest no larger than the difference noted at the transfer (R-PAY-3)."""
    return document.status == "Open" and ZERO < document.balance <= abs(difference)
