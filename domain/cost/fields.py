"""Costs: the registers whose lines become project costs (mapping.md, Costs). Read only when the tenant wants costs."""

from __future__ import annotations

from domain.fields import Field
from domain.registers import Register

FIELDS: tuple[Field, ...] = ()
REGISTERS: tuple[Register, ...] = ()
