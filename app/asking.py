"""What of problems and transfer log is asked for, as people say it: a day in the tenant's zone, a cause, a record, a word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from db.log import Wanted
from db.tenants import Tenant
from domain import catalogue
from domain.errors import InputError

# At most so many rows are shown or printed at once.
MOST = 100_000
YEARS = range(2000, 2101)


@dataclass(frozen=True, slots=True)
class Asked:
    """As it was typed; None = any. ``since`` and ``until``: a day or a minute in the tenant's zone, the day of ``until`` included;
    ``search``: a part of number, name, id, cause, values, or of the cause's own text in the tenant's language."""

    domain: str | None = None
    level: str | None = None
    outcome: str | None = None
    cause: str | None = None
    record: str | None = None
    search: str | None = None
    since: str | None = None
    until: str | None = None

    def of(self, tenant: Tenant) -> Wanted:
        """For the database. Raises InputError: no such day, no such cause."""
        if self.cause is not None:
            _check_cause(self.cause)
        zone = ZoneInfo(tenant.time_zone)
        return Wanted(
            domain=self.domain,
            level=self.level,
            outcome=self.outcome,
            cause=self.cause,
            record=self.record and self.record.strip(),
            search=self.search,
            codes=() if self.search is None else _saying(self.search, tenant.language),
            since=None if self.since is None else _moment("--since", self.since, zone),
            until=None if self.until is None else _moment("--until", self.until, zone, ends=True),
        )


EVERYTHING = Asked()


def _moment(option: str, text: str, zone: ZoneInfo, *, ends: bool = False) -> datetime:
    """``2026-11-01`` or ``2026-11-01T14:30``; with ``ends`` a day's end. The same words as in the house: local time of the tenant."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or found.year not in YEARS:
        raise InputError(
            f"{option} cannot be '{text}': say a day such as 2026-11-01, or a time such as 2026-11-01T14:30, from {YEARS[0]} to {YEARS[-1]}."
        )
    # A day is over at its midnight in the zone, which is 23 or 25 hours away twice a year.
    if ends and len(text.strip()) == len("2026-11-01"):
        found += timedelta(days=1)
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


def _check_cause(cause: str) -> None:
    there = catalogue.sentences()
    if cause in there:
        return
    near = get_close_matches(cause, there, 3) or sorted(one for one in there if cause in one)[:3]
    meant = f" Did you mean {', '.join(near)}?" if near else ""
    raise InputError(f"There is no cause '{cause}': docs/problems.md lists them.{meant}")


def _saying(part: str, language: str) -> tuple[str, ...]:
    """Causes whose text says it: the sentences that people read are made here, and no column holds them."""
    wanted = part.casefold()
    texts = catalogue.sentences().items()
    return tuple(sorted(code for code, text in texts if wanted in text.fill(language, {}).casefold()))
