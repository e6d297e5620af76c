"""What the end of a poll means: when the connection is asked again, and what a person is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import poll_end
from domain.errors import (
    BridgeError,
    Forbidden,
    NotKnown,
    RateLimited,
    Refused,
    RegisterMissing,
    SettingUnusable,
    ShortList,
    SignInFailed,
    TryLater,
    Unavailable,
)
from domain.poll_end import News, Waits

WAITS = Waits(least=10, sign_in=300)
USUAL = 60.0
SHORT = ShortList("7 of 9", system="severa", register="customers", expected=9, got=7)
REFUSED = Refused("no", system="severa", status=400, operation="GET /v1/customers")
SIGN_IN = SignInFailed(system="severa", reason="wrong_secret")
SETTING = SettingUnusable("poll_interval_seconds", "-1", "it is below 0")


# ---------------------------------------------------------------- when the connection is asked again


@pytest.mark.parametrize(("interval", "expected"), [(None, 10), (5, 10), (10, 10), (60, 60)])
def test_a_tenant_may_be_asked_for_less_often_than_the_installation_allows_and_never_more(
    interval: int | None, expected: float
) -> None:
    assert WAITS.usual(interval) == expected


@pytest.mark.parametrize("error", [None, SHORT, REFUSED, KeyError("guid")])
def test_what_waiting_does_not_mend_is_no_reason_to_ask_sooner(error: Exception | None) -> None:
    assert WAITS.after(error, USUAL) == USUAL


@pytest.mark.parametrize("error", [SIGN_IN, SETTING])
def test_where_only_a_person_changes_anything_is_asked_seldom(error: Exception) -> None:
    assert WAITS.after(error, USUAL) == 300


def test_a_vendors_in_a_second_is_no_reason_to_poll_each_second() -> None:
    assert WAITS.after(Unavailable(retry_after=1.0, system="severa"), USUAL) == 10
    assert WAITS.after(Unavailable(retry_after=30.0, system="severa"), USUAL) == 30


def test_a_wait_of_the_bridges_own_is_as_short_as_it_says() -> None:
    assert WAITS.after(RateLimited("no call slot is free", retry_after=1.0), USUAL) == 1


def test_what_says_nothing_of_when_is_asked_again_after_the_least_wait() -> None:
    assert WAITS.after(Unavailable(system="visma_net"), USUAL) == 10


@given(seconds=st.floats(0, 4000), own=st.booleans(), usual=st.floats(10, 3600))
def test_no_bad_moment_makes_a_connection_wait_longer_than_usual(
    *, seconds: float, own: bool, usual: float
) -> None:
    error = Unavailable(retry_after=seconds) if own else Unavailable(retry_after=seconds, system="severa")
    assert 0 < WAITS.after(error, usual) <= usual


# ---------------------------------------------------------------- what a person is told


@pytest.mark.req("R-OPS-1")
@pytest.mark.parametrize(
    ("error", "told", "to_whoever_asked"),
    [
        (None, News.WORKS, News.WORKS),
        (SHORT, News.WORKS, News.NONE),
        (SIGN_IN, News.SIGN_IN, News.NONE),
        (SETTING, News.SETTING, News.NONE),
        (REFUSED, News.DEFECT, News.NONE),
        (KeyError("guid"), News.DEFECT, News.NONE),
        (BridgeError("odd"), News.DEFECT, News.NONE),
        (Unavailable(), News.NONE, News.NONE),
        (NotKnown("a page"), News.NONE, News.NONE),
    ],
)
def test_who_is_told_what(error: Exception | None, told: News, to_whoever_asked: News) -> None:
    assert poll_end.news(error) is told
    assert poll_end.news(error, quiet=True) is to_whoever_asked


def test_a_right_that_was_taken_away_is_a_sign_in_that_fails() -> None:
    found = poll_end.meant(Forbidden("scope customers", system="severa", status=403), "severa")
    assert isinstance(found, SignInFailed)
    assert (found.system, found.reason, found.message) == ("severa", "not_allowed", "scope customers")
    assert poll_end.meant(REFUSED, "severa") is REFUSED


def test_a_register_that_was_not_understood_is_named_with_what_it_answered_first() -> None:
    found = {"customers": "a page"}
    assert poll_end.not_understood(None, "products", found) == found
    assert poll_end.not_understood(Unavailable(), "products", found) == found
    assert poll_end.not_understood(NotKnown("empty"), "customers", found) == found
    assert poll_end.not_understood(NotKnown("empty"), "products", {}) == {"products": "empty"}
    # It had read on: where it stood at its end answered as it should.
    assert poll_end.not_understood(NotKnown("a page"), "products", found) == found


def test_a_short_list_was_understood_and_a_missing_register_was_not() -> None:
    missing = RegisterMissing("404", system="severa", register="cases", operation="GET /v1/cases")
    assert poll_end.not_understood(SHORT, "customers", {}) == {}
    assert poll_end.not_understood(missing, "cases", {}) == {"cases": "404"}


def test_an_error_of_the_bridge_is_its_sentence_and_a_defect_names_its_kind() -> None:
    assert poll_end.text(TryLater("later")) == "later"
    assert poll_end.text(KeyError("guid")) == "KeyError: 'guid'"
