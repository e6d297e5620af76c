"""Entering and changing unreleased invoices and credit notes: what is checked, defaulted and computed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from simulators.visma_net import blocks
from simulators.visma_net.answers import entry_refused, not_in_system, rule_broken
from simulators.visma_net.documents import ZERO, Document, Line
from simulators.visma_net.inventory import NON_STOCK, SALEABLE
from simulators.visma_net.projects import task_of
from simulators.visma_net.state import Company, Row
from simulators.visma_net.totals import compute

LINES = {"Invoice": "invoiceLines", "CreditNote": "lines"}
ADDRESS = {"Invoice": "billingAddress", "CreditNote": "invoiceAddress"}
SHAPE = {"Invoice": "CustomerInvoiceUpdateDto", "CreditNote": "CustomerCreditNoteUpdateDto"}
AFTER_RELEASE = frozenset({"note", "dontPrint", "dontEmail", "excludeDebtCollection", "revoked"})
"""The members that may still change once a document is released."""

_TEXTS = {
    "customerRefNumber": "customer_ref",
    "externalReference": "external_ref",
    "invoiceText": "text",
    "note": "note",
    "customerProject": "customer_project",
    "paymentReference": "payment_reference",
    "sendToAutoInvoice": "send_to_auto_invoice",
    "dontPrint": "dont_print",
    "dontEmail": "dont_email",
    "excludeDebtCollection": "exclude_debt_collection",
}


def registers(company: Company, kind: str) -> dict[str, Document]:
    """The documents of a kind by number."""
    return company.invoices if kind == "Invoice" else company.credit_notes


def enter(company: Company, kind: str, sent: dict[str, Any]) -> Document:
    """Create a document from unwrapped members. The number is taken last, when nothing can be refused any
    more: a refused document leaves no gap, a removed one does."""
    customer = company.register("customer").get(str(sent.get("customerNumber", "")))
    if customer is None:
        raise not_in_system("CustomerID", str(sent.get("customerNumber", "")))
    check_customer(customer)
    stamp = company.stamp()
    today = company.today()
    document = Document(
        kind=kind,
        number="",
        internal_id=0,
        customer=customer,
        date=today,
        due=today,
        period="",
        currency=customer.body["currencyId"],
        created=stamp,
        modified=stamp,
        version=0,
        zone=customer.body["vatZone"]["id"],
        terms=customer.body["creditTerms"]["id"] if kind == "Invoice" else "",
        payment_method=customer.body["defaultPaymentMethodId"],
        branch=blocks.main_branch(company),
        send_to_auto_invoice=bool(customer.body["acceptAutoInvoices"]),
    )
    _fill(company, document, sent)
    _status(company, document, hold=bool(sent.get("hold", False)))
    register = registers(company, kind)
    wanted = str(sent.get("referenceNumber") or "")
    series = company.series[company.document_series[kind]]
    if wanted and sent.get("overrideNumberSeries") and series.manual:
        if wanted in register:
            raise entry_refused(f"The document '{wanted}' already exists.")
        document.number = wanted
    else:
        document.number = series.take()
    document.internal_id = company.next_id()
    document.version = company.next_version()
    register[document.number] = document
    return document


def change(company: Company, document: Document, sent: dict[str, Any]) -> None:
    """Change the members sent. All or nothing; a released document takes only a few."""
    if document.released:
        refused = sorted(set(sent) - AFTER_RELEASE)
        if refused:
            raise rule_broken(f"{_name(document)} can't be updated because it is already released.")
    draft = replace(document, lines=[replace(line) for line in document.lines], taxes=list(document.taxes))
    if sent.get("customerNumber") not in (None, document.customer.key):
        raise rule_broken("The customer of a document cannot be changed.")
    if document.released:
        _put_texts(draft, sent)
    else:
        _fill(company, draft, sent)
        _status(company, draft, hold=bool(sent.get("hold", draft.hold)))
    vars(document).update(vars(draft))
    company.touch(document)


def _name(document: Document) -> str:
    return "Invoice" if document.kind == "Invoice" else "Credit note"


def _put_texts(document: Document, sent: dict[str, Any]) -> None:
    for member, name in _TEXTS.items():
        if member in sent:
            setattr(document, name, sent[member])


def check_customer(customer: Row) -> None:
    """Refuses a customer that may not be invoiced."""
    status = customer.body["status"]
    if status in ("Inactive", "OnHold"):
        raise entry_refused(f"The customer '{customer.key}' has the status '{status}'.")


def check_period(company: Company, period: str) -> None:
    """Refuses a period that does not exist or is closed in the customer ledger."""
    found = company.periods.get(period)
    if found is None or not found.active:
        raise entry_refused(f"The financial period {period} does not exist or is inactive.")
    if found.closed_receivables:
        raise entry_refused(f"The financial period {period} is closed in the customer ledger.")


def check_project(company: Company, document: Document) -> None:
    """A project and its tasks can be used while both are active and visible in the customer ledger."""
    project = document.project
    if project is None:
        return
    if project.body["hold"] or project.body["status"] != "Active":
        raise entry_refused(f"The project '{project.key}' has the status '{project.body['status']}'.")
    if not project.body["visibility"]["visibleInAr"]:
        raise entry_refused(f"The project '{project.key}' is not visible in the customer ledger.")
    owner = project.body["customer"]
    if company.switches.refuse_project_of_other_customer and owner not in (None, document.customer):
        raise entry_refused(f"The project '{project.key}' belongs to another customer.")
    for line in document.lines:
        if line.task is None:
            raise entry_refused("'Project task' cannot be empty.")
        if line.task.body["status"] != "Active":
            raise entry_refused(f"The task '{line.task.key}' has the status '{line.task.body['status']}'.")
        if not line.task.body["visibility"]["visibleInAr"]:
            raise entry_refused(f"The task '{line.task.key}' is not visible in the customer ledger.")


def _fill(company: Company, document: Document, sent: dict[str, Any]) -> None:
    _put_texts(document, sent)
    _put_dates(company, document, sent)
    _put_currency(company, document, sent)
    if sent.get("customerVatZoneId"):
        if sent["customerVatZoneId"] not in company.vat_zones:
            raise not_in_system("TaxZoneID", sent["customerVatZoneId"])
        document.zone = sent["customerVatZoneId"]
    if sent.get("branchNumber"):
        document.branch = blocks.branch(company, sent["branchNumber"])["number"]
    if sent.get("paymentMethodId"):
        if sent["paymentMethodId"] not in company.payment_methods:
            raise not_in_system("PaymentMethodID", sent["paymentMethodId"])
        document.payment_method = sent["paymentMethodId"]
    if "project" in sent:
        _put_project(company, document, sent["project"])
    _put_contact(company, document, sent)
    _put_address(company, document, sent)
    for member in sent.get(LINES[document.kind], []):
        _put_line(company, document, member)
    check_project(company, document)
    compute(company, document)
    if "applicationLines" in sent:
        _put_applications(company, document, sent["applicationLines"])


def _put_contact(company: Company, document: Document, sent: dict[str, Any]) -> None:
    if "contact" not in sent:
        return
    found = company.register("contact").find(sent["contact"])
    if found is None or found.body["account"] is not document.customer:
        raise not_in_system("ContactID", str(sent["contact"]))
    document.contact = sent["contact"]


def _put_dates(company: Company, document: Document, sent: dict[str, Any]) -> None:
    new_date = _day(sent, "documentDate")
    if new_date is not None:
        document.date = new_date
    if document.kind == "Invoice":
        _put_due(company, document, sent, dated=new_date is not None)
    else:
        document.due = document.date
    document.original_date = _day(sent, "origInvoiceDate") or document.original_date
    period = document.period
    if sent.get("financialPeriod"):
        period = sent["financialPeriod"]
    elif sent.get("postPeriod"):
        # MMYYYY here, YYYYMM everywhere else (docs/vendors/visma-net-erp.md E60).
        period = f"{sent['postPeriod'][2:]}{sent['postPeriod'][:2]}"
    elif new_date is not None or not period:
        period = company.period_of(document.date)
    if period != document.period or not document.number:
        check_period(company, period)
    document.period = period


def _put_due(company: Company, document: Document, sent: dict[str, Any], *, dated: bool) -> None:
    """``dated``: the document's date was sent, so that the terms count anew."""
    if sent.get("creditTermsId"):
        if sent["creditTermsId"] not in company.credit_terms:
            raise not_in_system("TermsID", sent["creditTermsId"])
        document.terms = sent["creditTermsId"]
    due = _day(sent, "documentDueDate")
    if due is not None:
        document.due = due
    elif dated or not document.number:
        days = int(company.credit_terms[document.terms].get("days", 0)) if document.terms else 0
        document.due = document.date + timedelta(days=days)


