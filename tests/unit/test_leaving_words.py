"""What a leaving tenant waits for, in figures and in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from app.cli.leaving import waiting_sentence
from app.exporting import line
from db.leaving import Waits

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NOTHING = Waits(0, 0, None, unsettled=False, quiet=False, steady=True, writes=True, now=NOW)
LATER = NOW + timedelta(minutes=9)


def test_nothing_to_wait_for_is_over() -> None:
    assert NOTHING.over


@pytest.mark.schedule("S46")
@pytest.mark.parametrize(
    ("waits", "said"),
    [
        (replace(NOTHING, at_work=1, until=LATER), "Waits for 1 delivery that is under way, until 2026-11-20 12:09:00 (UTC) at the latest."),
        (replace(NOTHING, at_work=2, unanswered=1, unsettled=True, until=LATER), "Waits for 2 deliveries that are under way, 1 call without an answer, until 2026-11-20 12:09:00 (UTC) at the latest."),
        (replace(NOTHING, unsettled=True, until=LATER), "Waits for what was sent last to show, until 2026-11-20 12:09:00 (UTC) at the latest."),
        (replace(NOTHING, quiet=True, until=LATER), "Waits for the quiet time after a restore, until 2026-11-20 12:09:00 (UTC) at the latest."),
        (replace(NOTHING, steady=False), "Waits for PostgreSQL's clock to be steady again."),
    ],
    ids=["at work", "unanswered", "unsettled", "quiet", "unsteady"],
)  # fmt: skip
def test_whatever_has_to_be_over_is_said(waits: Waits, said: str) -> None:
    assert not waits.over
    assert waiting_sentence(waits) == said


def test_while_writes_are_off_nothing_is_over() -> None:
    assert not replace(NOTHING, writes=False).over


def test_a_line_of_the_export_is_exact_and_holds_any_bytes() -> None:
    row = {
        "id": UUID(int=1),
        "at": NOW,
        "total": Decimal("1.10"),
        "hash": b"\xfe\x01",
        "text": "\ud800å",
        "none": None,
    }
    assert line(row) == (
        '{"id": "00000000-0000-0000-0000-000000000001", "at": "2026-11-20T12:00:00+00:00", "total": 1.10,'
        ' "hash": "fe01", "text": "\\ud800\\u00e5", "none": null}\n'
    )
