"""List queries: caller's filters as the vendor's query parameters, and the check that the server obeyed them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from connectors.listing import Row
from connectors.visma_net.errors import SYSTEM
from connectors.visma_net.register import DATE_ONLY, PAIRED, Register
from connectors.visma_net.rows import fits
from connectors.visma_net.times import filter_day, filter_time
from domain.errors import Refused
from domain.model import Filter, Json

AT_LEAST = ">="
_log = structlog.get_logger(__name__)

Parameter = str | int | Sequence[str | int]


@dataclass(frozen=True, slots=True)
class Query:
    """A list query of one register, ready to send and to be checked. ``filters`` without the Conditions."""

    register: Register
    filters: Mapping[str, Filter]
    conditions: Mapping[str, str]
    time_zone: str

    def parameters(self, page: int) -> dict[str, Parameter]:
        """The query parameters of a page (from 1), names as in the vendor's document."""
        sent: dict[str, Parameter] = {**self.register.always}
        for name, value in self.filters.items():
            sent[name] = self._text(name, value)
        for name, condition in self.conditions.items():
            sent[f"{name}Condition"] = condition
        if self.register.paging != "whole":
            sent["pageNumber"] = page
            sent["pageSize"] = self.register.page_size
        return sent

    def checked(self, rows: list[Row]) -> list[Row]:
        """The rows, all of which fit. Raises Refused when one does not: then the server ignored a filter, and nothing
        of the answer can be used."""
        for row in rows:
            foreign = self._foreign(row.body)
            if foreign:
                raise Refused(
                    f"filter ignored: {foreign}={self._text(foreign, self.filters[foreign])}",
                    system=SYSTEM,
                    status=200,
                    operation=f"GET {self.register.listing}",
                    filter=foreign,
                )
        return rows

    def fitting(self, rows: list[Row]) -> list[Row]:
        """The rows that fit; the others are left out and counted in the log (a poll reads on)."""
        kept = [row for row in rows if not self._foreign(row.body)]
        if len(kept) < len(rows):
            example = next(row.key for row in rows if self._foreign(row.body))
            _log.warning(
                "filter_ignored",
                system=SYSTEM,
                register=self.register.name,
                filters=sorted(self.filters),
                left_out=len(rows) - len(kept),
                example=example,
            )
        return kept

    def _foreign(self, row: Json) -> str:
        for name, wanted in self.filters.items():
            condition = self.conditions.get(name, "") or (AT_LEAST if name == self.register.changed else "")
            if not fits(
                row, name, wanted, condition=condition, register=self.register, time_zone=self.time_zone
            ):
                return name
        return ""

    def _text(self, name: str, value: Filter) -> str | list[str]:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, datetime):
            return (filter_day if name in DATE_ONLY else filter_time)(value, self.time_zone)
        if isinstance(value, str | int):
            return str(value)
        return [str(one) for one in value]


def query(register: Register, filters: Mapping[str, Filter], time_zone: str) -> Query:
    """The query for a caller's filters. Paired filters get ``>=`` unless their Condition is among the filters.

    Raises ValueError for a filter that the register does not have (the server would ignore it and answer with
    everything), and for a register without a list.
    """
    if not register.listing:
        raise ValueError(f"Visma.net ERP register '{register.name}' has no list")
    known = {*register.filters, *register.always}
    unknown = sorted(set(filters) - known)
    if unknown:
        raise ValueError(f"Visma.net ERP register '{register.name}' has no filter {', '.join(unknown)}")
    values: dict[str, Filter] = {}
    conditions: dict[str, str] = {}
    for name, value in filters.items():
        if name.endswith("Condition"):
            conditions[name.removesuffix("Condition")] = str(value)
        else:
            values[name] = value
    orphans = sorted(set(conditions) - set(values))
    if orphans:
        raise ValueError(f"a Condition without its filter: {', '.join(orphans)}")
    for name in values:
        if name in PAIRED and f"{name}Condition" in known:
            conditions.setdefault(name, AT_LEAST)
    return Query(register, values, conditions, time_zone)


def changes(register: Register, since: datetime | None, time_zone: str) -> Query:
    """The poller's query: what changed at or after a moment, or everything."""
    if since is None or register.changed is None:
        return query(register, dict(register.whole), time_zone)
    return query(register, {register.changed: since}, time_zone)
