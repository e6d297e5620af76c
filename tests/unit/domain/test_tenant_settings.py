"""Settings of a tenant as people type them: digits are words, and every number has bounds that are named."""

from __future__ import annotations

from typing import get_args, get_origin

import pytest

from domain.errors import InputError, SettingUnusable
from domain.setup.kinds import Code
from domain.setup.settings import (
    TenantSettings,
    as_far_as_usable,
    changed_settings,
    read_tenant_file,
    stored_settings,
)

CODES = ("customer_class", "customer_class_eu", "item_class_product", "project_template", "project_task")


@pytest.mark.parametrize("key", CODES)
@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        *(("2", "2"), ('"2"', "2"), ("007", "007"), ("10.50", "10.50"), ("INT", "INT"), ("true", "true")),
        *(("1e3", "1e3"), ("[1]", "[1]"), ("{}", "{}"), ("-1", "-1"), (" 2 ", "2"), ("9" * 60, "9" * 60)),
    ],
)
def test_a_code_of_digits_is_a_word(key: str, typed: str, kept: str) -> None:
    assert changed_settings({}, key, typed)[key] == kept


def test_a_code_of_digits_is_a_word_in_tables_and_in_the_file_too() -> None:
    assert changed_settings({}, "credit_terms", '{"30": 30}')["credit_terms"] == {"30": "30"}
    connection = {"base_url": "https://a.example", "client_id": "a", "client_secret": "b"}
    file = {
        "name": "a",
        "severa": connection,
        "visma_net": {**connection, "auth_url": "https://a.example", "tenant_id": "c"},
        "settings": {"customer_class": 2, "project_task": 10},
    }
    read = read_tenant_file(file).settings
    assert (read.customer_class, read.project_task) == ("2", "10")


TEXTS = [
    name
    for name, field in TenantSettings.model_fields.items()
    if get_origin(field.annotation) not in (dict, tuple)
    and (field.annotation is str or Code in get_args(field.annotation))
]
TABLES = {
    "credit_terms": '{"30": %s}', "units": '{"tim": %s}', "fallback_items": '{"Hours/25": %s}', "status_roles": '{"paid": %s}',
    "fallback_vat_categories": '{"25": %s}', "journal_modules": "[%s]", "ignored_statuses": "[%s]",
}  # fmt: skip


def test_every_text_is_a_word_whatever_it_looks_like_and_an_empty_or_endless_one_is_none() -> None:
    """A value's kind is its setting's."""
    tables = {
        name
        for name, field in TenantSettings.model_fields.items()
        if get_origin(field.annotation) in (dict, tuple)
    }
    assert tables == set(TABLES)
    assert set(CODES) <= set(TEXTS)
    for key in TEXTS:
        assert changed_settings({}, key, "2")[key] == "2"
        for typed in ("", "  ", "x" * 61):
            with pytest.raises(
                InputError, match=f"'{key}' cannot be '.*': it must be a word of 1 to 60 characters"
            ):
                changed_settings({}, key, typed)
    for key, form in TABLES.items():
        for digits, word in (("2", "2"), ("2.50", "2.50"), ('"2"', "2")):
            kept = changed_settings({}, key, form % digits)[key]
            assert list(kept.values() if isinstance(kept, dict) else kept) == [word]
        with pytest.raises(InputError, match=f"'{key}.*: it must be a word of 1 to 60 characters"):
            changed_settings({}, key, form % '""')
        with pytest.raises(
            InputError, match=f"'{key}' cannot be 'a=b': it must be a (table|list), written as JSON"
        ):
            changed_settings({}, key, "a=b")


def test_a_file_is_checked_as_strictly_as_what_is_typed_and_what_is_stored_stays() -> None:
    connection = {"base_url": "https://a.example", "client_id": "a", "client_secret": "b"}
    file = {
        "name": "a",
        "severa": connection,
        "visma_net": {**connection, "auth_url": "https://a.example", "tenant_id": "c"},
    }
    for key, value, said in [
        ("customer_class", "", "a word of 1 to 60"),
        ("poll_interval_seconds", True, "a whole number from 1"),
        ("invoices_from", 86400, "a date from"),
    ]:
        with pytest.raises(
            InputError, match=f"'settings.{key}' in the tenant file cannot be used: it must be {said}"
        ):
            read_tenant_file({**file, "settings": {key: value}})
    assert stored_settings({"customer_class": ""}).customer_class == ""
    assert changed_settings({"customer_class": ""}, "costs", "cost")["customer_class"] == ""


