"""The first meeting of a customer: find its other half or make it (R-CUS-1, R-CUS-4, R-CUS-5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain import mirror, sent
from domain.customer import asking, heirs, making, matching, plan, writing
from domain.customer.description import MIRROR
from domain.customer.finishing import finish, new_link
from domain.customer.registers import (
    CUSTOMERS,
    ERP_CUSTOMER,
    organisation,
    same_company,
)
from domain.customer.work import Work
from domain.errors import NotFound, Stop, Waiting
from domain.mapper import moment, read, text
from domain.merge import as_met
from domain.model import Announce, Json, Link, Record, Stored, System
from domain.moves import (
    asked_twice,
    join_found,
    severa_now,
    wait_until_read,
)
from domain.text import organisation_number, same_name


def from_severa(work: Work, record: Record) -> None:
    """A Severa customer without a link: find or make the ERP customer, and write the ERP's number back."""
    delivery, books = work.delivery, work.delivery.books
    if (
        record.gone
        or plan.is_internal(record.body)
        or books.link("customer", severa_id=record.id) is not None
    ):
        return
    wait_until_read(books, ("severa", CUSTOMERS), ("visma_net", ERP_CUSTOMER))
    if _goes_on(work, severa=record):
        return
    # Once a create was sent, what a poll finds under our name may be our own: only the look-up decides.
    if delivery.step(making.IN_ERP) is None:
        number = organisation_number(text(record.body, "vatNumber"))
        candidates = _candidates(work, "visma_net", record, number)
        half = matching.erp_half(
            record,
            candidates,
            lambda other: books.link("customer", erp_id=other.id) is None,
        )
        if half is not None:
            _not_while_it_is_made(work, record, half, by="visma_net")
            _link_both(work, record.body, delivery.erp.get(ERP_CUSTOMER, half.number))
            return
        if books.link("customer", severa_id=record.id) is not None:
            # Linked from the other side since the look above: that is why its half was not free any more.
            return
        asked = asking.erp(work, record)
        typed = matching.erp_half(
            record, asked, lambda other: books.link("customer", erp_id=other.id) is None
        )
        if typed is not None:
            _link_both(work, record.body, delivery.erp.get(ERP_CUSTOMER, typed.number))
            return
        _not_of_deleted(work, record, asked)
        _not_in_place_of_a_lost_one(work, record, candidates)
    making.in_erp(work, record)


def from_erp(work: Work, record: Record) -> None:
    """An ERP customer without a link: find or make the Severa customer. Inactive ones stay where they are (R-CUS-3)."""
    delivery, books = work.delivery, work.delivery.books
    # One that a delivery has begun to make goes on, whatever became of it meanwhile.
    begun = delivery.step(making.IN_SEVERA) is not None
    inactive = text(record.body, "status") == "Inactive" and not begun
    if record.gone or inactive or books.link("customer", erp_id=record.id) is not None:
        return
    wait_until_read(books, ("severa", CUSTOMERS), ("visma_net", ERP_CUSTOMER))
    if _goes_on(work, erp=record):
        return
    if not begun:
        candidates = _candidates(work, "severa", record, organisation(record.body))
        half, maybe = matching.severa_half(
            record,
            candidates,
            lambda other: books.link("customer", severa_id=other.id) is None,
        )
        if half is not None:
            _not_while_it_is_made(work, half, record, by="severa")
            _link_both(
                work, delivery.severa.get(CUSTOMERS, half.id), delivery.erp.get(ERP_CUSTOMER, record.number)
            )
            return
        if books.link("customer", erp_id=record.id) is not None:
            return
        if maybe is not None:
            # That one asks the question itself, or is being created in the ERP right now: this may be its half.
            raise Waiting("customer", severa_id=maybe.id, name=maybe.name)
        typed, maybe = matching.severa_half(
            record,
            asking.severa(work, record),
            lambda other: books.link("customer", severa_id=other.id) is None,
        )
        if typed is not None:
            _link_both(work, typed.body, delivery.erp.get(ERP_CUSTOMER, record.number))
            return
        if maybe is not None:
            raise Waiting("customer", severa_id=maybe.id, name=maybe.name)
        _not_in_place_of_a_lost_one(work, record, candidates)
    making.in_severa(work, record)


def both(work: Work, severa: Record, erp: Record) -> None:
    """A Severa customer and an ERP customer of one matter that are not linked yet: joined while one of them was made from
    the other, or because they are the same. Whoever has begun to make the other goes on with that."""
    if work.delivery.step(making.IN_ERP) is not None:
        from_severa(work, severa)
    elif work.delivery.step(making.IN_SEVERA) is not None:
        from_erp(work, erp)
    else:
        _link_both(
            work,
            work.delivery.severa.get(CUSTOMERS, severa.id),
            work.delivery.erp.get(ERP_CUSTOMER, erp.number),
        )


