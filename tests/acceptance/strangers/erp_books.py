"""What a strange Visma.net ERP keeps: its records, their versions, and how it shows them."""

from __future__ import annotations

import base64
import uuid
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from acceptance.strangers.document import Document
from acceptance.strangers.serving import Answer, Refusal, Served
from acceptance.strangers.ways import ErpWays

Row = dict[str, Any]
SCHEMAS = {
    "customer": "CustomerDto", "contact": "ContactDto", "inventory": "InventoryDto", "project": "ProjectDto",
    "customerinvoice": "CustomerInvoiceDto", "customerCreditNote": "CustomerCreditNoteDto",
    "customerdocument": "CustomerDocumentDto", "customerPayment": "PaymentDto",
}  # fmt: skip
KINDS = {"customerinvoice": ("Invoice", "invoiceLines"), "customerCreditNote": ("CreditNote", "lines")}
UNRELEASED = ("Hold", "Balanced")


def bare(value: Any) -> Any:
    """An update body without its ``{"value": …}`` wrapping."""
    if isinstance(value, dict):
        if set(value) == {"value"}:
            return bare(value["value"])
        return {name: bare(one) for name, one in value.items()}
    return [bare(one) for one in value] if isinstance(value, list) else value


class ErpBooks(Served):
    """Records and their shapes."""

    def __init__(self, document: Mapping[str, Any], ways: ErpWays) -> None:
        super().__init__()
        self.ways = ways
        self.document = Document(document)
        self.tables: dict[str, dict[str, Row]] = {}
        self.tokens: dict[str, tuple[float, set[str]]] = {}
        self.jobs: dict[str, Row] = {}
        self.internal = 5000
        self.used = 0
        self.window_ends = 0.0
        self.next_numbers = {"Invoice": 100001, "CreditNote": 500001}
        self.next_customer = 10001
        self.releases: Counter[str] = Counter()
        """Releases by the first line of the document's note."""
        self.sent: list[str] = []
        self.writes: list[tuple[str, str]] = []
        self.deleted: list[str] = []
        self.opening: dict[str, int] = {}
        self.vat_of_item: dict[str, str] = {}
        """A mistake in the books: items that get another VAT category than their own."""

    def _row(self, register: str, key: str) -> Row:
        table = self.table(register)
        if key in table:
            return table[key]
        if register in KINDS and key in self.deleted and self.ways.deleted_status == 400:
            raise Refusal(self._error(400, f"Document {key} cannot be found in the system."))
        if register == "dimension" and key == "PROJECT":
            raise Refusal(Answer(404))
        raise Refusal(self._error(404, f"{register} {key} was not found."))

    def _by_internal(self, register: str, key: str) -> Row:
        for row in self.table(register).values():
            if str(row.get("_id")) == key:
                return row
        raise Refusal(self._error(404, f"{register} with internal id {key} was not found."))

    def _balance(self, customer: Row) -> Row:
        owed = sum(
            (row["balance"] for row in self.table("customerinvoice").values() if row["customer"]["number"] == customer["number"] and row["status"] == "Open"),
            Decimal(0),
        )  # fmt: skip
        return {"customer": {"internalId": customer["internalId"], "number": customer["number"], "name": customer["name"]}, "balance": owed, "lastModified": self._stamp(customer["_modified"])}  # fmt: skip

    def table(self, register: str) -> dict[str, Row]:
        return self.tables.setdefault(register, {})

    def _next(self) -> int:
        self.internal += 1
        return self.internal

    def put(self, register: str, key: str, row: Row) -> Row:
        """Keeps a new row."""
        now = datetime.now(UTC)
        row = {**row, "_id": self._next(), "_key": key, "_made": now, "_modified": now, "_version": 1, "_order": self.internal}  # fmt: skip
        if register == "contact":
            key = row["_key"] = str(row["_id"])
        self.table(register)[key] = row
        return row

    def touch(self, row: Row) -> None:
        row["_modified"] = datetime.now(UTC)
        row["_version"] = row.get("_version", 0) + 1

    def _etag(self, row: Row) -> str:
        mark = f"{row['_id']}-{row['_version']}".encode()
        return f'"{base64.b64encode(mark).decode()}"'

    def _stamp(self, at: datetime) -> str:
        local = at.astimezone(ZoneInfo(self.ways.zone)).replace(tzinfo=None)
        whole, fraction = local.strftime("%Y-%m-%dT%H:%M:%S"), f"{local.microsecond:06d}0"
        return whole if not self.ways.fraction else f"{whole}.{fraction[: self.ways.fraction]}"

    def _shown(self, register: str, row: Row, *, listed: bool = False) -> Row:
        shown = {name: value for name, value in row.items() if not name.startswith("_")}
        if "_modified" in row and register not in ("customer/customerClass", "inventory/itemClass", "numberSequence", "financialPeriod", "currency", "country", "vatZone", "dimension", "unitofmeasure"):  # fmt: skip
            shown["lastModifiedDateTime"] = self._stamp(row["_modified"])
            if register in ("customer", "customerinvoice", "customerCreditNote", "customerdocument"):
                shown["createdDateTime"] = self._stamp(row["_made"])
        if register in (*KINDS, "customerdocument"):
            shown = self._document_shown(register, row, shown, listed=listed)
        if register == "customer":
            shown.pop("note", None)
            if listed:
                shown["creditTerms"] = {"id": "", "description": ""}
        if register in SCHEMAS:
            self.crashes += self.document.answers(SCHEMAS[register], shown)
        return (
            {name: value for name, value in shown.items() if value is not None}
            if self.ways.leaves_nulls_out
            else shown
        )

    def _document_shown(self, register: str, row: Row, shown: Row, *, listed: bool) -> Row:
        if register == "customerdocument":
            for name in ("lines", "invoiceLines", "taxDetails", "applications", "attachments", "creditTerms", "hold", "exchangeRate", "paymentReference", "dontPrint", "dontEmail", "sendToAutoInvoice", "externalReference", "detailTotal", "detailTotalInCurrency", "vatTaxableTotal", "vatTaxableTotalInCurrency", "vatExemptTotal", "vatExemptTotalInCurrency", "roundingDiff", "discountTotal", "discountTotalInCurrency", "customerVatZone"):  # fmt: skip
                shown.pop(name, None)
        if listed:
            if not self.ways.list_notes:
                shown.pop("note", None)
            if not self.ways.list_projects:
                shown.pop("project", None)
            for name in ("taxDetails", "applications", "attachments"):
                shown.pop(name, None)
            if register in KINDS:
                shown["creditTerms"] = {"id": "", "description": ""}
        if row["status"] in UNRELEASED and not self.ways.amount_on_hold:
            for name in ("amount", "amountInCurrency", "balance", "balanceInCurrency"):
                shown[name] = Decimal(0)
        if shown.get("documentType") == "CreditNote":
            shown["documentType"] = self.ways.credit_note
        return shown

    def _error(self, status: int, message: str) -> Answer:
        if self.ways.bare_message:
            return Answer(status, {"message": f"VismaId: {uuid.uuid4()}.  {message}"})
        return Answer(
            status, {"ExceptionType": "IPPException", "ExceptionMessage": message, "ExceptionDetails": ""}
        )
