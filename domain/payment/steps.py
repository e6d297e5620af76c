"""The moves of a payment: the document is read, the invoice is read, one PATCH moves its status (R-PAY-1 to R-PAY-3).

Nothing here is unrepeatable: the status is read before it is moved, and a move that happened is seen as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from domain import pingpong
from domain.errors import NotFound, Refused, Stop, TryLater
from domain.invoice.documents import read_document
from domain.invoice.model import DocumentType, ErpDocument, SeveraInvoice, document_type
from domain.invoice.registers import DOCUMENTS, INVOICES
from domain.invoice.steps import roles_of
from domain.mapper import patch
from domain.model import Effects, Json, Link, LogLine, Seen, Settled, Step
from domain.money import currency_of
from domain.moves import guarded, severa_now, wait_until_settled
from domain.payment.plan import (
    STAY,
    Money,
    Settlement,
    Target,
    changes,
    money_of,
    rounding_balance,
    settlement,
    target,
)
from domain.payment.registers import PAYMENTS
from domain.ports import Delivery
from domain.setup.statuses import Roles
from domain.values import money

# What the link remembers of a payment, so that a thing is said once: that it waits, the balance that was told, the problem
# that was told, and the status that was written last with the writes of the last day (see ``domain.pingpong``).
WAITS = "payment_waits"
PART = "payment_part"
TOLD = "payment_problem"
INVOICE_GONE = "payment.invoice_gone"
WROTE = "payment_status"
STATUS = "status"
# The step of a status move.
STATUS_STEP = "payment status"
# What its request says: the status to be written, and which one stood there.
STATUS_PATH = "/status/guid"
BEFORE = "before"


@dataclass(slots=True)
class _Left:
    """What is left behind; ``state`` are the changes of what the link remembers."""

    link: Link
    seen: list[Seen] = field(default_factory=list)
    log: list[LogLine] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)

    def say(self, code: str, **values: Any) -> None:
        self.log.append(LogLine(code, values))

    def remember(self, **changes: Any) -> None:
        """Keeps in the link what is not there yet; None forgets."""
        self.state |= {name: value for name, value in changes.items() if self.link.state.get(name) != value}

    def effects(self) -> Effects:
        link = self.link.with_(state={**self.link.state, **self.state}) if self.state else None
        return Effects(link, tuple(self.seen), (), (), tuple(self.log))


def settle(delivery: Delivery) -> Settled:
    """Brings the invoice's status in Severa to what the ERP document's balance says. The subject is the invoice's link.

    Quiet (no call, no log) when both records as last seen agree already, and when a problem that is open is met again: a
    document and its payments are announced apart, but a problem is told once. Raises Stop for documents that are gone,
    cancelled or written off, TryLater.
    """
    link = _link(delivery)
    if link is None or not link.erp_number:
        return Settled()
    roles = roles_of(delivery)
    left = _Left(link)
    try:
        _settle(delivery, link, roles, left)
    except Stop as stop:
        stop.values.setdefault("number", link.erp_number)
        told = {"code": stop.code, "values": {name: str(value) for name, value in stop.values.items()}}
        open_already = delivery.books.has_problem("payment", severa_id=link.severa_id)
        if open_already and link.state.get(TOLD) == told:
            return Settled(left.effects(), problems_stay=True)
        left.remember(**{TOLD: told})
        stop.effects = stop.effects or left.effects()
        raise
    left.remember(**{TOLD: None})
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
    # The move of an attempt that came to no end: it may have been made, and nobody was told.
    begun = delivery.step(STATUS_STEP)
    _settle_status(delivery)
    known = delivery.books.record("severa", INVOICES, link.severa_id) or delivery.severa_record
    invoice = SeveraInvoice.of(known.body) if known is not None else None
    shown = delivery.books.record("visma_net", DOCUMENTS, link.erp_id) or delivery.erp_record
    lost = known is not None and known.gone
    # What a whole reading did not show any more agrees with nothing: it is asked for, and a person told (R-PAY-1).
    if begun is None and invoice is not None and shown is not None and not (lost or shown.gone):
        listed = ErpDocument.of(shown.body)
        if _rests(roles, link, invoice, listed):
            _tell_part(delivery, roles, link, left, invoice, listed)
            return
    document = _document(delivery, link)
    left.seen.append(Seen("visma_net", DOCUMENTS, document.listed))
    money = money_of(document)
    closed = _settlement(delivery, document) if money == "paid" else Settlement(None, Decimal(0))
    if lost and money == "paid" and _told_of(link) == INVOICE_GONE:
        # Credited, as the problem asked for: nothing is left to be settled.
        return
    if (
        begun is None
        and invoice is not None
        and not lost
        and not link.state.get(WAITS)
        and target(roles, invoice, money, closed.day) == STAY
    ):
        # What seemed to differ was only the date, which no list shows.
        return
    invoice = _invoice(delivery, link, left)
    if _too_much_written_off(delivery, roles, invoice, closed):
        raise Stop("payment.written_off", {"amount": _money(delivery, document, closed.written_off)})
    if begun is not None:
        _remember_move(delivery, left, invoice, begun)
    if not _move(delivery, roles, left, document, invoice, money, closed) and begun is not None:
        _say_late(delivery, roles, left, document, invoice, begun, closed)


def _told_of(link: Link) -> str:
    """The code of the problem that was told last, '' when none stands."""
    told = link.state.get(TOLD)
    return str(told.get("code", "")) if isinstance(told, dict) else ""


def _rests(roles: Roles, link: Link, invoice: SeveraInvoice, document: ErpDocument) -> bool:
    """Whether the records as last seen agree in all that a payment says: status and payment date. The date of a paid one
    is known only where its applications were shown."""
    try:
        money = money_of(document)
    except Stop:
        return False
    paid_on = settlement(document).day if money == "paid" else None
    wanted = target(roles, invoice, money, paid_on)
    if wanted.waits or link.state.get(WAITS):
        return wanted.waits and bool(link.state.get(WAITS))
    dated = money != "paid" or roles.standing(invoice.status) != "paid" or paid_on is not None
    return wanted == STAY and dated


def _too_much_written_off(
    delivery: Delivery, roles: Roles, invoice: SeveraInvoice, closed: Settlement
) -> bool:
    """Whether a person has to decide; one who has set the invoice to *paid* has decided."""
    return (
        closed.written_off > delivery.tenant.settings.small_balance_limit
        and roles.standing(invoice.status) != "paid"
    )


def _move(
    delivery: Delivery,
    roles: Roles,
    left: _Left,
    document: ErpDocument,
    invoice: SeveraInvoice,
    money: Money,
    closed: Settlement,
) -> bool:
    """Moves the invoice, or notes that it waits; whether it was moved."""
    link = left.link
    wanted = target(roles, invoice, money, closed.day)
    if bool(link.state.get(WAITS)) != wanted.waits:
        left.remember(**{WAITS: wanted.waits})
    if wanted.waits:
        if not link.state.get(WAITS):
            left.say("payment.waits_until_sent", number=document.number, status=invoice.status_name)
        return False
    move = changes(roles, invoice, wanted)
    if not move:
        return False
    _guard(delivery, left, invoice, move)
    _write(delivery, link, roles, left, invoice, wanted, move)
    _say(delivery, left, document, wanted, closed, moved="status" in move)
    return True


def _guard(delivery: Delivery, left: _Left, invoice: SeveraInvoice, move: Mapping[str, object]) -> None:
    """Counts the moves of the status in both directions, as fields of registers are counted: a status that somebody else
    always moves back is not moved again the same day. Raises Stop ``payment.moved_back``."""
    if STATUS not in move:
        return
    state = _counted(left, delivery.now(), invoice.status)
    if STATUS in pingpong.halted(state, delivery.now()):
        raise Stop("payment.moved_back", {"status": invoice.status_name})
    _count(left, state, delivery.now(), move[STATUS])


def _counted(left: _Left, now: datetime, status: str) -> Mapping[str, Any]:
    """What is remembered of moves, with the one that somebody has made who moved the invoice back to ``status``."""
    state = {**left.link.state, **left.state}
    moved_back = state.get(WROTE) not in {None, status}
    return pingpong.noted(state, now, to_erp=[STATUS] if moved_back else [])


def _count(left: _Left, state: Mapping[str, Any], now: datetime, status: object) -> None:
    left.remember(writes=pingpong.noted(state, now, to_severa=[STATUS])["writes"], **{WROTE: status})


def _remember_move(delivery: Delivery, left: _Left, invoice: SeveraInvoice, begun: Step) -> None:
    """A move that stands although its end was lost counts as any: else what it left would be taken for somebody's, and whoever
    moves it back for nobody."""
    written = begun.request.get(STATUS_PATH)
    if written and written == invoice.status:
        state = _counted(left, delivery.now(), str(begun.request.get(BEFORE, "")))
        _count(left, state, delivery.now(), written)


def _say_late(
    delivery: Delivery,
    roles: Roles,
    left: _Left,
    document: ErpDocument,
    invoice: SeveraInvoice,
    begun: Step,
    closed: Settlement,
) -> None:
    """A move that stands although its end was lost, or whose answer did not show it, is said once (R-LOG-1)."""
    role = roles.standing(invoice.status)
    written, day = begun.request.get(STATUS_PATH), begun.request.get("/paymentDate")
    if (written or invoice.status) != invoice.status or role not in ("paid", "partly_paid", "sent"):
        return
    if written or (day and invoice.payment_date is not None and day == invoice.payment_date.isoformat()):
        _say(delivery, left, document, Target(role, date=invoice.payment_date), closed, moved=bool(written))


def _tell_part(
    delivery: Delivery,
    roles: Roles,
    link: Link,
    left: _Left,
    invoice: SeveraInvoice,
    document: ErpDocument,
) -> None:
    """Where no status stands for a partial payment it shows in the bridge only, once for each balance (R-STA-1)."""
    balance = f"{document.balance:f}"
    if roles.partly_paid is not None or roles.standing(invoice.status) != "sent":
        return
    if money_of(document) != "partly" or link.state.get(PART) == balance:
        return
    left.remember(**{PART: balance})
    left.say(
        "payment.part_shown_here",
        number=document.number,
        amount=_money(delivery, document, document.totals.total),
        balance=_money(delivery, document, document.balance),
    )


def _document(delivery: Delivery, link: Link) -> ErpDocument:
    kind: DocumentType = document_type(link.erp_id.split("/", 1)[0]) or "Invoice"
    answer = read_document(delivery, kind, link.erp_number)
    if answer is None:
        shown = delivery.books.record("visma_net", DOCUMENTS, link.erp_id)
        if shown is not None and not shown.gone:
            # One 404 proves nothing of a document that the register shows: only a complete reading does.
            raise TryLater("a document that the register shows does not answer")
        raise Stop("payment.document_gone", {"number": link.erp_number})
    return answer[0]


def _invoice(delivery: Delivery, link: Link, left: _Left) -> SeveraInvoice:
    try:
        body = severa_now(delivery, INVOICES, link.severa_id)
    except NotFound as error:
        raise Stop(INVOICE_GONE, {"number": link.erp_number}) from error
    left.seen.append(Seen("severa", INVOICES, body))
    return SeveraInvoice.of(body)


def _settlement(delivery: Delivery, document: ErpDocument) -> Settlement:
    """How a closed document was closed; the payments are read only when it does not say so itself."""
    own = settlement(document)
    if own.day is not None:
        # A write-off inside a payment shows on the payment's lines only: what the applications do not explain.
        if _explained(document, own):
            return own
        found = settlement(document, delivery.erp.list(PAYMENTS, invoiceRefNbr=document.number))
        return Settlement(own.day, found.written_off)
    return settlement(document, delivery.erp.list(PAYMENTS, invoiceRefNbr=document.number))


def _explained(document: ErpDocument, own: Settlement) -> bool:
    """Whether the applications make up the whole amount, in either of the currencies they may be told in."""
    amounts = [total.amount for total in (document.totals, document.company) if total.amount]
    return not amounts or any(own.applied >= amount for amount in amounts)


def _settle_status(delivery: Delivery) -> None:
    """A status PATCH that nobody answered is waited for before the invoice is read (docs/never-twice.md rule 5): a late one must
    not move a status back that a later delivery, or a person, moved on."""
    step = delivery.step(STATUS_STEP)
    if step is None or step.done or step.sent_at is None:
        return
    wait_until_settled(delivery, step, "it is not known yet whether the status was moved")
    delivery.undone(STATUS_STEP, "settled: judged by what stands")


def _write(
    delivery: Delivery,
    link: Link,
    roles: Roles,
    left: _Left,
    invoice: SeveraInvoice,
    wanted: Target,
    move: Any,
) -> None:
    """One PATCH; its answer must show the move, else the invoice is read."""
    members = {("status.guid" if name == "status" else name): value for name, value in move.items()}
    changes_made = patch(members)
    try:
        answer: Json = guarded(
            delivery,
            STATUS_STEP,
            {**{name: str(value) for name, value in changes_made.items()}, BEFORE: invoice.status},
            lambda permission: delivery.severa.patch(
                INVOICES, link.severa_id, changes_made, not_after=permission.not_after
            ),
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


def _say(
    delivery: Delivery, left: _Left, document: ErpDocument, wanted: Target, closed: Settlement, *, moved: bool
) -> None:
    values = {
        "number": document.number,
        "amount": _money(delivery, document, document.totals.total),
        "balance": _money(delivery, document, document.balance),
        "date": wanted.date.isoformat() if wanted.date else "",
    }
    if wanted.role == "paid" and not moved:
        left.say("payment.date_changed", **values)
    elif wanted.role == "paid":
        left.say("payment.paid", **values)
        if closed.written_off:
            off = _money(delivery, document, closed.written_off)
            left.say("payment.small_write_off", number=document.number, written_off=off)
    elif wanted.role == "partly_paid":
        left.say("payment.partly_paid", **values)
    else:
        left.say("payment.reversed", **values)
    if rounding_balance(document, Decimal(str(left.link.state.get("difference", "0")))):
        left.log.append(LogLine("payment.rounding_balance", values, "warning"))


def _money(delivery: Delivery, document: ErpDocument, amount: Decimal) -> Json:
    return money(amount, currency_of(delivery.books, document.currency))
