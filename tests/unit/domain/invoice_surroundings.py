"""A firm with settings of its own, and what a delivery of its invoice left behind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import Stop
from domain.invoice.steps import settle
from domain.model import Settled
from domain.setup.settings import TenantSettings
from tests.fakes import FakeDelivery
from tests.fakes_ledger import Firm


def firm_with(**settings: Any) -> Firm:
    firm = Firm()
    firm.tenant = replace(firm.tenant, settings=TenantSettings.model_validate(settings))
    return firm


def stopped(firm: Firm, delivery: FakeDelivery | None = None) -> Stop:
    with pytest.raises(Stop) as stop:
        settle(delivery or firm.transfer())
    return stop.value


def ended(firm: Firm, delivery: FakeDelivery, stop: Stop) -> None:
    """What the finishing transaction keeps of a delivery that stopped."""
    assert stop.effects is not None
    firm.finish(delivery, Settled(stop.effects))


def said(settled: Settled) -> list[str]:
    return [line.code for line in settled.effects.log]


def asked(firm: Firm, *methods: str) -> list[str]:
    return [f"{call.method} {call.register}" for call in firm.calls if call.method in methods]
