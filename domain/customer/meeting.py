"""The first meeting of a customer: find its other half or make it (R-CUS-1, R-CUS-4, R-CUS-5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.customer import addresses, asking, matching, placing, plan, writing
from domain.customer.fields import (
    CUSTOMERS,
    ERP_CUSTOMER,
    erp_values,
    natural_key,
    organisation,
    same_company,
    severa_values,
)
from domain.customer.people import People, Trouble
from domain.customer.work import Work
from domain.errors import InDoubt, NotFound, OutcomeUnknown, Stop, Waiting
from domain.mapper import moment, read, text, unwrap, update_body
from domain.merge import Difference, settled_base
from domain.model import Announce, Json, Link, Permission, Record, Stored, System
from domain.moves import (
    ERP_TIME_SLACK,
    SEVERA_TIME_SLACK,
    create_once,
    created_after,
    join_found,
    named,
    severa_now,
    shown,
    side_by_side,
    wait_until_read,
)
from domain.text import canonical, code_key, organisation_number, same_name

_CREATE_IN_ERP = "create customer"
_CREATE_IN_SEVERA = "create in Severa"


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
    # Once a create was sent, what a poll finds under our name may be our own: only the look-up decides.
    if delivery.step(_CREATE_IN_ERP) is None:
        half = matching.erp_half(
            record,
            _candidates(work, "visma_net", record, organisation_number(text(record.body, "vatNumber"))),
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
    _create_in_erp(work, record)


def from_erp(work: Work, record: Record) -> None:
    """An ERP customer without a link: find or make the Severa customer. Inactive ones stay where they are (R-CUS-3)."""
    delivery, books = work.delivery, work.delivery.books
    inactive = text(record.body, "status") == "Inactive"
    if record.gone or inactive or books.link("customer", erp_id=record.id) is not None:
        return
    wait_until_read(books, ("severa", CUSTOMERS), ("visma_net", ERP_CUSTOMER))
    if delivery.step(_CREATE_IN_SEVERA) is None:
        half, maybe = matching.severa_half(
            record,
            _candidates(work, "severa", record, organisation(record.body)),
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
    _create_in_severa(work, record)


def both(work: Work, severa: Record, erp: Record) -> None:
    """A Severa customer and an ERP customer of one matter that are not linked yet: joined while one of them was made from
    the other, or because they are the same. Whoever has begun to make the other goes on with that."""
    if work.delivery.step(_CREATE_IN_ERP) is not None:
        from_severa(work, severa)
    elif work.delivery.step(_CREATE_IN_SEVERA) is not None:
        from_erp(work, erp)
    else:
        _link_both(
            work,
            work.delivery.severa.get(CUSTOMERS, severa.id),
            work.delivery.erp.get(ERP_CUSTOMER, erp.number),
        )


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
    link = _new_link(severa, erp.body)
    join_found(work.delivery, severa_id=link.severa_id, erp_id=link.erp_id)
    places = work.places(link.severa_id)
    sides = work.sides(severa, erp.body, places)
    merged = sides.merged()
    # The class as it was when both met: a choice made later is a change, the tenant's default never is.
    work.keep(link, {"customer_class": [text(erp.body, "customerClass.id")] * 2}, numbered=False)
    work.after.say("customer.linked", name=text(severa, "name"), number=link.erp_number)
    finish(work, link, writing.write(work, link, sides, merged, erp))


def finish(work: Work, link: Link, outcome: writing.Outcome | None = None) -> None:
    """The number back to Severa, then the contacts; what stops the number does not stop the contacts."""
    severa, erp = work.stored
    stopped: Stop | None = None
    try:
        work.stored = (work.number_back(severa, erp), erp)
    except Stop as stop:
        stopped = stop
    trouble = people_of(work, link, erp).settle()
    if stopped is not None:
        stopped.effects = work.after.effects()
        raise stopped
    name = text(severa, "name")
    currency_stop(work, severa, erp)
    trouble_stop(work, name, trouble)
    if outcome is not None:
        outcome_stop(work, name, text(erp, "number"), outcome)
        differs_stop(work, name, outcome.differs)


def people_of(work: Work, link: Link, erp: Json) -> People:
    """The contacts of a customer; those of a renumbered one may still name its old number."""
    state = (work.after.link.state if work.after.link is not None else None) or link.state
    return People(work, link.severa_id, (link.erp_number, text(erp, "number")), state)


def trouble_stop(work: Work, name: str, trouble: Trouble) -> None:
    """Raises Stop ``customer.conflict``, ``customer.ping_pong`` or ``customer.contact_refused``."""
    if trouble.conflicts:
        raise work.after.stop("customer.conflict", name=name, fields="; ".join(trouble.conflicts))
    if trouble.halted:
        raise work.after.stop("customer.ping_pong", name=name, fields="; ".join(trouble.halted))
    if trouble.refused:
        raise work.after.stop("customer.contact_refused", name=name, text="; ".join(trouble.refused))


def outcome_stop(work: Work, name: str, number: str, outcome: writing.Outcome) -> None:
    """Raises Stop ``customer.side_effect``, ``customer.balance`` or ``customer.status_kept``."""
    if outcome.side_effects:
        raise work.after.stop("customer.side_effect", name=name, fields=", ".join(outcome.side_effects))
    if outcome.owed:
        raise work.after.stop("customer.balance", name=name, number=number, balance=outcome.owed)
    if outcome.kept_status:
        raise work.after.stop("customer.status_kept", name=name, number=number, status=outcome.kept_status)


def differs_stop(work: Work, name: str, differs: Sequence[Difference]) -> None:
    """Raises Stop ``customer.met_differently``: both met with different values, and a person must decide (R-CON-1)."""
    if differs:
        raise work.after.stop("customer.met_differently", name=name, fields=side_by_side(differs))


def _new_link(severa: Json, erp: Json) -> Link:
    return Link(
        id="",
        domain="customer",
        severa_register=CUSTOMERS,
        severa_id=text(severa, "guid"),
        severa_number=text(severa, "number"),
        erp_register=ERP_CUSTOMER,
        erp_id=text(erp, "internalId"),
        erp_number=text(erp, "number"),
        base={},
    )


def currency_stop(work: Work, severa: Json, erp: Json) -> None:
    """Raises Stop ``customer.currency_differs`` when both have a currency and not the same."""
    pair = plan.currency_differs(severa, erp)
    if pair is not None:
        raise work.after.stop(
            "customer.currency_differs", name=text(severa, "name"), severa=pair[0], erp=pair[1]
        )


# ---------------------------------------------------------------- made in the ERP


def _create_in_erp(work: Work, record: Record) -> None:
    delivery = work.delivery
    sides = work.sides(record.body, {}, work.places(record.id))
    plan.country_listed(sides, record.name)
    values, _ = sides.values()
    customer_class = work.class_of(record.id, record.name, values.get("country", ""))
    request = update_body(plan.new_erp_customer(values, customer_class))

    def look_up(sent: Json) -> Json | None:
        return _look_up_erp(work, sent)

    def send(permission: Permission) -> Json:
        number = delivery.erp.create(ERP_CUSTOMER, request, not_after=permission.not_after)
        # A create that answers without a key is done, but nothing says which customer it is.
        found = {"number": number} if number else look_up(request)
        if found is None:
            raise OutcomeUnknown("created, but not to be found yet")
        return found

    delivery.hold_key(natural_key(record.body))
    result = create_once(delivery, _CREATE_IN_ERP, request, send, look_up)
    made = shown(delivery, _CREATE_IN_ERP, lambda: delivery.erp.get(ERP_CUSTOMER, result["number"]))
    link = _new_link(record.body, made.body)
    work.keep(link, {}, numbered=False)
    work.after.say(
        "customer.created_in_erp", name=record.name, number=link.erp_number, customer_class=customer_class
    )
    sides = replace(sides, erp=made.body)
    merged = plan.after_create(sides)
    members = plan.erp_members(merged.to_erp, sides.terms, made.body, sides.expected(merged))
    pair = plan.currency_differs(record.body, made.body)
    if pair is not None:
        members["currencyId"] = pair[0]
    stored = made.body
    if members:
        delivery.erp.update(ERP_CUSTOMER, link.erp_number, update_body(members), etag=made.etag)
        stored = delivery.erp.get(ERP_CUSTOMER, link.erp_number).body
    work.see_erp(stored)
    work.see_severa(record.body)
    ours, theirs = replace(sides, erp=stored).values()
    base = {**settled_base({}, merged, ours, theirs), "customer_class": [theirs["customer_class"]] * 2}
    work.keep(link, base, numbered=False)
    without = plan.terms_without_counterpart(replace(sides, erp=stored), merged)
    if without is not None and ours["payment_term"]:
        work.after.say("customer.terms_not_sent", level="warning", name=record.name, **without)
    work.stored = (record.body, stored)
    finish(work, link)


def _look_up_erp(work: Work, sent: Json) -> Json | None:
    """The customer that an unanswered create made: equal to what was sent, and not older than the first attempt."""
    delivery, books = work.delivery, work.delivery.books
    name = unwrap(sent["name"])
    found = [
        row
        for row in delivery.erp.list(ERP_CUSTOMER, name=name)
        if _is_what_was_sent(row, sent)
        and created_after(read(row, "createdDateTime"), delivery.first_attempt_at, ERP_TIME_SLACK)
        and books.link("customer", erp_id=text(row, "internalId")) is None
    ]
    if len(found) > 1:
        # A person ends the doubt by deactivating the one that does not count.
        found = [row for row in found if text(row, "status") != "Inactive"] or found
    if len(found) > 1:
        numbers = ", ".join(text(row, "number") for row in found)
        raise InDoubt("customer.in_doubt", {"name": name, "numbers": numbers}, effects=work.after.effects())
    return {"number": text(found[0], "number")} if found else None


def _is_what_was_sent(row: Json, sent: Mapping[str, Any]) -> bool:
    if text(row, "name") != canonical(unwrap(sent["name"])):
        return False
    if code_key(text(row, "customerClass.id")) != code_key(unwrap(sent["customerClassId"])):
        return False
    address = unwrap(sent.get("mainAddress")) or {}
    there = erp_values(row)
    wanted = {
        "postal_code": unwrap(address.get("postalCode")),
        "city": unwrap(address.get("city")),
        "country": unwrap(address.get("countryId")),
    }
    return all(there[field] == value for field, value in wanted.items() if value is not None)


# ---------------------------------------------------------------- made in Severa


def _create_in_severa(work: Work, record: Record) -> None:
    delivery, books = work.delivery, work.delivery.books
    erp = delivery.erp.get(ERP_CUSTOMER, record.number).body
    body = plan.new_severa_customer(erp, work.terms(), work.currencies())
    if delivery.step(_CREATE_IN_SEVERA) is None:
        taken = books.find("severa", CUSTOMERS, name=record.name)
        if taken:
            raise Stop(
                "customer.name_taken", {"name": record.name, "number": record.number, "others": named(taken)}
            )
        work.free_number(body["number"], but="")
    delivery.hold_key(natural_key(record.body))
    result = create_once(
        delivery,
        _CREATE_IN_SEVERA,
        body,
        lambda permission: {
            "guid": text(delivery.severa.create(CUSTOMERS, body, not_after=permission.not_after), "guid")
        },
        lambda sent: _look_up_severa(work, sent),
    )
    severa = shown(delivery, _CREATE_IN_SEVERA, lambda: delivery.severa.get(CUSTOMERS, result["guid"]))
    link = _new_link(severa, erp)
    work.keep(link, {"customer_class": [text(erp, "customerClass.id")] * 2}, numbered=False)
    work.after.say("customer.created_in_severa", name=text(severa, "name"), number=text(erp, "number"))
    sides = work.sides(severa, erp, ())
    wanted = {**sides.values()[0], **addresses.erp_values(erp)}
    moves = addresses.moves(addresses.places(severa, ()), sides.values()[0], wanted)
    severa, places = placing.carry_out(work, severa, (), moves)
    sides = sides.with_bodies(severa, erp, places)
    ours, theirs = sides.values()
    base = {
        **settled_base({}, sides.merged(), ours, theirs),
        # Made from each other just now: what one side cannot hold is agreed to differ.
        **{name: [ours[name], theirs[name]] for name in addresses.FIELD_NAMES if name in ours},
        "customer_class": [theirs["customer_class"]] * 2,
    }
    step = delivery.step(_CREATE_IN_SEVERA)
    edited = _edited_since(step.request if step is not None else body, ours, theirs)
    work.keep(link, base | edited, numbered=False)
    if edited:
        work.after.announce.append(Announce("customer", "severa", CUSTOMERS, link.severa_id))
    work.see_severa(severa)
    work.see_erp(erp)
    work.stored = (severa, erp)
    finish(work, link)


def _edited_since(sent: Json, ours: Mapping[str, str], theirs: Mapping[str, str]) -> dict[str, list[str]]:
    """What a person has changed on either side since a create whose delivery never came to its end: its base is what was sent,
    so that the next delivery merges it as any edit."""
    made = severa_values(sent)
    return {
        name: [made[name], made[name]]
        for name in ("name", "vat_number", "email", "website")
        if name in ours
        and name in theirs
        and not (same_name(ours[name], made[name]) and theirs[name] == made[name])
    }


def _look_up_severa(work: Work, body: Json) -> Json | None:
    """The Severa customer that an unanswered create made. Names are unique there: another of this name is a problem."""
    delivery = work.delivery
    for row in delivery.severa.list(CUSTOMERS, customerNames=[body["name"]]):
        if not same_name(text(row, "name"), body["name"]):
            continue
        new = created_after(read(row, "createdDateTime"), delivery.first_attempt_at, SEVERA_TIME_SLACK)
        if new and text(row, "number") == str(body["number"]):
            return {"guid": text(row, "guid")}
        raise Stop(
            "customer.name_taken",
            {
                "name": body["name"],
                "number": body["number"],
                "others": f"{text(row, 'number')} {text(row, 'name')}",
            },
        )
    return None
