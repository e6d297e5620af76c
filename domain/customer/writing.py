"""Carrying out the merge of a customer on both sides, and remembering what was agreed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from domain import mirror, pingpong
from domain.customer import addresses, placing, plan
from domain.customer.description import MIRROR
from domain.customer.places import BLOCKS
from domain.customer.registers import CUSTOMERS, ERP_CUSTOMER
from domain.customer.table import WRITTEN_STATUSES
from domain.customer.work import Work
from domain.mapper import decimal, patch, read, text, update_body
from domain.merge import (
    Difference,
    Merge,
    alike,
    settled_base,
    untaken,
    without,
)
from domain.model import Announce, Json, Link, Stored
from domain.moves import fields_named, must_stand, told

# Fields that a write to the ERP must leave alone but that are not merged: numbers and currencies have rules of their own.
_NOT_WATCHED = ("number", "currency")


class Outcome:
    """What a person must look at after everything that could be written was."""

    def __init__(self) -> None:
        self.owed = ""
        # The ERP's own status that stays although the customer is inactive in Severa.
        self.kept_status = ""
        # Fields that differed when both met, nobody decided, and nobody has touched since.
        self.differs: tuple[Difference, ...] = ()
        self.halted: tuple[str, ...] = ()
        self.side_effects: tuple[str, ...] = ()
        # Fields whose write was answered with a yes and is not shown.
        self.lost_erp: tuple[str, ...] = ()
        self.lost_severa: tuple[str, ...] = ()


def write(work: Work, link: Link, sides: plan.Sides, merged: Merge, there: Stored) -> Outcome:
    """Writes what the merge wants, ERP first; the aftermath has the link with its new base, ``work.stored`` both sides."""
    outcome = Outcome()
    delivery = work.delivery
    name = text(sides.severa, "name")
    merged = _status_held_back(work, merged, there, outcome)
    if "customer_class" in merged.to_erp:
        work.class_of(link.severa_id, name)
    merged, outcome.halted = pingpong.without(merged, pingpong.halted(link.state, delivery.now()))
    merged, choice = mirror.class_taken_over(
        work.after, MIRROR, link, merged, "customer_class", sides.choice, told={"name": name}
    )
    sides = replace(sides, choice=choice)
    _sending(work, link, sides, merged)
    erp = _to_erp(work, sides, merged, there, outcome)
    work.see_erp(erp)
    severa, places = _to_severa(work, link, sides, merged, outcome)
    work.see_severa(severa)
    merged = without(merged, {*outcome.lost_erp, *outcome.lost_severa})
    merged = _without_repeats(merged)
    _say_not_sent(work, sides, merged, name)
    ours, theirs = sides.with_bodies(severa, erp, places).values()
    kept = work.after.link.base if work.after.link is not None and work.after.link.base else link.base
    base = settled_base(kept, merged, ours, theirs)
    # What a write changed by the way and would not take back is agreed to differ: it must not travel on.
    base |= {one: [ours[one], theirs[one]] for one in outcome.side_effects if one in ours}
    work.keep(link, base | work.edited, numbered=bool(link.state.get("numbered")))
    if work.edited:
        work.after.announce.append(Announce("customer", "severa", CUSTOMERS, link.severa_id))
    met = mirror.met_by_link(link, merged)
    # What a person is asked about is no line of the log as well.
    told(work.after, "customer", name, replace(merged, differs=_others(merged, met)))
    outcome.differs = mirror.still_asked(link.state, met, ours, theirs)
    work.remember_differing(outcome.differs)
    work.note(to_erp=merged.to_erp, to_severa=merged.to_severa)
    work.stored = (severa, erp)
    must_stand(work.delivery, work.after, outcome.lost_erp, system="visma_net", name=name)
    must_stand(work.delivery, work.after, outcome.lost_severa, system="severa", name=name)
    return outcome


def _sending(work: Work, link: Link, sides: plan.Sides, merged: Merge) -> None:
    """What is about to be written is remembered first; of a first meeting also what is the same on both sides."""
    over = sides.values()
    if link.id:
        work.delivery.sending(merged.to_erp, merged.to_severa, over=over)
        return
    work.meeting(link, {**alike(merged), **merged.to_erp}, merged.to_severa, over)


def _status_held_back(work: Work, merged: Merge, there: Stored, outcome: Outcome) -> Merge:
    """The merge without a status that may not be written now; the base stays, so that it is still a change then.

    Held back are Inactive until the balance is 0, and either over a status of the ERP's own (R-CUS-7).
    """
    wanted = merged.to_erp.get("active")
    if wanted is None:
        return merged
    status = text(there.body, "status")
    if status not in WRITTEN_STATUSES:
        outcome.kept_status = status
    elif wanted == "false":
        outcome.owed = _owed(work, text(there.body, "number"))
    if not (outcome.owed or outcome.kept_status):
        return merged
    return replace(
        merged,
        to_erp={name: value for name, value in merged.to_erp.items() if name != "active"},
        overruled=tuple(one for one in merged.overruled if one.field != "active"),
    )


def _others(merged: Merge, met: Mapping[str, object]) -> tuple[Difference, ...]:
    return tuple(one for one in merged.differs if one.field not in met)


def _to_erp(work: Work, sides: plan.Sides, merged: Merge, there: Stored, outcome: Outcome) -> Json:
    erp, expected = there.body, sides.expected(merged)
    number = text(erp, "number")
    members = plan.erp_members(merged.to_erp, sides.terms, erp, expected, work.settings)
    if not members:
        return erp
    api = work.delivery.erp
    api.update(ERP_CUSTOMER, number, update_body(members), etag=there.etag)
    stored = work.with_note(api.get(ERP_CUSTOMER, number))
    again = _side_effects(sides, merged, members, stored.body, expected)
    if again:
        # Our own write changed these by the way (a class sets its credit terms): put back once.
        sent = plan.erp_members(again, sides.terms, stored.body, expected, work.settings)
        if sent:
            api.update(ERP_CUSTOMER, number, update_body(sent), etag=stored.etag)
            stored = work.with_note(api.get(ERP_CUSTOMER, number))
        outcome.side_effects = tuple(_side_effects(sides, merged, members, stored.body, expected))
    now = replace(sides, erp=stored.body).values()[1]
    outcome.lost_erp = untaken(merged.to_erp, sides.values()[1], now)
    if taken := without(merged, outcome.lost_erp).to_erp:
        work.after.say(
            "customer.updated_in_erp",
            name=text(sides.severa, "name"),
            number=number,
            fields=fields_named(taken),
        )
    return stored.body


def _side_effects(
    sides: plan.Sides, merged: Merge, members: Mapping[str, object], stored: Json, expected: Mapping[str, str]
) -> dict[str, str]:
    """Fields that were not sent and are not as expected now: field → expected value."""
    sent_blocks = {path.split(".", 1)[0] for path in members}
    now = replace(sides, erp=stored).values()[1]
    found: dict[str, str] = {}
    for name, value in expected.items():
        if name in _NOT_WATCHED or name not in now or now[name] == value:
            continue
        if name in addresses.FIELD_NAMES:
            role, part = addresses.role_of(name)
            if BLOCKS[role] in sent_blocks:
                continue
            # The same address as the main one, in the ERP's own spelling.
            if value == expected.get(part) and now[name] == now.get(part):
                continue
        elif name in merged.to_erp:
            continue
        found[name] = value
    return found


def _to_severa(
    work: Work, link: Link, sides: plan.Sides, merged: Merge, outcome: Outcome
) -> tuple[Json, tuple[Json, ...]]:
    severa, places = sides.severa, sides.places
    members = plan.severa_members(merged, sides.terms, severa)
    if members:
        severa = work.delivery.severa.patch(CUSTOMERS, link.severa_id, patch(members))
    placed = {name: value for name, value in merged.to_severa.items() if name in addresses.FIELD_NAMES}
    if placed:
        now = sides.values()[0]
        moves = addresses.moves(addresses.places(severa, places), now, {**now, **placed})
        severa, places = placing.carry_out(work, severa, places, moves)
    now = sides.with_bodies(severa, sides.erp, places).values()[0]
    outcome.lost_severa = untaken(merged.to_severa, sides.values()[0], now)
    if taken := without(merged, outcome.lost_severa).to_severa:
        work.after.say(
            "customer.updated_in_severa",
            name=text(severa, "name"),
            number=link.erp_number,
            fields=fields_named(taken),
        )
    return severa, places


def _without_repeats(merged: Merge) -> Merge:
    """Differences of an address that is the main one's on both sides are said once."""
    main = {(one.field, one.severa, one.erp) for one in merged.differs}

    def repeats(name: str, severa: str, erp: str) -> bool:
        if name not in addresses.FIELD_NAMES:
            return False
        role, part = addresses.role_of(name)
        return role != "main" and (part, severa, erp) in main

    return replace(
        merged,
        differs=tuple(one for one in merged.differs if not repeats(one.field, one.severa, one.erp)),
    )


def _say_not_sent(work: Work, sides: plan.Sides, merged: Merge, name: str) -> None:
    without = plan.terms_without_counterpart(sides, merged)
    if without is not None:
        work.after.say("customer.terms_not_sent", level="warning", name=name, **without)
    unresolved = sides.unresolved_country()
    if unresolved:
        work.after.say("customer.country_not_sent", level="warning", name=name, country=unresolved)


def _owed(work: Work, number: str) -> str:
    """What the customer still owes, '' when nothing (R-CUS-7: only then it may be made inactive)."""
    body = work.delivery.erp.get(f"{ERP_CUSTOMER}/balance", number).body
    balance = decimal(read(body, "balance"))
    return str(balance) if balance else ""
