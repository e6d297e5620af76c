"""Registers that the set-up reads."""

from __future__ import annotations

from domain.registers import Register, reference

REGISTERS: tuple[Register, ...] = (reference("severa", "businessunits", "guid", "name"),)
