"""Settings of the installation have bounds that are named."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from app.settings import Settings, bounds, read_settings
from db.claim import Asked
from domain.errors import InputError

NUMBERS = [
    name
    for name, field in Settings.model_fields.items()
    if isinstance(field.default, int | float | Decimal) and not isinstance(field.default, bool)
]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["99999999999999999999", "1e30", "inf", "nan"])
def test_a_number_without_end_is_refused_with_the_variable_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"BRIDGE_{name.upper()}", value)
    with pytest.raises(InputError) as caught:
        read_settings()
    assert caught.value.message == f"BRIDGE_{name.upper()} cannot be used: it must be {bounds(name)}."


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["-1", "many", "true", "-inf"])
def test_every_number_has_a_lower_bound_too_and_both_are_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert re.fullmatch(r"a (whole )?number (from \d+ to|above \d+ and up to) \d+", bounds(name))
    monkeypatch.setenv(f"BRIDGE_{name.upper()}", value)
    with pytest.raises(InputError) as caught:
        read_settings()
    assert caught.value.message == f"BRIDGE_{name.upper()} cannot be used: it must be {bounds(name)}."


def test_a_time_zone_that_there_is_not_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_ERP_TIME_ZONE", "Mars/North")
    with pytest.raises(
        InputError, match="BRIDGE_ERP_TIME_ZONE cannot be used: it must be the name of a time zone"
    ):
        read_settings()


def test_an_upper_bound_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_RELAY_SECONDS", "1e12")
    with pytest.raises(InputError, match="it must be a number above 0 and up to 31622400"):
        read_settings()


@pytest.mark.schedule("S26")
@pytest.mark.parametrize(
    "more",
    [{}, {"not_after_seconds": 120}, {"lease_margin_seconds": 300}, {"create_limit_seconds": 900}],
    ids=lambda one: ",".join(one) or "defaults",
)
def test_an_epoch_is_quiet_for_as_long_as_any_step_may_take_to_settle(more: dict[str, float]) -> None:
    settings = Settings(**more)
    step = Asked(
        "create",
        1,
        {},
        settings.not_after_seconds,
        settings.create_limit_seconds,
        settings.visibility_lag_seconds,
        margin=settings.lease_margin_seconds,
    )
    parts = (
        settings.not_after_seconds,
        settings.create_limit_seconds,
        settings.lease_margin_seconds,
        settings.visibility_lag_seconds,
    )
    assert settings.settle_seconds == step.settles == sum(parts)


def test_no_lease_that_permits_a_call_is_longer_than_what_a_clock_step_waits_for() -> None:
    settings = Settings(
        claim_lease_seconds=12, not_after_seconds=60, create_limit_seconds=100, lease_margin_seconds=7
    )
    assert settings.longest_lease_seconds >= 60 + 100 + 7
