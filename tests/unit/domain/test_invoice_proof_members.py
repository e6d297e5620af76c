"""The proof compares the held document member by member with what was sent: whatever the ERP made otherwise stops the
invoice before its release (R-INV-4)."""

from __future__ import annotations

import pytest

from domain.errors import Stop
from domain.invoice.steps import settle
from domain.model import Json
from tests.fakes_ledger import Firm

MADE_OTHERWISE: list[tuple[str, object]] = [
    ("customer", {"number": "10002", "name": "Någon annan AB"}),
    ("currencyId", "EUR"),
    ("documentDate", "2026-11-03T00:00:00"),
    ("documentDueDate", "2026-12-24T00:00:00"),
    ("branchNumber", {"number": "2"}),
    ("project", {"id": "9999"}),
    ("dontPrint", False),
    ("sendToAutoInvoice", True),
]


def otherwise(firm: Firm, member: str, value: object) -> None:
    """The ERP makes the document with another value than was sent."""

    class Otherwise(type(firm.erp)):  # type: ignore[misc] # a subclass of the fake in use
        def on_create(self, register: str, body: Json, number: str) -> str:
            key: str = super().on_create(register, body, number)
            self.records[register][key][member] = value
            return key

    firm.erp.__class__ = Otherwise


@pytest.mark.req("R-INV-4")
@pytest.mark.parametrize(("member", "value"), MADE_OTHERWISE, ids=[name for name, _ in MADE_OTHERWISE])
def test_a_document_that_was_made_otherwise_is_not_released(member: str, value: object) -> None:
    firm = Firm()
    companies: list[Json] = [
        {"number": "1", "isActive": True, "corporateId": "556677-8899"},
        {"number": "2", "isActive": True, "corporateId": "559900-1122"},
    ]
    for one in companies:
        firm.books.remember("visma_net", "branch", one)
    otherwise(firm, member, value)
    firm.invoice(senderVatNumber="SE556677889901")
    with pytest.raises(Stop) as stop:
        settle(firm.transfer())
    assert stop.value.code == "invoice.content_differs"
    assert member in stop.value.values["reasons"]
    assert firm.erp.released == []
    assert firm.erp.documents() == []
    assert firm.in_severa_now()["status"]["guid"] == "s-failed"
