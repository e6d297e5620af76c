"""Order by request, not by stamp; the mark; absence (docs/never-twice.md rule 13), on a real database with scripted pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from integration.poll_world import CUSTOMERS, INVOICES, LISTED, World, world
from services import Database as Made

from app import announcing
from domain.errors import Unavailable


@pytest.fixture
def made(database: Made) -> Iterator[World]:
    with world(database, CUSTOMERS, INVOICES) as found:
        yield found


def record(name: str) -> str:
    return f"{name}"


@pytest.mark.schedule("S12")
@pytest.mark.parametrize("found_by", ["the overlap", "the sweep"])
def test_a_stamp_that_goes_back_is_a_change_like_any_other(database: Made, found_by: str) -> None:
    """02:50 summer time, then 02:10 winter time: the vendor's stamp is earlier, the change is later."""
    with world(database, INVOICES, severa_overlap_seconds=4500) as made:
        made.vendor.put("invoices", "1", "before", datetime(2026, 10, 25, 0, 50, tzinfo=UTC))
        made.poll()
        made.settle_all()
        made.vendor.put("invoices", "1", "after", datetime(2026, 10, 25, 0, 10, tzinfo=UTC))
        if found_by == "the sweep":
            made.sql("update stream set swept_at = null, watermark = bridge_now()")
        made.poll()
        assert made.name(INVOICES, "1") == "after"
        assert made.work() == [record("invoices/1")]


@pytest.mark.schedule("S13")
def test_what_changes_while_a_long_reading_is_under_way_is_asked_for_in_the_next_poll(made: World) -> None:
    """One register takes 40 minutes; the overlap is 10. What was read first changes after 15 minutes."""
    made.vendor.size = 1
    began = made.now()
    made.vendor.put("invoices", "early", "as read", began - timedelta(days=1))
    made.vendor.put("invoices", "late", "as read", began - timedelta(days=1))

    def forty_minutes() -> None:
        made.later(timedelta(minutes=15))
        made.vendor.put("invoices", "early", "changed", made.now())
        made.later(timedelta(minutes=25))
        made.vendor.put("invoices", "late", "as read", made.now())

    made.vendor.before_answer["invoices", 1] = forty_minutes
    made.poll()
    mark = made.watermark(INVOICES)
    assert mark is not None
    assert mark <= began + timedelta(minutes=1), "not later than the first answer"
    made.vendor.before_answer.clear()
    made.settle_all()
    made.poll()
    assert made.name(INVOICES, "early") == "changed"
    assert record("invoices/early") in made.work()


@pytest.mark.schedule("S13")
def test_an_answer_without_a_date_marks_no_later_than_before_it_was_asked_for_less_the_overlap(
    made: World,
) -> None:
    made.vendor.dated = False
    before = made.db_now()
    made.vendor.put("invoices", "1", "one", before + timedelta(hours=3))
    made.poll()
    mark = made.watermark(INVOICES)
    assert mark is not None
    assert mark <= made.db_now() - timedelta(seconds=made.settings.severa_overlap_seconds)
    assert mark >= before - timedelta(seconds=made.settings.severa_overlap_seconds + 5)


def test_the_mark_comes_back_when_the_server_had_been_ahead(made: World) -> None:
    """A stamp and a date of tomorrow would hide every change until tomorrow."""
    made.clock.by = timedelta(days=1)
    made.step_database(timedelta(0))
    made.vendor.put("invoices", "1", "one", made.now())
    made.poll()
    assert made.watermark(INVOICES) > made.db_now() + timedelta(hours=20)  # type: ignore[operator]
    made.clock.by = timedelta(0)
    made.poll()
    assert made.watermark(INVOICES) < made.db_now() + timedelta(minutes=1)  # type: ignore[operator]


def test_the_mark_stands_after_a_reading_that_was_cut(made: World) -> None:
    made.vendor.size = 1
    stamp = made.now() - timedelta(days=2)
    made.vendor.put("invoices", "1", "one", stamp)
    made.poll()
    mark = made.watermark(INVOICES)
    # The page that comes has a later stamp than the mark, else a mark that moves with it would stand still as well.
    for guid in ("1", "2", "3"):
        made.vendor.put("invoices", guid, "changed", made.now())

    def cut() -> None:
        raise Unavailable("cut")

    made.vendor.before_answer["invoices", 1] = cut
    made.poll()
    assert made.watermark(INVOICES) == mark


@pytest.mark.schedule("S35")
def test_a_record_made_while_its_register_is_swept_is_not_missing(made: World) -> None:
    """Its page was answered before it was made; the reading ends after."""
    made.vendor.size = 1
    made.vendor.put("invoices", "1", "one")
    made.vendor.put("invoices", "2", "two")

    def born() -> None:
        asked_at = made.db_now()
        made.own(INVOICES, "0", "made by the bridge", asked_at, made.db_now())

    made.vendor.before_answer["invoices", 1] = born
    made.poll()
    assert made.gone(INVOICES) == []
    made.vendor.before_answer.clear()
    made.poll()
    assert made.gone(INVOICES) == ["0"], "a reading begun after it was made tells its absence"


