"""Customer payments."""

from __future__ import annotations

from dataclasses import replace
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
from simulators.visma_net.documents import ZERO, Payment, PaymentLine
from simulators.visma_net.paging import by_times, page, time_test
from simulators.visma_net.rendering import customer_by_number, render_payment
from simulators.visma_net.settling import check_payment, release_payment, void_payment
from simulators.visma_net.state import Company, day


def new_payment(company: Company, sent: dict[str, Any]) -> Payment:
    """Enter a payment from unwrapped members; it is Balanced (or Hold) and settles nothing yet."""
    for name in ("customer", "applicationDate", "paymentAmount", "cashAccount", "paymentRef"):
        if sent.get(name) in (None, ""):
            raise entry_refused(f"'{name}' cannot be empty.")
    customer = customer_by_number(company, sent["customer"])
    if company.register("account").get(sent["cashAccount"]) is None:
        raise not_in_system("CashAccount", sent["cashAccount"])
    method = sent.get("paymentMethod") or next(iter(company.payment_methods))
    if method not in company.payment_methods:
        raise not_in_system("PaymentMethodID", method)
    currency = sent.get("currency") or customer.body["currencyId"]
    if currency not in company.currencies:
        raise not_in_system("CuryID", currency)
    stamp = company.stamp()
    payment = Payment(
        kind=sent.get("type", "Payment"),
        number="",
        internal_id=0,
        customer=customer,
        date=sent["applicationDate"].date(),
        currency=currency,
        amount=sent["paymentAmount"],
        created=stamp,
        modified=stamp,
        version=0,
        hold=bool(sent.get("hold", False)),
        payment_ref=sent["paymentRef"],
        method=method,
        cash_account=sent["cashAccount"],
        text=sent.get("invoiceText", ""),
        branch=sent.get("branch") or blocks.main_branch(company),
        rate=Decimal(company.currencies[currency]["rate"]),
    )
    _put_lines(payment, sent.get("paymentLines", []))
    payment.status = "Hold" if payment.hold else "Balanced"
    check_payment(company, payment)
    payment.number = company.take_number(company.document_series["Payment"])
    payment.internal_id = company.next_id()
    payment.version = company.next_version()
    company.payments[payment.kind, payment.number] = payment
    return payment


def _put_lines(payment: Payment, sent: list[dict[str, Any]]) -> None:
    for line in sent:
        key = (line.get("documentType", "Invoice"), str(line.get("refNbr", "")))
        payment.lines = [one for one in payment.lines if (one.document_type, one.number) != key]
        if line.get("operation") != "Delete":
            amount, off = line.get("amountPaid", ZERO), line.get("balanceWriteOff", ZERO)
            payment.lines.append(PaymentLine(*key, amount, off))


def change_payment(company: Company, payment: Payment, sent: dict[str, Any]) -> None:
    """Puts what was sent over a payment that is not released, or refuses it whole."""
    if payment.released:
        raise entry_refused("Payment can't be updated because it is already released.", "updating document")
    draft = replace(payment, lines=list(payment.lines))
    draft.hold = sent.get("hold", draft.hold)
    draft.amount = sent.get("paymentAmount", draft.amount)
    draft.payment_ref = sent.get("paymentRef", draft.payment_ref)
    draft.text = sent.get("invoiceText", draft.text)
    if "applicationDate" in sent:
        draft.date = sent["applicationDate"].date()
    _put_lines(draft, sent.get("paymentLines", []))
    draft.status = "Hold" if draft.hold else "Balanced"
    check_payment(company, draft)
    vars(payment).update(vars(draft))
    company.touch(payment)


def void(company: Company, payment: Payment) -> Payment:
    """Void a released payment and enter the voiding one, under the same number and its own type."""
    void_payment(company, payment)
    stamp = company.stamp()
    voiding = replace(
        payment,
        kind="VoidPayment",
        internal_id=company.next_id(),
        version=company.next_version(),
        created=stamp,
        modified=stamp,
        date=company.today(),
        status="Closed",
        lines=[replace(line) for line in payment.lines],
    )
    company.payments[voiding.kind, voiding.number] = voiding
    return voiding


def _list(call: Call) -> Answer:
    company = call.company
    rows = list(by_times(call, company.payments.values(), lambda one: one.modified))
    invoice = call.text("invoiceRefNbr")
    if invoice:
        rows = [one for one in rows if any(line.number == invoice for line in one.lines)]
    kind, number = call.text("paymentType"), call.text("paymentNbr")
    customer, status, branch = call.text("customer"), call.text("status"), call.text("branch")
    date_test = time_test(call, "docDate")
    rows = [
        one
        for one in rows
        if (kind is None or one.kind == kind)
        and (number is None or one.number == number)
        and (customer is None or one.customer.key == customer)
        and (status is None or one.status == status)
        and (branch is None or one.branch == branch)
        and (date_test is None or date_test(f"{day(one.date)}.000"))
    ]
    return Answer(200, page(call, rows, lambda one: render_payment(company, one)))


def find(company: Company, number: str, kind: str | None) -> Payment:
    """By number and, as numbers are unique per type only, by type; without one the first that is found."""
    for payment in company.payments.values():
        if payment.number == number and kind in (None, payment.kind):
            return payment
    raise not_found(f"Payment {number}")


def _get(call: Call) -> Answer:
    payment = find(call.company, call.params["paymentNumber"], None)
    return Answer(200, render_payment(call.company, payment), {"ETag": f'"{payment.etag}"'})


def _location(call: Call, payment: Payment) -> str:
    return call.location(f"/v1/customerPayment/{payment.number}")


def _post(call: Call) -> Answer:
    payment = new_payment(call.company, call.update("PaymentUpdateDto"))
    return created(_location(call, payment), payment.etag)


def _put(call: Call) -> Answer:
    sent = call.update("PaymentUpdateDto")
    payment = find(call.company, call.params["paymentNumber"], sent.get("type"))
    call.check_version(payment.etag)
    change_payment(call.company, payment, sent)
    return changed(_location(call, payment), payment.etag)


def _release(call: Call) -> Answer:
    kind = call.update("ReleasePaymentActionDto").get("type") if call.body else None
    payment = find(call.company, call.params["paymentNumber"], kind)
    call.check_version(payment.etag)
    release_payment(call.company, payment)
    return action_result()


def _void(call: Call) -> Answer:
    sent = call.update("VoidPaymentActionDto") if call.body else {}
    payment = find(call.company, call.params["paymentNumber"], sent.get("type"))
    call.check_version(payment.etag)
    voiding = void(call.company, payment)
    more: dict[str, Any] = {"type": voiding.kind, "refNbr": voiding.number}
    if sent.get("returnVoidPayment"):
        more["voidPayment"] = render_payment(call.company, voiding)
    return action_result(**more)


def add_routes(routes: Routes) -> None:
    """Customer payments under both their names."""
    for path in ("/v1/customerPayment", "/v1/payment"):  # the second name is the deprecated one
        routes.add("GET", path, _list)
        routes.add("POST", path, _post)
        routes.add("GET", f"{path}/{{paymentNumber}}", _get)
        routes.add("PUT", f"{path}/{{paymentNumber}}", _put)
        routes.add("POST", f"{path}/{{paymentNumber}}/action/release", _release)
        routes.add("POST", f"{path}/{{paymentNumber}}/action/void", _void)
