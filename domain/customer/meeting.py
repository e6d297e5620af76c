"""The first meeting of a customer: find its other half or make it (R-CUS-1, R-CUS-4, R-CUS-5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from domain.customer import matching, plan
from domain.customer.fields import (
    ADDRESS_FIELDS,
    ADDRESSES,
    CUSTOMERS,
    ERP_CUSTOMER,
    HEADQUARTER_REFERENCE,
    erp_values,
    severa_values,
)
from domain.customer.work import Work
from domain.errors import InDoubt, OutcomeUnknown, Refused, Stop, Waiting
from domain.mapper import patch, read, text, unwrap, update_body
from domain.merge import settled_base
from domain.moves import (
    ERP_TIME_SLACK,
    SEVERA_TIME_SLACK,
    create_once,
    created_after,
    named,
    told,
    wait_until_read,
)
from domain.ports import Json, Link, Record, Stored
from domain.text import same_name

_CREATE_IN_ERP = "create customer"
_CREATE_IN_SEVERA = "create in Severa"


def from_severa(work: Work, record: Record) -> None:
    """A Severa customer without a link: find or make the ERP customer, and write the ERP's number back."""
    delivery, books = work.delivery, work.delivery.books
    if plan.is_internal(record.body) or books.link("customer", severa_id=record.id) is not None:
        return
    wait_until_read(books, ("severa", CUSTOMERS), ("visma_net", ERP_CUSTOMER))
    # Once a create was sent, what a poll finds under our name may be our own: only the look-up decides.
    if delivery.step(_CREATE_IN_ERP) is None:
        half = matching.erp_half(
            record,
            books.all("visma_net", ERP_CUSTOMER),
            lambda other: books.link("customer", erp_id=other.id) is None,
        )
        if half is not None:
            _link_both(work, record.body, delivery.erp.get(ERP_CUSTOMER, half.number))
            return
    _create_in_erp(work, record)


def from_erp(work: Work, record: Record) -> None:
    """An ERP customer without a link: find or make the Severa customer. Inactive ones stay where they are (R-CUS-3)."""
    delivery, books = work.delivery, work.delivery.books
    if text(record.body, "status") == "Inactive" or books.link("customer", erp_id=record.id) is not None:
        return
    wait_until_read(books, ("severa", CUSTOMERS), ("visma_net", ERP_CUSTOMER))
    if delivery.step(_CREATE_IN_SEVERA) is None:
        half, maybe = matching.severa_half(
            record,
            books.all("severa", CUSTOMERS),
            lambda other: books.link("customer", severa_id=other.id) is None,
        )
        if half is not None:
            _link_both(
                work, delivery.severa.get(CUSTOMERS, half.id), delivery.erp.get(ERP_CUSTOMER, record.number)
            )
            return
        if maybe is not None:
            # That one asks the question itself, or is being created in the ERP right now: this may be its half.
            raise Waiting("customer", severa_id=maybe.id, name=maybe.name)
    _create_in_severa(work, record)


# ---------------------------------------------------------------- both exist


def _link_both(work: Work, severa: Json, erp: Stored) -> None:
    """Links two customers that are the same; what differs stays until one side changes it (R-CON-1)."""
    sides = plan.Sides(severa, erp.body, work.terms(), work.countries())
    merged = sides.merged()
    ours, theirs = sides.values()
    base = {**settled_base({}, merged, ours, theirs), "customer_class": [theirs["customer_class"]] * 2}
    work.keep(_new_link(severa, erp.body), base, numbered=False)
    work.see_erp(erp.body)
    work.see_severa(severa)
    work.after.say("customer.linked", name=text(severa, "name"), number=text(erp.body, "number"))
    told(work.after, "customer", text(severa, "name"), merged)
    work.number_back(severa, erp.body)
    currency_stop(work, severa, erp.body)


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
    address = _visit_address(work, record.body)
    countries = work.countries()
    sides = plan.Sides(record.body, {}, work.terms(), countries, address=address)
    unresolved = sides.unresolved_country()
    if unresolved:
        raise Stop("customer.country_unknown", {"name": record.name, "country": unresolved})
    values, _ = sides.values()
    customer_class = work.class_of(record.id, record.name)
    request = update_body(plan.new_erp_customer(values, customer_class))

    def look_up(sent: Json) -> Json | None:
        return _look_up_erp(work, sent)

    def send() -> Json:
        number = delivery.erp.create(ERP_CUSTOMER, request)
        # A create that answers without a key is done, but nothing says which customer it is.
        found = {"number": number} if number else look_up(request)
        if found is None:
            raise OutcomeUnknown("created, but not to be found yet")
        return found

    result = create_once(delivery, _CREATE_IN_ERP, request, send, look_up)
    made = delivery.erp.get(ERP_CUSTOMER, result["number"])
    link = _new_link(record.body, made.body)
    work.keep(link, {}, numbered=False)
    work.after.say(
        "customer.created_in_erp", name=record.name, number=link.erp_number, customer_class=customer_class
    )
    sides = replace(sides, erp=made.body)
    merged = plan.after_create(sides)
    members: dict[str, Any] = plan.erp_members(merged, sides.terms)
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
    work.number_back(record.body, stored)


