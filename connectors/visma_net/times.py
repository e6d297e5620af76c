"""The ERP's times: written and read without a zone, in the server's local time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

SERVER_ZONE = "Europe/Stockholm"
"""Open question: the vendor says nowhere which zone its times are in. Hints point to Central European local time."""

LENGTH = 400
"""No time is longer; whatever is gets refused before a regular expression sees it."""

_TIME = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?P<clock>\d{2}:\d{2}(?::\d{2})?)(?:[.,](?P<fraction>\d+))?)?"
    r"\s*(?P<zone>[Zz]|[+-]\d{2}:?\d{2})?"
)


def parse_time(text: str, time_zone: str = SERVER_ZONE) -> datetime:
    """The moment that a time of the ERP means, aware, in UTC.

    Takes 0 to 7 (and more) fraction digits, ``T`` or a space, a date alone (its midnight); a zone in the text wins,
    without one the text is server-local. The hour that October has twice is read as its first pass (hence the 75
    minutes of overlap when asking for changes). Raises ValueError for anything else.
    """
    match = _TIME.fullmatch(text.strip()) if len(text) <= LENGTH else None
    if match is None:
        raise ValueError(f"no time: {text[:40]!r}")
    clock = match["clock"] or "00:00:00"
    fraction = (match["fraction"] or "").ljust(6, "0")[:6]
    # A time that leaves the zone's range (0001-01-01 stands for "never", docs/vendors/visma-net-erp.md E20) cannot be shifted to UTC.
    local = datetime.fromisoformat(f"{match['date']}T{clock}{':00' if len(clock) == 5 else ''}.{fraction}")
    zone: tzinfo = _offset(match["zone"]) if match["zone"] else ZoneInfo(time_zone)
    try:
        return local.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return local.replace(tzinfo=UTC)


def filter_time(value: datetime, time_zone: str = SERVER_ZONE) -> str:
    """A moment as a filter value: server-local, no zone (a zone letter is refused), cut to milliseconds.

    A naive ``value`` is taken as server-local already.
    """
    local = _local(value, time_zone)
    text = local.strftime("%Y-%m-%dT%H:%M:%S")
    milliseconds = local.microsecond // 1000
    return f"{text}.{milliseconds:03d}" if milliseconds else text


def filter_day(value: datetime | date, time_zone: str = SERVER_ZONE) -> str:
    """A day as a filter value (``2026-03-17``): the server-local day of a moment."""
    day = _local(value, time_zone).date() if isinstance(value, datetime) else value
    return day.isoformat()


def _local(value: datetime, time_zone: str) -> datetime:
    return value if value.tzinfo is None else value.astimezone(ZoneInfo(time_zone))


def _offset(text: str) -> tzinfo:
    if text in "Zz":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    shift = timedelta(hours=hours, minutes=minutes)
    return datetime.strptime(text.replace(":", ""), "%z").tzinfo or UTC if shift else UTC
