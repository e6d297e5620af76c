"""What an invoice computes and enforces by itself: totals, numbers, the status machine, deletion."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from simulators.severa.errors import bad_field, not_allowed
from simulators.severa.organisation import API, Organisation, cents
from simulators.severa.registers import Record

EDITABLE_WHEN_READ_ONLY = frozenset({"status", "number", "referenceNumber", "paymentDate"})
"""What may change on an invoice whose status is not editable (the vendor publishes no list: the integrations need
these four)."""
ROW_TYPES = ("FlatRate", "Hours", "ProjectFees", "TravelExpenses")


@dataclass
class Totals:
    """Sums of an invoice in its currency, signed as the rows are (a credit note's are negative)."""

    excluding_tax: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    including_tax: Decimal = Decimal(0)
    hours: Decimal = Decimal(0)
    by_row_type: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(ROW_TYPES, Decimal(0)))
    tax_by_rate: dict[Decimal, Decimal] = field(default_factory=dict)


def totals(org: Organisation, invoice: Record) -> Totals:
    """Compute the totals from the rows.

    A row's amount is quantity × unit price, rounded half away from zero to two decimals; VAT is rounded once per rate
    on the sum of its rows (switch `vat_per_row`); the setting currencyRoundingType NearestInteger rounds the total
    including tax to whole units.
    """
    sums = Totals()
    net: dict[Decimal, Decimal] = defaultdict(Decimal)
    per_row: dict[Decimal, Decimal] = defaultdict(Decimal)
    currency = org.record("currencies", invoice.data["currency"])
    code = None if currency is None else currency.data["code"]
    for row in org.register("invoicerows").find("invoiceGuid", invoice.guid):
        amount = row_amount(row, code)
        rate = row.data["vatRate"] or Decimal(0)
        net[rate] += amount
        per_row[rate] += cents(amount * rate / 100)
        sums.by_row_type[row.data["rowType"]] += amount
        if row.data["rowType"] == "Hours":
            sums.hours += row.data["quantity"]
    for rate, amount in net.items():
        sums.tax_by_rate[rate] = per_row[rate] if org.switch("vat_per_row") else cents(amount * rate / 100)
    sums.excluding_tax = sum(net.values(), Decimal(0))
    sums.tax = sum(sums.tax_by_rate.values(), Decimal(0))
    sums.including_tax = sums.excluding_tax + sums.tax
    if org.settings.get("currencyRoundingType") == "NearestInteger":
        sums.including_tax = sums.including_tax.quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return sums


def row_amount(row: Record, code: str | None) -> Decimal:
    """Give quantity × unit price in the invoice's currency, rounded to two decimals."""
    price = row.data["unitPrice"]
    if price is None:
        return Decimal(0)
    amount = price["amount"]
    if price["currencyCode"] != code:
        for other in price.get("multiCurrencyInfo") or ():
            if other["currencyCode"] == code:
                amount = other["amount"]
    return cents(Decimal(row.data["quantity"]) * Decimal(amount))


def status_of(org: Organisation, data: dict[str, Any]) -> dict[str, Any]:
    """Give the data of an invoice's status."""
    record = org.record("invoicestatuses", data["status"])
    return {} if record is None else record.data


def guard(org: Organisation, draft: dict[str, Any], name: str) -> None:
    """Refuse a change of content while the status is not editable; say what the number switch says.

    Raises `SeveraError` 400 InvalidOperation.
    """
    if name == "number" and org.switch("number_write") == "refused":
        raise not_allowed("The invoice number cannot be changed.")
    if status_of(org, draft).get("isReadOnly") and name not in EDITABLE_WHEN_READ_ONLY:
        raise not_allowed("The invoice cannot be edited in its current status.")


def settle(org: Organisation, draft: dict[str, Any], name: str, before: Any, by: str) -> None:
    """Finish the change of one field: the number switch, and numbers on entering a numbered status."""
    if name == "number" and by == API and org.switch("number_write") == "ignored":
        draft["number"] = before
    if name == "status":
        status = org.record("invoicestatuses", draft["status"])
        if status is not None and not status.data["isActive"]:
            raise bad_field("status", "The invoice status is not in use.")
        give_number(org, draft)


def give_number(org: Organisation, draft: dict[str, Any]) -> None:
    """Give number and reference from Severa's own series if the status asks for them and none is there.

    Credit notes only when the setting setCreditNoteInvoiceNumber is on.
    """
    if not status_of(org, draft).get("hasInvoiceNumber"):
        return
    if draft["number"] is None and (not draft["isCreditNote"] or org.settings["setCreditNoteInvoiceNumber"]):
        draft["number"] = org.settings["nextInvoiceNumber"]
        org.settings["lastInvoiceNumber"] = draft["number"]
        org.settings["nextInvoiceNumber"] += 1
    if draft["referenceNumber"] is None and draft["number"] is not None:
        draft["referenceNumber"] = reference_number(draft["number"])


def reference_number(number: int) -> str:
    """Give a payment reference for a number: the number, its length and a modulus 10 check digit (OCR level 3)."""
    body = f"{number}{(len(str(number)) + 2) % 10}"
    total = 0
    for position, digit in enumerate(reversed(body)):
        doubled = int(digit) * (2 if position % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return f"{body}{-total % 10}"


def can_be_deleted(org: Organisation, invoice: Record) -> bool:
    """Say whether the vendor would delete it: a draft without number or the latest number; never a credit note."""
    data = invoice.data
    if data["isCreditNote"] or data["creditNoteInvoice"] or status_of(org, data).get("isReadOnly"):
        return False
    return data["number"] is None or data["number"] == org.settings["nextInvoiceNumber"] - 1


def delete_invoice(org: Organisation, invoice: Record) -> None:
    """Delete an invoice with its rows; hours, fees and expenses become uninvoiced, the latest number is used again.

    Raises `SeveraError` 400 InvalidOperation where `can_be_deleted` says no.
    """
    if not can_be_deleted(org, invoice):
        raise not_allowed("The invoice cannot be deleted.")
    for row in org.register("invoicerows").find("invoiceGuid", invoice.guid):
        org.remove("invoicerows", row.guid)
    for register in ("projectfees", "workhours", "projecttravelexpenses"):
        for item in org.register(register).find("invoice", invoice.guid):
            org.change(register, item, {**item.data, "invoice": None, "invoiceRowGuid": None}, API)
    if invoice.data["number"] is not None and invoice.data["number"] == org.settings["nextInvoiceNumber"] - 1:
        org.settings["nextInvoiceNumber"] -= 1
    org.remove("invoices", invoice.guid)


def check_row(org: Organisation, row: Record) -> None:
    """Refuse a change of a row whose invoice is not editable. Raises `SeveraError` 400 InvalidOperation."""
    check_invoiced(org, row.data["invoiceGuid"])


def check_invoiced(org: Organisation, guid: str | None) -> None:
    """Refuse a change of what stands on an invoice that is not editable. Raises `SeveraError` 400 InvalidOperation."""
    invoice = org.record("invoices", guid)
    if invoice is not None and status_of(org, invoice.data).get("isReadOnly"):
        raise not_allowed("The invoice cannot be edited in its current status.")
