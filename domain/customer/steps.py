"""The moves of a customer: first meeting, then a merge of what changed on either side."""

from __future__ import annotations

from dataclasses import replace

from domain.customer import meeting, plan
from domain.customer.fields import CUSTOMERS, ERP_CUSTOMER
from domain.customer.work import Work
from domain.errors import NotFound
from domain.mapper import decimal, patch, read, text, update_body
from domain.merge import Merge, settled_base
from domain.moves import explained, fields_named, is_fresh, latest_side, listed, told
from domain.ports import Delivery, Json, Link, Settled, Stored


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
    latest = latest_side(severa_record, erp_record)
    choice = delivery.books.choice("customer", severa_id=link.severa_id)
    terms, countries = work.terms(), work.countries()
    if severa_record is not None and erp_record is not None:
        seen = plan.Sides(
            severa_record.body, erp_record.body, terms, countries, link.base, choice, listed=True
        )
        merged = seen.merged(latest)
        if merged.quiet and _nothing_to_say(link, seen, merged):
            ours, theirs = seen.values()
            work.keep(link, settled_base(link.base, merged, ours, theirs), numbered=True)
            return
    fresh = severa_record is not None and is_fresh(delivery, severa_record)
    severa = severa_record.body if severa_record is not None and fresh else _severa_now(work, link)
    erp = _erp_now(work, link)
    sides = plan.Sides(severa, erp.body, terms, countries, link.base, choice)
    _write(work, link, sides, sides.merged(latest), erp)


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
        raise work.after.stop("customer.gone", number=link.erp_number, system="Severa") from error


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
        raise work.after.stop("customer.gone", number=link.erp_number, system="Visma.net ERP") from error


def _write(work: Work, link: Link, sides: plan.Sides, merged: Merge, there: Stored) -> None:
    delivery = work.delivery
    severa, erp = sides.severa, there.body
    name, number = text(severa, "name"), text(erp, "number")
    owed = _owed(work, number) if merged.to_erp.get("active") == "false" else None
    if owed:
        # Held back until the balance is 0; the base stays, so that it is still a change then.
        merged = replace(
            merged, to_erp={key: value for key, value in merged.to_erp.items() if key != "active"}
        )
    if "customer_class" in merged.to_erp:
        work.class_of(link.severa_id, name)
    to_erp = plan.erp_members(merged, sides.terms)
    if to_erp:
        delivery.erp.update(ERP_CUSTOMER, number, update_body(to_erp), etag=there.etag)
        erp = delivery.erp.get(ERP_CUSTOMER, number).body
        work.after.say(
            "customer.updated_in_erp", name=name, number=number, fields=fields_named(merged.to_erp)
        )
    work.see_erp(erp)
    to_severa = plan.severa_members(merged, sides.terms)
    if to_severa:
        severa = delivery.severa.patch(CUSTOMERS, link.severa_id, patch(to_severa))
        work.after.say(
            "customer.updated_in_severa",
            name=text(severa, "name"),
            number=number,
            fields=fields_named(merged.to_severa),
        )
    work.see_severa(severa)
    told(work.after, "customer", name, merged)
    without = plan.terms_without_counterpart(sides, merged)
    if without is not None:
        work.after.say("customer.terms_not_sent", level="warning", name=name, **without)
    unresolved = sides.unresolved_country()
    if unresolved:
        work.after.say("customer.country_not_sent", level="warning", name=name, country=unresolved)
    ours, theirs = sides.with_bodies(severa, erp).values()
    base = settled_base(link.base, merged, ours, theirs)
    work.keep(link, base, numbered=bool(link.state.get("numbered")))
    if not plan.renumbered(link, severa, erp):
        severa = work.number_back(severa, erp)
    _problems(work, link, severa, erp, merged, owed)


def _owed(work: Work, number: str) -> str:
    """What the customer still owes, '' when nothing (R-CUS-7: only then it may be made inactive)."""
    body = work.delivery.erp.get(f"{ERP_CUSTOMER}/balance", number).body
    balance = decimal(read(body, "balance"))
    return str(balance) if balance else ""


def _problems(work: Work, link: Link, severa: Json, erp: Json, merged: Merge, owed: str | None) -> None:
    """What a person must look at, after everything that could be written was."""
    name = text(severa, "name")
    if plan.renumbered(link, severa, erp):
        raise work.after.stop(
            "customer.renumbered",
            name=name,
            number=text(severa, "number"),
            erp_number=text(erp, "number"),
            linked_number=link.erp_number,
        )
    if merged.asked:
        raise work.after.stop("customer.conflict", name=name, fields=listed(merged.asked))
    if owed:
        raise work.after.stop("customer.balance", name=name, number=text(erp, "number"), balance=owed)
    meeting.currency_stop(work, severa, erp)
