"""Making invoices: drafts from billable work, and the invoice that a person makes."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from simulators.severa import invoices
from simulators.severa.errors import bad_field, not_allowed
from simulators.severa.fields import convert, lower_keys
from simulators.severa.models import MODELS
from simulators.severa.organisation import API, PERSON, Organisation
from simulators.severa.registers import Record
from simulators.severa.rows import ITEMS, add_person_row, add_row

# --- POST /invoices -------------------------------------------------------------------------------------------------


def draft_invoices(org: Organisation, sent: dict[str, Any]) -> list[Record]:
    """Make drafts from everything billable on the given projects up to `date`: one per project, or one for all.

    A project with nothing billable gets no draft. Raises `SeveraError` 400.
    """
    given = lower_keys(sent)
    wanted = given.get("projects")
    if not isinstance(wanted, list) or not wanted:
        raise bad_field("projects", "projects is required.")
    projects = []
    for one in wanted:
        named = lower_keys(one)
        guid = named.get("guid") or named.get("projectguid") or lower_keys(named.get("project")).get("guid")
        project = org.record("projects", guid)
        if project is None:
            raise bad_field("projects", f"The project {guid} does not exist.")
        projects.append(project)
    until = given.get("date") or org.now().date().isoformat()
    status = given.get("invoicestatusguid") or default_status(org, "isDefault")
    groups = [projects] if given.get("groupprojects") else [[one] for one in projects]
    made = []
    for group in groups:
        work = [
            (row_type, item)
            for project in group
            for row_type, register in ITEMS.items()
            for item in org.register(register).find("project", project.guid)
            if item.data["isBillable"]
            and item.data["invoice"] is None
            and (item.data["eventDate"] or "") <= until
        ]
        if not work:
            continue
        header = {"projects": [one.guid for one in group], "date": until, "status": status}
        if given.get("billingcustomerguid"):
            header["billingCustomer"] = given["billingcustomerguid"]
        invoice = add_header(org, header, API)
        for order, (row_type, item) in enumerate(work, start=1):
            _bill(org, invoice, row_type, item, order)
        made.append(invoice)
    return made


def _bill(org: Organisation, invoice: Record, row_type: str, item: Record, order: int) -> None:
    data = item.data
    code_of = {
        "Hours": ("worktypes", "workType"),
        "ProjectFees": ("products", "product"),
        "TravelExpenses": ("travelexpensetypes", "travelExpense"),
    }[row_type]
    kind = org.record(code_of[0], data[code_of[1]])
    row = add_row(
        org,
        invoice,
        API,
        row_type=row_type,
        code=[kind.data["code"]] if kind is not None and kind.data["code"] else [],
        description=_description(data, kind),
        quantity=data["quantity"] or Decimal(0),
        price=data["unitPrice"],
        unit=data.get("measurementUnit") or ("tim" if row_type == "Hours" else None),
        vat_rate=data.get("vatRate") if row_type != "Hours" else invoice.data["workHourValueAddedTax"],
        order=order,
    )
    changed = {
        **data,
        "invoice": invoice.guid,
        "invoiceRowGuid": row.guid,
        "invoiceQuantity": data["quantity"],
    }
    org.change(ITEMS[row_type], item, changed, API)


def _description(data: dict[str, Any], kind: Record | None) -> str:
    own = data.get("invoiceRowDescription") or data.get("description")
    return str(own or ("" if kind is None else kind.data["name"]))


# --- A person's invoice ---------------------------------------------------------------------------------------------


def add_invoice(org: Organisation, sent: dict[str, Any]) -> Record:
    """Make an invoice as people do in the user interface, with rows and the work behind them.

    `sent` names what differs from the usual, each reference by guid, number, code or name: customer, project or
    projects, date, dueDate, currency, currencyRate, status (role, name or guid), any header field of the model, and
    `rows`: [{code, description, quantity, unitPrice, vatRate, rowType, unit, project, items}]. `items` are the parts of
    a grouped row: [{code, quantity, unitPrice, project}]. Raises `SeveraError` 400.
    """
    rows = sent.get("rows") or []
    header = {name: value for name, value in sent.items() if name not in ("rows", "project")}
    if "project" in sent:
        header["projects"] = [sent["project"]]
    numbered_later = header.pop("status", None)
    invoice = add_header(org, header, PERSON)
    for order, row in enumerate(rows, start=1):
        add_person_row(org, invoice, row, order)
    if numbered_later is not None:
        set_status(org, invoice, numbered_later)
    return invoice


def set_status(org: Organisation, invoice: Record, status: Any, by: str = PERSON) -> None:
    """Move an invoice to a status (role, name or guid), with a number of Severa's own where the status asks for one.

    Raises `SeveraError` 400 for an unknown status.
    """
    draft = dict(invoice.data)
    draft["status"] = convert(MODELS["invoices"]["status"], status, org.by_any, text_allowed=False)
    invoices.give_number(org, draft)
    org.change("invoices", invoice, draft, by)


def default_status(org: Organisation, flag: str) -> str:
    """Give the status with a flag (isDefault, isDefaultForCreditNote), else the first one."""
    statuses = list(org.register("invoicestatuses"))
    for status in statuses:
        if status.data[flag] and status.data["isActive"]:
            return status.guid
    if not statuses:
        raise not_allowed("The organization has no invoice statuses.")
    return statuses[0].guid


def add_header(org: Organisation, sent: dict[str, Any], by: str) -> Record:
    """Add an invoice without rows; what is not given comes from project, customer and organisation.

    Raises `SeveraError` 400.
    """
    fields = MODELS["invoices"]
    projects = convert(fields["projects"], sent.get("projects") or [], org.by_any, text_allowed=False)
    project = org.record("projects", projects[0]) if projects else None
    on_project = {} if project is None else project.data
    customer_guid = sent.get("customer") or on_project.get("customer")
    customer = org.record("customers", org.by_any("customers", customer_guid))
    if customer is None:
        raise bad_field("customer", f"The customer {customer_guid} does not exist.")
    payer = org.record("customers", org.by_any("customers", sent.get("billingCustomer"))) or customer
    day = date.fromisoformat(str(sent.get("date") or org.now().date())[:10])
    term = sent.get("paymentTerm", on_project.get("paymentTerm"))
    if term is None:
        term = (
            payer.data["paymentTerm"]
            if payer.data["paymentTerm"] is not None
            else org.settings["paymentTerm"]
        )
    currency = org.record(
        "currencies", org.by_any("currencies", sent.get("currency") or on_project.get("currency"))
    ) or org.record("currencies", org.by_any("currencies", org.currency_code))
    if currency is None:
        raise bad_field("currency", "The currency does not exist.")
    unit = org.company_unit()
    vat = org.record("vatrates", payer.data["invoicingVat"])
    filled = {
        "status": default_status(org, "isDefault"),
        "customer": customer.guid,
        "billingCustomer": payer.guid,
        "date": day.isoformat(),
        "dueDate": (day + timedelta(days=int(term))).isoformat(),
        "entryDate": day.isoformat(),
        "paymentTerm": int(term),
        "overdueInterest": payer.data["overdueInterest"] or 0,
        "currency": currency.guid,
        "currencyRate": currency.data["rate"],
        "ourReference": on_project.get("ourReference"),
        "yourReference": on_project.get("yourReference"),
        "orderNumber": on_project.get("orderNumber"),
        "receiverCustomerName": payer.data["name"],
        "receiverAddress": _receiver_address(org, payer),
        "receiverVatNumber": payer.data["vatNumber"],
        "senderName": org.name,
        "senderAddress": _sender_address(org),
        "senderVatNumber": org.details["vatNumber"],
        "invoiceNumberBusinessUnitGuid": None if unit is None else unit.guid,
        "language": payer.data["language"],
        "workHourValueAddedTax": Decimal(25) if vat is None else vat.data["percentage"],
        **{
            name: value
            for name, value in sent.items()
            if name not in ("customer", "billingCustomer", "currency")
        },
        "projects": projects,
    }
    data = org.data_of("invoices", filled, person=True)
    invoices.give_number(org, data)
    return org.add("invoices", data, by)


def _receiver_address(org: Organisation, customer: Record) -> dict[str, Any] | None:
    addresses = org.register("addresses").find("customer", customer.guid)
    chosen = next((one for one in addresses if one.data["isBillingAddress"]), None) or org.record(
        "addresses", customer.data["headquarterAddress"]
    )
    if chosen is None:
        return None
    country = org.record("countries", chosen.data["country"])
    # A copy: the customer's address may change afterwards, the invoice's does not. The country is text.
    return {
        "addressline": chosen.data["addressline"],
        "postalCode": chosen.data["postalCode"],
        "city": chosen.data["city"],
        "state": None,
        "country": None if country is None else country.data["name"],
    }


def _sender_address(org: Organisation) -> dict[str, Any]:
    return {
        "addressline": org.details["address"],
        "postalCode": org.details["postalCode"],
        "city": org.details["city"],
        "state": None,
        "country": org.details["country"]["name"],
    }
