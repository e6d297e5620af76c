"""The customer's mapping as today's tables have it, answering under the names that 0.1.0's functions had."""

from __future__ import annotations

from typing import Any

from domain.customer.plan import (
    Sides,
    after_create,
    currency_differs,
    erp_members,
    new_erp_customer,
    new_severa_customer,
    terms_without_counterpart,
)
from domain.customer.plan import severa_members as members_of

__all__ = [
    "Sides",
    "after_create",
    "currency_differs",
    "erp_members",
    "new_erp_customer",
    "new_severa_customer",
    "severa_members",
    "terms_without_counterpart",
]


def severa_members(merged: Any, terms: Any) -> Any:
    """Members of a customer's patch; what may not be written over the body that is there is out of the merge already."""
    return members_of(merged, terms, {})
