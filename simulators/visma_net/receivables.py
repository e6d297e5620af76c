"""Routes of customer invoices, credit notes and the list of all customer documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import Any

from simulators.visma_net import blocks
from simulators.visma_net.answers import Answer, action_result, changed, created, not_found, rule_broken
from simulators.visma_net.call import Call, Handler, Routes
from simulators.visma_net.customers import customer_of
from simulators.visma_net.documents import ZERO, Document, Line, Payment
from simulators.visma_net.entering import SHAPE, change, enter, registers
from simulators.visma_net.paging import by_times, page, time_test
from simulators.visma_net.rendering import render_customer_document, render_document
from simulators.visma_net.settling import release, remove
from simulators.visma_net.state import Company, Row, day

_PATH = {"Invoice": "customerinvoice", "CreditNote": "customerCreditNote"}
_EXPANDS = ("applications", "dunninginformation", "attachments", "taxdetails", "invoiceaddress")


def _expansions(call: Call) -> frozenset[str]:
    return frozenset(name for name in _EXPANDS if call.flag(f"expand{name}"))


def document_filter(
    call: Call, documents: Iterable[Document | Payment], *, types: bool = False
) -> list[Document | Payment]:
    """The filter of customer documents. Conditions without a date and unknown names change nothing."""
    found = by_times(call, documents, lambda one: one.modified, lambda one: one.created)
    tests = [*_shown_yet(call), *_in_time(call)]
    customer = call.text("customer")
    if customer:
        tests.append(lambda one: one.customer.key == customer)
    kind = call.text("documentType")
    if types and kind:
        tests.append(lambda one: one.kind == kind)
    released = call.whole("released")
    if released is not None:
        tests.append(lambda one: one.released is bool(released))
    branch = call.text("branch")
    if branch:
        tests.append(lambda one: one.branch == branch)
    for name, member in (
        ("status", "status"),
        ("externalReference", "external_ref"),
        ("customerRefNumber", "customer_ref"),
        ("paymentReference", "payment_reference"),
        ("financialPeriod", "period"),
        ("closedFinancialPeriod", "closed_period"),
    ):
        value = call.text(name)
        if value:
            tests.append(_member_is(member, value))
    project = call.text("project")
    if project:
        tests.append(
            lambda one: isinstance(one, Document) and one.project is not None and one.project.key == project
        )
    return [one for one in found if all(test(one) for test in tests)]


def _shown_yet(call: Call) -> Iterator[Callable[[Document | Payment], bool]]:
    """A new document is not on lists at once, where the company's switches say so."""
    if call.company.switches.visible_after_seconds:
        seen_from = call.company.clock() - timedelta(seconds=call.company.switches.visible_after_seconds)
        yield lambda one: one.created.at <= seen_from
    if call.company.switches.visible_after_next:
        every = [*call.company.invoices.values(), *call.company.credit_notes.values()]
        newest = max(every, key=lambda one: one.created.at, default=None)
        yield lambda one: one is not newest


def _in_time(call: Call) -> Iterator[Callable[[Document | Payment], bool]]:
    date_test = time_test(call, "documentDate")
    if date_test is not None:
        yield lambda one: date_test(f"{day(one.date)}.000")
    due_test = time_test(call, "documentDueDate")
    if due_test is not None:
        yield lambda one: isinstance(one, Document) and due_test(f"{day(one.due)}.000")


def _member_is(member: str, value: str) -> Callable[[Document | Payment], bool]:
    return lambda one: bool(getattr(one, member, "") == value)


def _list(kind: str) -> Handler:
    def handler(call: Call) -> Answer:
        company, expand = call.company, _expansions(call)
        rows = document_filter(call, registers(company, kind).values())
        return Answer(200, page(call, rows, lambda one: _row(company, one, expand)))

    return handler


def _row(company: Company, one: Document | Payment, expand: frozenset[str]) -> dict[str, Any]:
    if isinstance(one, Payment):
        return render_customer_document(company, one)
    return render_document(company, one, expand=expand)


def _all_documents(call: Call, customer: Row | None = None) -> list[Document | Payment]:
    company = call.company
    sources = (company.invoices.values(), company.credit_notes.values(), company.payments.values())
    rows: Iterable[Document | Payment] = chain.from_iterable(sources)
    if customer is not None:
        rows = (one for one in rows if one.customer is customer)
    # Oldest first over three registers: only what the filters left is put in order.
    return sorted(document_filter(call, rows, types=True), key=lambda one: one.internal_id)


def _documents(call: Call) -> Answer:
    company = call.company
    return Answer(200, page(call, _all_documents(call), lambda one: render_customer_document(company, one)))


def _customer_documents(call: Call) -> Answer:
    company = call.company
    rows = _all_documents(call, customer_of(company, call.params["customerNumber"]))
    return Answer(200, page(call, rows, lambda one: render_customer_document(company, one)))


def _customer_invoices(call: Call) -> Answer:
    company, expand = call.company, _expansions(call)
    customer = customer_of(company, call.params["customerNumber"])
    rows = document_filter(call, [one for one in company.invoices.values() if one.customer is customer])
    return Answer(200, page(call, rows, lambda one: _row(company, one, expand)))


def _one(call: Call, kind: str) -> Document:
    document = registers(call.company, kind).get(call.params["number"])
    if document is None:
        raise not_found(f"{kind} {call.params['number']}")
    return document


def _get(kind: str) -> Handler:
    def handler(call: Call) -> Answer:
        document = _one(call, kind)
        return Answer(200, render_document(call.company, document), {"ETag": f'"{document.etag}"'})

    return handler


