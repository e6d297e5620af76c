"""A row of a document's mapping (invoices, payments, costs), for the pages; registers kept on both sides have ``domain.table``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Direction = Literal["→", "←", "↔"]
Owner = Literal["severa", "visma_net", "rule"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field in both systems.

    ``severa`` and ``erp`` are dotted paths in the bodies as read ('' = kept in the bridge or constant); ``erp_write`` is the
    dotted path in the update DTO where it differs (leaves are wrapped ``{"value": …}`` by the mapper). ``conversion`` names the
    rule that makes the two comparable, ``owner`` who wins when both changed ('rule' = the tenant's rule, R-CON-1).
    """

    name: str
    severa: str
    erp: str
    direction: Direction
    conversion: str = "text"
    owner: Owner = "rule"
    erp_write: str | None = None
    note: str = ""
