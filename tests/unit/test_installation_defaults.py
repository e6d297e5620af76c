"""The figures that the requirements name are those of an installation that sets nothing (R-INV-4, R-CON-3, R-PRO-8)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.settings import Settings


@pytest.mark.req("R-INV-4", "R-CON-3", "R-PRO-8")
@pytest.mark.parametrize(
    ("setting", "usual"),
    [
        ("total_tolerance", Decimal("0.05")),
        ("brake_percent", 20),
        ("brake_records", 25),
        ("min_poll_seconds", 60),
    ],
)
def test_an_installation_that_sets_nothing_has_the_figures_of_the_requirements(
    setting: str, usual: object
) -> None:
    assert Settings.model_fields[setting].default == usual
