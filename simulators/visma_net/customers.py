"""Customers, their classes and balances."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from simulators.visma_net import blocks
from simulators.visma_net.answers import (
    Answer,
    action_result,
    changed,
    created,
    entry_refused,
    not_found,
    not_in_system,
)
from simulators.visma_net.call import Call, Routes
from simulators.visma_net.documents import ZERO
from simulators.visma_net.paging import by_times, page
from simulators.visma_net.state import Company, Row
from simulators.visma_net.totals import to_base

_PLAIN = (
    "name",
    "status",
    "accountReference",
    "creditLimit",
    "creditDaysPastDue",
    "creditVerification",
    "printInvoices",
    "acceptAutoInvoices",
    "sendInvoicesByEmail",
    "sendDunningLettersViaEMail",
    "printDunningLetters",
    "printStatements",
    "sendStatementsByEmail",
    "printMultiCurrencyStatements",
    "statementType",
    "invoiceToDefaultLocation",
    "vatRegistrationId",
    "corporateId",
    "gln",
    "numberOfEmployees",
    "excludeDebtCollection",
)
_FLAGS = {
    "printInvoices": False,
    "acceptAutoInvoices": True,
    "sendInvoicesByEmail": False,
    "sendDunningLettersViaEMail": False,
    "printDunningLetters": False,
    "printStatements": False,
    "sendStatementsByEmail": False,
    "printMultiCurrencyStatements": False,
    "invoiceToDefaultLocation": False,
    "excludeDebtCollection": False,
}


def customer_class(company: Company, class_id: str) -> dict[str, Any]:
    """A class by its id. Refuses an unknown one."""
    if class_id not in company.customer_classes:
        raise not_in_system("CustomerClassID", class_id)
    return company.customer_classes[class_id]


def terms_reference(company: Company, terms: str) -> dict[str, Any]:
    """Credit terms as records refer to them. Refuses unknown ones."""
    if terms not in company.credit_terms:
        raise not_in_system("TermsID", terms)
    return {"id": terms, "description": company.credit_terms[terms]["description"]}


def zone_reference(company: Company, zone: str) -> dict[str, Any]:
    """A VAT zone likewise."""
    if zone not in company.vat_zones:
        raise not_in_system("TaxZoneID", zone)
    return {"id": zone, "description": company.vat_zones[zone]["description"]}


def _class_values(company: Company, class_id: str) -> dict[str, Any]:
    found = customer_class(company, class_id)
    return {
        "customerClass": {"id": class_id, "description": found["description"]},
        "creditTerms": terms_reference(company, found["credit_terms"]),
        "currencyId": found["currency"],
        "vatZone": zone_reference(company, found["vat_zone"]),
    }


def _fill(company: Company, body: dict[str, Any], sent: dict[str, Any]) -> None:
    """Put the sent members on a customer's body; blocks that were never sent stay those of the main record."""
    body.update({name: sent[name] for name in _PLAIN if name in sent})
    if not body.get("name"):
        raise entry_refused("'Customer name' cannot be empty.", "saving customer")
    if "customerClassId" in sent:
        found = customer_class(company, sent["customerClassId"])
        body["customerClass"] = {"id": sent["customerClassId"], "description": found["description"]}
    if "creditTermsId" in sent:
        body["creditTerms"] = terms_reference(company, sent["creditTermsId"])
    if "vatZoneId" in sent:
        body["vatZone"] = zone_reference(company, sent["vatZoneId"])
    if "currencyId" in sent:
        if sent["currencyId"] not in company.currencies:
            raise not_in_system("CuryID", sent["currencyId"])
        body["currencyId"] = sent["currencyId"]
    _fill_blocks(company, body, sent)
    if "defaultPaymentMethod" in sent:
        body["defaultPaymentMethodId"] = sent["defaultPaymentMethod"].get("paymentMethodId", "")
    for line in sent.get("attributeLines", []):
        others = [one for one in body["attributes"] if one["id"] != line.get("attributeId")]
        new = {"id": line.get("attributeId"), "value": line.get("attributeValue", ""), "description": ""}
        body["attributes"] = [*others, new]


def _fill_blocks(company: Company, body: dict[str, Any], sent: dict[str, Any]) -> None:
    for name in ("mainAddress", "invoiceAddress", "deliveryAddress"):
        if name in sent:
            own = body.get(name)
            # The first own address starts as a copy of the main one, but is a record of its own.
            start = own or {**body["mainAddress"], "addressId": company.next_id()} if name in body else own
            body[name] = blocks.address(company, sent[name], start)
    for name in ("mainContact", "invoiceContact", "deliveryContact"):
        if name in sent:
            body[name] = blocks.contact_block(company, sent[name], body.get(name))


