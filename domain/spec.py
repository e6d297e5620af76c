"""What a domain is to everybody else: its name, whose matters it settles, how, and whether a record asks it for anything.

A leaf: domains describe themselves with it, ``domain.catalogue`` joins them, and nobody else knows them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from domain.model import Domain, Json, Settled, System
from domain.ports import Books, Delivery
from domain.setup.settings import TenantSettings

Asks = Callable[[System, str, Json, Books, TenantSettings], bool]


def _always(_system: System, _register: str, _body: Json, _books: Books, _settings: TenantSettings) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class DomainSpec:
    """One domain.

    name    what its queue, its rows and its problems are called
    matter  the domain whose matters it settles (a payment settles the invoice's)
    settle  brings one claimed matter to rest
    asks    pure: whether a record as it was just read or written asks this domain for anything; where it does not, no
            delivery is made (docs/never-twice.md rule 12)
    """

    name: Domain
    matter: Domain
    settle: Callable[[Delivery], Settled]
    asks: Asks = field(default=_always)
