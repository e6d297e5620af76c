"""A customer's other half is made: in the ERP (R-CUS-1, R-CUS-6) or in Severa."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from domain import sent
from domain.customer import addresses, placing, plan, since
from domain.customer.finishing import finish, new_link
from domain.customer.registers import CUSTOMERS, ERP_CUSTOMER, erp_values, natural_key
from domain.customer.work import Work
from domain.errors import InDoubt, OutcomeUnknown, Stop
from domain.mapper import read, text, unwrap, update_body
from domain.merge import Base, as_met, settled_base
from domain.model import Announce, Filter, Json, Link, Permission, Record
from domain.moves import (
    ERP_TIME_SLACK,
    SEVERA_TIME_SLACK,
    create_once,
    created_after,
    has_settled,
    named,
    shown,
)
from domain.text import canonical, code_key, same_name
from domain.values import record as _record

# The steps of the creates; what they mean to bring is kept under the same name (``domain.sent``).
IN_ERP = "create customer"
IN_SEVERA = "create in Severa"

# ---------------------------------------------------------------- made in the ERP


def in_erp(work: Work, record: Record) -> None:
    """Makes the ERP customer of a Severa customer, puts over it what its class gave otherwise, and links both.

    Raises Stop ``customer.*``, InDoubt, TryLater, OutcomeUnknown.
    """
    delivery = work.delivery
    sides = work.sides(record.body, {}, work.places(record.id))
    plan.country_listed(sides, record.name)
    values, _ = sides.values()
    customer_class = work.class_of(record.id, record.name, values.get("country", ""))
    request = update_body(plan.new_erp_customer(values, customer_class))

    def look_up(sent: Json) -> Json | None:
        return _look_up_erp(work, sent)

    def send(permission: Permission) -> Json:
        delivery.sending(since.meant(sides, values), {}, part=IN_ERP)
        number = delivery.erp.create(ERP_CUSTOMER, request, not_after=permission.not_after)
        # A create that answers without a key is done, but nothing says which customer it is.
        found = {"number": number} if number else look_up(request)
        if found is None:
            raise OutcomeUnknown("created, but not to be found yet")
        return found

    delivery.hold_key(natural_key(record.body))
    again = delivery.step(IN_ERP) is not None
    result = create_once(delivery, IN_ERP, request, send, look_up)
    made = work.with_note(shown(delivery, IN_ERP, lambda: delivery.erp.get(ERP_CUSTOMER, result["number"])))
    link = new_link(record.body, made.body)
    work.keep(link, {}, numbered=False)
    work.after.say(
        "customer.created_in_erp", name=record.name, number=link.erp_number, customer_class=customer_class
    )
    sides = replace(sides, erp=made.body)
    edited = _edited_in_erp(work, link, sides) if again else {}
    merged = plan.after_create(sides, but=edited)
    work.meeting(link, {name: pair[0] for name, pair in merged.agreed.items()}, {}, sides.values())
    members = plan.erp_members(merged.to_erp, sides.terms, made.body, sides.expected(merged), work.settings)
    pair = plan.currency_differs(record.body, made.body)
    if pair is not None:
        members["currencyId"] = pair[0]
    stored = made.body
    if members:
        delivery.erp.update(ERP_CUSTOMER, link.erp_number, update_body(members), etag=made.etag)
        stored = work.with_note(delivery.erp.get(ERP_CUSTOMER, link.erp_number)).body
    work.see_erp(stored)
    work.see_severa(record.body)
    ours, theirs = replace(sides, erp=stored).values()
    base = {
        **settled_base({}, merged, ours, theirs),
        **as_met("customer_class", theirs.get("customer_class", "")),
    }
    _keep_edited(work, link, base, edited)
    without = plan.terms_without_counterpart(replace(sides, erp=stored), merged)
    if without is not None and ours["payment_term"]:
        work.after.say("customer.terms_not_sent", level="warning", name=record.name, **without)
    work.stored = (record.body, stored)
    finish(work, link)


def _look_up_erp(work: Work, sent: Json) -> Json | None:
    """The customer that an unanswered create made: of the name and class that were sent, rather one with the address too, and not
    older than the first attempt."""
    name = unwrap(sent["name"])
    found = [row for row in _new_and_free(work, sent, name=name) if text(row, "name") == canonical(name)]
    # Somebody may have edited the address of the new one. That no other of this name was there was asked before it was made.
    settled = has_settled(work.delivery, IN_ERP)
    exact = [row for row in found if _has_the_address(row, sent)]
    found = exact or (found if settled else [])
    if len(found) > 1:
        # A person ends the doubt by deactivating the one that does not count.
        found = [row for row in found if text(row, "status") != "Inactive"] or found
    if len(found) > 1:
        numbers = [text(row, "number") for row in found]
        raise InDoubt("customer.in_doubt", {"name": name, "numbers": numbers}, effects=work.after.effects())
    if not found and settled:
        _not_renamed(work, sent, name)
    return {"number": text(found[0], "number")} if found else None


def _not_renamed(work: Work, sent: Json, name: str) -> None:
    """Raises InDoubt ``customer.in_doubt_renamed`` when a customer of another name was made since, with just the address that was
    sent: it may be the one, renamed, and a second create would make it twice."""
    since_then = work.delivery.first_attempt_at - ERP_TIME_SLACK
    found = [
        row
        for row in _new_and_free(work, sent, createdDateTime=since_then)
        if text(row, "status") != "Inactive"
        and sent.get("mainAddress")
        and _has_the_address(row, sent)
        and text(row, "mainAddress.addressLine1")
        == canonical(unwrap(unwrap(sent["mainAddress"]).get("addressLine1")))
    ]
    if found:
        values = {
            "name": name,
            "candidates": [_record(text(row, "number"), text(row, "name")) for row in found],
        }
        raise InDoubt("customer.in_doubt_renamed", values, effects=work.after.effects())


def _new_and_free(work: Work, sent: Json, **filters: Filter) -> list[Json]:
    """ERP customers of the class that was sent that are nobody's yet and not older than the first attempt."""
    delivery = work.delivery
    return [
        row
        for row in delivery.erp.list(ERP_CUSTOMER, **filters)
        if code_key(text(row, "customerClass.id")) == code_key(unwrap(sent["customerClassId"]))
        and created_after(read(row, "createdDateTime"), delivery.first_attempt_at, ERP_TIME_SLACK)
        and delivery.books.link("customer", erp_id=text(row, "internalId")) is None
    ]


