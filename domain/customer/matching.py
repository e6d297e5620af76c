"""Finding the other half of a customer at first meeting (R-CUS-5).

Number and name agree → the same. Name and organisation (or VAT) number agree with exactly one candidate → the same.
Only the name, only the organisation, or several candidates → a person decides. A number alone means nothing: the two
series collide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from domain.customer.plan import is_internal, same_number
from domain.customer.registers import same_company
from domain.customer.table import ACTIVE_BY_STATUS
from domain.errors import Stop, Waiting
from domain.mapper import flag, read, text
from domain.model import Record
from domain.moves import named
from domain.text import same_name

Free = Callable[[Record], bool]


def erp_half(record: Record, erp_customers: Iterable[Record], free: Free) -> Record | None:
    """The ERP customer of a Severa customer among those that are free, None if there is none.

    ``free`` says whether a candidate is not linked yet. Raises Stop ``customer.ambiguous`` naming the candidates.
    """
    names: list[Record] = []
    organisations: list[Record] = []
    for other in erp_customers:
        if same_name(record.name, other.name):
            names += [other] if free(other) else []
        elif same_company(record, other):
            organisations += [other] if free(other) else []
    names = _preferred(names, lambda one: ACTIVE_BY_STATUS.get(text(one.body, "status"), True))
    numbered = [other for other in names if same_number(record.number, other.number)]
    if len(numbered) == 1:
        return numbered[0]
    certain = [other for other in names if same_company(record, other)]
    if len(certain) == 1:
        return certain[0]
    candidates = [*names, *organisations]
    if not candidates:
        return None
    raise Stop(
        "customer.ambiguous",
        {"name": record.name, "number": record.number, "candidates": named(candidates)},
        # Whoever renames, deletes or links it there has answered, too.
        waits_for=Waiting("customer", erp_id=candidates[0].id, name=candidates[0].name),
    )


def severa_half(
    record: Record, severa_customers: Iterable[Record], free: Free
) -> tuple[Record | None, Record | None]:
    """The Severa customer of an ERP customer among those that are free, and else one that may be it.

    The second is a candidate about which a person decides: its own problem names both (the rules are the same seen
    from either side). The internal customer is nobody's half (R-CUS-2).
    """
    names: list[Record] = []
    organisations: list[Record] = []
    for other in severa_customers:
        if is_internal(other.body):
            continue
        if same_name(record.name, other.name):
            names += [other] if free(other) else []
        elif same_company(other, record):
            organisations += [other] if free(other) else []
    names = _preferred(names, lambda one: flag(read(one.body, "isActive")))
    numbered = [other for other in names if same_number(other.number, record.number)]
    if len(numbered) == 1:
        return numbered[0], None
    certain = [other for other in names if same_company(other, record)]
    if len(certain) == 1:
        return certain[0], None
    return None, next(iter([*names, *organisations]), None)


def _preferred(records: list[Record], active: Callable[[Record], bool]) -> list[Record]:
    """The active ones of several customers of one name, all of them when none is active (R-CUS-5)."""
    return [record for record in records if active(record)] or records
