"""Invoices of a firm on their way to the ERP, and what stopped them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.errors import (
    Stop,
)
from domain.invoice.steps import settle
from tests.fakes_ledger import Firm

D = Decimal


def codes(settled_or_stop: object) -> list[str]:
    effects = getattr(settled_or_stop, "effects")  # noqa: B009 - both carry effects, neither has a common base
    return [line.code for line in effects.log]


def stopped(firm: Firm) -> Stop:
    with pytest.raises(Stop) as stop:
        settle(firm.transfer())
    return stop.value


def wrong_vat(firm: Firm) -> None:
    firm.erp.rates["CONS"] = D(12)