def _has_the_address(row: Json, sent: Mapping[str, Any]) -> bool:
    """Whether the main address is what was sent of it; without one nothing tells."""
    address = unwrap(sent.get("mainAddress")) or {}
    there = erp_values(row)
    wanted = {
        "postal_code": unwrap(address.get("postalCode")),
        "city": unwrap(address.get("city")),
        "country": unwrap(address.get("countryId")),
    }
    told = {field: value for field, value in wanted.items() if value is not None}
    return all(there[field] == value for field, value in told.items())


# ---------------------------------------------------------------- made in Severa


def in_severa(work: Work, record: Record) -> None:
    """Makes the Severa customer of an ERP customer with its addresses, and links both.

    Raises Stop ``customer.*``, TryLater, OutcomeUnknown.
    """
    delivery, books = work.delivery, work.delivery.books
    erp = work.with_note(delivery.erp.get(ERP_CUSTOMER, record.number)).body
    body = plan.new_severa_customer(erp, work.terms(), work.currencies())
    if delivery.step(IN_SEVERA) is None:
        taken = books.find("severa", CUSTOMERS, name=record.name)
        if taken:
            raise Stop(
                "customer.name_taken", {"name": record.name, "number": record.number, "others": named(taken)}
            )
        work.free_number(body["number"], but="")
    delivery.hold_key(natural_key(record.body))
    again = delivery.step(IN_SEVERA) is not None
    blank = work.sides({}, erp, ())

    def send(permission: Permission) -> Json:
        delivery.sending({}, since.meant(blank, blank.values()[1]), part=IN_SEVERA)
        return {"guid": text(delivery.severa.create(CUSTOMERS, body, not_after=permission.not_after), "guid")}

    result = create_once(delivery, IN_SEVERA, body, send, lambda sent: _look_up_severa(work, sent))
    severa = shown(delivery, IN_SEVERA, lambda: delivery.severa.get(CUSTOMERS, result["guid"]))
    link = new_link(severa, erp)
    work.keep(link, as_met("customer_class", text(erp, "customerClass.id")), numbered=False)
    work.after.say("customer.created_in_severa", name=text(severa, "name"), number=text(erp, "number"))
    places = work.places(link.severa_id, fresh=True) if again else ()
    sides = work.sides(severa, erp, places)
    edited = _edited_in_severa(work, link, sides) if again else {}
    own = since.meant(sides, sides.values()[1])
    work.meeting(link, {}, {name: one for name, one in own.items() if name not in edited}, sides.values())
    severa, places = _placed(work, sides, edited)
    sides = sides.with_bodies(severa, erp, places)
    ours, theirs = sides.values()
    base = {
        **settled_base({}, sides.merged(), ours, theirs),
        # Made from each other just now: what one side cannot hold is agreed to differ.
        **{name: [ours[name], theirs[name]] for name in addresses.FIELD_NAMES if name in ours},
        **as_met("customer_class", theirs.get("customer_class", "")),
    }
    _keep_edited(work, link, base, {**edited, **work.edited})
    work.see_severa(severa)
    work.see_erp(erp)
    work.stored = (severa, erp)
    finish(work, link)


