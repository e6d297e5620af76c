"""The ways out before booking: the document that has to go, and the failure that a person has to act on.

Both are values (``phases.Remove``, ``phases.Fail``), made at one place from whatever judging code raised, and carried out by
one move each. What they still have to do stands in their steps, so that a successor goes on with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.errors import ForeignWriter, InDoubt, Refused, Stop, TryLater
from domain.invoice.documents import marker_of, read_document
from domain.invoice.model import REGISTER
from domain.invoice.phases import Fail, Key, Phase, Remove, Rest, Wish, key_of
from domain.invoice.plan import KEEPS_STATUS
from domain.invoice.registers import INVOICES, STATUS_PATH
from domain.invoice.review import CODES as REVIEW
from domain.invoice.work import Work
from domain.model import Step
from domain.moves import wait_until_settled

# Reasons of a removal that the log tells as a withdrawal; what no problem follows is told by its own reason.
_WITHDRAWN = frozenset({"invoice.withdrawn", "invoice.deleted_in_severa"})

# Causes that are no fault of the invoice: its document, held or booked, and its status stay as they are.
STAYS = REVIEW | {
    "invoice.not_allowed",
    "invoice.other_document",
    "invoice.already_booked",
    "invoice.booked_not_numbered",
    "invoice.moved_after_booking",
    "invoice.sent_unnumbered",
    "invoice.sent_unbooked",
    "invoice.document_gone",
    "invoice.in_doubt",
    "invoice.foreign_writer",
    "invoice.not_removed",
    "invoice.comes_back",
    "invoice.chosen_differs",
    "invoice.make_needs_transfer",
    "invoice.deleted_in_severa",
    "invoice.attachment_failed",
}


def as_wish(work: Work, stop: Stop, here: Phase) -> Wish:
    """The failure that a Stop becomes: the only place where an exception turns into a value.

    A document that may not be released any more goes first, and the failure follows from its removal.
    """
    theirs = stop.code in STAYS or isinstance(stop, InDoubt | ForeignWriter)
    if theirs or work.booked is not None:
        return Fail(stop, keeps=True)
    # What is made again was booked once: no status says that it failed.
    then = Fail(stop, keeps=stop.code in KEEPS_STATUS or work.remade)
    key = key_of(work.present)
    if key is not None and here in (Phase.HELD, Phase.RELEASING):
        return Remove(key, stop.code, then)
    return then


# ---------------------------------------------------------------- REMOVING


def outdated(work: Work, key: Key) -> Remove:
    """Why a held document is not of the invoice as it was just read: withdrawn, deleted, or edited while it was being booked.

    One that was sent all the same is in no books, which a person has to know. Raises TryLater while a release may come true.
    """
    if work.role == "transfer" and not work.deleted:
        return Remove(key, "invoice.changed")
    wait_until_settled(work.delivery, work.step("release"), "it is not known yet whether it was released")
    if work.deleted:
        return Remove(key, "invoice.deleted_in_severa")
    return Remove(key, "invoice.withdrawn", Fail(sent_unbooked(work), keeps=True) if work.sent_on else None)


def sent_unbooked(work: Work) -> Stop:
    """Somebody sent the invoice past the ERP while it was being booked."""
    return work.stop("invoice.sent_unbooked", {"status": work.invoice.status_name})


def remove(work: Work) -> Wish | None:
    """Removes the unreleased document of ours and ends the round; its number becomes a gap. What follows is the failure, if
    there is one and the invoice is still as it was judged."""
    wish = _removal(work)
    if not isinstance(wish, Remove):
        return wish
    key, turn = wish.key, work.round
    if _is_gone(work, key):
        # The removal was committed, its step was not.
        work.done("remove", {}, round=turn - 1)
        return wish.then
    _refuse_foreign(work, key)
    then = wish.then
    request = {
        "type": key[0],
        "number": key[1],
        "reason": wish.reason,
        "then": _stored(then) if then is not None else {},
        "updated": work.invoice.updated,
    }
    if not _delete(work, key, request):
        # Somebody released it: it is followed as any other.
        return None
    work.delivery.drop_document(*key, wish.reason)
    work.done("remove", {}, round=turn)
    for name in ("hold_off", "release"):
        # Whatever became of them, they can have no effect any more.
        if work.delivery.step(name, round=turn) is not None:
            work.undone(name, "the document was removed", round=turn)
    _tell(work, wish)
    work.trail.seen.pop(("visma_net", "customerdocument", f"{key[0]}/{key[1]}"), None)
    work.forget_document()
    return then


def _tell(work: Work, wish: Remove) -> None:
    """Says which document went and why, unless the problem that follows does (R-LOG-1)."""
    if wish.reason in _WITHDRAWN:
        status = "" if work.deleted else work.invoice.status_name
        work.trail.say("invoice.withdrawn", number=wish.key[1], status=status)
    elif wish.then is None:
        work.trail.say(wish.reason, number=wish.key[1])


def _removal(work: Work) -> Wish | None:
    """The removal that was begun, else the one that is wished for: with another reason when the invoice was changed since it
    was judged, because the failure may be gone (R-INV-12)."""
    begun = work.facts().removal
    if begun is not None and (key := key_of(begun.request)) is not None:
        return Remove(key, str(begun.request["reason"]), _restored(work, begun.request.get("then")))
    wish = work.wish
    if isinstance(wish, Remove) and work.deleted:
        return Remove(wish.key, "invoice.deleted_in_severa")
    if isinstance(wish, Remove) and wish.then is not None and not wish.then.keeps and not work.read:
        judged = work.invoice
        work.read_invoice()
        if work.changed(judged):
            return outdated(work, wish.key)
    return wish


def _is_gone(work: Work, key: Key) -> bool:
    return any((one.type, one.number) == key and one.state == "removed" for one in work.delivery.documents)


def _refuse_foreign(work: Work, key: Key) -> None:
    """A document that a person chose, without our marker, is never removed: whoever chose it decides (rule 7)."""
    row = work.present
    if row is None or row.nonce or key_of(row) != key:
        return
    answer = read_document(work.delivery, *key)
    if answer is None:
        return
    marker = marker_of(answer[0].note)
    if marker is None or marker.guid != work.guid:
        then = work.wish.then if isinstance(work.wish, Remove) else None
        reasons = then.stop.values.get("reasons", []) if then is not None else []
        raise work.stop("invoice.chosen_differs", {"number": key[1], "reasons": reasons})


def _delete(work: Work, key: Key, request: Mapping[str, Any]) -> bool:
    """One DELETE; False when the document was released by somebody. Raises Stop ``invoice.not_removed``, TryLater while it is
    denied: the removal stays begun then, with what follows it, and is made again."""
    try:
        removed = work.effect(
            "remove",
            dict(request),
            lambda permission: work.delivery.erp.delete(
                REGISTER[key[0]], key[1], not_after=permission.not_after
            ),
        )
    except Refused as error:
        answer = read_document(work.delivery, *key)
        if answer is None:
            return True
        if answer[0].released:
            return False
        raise work.stop("invoice.not_removed", {"number": key[1], "text": error.message}) from error
    return removed or _denied(work, key)


def _denied(work: Work, key: Key) -> bool:
    """The ERP said that there is no document to delete, as gateways do of one that is there, and whose release may still come
    true: whether a read says so too. False when it was released."""
    answer = read_document(work.delivery, *key)
    if answer is None:
        return True
    if not answer[0].released:
        raise TryLater("the ERP denied a document that is there", costs_attempt=True)
    work.undone("remove", "it was released")
    return False


# ---------------------------------------------------------------- FAILING


def fail(work: Work) -> Wish | Rest | None:
    """Moves *transfer* → *failed* and ends with the problem; any other present status is left (a person was faster).

    Nothing, when the invoice was changed since it was judged: it is planned again.
    """
    failure, turn, step = _failure(work)
    if failure is None:
        return None
    if failure.keeps or work.deleted:
        if work.delivery.step("remove", round=turn) is not None or step is not None:
            work.done("failed", {"written": False}, round=turn)
        return Rest() if work.deleted and not failure.keeps else Rest(failure.stop)
    if _judged_again(work, turn, step):
        return None
    written = _set_failed(work, failure, turn) if work.role == "transfer" else False
    work.done("failed", {"written": written}, round=turn)
    return Rest(failure.stop)


def _failure(work: Work) -> tuple[Fail | None, int, Step | None]:
    """What is to fail, the round whose failure it is, and its step if one was begun."""
    facts, turn = work.facts(), work.round
    owed = facts.before.get("remove")
    if owed is not None and owed.request.get("then") and facts.failure_owed is not None:
        turn -= 1
    elif isinstance(work.wish, Fail):
        return work.wish, turn, facts.steps.get("failed")
    elif facts.failure_owed is not None:
        turn = facts.failure_owed.round
    step = work.delivery.step("failed", round=turn)
    told = owed.request.get("then") if owed is not None else None
    if not told and step is not None:
        told = step.request.get("then")
    wished = work.wish if isinstance(work.wish, Fail) else None
    return wished or _restored(work, told), turn, step


def _judged_again(work: Work, round: int, step: Step | None) -> bool:
    """Whether the invoice is no longer the one that was judged. An unanswered *failed* is waited for first (S6, S22)."""
    wait_until_settled(work.delivery, step, "it is not known yet whether the failed status was set")
    unanswered = step is not None and not step.done
    planned = work.planned.invoice if work.planned is not None else work.invoice
    if work.read and not unanswered:
        return False
    work.read_invoice()
    if unanswered and step is not None:
        moved_on = work.role == "transfer" and work.invoice.updated != step.request.get("updated")
        if moved_on:
            # It was set to failed, and a person has set it back since.
            work.done("failed", {"written": True}, round=round)
        return moved_on
    owed = work.delivery.step("remove", round=round)
    if owed is not None:
        return False
    return work.role == "transfer" and work.changed(planned)


def _set_failed(work: Work, failure: Fail, round: int) -> bool:
    request = {"then": _stored(failure), "updated": work.invoice.updated}
    changes = {STATUS_PATH: work.roles.failed.guid}
    try:
        work.take(
            work.effect(
                "failed",
                request,
                lambda permission: work.delivery.severa.patch(
                    INVOICES, work.guid, changes, not_after=permission.not_after
                ),
                round=round,
            )
        )
    except Refused as error:
        work.trail.say(
            "invoice.status_not_written",
            level="warning",
            status=work.roles.failed.name,
            text=error.message,
        )
        return False
    return True


def _stored(failure: Fail) -> dict[str, Any]:
    """A failure as a step can keep it."""
    values = {
        name: value if isinstance(value, str | int | list | dict) else str(value)
        for name, value in failure.stop.values.items()
    }
    return {"code": failure.stop.code, "values": values, "keeps": failure.keeps}


def _restored(work: Work, told: Any) -> Fail | None:
    if not told:
        return None
    return Fail(work.stop(str(told["code"]), told.get("values") or {}), bool(told.get("keeps")))
