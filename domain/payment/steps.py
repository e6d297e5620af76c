"""The moves of a payment: the document is read, the invoice is read, one PATCH moves its status (R-PAY-1 to R-PAY-3).

Nothing here is unrepeatable: the status is read before it is moved, and a move that happened is seen as such.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from domain.errors import NotFound, Refused, Stop, TryLater
from domain.invoice.documents import read_document
from domain.invoice.fields import DOCUMENTS, INVOICES
from domain.invoice.model import DocumentType, ErpDocument, SeveraInvoice, document_type
from domain.invoice.steps import roles_of
from domain.invoice.totals import money_text
from domain.mapper import patch
from domain.moves import guarded, wait_until_settled
from domain.payment.fields import PAYMENTS
from domain.payment.plan import (
    STAY,
    Settlement,
    Target,
    changes,
    money_of,
    rounding_balance,
    settlement,
    target,
)
from domain.ports import Delivery, Effects, Json, Link, LinkUpdate, LogLine, Seen, Settled
from domain.setup.statuses import Roles

# What the link remembers of a payment, so that a thing is said once.
WAITS = "payment_waits"
PART = "payment_part"
# The step of a status move.
STATUS_STEP = "payment status"


@dataclass(slots=True)
class _Left:
    """What is left behind."""

    seen: list[Seen] = field(default_factory=list)
    log: list[LogLine] = field(default_factory=list)
    link: LinkUpdate | None = None

    def say(self, code: str, **values: Any) -> None:
        self.log.append(LogLine(code, values))

    def effects(self) -> Effects:
        return Effects(self.link, tuple(self.seen), (), (), tuple(self.log))


def settle(delivery: Delivery) -> Settled:
    """Brings the invoice's status in Severa to what the ERP document's balance says. The subject is the invoice's link.

    Quiet (no call, no log) when both records as last seen agree already. Raises Stop for documents that are gone,
    cancelled or written off, TryLater.
    """
    link = _link(delivery)
    if link is None or not link.erp_number:
        return Settled()
    roles = roles_of(delivery)
    left = _Left()
    try:
        _settle(delivery, link, roles, left)
    except Stop as stop:
        stop.effects = stop.effects or left.effects()
        stop.values.setdefault("number", link.erp_number)
        raise
    return Settled(left.effects())


def _link(delivery: Delivery) -> Link | None:
    """The invoice's link, by either side."""
    severa, erp = delivery.severa_record, delivery.erp_record
    return (
        delivery.link
        or (delivery.books.link("invoice", severa_id=severa.id) if severa is not None else None)
        or (delivery.books.link("invoice", erp_id=erp.id) if erp is not None else None)
    )


def _settle(delivery: Delivery, link: Link, roles: Roles, left: _Left) -> None:
    _settle_status(delivery)
    invoice_record = delivery.books.record("severa", INVOICES, link.severa_id) or delivery.severa_record
    document_record = delivery.books.record("visma_net", DOCUMENTS, link.erp_id) or delivery.erp_record
    if invoice_record is not None and document_record is not None:
        forecast = _forecast(
            roles, SeveraInvoice.of(invoice_record.body), ErpDocument.of(document_record.body)
        )
        if forecast == STAY and not link.state.get(WAITS):
            _tell_part(roles, link, left, SeveraInvoice.of(invoice_record.body), document_record.body)
            return
        if forecast.waits and link.state.get(WAITS):
            return
    document = _document(delivery, link)
    left.seen.append(Seen("visma_net", DOCUMENTS, document.body))
    money = money_of(document)
    invoice = _invoice(delivery, link, left)
    closed = _settlement(delivery, document) if money == "paid" else Settlement(None, Decimal(0))
    if closed.written_off > delivery.tenant.settings.small_balance_limit:
        raise Stop("payment.written_off", {"amount": _money(document, closed.written_off)})
    wanted = target(roles, invoice, money, closed.day)
    _remember_waiting(link, left, waits=wanted.waits)
    if wanted.waits:
        if not link.state.get(WAITS):
            left.say("payment.waits_until_sent", number=document.number, status=invoice.status_name)
        return
    move = changes(roles, invoice, wanted)
    if not move:
        return
    _write(delivery, link, roles, left, wanted, move)
    _say(left, document, link, wanted, closed)


def _tell_part(roles: Roles, link: Link, left: _Left, invoice: SeveraInvoice, body: Json) -> None:
    """Where no status stands for a partial payment it shows in the bridge only, once for each balance (R-STA-1)."""
    document = ErpDocument.of(body)
    balance = f"{document.balance:f}"
    if roles.partly_paid is not None or roles.standing(invoice.status) != "sent":
        return
    if money_of(document) != "partly" or link.state.get(PART) == balance:
        return
    left.link = _with_state(link, {PART: balance})
    left.say(
        "payment.part_shown_here",
        number=document.number,
        amount=_money(document, document.totals.total),
        balance=_money(document, document.balance),
    )


