"""A small customer ledger and a small invoicing system on top of the fakes, and one firm that uses both.

Only what the invoice and payment tests need: VAT from item category × customer zone, hold → balanced → open → closed,
numbers by the ERP, statuses that number by themselves when nobody else did.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from domain.errors import NotFound, Refused
from domain.model import ActionResult, Booked, Document, Filter, Json
from domain.money import rounded
from tests.fakes import FakeDelivery, World
from tests.fakes_vendors import FakeErp, FakeSevera, unwrapped

D = Decimal
GUID = "inv-1"


class LedgerErp(FakeErp):
    """Customer invoices and credit notes. ``rates``: item → VAT percent (zone domestic)."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.rates: dict[str, Decimal] = {"CONS": D(25), "TRAIN": D(6), "FREE": D(0)}
        self.vat_per_line = False
        self.amount_before_release = True
        self.rounds_to_whole = False
        self.release_result = ActionResult("Done", "")
        self.release_status = "Open"
        self.payment_reference = True
        self.company_rate = D(1)
        self.note_on_lists = True
        self.released: list[str] = []
        self.deleted: list[str] = []

    def on_create(self, register: str, body: Json, number: str) -> str:
        sent = unwrapped(body)
        kind = "Invoice" if register == "customerinvoice" else "CreditNote"
        member = "invoiceLines" if kind == "Invoice" else "lines"
        document: Json = {
            "documentType": kind,
            "referenceNumber": number,
            "status": "Hold" if sent["hold"] else "Balanced",
            "hold": sent["hold"],
            "customer": {"number": sent["customerNumber"], "name": ""},
            "project": {"id": sent.get("project", "")},
            "branchNumber": {"number": sent.get("branchNumber", "1")},
            "creditTerms": {"id": sent.get("creditTermsId", "30")},
            "paymentReference": "",
            "applications": [],
            **{
                name: sent.get(name)
                for name in (
                    "documentDate",
                    "documentDueDate",
                    "currencyId",
                    "customerRefNumber",
                    "externalReference",
                    "invoiceText",
                    "note",
                    "dontPrint",
                    "dontEmail",
                    "sendToAutoInvoice",
                    "exchangeRate",
                )
            },
            member: [self._line(index, line, sent) for index, line in enumerate(sent[member], start=1)],
        }
        for line in sent.get("applicationLines", []):
            document["applications"].append(
                {"docType": "INV", "refNbr": line["refNbr"], "amountPaid": line["amountPaid"]}
            )
        self._compute(document, member)
        self.records.setdefault(register, {})[number] = document
        return number

    def _line(self, index: int, line: Json, sent: Json) -> Json:
        net = rounded(line["quantity"] * line["unitPriceInCurrency"], sent["currencyId"])
        return {
            "lineNumber": index,
            "inventoryNumber": line["inventoryNumber"],
            "description": line.get("description", ""),
            "quantity": line["quantity"],
            "unitPriceInCurrency": line["unitPriceInCurrency"],
            "amountInCurrency": net,
            "uom": line.get("uom", ""),
            "discountPercent": line["discountPercent"],
            "projectTask": {"id": line.get("taskId", "")},
            **({"vatCode": {"id": line["vatCodeId"]}} if "vatCodeId" in line else {}),
            "branchNumber": {"number": line.get("branchNumber", "1")},
        }

    def _compute(self, document: Json, member: str) -> None:
        currency = document["currencyId"]
        nets: dict[Decimal, Decimal] = {}
        vats: dict[Decimal, Decimal] = {}
        for line in document[member]:
            given = line.get("vatCode", {}).get("id")
            rate = D(int(given)) if given else self.rates[line["inventoryNumber"]]
            nets[rate] = nets.get(rate, D(0)) + line["amountInCurrency"]
            vats[rate] = vats.get(rate, D(0)) + rounded(line["amountInCurrency"] * rate / 100, currency)
        if not self.vat_per_line:
            vats = {rate: rounded(net * rate / 100, currency) for rate, net in nets.items()}
        net, vat = sum(nets.values(), D(0)), sum(vats.values(), D(0))
        total = net + vat
        amount = total.quantize(D(1), rounding="ROUND_HALF_UP") if self.rounds_to_whole else total
        shown = amount if self.amount_before_release else D(0)
        document |= {
            "detailTotalInCurrency": net,
            "discountTotalInCurrency": D(0),
            "vatTotalInCurrency": vat,
            "roundingDiff": amount - total,
            "amountInCurrency": shown,
            "balanceInCurrency": D(0),
            "amount": rounded(shown * self.company_rate, "SEK"),
            "taxDetails": [
                {"taxId": f"U{rate}", "vatRate": rate, "taxableAmount": nets[rate], "vatAmount": vats[rate]}
                for rate in nets
            ],
        }
        document["_total"] = amount

    def on_update(self, register: str, key: str, body: Json, etag: str | None) -> None:
        if register not in {"customerinvoice", "customerCreditNote"}:
            super().on_update(register, key, body, etag)
            return
        document = self.stored(register, key)
        if document["status"] in {"Open", "Closed"}:
            raise Refused(
                "Document can't be updated because it is already released.", system="visma_net", status=400
            )
        document.update(unwrapped(body))
        document["status"] = "Hold" if document["hold"] else "Balanced"

    def on_delete(self, register: str, key: str) -> bool:
        document = self.records.get(register, {}).get(key)
        if document is None:
            return False
        if document["status"] in {"Open", "Closed"}:
            raise Refused("The document is already released.", system="visma_net", status=400)
        del self.records[register][key]
        self.deleted.append(f"{document['documentType']}/{key}")
        return True

    def on_act(self, register: str, key: str, action: str, body: Json | None) -> ActionResult:
        document = self.stored(register, key)
        assert action == "release"
        if document["status"] == "Hold":
            raise Refused("A document on hold cannot be released.", system="visma_net", status=400)
        if document["status"] in {"Open", "Closed"}:
            raise Refused("The document is already released.", system="visma_net", status=400)
        if self.release_result.result in {"Done", ""}:
            self.finish_release(register, key)
        return self.release_result

    def finish_release(self, register: str, key: str) -> None:
        """What a queued release ends with."""
        document = self.stored(register, key)
        document["status"] = self.release_status
        if self.release_status not in {"Open", "Closed"}:
            return
        total = document["_total"]
        document |= {
            "amountInCurrency": total,
            "balanceInCurrency": total,
            "amount": rounded(total * self.company_rate, "SEK"),
        }
        if total == 0:
            document["status"] = "Closed"
        if self.payment_reference:
            document["paymentReference"] = f"{key}9"
        self.released.append((document["note"] or "–").split()[0])

    def attach(
        self, register: str, key: str, name: str, content: bytes, *, not_after: float | None = None
    ) -> None:
        """A header attachment; the same name again is a new revision of the same file."""

        def work() -> None:
            files = self.stored(register, key).setdefault("attachments", [])
            known = next((file for file in files if file["name"] == name), None)
            if known is not None:
                known["revision"] += 1
            else:
                files.append({"name": name, "id": f"f-{len(files) + 1}", "revision": 1})
            self.attachments.setdefault((register, key), {})[name] = content

        self._do("attach", register, key, name, work, not_after=not_after)

    def documents(self) -> list[Json]:
        """All documents, invoices and credit notes."""
        return [
            row
            for name in ("customerinvoice", "customerCreditNote")
            for row in self.records.get(name, {}).values()
        ]

    def _matching(self, register: str, filters: Mapping[str, Filter]) -> list[Json]:
        if register != "customerdocument":
            return super()._matching(register, filters)
        rows = [row for row in self.documents() if row["customer"]["number"] == filters.get("customer")]
        return [dict(row) if self.note_on_lists else {**row, "note": None} for row in rows]

    def pay(
        self, number: str, amount: Decimal, day: str, *, register: str = "customerinvoice", **more: Any
    ) -> Json:
        """A released payment applied to a document."""
        document = self.stored(register, number)
        document["balanceInCurrency"] -= amount
        document["status"] = "Closed" if document["balanceInCurrency"] == 0 else "Open"
        line = {
            "docType": "PMT",
            "refNbr": "9",
            "amountPaid": amount,
            "applicationDate": day,
            "released": True,
        } | more
        document["applications"].append(line)
        return document


