"""Where an invoice's delivery begins and ends: the roles of the statuses, one attempt, and what it leaves behind."""

from __future__ import annotations

from domain.errors import Stop, TryLater, Waiting
from domain.invoice.booking import book
from domain.invoice.model import SeveraInvoice
from domain.invoice.phases import Rest
from domain.invoice.registers import STATUSES
from domain.invoice.work import Work
from domain.model import Json, Settled
from domain.ports import Delivery
from domain.setup.statuses import Roles, tenant_roles


def roles_of(delivery: Delivery) -> Roles:
    """The roles of the tenant's invoice statuses (R-STA-1).

    Raises Stop ``statuses.*`` when the set-up breaks a rule in Severa too, not only as it was last read; it waits for the
    statuses to change. TryLater before they were read to their end: that there are none is one of the rules.
    """
    records = delivery.books.all("severa", STATUSES)
    if not records and not delivery.books.complete("severa", STATUSES):
        raise TryLater("the invoice statuses have not been read yet", retry_after=30, costs_attempt=False)
    try:
        return _derived(delivery, [record.body for record in records])
    except Stop:
        pass
    try:
        return _derived(delivery, list(delivery.severa.list(STATUSES)))
    except Stop as stop:
        stop.waits_for = Waiting("reference", severa_id=STATUSES)
        raise


def _derived(delivery: Delivery, statuses: list[Json]) -> Roles:
    return tenant_roles(statuses, delivery.tenant.settings)


def settle(delivery: Delivery) -> Settled:
    """Brings one Severa invoice or credit note to rest: booked and numbered, failed, or left as it is.

    Raises Waiting (customer, project or item not there yet, project inactive), TryLater, OutcomeUnknown, Stop with the
    problem's code, InDoubt with candidates, ForeignWriter.
    """
    record = delivery.severa_record
    if record is None:
        return Settled()
    work = Work(delivery, roles_of(delivery), record.id, SeveraInvoice.of(record.body))
    rest = book(work)
    if rest.stop is not None:
        raise _ended(work, rest)
    return work.settled(problems_stay=rest.problems_stay)


def _ended(work: Work, rest: Rest) -> Stop:
    """The problem, with everything that happened on the way; it always names the customer."""
    stop = rest.stop or work.stop("invoice.refused")
    stop.effects = work.effects()
    stop.values = work.named() | {"invoice": work.guid} | stop.values
    return stop
