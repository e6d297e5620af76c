"""Rows of an invoice, and the hours, fees, expenses and flat rates that they stand for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from simulators.severa.errors import bad_field
from simulators.severa.models import MODELS
from simulators.severa.organisation import PERSON, Organisation, cents
from simulators.severa.registers import Record

ITEMS = {"Hours": "workhours", "ProjectFees": "projectfees", "TravelExpenses": "projecttravelexpenses"}
"""Row type → register of the work behind such a row (a flat rate is linked the other way round)."""
_CATEGORY = {"Hours": "Hours", "ProjectFees": "ProjectFees", "TravelExpenses": "Travels", "FlatRate": "Hours"}


def add_person_row(org: Organisation, invoice: Record, sent: dict[str, Any], order: int) -> None:
    """Add a row as `drafting.add_invoice` describes it, with the work behind it. Raises `SeveraError` 400."""
    row_type = sent.get("rowType") or _row_type(org, sent.get("code"))
    parts = sent.get("items") or [sent]
    given = sent.get("code")
    codes: list[str] = [str(code) for code in (given if isinstance(given, list) else [given]) if code]
    for part in parts:
        if part.get("code") and part["code"] not in codes and not isinstance(part["code"], list):
            codes.append(str(part["code"]))
    code = org.record("currencies", invoice.data["currency"])
    price = _price(
        org, invoice, sent.get("unitPrice", 0), str(code.data["code"]) if code else org.currency_code
    )
    vat_rate = sent.get("vatRate", invoice.data["workHourValueAddedTax"])
    row = add_row(
        org,
        invoice,
        PERSON,
        row_type=row_type,
        code=codes,
        description=sent.get("description"),
        quantity=Decimal(str(sent.get("quantity", 1))),
        price=price,
        unit=sent.get("unit") or sent.get("measurementUnit") or ("tim" if row_type == "Hours" else "st"),
        vat_rate=None if vat_rate is None else Decimal(str(vat_rate)),
        order=order,
    )
    for part in parts:
        project = org.by_any("projects", part.get("project") or sent.get("project"))
        if project is None and invoice.data["projects"]:
            project = invoice.data["projects"][0]
        if project is not None:
            _work_behind(org, invoice, row, project, {**sent, **part})


def _row_type(org: Organisation, code: Any) -> str:
    first = code[0] if isinstance(code, list) and code else code
    if first and not isinstance(first, list):
        for register, row_type in (("worktypes", "Hours"), ("travelexpensetypes", "TravelExpenses")):
            if any(one.data["code"] == first for one in org.register(register)):
                return row_type
    return "ProjectFees"


def _price(org: Organisation, invoice: Record, amount: Any, code: str) -> dict[str, Any]:
    in_invoice_currency = Decimal(str(amount))
    if code == org.currency_code or not org.switch("row_price_in_base_currency"):
        return {"amount": in_invoice_currency, "currencyCode": code}
    return {
        "amount": cents(in_invoice_currency * invoice.data["currencyRate"]),
        "currencyCode": org.currency_code,
        "multiCurrencyInfo": [
            {"amount": in_invoice_currency, "currencyCode": code, "purpose": ["ProjectPrice"]}
        ],
    }


def add_row(
    org: Organisation,
    invoice: Record,
    by: str,
    *,
    row_type: str,
    code: list[str],
    description: str | None,
    quantity: Decimal,
    price: dict[str, Any] | None,
    unit: str | None,
    vat_rate: Decimal | None,
    order: int,
) -> Record:
    """Add a finished row; the sales account is that of the first code. Raises `SeveraError` 400."""
    if row_type not in _CATEGORY:
        raise bad_field("rowType", f"rowType must be one of {', '.join(_CATEGORY)}.")
    account = next(
        (
            one.data["salesAccount"]
            for register in ("products", "worktypes", "travelexpensetypes")
            for one in org.register(register)
            if code and one.data["code"] == code[0]
        ),
        None,
    )
    ledger = org.record("salesaccounts", account)
    return org.add(
        "invoicerows",
        {
            "invoiceGuid": invoice.guid,
            "rowType": row_type,
            "description": description,
            "quantity": quantity,
            "unitPrice": price,
            "measurementUnit": unit,
            "vatRate": vat_rate,
            "sortOrder": order,
            "salesAccount": None
            if ledger is None
            else {"number": ledger.data["number"], "name": ledger.data["name"]},
            "recurringSalesAccount": None,
            "costCenter": None,
            "category": _CATEGORY[row_type],
            "flatRateGuid": None,
            "hasInvoiceComment": False,
            "code": code,
        },
        by,
    )


def _work_behind(org: Organisation, invoice: Record, row: Record, project: str, part: dict[str, Any]) -> None:
    """Add the hours, fee, expense or flat rate that a row stands for, so that its project can be traced."""
    owner = org.register("projects").records[project].data
    quantity = Decimal(str(part.get("quantity", 1)))
    row_type = row.data["rowType"]
    price = row.data["unitPrice"]
    if part.get("unitPrice") is not None and price is not None:
        price = {**price, "amount": Decimal(str(part["unitPrice"])), "multiCurrencyInfo": None}
    code = part.get("code")
    named = code[0] if isinstance(code, list) and code else code
    common = {
        "project": project,
        "customer": owner["customer"],
        "phase": owner["rootPhase"],
        "description": row.data["description"],
        "quantity": quantity,
        "unitPrice": price,
        "eventDate": invoice.data["date"],
        "isBillable": True,
        "invoice": invoice.guid,
        "invoiceRowGuid": row.guid,
        "invoiceQuantity": quantity,
        "user": owner["projectOwner"],
        "vatRate": row.data["vatRate"],
        "measurementUnit": row.data["measurementUnit"],
    }
    if row_type == "FlatRate":
        flat = blank_data("flatrates") | {
            "phase": owner["rootPhase"],
            "project": project,
            "price": price,
            "billingSchedule": "Immediately",
            "invoiceGuid": invoice.guid,
        }
        row.data["flatRateGuid"] = org.add("flatrates", flat, PERSON).guid
        return
    register = ITEMS[row_type]
    linked = {
        "workhours": ("workType", "worktypes"),
        "projectfees": ("product", "products"),
        "projecttravelexpenses": ("travelExpense", "travelexpensetypes"),
    }[register]
    data = blank_data(register)
    data.update({name: value for name, value in common.items() if name in data})
    data[linked[0]] = org.by_any(linked[1], named) if named else None
    if register == "projectfees":
        data["name"] = row.data["description"]
        product = org.record("products", data["product"])
        data["productType"] = "Materials" if product is None else product.data["type"]
    org.add(register, data, PERSON)


def blank_data(register: str) -> dict[str, Any]:
    """Give the data of a record of which nothing is known."""
    return {name: one.default for name, one in MODELS[register].items()}