def _visit_address(work: Work, severa: Json) -> Json | None:
    """The address to use when the customer has no headquarter address: the first created one for visits."""
    if read(severa, "headquarterAddress"):
        return None
    rows = [
        row
        for row in work.delivery.severa.list(ADDRESSES, parent=text(severa, "guid"))
        if read(row, "isVisitAddress") is True
    ]
    return min(rows, key=lambda row: text(row, "createdDateTime"), default=None)


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
        numbers = ", ".join(text(row, "number") for row in found)
        raise InDoubt("customer.in_doubt", {"name": name, "numbers": numbers}, effects=work.after.effects())
    return {"number": text(found[0], "number")} if found else None


def _is_what_was_sent(row: Json, sent: Mapping[str, Any]) -> bool:
    if text(row, "name") != unwrap(sent["name"]) or text(row, "customerClass.id") != unwrap(
        sent["customerClassId"]
    ):
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
    terms, countries = work.terms(), work.countries()
    body = plan.new_severa_customer(erp, terms, work.currencies())
    if delivery.step(_CREATE_IN_SEVERA) is None:
        taken = books.find("severa", CUSTOMERS, name=record.name)
        if taken:
            raise Stop(
                "customer.name_taken", {"name": record.name, "number": record.number, "others": named(taken)}
            )
        work.free_number(body["number"], but="")
    result = create_once(
        delivery,
        _CREATE_IN_SEVERA,
        body,
        lambda: {"guid": text(delivery.severa.create(CUSTOMERS, body), "guid")},
        lambda _sent: _look_up_severa(work, body),
    )
    guid = result["guid"]
    _address_in_severa(work, guid, erp, countries)
    severa = delivery.severa.get(CUSTOMERS, guid)
    severa = _headquarter(work, severa)
    sides = plan.Sides(severa, erp, terms, countries)
    ours, theirs = sides.values()
    base = {
        **settled_base({}, sides.merged(), ours, theirs),
        "customer_class": [theirs["customer_class"]] * 2,
    }
    work.keep(_new_link(severa, erp), base, numbered=False)
    work.see_severa(severa)
    work.see_erp(erp)
    work.after.say("customer.created_in_severa", name=text(severa, "name"), number=text(erp, "number"))
    work.number_back(severa, erp)


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


def _address_in_severa(work: Work, guid: str, erp: Json, countries: tuple[Json, ...]) -> None:
    address = plan.new_address(erp, countries)
    if address is None:
        return
    delivery = work.delivery
    wanted = severa_values({}, address)

    def look_up(_sent: Json) -> Json | None:
        for row in delivery.severa.list(ADDRESSES, parent=guid):
            found = severa_values({}, row)
            if all(found.get(name) == wanted[name] for name in ADDRESS_FIELDS if name != "country"):
                return {"guid": text(row, "guid")}
        return None

    create_once(
        delivery,
        "create address",
        address,
        lambda: {"guid": text(delivery.severa.create(ADDRESSES, address, parent=guid), "guid")},
        look_up,
    )


def _headquarter(work: Work, severa: Json) -> Json:
    """Makes the new address the headquarter's, unless Severa did so itself."""
    step = work.delivery.step("create address")
    if step is None or not step.done or text(severa, "headquarterAddress.guid"):
        return severa
    try:
        return work.delivery.severa.patch(
            CUSTOMERS, text(severa, "guid"), patch({HEADQUARTER_REFERENCE: step.result["guid"]})
        )
    except Refused as error:
        # The address is there; only its place on the customer's page is not.
        work.after.say(
            "customer.address_not_main", level="warning", name=text(severa, "name"), text=error.message
        )
        return severa