@pytest.mark.schedule("S35")
def test_a_clock_set_back_makes_nothing_missing_that_the_reading_showed(made: World) -> None:
    made.vendor.size = 1
    for guid in ("1", "2", "3"):
        made.vendor.put("invoices", guid, guid)
    made.poll()
    made.vendor.before_answer["invoices", 1] = lambda: made.step_database(timedelta(minutes=-20))
    made.poll()
    assert made.gone(INVOICES) == []


@pytest.mark.schedule("S36")
def test_a_page_that_is_stored_late_does_not_undo_what_was_written_after_it_was_answered(made: World) -> None:
    made.vendor.put("customers", "1", "before")
    made.poll()
    made.settle_all()
    made.vendor.put("customers", "1", "stale edit")

    def meanwhile() -> None:
        # The page is answered and waits; 20 minutes later it is stored.
        made.later(timedelta(minutes=1))
        made.write(CUSTOMERS, "1", "ours")
        made.later(timedelta(minutes=19))

    made.vendor.after_last["customers"] = meanwhile
    made.poll()
    assert made.name(CUSTOMERS, "1") == "ours"
    assert made.work() == []
    assert made.vendor.singly == [], "what is surely older needs no call"


@pytest.mark.schedule("S37")
@pytest.mark.parametrize("shown", ["the old value", "the new value"])
def test_a_request_that_overlaps_our_write_is_made_again_singly(made: World, shown: str) -> None:
    """Neither an echo nor the new value undone, whichever of the two the vendor's page shows."""
    made.vendor.put("customers", "1", "old")
    made.poll()
    made.settle_all()
    made.vendor.put("customers", "1", "edited")
    moment = made.vendor.before_answer if shown == "the new value" else made.vendor.in_answer
    moment["customers", 0] = lambda: made.write(CUSTOMERS, "1", "ours")
    made.poll()
    assert made.name(CUSTOMERS, "1") == "ours"
    assert made.work() == []
    if shown == "the old value":
        assert made.vendor.singly == [("customers", "1")]


@pytest.mark.schedule("S37")
def test_a_persons_edit_after_our_write_is_found_by_reading_again(made: World) -> None:
    made.vendor.put("customers", "1", "old")
    made.poll()
    made.settle_all()

    def both() -> None:
        made.write(CUSTOMERS, "1", "ours")
        made.vendor.put("customers", "1", "a person's")

    made.vendor.before_answer["customers", 0] = both
    made.poll()
    assert made.name(CUSTOMERS, "1") == "a person's"
    assert made.work() == [record("customers/1")]


@pytest.mark.schedule("S37")
def test_a_row_that_cannot_be_read_singly_is_asked_for_again_and_the_mark_waits(database: Made) -> None:
    with world(database, LISTED) as made:
        made.vendor.put("listed", "1", "old", made.now())
        made.poll()
        made.settle_all()
        mark = made.watermark(LISTED)
        assert mark is not None
        made.later(timedelta(hours=2))
        made.vendor.put("listed", "1", "edited", made.now())
        made.vendor.in_answer["listed", 0] = lambda: made.own(LISTED, "1", "ours", made.db_now())
        made.poll()
        assert made.name(LISTED, "1") == "ours"
        assert made.watermark(LISTED) == mark, "it is asked for again"
        made.vendor.in_answer.clear()
        made.poll()
        assert made.name(LISTED, "1") == "edited"
        assert made.work() == [record("listed/1")]
        assert made.watermark(LISTED) > mark  # type: ignore[operator]


@pytest.mark.schedule("S37")
def test_a_delivery_that_ends_after_an_overlapping_page_has_its_record_read_again(made: World) -> None:
    """The page came first and brought a person's edit; our own answer, of the same time, says something else."""
    made.vendor.put("customers", "1", "old")
    made.poll()
    made.settle_all()
    asked_at = made.db_now()
    made.vendor.put("customers", "1", "a person's")
    made.poll()
    made.own(CUSTOMERS, "1", "ours", asked_at)
    made.settle_all()
    assert made.name(CUSTOMERS, "1") == "ours"
    made.vendor.singly.clear()
    made.poll()
    assert made.name(CUSTOMERS, "1") == "a person's"
    assert made.work() == [record("customers/1")]
    assert made.vendor.singly == [("customers", "1")]
    made.settle_all()
    made.vendor.singly.clear()
    made.poll()
    assert (made.vendor.singly, made.work()) == ([], []), "once"


