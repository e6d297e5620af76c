"""The general ledger: journal batches (v2), transactions and financial periods."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from simulators.visma_net import blocks
from simulators.visma_net.answers import Answer, malformed, not_found
from simulators.visma_net.call import Call, Routes
from simulators.visma_net.documents import ZERO, JournalBatch, JournalLine
from simulators.visma_net.paging import by_times, filter_time, max_size, page
from simulators.visma_net.state import Company, Period, day
from simulators.visma_net.totals import from_base

LEDGER = {"id": "1", "description": "Actual"}


def new_batch(
    company: Company,
    module: str,
    when: date,
    lines: list[JournalLine],
    *,
    description: str = "",
    status: str = "Posted",
    period: str = "",
    currency: str | None = None,
    rate: Decimal = Decimal(1),
) -> JournalBatch:
    """Enter a batch; numbers are unique per module only."""
    stamp = company.stamp()
    batch = JournalBatch(
        module=module,
        number=company.take_number(company.document_series["Batch"]),
        internal_id=company.next_id(),
        date=when,
        period=period or company.period_of(when),
        created=stamp,
        modified=stamp,
        version=company.next_version(),
        status=status,
        currency=currency or company.base_currency,
        rate=rate,
        description=description,
        branch=blocks.main_branch(company),
        lines=lines,
    )
    company.batches[module, batch.number] = batch
    return batch


def _render_line(company: Company, batch: JournalBatch, line: JournalLine) -> dict[str, Any]:
    account = blocks.account(company, line.account) or {"description": ""}
    category = company.vat_categories.get(line.vat_category)
    return {
        "lineNumber": line.number,
        "accountNumber": line.account,
        "description": account["description"],
        "subaccount": blocks.subaccount([]),
        "referenceNumber": line.reference,
        "debitAmount": line.debit,
        "debitAmountInCurrency": from_base(company, line.debit, batch.rate),
        "creditAmount": line.credit,
        "creditAmountInCurrency": from_base(company, line.credit, batch.rate),
        "transactionDescription": line.description,
        "vatCode": category and {"id": line.vat_category, "description": category["description"]},
        "branch": batch.branch,
        "customerSupplier": line.customer_supplier,
        "transactionType": "",
        "module": f"Module{batch.module}",
        "uom": "",
        "project": blocks.project(line.project),
        "projectTask": line.task and blocks.project(line.task),
        "attachments": [file.shape() for file in line.attachments],
        "quantity": line.quantity,
        "inventoryNumber": "",
        "note": line.note,
    }


def render_batch(
    company: Company, batch: JournalBatch, *, lines: list[JournalLine] | None = None, files: bool = True
) -> dict[str, Any]:
    """A batch, with all its lines or those of one page. postPeriod is MMYYYY here (docs/vendors/visma-net-erp.md E60)."""
    debit = sum((line.debit for line in batch.lines), ZERO)
    credit = sum((line.credit for line in batch.lines), ZERO)
    shown = [_render_line(company, batch, line) for line in (batch.lines if lines is None else lines)]
    if not files:
        for line in shown:
            del line["attachments"]
    shape = {
        "module": f"Module{batch.module}",
        "batchNumber": batch.number,
        "status": batch.status,
        "hold": batch.status == "Hold",
        "transactionDate": day(batch.date),
        "postPeriod": f"{batch.period[4:]}{batch.period[:4]}",
        "financialPeriod": batch.period,
        "ledger": LEDGER["id"],
        "ledgerDescription": LEDGER["description"],
        "currencyId": batch.currency,
        "exchangeRate": batch.rate,
        "autoReversing": False,
        "reversingEntry": False,
        "description": batch.description,
        "originalBatchNumber": "",
        "debitTotal": debit,
        "debitTotalInCurrency": from_base(company, debit, batch.rate),
        "creditTotal": credit,
        "creditTotalInCurrency": from_base(company, credit, batch.rate),
        "controlTotal": debit,
        "controlTotalInCurrency": from_base(company, debit, batch.rate),
        "createVatTransaction": False,
        "skipVatAmountValidation": False,
        "lastModifiedDateTime": company.shown(batch.modified),
        "branch": batch.branch,
        "timeStamp": batch.etag,
        "journalTransactionLines": shown,
    }
    if files:
        shape["attachments"] = [file.shape() for file in batch.attachments]
    return shape


def _list(call: Call) -> Answer:
    """Pages count LINES and may cut a batch in two; lastModifiedDateTime means "since" and has no
    Condition here (docs/vendors/visma-net-erp.md E30, E35)."""
    company = call.company
    period, since = call.text("periodId"), call.text("lastModifiedDateTime")
    if not period and not since:
        raise malformed({"periodId": "periodId is mandatory unless lastModifiedDateTime is given."})
    module, status, branch = call.text("module"), call.text("status"), call.text("branch")
    limit_text = filter_time("lastModifiedDateTime", since) if since else ""
    batches = [
        one
        for one in company.batches.values()
        if (not period or one.period == period)
        and (not since or company.text(one.modified) >= limit_text)
        and (not module or one.module.lower() == module.lower())
        and (not status or one.status == status)
        and (not branch or one.branch == branch)
    ]
    limit = max_size(company)
    size = min(call.whole("pageSize") or company.switches.default_page_size, limit)
    first = (max(call.whole("pageNumber") or 1, 1) - 1) * size
    total = sum(len(batch.lines) for batch in batches)
    files = bool(call.flag("expandAttachments"))
    answer, position = [], 0
    for batch in batches:
        start, end = max(first - position, 0), first + size - position
        position += len(batch.lines)
        part = batch.lines[start : max(end, 0)]
        if part:
            shape = render_batch(company, batch, lines=part, files=files)
            answer.append({**shape, "metadata": {"totalCount": total, "maxPageSize": limit}})
    return Answer(200, answer)


def _find(call: Call) -> JournalBatch:
    number = call.params["number"]
    wanted = call.params.get("module")
    for (module, its_number), batch in call.company.batches.items():
        if its_number == number and (wanted is None or module.lower() == wanted.lower()):
            return batch
    raise not_found("The journal transaction")


def _get(call: Call) -> Answer:
    batch = _find(call)
    return Answer(200, render_batch(call.company, batch), {"ETag": f'"{batch.etag}"'})


def _attach(call: Call) -> Answer:
    batch = _find(call)
    owner: JournalBatch | JournalLine = batch
    if "line" in call.params:
        lines = [line for line in batch.lines if str(line.number) == call.params["line"]]
        if not lines:
            raise not_found("The line")
        owner = lines[0]
    answer = blocks.receive_upload(call, owner)
    call.company.touch(batch)
    return answer


def _transactions(call: Call) -> Answer:
    """Ledger lines without their project, of posted batches."""
    company = call.company
    if not call.text("ledger"):
        raise malformed({"ledger": "ledger is required."})
    first, last, account = call.text("fromPeriod"), call.text("toPeriod"), call.text("account")
    batches = by_times(call, company.batches.values(), lambda one: one.modified)
    rows = [
        (batch, line)
        for batch in batches
        if batch.status == "Posted"
        and (not first or batch.period >= first)
        and (not last or batch.period <= last)
        for line in batch.lines
        if not account or line.account == account
    ]

    def render(row: tuple[JournalBatch, JournalLine]) -> dict[str, Any]:
        batch, line = row
        return {
            "lineNumber": line.number,
            "module": batch.module,
            "batchNumber": batch.number,
            "tranDate": day(batch.date),
            "period": batch.period,
            "description": line.description,
            "refNumber": line.reference,
            "branch": blocks.branch(company, batch.branch),
            "account": blocks.short_account(company, line.account),
            "ledger": LEDGER,
            "subaccount": "00",
            "debitAmount": line.debit,
            "creditAmount": line.credit,
            "currency": batch.currency,
            "currDebitAmount": from_base(company, line.debit, batch.rate),
            "currCreditAmount": from_base(company, line.credit, batch.rate),
            "lastModifiedDateTime": company.shown(batch.modified),
        }

    return Answer(200, page(call, rows, render))


def render_period(period: Period) -> dict[str, Any]:
    """A financial period as the API shows it."""
    return {
        "year": int(period.id[:4]),
        "period": period.id,
        "startDate": day(period.start),
        "endDate": day(period.end),
        "description": period.id,
        "active": period.active,
        "closedInSupplierLedger": period.closed_payables,
        "closedInCustomerLedger": period.closed_receivables,
        "closedInInventoryManagement": False,
        "closedInGeneralLedger": period.closed_ledger,
        "closedInCashManagement": False,
        "closedInFixedAssets": False,
    }


def _periods(call: Call) -> Answer:
    return Answer(200, [render_period(period) for period in call.company.periods.values()])


def _period(call: Call) -> Answer:
    period = call.company.periods.get(call.params["financialPeriodId"])
    if period is None:
        raise not_found("The financial period")
    return Answer(200, render_period(period))


def _ledgers(call: Call) -> Answer:
    company = call.company
    row = {
        "internalId": 1,
        "number": LEDGER["id"],
        "description": LEDGER["description"],
        "balanceType": "Actual",
        "currencyId": company.base_currency,
    }
    return Answer(200, [row])


def add_routes(routes: Routes) -> None:
    """Journals, ledger transactions and periods."""
    routes.add("GET", "/v2/journaltransaction", _list)
    routes.add("GET", "/v2/journaltransaction/{number}", _get)
    routes.add("POST", "/v2/journaltransaction/module/{module}/{number}/attachment", _attach)
    routes.add("POST", "/v2/journaltransaction/module/{module}/{number}/{line}/attachment", _attach)
    routes.add("GET", "/v1/GeneralLedgerTransactions", _transactions)
    routes.add("GET", "/v1/financialPeriod", _periods)
    routes.add("GET", "/v1/financialPeriod/{financialPeriodId}", _period)
    routes.add("GET", "/v1/ledger", _ledgers)
