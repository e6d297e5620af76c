"""The customer ledger of a strange Visma.net ERP: held, released, paid; and what people do in its own pages."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from acceptance.strangers.erp_books import KINDS, UNRELEASED, Row
from acceptance.strangers.erp_masters import ErpMasters
from acceptance.strangers.ledger import calculated
from acceptance.strangers.serving import Answer, Refusal


class ErpDocuments(ErpMasters):
    """Documents; the last methods are people's."""

    def _document(self, register: str, sent: Row) -> Row:
        kind, lines_name = KINDS[register]
        self.writes.append(("POST", register))
        customer = self.table("customer").get(str(sent.get("customerNumber")))
        if customer is None or customer["status"] in ("Inactive", "OnHold"):
            raise Refusal(
                self._error(400, f"Customer {sent.get('customerNumber')} cannot be found in the system.")
            )
        project = self.table("project").get(str(sent.get("project")))
        if sent.get("project") and (project is None or project["status"] != "Active"):
            raise Refusal(self._error(400, f"Project {sent['project']} is not active."))
        if sent.get("branchNumber") not in (None, "1"):
            raise Refusal(self._error(400, f"Branch {sent['branchNumber']} cannot be found in the system."))
        number = self.ways.document_number.format(self.next_numbers[kind])
        self.next_numbers[kind] += 1
        lines: list[Row] = []
        for index, line in enumerate(sent.get(lines_name) or [], 1):
            if line.get("operation") != "Insert":
                self.violation(f"POST {register}: line operation {line.get('operation')}")
            lines.append(self._line(index, line, project))
        due = sent.get("documentDueDate") or sent.get("documentDate")
        document: Row = {
            "documentType": kind, "referenceNumber": number, "status": "Hold" if sent.get("hold") else "Balanced", "hold": bool(sent.get("hold")),
            "customer": {"number": customer["number"], "name": customer["name"]}, "documentDate": sent.get("documentDate"), "documentDueDate": due,
            "currencyId": sent.get("currencyId") or customer["currencyId"], "exchangeRate": sent.get("exchangeRate") or Decimal(1),
            "financialPeriod": sent.get("financialPeriod") or str(sent.get("documentDate"))[:7].replace("-", ""),
            "creditTerms": {"id": sent.get("creditTermsId") or customer["creditTerms"]["id"], "description": ""},
            "branchNumber": {"number": "1", "name": "Huvudkontor"}, "location": {"countryId": "SE", "id": "MAIN", "name": "Primary"}, "customerVatZone": {"id": "01", "description": "Sverige"},
            "paymentReference": f"7{number}" if kind == "Invoice" else "", "applications": [], "attachments": [], lines_name: lines,
            **({"project": {"internalId": project["_id"], "id": project["projectID"], "description": project["description"]}} if project else {}),
            **{name: sent[name] for name in ("note", "invoiceText", "externalReference", "customerRefNumber", "dontPrint", "dontEmail", "sendToAutoInvoice") if name in sent},
        }  # fmt: skip
        document |= calculated(lines)
        document["_applied"] = sent.get("applicationLines") or []
        return self.put(register, number, document)

    def _line(self, index: int, line: Row, project: Row | None) -> Row:
        number = str(line.get("inventoryNumber"))
        item = self.table("inventory").get(number)
        if item is None or item["status"] != "Active":
            raise Refusal(self._error(400, f"Inventory {number} cannot be found in the system."))
        task = line.get("taskId")
        if project is not None and task not in {one["taskId"] for one in project["tasks"]}:
            raise Refusal(self._error(400, f"Task {task} cannot be found in the system."))
        category = self.vat_of_item.get(number) or line.get("vatCodeId") or item["vatCode"]["id"]
        if category not in self.table("vatCategory"):
            raise Refusal(self._error(400, f"TaxCategoryID '{category}' cannot be found in the system"))
        price = line.get("unitPriceInCurrency")
        return {
            "lineNumber": index, "inventoryNumber": number, "description": line.get("description") or item["description"], "quantity": Decimal(line["quantity"]),
            "unitPriceInCurrency": Decimal(item["defaultPrice"] if price is None else price), "uom": line.get("uom") or item["salesUnit"], "discountPercent": Decimal(line.get("discountPercent") or 0),
            "manualDiscount": bool(line.get("manualDiscount")), "vatCode": {"id": category, "description": category}, "account": {"type": "Income", "number": "3001"},
            "branchNumber": {"number": line.get("branchNumber") or "1", "name": "Huvudkontor"}, **({"projectTask": {"id": task}} if task else {}), "note": line.get("note") or "",
        }  # fmt: skip

    def _change_document(self, register: str, row: Row, sent: Row) -> None:
        if row["status"] not in UNRELEASED:
            raise Refusal(self._error(400, "The document can't be updated because it is already released."))
        if "hold" in sent:
            row["hold"], row["status"] = sent["hold"], "Hold" if sent["hold"] else "Balanced"
        if "applicationLines" in sent:
            row["_applied"] = sent["applicationLines"]
        for name in ("note", "dontPrint", "dontEmail", "invoiceText"):
            if name in sent:
                row[name] = sent[name]
        row |= calculated(row[KINDS[register][1]])

    def _delete(self, register: str, row: Row) -> Answer:
        if row["status"] not in UNRELEASED:
            raise Refusal(self._error(400, "The document cannot be deleted because it is released."))
        del self.table(register)[row["referenceNumber"]]
        self.deleted.append(row["referenceNumber"])
        return Answer(204)

    def _release(self, register: str, row: Row) -> Answer:
        if row["status"] == "Hold":
            raise Refusal(self._error(400, "Document is on hold and cannot be released."))
        if row["status"] != "Balanced" or str(row["referenceNumber"]) in self.opening:
            raise Refusal(self._error(400, "Document is already released."))
        self.releases[str(row.get("note") or "").partition("\n")[0]] += 1
        if not (row.get("dontPrint") and row.get("dontEmail")) or row.get("sendToAutoInvoice"):
            self.sent.append(row["referenceNumber"])
        if self.ways.release == "queued":
            self.opening[str(row["referenceNumber"])] = 2
            return Answer(200, {"actionId": str(uuid.uuid4()), "actionResult": "Queued", "errorInfo": ""})
        self._open(register, row)
        match self.ways.release:
            case "empty":
                return Answer(200)
            case "no_content":
                return Answer(204)
            case "background":
                job = str(uuid.uuid4())
                content = {"actionId": job, "actionResult": "Done", "errorInfo": ""}
                self.jobs[job] = {
                    "id": job,
                    "status": "Started",
                    "statusCode": 0,
                    "_reads": 2,
                    "_content": content,
                }
                return Answer(
                    202, {"id": job, "stateLocation": f"https://api.finance.visma.net/v1/background/{job}"}
                )
        return Answer(200, {"actionId": str(uuid.uuid4()), "actionResult": "Done", "errorInfo": ""})

    def _job(self, key: str) -> Answer:
        job = self.jobs.get(key)
        if job is None:
            return self._error(404, "unknown request")
        job["_reads"] -= 1
        if job["_reads"] <= 0:
            job |= {"status": "Finished", "statusCode": 200, "hasResponseContent": True, "contentLocation": f"https://api.finance.visma.net/v1/background/{key}/content"}  # fmt: skip
        return Answer(200, {name: value for name, value in job.items() if not name.startswith("_")})

    def _open(self, register: str, row: Row) -> None:
        row |= calculated(row[KINDS[register][1]])
        row["status"] = "Open"
        for line in row["_applied"]:
            target = self.table("customerinvoice").get(str(line["refNbr"]))
            amount = Decimal(line["amountPaid"])
            if target is None or amount > target["balanceInCurrency"] or amount > row["balanceInCurrency"]:
                raise Refusal(self._error(400, "The amount applied exceeds the balance."))
            self._apply(
                target, amount, kind="CRM", number=row["referenceNumber"], on=str(row["documentDate"])[:10]
            )
            self._less(row, amount)
        if row["balance"] == 0:
            row["status"] = "Closed"
        self.touch(row)

    def _less(self, row: Row, amount: Decimal) -> None:
        row["balance"] -= amount
        row["balanceInCurrency"] -= amount
        row["status"] = "Closed" if row["balance"] == 0 else "Open"

    def _apply(self, row: Row, amount: Decimal, *, kind: str, number: str, on: str) -> None:
        self._less(row, amount)
        row["applications"].append({"docType": kind, "customerCD": row["customer"]["number"], "refNbr": number, "amountPaid": amount, "cashDiscountTaken": Decimal(0), "balance": Decimal(0), "released": True, "hold": False, "voided": False, "paymentRef": "", "status": "Closed", "applicationDate": f"{on}T00:00:00", "applicationPeriod": on[:7].replace("-", "")})  # fmt: skip
        if self.ways.payment_moves_document:
            self.touch(row)

    def customer(self, name: str, **members: Any) -> Row:
        with self.lock:
            row = self._customer({"name": name})
            row.update(members)
            return row

    def change(self, row: Row, **members: Any) -> None:
        with self.lock:
            row.update(members)
            self.touch(row)

    def pay(self, number: str, amount: str, *, on: str = "2026-11-23") -> str:
        """A payment released and applied to an invoice; its number."""
        with self.lock:
            row = self.table("customerinvoice")[number]
            payment = str(700000 + self._next())
            paid = Decimal(amount)
            self._apply(row, paid, kind="PMT", number=payment, on=on)
            if self.ways.payments:
                self.put("customerPayment", payment, {"type": "Payment", "refNbr": payment, "status": "Closed", "hold": False, "applicationDate": f"{on}T00:00:00", "paymentRef": "", "customer": row["customer"], "currency": "SEK", "paymentAmount": paid, "appliedToDocuments": paid, "paymentLines": [{"documentType": "Invoice", "refNbr": number, "amountPaid": paid, "cashDiscountTaken": Decimal(0), "balanceWriteOff": Decimal(0), "date": f"{on}T00:00:00", "balance": row["balance"]}]})  # fmt: skip
            return payment

    def take_back(self, number: str, payment: str) -> None:
        """The payment was an error: voided, the invoice owes again."""
        with self.lock:
            row = self.table("customerinvoice")[number]
            applied = next(one for one in row["applications"] if one["refNbr"] == payment)
            applied["voided"] = True
            self._less(row, -applied["amountPaid"])
            if self.ways.payment_moves_document:
                self.touch(row)
            if (kept := self.table("customerPayment").get(payment)) is not None:
                kept["status"] = "Voided"
                self.touch(kept)

    def marked(self, guid: str) -> list[Row]:
        """Documents with the marker of a Severa invoice, whatever their state."""
        with self.lock:
            every: Iterable[Row] = [
                *self.table("customerinvoice").values(),
                *self.table("customerCreditNote").values(),
            ]
            return [row for row in every if str(row.get("note") or "").startswith(f"severa:{guid}")]
