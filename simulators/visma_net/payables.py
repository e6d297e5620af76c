"""Suppliers and supplier documents: read by a connector, entered by people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from simulators.visma_net import blocks
from simulators.visma_net.answers import Answer, not_found, not_in_system, rule_broken
from simulators.visma_net.call import Call, Routes
from simulators.visma_net.documents import (
    ZERO,
    JournalBatch,
    JournalLine,
    SupplierDocument,
    SupplierLine,
)
from simulators.visma_net.ledger import new_batch
from simulators.visma_net.paging import by_times, page, time_test
from simulators.visma_net.projects import task_of
from simulators.visma_net.state import Company, Row, day
from simulators.visma_net.totals import HUNDRED, rounded, to_base

_RELEASED = frozenset({"Open", "Closed", "Printed", "Voided", "Reserved"})


def enter_supplier_document(company: Company, sent: dict[str, Any]) -> SupplierDocument:
    """A person's move. Members: ``type``, ``supplier`` (number), ``date``, ``reference``, ``description``,
    ``currency``, ``rate``, ``gross``, ``vat_percent``, ``released``, ``attachments`` and ``lines`` of
    ``account``, ``amount``, ``project``, ``task``, ``description``, ``quantity``, ``attachments``."""
    supplier = company.register("supplier").get(str(sent.get("supplier", "")))
    if supplier is None:
        supplier = next(iter(company.register("supplier")), None) if not sent.get("supplier") else None
    if supplier is None:
        raise not_in_system("VendorID", str(sent.get("supplier", "")))
    when = date.fromisoformat(sent["date"]) if sent.get("date") else company.today()
    stamp = company.stamp()
    currency = sent.get("currency", company.base_currency)
    document = SupplierDocument(
        kind=sent.get("type", "Invoice"),
        number=company.take_number(company.document_series["Supplier"]),
        internal_id=company.next_id(),
        supplier=supplier,
        date=when,
        due=when + timedelta(days=30),
        period=sent.get("period") or company.period_of(when),
        currency=currency,
        rate=Decimal(str(sent.get("rate") or company.currencies[currency]["rate"])),
        created=stamp,
        modified=stamp,
        version=company.next_version(),
        reference=sent.get("reference", ""),
        description=sent.get("description", ""),
        branch=sent.get("branch") or blocks.main_branch(company),
        gross=bool(sent.get("gross", False)),
        note=sent.get("note", ""),
        status="Hold" if sent.get("hold") else "Balanced",
    )
    for number, line in enumerate(sent.get("lines", []), 1):
        document.lines.append(_line(company, number, line))
    _attach_all(company, document, sent)
    percent = Decimal(str(sent.get("vat_percent", 25)))
    amount = sum((line.amount for line in document.lines), ZERO)
    if document.gross:
        document.vat_total = rounded(amount * percent / (HUNDRED + percent))
        document.total = amount
    else:
        document.vat_total = rounded(amount * percent / HUNDRED)
        document.total = amount + document.vat_total
    company.supplier_documents[document.kind, document.number] = document
    if sent.get("released", True):
        release_supplier_document(company, document)
    return document


def _attach_all(company: Company, owner: SupplierDocument | SupplierLine, sent: dict[str, Any]) -> None:
    for file in sent.get("attachments", []):
        content = str(file.get("text", "")).encode()
        blocks.attach(company, owner, file["name"], content, file.get("content_type", "application/pdf"))


def project_and_task(company: Company, sent: dict[str, Any]) -> tuple[Row | None, Row | None]:
    """Project and task that a line names, none when it names none. Refuses unknown ones."""
    if not sent.get("project"):
        return None, None
    project = company.register("project").get(str(sent["project"]))
    if project is None:
        raise not_in_system("ProjectID", str(sent["project"]))
    task = task_of(project, str(sent.get("task", "10")))
    return project, task


def _line(company: Company, number: int, sent: dict[str, Any]) -> SupplierLine:
    account = str(sent.get("account", "4600"))
    if company.register("account").get(account) is None:
        raise not_in_system("AccountID", account)
    project, task = project_and_task(company, sent)
    line = SupplierLine(
        number=number,
        description=sent.get("description", ""),
        amount=Decimal(str(sent.get("amount", 0))),
        account=account,
        project=project,
        task=task,
        quantity=Decimal(str(sent.get("quantity", 1))),
        vat_category=sent.get("vat_category", next(iter(company.vat_categories))),
        deferral_code=sent.get("deferral_code", ""),
        note=sent.get("note", ""),
    )
    _attach_all(company, line, sent)
    return line


def release_supplier_document(company: Company, document: SupplierDocument) -> JournalBatch:
    """Release: open with its full balance, and a batch of module AP in the ledger (the same cost again,
    which a reader of both must not count twice)."""
    if document.status in _RELEASED:
        raise rule_broken("The document can't be released because it is already released.")
    document.status = "Open"
    document.balance = document.total
    company.touch(document)
    sign = -1 if document.kind in ("DebitAdj", "VoidQuickCheck") else 1
    lines: list[JournalLine] = []
    for line in document.lines:
        amount = to_base(company, line.amount, document.rate) * sign
        lines.append(
            JournalLine(
                number=len(lines) + 1,
                account=line.account,
                debit=max(amount, ZERO),
                credit=max(-amount, ZERO),
                description=line.description,
                reference=document.number,
                project=line.project,
                task=line.task,
                customer_supplier=document.supplier.key,
            )
        )
    payable = to_base(company, document.total, document.rate) * sign
    lines.append(
        JournalLine(
            number=len(lines) + 1,
            account="2440",
            debit=max(-payable, ZERO),
            credit=max(payable, ZERO),
            reference=document.number,
            customer_supplier=document.supplier.key,
        )
    )
    return new_batch(company, "AP", document.date, lines, description=document.description)


def void_supplier_document(company: Company, document: SupplierDocument) -> None:
    """Takes a document out of the books; it stays, with nothing open."""
    document.status = "Voided"
    document.balance = ZERO
    company.touch(document)


def _head(company: Company, document: SupplierDocument) -> dict[str, Any]:
    body = document.supplier.body

    def money(name: str, amount: Decimal) -> dict[str, Any]:
        return {name: to_base(company, amount, document.rate), f"{name}InCurrency": amount}

    return {
        "supplier": {
            "internalId": document.supplier.internal_id,
            "number": document.supplier.key,
            "name": body["name"],
        },
        "documentType": document.kind,
        "referenceNumber": document.number,
        "postPeriod": document.period,
        "financialPeriod": document.period,
        "date": day(document.date),
        "origInvoiceDate": day(document.date),
        "dueDate": day(document.due),
        "approvalStatus": "ApprovedInApproval",
        "status": document.status,
        "currencyId": document.currency,
        **money("balance", document.balance),
        "cashDiscount": ZERO,
        "cashDiscountInCurrency": ZERO,
        "paymentMethod": {},
        "supplierReference": document.reference,
        "description": document.description,
        "createdDateTime": company.shown(document.created),
        "lastModifiedDateTime": company.shown(document.modified),
        "note": document.note,
        "closedFinancialPeriod": "",
        "location": {
            "countryId": body["mainAddress"]["country"]["id"],
            "id": "MAIN",
            "name": "Primary Location",
        },
        **money("vatTotal", document.vat_total),
        "branchNumber": blocks.branch(company, document.branch),
        "timeStamp": document.etag,
    }


def _render_line(company: Company, document: SupplierDocument, line: SupplierLine) -> dict[str, Any]:
    base = to_base(company, line.amount, document.rate)
    unit = rounded(line.amount / line.quantity, Decimal("0.0001")) if line.quantity else line.amount
    category = company.vat_categories.get(line.vat_category, {"description": ""})
    return {
        "lineNumber": line.number,
        "inventoryNumber": line.item,
        "stockItem": False,
        "transactionDescription": line.description,
        "quantity": line.quantity,
        "uom": "ST",
        "unitCost": to_base(company, unit, document.rate),
        "unitCostInCurrency": unit,
        "cost": base,
        "costInCurrency": line.amount,
        "discountPercent": ZERO,
        "discountAmount": ZERO,
        "discountAmountInCurrency": ZERO,
        "manualDiscount": False,
        "account": blocks.account(company, line.account),
        "subaccount": blocks.subaccount([]),
        "deferralCode": line.deferral_code,
        "vatCode": {"id": line.vat_category, "description": category["description"]},
        "branchNumber": blocks.branch(company, document.branch),
        "note": line.note,
        "project": blocks.project(line.project),
        "projectTask": line.task and blocks.project(line.task),
        "attachments": [file.shape() for file in line.attachments],
    }


def render_supplier_document(company: Company, document: SupplierDocument, *, files: bool) -> dict[str, Any]:
    """A supplier invoice with its lines; ``files`` as on the single read or with expandAttachment."""
    net = document.total - document.vat_total
    lines = [_render_line(company, document, line) for line in document.lines]
    if not files:
        for line in lines:
            del line["attachments"]

    def money(name: str, amount: Decimal) -> dict[str, Any]:
        return {name: to_base(company, amount, document.rate), f"{name}InCurrency": amount}

    shape = {
        **_head(company, document),
        "invoiceLines": lines,
        "hold": document.status == "Hold",
        "exchangeRate": document.rate,
        "paymentRefNo": "",
        "creditTerms": {"id": "30", "description": ""},
        **money("detailTotal", sum((line.amount for line in document.lines), ZERO)),
        **money("discountTotal", ZERO),
        **money("vatTaxableTotal", net),
        **money("vatExemptTotal", ZERO),
        **money("roundingDiff", ZERO),
        "amount": to_base(company, document.total, document.rate),
        "vatAmount": to_base(company, document.vat_total, document.rate),
        "taxCalculationMode": "Gross" if document.gross else "TaxSetting",
        "taxDetailLines": [],
        "landedCosts": [],
    }
    if files:
        shape["attachments"] = [file.shape() for file in document.attachments]
    return shape


def _filtered(call: Call, documents: Iterable[SupplierDocument]) -> list[SupplierDocument]:
    found = list(by_times(call, documents, lambda one: one.modified, lambda one: one.created))
    supplier, kind, status = call.text("supplier"), call.text("documentType"), call.text("status")
    project, branch, period = call.text("project"), call.text("branch"), call.text("financialPeriod")
    released = call.whole("released")
    date_test, due_test = time_test(call, "docDate"), time_test(call, "dueDate")
    return [
        one
        for one in found
        if (supplier is None or one.supplier.key == supplier)
        and (kind is None or one.kind == kind)
        and (status is None or one.status == status)
        and (branch is None or one.branch == branch)
        and (period is None or one.period == period)
        and (released is None or (one.status in _RELEASED) is bool(released))
        and (project is None or any(line.project and line.project.key == project for line in one.lines))
        and (date_test is None or date_test(f"{day(one.date)}.000"))
        and (due_test is None or due_test(f"{day(one.due)}.000"))
    ]


def _list(call: Call) -> Answer:
    company = call.company
    files = bool(call.flag("expandAttachment"))
    rows = _filtered(call, company.supplier_documents.values())
    return Answer(200, page(call, rows, lambda one: render_supplier_document(company, one, files=files)))


def _documents(call: Call) -> Answer:
    company = call.company

    def render(one: SupplierDocument) -> dict[str, Any]:
        amount = {"amount": to_base(company, one.total, one.rate), "amountInCurrency": one.total}
        return {
            **_head(company, one),
            **amount,
            "account": blocks.account(company, "2440"),
            "branch": blocks.branch(company, one.branch),
        }

    return Answer(200, page(call, _filtered(call, company.supplier_documents.values()), render))


def _one(call: Call) -> SupplierDocument:
    # Without a type in the path only invoices are found (docs/vendors/visma-net-erp.md E64).
    kind = call.params.get("documentType", "Invoice")
    for (its_kind, number), document in call.company.supplier_documents.items():
        if number == call.params["number"] and its_kind.lower() == kind.lower():
            return document
    raise not_found("The supplier invoice")


def _get(call: Call) -> Answer:
    document = _one(call)
    shape = render_supplier_document(call.company, document, files=True)
    return Answer(200, shape, {"ETag": f'"{document.etag}"'})


def _attach(call: Call) -> Answer:
    document = _one(call)
    call.check_version(document.etag)
    owner: SupplierDocument | SupplierLine = document
    if "line" in call.params:
        lines = [line for line in document.lines if str(line.number) == call.params["line"]]
        if not lines:
            raise not_found("The line")
        owner = lines[0]
    answer = blocks.receive_upload(call, owner)
    call.company.touch(document)
    return answer


def render_supplier(company: Company, row: Row) -> dict[str, Any]:
    """The supplier as the API shows it."""
    return {
        "internalId": row.internal_id,
        "number": row.key,
        **row.body,
        "lastModifiedDateTime": company.shown(row.modified),
        "timeStamp": row.etag,
    }


def _suppliers(call: Call) -> Answer:
    company = call.company
    rows = list(by_times(call, company.register("supplier"), lambda row: row.modified))
    for name in ("name", "status", "corporateId", "vatRegistrationId"):
        value = call.text(name)
        if value:
            rows = [row for row in rows if str(row.body[name]).casefold() == value.casefold()]
    return Answer(200, page(call, rows, lambda row: render_supplier(company, row)))


def _supplier(call: Call) -> Answer:
    row = call.company.register("supplier").get(call.params["supplierCd"])
    if row is None:
        raise not_found("The supplier")
    return Answer(200, render_supplier(call.company, row), {"ETag": f'"{row.etag}"'})


def add_routes(routes: Routes) -> None:
    """Suppliers and their documents."""
    routes.add("GET", "/v1/supplier", _suppliers)
    routes.add("GET", "/v1/supplier/{supplierCd}", _supplier)
    routes.add("GET", "/v1/supplierdocument", _documents)
    routes.add("GET", "/v1/supplierInvoice", _list)
    routes.add("GET", "/v1/supplierInvoice/{number}", _get)
    routes.add("GET", "/v1/supplierInvoice/{documentType}/{number}", _get)
    routes.add("POST", "/v1/supplierInvoice/{number}/attachment", _attach)
    routes.add("POST", "/v1/supplierInvoice/{number}/{line}/attachment", _attach)
    routes.add("POST", "/v1/supplierInvoice/documentType/{documentType}/{number}/attachment", _attach)
    routes.add("POST", "/v1/supplierInvoice/documentType/{documentType}/{number}/{line}/attachment", _attach)