def _day(sent: dict[str, Any], name: str) -> date | None:
    value: datetime | None = sent.get(name)
    return None if value is None else value.date()


def _put_currency(company: Company, document: Document, sent: dict[str, Any]) -> None:
    if sent.get("currencyId"):
        if sent["currencyId"] not in company.currencies:
            raise not_in_system("CuryID", sent["currencyId"])
        document.currency = sent["currencyId"]
    if document.currency == company.base_currency:
        document.rate = Decimal(1)
    elif sent.get("exchangeRate"):
        document.rate = sent["exchangeRate"]
    elif sent.get("currencyId") or not document.number:
        document.rate = Decimal(company.currencies[document.currency]["rate"])
        if company.switches.exchange_rate_divides:
            document.rate = 1 / document.rate


def _put_project(company: Company, document: Document, number: str) -> None:
    if not number or number.upper() == "X":
        document.project = None
        return
    found = company.register("project").get(number)
    if found is None or found.body["systemTemplate"]:
        raise not_in_system("ProjectID", number)
    document.project = found
    for line in document.lines:
        line.task = task_of(found, line.task.key) if line.task is not None else None


def _put_address(company: Company, document: Document, sent: dict[str, Any]) -> None:
    block = sent.get(ADDRESS[document.kind])
    if block is not None:
        start = document.address or {**document.customer.body["mainAddress"]}
        if block.get("overrideAddress", start.get("overrideAddress", False)):
            document.address = {**blocks.address(company, block, start), "overrideAddress": True}
        else:
            document.address = None
    block = sent.get("invoiceContact")
    if block is not None:
        if block.get("overrideContact", document.address_contact is not None):
            start = document.address_contact or {"contactId": company.next_id(), "overrideContact": True}
            named = {"businessName" if key == "name" else key: value for key, value in block.items()}
            document.address_contact = {**start, **named, "overrideContact": True}
        else:
            document.address_contact = None


