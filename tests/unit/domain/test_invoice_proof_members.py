"""The proof compares the held document member by member with what was sent: whatever the ERP made otherwise stops the
invoice before its release (R-INV-4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.errors import Stop, TryLater
from domain.invoice.steps import settle
from domain.model import ActionResult, Json
from domain.setup.settings import TenantSettings
from tests.fakes_ledger import Firm, row
from tests.unit.domain.invoice_booking import D

MADE_OTHERWISE: list[tuple[str, object, Json]] = [
    (
        "customer",
        {"number": "10002", "name": "Någon annan AB"},
        {"field": "customerNumber", "severa": "10001", "erp": "10002"},
    ),
    ("currencyId", "EUR", {"field": "currencyId", "severa": "SEK", "erp": "EUR"}),
    (
        "documentDate",
        "2026-11-03T00:00:00",
        {"field": "documentDate", "severa": "2026-11-02", "erp": "2026-11-03"},
    ),
    (
        "documentDueDate",
        "2026-12-24T00:00:00",
        {"field": "documentDueDate", "severa": "2026-12-02", "erp": "2026-12-24"},
    ),
    ("branchNumber", {"number": "2"}, {"field": "branchNumber", "severa": "1", "erp": "2"}),
    ("project", {"id": "9999"}, {"field": "project", "severa": "4711", "erp": "9999"}),
    ("dontPrint", False, {"field": "dontPrint", "severa": "true", "erp": "false"}),
    ("sendToAutoInvoice", True, {"field": "sendToAutoInvoice", "severa": "false", "erp": "true"}),
]
"""Member of the ERP's document, what the ERP made of it, and what the stop tells of it."""


def otherwise(firm: Firm, member: str, value: object) -> None:
    """The ERP makes the document with another value than was sent."""

    class Otherwise(type(firm.erp)):  # type: ignore[misc] # a subclass of the fake in use
        def on_create(self, register: str, body: Json, number: str) -> str:
            key: str = super().on_create(register, body, number)
            self.records[register][key][member] = value
            return key

    firm.erp.__class__ = Otherwise


@pytest.mark.req("R-INV-4")
@pytest.mark.parametrize(
    ("member", "value", "told"), MADE_OTHERWISE, ids=[name for name, *_ in MADE_OTHERWISE]
)
def test_a_document_that_was_made_otherwise_is_not_released(member: str, value: object, told: Json) -> None:
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
    assert told in stop.value.values["reasons"]
    assert firm.erp.released == []
    assert firm.erp.documents() == []
    assert firm.in_severa_now()["status"]["guid"] == "s-failed"


@pytest.mark.req("R-INV-4")
def test_a_line_that_got_another_vat_category_than_was_sent_is_not_released() -> None:
    firm = Firm()
    chosen = {"fallback_items": {"Hours/25": "CONS"}, "fallback_vat_categories": {"25": "25"}}
    firm.tenant = replace(firm.tenant, settings=TenantSettings.model_validate(chosen))

    class Otherwise(type(firm.erp)):  # type: ignore[misc] # a subclass of the fake in use
        def on_create(self, register: str, body: Json, number: str) -> str:
            key: str = super().on_create(register, body, number)
            self.records[register][key]["invoiceLines"][0]["vatCode"] = {"id": "25A"}
            return key

    firm.erp.__class__ = Otherwise
    firm.invoice([row("CONS", "1", "100", "25") | {"code": []}])
    with pytest.raises(Stop) as stop:
        settle(firm.transfer())
    assert stop.value.code == "invoice.content_differs"
    assert [(one["field"], one["severa"], one["erp"]) for one in stop.value.values["reasons"]] == [
        ("vatCodeId", "25", "25A")
    ]
    assert firm.erp.released == []


@pytest.mark.req("R-INV-4")
@pytest.mark.parametrize(("off", "within"), [("0.03", True), ("0.06", False)])
def test_vat_of_a_rate_that_differs_within_the_tolerance_is_a_warning(off: str, *, within: bool) -> None:
    """Two rates whose differences cancel each other in the total."""
    firm = Firm()

    class Otherwise(type(firm.erp)):  # type: ignore[misc] # a subclass of the fake in use
        def on_create(self, register: str, body: Json, number: str) -> str:
            key: str = super().on_create(register, body, number)
            taxes = self.records[register][key]["taxDetails"]
            taxes[0]["vatAmount"] += D(off)
            taxes[1]["vatAmount"] -= D(off)
            return key

    firm.erp.__class__ = Otherwise
    firm.invoice([row("CONS", "1", "1000", "25"), row("TRAIN", "1", "1000", "6")])
    if within:
        told = {line.code: line.values for line in settle(firm.transfer()).effects.log}
        assert told["invoice.proof_warning"]["differences"] == [
            {"field": "vat", "severa": "60.00", "erp": "59.97", "rate": "6"},
            {"field": "vat", "severa": "250.00", "erp": "250.03", "rate": "25"},
        ]
        assert firm.in_severa_now()["number"] == 101
    else:
        with pytest.raises(Stop) as stop:
            settle(firm.transfer())
        assert stop.value.code == "invoice.total_differs"
        assert firm.erp.released == []


@pytest.mark.req("R-INV-4")
@pytest.mark.parametrize("result", ["Queued", "InProcess"])
def test_a_release_that_is_not_over_is_waited_for_and_not_asked_again(result: str) -> None:
    firm = Firm()
    firm.erp.release_result = ActionResult(result, "")
    firm.invoice()
    delivery = firm.transfer()
    with pytest.raises(TryLater) as later:
        settle(delivery)
    assert later.value.costs_attempt is False
    firm.clock.forward(5)
    firm.erp.finish_release("customerinvoice", "101")
    settle(delivery.again())
    assert firm.in_severa_now()["number"] == 101
    assert len([call for call in firm.calls if call.method == "act"]) == 1


@pytest.mark.req("R-INV-4")
def test_the_contacts_company_is_read_where_a_document_shows_it() -> None:
    """A document's contact has *businessName* (the vendor's DocContactDto); *name* is only in what is sent."""
    firm = Firm()
    otherwise(firm, "invoiceContact", {"businessName": "Fel AB", "overrideContact": True})
    firm.invoice(receiverCustomerName="Mottagare AB")
    told = {line.code: line.values for line in settle(firm.transfer()).effects.log}
    differing = {
        one["field"]: (one["severa"], one["erp"]) for one in told["invoice.proof_warning"]["differences"]
    }
    assert differing["name"] == ("Mottagare AB", "Fel AB")