def _placed(work: Work, sides: plan.Sides, edited: Base) -> tuple[Json, tuple[Json, ...]]:
    """Makes the addresses of a Severa customer as the ERP has them, but for what somebody ``edited`` since it was made."""
    now = sides.values()[0]
    wanted = {name: value for name, value in addresses.erp_values(sides.erp).items() if name not in edited}
    held = addresses.places(sides.severa, sides.places)
    severa, places = placing.carry_out(
        work, sides.severa, sides.places, addresses.moves(held, now, {**now, **wanted})
    )
    main = held["main"]
    if main is not None and not read(severa, "headquarterAddress"):
        # An earlier attempt made it and went no further.
        severa = placing.headquarter(work, severa, text(main, "guid"))
    return severa, places


# ---------------------------------------------------------------- edited since


def _edited_in_erp(work: Work, link: Link, sides: plan.Sides) -> Base:
    so_far = work.delivery.sent_so_far
    return since.in_erp(sides, so_far.get(IN_ERP, {}), so_far.get(sent.met(link.severa_id, link.erp_id), {}))


def _edited_in_severa(work: Work, link: Link, sides: plan.Sides) -> Base:
    step = work.delivery.step(IN_SEVERA)
    body = step.request if step is not None else {}
    so_far = work.delivery.sent_so_far
    return since.in_severa(
        sides, body, so_far.get(IN_SEVERA, {}), so_far.get(sent.met(link.severa_id, link.erp_id), {})
    )


def _keep_edited(work: Work, link: Link, base: Base, edited: Base) -> None:
    """The pair with its first base. What somebody edited since the create keeps what was sent for its base: the next delivery
    merges it as any edit (R-CON-1)."""
    work.keep(link, base | edited, numbered=False)
    if edited:
        work.after.announce.append(Announce("customer", "severa", CUSTOMERS, link.severa_id))


def _look_up_severa(work: Work, body: Json) -> Json | None:
    """The Severa customer that an unanswered create made, by the number that was made free for it: somebody may have renamed it
    since. Names are unique there: another of this name is a problem."""
    delivery = work.delivery
    for row in delivery.severa.list(CUSTOMERS, numbers=[body["number"]]):
        new = created_after(read(row, "createdDateTime"), delivery.first_attempt_at, SEVERA_TIME_SLACK)
        if new and text(row, "number") == str(body["number"]):
            return {"guid": text(row, "guid")}
    for row in delivery.severa.list(CUSTOMERS, customerNames=[body["name"]]):
        if not same_name(text(row, "name"), body["name"]):
            continue
        raise Stop(
            "customer.name_taken",
            {
                "name": body["name"],
                "number": body["number"],
                "others": [_record(text(row, "number"), text(row, "name"))],
            },
        )
    return None