def _put_line(company: Company, document: Document, sent: dict[str, Any]) -> None:
    number = sent.get("lineNumber")
    line = next((one for one in document.lines if one.number == number), None)
    if sent.get("operation") == "Delete":
        if line is None:
            raise rule_broken(f"Line {number} does not exist.")
        document.lines.remove(line)
        return
    if line is None and sent.get("operation") == "Update":
        raise rule_broken(f"Line {number} does not exist.")
    fresh = line is None
    if line is None:
        # Insert with a number of an existing line is an update of it: the vendor's own example does that.
        line = Line(number or max((one.number for one in document.lines), default=0) + 1)
        line.branch = document.branch
        document.lines.append(line)
    _line_item(company, line, sent, fresh=fresh)
    for member, name in (
        ("description", "description"),
        ("quantity", "quantity"),
        ("unitPriceInCurrency", "unit_price"),
        ("manualAmountInCurrency", "manual_amount"),
        ("discountPercent", "discount_percent"),
        ("discountAmountInCurrency", "discount_sent"),
        ("manualDiscount", "manual_discount"),
        ("note", "note"),
        ("subaccount", "subaccount"),
    ):
        if member in sent:
            setattr(line, name, sent[member])
    _put_line_references(company, document, line, sent)
    if not line.account:
        raise entry_refused("'Account' cannot be empty.")


