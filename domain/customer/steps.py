"""The moves of a customer: first meeting, then a merge of what changed on either side."""

from __future__ import annotations

from domain.customer import addresses, meeting, plan, writing
from domain.customer.fields import CUSTOMERS, ERP_CUSTOMER, severa_values
from domain.customer.fields import erp_values as erp_values_of
from domain.customer.people import Trouble
from domain.customer.work import Work
from domain.errors import NotFound, Stop
from domain.mapper import flag, read, text
from domain.merge import Merge, settled_base
from domain.moves import explained, is_fresh, latest_side, listed
from domain.ports import Delivery, Json, Link, Record, Settled, Stored, System


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
        people = meeting.people_of(work, link, erp_record.body)
        if merged.quiet and people.quiet() and _nothing_to_say(link, seen, merged):
            ours, theirs = seen.values()
            work.keep(link, settled_base(link.base, merged, ours, theirs), numbered=True)
            people.settle()  # asks nobody: it remembers what both sides agree on
            return
        if any(name in addresses.FIELD_NAMES for name in _touched(merged)):
            places = work.places(link.severa_id, fresh=True)
    fresh = severa_record is not None and not severa_record.gone and is_fresh(delivery, severa_record)
    severa = severa_record.body if severa_record is not None and fresh else _severa_now(work, link)
    erp = _erp_now(work, link)
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
    trouble = meeting.people_of(work, link, stored).settle()
    if stopped is not None:
        stopped.effects = work.after.effects()
        raise stopped
    if merged.asked:
        trouble.conflicts.insert(0, listed(merged.asked))
    trouble.halted = [*outcome.halted, *trouble.halted]
    _problems(work, link, severa, stored, outcome, trouble)


def _touched(merged: Merge) -> set[str]:
    differences = (*merged.overruled, *merged.differs, *merged.asked)
    return {*merged.to_erp, *merged.to_severa, *(one.field for one in differences)}


def _differs(now: Json, before: Json) -> bool:
    return severa_values(now) != severa_values(before)


def _erp_differs(now: Json, before: Json) -> bool:
    ours, theirs = erp_values_of(now, listed=True), erp_values_of(before, listed=True)
    # A list row may leave the credit terms out.
    return any(ours[name] != theirs[name] for name in ours.keys() & theirs.keys())


def _nothing_to_say(link: Link, seen: plan.Sides, merged: Merge) -> bool:
    """Numbers, currencies and payment terms give no reason to look closer either."""
    ours, theirs = text(seen.severa, "number"), text(seen.erp, "number")
    return (
        plan.same_number(ours, theirs)
        and (ours, theirs) == (link.severa_number, link.erp_number)
        and plan.currency_differs(seen.severa, seen.erp) is None
        and plan.terms_without_counterpart(seen, merged) is None
    )


def _severa_now(work: Work, link: Link) -> Json:
    try:
        return work.delivery.severa.get(CUSTOMERS, link.severa_id)
    except NotFound as error:
        raise _gone(work, link, "severa") from error


def _erp_now(work: Work, link: Link) -> Stored:
    """The ERP customer as it is now, by the number last seen, else by its internal id (R-CUS-8)."""
    record = work.delivery.erp_record
    number = record.number if record is not None and record.number else link.erp_number
    try:
        found = work.delivery.erp.get(ERP_CUSTOMER, number)
        if text(found.body, "internalId") == link.erp_id:
            return found
    except NotFound:
        pass
    try:
        return work.delivery.erp.get(f"{ERP_CUSTOMER}/internal", link.erp_id)
    except NotFound as error:
        raise _gone(work, link, "visma_net") from error


# ---------------------------------------------------------------- two that became one (R-CUS-8)


def _gone(work: Work, link: Link, system: System) -> Stop:
    """The problem of a linked customer that is not there any more: merged into another, if one can be named."""
    heir = _heir(work, link, system)
    named = "Severa" if system == "severa" else "Visma.net ERP"
    if heir is None:
        return work.after.stop("customer.gone", number=link.erp_number, system=named)
    return work.after.stop("customer.merged", **_merge_values(work, link, system, heir))


def _heir(work: Work, link: Link, system: System) -> Record | None:
    """The one customer of the same system that may have taken this one's place: same organisation number, or same name;
    active and not linked to another. None when there is none or several."""
    books, delivery = work.delivery.books, work.delivery
    record = delivery.severa_record if system == "severa" else delivery.erp_record
    register = CUSTOMERS if system == "severa" else ERP_CUSTOMER
    own = link.severa_id if system == "severa" else link.erp_id
    other_side = delivery.erp_record if system == "severa" else delivery.severa_record
    found: dict[str, Record] = {}
    for known in (record, other_side):
        if known is None:
            continue
        number = plan.organisation_of(known)
        if number:
            found |= {one.id: one for one in books.find(system, register, organisation=number)}
        found |= {one.id: one for one in books.find(system, register, name=known.name)}
    free = [
        one
        for one in found.values()
        if one.id != own and _is_active(one) and not _linked_elsewhere(work, one)
    ]
    return free[0] if len(free) == 1 else None


def _is_active(record: Record) -> bool:
    if record.system == "severa":
        return flag(read(record.body, "isActive"))
    return text(record.body, "status") != "Inactive"


def _linked_elsewhere(work: Work, record: Record) -> bool:
    by = {"severa_id": record.id} if record.system == "severa" else {"erp_id": record.id}
    return work.delivery.books.link("customer", **by) is not None


def _merge_values(work: Work, link: Link, system: System, heir: Record) -> dict[str, str]:
    pair = (heir.id, link.erp_id) if system == "severa" else (link.severa_id, heir.id)
    return {
        "number": link.erp_number,
        "system": "Severa" if system == "severa" else "Visma.net ERP",
        "heir": f"{heir.number} {heir.name}".strip(),
        "relink": f"severa-bridge relink {work.delivery.tenant.name} customer {pair[0]} {pair[1]}",
    }


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
    for system, inactive in (
        ("severa", not flag(read(severa, "isActive"))),
        ("visma_net", text(erp, "status") == "Inactive"),
    ):
        side: System = "severa" if system == "severa" else "visma_net"
        heir = _heir(work, link, side) if inactive else None
        if heir is not None and _same_organisation(work, side, heir):
            raise work.after.stop("customer.merged", **_merge_values(work, link, side, heir))
    meeting.trouble_stop(work, name, trouble)
    if outcome.side_effects:
        raise work.after.stop("customer.side_effect", name=name, fields=", ".join(outcome.side_effects))
    if outcome.owed:
        raise work.after.stop("customer.balance", name=name, number=text(erp, "number"), balance=outcome.owed)
    meeting.currency_stop(work, severa, erp)


def _same_organisation(work: Work, system: System, heir: Record) -> bool:
    """A customer made inactive may simply be inactive: only the same organisation number speaks of a merge."""
    record = work.delivery.severa_record if system == "severa" else work.delivery.erp_record
    number = plan.organisation_of(record) if record is not None else ""
    return bool(number) and number == plan.organisation_of(heir)
