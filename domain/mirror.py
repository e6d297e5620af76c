"""Functions for registers that are kept on both sides: each side as it is now, who may have taken a lost one's place, and what a
merge leaves with the link.

A description (``Mirror``) is what tells one register from the other here. First meetings and creation are plain code in each
domain: they differ in what they are about.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain import merge, sent, values
from domain.errors import NotFound, Stop, TryLater
from domain.merge import Base, Difference, FieldRule, Merge
from domain.model import Chosen, Domain, Json, Link, Record, Stored, System
from domain.moves import Aftermath, asked_twice, severa_now
from domain.ports import Books, Delivery

ASKED = "differs"
"""Where a link's state keeps what a person is asked about since both met: field → [severa, erp]."""

Gone = Callable[[Delivery, Link, System, Json | None], Stop]
"""The problem of a link's record that a system does not have any more; what the ERP showed in its place, if it showed anything."""

Rivals = Callable[[Books, System, str], Sequence[Record]]
"""The records of a system that have a number, as last read."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """What tells one register from the others. ``register``: of the ERP; ``identify``: the internal id that a body of it shows."""

    domain: Domain
    register: str
    identify: Callable[[Json], str]
    gone: Gone


def by_number(domain: Domain, named: str, rivals: Rivals) -> Gone:
    """``<domain>.gone``, or ``<domain>.merged`` where one free record has the number of the lost one (R-CUS-8). ``named``: what the
    domain's problems call a number."""

    def gone(delivery: Delivery, link: Link, system: System, _became: Json | None) -> Stop:
        books = delivery.books
        severa = system == "severa"
        own, number = (link.severa_id, link.severa_number) if severa else (link.erp_id, link.erp_number)
        free = [
            one
            for one in rivals(books, system, number)
            if one.id != own and link_of(books, domain, one) is None
        ]
        told: dict[str, Any] = {named: number, "system": system}
        if len(free) != 1:
            return Stop(f"{domain}.gone", told)
        return Stop(f"{domain}.merged", {**told, **heir(link, free[0])})

    return gone


def link_of(books: Books, domain: Domain, record: Record) -> Link | None:
    """The link that a record is half of."""
    if record.system == "severa":
        return books.link(domain, severa_id=record.id)
    return books.link(domain, erp_id=record.id)


def heir(link: Link, record: Record) -> dict[str, Any]:
    """What a problem tells of the record that may take a lost one's place, and the pair that this would make."""
    pair = (record.id, link.erp_id) if record.system == "severa" else (link.severa_id, record.id)
    return {
        "heir": values.record(record.number, record.name),
        "relink": {"severa_id": pair[0], "erp_id": pair[1]},
    }


# ------------------------------------------------------------ each side as it is now


def in_severa(mirror: Mirror, delivery: Delivery, link: Link) -> Json:
    """A link's Severa record as it is now. Raises ``Mirror.gone`` once its absence counts, TryLater until then."""
    try:
        return severa_now(delivery, link.severa_register, link.severa_id)
    except NotFound as error:
        raise mirror.gone(delivery, link, "severa", None) from error


def in_erp(mirror: Mirror, delivery: Delivery, link: Link) -> Stored:
    """A link's ERP record as it is now: by the number last seen, else by its internal id, which it keeps when it is renumbered.
    One or two calls.

    Links stand on internal ids, and what is answered for an id is believed only when it shows that id: after a merge the old id
    may answer with the record that took its place, and writing there would put one's data on another's. Raises ``Mirror.gone``,
    TryLater until an absence counts.
    """
    try:
        found = asked_twice(
            delivery, "visma_net", mirror.register, link.erp_id, lambda: _shown(mirror, delivery, link)
        )
    except NotFound as error:
        raise mirror.gone(delivery, link, "visma_net", None) from error
    if mirror.identify(found.body) != link.erp_id:
        raise mirror.gone(delivery, link, "visma_net", found.body)
    return found


def _shown(mirror: Mirror, delivery: Delivery, link: Link) -> Stored:
    try:
        found = delivery.erp.get(mirror.register, last_number(delivery, link))
        if mirror.identify(found.body) == link.erp_id:
            return found
    except NotFound:
        pass
    return by_internal_id(mirror, delivery, link)


def last_number(delivery: Delivery, link: Link) -> str:
    """The number that the ERP knows a link's record by, as last seen: a renumbered one is known by its new number only (R-CUS-8)."""
    record = delivery.books.record("visma_net", link.erp_register, link.erp_id)
    return record.number if record is not None and record.number else link.erp_number


def by_internal_id(mirror: Mirror, delivery: Delivery, link: Link) -> Stored:
    """What the ERP shows for a link's internal id: the record itself or, after a merge, another one; its id tells. Raises NotFound,
    TryLater when it shows none."""
    found = delivery.erp.get(f"{mirror.register}/internal", link.erp_id)
    if not mirror.identify(found.body):
        raise TryLater(f"a record of {mirror.register} was answered without its id", costs_attempt=True)
    return found


# ------------------------------------------------------------ what a merge leaves with the link


def agreed(link: Link, rule: str) -> Mapping[str, Any]:
    """The base that a link is merged by. The tenant's rule decides now what a person was asked about when both met."""
    asked = link.state.get(ASKED) or {} if rule in ("severa", "visma_net") else {}
    return {name: pair for name, pair in link.base.items() if name not in asked}


def carried_before(link: Link) -> Collection[str]:
    """Fields that a link had before the table gained others (``Table.rules``); one that was never written has none."""
    return merge.carried_before(link.base, link.state) if link.id else ()


def settled(state: Mapping[str, Any], rules: Mapping[str, FieldRule], base: Base) -> dict[str, Any]:
    """The state beside a new base: what was sent is told by it, and what it lacks is named."""
    left = {name: kept for name, kept in sent.settled(state).items() if name != merge.UNAGREED}
    return left | merge.unagreed(rules, base)


def asking(state: Mapping[str, Any], differs: Collection[Difference]) -> dict[str, Any]:
    """The state with what a person is asked about since both met; none = nothing is asked any more."""
    left = {name: kept for name, kept in state.items() if name != ASKED}
    return left | {ASKED: {one.field: [one.severa, one.erp] for one in differs}} if differs else left


def still_asked(
    state: Mapping[str, Any],
    met: Mapping[str, list[str]],
    ours: Mapping[str, str],
    theirs: Mapping[str, str],
) -> tuple[Difference, ...]:
    """What a person is asked about and neither side has touched since: as kept, and as both just ``met``."""
    return merge.still_differing({**(state.get(ASKED) or {}), **met}, ours, theirs)


def met_by_link(link: Link, merged: Merge) -> dict[str, list[str]]:
    """What a person is asked about since both met just now. A link that a person moved was decided by a person, who saw both: what
    differs then is only said."""
    return {} if link.id else merge.met_differently(merged)


def class_taken_over(
    after: Aftermath,
    mirror: Mirror,
    link: Link,
    merged: Merge,
    field: str,
    before: str | None,
    *,
    told: Mapping[str, Any],
) -> tuple[Merge, str | None]:
    """The class that somebody changed in the ERP is the choice from now on (R-CUS-6, R-PRD-4): the merge without it, and the
    choice as it stands now."""
    merged, chosen = merge.taken_over(merged, field)
    if chosen is None:
        return merged, before
    after.chosen.append(Chosen(mirror.domain, link.severa_id, chosen, before))
    after.say(f"{mirror.domain}.class_taken_over", **{**told, field: chosen})
    return merged, chosen
