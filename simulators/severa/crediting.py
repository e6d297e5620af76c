"""Crediting an invoice: what people do in the user interface; the API has no operation for it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from simulators.severa import invoices
from simulators.severa.drafting import default_status
from simulators.severa.errors import not_allowed
from simulators.severa.organisation import PERSON, Organisation
from simulators.severa.registers import Record
from simulators.severa.rows import ITEMS, add_person_row, blank_data

_REIMBURSED = {
    "Hours": "reimbursedworkhours",
    "ProjectFees": "reimbursedprojectfees",
    "TravelExpenses": "reimbursedprojecttravelexpenses",
}


def credit(org: Organisation, original: Record, sent: dict[str, Any]) -> Record:
    """Make the credit note of an invoice: quantities negated, both related fields filled, its default status.

    `sent` may hold `rows` (a part only, as `add_invoice` takes them but with positive quantities), `date` and
    `status`. Only an invoice that is sent and waits for payment can be credited, unless `force` is true.
    Raises `SeveraError` 400 InvalidOperation.
    """
    state = invoices.status_of(org, original.data)
    if original.data["isCreditNote"] or original.data["creditNoteInvoice"]:
        raise not_allowed("The invoice cannot be credited.")
    if not sent.get("force") and not (state.get("isSent") and state.get("isWaitingPayment")):
        raise not_allowed("Only an invoice that is sent and waits for payment can be credited.")
    day = str(sent.get("date") or original.data["date"])[:10]
    data = {
        **original.data,
        "number": None,
        "referenceNumber": None,
        "paymentDate": None,
        "date": day,
        "entryDate": day,
        "dueDate": day,
        "isCreditNote": True,
        "reimburseInvoice": original.guid,
        "creditNoteInvoice": None,
        "status": org.by_any("invoicestatuses", sent["status"])
        if sent.get("status")
        else default_status(org, "isDefaultForCreditNote"),
    }
    invoices.give_number(org, data)
    note = org.add("invoices", data, PERSON)
    org.change("invoices", original, {**original.data, "creditNoteInvoice": note.guid}, PERSON)
    if sent.get("rows"):
        for order, row in enumerate(sent["rows"], start=1):
            add_person_row(org, note, {**row, "quantity": -Decimal(str(row.get("quantity", 1)))}, order)
        _to_reimbursed(org, note)
        return note
    for row in org.register("invoicerows").find("invoiceGuid", original.guid):
        copied = org.add(
            "invoicerows", {**row.data, "invoiceGuid": note.guid, "quantity": -row.data["quantity"]}, PERSON
        )
        register = ITEMS.get(row.data["rowType"])
        for item in org.register(register).find("invoiceRowGuid", row.guid) if register else ():
            _reimburse(org, row.data["rowType"], item.data, note, copied, sign=-1)
    return note


def _to_reimbursed(org: Organisation, note: Record) -> None:
    for row in org.register("invoicerows").find("invoiceGuid", note.guid):
        register = ITEMS.get(row.data["rowType"])
        for item in org.register(register).find("invoiceRowGuid", row.guid) if register else ():
            _reimburse(org, row.data["rowType"], item.data, note, row, sign=1)
            org.remove(register or "", item.guid)


def _reimburse(
    org: Organisation, row_type: str, item: dict[str, Any], note: Record, row: Record, *, sign: int
) -> None:
    register = _REIMBURSED[row_type]
    data = blank_data(register)
    data.update({name: value for name, value in item.items() if name in data})
    quantity = (item["quantity"] or Decimal(0)) * sign
    data.update(
        {
            "invoiceGuid": note.guid,
            "invoiceRowGuid": row.guid,
            "quantity": quantity,
            "invoiceQuantity": quantity,
        }
    )
    if row_type == "TravelExpenses":
        kind = org.record("travelexpensetypes", item["travelExpense"])
        data["product"] = item["travelExpense"]
        data["name"] = None if kind is None else kind.data["name"]
    org.add(register, data, PERSON)
