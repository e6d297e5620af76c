"""The moves of a customer: first meeting, then a merge of what changed on either side."""

from __future__ import annotations

from domain import mirror, sent
from domain.customer import addresses, finishing, heirs, meeting, plan, writing
from domain.customer.description import MIRROR
from domain.customer.people import Trouble
from domain.customer.registers import erp_values as erp_values_of
from domain.customer.table import CUSTOMER
from domain.customer.work import Work
from domain.errors import Stop
from domain.mapper import flag, read, text
from domain.merge import Merge, settled_base
from domain.model import Json, Link, Settled, System
from domain.moves import explained, latest_side, pairs
from domain.ports import Delivery


def settle(delivery: Delivery) -> Settled:
    """Brings one customer into step (R-CUS-1..8).

    Raises Stop ``customer.*``, Waiting for a candidate of the same name, TryLater, OutcomeUnknown and what the vendors'
    calls raise.
    """
    work = Work(delivery)
    record = delivery.severa_record or delivery.erp_record
    name = record.name if record is not None else (delivery.link.severa_number if delivery.link else "")
    with explained("customer", name, work.after):
        if delivery.link is not None:
            _linked(work, delivery.link)
        elif delivery.severa_record is not None and delivery.erp_record is not None:
            meeting.both(work, delivery.severa_record, delivery.erp_record)
        elif delivery.severa_record is not None:
            meeting.from_severa(work, delivery.severa_record)
        elif delivery.erp_record is not None:
            meeting.from_erp(work, delivery.erp_record)
    return work.after.settled()


def _linked(work: Work, link: Link) -> None:
    """Merges both sides; both are read again before anything is written."""
    delivery = work.delivery
    severa_record, erp_record = delivery.severa_record, delivery.erp_record
    if severa_record is not None and plan.is_internal(severa_record.body):
        return
    places = work.places(link.severa_id)
    there = severa_record is not None and erp_record is not None
    if severa_record is not None and erp_record is not None and not (severa_record.gone or erp_record.gone):
        seen = work.sides(severa_record.body, erp_record.body, places, link=link, listed=True)
        merged = seen.merged(latest_side(severa_record, erp_record))
        people = finishing.people_of(work, link, erp_record.body)
        own = sent.of(link.state)
        # What a delivery without an end sent may be newer than what was seen last.
        if not own and merged.quiet and people.quiet() and _nothing_to_say(link, seen, merged):
            ours, theirs = seen.values()
            work.keep(link, settled_base(link.base, merged, ours, theirs), numbered=True)
            people.settle()  # asks nobody: it remembers what both sides agree on
            differs = mirror.still_asked(link.state, {}, ours, theirs)
            work.remember_differing(differs)
            # Nothing to write is no answer to the question who took the place of one that was made inactive.
            _merged(work, link, seen.severa, seen.erp)
            finishing.differs_stop(work, text(seen.severa, "name"), differs)
            return
        if any(name in addresses.FIELD_NAMES for name in {*_touched(merged), *own}):
            places = work.places(link.severa_id, fresh=True)
    severa = mirror.in_severa(MIRROR, delivery, link)
    erp = work.with_note(mirror.in_erp(MIRROR, delivery, link))
    latest = latest_side(
        severa_record,
        erp_record,
        severa_newer=there and severa_record is not None and _differs(severa, severa_record.body),
        erp_newer=there and erp_record is not None and _erp_differs(erp.body, erp_record.body),
    )
    sides = work.sides(severa, erp.body, places, link=link)
    merged = sides.merged(latest)
    work.keep(link, None, numbered=bool(link.state.get("numbered")))
    outcome = writing.write(work, link, sides, merged, erp)
    severa, stored = work.stored
    renumbered = plan.renumbered(link, severa, stored)
    stopped: Stop | None = None
    if not renumbered:
        try:
            severa = work.number_back(severa, stored)
        except Stop as stop:
            stopped = stop
    trouble = finishing.people_of(work, link, stored).settle()
    if stopped is not None:
        stopped.effects = work.after.effects()
        raise stopped
    if merged.asked:
        trouble.conflicts[:0] = pairs(merged.asked)
    trouble.halted = [*outcome.halted, *trouble.halted]
    _problems(work, link, severa, stored, outcome, trouble)


def _touched(merged: Merge) -> set[str]:
    differences = (*merged.overruled, *merged.differs, *merged.asked)
    return {*merged.to_erp, *merged.to_severa, *(one.field for one in differences)}


def _differs(now: Json, before: Json) -> bool:
    return CUSTOMER.values("severa", now) != CUSTOMER.values("severa", before)


def _erp_differs(now: Json, before: Json) -> bool:
    ours, theirs = erp_values_of(now, listed=True), erp_values_of(before, listed=True)
    # A list row may leave the credit terms out (docs/vendors/visma-net-erp.md E37).
    return any(ours[name] != theirs[name] for name in ours.keys() & theirs.keys())


def _nothing_to_say(link: Link, seen: plan.Sides, merged: Merge) -> bool:
    """Numbers, currencies and payment terms give no reason to look closer either."""
    ours, theirs = text(seen.severa, "number"), text(seen.erp, "number")
    return (
        plan.same_number(ours, theirs)
        and (ours, theirs) == (link.severa_number, link.erp_number)
        and plan.currency_differs(seen.severa, seen.erp) is None
        and plan.terms_without_counterpart(seen, merged) is None
        and not seen.note_unread
    )


# ---------------------------------------------------------------- what a person must look at


def _problems(
    work: Work, link: Link, severa: Json, erp: Json, outcome: writing.Outcome, trouble: Trouble
) -> None:
    """After everything that could be written was."""
    name = text(severa, "name")
    if plan.renumbered(link, severa, erp):
        raise work.after.stop(
            "customer.renumbered",
            name=name,
            number=text(severa, "number"),
            erp_number=text(erp, "number"),
            linked_number=link.erp_number,
        )
    _merged(work, link, severa, erp)
    finishing.trouble_stop(work, name, trouble)
    finishing.outcome_stop(work, name, text(erp, "number"), outcome)
    finishing.differs_stop(work, name, outcome.differs)
    finishing.currency_stop(work, severa, erp)


def _merged(work: Work, link: Link, severa: Json, erp: Json) -> None:
    """Raises Stop for a side that was made inactive and whose company stands in the same system once more (R-CUS-8)."""
    for system, inactive in (
        ("severa", not flag(read(severa, "isActive"))),
        ("visma_net", text(erp, "status") == "Inactive"),
    ):
        side: System = "severa" if system == "severa" else "visma_net"
        heir = heirs.heir_of(work.delivery, link, side) if inactive else None
        if heir is not None and heirs.same_organisation(work.delivery, link, side, heir):
            code, values = heirs.merged(work.delivery, link, side, heir)
            raise work.after.stop(code, **values)
