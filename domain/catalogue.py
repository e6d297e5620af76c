"""All domains in one place: their settle functions, registers, and words for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import domain.cost.asks
import domain.cost.registers
import domain.cost.steps
import domain.customer.registers
import domain.customer.steps
import domain.invoice.asks
import domain.invoice.registers
import domain.invoice.steps
import domain.payment.asks
import domain.payment.registers
import domain.payment.steps
import domain.product.registers
import domain.product.steps
import domain.project.registers
import domain.project.steps
import domain.reference
import domain.setup.registers
from domain import words
from domain.explain import Cause, Text
from domain.registers import Register
from domain.spec import DomainSpec

# In poll order: what others need comes first.
SPECS: Mapping[str, DomainSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            DomainSpec("customer", "customer", domain.customer.steps.settle),
            DomainSpec("product", "product", domain.product.steps.settle),
            DomainSpec("project", "project", domain.project.steps.settle),
            DomainSpec("invoice", "invoice", domain.invoice.steps.settle, domain.invoice.asks.asks),
            DomainSpec("payment", "invoice", domain.payment.steps.settle, domain.payment.asks.asks),
            DomainSpec("cost", "cost", domain.cost.steps.settle, domain.cost.asks.asks),
        )
    }
)

_PACKAGES: tuple[Any, ...] = (
    domain.setup,
    domain.customer,
    domain.product,
    domain.project,
    domain.invoice,
    domain.payment,
    domain.cost,
)


def _each_once(listed: Iterable[Register]) -> tuple[Register, ...]:
    """Raises ValueError for one that is declared twice: which of the two is read would depend on the order of the packages."""
    found: dict[tuple[str, str], Register] = {}
    for register in listed:
        if found.setdefault((register.system, register.name), register) is not register:
            raise ValueError(f"{register.system}'s register '{register.name}' is declared twice")
    return tuple(found.values())


_REGISTERS = _each_once(
    (*domain.reference.REGISTERS, *(one for package in _PACKAGES for one in package.registers.REGISTERS))
)


def registers() -> tuple[Register, ...]:
    """Every register once, those that several domains look things up in first."""
    return _REGISTERS


def causes() -> dict[str, Cause]:
    """Problem code → what is wrong, what to do, where."""
    return dict(words.CAUSES)


def sentences() -> dict[str, Text]:
    """Log code → sentence; a problem's log line says what is wrong."""
    return {code: cause.wrong for code, cause in words.CAUSES.items()} | dict(words.SENTENCES)
