"""Days, causes and words as they are typed, and what is asked of the database for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.asking import EVERYTHING, Asked
from db.log import Wanted
from db.tenants import Tenant
from domain.errors import InputError

FIRM = Tenant(UUID(int=1), "one", "sv", "Europe/Stockholm", "live", (), None)


def test_nothing_asked_is_everything() -> None:
    assert EVERYTHING.of(FIRM) == Wanted()


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        ("2026-11-20", "2026-11-20", 24),
        ("2026-03-29", "2026-03-29", 23),
        ("2026-10-25", "2026-10-25", 25),
        ("2026-11-20T08:00", "2026-11-20T09:30", 1.5),
    ],
)
def test_a_period_is_local_and_its_last_day_is_in_it(since: str, until: str, hours: float) -> None:
    wanted = Asked(since=since, until=until).of(FIRM)
    assert wanted.since is not None
    assert wanted.until is not None
    # In one zone Python subtracts what the clocks show.
    assert wanted.until.astimezone(UTC) - wanted.since.astimezone(UTC) == timedelta(hours=hours)


def test_a_day_begins_at_midnight_of_the_tenant() -> None:
    wanted = Asked(since="2026-11-20").of(FIRM)
    assert wanted.since == datetime(2026, 11, 19, 23, tzinfo=UTC)
    assert Asked(since="2026-11-20T08:00+00:00").of(FIRM).since == datetime(2026, 11, 20, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01", "20", "1999-12-31", "9999-12-31", "0001-01-01"]
)
def test_what_is_no_day_is_refused_with_one_that_is(text: str) -> None:
    for option, asked in (("--since", Asked(since=text)), ("--until", Asked(until=text))):
        with pytest.raises(InputError, match="such as 2026-11-01") as refused:
            asked.of(FIRM)
        assert option in refused.value.message


def test_a_cause_that_is_not_there_is_refused_with_one_that_is_near() -> None:
    assert Asked(cause="invoice.transferred").of(FIRM).cause == "invoice.transferred"
    with pytest.raises(InputError, match=r"invoice\.transferred"):
        Asked(cause="invoice.transfered").of(FIRM)
    with pytest.raises(InputError, match=r"docs/problems\.md"):
        Asked(cause="").of(FIRM)


def test_words_of_a_sentence_are_found_by_the_causes_that_say_them() -> None:
    """The sentence is in no column: it is made from the cause when it is read."""
    assert "invoice.transferred" in Asked(search="ÄR BOKFÖRD som").of(FIRM).codes
    assert Asked(search="no sentence says this").of(FIRM).codes == ()
