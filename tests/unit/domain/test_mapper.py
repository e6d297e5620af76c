"""Reading and writing the vendors' bodies by dotted path."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from domain.mapper import day, decimal, flag, latest_time, patch, read, text, update_body


def test_reads_are_bare_but_wrapped_ones_are_accepted() -> None:
    bare = {"mainAddress": {"country": {"id": "SE"}}, "name": " Ada "}
    wrapped = {
        "mainAddress": {"value": {"country": {"value": {"id": {"value": "SE"}}}}},
        "name": {"value": "Ada"},
    }

    assert read(bare, "mainAddress.country.id") == read(wrapped, "mainAddress.country.id") == "SE"
    assert text(bare, "name") == text(wrapped, "name") == "Ada"


@pytest.mark.parametrize("body", [None, {}, {"mainAddress": None}, {"mainAddress": "?"}, {"mainAddress": {}}])
def test_what_is_missing_reads_as_none(body: dict[str, object] | None) -> None:
    assert read(body, "mainAddress.country.id") is None
    assert text(body, "mainAddress.country.id") == ""


def test_leaves_are_wrapped_and_blocks_doubly() -> None:
    assert update_body(
        {
            "name": "Ada",
            "mainAddress.city": "Umeå",
            "mainAddress.countryId": "SE",
            "overrideWithClassValues": True,
        }
    ) == {
        "name": {"value": "Ada"},
        "mainAddress": {"value": {"city": {"value": "Umeå"}, "countryId": {"value": "SE"}}},
        "overrideWithClassValues": True,
    }


def test_arrays_and_their_operation_are_bare() -> None:
    assert update_body({"tasks": [{"operation": "Insert", "taskId": "10"}]}) == {
        "tasks": [{"operation": "Insert", "taskId": {"value": "10"}}]
    }


def test_no_null_is_ever_sent() -> None:
    assert update_body({"name": None, "mainAddress.city": None, "hold": False}) == {"hold": {"value": False}}


def test_patches_are_paths_in_the_order_given() -> None:
    assert list(patch({"number": 7, "status.guid": "g"}).items()) == [("/number", 7), ("/status/guid", "g")]


def test_days_are_read_from_dates_and_times_of_any_precision() -> None:
    for written in ("2026-03-20", "2026-03-20T06:35:22.1534567", "2026-03-20T00:00:00+01:00"):
        assert day(written) == date(2026, 3, 20)
    assert day("soon") is None
    assert day(None) is None


def test_flags_have_a_default_and_accept_words() -> None:
    assert flag(None)
    assert not flag(None, default=False)
    assert not flag("False")


def test_money_is_never_read_from_a_float() -> None:
    assert decimal("1.10") == Decimal("1.10")
    assert decimal(None) is None
    with pytest.raises(TypeError):
        decimal(0.1)


def test_the_time_of_a_record_is_the_later_of_created_and_updated() -> None:
    assert latest_time({"createdDateTime": "2026-01-02T00:00:00Z", "lastUpdatedDateTime": None}) == datetime(
        2026, 1, 2, tzinfo=UTC
    )
    assert latest_time(
        {"createdDateTime": "2026-01-02T00:00:00.5", "lastModifiedDateTime": "2026-01-03T00:00:00.153"}
    ) == datetime(2026, 1, 3, 0, 0, 0, 153000)  # noqa: DTZ001 - the ERP's times have no zone
    assert latest_time({}) is None
