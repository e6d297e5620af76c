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


def test_every_domain_reads_its_registers_through_the_catalogue() -> None:
    names = [(one.system, one.name) for one in catalogue.registers()]
    assert len(names) == len(set(names))
    for package in catalogue._PACKAGES:
        assert {(one.system, one.name) for one in package.registers.REGISTERS} <= set(names)
