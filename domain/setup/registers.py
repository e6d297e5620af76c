"""Registers that several domains look things up in and nobody settles."""

from __future__ import annotations

from domain.registers import Register, reference

REGISTERS: tuple[Register, ...] = (
    reference("severa", "businessunits", "guid", "name"),
    reference("severa", "localization/countries", "guid", "name"),
    reference("visma_net", "customer/customerClass", "id", "description"),
)
