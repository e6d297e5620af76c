"""The end of a customer's delivery: its number, its contacts, then what a person must look at."""

from __future__ import annotations

from collections.abc import Sequence

from domain import sent
from domain.customer import plan, writing
from domain.customer.people import People, Trouble
from domain.customer.registers import CUSTOMERS, ERP_CUSTOMER
from domain.customer.work import Work
from domain.errors import Stop
from domain.mapper import text
from domain.merge import Difference
from domain.model import Json, Link
from domain.moves import pairs


def new_link(severa: Json, erp: Json) -> Link:
    """The pair of two customers, before anything is agreed on."""
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
    # Before there is a pair the matter alone knows what was sent to its contacts.
    state = {**state, sent.KEY: {**work.delivery.sent_so_far, **(state.get(sent.KEY) or {})}}
    return People(work, link.severa_id, (link.erp_number, text(erp, "number")), state)


def trouble_stop(work: Work, name: str, trouble: Trouble) -> None:
    """Raises Stop ``customer.conflict``, ``customer.ping_pong`` or ``customer.contact_refused``."""
    if trouble.conflicts:
        raise work.after.stop("customer.conflict", name=name, fields=trouble.conflicts)
    if trouble.halted:
        raise work.after.stop("customer.ping_pong", name=name, fields=trouble.halted)
    if trouble.refused:
        raise work.after.stop("customer.contact_refused", name=name, text="; ".join(trouble.refused))


def outcome_stop(work: Work, name: str, number: str, outcome: writing.Outcome) -> None:
    """Raises Stop ``customer.side_effect``, ``customer.balance`` or ``customer.status_kept``."""
    if outcome.side_effects:
        raise work.after.stop("customer.side_effect", name=name, fields=list(outcome.side_effects))
    if outcome.owed:
        raise work.after.stop("customer.balance", name=name, number=number, balance=outcome.owed)
    if outcome.kept_status:
        raise work.after.stop("customer.status_kept", name=name, number=number, status=outcome.kept_status)


def differs_stop(work: Work, name: str, differs: Sequence[Difference]) -> None:
    """Raises Stop ``customer.met_differently``: both met with different values, and a person must decide (R-CON-1)."""
    if differs:
        raise work.after.stop("customer.met_differently", name=name, fields=pairs(differs))


def currency_stop(work: Work, severa: Json, erp: Json) -> None:
    """Raises Stop ``customer.currency_differs`` when both have a currency and not the same."""
    pair = plan.currency_differs(severa, erp)
    if pair is not None:
        raise work.after.stop(
            "customer.currency_differs", name=text(severa, "name"), severa=pair[0], erp=pair[1]
        )
