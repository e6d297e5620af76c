"""An invoice in transfer, what was written of it, and documents that the bridge did not make."""

from __future__ import annotations

from typing import Any

from domain.model import Json
from tests.fakes_ledger import Firm
from tests.unit.domain.invoice_booking import D


def creates(firm: Firm) -> int:
    return sum(call.method == "create" for call in firm.calls)


def to_status(firm: Firm, status: str) -> None:
    firm.in_severa_now()["status"] = {"guid": status, "name": status}
    firm.poll()


def status_of(firm: Firm) -> str:
    return str(firm.in_severa_now()["status"]["guid"])


def status_writes(firm: Firm) -> list[str]:
    patches = [call.body for call in firm.calls if call.method == "patch"]
    return [body["/status/guid"] for body in patches if "/status/guid" in body]


def foreign(firm: Firm, number: str, **more: Any) -> Json:
    """A document of the same customer, date, total and order that the bridge did not make."""
    document: Json = {
        "documentType": "Invoice",
        "referenceNumber": number,
        "status": "Hold",
        "hold": True,
        "customer": {"number": "10001"},
        "documentDate": "2026-11-02T00:00:00",
        "currencyId": "SEK",
        "amountInCurrency": firm.in_severa_now()["totalIncludingTax"]["amount"],
        "customerRefNumber": "PO 5561",
        "note": "",
        "_total": D("15352.79"),
    } | more
    return firm.erp.store("customerinvoice", document, number)
