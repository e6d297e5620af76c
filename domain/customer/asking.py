"""Customers of the other system as they stand there just now, asked for before one is made."""

from __future__ import annotations

from domain.customer.registers import CUSTOMERS, ERP_CUSTOMER
from domain.customer.work import Work
from domain.mapper import text
from domain.model import Json, Record, System
from domain.text import organisation_number


def erp(work: Work, record: Record) -> list[Record]:
    """ERP customers of this name or organisation number, asked for just now: somebody may have typed the same customer
    there since the last poll, and a create would make a second one in both systems."""
    api, number = work.delivery.erp, text(record.body, "vatNumber")
    rows = list(api.list(ERP_CUSTOMER, name=record.name))
    if organisation_number(number):
        # The filters are tests for equality (docs/vendors/visma-net-erp.md E32): asked for as it was typed here.
        rows += api.list(
            ERP_CUSTOMER, **{"vatRegistrationId" if number[:2].isalpha() else "corporateId": number}
        )
    return _records(work, "visma_net", ERP_CUSTOMER, "internalId", rows)


def severa(work: Work, record: Record) -> list[Record]:
    """The same of Severa, before a customer is made there."""
    api = work.delivery.severa
    rows = list(api.list(CUSTOMERS, customerNames=[record.name]))
    number = text(record.body, "vatRegistrationId")
    if organisation_number(number):
        rows += api.list(CUSTOMERS, vatNumber=number)
    return _records(work, "severa", CUSTOMERS, "guid", rows)


def _records(work: Work, system: System, register: str, key: str, rows: list[Json]) -> list[Record]:
    """Rows as they were answered just now, each once."""
    now = work.delivery.now()
    found = {
        text(row, key): Record(
            system, register, text(row, key), text(row, "number"), text(row, "name"), row, 0, None, now
        )
        for row in rows
    }
    return list(found.values())
