"""The mapping that is asked: the code on the path, 0.1.0's or today's, under one set of names.

Where a function moved since 0.1.0 both places are named, today's first. Whoever moves the mapping (tables, sheets) keeps these
names answering, by an object of the same functions where the module is gone: the questions stay as they are, or they prove
nothing.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

_MODULES = {
    "brought": ("domain.cost.brought", "domain.cost.plan"),
    "choices": ("domain.invoice.choices", "domain.invoice.document"),
    "addresses": ("golden.today_addresses", "domain.customer.addresses"),
    "catalogue": ("domain.catalogue",),
    "contacts": ("domain.customer.contacts",),
    "cost_document": ("domain.cost.document",),
    "cost_plan": ("domain.cost.plan",),
    "customer": ("golden.today_customer", "domain.customer.plan"),
    "customer_fields": ("domain.customer.registers", "domain.customer.fields"),
    "document": ("domain.invoice.document",),
    "errors": ("domain.errors",),
    "invoice_model": ("domain.invoice.model",),
    "invoice_plan": ("domain.invoice.plan",),
    "mapper": ("domain.mapper",),
    "merge": ("domain.merge",),
    "model": ("domain.model", "domain.ports"),
    "money": ("domain.money",),
    "payment": ("domain.payment.plan",),
    "product": ("golden.today_product", "domain.product.plan"),
    "product_fields": ("domain.product.table", "domain.product.fields"),
    "project": ("domain.project.plan",),
    "prove": ("domain.invoice.prove",),
    "receiver": ("domain.invoice.receiver", "domain.invoice.document"),
    "records": ("db.records",),
    "settings": ("domain.setup.settings",),
    "statuses": ("domain.setup.statuses",),
    "terms": ("domain.reference", "domain.customer.terms"),
    "text": ("domain.text",),
    "totals": ("domain.invoice.totals",),
}


class Mappings:
    """The mapping's modules by the names above."""

    def __init__(self) -> None:
        for name, places in _MODULES.items():
            setattr(self, name, _first(places))


@cache
def on_the_path() -> Any:
    """The mapping that is on the path."""
    return Mappings()


@cache
def register(code: Any, system: str, name: str, notes: str = "off") -> Any:
    """A register as a tenant with this setting of notes has it."""
    [found] = [one for one in code.catalogue.registers() if (one.system, one.name) == (system, name)]
    return found.of_tenant(code.settings.TenantSettings(notes=notes))


def _first(places: tuple[str, ...]) -> Any:
    for place in places[:-1]:
        try:
            return import_module(place)
        except ModuleNotFoundError:
            continue
    return import_module(places[-1])