def new_customer(company: Company, sent: dict[str, Any]) -> Row:
    """Create a customer from unwrapped update members; the number comes from the series of the key."""
    class_id = sent.get("customerClassId") or next(iter(company.customer_classes))
    body: dict[str, Any] = {
        "status": "Active",
        "accountReference": "",
        "parentRecord": None,
        "creditVerification": "Disabled",
        "creditLimit": ZERO,
        "creditDaysPastDue": 0,
        "statementType": "OpenItem",
        "vatRegistrationId": "",
        "corporateId": "",
        "gln": "",
        "attributes": [],
        "directDebitLines": [],
        "defaultPaymentMethodId": next(iter(company.payment_methods), ""),
        "numberOfEmployees": 0,
        "priceClass": None,
        **_FLAGS,
        **_class_values(company, class_id),
        "mainAddress": blocks.address(company, sent.get("mainAddress", {})),
        "mainContact": blocks.contact_block(company, {"name": sent.get("name", "")}),
        "invoiceAddress": None,
        "deliveryAddress": None,
        "invoiceContact": None,
        "deliveryContact": None,
    }
    _fill(company, body, {name: value for name, value in sent.items() if name != "mainAddress"})
    if sent.get("overrideWithClassValues"):
        body.update(_class_values(company, class_id))
    number = _number(company, sent)
    company.check_length("CUSTOMER", number, "number")
    if company.register("customer").get(number) is not None:
        raise entry_refused(f"The customer '{number}' already exists.", "saving customer")
    return company.new_row("customer", number, body, note=sent.get("note", ""))


def _number(company: Company, sent: dict[str, Any]) -> str:
    key = company.dimensions["CUSTOMER"]
    given = str(sent.get("number") or "")
    if not key.auto_number or key.series is None:
        if not given:
            raise entry_refused("'Customer ID' cannot be empty.", "saving customer")
        return given
    if given:
        allowed = sent.get("overrideNumberSeries") and company.series[key.series].manual
        if allowed:
            return given
        if company.switches.manual_numbers == "refuse":
            raise entry_refused(
                f"Manual numbering is not allowed for '{key.series}'; leave the number out.",
                "saving customer",
            )
    # A person may have taken the next number by hand: the series steps over it.
    number = company.take_number(key.series)
    while company.register("customer").get(number) is not None:
        number = company.take_number(key.series)
    return number


def change_customer(company: Company, row: Row, sent: dict[str, Any]) -> None:
    """Puts what was sent over a customer; the class puts its own values over that when the flag says so."""
    body = {**row.body}
    _fill(company, body, sent)
    if sent.get("overrideWithClassValues"):
        body.update(_class_values(company, body["customerClass"]["id"]))
    row.body = body
    row.note = sent.get("note", row.note)
    company.touch(row)


def render_customer(company: Company, row: Row) -> dict[str, Any]:
    """The customer as the API shows it; addresses of its own or the main one."""
    body = row.body
    main_address, main_contact = body["mainAddress"], body["mainContact"]
    return {
        "internalId": row.internal_id,
        "number": row.key,
        **body,
        "invoiceAddress": body["invoiceAddress"] or main_address,
        "deliveryAddress": body["deliveryAddress"] or main_address,
        "invoiceContact": body["invoiceContact"] or main_contact,
        "deliveryContact": body["deliveryContact"] or main_contact,
        "location": blocks.location(row),
        "lastModifiedDateTime": company.shown(row.modified),
        "createdDateTime": company.shown(row.created),
        "timeStamp": row.etag,
    }


def _equals(name: str, value: str) -> Callable[[Row], bool]:
    wanted = value.casefold()
    match name:
        case "email" | "phone":
            member = "email" if name == "email" else "phone1"
            return lambda row: str(row.body["mainContact"].get(member, "")).casefold() == wanted
        case _:
            return lambda row: str(row.body.get(name, "")).casefold() == wanted


def _list(call: Call) -> Answer:
    company = call.company
    rows = by_times(call, company.register("customer"), lambda row: row.modified, lambda row: row.created)
    for name in ("name", "status", "corporateId", "vatRegistrationId", "email", "phone"):
        value = call.text(name)
        if value:
            test = _equals(name, value)
            rows = [row for row in rows if test(row)]
    return Answer(200, page(call, rows, lambda row: render_customer(company, row)))


