"""What the domains declare stands once: registers, and what is read of them."""

from __future__ import annotations

import pytest

from domain import catalogue, reference
from domain.registers import reference as register


def test_a_register_that_two_declare_is_an_error() -> None:
    """The second was dropped without a word before, with the members that it named."""
    twice = (*reference.REGISTERS, register("severa", reference.COUNTRIES, "guid", "name"))
    with pytest.raises(ValueError, match="severa's register 'localization/countries' is declared twice"):
        catalogue._each_once(twice)