def _with_state(link: Link, changes: dict[str, Any]) -> LinkUpdate:
    return LinkUpdate(
        severa_register=link.severa_register,
        severa_id=link.severa_id,
        severa_number=link.severa_number,
        erp_register=link.erp_register,
        erp_id=link.erp_id,
        erp_number=link.erp_number,
        state={**link.state, **changes},
    )


def _forecast(roles: Roles, invoice: SeveraInvoice, document: ErpDocument) -> Target:
    """What the last seen records ask for; a cancelled document is looked at for certain."""
    try:
        return target(roles, invoice, money_of(document))
    except Stop:
        return Target("sent")


def _document(delivery: Delivery, link: Link) -> ErpDocument:
    kind: DocumentType = document_type(link.erp_id.split("/", 1)[0]) or "Invoice"
    answer = read_document(delivery, kind, link.erp_number)
    if answer is None:
        raise Stop("payment.document_gone", {"number": link.erp_number})
    return answer[0]


def _invoice(delivery: Delivery, link: Link, left: _Left) -> SeveraInvoice:
    try:
        body = delivery.severa.get(INVOICES, link.severa_id)
    except NotFound as error:
        raise Stop("payment.invoice_gone", {"number": link.erp_number}) from error
    left.seen.append(Seen("severa", INVOICES, body))
    return SeveraInvoice.of(body)


def _settlement(delivery: Delivery, document: ErpDocument) -> Settlement:
    """How a closed document was closed; the payments are read only when it does not say so itself."""
    own = settlement(document)
    if own.day is not None:
        # A write-off inside a payment shows on the payment's lines only: what the applications do not explain.
        if _explained(document):
            return own
        found = settlement(document, delivery.erp.list(PAYMENTS, invoiceRefNbr=document.number))
        return Settlement(own.day, found.written_off)
    return settlement(document, delivery.erp.list(PAYMENTS, invoiceRefNbr=document.number))


def _explained(document: ErpDocument) -> bool:
    """Whether the applications make up the whole amount, in either of the currencies they may be told in."""
    applied = sum(
        (abs(one.amount) + abs(one.discount) for one in document.applications if one.counts), Decimal(0)
    )
    amounts = [total.amount for total in (document.totals, document.company) if total.amount]
    return not amounts or any(abs(applied) >= amount for amount in amounts)


def _settle_status(delivery: Delivery) -> None:
    """A status PATCH that nobody answered is waited for before the invoice is read (never-twice.md rule 5): a late one must
    not move a status back that a later delivery, or a person, moved on."""
    step = delivery.step(STATUS_STEP)
    if step is None or step.done or step.sent_at is None:
        return
    wait_until_settled(delivery, step, "it is not known yet whether the status was moved")
    delivery.undone(STATUS_STEP, "settled: judged by what stands")


def _remember_waiting(link: Link, left: _Left, *, waits: bool) -> None:
    if bool(link.state.get(WAITS)) == waits:
        return
    left.link = _with_state(link, {WAITS: waits})


def _write(delivery: Delivery, link: Link, roles: Roles, left: _Left, wanted: Target, move: Any) -> None:
    """One PATCH; its answer must show the move, else the invoice is read."""
    members = {("status.guid" if name == "status" else name): value for name, value in move.items()}
    changes_made = patch(members)
    try:
        answer: Json = guarded(
            delivery,
            STATUS_STEP,
            {name: str(value) for name, value in changes_made.items()},
            lambda permission: delivery.severa.patch(
                INVOICES, link.severa_id, changes_made, not_after=permission.not_after
            ),
            repeatable=True,
        )
        delivery.done(STATUS_STEP, {})
    except Refused as error:
        raise Stop("payment.refused", {"number": link.erp_number, "text": error.message}) from error
    left.seen = [one for one in left.seen if one.system != "severa"]
    now = SeveraInvoice.of(answer)
    if not now.status:
        now = _invoice(delivery, link, left)
    else:
        left.seen.append(Seen("severa", INVOICES, answer))
    if changes(roles, now, wanted):
        raise TryLater("Severa does not show the new status yet")


def _say(left: _Left, document: ErpDocument, link: Link, wanted: Target, closed: Settlement) -> None:
    values = {
        "number": document.number,
        "amount": _money(document, document.totals.total),
        "balance": _money(document, document.balance),
        "date": wanted.date.isoformat() if wanted.date else "–",
    }
    if wanted.role == "paid":
        left.say("payment.paid", **values)
        if closed.written_off:
            left.say(
                "payment.small_write_off",
                number=document.number,
                written_off=_money(document, closed.written_off),
            )
    elif wanted.role == "partly_paid":
        left.say("payment.partly_paid", **values)
    else:
        left.say("payment.reversed", **values)
    if rounding_balance(document, Decimal(str(link.state.get("difference", "0")))):
        left.log.append(LogLine("payment.rounding_balance", values, "warning"))


def _money(document: ErpDocument, amount: Decimal) -> str:
    return money_text(amount, document.currency)