def customer_of(company: Company, number: str) -> Row:
    """A customer by its number. Refuses an unknown one with 404."""
    row = company.register("customer").get(number)
    if row is None:
        raise not_found(f"Customer {number}")
    return row


def _by_path(call: Call) -> Row:
    if "internalId" in call.params:
        row = call.company.register("customer").find(call.number("internalId"))
        if row is None:
            raise not_found("The customer")
        return row
    return customer_of(call.company, call.params["customerCd"])


def _get(call: Call) -> Answer:
    row = _by_path(call)
    return Answer(200, render_customer(call.company, row), {"ETag": f'"{row.etag}"'})


def _location(call: Call, row: Row) -> str:
    if call.company.switches.location_internal_id:
        return call.location(f"/v1/customer/internal/{row.internal_id}")
    return call.location(f"/v1/customer/{row.key}")


def _post(call: Call) -> Answer:
    row = new_customer(call.company, call.update("CustomerUpdateDto"))
    return created(_location(call, row), row.etag)


def _put(call: Call) -> Answer:
    row = _by_path(call)
    call.check_version(row.etag)
    change_customer(call.company, row, call.update("CustomerUpdateDto"))
    return changed(_location(call, row), row.etag)


def _rename(call: Call) -> Answer:
    blocks.change_key(call, "customer", "CUSTOMER", "customerCd", "ChangeCustomerCdActionDto")
    return action_result()


def _render_class(class_id: str, found: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": class_id,
        "description": found["description"],
        "taxZoneId": found["vat_zone"],
        "requiredTaxzoneId": True,
        "paymentMethodId": "",
        "attributes": [],
    }


def _classes(call: Call) -> Answer:
    classes = call.company.customer_classes.items()
    return Answer(200, [_render_class(class_id, found) for class_id, found in classes])


def _class(call: Call) -> Answer:
    class_id = call.params["customerClassId"]
    if class_id not in call.company.customer_classes:
        raise not_found("The customer class")
    return Answer(200, _render_class(class_id, call.company.customer_classes[class_id]))


def balance(company: Company, row: Row) -> Decimal:
    """What the customer owes, in the company's currency: open invoices less open credit notes."""
    total = ZERO
    for document in company.invoices.values():
        if document.customer is row and document.released:
            total += to_base(company, document.balance, document.rate)
    for document in company.credit_notes.values():
        if document.customer is row and document.released:
            total -= to_base(company, document.balance, document.rate)
    return total


def _render_balance(company: Company, row: Row) -> dict[str, Any]:
    zeros = ("totalOrder", "totalLoan", "totalSalePeriod", "totalSaleYear")
    return {
        "customer": {"internalId": row.internal_id, "number": row.key, "name": row.body["name"]},
        "balance": balance(company, row),
        **dict.fromkeys((*zeros, "totalDiscountPeriod", "totalDiscountYear"), 0.0),
        "lastModified": company.shown(row.modified),
    }


def _balances(call: Call) -> Answer:
    company = call.company
    rows = by_times(call, company.register("customer"), lambda row: row.modified)
    return Answer(200, [_render_balance(company, row) for row in rows])


def _balance(call: Call) -> Answer:
    return Answer(200, _render_balance(call.company, _by_path(call)))


def _note(call: Call) -> Answer:
    return Answer(200, {"note": _by_path(call).note})


def add_routes(routes: Routes) -> None:
    """Customers, their classes, balances and notes."""
    routes.add("GET", "/v1/customer", _list)
    routes.add("POST", "/v1/customer", _post)
    routes.add("POST", "/v1/customer/action/changeCustomerCd/{internalId}", _rename)
    routes.add("GET", "/v1/customer/balance", _balances)
    routes.add("GET", "/v1/customer/customerClass", _classes)
    routes.add("GET", "/v1/customer/customerClass/{customerClassId}", _class)
    routes.add("GET", "/v1/customer/internal/{internalId}", _get)
    routes.add("PUT", "/v1/customer/internal/{internalId}", _put)
    routes.add("GET", "/v1/customer/{customerCd}", _get)
    routes.add("PUT", "/v1/customer/{customerCd}", _put)
    routes.add("GET", "/v1/customer/{customerCd}/balance", _balance)
    routes.add("GET", "/v1/customer/{customerCd}/note", _note)