class InvoicingSevera(FakeSevera):
    """Statuses by guid ``s-<role>``; entering a numbered one without a number takes one of Severa's own."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.refuses_number = False
        self.ignores_number = False

    def on_patch(self, register: str, body: Json, path: str, value: Any) -> None:
        if register == "invoices" and path == "/number":
            if self.refuses_number:
                raise Refused("number is read-only", system="severa", status=400, operation="PATCH invoices")
            if self.ignores_number:
                return
        if register == "invoices" and path == "/status/guid":
            status = self.stored("invoicestatuses", value)
            body["status"] = {"guid": value, "name": status["name"], "isSent": status["isSent"]}
            if status["hasInvoiceNumber"] and body.get("number") is None:
                body["number"] = 5001
            return
        super().on_patch(register, body, path, value)


def statuses(*, partly_paid: bool = True) -> list[Json]:
    """The guide's first example, guids ``s-<role>``."""
    rows = [
        ("failed", "Misslyckade fakturor", ""),
        ("draft", "Utkast", "d"),
        ("transfer", "Godkänd, klar för Visma.net ERP", "rc"),
        ("transferred", "I Visma.net ERP, skicka till kund", "rns"),
        ("sent", "Skickad", "rnsw"),
        *([("partly_paid", "Delbetald", "rnsw")] if partly_paid else []),
        ("paid", "Betalad", "rnsp"),
    ]
    words = {"d": "isDefault", "r": "isReadOnly", "c": "isDefaultForCreditNote", "n": "hasInvoiceNumber"}
    words |= {"s": "isSent", "w": "isWaitingPayment", "p": "isPaid"}
    return [
        {"guid": f"s-{role}", "name": name, "sortOrder": order, "isActive": True}
        | {word: letter in flags for letter, word in words.items()}
        for order, (role, name, flags) in enumerate(rows)
    ]


