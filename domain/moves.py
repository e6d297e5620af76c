"""Moves that every domain makes in the same way: one guarded call, creating once, reading fresh.

Every effect on a vendor stands in a step (docs/never-twice.md rules 5 and 21): ``begin``, one call that may not leave after what
``begin`` granted, then ``done`` or ``undone``. What is neither is unknown, and settles at the step's ``settles_at``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from domain import values
from domain.errors import (
    Forbidden,
    NotFound,
    NotKnown,
    Refused,
    SignInFailed,
    Stale,
    Stop,
    TryLater,
)
from domain.mapper import moment, read
from domain.merge import Difference, Merge
from domain.model import Json, Permission, Record, Step, System
from domain.ports import Books, Delivery
from domain.trail import Trail

# The name that the register domains know it by.
Aftermath = Trail

Answer = TypeVar("Answer")
Shown = TypeVar("Shown")

# How soon (seconds) what was made and does not show yet is asked for again.
SHOWS_SECONDS = 5.0
# How soon an unfinished first reading of a register is looked at again.
READING_WAIT = 30.0
SYSTEM_NAMES: Mapping[System, str] = {"severa": "Severa", "visma_net": "Visma.net ERP"}
# The zone of ERP times is not documented (docs/vendors/visma-net-erp.md E19): what was created up to this long 'before' the first attempt may be ours.
ERP_TIME_SLACK = timedelta(days=2)
SEVERA_TIME_SLACK = timedelta(minutes=10)


# How soon (seconds) a write is made once more that was answered and is not shown, and the step that remembers it.
NOT_TAKEN_WAIT = 30.0
_NOT_TAKEN = "not taken"
# The step that remembers when a vendor first said that a record is not there.
_MISSING = "missing"


def must_stand(
    delivery: Delivery, after: Aftermath, fields: Iterable[str], *, system: System, name: str, about: str = ""
) -> None:
    """Fields that were written with a yes and that stand as before (``domain.merge.untaken``): the next attempt writes them
    once more; the second time a person is told. ``about`` names the record where a delivery writes several.

    Raises TryLater, Stop ``work.not_taken``.
    """
    named = list(fields)
    told = ", ".join(named)
    if not told:
        return
    step = f"{_NOT_TAKEN} {system} {about}".rstrip()
    known = delivery.step(step)
    if known is None or known.result.get("fields") != told:
        delivery.done(step, {"fields": told})
        raise TryLater(
            f"{SYSTEM_NAMES[system]} does not show what was written: {told}", retry_after=NOT_TAKEN_WAIT
        )
    raise after.stop("work.not_taken", name=name, fields=named, system=system)


@contextmanager
def explained(domain: str, name: str, after: Aftermath) -> Iterator[None]:
    """A vendor's refusal becomes a problem with the vendor's own text; a record changed meanwhile is merged again.

    Raises Stop ``<domain>.refused`` or ``<domain>.not_allowed``, TryLater after Stale; everything else goes on.
    """
    try:
        yield
    except Stale as error:
        raise TryLater("changed by somebody else meanwhile", retry_after=5, costs_attempt=True) from error
    except Forbidden as error:
        raise after.stop(f"{domain}.not_allowed", name=name, **_said(error)) from error
    except Refused as error:
        raise after.stop(f"{domain}.refused", name=name, **_said(error)) from error
    except Stop as error:
        if error.effects is None:
            error.effects = after.effects()
        raise


def _said(error: Refused) -> dict[str, Any]:
    return {
        "text": error.message,
        "system": "visma_net" if error.system == "visma_net" else "severa",
        "operation": error.operation,
        "status": error.status,
    }


def wait_until_read(books: Books, *registers: tuple[System, str]) -> None:
    """Nothing is matched or created before the registers were read to their end once. Raises TryLater."""
    for system, register in registers:
        if not books.complete(system, register):
            raise TryLater(
                f"the register {register} is still being read", retry_after=READING_WAIT, costs_attempt=False
            )


def unsettled(delivery: Delivery, step: Step) -> float:
    """Seconds until an unanswered step must have shown itself, 0 or less when it has had its time.

    A step that nobody told a time for counts as sent just now: waiting costs time, sending again costs a document.
    """
    if step.settles_at is None:
        return delivery.limits.visibility_seconds
    return (step.settles_at - delivery.now()).total_seconds()


def has_settled(delivery: Delivery, name: str) -> bool:
    """Whether an unanswered step of this name must have shown itself by now: only then something that is not just what was sent is
    held against it."""
    step = delivery.step(name)
    return step is not None and step.sent_at is not None and unsettled(delivery, step) <= 0


def wait_until_settled(delivery: Delivery, step: Step | None, message: str) -> None:
    """Raises TryLater while an unanswered step may still come true; nothing is concluded from a read before that."""
    if step is None or step.done or step.sent_at is None:
        return
    left = unsettled(delivery, step)
    if left > 0:
        raise TryLater(message, retry_after=left, costs_attempt=False)


def guarded(
    delivery: Delivery,
    step: str,
    request: Json,
    call: Callable[[Permission], Answer],
    *,
    round: int = 1,
    document: str = "",
) -> Answer:
    """One effect: begin, one call, and *undone* when it surely had none. The caller says ``done`` with what it brought.

    A call with a permission raises OutcomeUnknown when something may have happened, whatever its verb, and only then
    (``domain.ports.SeveraApi``); that, and an answer that nobody understands, leaves the step open: whoever comes next looks
    before sending again.
    """
    permission = delivery.begin(
        step, request, limit_seconds=delivery.limits.create_seconds, round=round, document=document
    )
    try:
        return call(permission)
    except NotKnown:
        raise
    except (Refused, TryLater, SignInFailed) as error:
        delivery.undone(step, str(error) or type(error).__name__, round=round)
        raise


def create_once(
    delivery: Delivery,
    step: str,
    request: Json,
    send: Callable[[Permission], Json],
    look_up: Callable[[Json], Json | None],
) -> Json:
    """Makes a call that must not be repeated, at most once as far as anybody can tell; returns the step's result.

    A step that is done is not repeated. One that was sent without an answer is looked up (``look_up`` gets the request
    as it was sent and returns the result, or None): found → taken as done; not found → TryLater until no server could
    still be working on it and every reader would see it (``Step.settles_at``), then sent again under a new permission.
    """
    known = delivery.step(step)
    if known is not None and known.done:
        return known.result
    if known is not None and known.sent_at is not None:
        found = look_up(known.request)
        if found is not None:
            delivery.done(step, found)
            return found
        wait_until_settled(delivery, known, "the outcome is not known yet")
        delivery.undone(step, "looked up after every limit: it was not done")
    result = guarded(delivery, step, request, send)
    delivery.done(step, result)
    return result


def shown(delivery: Delivery, step: str, read: Callable[[], Shown]) -> Shown:
    """What a create has made, as ``read`` gives it. That it is not there counts once every reader would see it: raises
    TryLater until then, afterwards NotFound. A step is not made twice for it."""
    try:
        return read()
    except NotFound as error:
        made = delivery.step(step)
        if made is None or made.sent_at is None:
            raise
        left = delivery.limits.visibility_seconds - (delivery.now() - made.sent_at).total_seconds()
        if left <= 0:
            raise
        message = "what was made does not show yet"
        raise TryLater(message, retry_after=min(left, SHOWS_SECONDS), costs_attempt=False) from error


def absent(delivery: Delivery, what: str, message: str, *, gone: bool) -> None:
    """A vendor's 404 for ``what``. It counts where a whole reading has not shown the record either (``gone``), or where it is
    said again ``limits.absence_seconds`` later: gateways say 404 of what is there (docs/never-twice.md rule 11).

    Raises TryLater until then. ``what`` names the record among those of this delivery. Not for costs: their steps are never
    forgotten, and an absence is.
    """
    if gone:
        return
    step = f"{_MISSING} {what}"
    known, now = delivery.step(step), delivery.now()
    if known is None or not known.result:
        delivery.done(step, {"at": now.isoformat()})
        first = now
    else:
        first = datetime.fromisoformat(known.result["at"])
    left = delivery.limits.absence_seconds - (now - first).total_seconds()
    if left > 0:
        raise TryLater(message, retry_after=left, costs_attempt=False)


def there(delivery: Delivery, what: str) -> None:
    """``what`` was shown: an absence that was said before counts no more."""
    known = delivery.step(f"{_MISSING} {what}")
    if known is not None and known.result:
        delivery.done(known.name, {})


def asked_twice(
    delivery: Delivery, system: System, register: str, id: str, read: Callable[[], Shown]
) -> Shown:
    """A known record as ``read`` gives it. Raises NotFound once its absence counts (``absent``), TryLater until then."""
    what = f"{register} {id}"
    try:
        found = read()
    except NotFound:
        known = delivery.books.record(system, register, id)
        gone = known is not None and known.gone
        absent(delivery, what, f"{SYSTEM_NAMES[system]} does not show the record", gone=gone)
        raise
    there(delivery, what)
    return found


def severa_now(delivery: Delivery, register: str, id: str) -> Json:
    """A known Severa record as it is now. Raises as ``asked_twice``."""
    return asked_twice(delivery, "severa", register, id, lambda: delivery.severa.get(register, id))


def join_found(delivery: Delivery, *, severa_id: str, erp_id: str) -> None:
    """The counterpart that was found is joined into this matter before the first effect on it (docs/never-twice.md rule 2).
    Raises TryLater or Waiting while somebody works on it."""
    if delivery.severa_record is None:
        delivery.pair("severa", severa_id)
    else:
        delivery.pair("visma_net", erp_id)


def is_fresh(delivery: Delivery, record: Record) -> bool:
    """Read so shortly ago that it counts as read now; only for what has a last look before it counts (decision 0006)."""
    return (delivery.now() - record.requested_at).total_seconds() <= delivery.limits.fresh_seconds


def latest_side(
    severa: Record | None, erp: Record | None, *, severa_newer: bool = False, erp_newer: bool = False
) -> System | None:
    """The side whose present state the bridge saw first most recently, for the rule 'latest wins' (R-CON-1).

    ``severa_newer`` and ``erp_newer``: the side was read again just now and differs from its record, so that its change
    is first seen at this moment. None = nobody can tell, which the merge takes as 'ask'.
    """
    if severa_newer != erp_newer:
        return "severa" if severa_newer else "visma_net"
    if severa is None or erp is None:
        return None
    ours, theirs = severa.changed_at or severa.requested_at, erp.changed_at or erp.requested_at
    if ours == theirs:
        return None
    return "severa" if ours > theirs else "visma_net"


def told(after: Aftermath, domain: str, name: str, merged: Merge) -> None:
    """The log lines of a merge: what lost, and what was agreed to differ."""
    for difference in merged.overruled:
        after.say(f"{domain}.overruled", level="warning", name=name, **_shown(difference))
    for difference in merged.differs:
        after.say(f"{domain}.differs", level="warning", name=name, **_shown(difference))


def _shown(difference: Difference) -> dict[str, Any]:
    return {
        "field": difference.field,
        "severa": difference.severa,
        "erp": difference.erp,
        "winner": difference.winner,
        "lost": difference.lost,
    }


def pairs(differences: Iterable[Difference], of: str = "") -> list[Json]:
    """Differences as a problem keeps them (``domain.values.pair``). ``of``: the contact or address that they are of."""
    return [values.pair(one.field, one.severa, one.erp, of=of) for one in differences]


def named(records: Iterable[Record]) -> list[Json]:
    """Candidates as a problem keeps them."""
    return [values.record(record.number, record.name) for record in records]


def created_after(created: Any, start: datetime, slack: timedelta) -> bool:
    """Whether a vendor's creation time may lie after ``start`` (aware); a time without zone is read as UTC, which
    ``slack`` makes up for. A record without a creation time counts as new: it must prove itself by its content."""
    made = moment(created)
    if made is None:
        return True
    if made.tzinfo is None:
        made = made.replace(tzinfo=start.tzinfo)
    return made >= start - slack


def fields_named(changes: Mapping[str, Any]) -> list[str]:
    """The names of changed fields for a log line."""
    return list(changes)


def key_length(delivery: Delivery, key: str) -> int | None:
    """How long numbers of a segmented key may be (CS203000), None when the ERP does not say."""
    record = delivery.books.record("visma_net", "dimension", key)
    length = read(record.body, "length") if record is not None else None
    if length is None:
        # The list of keys holds their names only; the length stands on the single record.
        try:
            length = read(delivery.erp.get("dimension", key).body, "length")
        except (NotFound, Forbidden):
            return None
    return int(length) if length else None