def _goes_on(work: Work, *, severa: Record | None = None, erp: Record | None = None) -> bool:
    """A meeting that was decided in a delivery that never came to its end is not looked for again: somebody may have renamed
    either of them since. False where there was none, or its other half is not free any more."""
    delivery, books = work.delivery, work.delivery.books
    known = severa or erp
    if known is None or delivery.step(making.IN_ERP) or delivery.step(making.IN_SEVERA):
        return False
    for half in sent.halves(delivery.sent_so_far, known.id):
        ours = severa or books.record("severa", CUSTOMERS, half)
        theirs = erp or books.record("visma_net", ERP_CUSTOMER, half)
        if ours is None or theirs is None or ours.gone or theirs.gone:
            continue
        if books.link("customer", severa_id=ours.id) or books.link("customer", erp_id=theirs.id):
            continue
        body = delivery.severa.get(CUSTOMERS, ours.id)
        _link_both(work, body, delivery.erp.get(ERP_CUSTOMER, theirs.number))
        return True
    return False


def _candidates(work: Work, system: System, record: Record, number: str) -> list[Record]:
    """Customers of the other system that have this name or this organisation number."""
    register = CUSTOMERS if system == "severa" else ERP_CUSTOMER
    books = work.delivery.books
    found = books.find(system, register, name=record.name)
    if number:
        found = [*found, *books.find(system, register, organisation=number)]
    return list({one.id: one for one in found}.values())


def _not_of_deleted(work: Work, record: Record, asked: list[Record]) -> None:
    """Raises Stop ``customer.of_deleted`` when the same customer stands in the ERP, linked to a Severa customer that was
    deleted: this one was entered anew, and a create would make it twice in the books. Severa is asked, since deletions
    are seen only when a register is read whole."""
    for other in asked:
        link = work.delivery.books.link("customer", erp_id=other.id)
        certain = same_company(record, other) or plan.same_number(record.number, other.number)
        if link is None or not certain or not same_name(record.name, other.name):
            continue
        try:
            severa_now(work.delivery, CUSTOMERS, link.severa_id)
        except NotFound as error:
            values = {"name": record.name, "number": other.number}
            raise Stop("customer.of_deleted", values) from error


def _not_in_place_of_a_lost_one(work: Work, record: Record, others: list[Record]) -> None:
    """Raises Stop ``customer.merged`` when a customer of this organisation number is linked to one that is not there any more: this one
    seems to have taken its place, and made anew it would stand twice on the other side (R-CUS-8). The lost one is looked at again:
    its problem names its heir then, and one relink ends both."""
    for other in others:
        link = mirror.link_of(work.delivery.books, "customer", other)
        if link is None or not same_company(record, other) or not _lost(work, link, record.system):
            continue
        work.after.announce.append(Announce("customer", other.system, other.register, other.id))
        raise Stop(*heirs.merged(work.delivery, link, record.system, record))


def _lost(work: Work, link: Link, system: System) -> bool:
    """Whether a link's half is not there any more. Asked for just now; raises TryLater until its absence counts."""
    delivery = work.delivery
    try:
        if system == "severa":
            severa_now(delivery, link.severa_register, link.severa_id)
        else:
            asked_twice(
                delivery, "visma_net", ERP_CUSTOMER, link.erp_id,
                lambda: mirror.by_internal_id(MIRROR, delivery, link),
            )  # fmt: skip
    except NotFound:
        return True
    return False


def _not_while_it_is_made(work: Work, severa: Record, erp: Record, *, by: System) -> None:
    """Raises Waiting while one of two customers is being made from the other by the bridge itself, as far as anybody can
    tell: it is the younger one, made within a create's limits, and the other one is not settled yet.

    A poll that meets it then would find half of its fields and take what is still to be written for a difference. Only
    the younger side waits, so two that were typed in both systems at once do not wait for each other.
    """
    delivery = work.delivery
    zone = ZoneInfo(delivery.tenant.time_zone)
    ours, theirs = (_made(one, zone) for one in (severa, erp))
    younger, older = (ours, erp) if by == "visma_net" else (theirs, severa)
    elder = theirs if by == "visma_net" else ours
    if younger is None or (elder is not None and elder >= younger):
        return
    limits = delivery.limits
    lasts = timedelta(seconds=limits.create_seconds + limits.visibility_seconds)
    if delivery.now() - younger > lasts or older.settled_version >= older.version:
        return
    if by == "visma_net":
        raise Waiting("customer", erp_id=erp.id, name=erp.name)
    raise Waiting("customer", severa_id=severa.id, name=severa.name)


def _made(record: Record, zone: ZoneInfo) -> datetime | None:
    """When a customer was made, as its system says; the ERP's times carry no zone and are the tenant's."""
    made = moment(read(record.body, "createdDateTime"))
    return made.replace(tzinfo=zone) if made is not None and made.tzinfo is None else made


# ---------------------------------------------------------------- both exist


def _link_both(work: Work, severa: Json, erp: Stored) -> None:
    """Links two customers that are the same. What differs is decided by the tenant's rule; by 'ask' and 'latest' it
    stays until one side changes it (R-CON-1)."""
    erp = work.with_note(erp)
    link = new_link(severa, erp.body)
    join_found(work.delivery, severa_id=link.severa_id, erp_id=link.erp_id)
    places = work.places(link.severa_id)
    own = work.delivery.sent_so_far.get(sent.met(link.severa_id, link.erp_id), {})
    sides = replace(work.sides(severa, erp.body, places), sent=own)
    merged = sides.merged()
    work.keep(link, as_met("customer_class", text(erp.body, "customerClass.id")), numbered=False)
    work.after.say("customer.linked", name=text(severa, "name"), number=link.erp_number)
    finish(work, link, writing.write(work, link, sides, merged, erp))