@pytest.mark.parametrize("key", ["invoices_from", "costs_from"])
@pytest.mark.parametrize(
    "typed",
    [
        "0",
        "86400",
        "2026",
        "20260101",
        "2026-13-01",
        "2026-01-01T00:00:00",
        "0001-01-01",
        "9999-12-31",
        "true",
        "soon",
    ],
)
def test_a_day_is_a_day_of_the_calendar_and_no_count_of_seconds(key: str, typed: str) -> None:
    with pytest.raises(
        InputError, match=f"'{key}' cannot be '{typed}': it must be a date from 2000-01-01 to 2100-12-31"
    ):
        changed_settings({}, key, typed)
    assert changed_settings({}, key, "2026-01-31")[key] == "2026-01-31"
    assert changed_settings({key: "2026-01-31"}, key, "null")[key] is None
    with pytest.raises(SettingUnusable) as caught:
        stored_settings({key: "0001-01-01"})
    assert caught.value.setting == key


NUMBERS = {
    "poll_interval_seconds": "a whole number from 1 to 604800",
    "project_number_padding": "a whole number from 0 to 30",
    "cost_multiplier_percent": "a number above 0 and up to 10000",
    "small_balance_limit": "a number from 0 to 1000000",
}


@pytest.mark.parametrize("key", NUMBERS)
@pytest.mark.parametrize(
    "typed",
    [
        "99999999999999999999",
        "1e30",
        "-1",
        "NaN",
        "Infinity",
        "-Infinity",
        "many",
        "9" * 5000,
        "[1]",
        "true",
        "false",
    ],
)
def test_a_number_out_of_bounds_is_refused_with_a_sentence_that_names_them(key: str, typed: str) -> None:
    with pytest.raises(InputError) as caught:
        changed_settings({}, key, typed)
    assert f"'{key}' cannot be '{typed[:40]}" in caught.value.message
    assert f"it must be {NUMBERS[key]}" in caught.value.message
    assert len(caught.value.message) < 200


def test_every_number_that_a_tenant_can_set_has_both_bounds() -> None:
    for name, field in TenantSettings.model_fields.items():
        value = field.default
        if isinstance(value, bool) or (not isinstance(value, int) and type(value).__name__ != "Decimal"):
            continue
        kinds = {kind for one in field.metadata for kind in ("ge", "gt", "le", "lt") if hasattr(one, kind)}
        assert kinds & {"ge", "gt"}, name
        assert kinds & {"le", "lt"}, name
        assert name in NUMBERS


def test_days_of_payment_terms_have_bounds() -> None:
    with pytest.raises(InputError, match="0 to 3650"):
        changed_settings({}, "credit_terms", '{"99999999999999999999": "30"}')


def test_a_value_that_was_stored_before_it_had_bounds_is_named_and_can_be_set_right() -> None:
    stored = {"poll_interval_seconds": 99999999999999999999}
    with pytest.raises(InputError, match="'poll_interval_seconds' cannot be '99999999999999999999'"):
        changed_settings(stored, "customer_class", "2")
    assert changed_settings(stored, "poll_interval_seconds", "300")["poll_interval_seconds"] == 300


TWO_BROKEN = {"poll_interval_seconds": 10**20, "project_number_padding": 1000, "customer_class": "2"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("poll_interval_seconds", "project_number_padding"),
        ("project_number_padding", "poll_interval_seconds"),
    ],
)
def test_of_two_values_that_cannot_be_used_one_is_repaired_at_a_time(first: str, second: str) -> None:
    with pytest.raises(SettingUnusable) as caught:
        stored_settings(TWO_BROKEN)
    assert {caught.value.setting, *caught.value.also} == {first, second}

    half = changed_settings(TWO_BROKEN, first, "7")

    assert (half[first], half[second], half["customer_class"]) == (7, TWO_BROKEN[second], "2")
    with pytest.raises(SettingUnusable) as caught:
        stored_settings(half)
    assert (caught.value.setting, caught.value.also) == (second, ())
    whole = changed_settings(half, second, "8")
    assert (whole[first], whole[second]) == (7, 8)
    stored_settings(whole)


def test_a_repair_is_itself_checked_and_nothing_else_is_changed_before_it() -> None:
    with pytest.raises(InputError, match="'project_number_padding' cannot be '99'"):
        changed_settings(TWO_BROKEN, "project_number_padding", "99")
    with pytest.raises(InputError, match="'poll_interval_seconds' cannot be"):
        changed_settings(TWO_BROKEN, "customer_class", "3")


def test_a_stored_value_out_of_bounds_stops_and_is_named_and_the_rest_is_not_used_without_it() -> None:
    stored = {"poll_interval_seconds": 10**20, "customer_class": "2"}
    with pytest.raises(SettingUnusable) as caught:
        stored_settings(stored)
    assert (caught.value.setting, caught.value.value) == ("poll_interval_seconds", str(10**20))
    assert "from 1 to 604800" in caught.value.reason
    assert not isinstance(caught.value, InputError)
    compared = as_far_as_usable(stored)
    assert (compared.poll_interval_seconds, compared.customer_class) == (300, "2")


def test_nothing_stored_is_every_default() -> None:
    assert stored_settings(None) == stored_settings({}) == as_far_as_usable({}) == TenantSettings()