def test_a_record_that_is_denied_when_it_is_read_again_is_asked_for_once_more(made: World) -> None:
    made.vendor.put("customers", "1", "old", made.now())
    made.poll()
    made.settle_all()
    mark = made.watermark(CUSTOMERS)
    made.later(timedelta(hours=2))
    made.vendor.put("customers", "1", "a person's", made.now())
    made.vendor.in_answer["customers", 0] = lambda: made.own(CUSTOMERS, "1", "ours", made.db_now())
    made.vendor.denies = 1
    made.poll()
    assert (made.name(CUSTOMERS, "1"), made.watermark(CUSTOMERS)) == ("ours", mark)
    made.vendor.in_answer.clear()
    made.poll()
    assert made.name(CUSTOMERS, "1") == "a person's"
    assert made.work() == [record("customers/1")]


@pytest.mark.schedule("S37")
def test_without_a_single_read_an_overlapping_delivery_has_the_list_asked_from_before_it(
    database: Made,
) -> None:
    with world(database, LISTED) as made:
        made.vendor.put("listed", "1", "old", made.now())
        made.poll()
        made.settle_all()
        asked_at = made.db_now()
        made.vendor.put("listed", "1", "a person's", made.now())
        made.poll()
        made.own(LISTED, "1", "ours", asked_at)
        made.settle_all()
        # Another row moves the mark far past the overlap.
        made.sql("update stream set watermark = watermark + interval '3 hours'")
        made.poll()
        assert made.name(LISTED, "1") == "a person's"
        assert made.work() == [record("listed/1")]
        made.settle_all()
        made.poll()
        assert not [row for row in made.sql("select read_again from record") if row["read_again"]]


@pytest.mark.schedule("S36")
def test_our_own_answer_that_is_older_than_the_polled_state_changes_nothing(made: World) -> None:
    made.vendor.put("customers", "1", "ours")
    asked_at = made.db_now()
    answered_at = made.db_now()
    made.vendor.put("customers", "1", "a person's")
    made.poll()
    made.own(CUSTOMERS, "1", "ours", asked_at, answered_at)
    assert made.name(CUSTOMERS, "1") == "a person's"


@pytest.mark.schedule("S37")
def test_the_echo_of_our_own_write_that_was_polled_first_is_settled_with_it(made: World) -> None:
    asked_at = made.db_now()
    answered_at = made.db_now()
    made.vendor.put("customers", "1", "ours")
    made.poll()
    made.own(CUSTOMERS, "1", "ours", asked_at, answered_at)
    [row] = made.sql("select version, settled_version from record")
    assert row["settled_version"] == row["version"]


def test_a_clock_set_back_does_not_hide_what_is_changed_afterwards(made: World) -> None:
    """Stored times that are still to come order nothing."""
    made.vendor.put("customers", "1", "before")
    made.poll()
    made.settle_all()
    made.step_database(timedelta(hours=-1))
    made.vendor.put("customers", "1", "after")
    made.poll()
    assert made.name(CUSTOMERS, "1") == "after"
    assert made.work() == [record("customers/1")]


def test_a_record_that_is_back_is_a_change(made: World) -> None:
    made.link("invoice", "invoices", "1")
    made.vendor.put("invoices", "1", "one")
    made.vendor.put("invoices", "2", "two")
    made.poll()
    made.settle_all()
    kept = made.vendor.rows["invoices"].pop("1")
    made.poll()
    assert made.gone(INVOICES) == ["1"]
    made.settle_all()
    made.vendor.rows["invoices"]["1"] = kept
    made.poll()
    assert made.gone(INVOICES) == []
    assert len(made.work("invoice")) == 1


@pytest.mark.schedule("S36")
def test_a_delivery_that_ends_between_the_comparison_and_the_write_of_a_page_is_not_undone(
    made: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page has been compared with what was stored; before it is written our own write is committed."""
    made.vendor.put("invoices", "1", "before")
    made.poll()
    made.settle_all()
    made.vendor.put("invoices", "1", "edited")
    plain = announcing.announce

    def meanwhile(*args: Any, **kwargs: Any) -> set[str]:
        monkeypatch.setattr(announcing, "announce", plain)
        made.write(INVOICES, "1", "ours")
        return plain(*args, **kwargs)

    monkeypatch.setattr(announcing, "announce", meanwhile)
    made.poll()
    assert made.name(INVOICES, "1") == "ours"
    assert made.vendor.singly == [("invoices", "1")]
    [row] = made.sql("select version, settled_version from record")
    assert row["settled_version"] == row["version"]


@pytest.mark.schedule("S36")
def test_a_record_that_a_delivery_made_while_its_first_page_was_on_its_way_is_not_undone(
    made: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.vendor.put("invoices", "1", "half made")
    plain = announcing.announce

    def meanwhile(*args: Any, **kwargs: Any) -> set[str]:
        monkeypatch.setattr(announcing, "announce", plain)
        made.write(INVOICES, "1", "ours")
        return plain(*args, **kwargs)

    monkeypatch.setattr(announcing, "announce", meanwhile)
    made.poll()
    assert made.name(INVOICES, "1") == "ours"
