"""A linked customer that is not there any more: gone, or merged into another (R-CUS-8)."""

from __future__ import annotations

from domain import mirror, values
from domain.customer.registers import CUSTOMERS, ERP_CUSTOMER, organisation_of, same_company
from domain.errors import Stop
from domain.mapper import flag, read, text
from domain.model import Json, Link, Record, System
from domain.ports import Delivery


def gone(delivery: Delivery, link: Link, system: System, became: Json | None) -> Stop:
    """The problem of a linked customer that is not there any more: merged into another, if one can be named.

    ``became``: the customer that the ERP shows in its place. Two customers that are both linked are never joined: then
    a person decides which Severa customer goes on.
    """
    heir = _shown(delivery, became) if became is not None else heir_of(delivery, link, system)
    if heir is None and system == "visma_net":
        heir = _linked_heir(delivery, link)
    if heir is None:
        return Stop("customer.gone", {"number": link.erp_number, "system": system})
    return Stop(*merged(delivery, link, system, heir))


def merged(delivery: Delivery, link: Link, system: System, heir: Record) -> tuple[str, Json]:
    """Code and values of the problem that a linked customer seems to have been merged into another."""
    told = {"number": link.erp_number, "system": system, **mirror.heir(link, heir)}
    other = mirror.link_of(delivery.books, "customer", heir)
    if other is not None:
        return "customer.merged_linked", {
            **{name: one for name, one in told.items() if name != "relink"},
            "own": _named(delivery, link, system),
            "other": _named(delivery, other, system),
        }
    return "customer.merged", told


def heir_of(delivery: Delivery, link: Link, system: System) -> Record | None:
    """The one customer of the same system that may have taken this one's place: same organisation number, or same name;
    active and not linked to another. None when there is none or several."""
    free = [
        one
        for one in _candidates(delivery, link, system)
        if _is_active(one) and mirror.link_of(delivery.books, "customer", one) is None
    ]
    return free[0] if len(free) == 1 else None


def same_organisation(delivery: Delivery, link: Link, system: System, heir: Record) -> bool:
    """A customer made inactive may simply be inactive: only the same organisation number speaks of a merge."""
    record = _record(delivery, link, system)
    return record is not None and same_company(record, heir)


def _linked_heir(delivery: Delivery, link: Link) -> Record | None:
    """The ERP customer of another link that has this one's organisation number: the ERP merged two that are linked."""
    found = [
        one
        for one in _candidates(delivery, link, "visma_net")
        if _is_active(one) and same_organisation(delivery, link, "visma_net", one)
    ]
    return found[0] if len(found) == 1 else None


def _candidates(delivery: Delivery, link: Link, system: System) -> list[Record]:
    books = delivery.books
    register = CUSTOMERS if system == "severa" else ERP_CUSTOMER
    own = link.severa_id if system == "severa" else link.erp_id
    found: dict[str, Record] = {}
    for known in (_record(delivery, link, "severa"), _record(delivery, link, "visma_net")):
        if known is None:
            continue
        number = organisation_of(known)
        if number:
            alike = books.find(system, register, organisation=number)
            found |= {one.id: one for one in alike if same_company(known, one)}
        found |= {one.id: one for one in books.find(system, register, name=known.name)}
    return [one for one in found.values() if one.id != own]


def _record(delivery: Delivery, link: Link, system: System) -> Record | None:
    if system == "severa":
        return delivery.books.record("severa", link.severa_register, link.severa_id)
    return delivery.books.record("visma_net", link.erp_register, link.erp_id)


def _shown(delivery: Delivery, body: Json) -> Record:
    """A customer as the ERP just answered it."""
    return Record(
        "visma_net",
        ERP_CUSTOMER,
        text(body, "internalId"),
        text(body, "number"),
        text(body, "name"),
        body,
        0,
        None,
        delivery.now(),
    )


def _is_active(record: Record) -> bool:
    if record.system == "severa":
        return flag(read(record.body, "isActive"))
    return text(record.body, "status") != "Inactive"


def _named(delivery: Delivery, link: Link, system: System) -> Json:
    """The half of a link in the system that did not merge anything."""
    other: System = "visma_net" if system == "severa" else "severa"
    record = _record(delivery, link, other)
    if record is None:
        return values.record(link.erp_number if other == "visma_net" else link.severa_number, "")
    return values.record(record.number, record.name)