def row(code: str, quantity: str, price: str, rate: str, **more: Any) -> Json:
    """An invoice row."""
    return {
        "rowType": "Hours",
        "code": [code],
        "description": f"{code} enligt avtal",
        "quantity": D(quantity),
        "unitPrice": {"amount": D(price), "currencyCode": more.pop("currency", "SEK")},
        "measurementUnit": "tim",
        "vatRate": D(rate),
    } | more


def totals(rows: list[Json], currency: str = "SEK", *, whole: bool = False) -> Json:
    """Severa's totals of rows: VAT per rate on the rate's sum, optionally rounded to whole kronor."""
    nets: dict[Decimal, Decimal] = {}
    for one in rows:
        net = rounded(one["quantity"] * one["unitPrice"]["amount"], currency)
        nets[one["vatRate"]] = nets.get(one["vatRate"], D(0)) + net
    net = sum(nets.values(), D(0))
    tax = sum((rounded(n * r / 100, currency) for r, n in nets.items()), D(0))
    total = (net + tax).quantize(D(1), rounding="ROUND_HALF_UP") if whole else net + tax
    return {
        name: {"amount": value, "currencyCode": currency}
        for name, value in (("totalExcludingTax", net), ("totalTax", tax), ("totalIncludingTax", total))
    }


