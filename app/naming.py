"""Settings that name records of Visma.net ERP: which register has them, and whether the one that is named is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from app.words import SYSTEM_NAMES
from db import records, streams
from db.tenant import TenantDb
from domain.errors import InputError
from domain.product.registers import INVENTORY, ITEM_CLASSES
from domain.reference import CREDIT_TERMS, CUSTOMER_CLASSES, VAT_CATEGORIES
from domain.text import code_key

# A setting (of a table its values) → the register of the ERP whose numbers it names.
NAMED: Mapping[str, str] = MappingProxyType(
    {
        "customer_class": CUSTOMER_CLASSES,
        "customer_class_eu": CUSTOMER_CLASSES,
        "customer_class_other": CUSTOMER_CLASSES,
        "item_class_product": ITEM_CLASSES,
        "item_class_work_type": ITEM_CLASSES,
        "item_class_travel_expense": ITEM_CLASSES,
        "credit_terms": CREDIT_TERMS,
        "fallback_items": INVENTORY,
        "fallback_vat_categories": VAT_CATEGORIES,
    }
)
# Of more than these nobody reads a list.
SHOWN = 30


def check(db: TenantDb, key: str, value: Any, warn: Callable[[str], None]) -> None:
    """Raises InputError for a name that the ERP does not have, with those it has. A register that was not read to its end
    says nothing of what is not in it: then the name is kept, and ``warn`` is given a sentence."""
    register = NAMED.get(key)
    if register is None:
        return
    there = {code_key(one.number): one.number for one in records.all_of(db, "visma_net", register)}
    missing = [name for name in _names(value) if code_key(name) not in there]
    if not missing:
        return
    read = streams.streams(db, "visma_net").get(register)
    erp = SYSTEM_NAMES["visma_net"]
    if read is None or read.complete_at is None or not there:
        warn(f"Whether {erp} has '{missing[0]}' is not known yet: its {register} was not read to the end.")
        return
    shown = sorted(there.values())
    more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
    raise InputError(
        f"'{key}' cannot be '{missing[0]}': {erp} does not have it in {register}. Choose from {', '.join(shown[:SHOWN])}{more}."
    )


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from (str(one) for one in value.values())
    elif value is not None:
        yield str(value)
