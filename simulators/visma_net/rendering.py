"""Read shapes of customer-ledger documents and payments. Bare amounts are in the company's currency,
``...InCurrency`` in the document's (docs/vendors/visma-net-erp.md E21)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from simulators.visma_net import blocks
from simulators.visma_net.answers import not_in_system
from simulators.visma_net.documents import ZERO, Application, Document, Line, Payment, PaymentLine
from simulators.visma_net.settling import target_of
from simulators.visma_net.state import Company, Row, day
from simulators.visma_net.totals import kept, to_base


def _money(company: Company, document: Document, name: str, amount: Decimal) -> dict[str, Any]:
    return {name: to_base(company, amount, document.rate), f"{name}InCurrency": amount}


def _visible(company: Company, document: Document) -> bool:
    """Whether amount and balance are filled: a company may leave them empty until release."""
    return document.released or not company.switches.amount_empty_before_release


def document_head(company: Company, document: Document) -> dict[str, Any]:
    """What invoices, credit notes and the list of all customer documents have in common."""
    visible = _visible(company, document)
    amount = document.total if visible else ZERO
    balance = (document.balance if document.released else document.total) if visible else ZERO
    customer = document.customer
    branch = blocks.branch(company, document.branch)
    return {
        "documentDueDate": day(document.due),
        "customer": {"number": customer.key, "name": customer.body["name"]},
        "documentType": document.kind,
        "referenceNumber": document.number,
        "postPeriod": document.period,
        "financialPeriod": document.period,
        "closedFinancialPeriod": document.closed_period,
        "documentDate": day(document.date),
        "origInvoiceDate": day(document.original_date),
        "status": document.status,
        "currencyId": document.currency,
        **_money(company, document, "amount", amount),
        **_money(company, document, "balance", balance),
        "cashDiscount": ZERO,
        "cashDiscountInCurrency": ZERO,
        "customerRefNumber": document.customer_ref,
        "invoiceText": document.text,
        "lastModifiedDateTime": company.shown(document.modified),
        "createdDateTime": company.shown(document.created),
        "note": document.note,
        **_money(company, document, "vatTotal", document.vat_total),
        "location": blocks.location(customer),
        "branchNumber": branch,
        "cashAccount": "",
        "project": blocks.project(document.project),
        "account": blocks.account(company, "1510"),
        "customerProject": document.customer_project,
        "errorInfo": document.error_info,
    }


def _line(company: Company, document: Document, line: Line) -> dict[str, Any]:
    category = company.vat_categories[line.vat_category]
    shape = {
        "lineNumber": line.number,
        "inventoryNumber": line.item.key if line.item else "",
        "description": line.description,
        "quantity": kept(line.quantity, company.switches.quantity_decimals),
        **_money(
            company, document, "unitPrice", kept(line.unit_price or ZERO, company.switches.price_decimals)
        ),
        **_money(company, document, "manualAmount", line.manual_amount or ZERO),
        **_money(company, document, "amount", line.amount),
        "cost": ZERO,
        "account": blocks.account(company, line.account),
        "vatCode": {"id": line.vat_category, "description": category["description"]},
        "uom": line.uom,
        "discountPercent": line.discount_percent,
        **_money(company, document, "discountAmount", line.discount_amount),
        "manualDiscount": line.manual_discount,
        "subaccount": blocks.subaccount(line.subaccount),
        "note": line.note,
        "branchNumber": blocks.branch(company, line.branch),
        "projectTask": line.task and blocks.project(line.task),
        "attachments": [file.shape() for file in line.attachments],
    }
    if document.kind == "Invoice":
        shape["lineType"] = "GN" if line.item else "MI"
    return shape


def _application(application: Application) -> dict[str, Any]:
    return {
        "docType": application.doc_type,
        "customerCD": application.customer,
        "refNbr": application.number,
        "amountPaid": application.amount,
        "cashDiscountTaken": ZERO,
        "balance": ZERO,
        "pendingPPD": False,
        "released": True,
        "hold": False,
        "voided": application.voided,
        "paymentRef": application.payment_ref,
        "status": "Voided" if application.voided else "Closed",
        "applicationDate": day(application.date),
        "applicationPeriod": f"{application.date:%Y%m}",
        "invoiceText": "",
    }


def render_document(
    company: Company, document: Document, *, expand: frozenset[str] | None = None
) -> dict[str, Any]:
    """An invoice or credit note. ``expand`` None is the single read with everything; a list row has only
    what was asked for, and terms and payment method empty (docs/vendors/visma-net-erp.md E37)."""
    single = expand is None
    wanted = expand or frozenset()
    taxable = sum((tax.taxable for tax in document.taxes if not tax.exempt), ZERO)
    exempt = sum((tax.taxable for tax in document.taxes if tax.exempt), ZERO)
    zone = company.vat_zones[document.zone]
    lines = [_line(company, document, line) for line in document.lines]
    shape = {
        **document_head(company, document),
        "creditTerms": {},
        "paymentMethod": {},
        "externalReference": document.external_ref,
        "exchangeRate": document.rate,
        "contact": {"id": document.contact, "name": ""} if document.contact else None,
        "invoiceLines" if document.kind == "Invoice" else "lines": lines,
        "sendToAutoInvoice": document.send_to_auto_invoice,
        "roundingDiff": to_base(company, document.rounding, document.rate),
        "customerVatZone": {"id": document.zone, "description": zone["description"]},
        "timeStamp": document.etag,
        "hold": document.hold,
        **_money(company, document, "discountTotal", ZERO),
        **_money(company, document, "detailTotal", document.detail_total),
        **_money(company, document, "vatTaxableTotal", taxable),
        **_money(company, document, "vatExemptTotal", exempt),
        "paymentReference": document.payment_reference,
        "dontPrint": document.dont_print,
        "dontEmail": document.dont_email,
        "revoked": False,
        "isRotRutDeductible": False,
        "dunningLetterLevel": 0,
    }
    if document.kind == "Invoice":
        shape["excludeDebtCollection"] = document.exclude_debt_collection
    if single:
        terms = company.credit_terms.get(document.terms)
        if terms is not None:
            shape["creditTerms"] = {"id": document.terms, "description": terms["description"]}
        method = company.payment_methods.get(document.payment_method)
        if method is not None:
            shape["paymentMethod"] = {"id": document.payment_method, "description": method["description"]}
    elif not company.switches.notes_on_lists:
        del shape["note"]
    if single or "applications" in wanted:
        shape["applications"] = [_application(one) for one in document.applications]
    if single or "taxdetails" in wanted:
        shape["taxDetails"] = _taxes(document)
    if single or "attachments" in wanted:
        shape["attachments"] = [file.shape() for file in document.attachments]
    if single or "invoiceaddress" in wanted:
        own = document.address or {**document.customer.body["mainAddress"], "overrideAddress": False}
        shape["invoiceAddress"] = own
        shape["invoiceContact"] = document.address_contact or _customer_contact(document)
    return shape


def _customer_contact(document: Document) -> dict[str, Any]:
    block = document.customer.body["invoiceContact"] or document.customer.body["mainContact"]
    return {
        "contactId": block["contactId"],
        "businessName": block["name"],
        "attention": block["attention"],
        "email": block["email"],
        "phone1": block["phone1"],
        "overrideContact": False,
    }


def _taxes(document: Document) -> list[dict[str, Any]]:
    return [
        {
            "taxId": tax.vat_id,
            "recordId": number,
            "vatId": {"number": tax.vat_id, "description": tax.description},
            "vatRate": tax.rate,
            "taxableAmount": tax.taxable,
            "vatAmount": tax.vat,
        }
        for number, tax in enumerate(document.taxes, 1)
    ]


def render_customer_document(company: Company, one: Document | Payment) -> dict[str, Any]:
    """A row of the list of all customer documents: no lines, terms and payment method empty."""
    if isinstance(one, Document):
        shape = {
            **document_head(company, one),
            "branch": blocks.branch(company, one.branch),
            "paymentMethod": {},
        }
        if not company.switches.notes_on_lists:
            del shape["note"]
        return shape
    left = one.amount - one.applied if one.released else one.amount
    base, base_left = to_base(company, one.amount, one.rate), to_base(company, left, one.rate)
    return {
        "documentDueDate": day(one.date),
        "branch": blocks.branch(company, one.branch),
        "branchNumber": blocks.branch(company, one.branch),
        "customer": {"number": one.customer.key, "name": one.customer.body["name"]},
        "documentType": one.kind,
        "referenceNumber": one.number,
        "postPeriod": f"{one.date:%Y%m}",
        "financialPeriod": f"{one.date:%Y%m}",
        "documentDate": day(one.date),
        "status": one.status,
        "currencyId": one.currency,
        "amount": base,
        "amountInCurrency": one.amount,
        "balance": base_left,
        "balanceInCurrency": left,
        "cashDiscount": ZERO,
        "cashDiscountInCurrency": ZERO,
        "paymentMethod": {},
        "customerRefNumber": one.payment_ref,
        "invoiceText": one.text,
        "lastModifiedDateTime": company.shown(one.modified),
        "createdDateTime": company.shown(one.created),
        "note": one.note,
        "vatTotal": ZERO,
        "vatTotalInCurrency": ZERO,
        "location": blocks.location(one.customer),
    }


def _payment_line(company: Company, payment: Payment, line: PaymentLine, sign: int) -> dict[str, Any]:
    target = target_of(company, line.document_type, line.number)
    return {
        "documentType": line.document_type,
        "refNbr": line.number,
        "amountPaid": line.amount * sign,
        "cashDiscountTaken": ZERO,
        "balanceWriteOff": line.write_off * sign,
        "writeOffReasonCode": {"id": "WRITEOFF", "description": ""} if line.write_off else None,
        "date": day(target.date) if target else None,
        "dueDate": day(target.due) if target else None,
        "balance": target.balance if target else ZERO,
        "cashDiscountBalance": ZERO,
        "description": target.text if target else "",
        "currency": payment.currency,
        "postPeriod": target.period if target else "",
        "customerOrder": target.customer_ref if target else "",
        "crossRate": Decimal(1),
    }


def render_payment(company: Company, payment: Payment) -> dict[str, Any]:
    """The payment as the API shows it."""
    # A voiding payment shows its lines three times, +, -, + (docs/vendors/visma-net-erp.md E62).
    signs = (1, -1, 1) if payment.kind == "VoidPayment" else (1,)
    lines = [_payment_line(company, payment, line, sign) for sign in signs for line in payment.lines]
    left = payment.amount - payment.applied
    method = company.payment_methods.get(payment.method, {})
    return {
        "type": payment.kind,
        "refNbr": payment.number,
        "status": payment.status,
        "hold": payment.hold,
        "applicationDate": day(payment.date),
        "applicationPeriod": f"{payment.date:%Y%m}",
        "paymentRef": payment.payment_ref,
        "customer": {"number": payment.customer.key, "name": payment.customer.body["name"]},
        "location": blocks.location(payment.customer),
        "paymentMethod": {"id": payment.method, "description": method.get("description", "")},
        "cashAccount": payment.cash_account,
        "currency": payment.currency,
        "paymentAmount": to_base(company, payment.amount, payment.rate),
        "paymentAmountInCurrency": payment.amount,
        "invoiceText": payment.text,
        "appliedToDocuments": payment.applied,
        "appliedToOrders": ZERO,
        "availableBalance": to_base(company, left, payment.rate),
        "availableBalanceInCurrency": left,
        "writeOffAmount": sum((line.write_off for line in payment.lines), ZERO),
        "financeCharges": ZERO,
        "deductedCharges": ZERO,
        "branch": payment.branch,
        "lastModifiedDateTime": company.shown(payment.modified),
        "paymentLines": lines,
        "ordersToApply": [],
        "timeStamp": payment.etag,
    }


def customer_by_number(company: Company, number: str) -> Row:
    """A customer that a document names. Refuses an unknown one as an entry is refused."""
    row = company.register("customer").get(number)
    if row is None:
        raise not_in_system("CustomerID", number)
    return row