def _put_line_references(company: Company, document: Document, line: Line, sent: dict[str, Any]) -> None:
    if sent.get("accountNumber"):
        if company.register("account").get(sent["accountNumber"]) is None:
            raise not_in_system("AccountID", sent["accountNumber"])
        line.account = sent["accountNumber"]
    if "vatCodeId" in sent:
        line.vat_category = sent["vatCodeId"]
    if sent.get("branchNumber"):
        line.branch = blocks.branch(company, sent["branchNumber"])["number"]
    if "taskId" in sent and document.project is not None:
        line.task = task_of(document.project, sent["taskId"])
        if line.task is None:
            raise not_in_system("TaskID", sent["taskId"])


def _line_item(company: Company, line: Line, sent: dict[str, Any], *, fresh: bool) -> None:
    number = sent.get("inventoryNumber")
    if number:
        item = company.register("inventory").get(number)
        if item is None:
            raise not_in_system("InventoryID", number)
        if item.body["type"] not in NON_STOCK:
            raise entry_refused(f"Only a non-stock item can be selected; '{number}' is a stock item.")
        if item.body["status"] not in SALEABLE:
            raise entry_refused(f"The inventory item '{number}' has the status '{item.body['status']}'.")
        if item is not line.item:
            line.item = item
            line.description = item.body["description"]
            line.account = item.body["salesAccount"]
            line.vat_category = item.body["vatCode"]["id"]
            line.uom = item.body["salesUnit"]
    elif fresh and line.item is None:
        line.vat_category = line.vat_category or next(iter(company.vat_categories))
    if sent.get("uom"):
        if sent["uom"] not in company.units:
            raise not_in_system("UOM", sent["uom"])
        line.uom = sent["uom"]


def _put_applications(company: Company, document: Document, sent: list[dict[str, Any]]) -> None:
    """Against which invoices a credit note will be settled at its release."""
    wanted = {(kind, number): amount for kind, number, amount in document.to_apply}
    for line in sent:
        key = (line.get("documentType", "Invoice"), str(line.get("refNbr", "")))
        if line.get("operation") == "Delete":
            wanted.pop(key, None)
            continue
        target = company.invoices.get(key[1]) if key[0] == "Invoice" else None
        if target is None:
            raise not_in_system("RefNbr", key[1])
        if target.customer is not document.customer or target.currency != document.currency:
            raise rule_broken(f"The invoice '{key[1]}' belongs to another customer or has another currency.")
        if target.status != "Open":
            raise rule_broken(f"The invoice '{key[1]}' is not open.")
        amount = line.get("amountPaid", ZERO)
        if amount <= 0 or amount > target.balance:
            raise rule_broken(f"The amount paid on '{key[1]}' must be between 0 and {target.balance}.")
        wanted[key] = amount
    if wanted and sum(wanted.values(), ZERO) > document.total:
        raise rule_broken("The total of the applications exceeds the amount of the credit note.")
    document.to_apply = [(kind, number, amount) for (kind, number), amount in wanted.items()]


def _status(company: Company, document: Document, *, hold: bool) -> None:
    document.hold = hold
    document.error_info = ""
    if hold:
        document.status = "Hold"
        return
    if document.total < 0:
        raise rule_broken("Document balance will become negative. The document will not be saved.")
    on_credit_hold = document.customer.body["status"] == "CreditHold"
    document.status = "CreditHold" if on_credit_hold else company.switches.after_hold