def _location(call: Call, document: Document) -> str:
    # The answer to a v2 create points at the v1 resource.
    return call.location(f"/v1/{_PATH[document.kind]}/{document.number}")


def _post(kind: str) -> Handler:
    def handler(call: Call) -> Answer:
        document = enter(call.company, kind, call.update(SHAPE[kind]))
        return created(_location(call, document), document.etag)

    return handler


def _put(kind: str) -> Handler:
    def handler(call: Call) -> Answer:
        document = _one(call, kind)
        call.check_version(document.etag)
        change(call.company, document, call.update(SHAPE[kind]))
        return changed(_location(call, document), document.etag)

    return handler


def _delete(kind: str) -> Handler:
    def handler(call: Call) -> Answer:
        remove(call.company, _one(call, kind))
        return Answer(204)

    return handler


def _release(kind: str) -> Handler:
    def handler(call: Call) -> Answer:
        document = _one(call, kind)
        call.check_version(document.etag)
        answer = release(call.company, document)
        answer.headers["ETag"] = f'"{document.etag}"'
        return answer

    return handler


def _attach(kind: str) -> Handler:
    def handler(call: Call) -> Answer:
        document = _one(call, kind)
        call.check_version(document.etag)
        owner: Document | Line = document
        if "line" in call.params:
            lines = [line for line in document.lines if str(line.number) == call.params["line"]]
            if not lines:
                raise not_found("The line")
            owner = lines[0]
        answer = blocks.receive_upload(call, owner)
        call.company.touch(document)
        answer.headers["ETag"] = f'"{document.etag}"'
        return answer

    return handler


def _send(kind: str) -> Handler:
    def handler(call: Call) -> Answer:
        document = _one(call, kind)
        call.check_version(document.etag)
        if not document.released:
            raise rule_broken("The document is not released and can't be sent to AutoInvoice.")
        sent = {"type": kind, "number": document.number, "autoInvoice": True, "print": False, "email": False}
        call.company.sent_by_erp.append(sent)
        return action_result(refNbr=document.number, documentType=kind)

    return handler


def _print(kind: str) -> Handler:
    def handler(call: Call) -> Answer:
        document = _one(call, kind)
        text = f"%PDF-1.4\n% {document.kind} {document.number}\n%%EOF\n"
        return Answer(200, text.encode(), {}, "application/pdf")

    return handler


def _reverse(*, apply: bool) -> Handler:
    def handler(call: Call) -> Answer:
        document = _one(call, "Invoice")
        call.check_version(document.etag)
        note = reverse(call.company, document, apply=apply)
        wanted = call.update("ReverseInvoiceActionDto").get("returnCreditNote") if call.body else False
        more: dict[str, Any] = {"referenceNumber": note.number}
        if wanted:
            more["creditNoteDto"] = render_document(call.company, note)
        answer = action_result(**more)
        answer.headers.update({"ETag": f'"{note.etag}"', "Location": _location(call, note)})
        return answer

    return handler


def reverse(company: Company, document: Document, *, apply: bool) -> Document:
    """The credit note over a released invoice, entered but not released; ``apply`` settles it at release."""
    if not document.released:
        raise rule_broken("Only a released document can be reversed.")
    sent: dict[str, Any] = {
        "customerNumber": document.customer.key,
        "currencyId": document.currency,
        "exchangeRate": document.rate,
        "customerRefNumber": document.customer_ref,
        "externalReference": document.external_ref,
        "customerVatZoneId": document.zone,
        "branchNumber": document.branch,
        "dontPrint": document.dont_print,
        "dontEmail": document.dont_email,
        "sendToAutoInvoice": document.send_to_auto_invoice,
        "hold": False,
    }
    note = enter(company, "CreditNote", sent)
    note.lines = [replace(line, attachments=[]) for line in document.lines]
    note.taxes = [replace(tax) for tax in document.taxes]
    note.project = document.project
    note.detail_total, note.vat_total = document.detail_total, document.vat_total
    note.total, note.rounding = document.total, document.rounding
    if apply and document.balance > ZERO:
        note.to_apply = [("Invoice", document.number, document.balance)]
    return note


def _work_types(_call: Call) -> Answer:
    return Answer(200, [])


def add_routes(routes: Routes) -> None:
    """Invoices and credit notes under their own names, and all documents of customers together."""
    for kind, path in _PATH.items():
        base = f"/v1/{path}"
        routes.add("GET", base, _list(kind))
        routes.add("POST", base, _post(kind))
        routes.add("POST", f"/v2/{path}", _post(kind))
        routes.add("GET", f"{base}/{{number}}", _get(kind))
        routes.add("PUT", f"{base}/{{number}}", _put(kind))
        routes.add("DELETE", f"{base}/{{number}}", _delete(kind))
        routes.add("POST", f"{base}/{{number}}/action/release", _release(kind))
        routes.add("POST", f"{base}/{{number}}/action/sendToAutoInvoice", _send(kind))
        routes.add("POST", f"{base}/{{number}}/attachment", _attach(kind))
        routes.add("POST", f"{base}/{{number}}/{{line}}/attachment", _attach(kind))
        routes.add("GET", f"{base}/{{number}}/print", _print(kind))
    routes.add("GET", "/v1/customerinvoice/worktypes", _work_types)
    routes.add("POST", "/v1/customerinvoice/{number}/action/reverse", _reverse(apply=False))
    routes.add("POST", "/v1/customerinvoice/{number}/action/reverseandapplytonote", _reverse(apply=True))
    routes.add("GET", "/v1/customerdocument", _documents)
    routes.add("GET", "/v1/customer/{customerNumber}/document", _customer_documents)
    routes.add("GET", "/v1/customer/{customerNumber}/invoice", _customer_invoices)
