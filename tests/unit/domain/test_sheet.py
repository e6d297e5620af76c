"""The invoice's mapping as data: every row is proven as it says, and what is sent of an invoice is hashed (R-INV-2..4)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import Stop
from domain.invoice import table
from domain.invoice.choices import Choices
from domain.invoice.document import Draft, draft
from domain.invoice.model import ErpDocument, SeveraInvoice
from domain.invoice.plan import Item, Needs
from domain.invoice.prove import prove
from domain.invoice.registers import REGISTERS
from domain.mapper import read
from domain.model import Json
from domain.sheet import Sent, Sheet
from tests.fakes_ledger import GUID, Firm, row

D = Decimal
CHOICES = Choices(
    branch="1",
    terms="30",
    period="202611",
    foreign=True,
    country="SE",
    task="10",
    language="sv",
    contact="",
    note="mer",
)
CUSTOMER: Json = {
    "name": "Mälarbygg AB",
    "invoiceContact": {"name": "Mälarbygg AB", "attention": "Ada", "email": "ada@mb.example"},
}
FULL: Json = {
    "entryDate": "2026-11-03",
    "currency": "EUR",
    "currencyRate": D("11.2"),
    "senderContactName": "Aino Berg",
    "notes": "Tack",
    "freeText1": {"plainText": "Etapp 1"},
    "freeText2": {"plainText": "Etapp 2"},
    "receiverCustomerName": "Mälarbygg Norr AB",
    "receiverContactName": "Kim Ek",
    "receiverContactEmail": "kim@mb.example",
    "receiverAddress": {"addressline": "Ågatan 1\nPlan 2\nDörr 3", "postalCode": "911 32", "city": "Vännäs", "country": "Sverige"},
}  # fmt: skip
KINDS = [False, True]


def made(*, credit: bool, **more: Any) -> tuple[Json, SeveraInvoice]:
    """A complete invoice or credit note of one row without a code."""
    firm = Firm()
    priced = row("CONS", "-1" if credit else "1", "100", "25")
    priced["unitPrice"]["multiCurrencyInfo"] = [{"amount": D(100), "currencyCode": "EUR"}]
    body = firm.invoice([priced], isCreditNote=credit, **{**FULL, **more})
    return body, SeveraInvoice.of(body, firm.severa.children["invoices/invoicerows", GUID])


def drafted(invoice: SeveraInvoice) -> Draft:
    items = {
        one.guid: Item("CONS", {"vatCode": {"id": "25"}, "salesUnit": "TIM"}, "25") for one in invoice.rows
    }
    return draft(invoice, Needs("10001", CUSTOMER, "4711", items), CHOICES)


def put(body: Json, path: str, value: Any) -> None:
    *blocks, last = path.split(".")
    for name in blocks:
        body = body.setdefault(name, {})
    body[last] = value


def document(sent: Draft, invoice: SeveraInvoice) -> Json:
    """The document as the ERP shows what was sent, by the paths that the rows say."""
    body: Json = {"documentType": invoice.document_type}
    for one in table.HEADER.of(invoice.document_type):
        if one.member in sent.header:
            put(body, one.erp or one.member, sent.header[one.member])
    lines = []
    for number, members in enumerate(sent.lines, start=1):
        line: Json = {"lineNumber": number}
        for each in table.LINE.of(invoice.document_type):
            if each.member in members:
                put(line, each.erp or each.member, members[each.member])
        lines.append(line)
    return body | {sent.lines_member: lines}


def found(sent: Draft, invoice: SeveraInvoice, body: Json) -> dict[str, bool]:
    """Members that the proof finds otherwise, but for totals: member → whether it keeps the document from its release."""
    proof = prove(invoice, sent, ErpDocument.of(body), D("0.05"))
    return {one.field: one.essential for one in proof.findings if one.field not in TOTALS and not one.of_rate}


TOTALS = {"total", "net", "vat", "rounding"}
OTHERWISE = {
    "dontPrint": False, "dontEmail": False, "sendToAutoInvoice": True, "documentDate": "2027-01-01", "documentDueDate": "2027-01-01",
    "exchangeRate": D(2), "discountPercent": D(5),
}  # fmt: skip


@pytest.mark.req("R-INV-4")
@pytest.mark.parametrize("credit", KINDS)
def test_every_row_that_is_proven_is_found_when_the_document_has_it_otherwise(*, credit: bool) -> None:
    _, invoice = made(credit=credit)
    sent = drafted(invoice)
    assert found(sent, invoice, document(sent, invoice)) == {}
    proven: list[Sent[Any]] = [one for one in table.HEADER.of(invoice.document_type) if one.proof]
    lines: list[Sent[Any]] = [one for one in table.LINE.of(invoice.document_type) if one.proof]
    assert {one.member for one in proven} <= set(sent.header)
    assert {one.member for one in lines} <= set(sent.lines[0])
    for one in proven:
        body = document(sent, invoice)
        put(body, one.erp or one.member, OTHERWISE.get(one.member, "otherwise"))
        assert found(sent, invoice, body) == {one.member: one.essential}
    for one in lines:
        body = document(sent, invoice)
        put(body[sent.lines_member][0], one.erp or one.member, OTHERWISE.get(one.member, "otherwise"))
        assert found(sent, invoice, body) == {one.member: one.essential}


def leaves(body: Json, above: str = "") -> Iterator[str]:
    for name, value in body.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{above}{name}.")
        elif not isinstance(value, list):
            yield f"{above}{name}"


def changed(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int() | Decimal():
            return value + 1
        case str() if value[:2] == "20":
            return "2026-12-24"
    return f"{value or ''} x"


@pytest.mark.req("R-INV-2", "R-INV-12")
@pytest.mark.parametrize("credit", KINDS)
def test_what_is_sent_of_an_invoice_is_hashed(*, credit: bool) -> None:
    """Or an edit of it between a failure and its next try would be nobody's news. A new row of the mapping that reads a member which
    the hash does not see fails here."""
    whole, invoice = made(credit=credit)
    register = REGISTERS[0]
    sent = drafted(invoice)
    seen = []
    for path in leaves(whole):
        body, _ = made(credit=credit)
        put(body, path, changed(read(whole, path)))
        with contextlib.suppress(Stop):  # a price in another currency than the invoice's
            now = drafted(replace(SeveraInvoice.of(body), rows=invoice.rows))
            if (now.header, now.lines) == (sent.header, sent.lines):
                continue
        seen.append(path)
        if path not in ("guid", "lastUpdatedDateTime"):
            assert register.projection(body) != register.projection(whole), path
    assert {
        "yourReference",
        "orderNumber",
        "notes",
        "receiverAddress.city",
        "senderContactName",
        "currencyRate",
        "date",
    } <= set(seen)


def test_a_member_that_a_kind_of_document_has_twice_is_an_error() -> None:
    one: Sent[Any] = Sent("a", "note", lambda _made: "x", kinds=("Invoice",))
    assert Sheet((one, replace(one, kinds=("CreditNote",)))).rows
    for twice in (replace(one, name="b"), replace(one, member="other")):
        with pytest.raises(ValueError, match="stand twice"):
            Sheet((one, twice))


def test_what_is_empty_is_not_sent_and_what_is_too_long_is_cut() -> None:
    sheet: Sheet[str] = Sheet(
        (
            Sent("text", "note", lambda made: made, limit=5, cut="invoice.text_cut"),
            Sent("nothing", "none", lambda _made: None),
            Sent("empty", "empty", lambda _made: ""),
            Sent("zero", "zero", lambda _made: D(0)),
            Sent("no", "no", lambda _made: False),
        )
    )
    assert sheet.filled("Invoice", "abc") == ({"note": "abc", "zero": D(0), "no": False}, [])
    members, cut = sheet.filled("Invoice", "abcdefg")
    assert (members["note"], [one.cut for one in cut]) == ("abcd…", ["invoice.text_cut"])