class Firm(World):
    """Nordkonsult with one linked customer (10001), project (4711) and items CONS 25 %, TRAIN 6 %, FREE 0 %."""

    severa: InvoicingSevera
    erp: LedgerErp

    def __init__(self, *, partly_paid: bool = True) -> None:
        super().__init__(severa=InvoicingSevera, erp=LedgerErp)
        for status in statuses(partly_paid=partly_paid):
            self.severa.store("invoicestatuses", status)
            self.books.remember("severa", "invoicestatuses", status)
        self.books.remember(
            "visma_net", "organization", {"id": "1", "baseCurrency": "SEK", "name": "Nordkonsult AB"}
        )
        self.link_customer()
        project = self.books.remember(
            "severa", "projects", {"guid": "p-1", "number": 4711, "name": "Lagerflytt"}
        )
        erp_project = self.books.remember(
            "visma_net", "project", {"internalID": 812, "projectID": "4711", "description": "Lagerflytt"}
        )
        self.books.connect("project", project, erp_project)
        for code in ("CONS", "TRAIN", "FREE"):
            self.link_item(code)
        self.clock.forward(60)

    def link_customer(self) -> None:
        customer = self.books.remember(
            "severa", "customers", {"guid": "c-1", "name": "Mälarbygg AB", "number": 10001}
        )
        body = {"internalId": 1, "number": "10001", "name": "Mälarbygg AB", "vatZone": {"id": "01"}}
        self.books.connect("customer", customer, self.books.remember("visma_net", "customer", body))

    def link_item(self, code: str) -> None:
        product = self.books.remember("severa", "products", {"guid": f"i-{code}", "code": code, "name": code})
        category = {"CONS": "25", "TRAIN": "06", "FREE": "00"}[code]
        account = {"CONS": "3010", "TRAIN": "3050", "FREE": "3010"}[code]
        item = {"inventoryId": code, "inventoryNumber": code, "vatCode": {"id": category}, "salesUnit": "TIM"}
        item["accountInformation"] = {"salesAccount": {"number": account}}
        self.books.connect("product", product, self.books.remember("visma_net", "inventory", item))

    def know_vat(self) -> None:
        """The ERP's VAT tables have been read."""
        for category, rate in (("25", 25), ("06", 6), ("00", 0)):
            self.books.remember(
                "visma_net",
                "vat",
                {
                    "vatId": f"U{category}",
                    "zones": [{"id": "01"}],
                    "categories": [{"vatCategoryId": category}],
                    "schedules": [
                        {"startDate": "2000-01-01T00:00:00", "vatRate": D(rate), "groupType": "Output"}
                    ],
                },
            )

    def invoice(self, rows: list[Json] | None = None, *, whole: bool = False, **more: Any) -> Json:
        """An invoice in the transfer status, polled just now."""
        lines = (
            rows
            if rows is not None
            else [row("CONS", "8", "1450.50", "25"), row("TRAIN", "2", "399.90", "6")]
        )
        currency = more.pop("currency", "SEK")
        body: Json = {
            "guid": GUID,
            "number": None,
            "referenceNumber": None,
            "status": {"guid": "s-transfer", "name": "Godkänd, klar för Visma.net ERP"},
            "customer": {"guid": "c-1", "name": "Mälarbygg AB"},
            "projects": [{"guid": "p-1", "name": "Lagerflytt", "number": 4711}],
            "date": "2026-11-02",
            "dueDate": "2026-12-02",
            "paymentDate": None,
            "paymentTerm": 30,
            "currency": {"code": currency},
            "currencyRate": D(1),
            "orderNumber": "PO 5561",
            "yourReference": "Karin Lindqvist",
            "ourReference": "Aino Berg",
            "isCreditNote": False,
            "lastUpdatedDateTime": self.clock.now().isoformat(),
            **totals(lines, currency, whole=whole),
        } | more
        for index, line in enumerate(lines, start=1):
            line |= {"guid": f"r-{index}", "sortOrder": index}
        self.severa.store("invoices", body)
        self.severa.children["invoices/invoicerows", GUID] = lines
        self.poll()
        return self.severa.stored("invoices", GUID)

    def poll(self) -> None:
        """The poller sees the invoice."""
        body = self.severa.stored("invoices", GUID)
        self.books.remember("severa", "invoices", body, number=str(body["number"] or ""))

    def poll_documents(self) -> None:
        """The poller sees the ERP's documents."""
        for document in self.erp.documents():
            self.books.remember("visma_net", "customerdocument", document)

    def transfer(self) -> FakeDelivery:
        """The delivery of the invoice."""
        return self.delivery("invoice", severa=("invoices", GUID))

    def is_booked(self, number: str, *, total: Decimal | None = None, nonce: str = "") -> None:
        """The bridge knows that the invoice is booked as this document."""
        matter = self.matter("invoice", GUID)
        matter.documents.append(Document("Invoice", number, nonce, "released"))
        matter.booked = Booked("Invoice", number, total if total is not None else D(0))

    def in_severa_now(self) -> Json:
        return self.severa.stored("invoices", GUID)

    def document(self, number: str = "101") -> Json:
        """The invoice document with this number."""
        try:
            return self.erp.stored("customerinvoice", number)
        except NotFound:
            return self.erp.stored("customerCreditNote", number)
