"""A Visma.net ERP from the vendor's document: validates every request, keeps books, releases, applies payments."""

from __future__ import annotations

import base64
import math
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote
from zoneinfo import ZoneInfo

from acceptance.strangers.document import Document, Operation
from acceptance.strangers.ledger import ARTICLES, CLASSES, TERMS, VAT, calculated
from acceptance.strangers.serving import Answer, Refusal, Request, Served
from acceptance.strangers.ways import ErpWays

Row = dict[str, Any]
CLIENT, SECRET = "isv_frammande", "erp-secret"
TENANT = "3f0c2a1e-1111-4222-8333-444455556666"
SCOPES = {"GET": "read", "POST": "create", "PUT": "update", "DELETE": "delete"}
PAGED = ("customer", "inventory", "inventory/itemclass", "project", "customerinvoice", "customercreditnote", "customerdocument", "customerpayment", "supplierinvoice", "creditterm", "country", "vatzone", "journaltransaction", "projecttask", "projectbasic")  # fmt: skip
SCHEMAS = {
    "customer": "CustomerDto", "contact": "ContactDto", "inventory": "InventoryDto", "project": "ProjectDto",
    "customerinvoice": "CustomerInvoiceDto", "customerCreditNote": "CustomerCreditNoteDto",
    "customerdocument": "CustomerDocumentDto", "customerPayment": "PaymentDto",
}  # fmt: skip
KINDS = {"customerinvoice": ("Invoice", "invoiceLines"), "customerCreditNote": ("CreditNote", "lines")}
UNRELEASED = ("Hold", "Balanced")
WINDOW = 6.0
"""Seconds of the fixed window that stands for the hour."""


def bare(value: Any) -> Any:
    """An update body without its ``{"value": …}`` wrapping."""
    if isinstance(value, dict):
        if set(value) == {"value"}:
            return bare(value["value"])
        return {name: bare(one) for name, one in value.items()}
    return [bare(one) for one in value] if isinstance(value, list) else value


class Erp(Served):
    """State, rules and answers. The methods at the end are what people do in the ERP's own pages."""

    def __init__(self, document: Path, ways: ErpWays) -> None:
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
        self._seed()

    # ------------------------------------------------------------ requests

    def handle(self, request: Request) -> Answer:
        if request.path == "/connect/token":
            return self._sign_in(request)
        operation = self.document.operation(request.method, request.path)
        if operation is None:
            self.violation(f"{request.method} {request.path} is not in the document")
            return Answer(404, text="<html>404</html>", kind="text/html")
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        until, scopes = self.tokens.get(token, (0.0, set()))
        if kind != "Bearer" or until < time.monotonic():
            return self._error(401, "Authorization has been denied for this request.")
        if time.monotonic() >= self.window_ends:
            self.used, self.window_ends = 0, time.monotonic() + WINDOW
        self.used += 1
        if self.used > self.ways.budget:
            return self._limited(Answer(429, text="Rate limit is exceeded.", kind="text/plain"))
        if SCOPES[request.method] not in scopes:
            self.violation(f"{request.method} without its scope")
            return self._error(403, "Forbidden")
        multipart = request.headers.get("content-type", "").startswith("multipart/form-data")
        try:
            body = None if multipart else request.json()
        except ValueError:
            return self._error(400, "The request is invalid.")
        if body is not None and not request.headers.get("content-type", "").startswith("application/json"):
            self.violation(f"{request.method} {request.path}: {request.headers.get('content-type')}")
        wrong = self._wrong(request, operation, body)
        for one in wrong:
            self.violation(one)
        if wrong:
            return self._limited(self._error(400, f"The request is invalid. {wrong[0]}"))
        try:
            answer = self._operate(request, operation, body)
        except Refusal as refusal:
            answer = refusal.answer
        return self._limited(answer)

    def _wrong(self, request: Request, operation: Operation, body: Any) -> list[str]:
        found = self.document.check(operation, request.query, body)
        if self.ways.unknown_query == "ignore":
            found = [one for one in found if "query name" not in one]
        names = set(request.query)
        for name in names:
            value = request.one(name) or ""
            if name.endswith("DateTime") or name in ("documentDate", "documentDueDate", "docDate"):
                if f"{name}Condition" not in names and "journaltransaction" not in request.path:
                    found.append(f"GET {operation.template}: {name} without its Condition")
                if value.endswith("Z") or "+" in value[10:]:
                    found.append(f"GET {operation.template}: {name}={value} has a zone")
            if name.endswith("Condition") and value not in (">", "<", ">=", "<="):
                found.append(f"GET {operation.template}: {name}={value}")
        return found

    def _sign_in(self, request: Request) -> Answer:
        if request.method != "POST" or "x-www-form-urlencoded" not in request.headers.get("content-type", ""):
            self.violation("the token endpoint takes a form by POST")
            return Answer(400, {"error": "invalid_request"})
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return Answer(400, {"error": "invalid_client"})
        if form.get("grant_type") != "client_credentials":
            return Answer(400, {"error": "unsupported_grant_type"})
        if form.get("tenant_id") != TENANT:
            return Answer(400, {"error": "invalid_request"})
        scopes = {word.rpartition(":")[2] for word in form.get("scope", "").split()}
        if not scopes or any(
            not word.startswith("vismanet_erp_service_api:") for word in form["scope"].split()
        ):
            return Answer(400, {"error": "invalid_scope"})
        token = uuid.uuid4().hex
        self.tokens[token] = (time.monotonic() + self.ways.token_seconds, scopes)
        return Answer(
            200, {"access_token": token, "expires_in": self.ways.token_seconds, "token_type": "Bearer", "scope": form["scope"]}
        )  # fmt: skip

    def _limited(self, answer: Answer) -> Answer:
        left = max(self.ways.budget - self.used, 0)
        reset = str(math.ceil(max(self.window_ends - time.monotonic(), 0)))
        answer.headers |= {
            "X-RateLimit-Limit": str(self.ways.budget),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": reset,
            "X-RateLimit-Policy": "4-fixed-window",
        }
        if answer.status == 429:
            answer.headers["Retry-After"] = reset
        return answer

    def _operate(self, request: Request, operation: Operation, body: Any) -> Answer:
        parts = operation.template.split("/")[2:]
        values = list(operation.values.values())
        key = _decoded(values[0]) if values else ""
        match (request.method, *parts):
            case ("GET", "background", _):
                return self._job(key)
            case ("GET", "background", _, "content"):
                return Answer(200, self.jobs[key]["_content"])
            case ("GET", "dimension"):
                return Answer(
                    200,
                    [
                        "CUSTOMER",
                        "INVENTORY",
                        "PROTASK",
                        *(["PROJECT"] if self.ways.project_dimension else []),
                    ],
                )
            case ("GET", "creditTerm"):
                return self._terms(request)
            case ("GET", "customerdocument"):
                rows = [*self.table("customerinvoice").values(), *self.table("customerCreditNote").values()]
                return self._list(request, "customerdocument", rows)
            case ("GET", "customer", "balance"):
                return Answer(200, [self._balance(row) for row in self.table("customer").values()])
            case ("GET", "customer", "customerClass"):
                return self._list(
                    request, "customer/customerClass", list(self.table("customerClass").values())
                )
            case ("GET", "inventory", "itemClass"):
                return self._list(request, "inventory/itemClass", list(self.table("itemClass").values()))
            case ("GET", register):
                return self._list(request, register, list(self.table(register).values()))
            case ("GET", register, "internal", _):
                return self._one(register, self._by_internal(register, key))
            case ("GET", "customer", _, "balance"):
                return Answer(200, self._balance(self._row("customer", key)))
            case ("GET", "customer", _, "note"):
                return Answer(200, {"note": self._row("customer", key).get("note") or ""})
            case ("GET", register, _):
                return self._one(register, self._row(register, key))
            case ("POST", "customerinvoice" | "customerCreditNote" as register):
                if "/v2/" not in request.path:
                    self.violation(f"POST {request.path}: deprecated, v2 is the one to create with")
                return self._created(register, self._document(register, bare(body)))
            case ("POST", register):
                return self._created(register, self._create(register, body))
            case ("PUT", register, "internal", _):
                return self._put(request, operation, register, self._by_internal(register, key), body)
            case ("PUT", register, _):
                return self._put(request, operation, register, self._row(register, key), body)
            case ("DELETE", "customerinvoice" | "customerCreditNote" as register, _):
                return self._delete(register, self._row(register, key))
            case ("POST", "customerinvoice" | "customerCreditNote" as register, _, "action", "release"):
                return self._release(request, operation, register, self._row(register, key))
            case ("POST", register, _, "attachment"):
                self._row(register, key).setdefault("attachments", []).append({"name": "file", "revision": 1})
                return Answer(201)
        raise NotImplementedError(f"{request.method} {operation.template}")

    # ------------------------------------------------------------ reading

    def _list(self, request: Request, register: str, rows: list[Row]) -> Answer:
        rows = [row for row in rows if all(self._fits(row, name, request) for name in request.query)]
        rows.sort(key=lambda row: row.get("_order", 0))
        total = len(rows)
        size = total or 1
        if register.lower() in PAGED:
            if "pageNumber" not in request.query or "pageSize" not in request.query:
                self.violation(f"GET {request.path}: pageNumber and pageSize are mandatory")
            size = min(int(request.one("pageSize") or 50), self.ways.page_cap)
            first = (int(request.one("pageNumber") or 1) - 1) * size
            rows = rows[first : first + size]
        shown = [self._shown(register, row, listed=True) for row in rows]
        if self.ways.metadata and register != "numberSequence":
            for row in shown:
                row["metadata"] = {"totalCount": total, "maxPageSize": self.ways.page_cap}
        return Answer(200, self._wrapped(shown))

    def _fits(self, row: Row, name: str, request: Request) -> bool:
        value = request.one(name) or ""
        if name.endswith("Condition") or name.startswith(("expand", "page")) or name == "released":
            return True
        if name in ("lastModifiedDateTime", "createdDateTime"):
            at = row["_modified" if name.startswith("last") else "_made"]
            asked = datetime.fromisoformat(value.replace(" ", "T")).replace(tzinfo=ZoneInfo(self.ways.zone))
            return {">": at > asked, ">=": at >= asked, "<": at < asked, "<=": at <= asked}[
                request.one(f"{name}Condition") or ">="
            ]
        match name:
            case "customer":
                return _member(row, "customer.number") == value
            case "documentType":
                return str(row.get("documentType")) == value
            case "invoiceRefNbr":
                return any(line["refNbr"] == value for line in row.get("paymentLines", []))
            case "project":
                return _member(row, "project.id") == value
            case "email" if "mainContact" in row:
                return (row["mainContact"] or {}).get("email") == value
            case "termsId" | "status" | "name" | "corporateId" | "vatRegistrationId" | "businessAccount" | "firstName" | "lastName" | "email" | "inventoryNumber" | "externalReference" | "customerRefNumber" | "paymentReference" | "active" | "projectId":  # fmt: skip
                return str(row.get(name)).casefold() == value.casefold()
            case "inventoryTypes":
                return str(row.get("type")) in request.query[name]
            case "module" | "branch":
                return True
        raise NotImplementedError(f"filter {name} of {request.path}")

    def _terms(self, request: Request) -> Answer:
        answer = self._list(request, "creditTerm", list(self.table("creditTerm").values()))
        if self.ways.terms_envelope:
            for row in answer.body:
                row.pop("metadata", None)
            count = len(self.table("creditTerm"))
            answer.body = {"pageNumber": int(request.one("pageNumber") or 1), "pageSize": 50, "totalCount": count, "records": answer.body}  # fmt: skip
        return answer

    def _one(self, register: str, row: Row) -> Answer:
        number = str(row.get("referenceNumber"))
        if row.get("status") == "Balanced" and number in self.opening:
            self.opening[number] -= 1
            if self.opening[number] <= 0:
                del self.opening[number]
                self._open(register, row)
        headers = {"ETag": self._etag(row)} if self.ways.etag and "_version" in row else {}
        return Answer(200, self._wrapped(self._shown(register, row)), headers)

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

    # ------------------------------------------------------------ writing masters

    def _create(self, register: str, body: Row) -> Row:
        sent = bare(body)
        self.writes.append(("POST", register))
        match register:
            case "customer":
                return self._customer(sent)
            case "contact":
                self._row("customer", str(sent.get("businessAccount")))
                row = self.put("contact", str(self._next()), {"active": True, **_mapped(sent)})
                row["contactId"] = row["_id"]
                row["displayName"] = f"{row.get('firstName', '')} {row.get('lastName', '')}".strip()
                return row
            case "inventory":
                return self._item(sent)
            case "project":
                return self._project(sent)
        raise NotImplementedError(f"POST {register}")

    def _customer(self, sent: Row) -> Row:
        if sent.get("number"):
            raise Refusal(self._error(400, "Error: Customer number is generated by the numbering series."))
        if not sent.get("name"):
            raise Refusal(self._error(400, "Error: 'Customer name' cannot be empty."))
        kind = self.table("customerClass").get(str(sent.get("customerClassId") or "1"))
        if kind is None:
            raise Refusal(
                self._error(400, f"Customer class {sent['customerClassId']} cannot be found in the system.")
            )
        number = self.ways.customer_number.format(self.next_customer)
        self.next_customer += 1
        row: Row = {
            "name": sent["name"], "number": number, "status": "Active", "currencyId": "SEK", "mainAddress": {"country": {"id": "SE", "name": "Sverige"}},
            "mainContact": {"name": sent["name"]}, "creditTerms": {"id": "30", "description": "30 dagar"}, "customerClass": {"id": kind["id"], "description": kind["description"]},
            "vatZone": {"id": "01", "description": "Sverige"}, "location": {"id": "MAIN", "countryId": "SE", "name": "Primary"},
        }  # fmt: skip
        row = self.put("customer", number, row)
        row["internalId"] = row["_id"]
        self._take("customer", row, sent)
        for name in ("invoiceAddress", "deliveryAddress"):
            row.setdefault(name, row["mainAddress"])
        return row

    def _item(self, sent: Row) -> Row:
        number = str(sent.get("inventoryNumber") or "")
        kind = self.table("itemClass").get(str(sent.get("itemClass")))
        if not number or kind is None:
            raise Refusal(self._error(400, "Inventory number and item class are mandatory."))
        if number in self.table("inventory"):
            raise Refusal(self._error(400, f"Inventory {number} already exists."))
        if sent.get("type") not in (None, kind["type"]):
            raise Refusal(self._error(400, "The item class has another type."))
        vat = CLASSES[kind["id"]][1]
        row = self.put("inventory", number, {"inventoryNumber": number, "status": "Active", "type": kind["type"], "description": number, "itemClass": {"id": kind["id"], "type": kind["type"], "description": kind["description"]}, "vatCode": {"id": vat, "description": vat}, "defaultPrice": Decimal(0), "baseUnit": "ST", "salesUnit": "ST", "purchaseUnit": "ST", "stockItem": False})  # fmt: skip
        row["inventoryId"] = row["_id"]
        self._take("inventory", row, sent)
        return row

    def _project(self, sent: Row) -> Row:
        for name in ("description", "startDate"):
            if not sent.get(name):
                raise Refusal(self._error(400, f"'{name}' cannot be empty."))
        if sent.get("template") not in ("Z", None):
            raise Refusal(self._error(400, f"Template {sent['template']} cannot be found in the system."))
        number = str(sent.get("projectID") or "")
        if not number or number in self.table("project"):
            raise Refusal(self._error(400, f"Project {number} already exists."))
        customer = self.table("customer").get(str(sent.get("customer")))
        if customer is None:
            raise Refusal(self._error(400, f"Customer {sent.get('customer')} cannot be found in the system."))
        row = self.put("project", number, {"projectID": number, "customer": {"number": customer["number"], "name": customer["name"]}, "hold": False, "status": "Active", "tasks": [], "billingPeriod": "OnDemand", "template": {"number": "Z"}, "visibility": {f"visibleIn{part}": True for part in ("Gl", "Ap", "Ar")}})  # fmt: skip
        row["internalID"] = row["_id"]
        self._take(
            "project",
            row,
            {name: value for name, value in sent.items() if name not in ("customer", "template")},
        )
        return row

    def _put(self, request: Request, operation: Operation, register: str, row: Row, body: Row) -> Answer:
        self.writes.append(("PUT", register))
        takes = any(
            str(one.get("$ref", "")).endswith("IfMatch") for one in operation.spec.get("parameters", [])
        )
        given = request.headers.get("if-match")
        if given is not None and not takes:
            self.violation(f"PUT {operation.template} takes no If-Match")
        if takes and self.ways.if_match != "ignored":
            if given is None and self.ways.if_match == "required":
                self.violation(f"PUT {operation.template} without If-Match")
                return self._error(412, "If-Match is missing")
            if given is not None and given != self._etag(row):
                return self._error(412, "version does not match If-Match")
        if register in KINDS:
            self._change_document(register, row, bare(body))
        else:
            self._take(register, row, bare(body))
        self.touch(row)
        return Answer(204, headers={"ETag": self._etag(row)} if self.ways.etag else {})

    def _take(self, register: str, row: Row, sent: Row) -> None:
        for name, value in _mapped(sent).items():
            match name:
                case (
                    "overrideWithClassValues"
                    | "number"
                    | "projectID"
                    | "inventoryNumber"
                    | "template"
                    | "type"
                ):
                    continue
                case "customerClassId":
                    row["customerClass"] = {"id": value, "description": value}
                case "creditTermsId":
                    if value not in self.table("creditTerm"):
                        raise Refusal(self._error(400, f"Terms {value} cannot be found in the system."))
                    row["creditTerms"] = {"id": value, "description": value}
                case "itemClass":
                    row["itemClass"] = {
                        name: self.table("itemClass")[value][name] for name in ("id", "type", "description")
                    }
                case "customer":
                    if value not in self.table("customer"):
                        raise Refusal(self._error(400, f"Customer {value} cannot be found in the system."))
                    row["customer"] = {"number": value, "name": self.table("customer")[value]["name"]}
                case "tasks":
                    for task in value:
                        kept = [one for one in row.get("tasks", []) if one["taskId"] != task["taskId"]]
                        row["tasks"] = [
                            *kept,
                            {name: one for name, one in task.items() if name != "operation"},
                        ]
                case "mainAddress" | "invoiceAddress" | "deliveryAddress":
                    # Left out members stay; a row never shares its blocks with another.
                    row[name] = {**(row.get(name) or {}), **value}
                case "mainContact" | "invoiceContact":
                    row[name] = {**(row.get(name) or {}), **value}
                case _:
                    row[name] = value

    def _created(self, register: str, row: Row) -> Answer:
        headers: dict[str, str] = {}
        if self.ways.etag:
            headers["ETag"] = self._etag(row)
        if self.ways.location is not None:
            key = row.get("referenceNumber") or row["_key"]
            internal = self.ways.internal_location and register in ("customer", "project")
            place = f"{register}/internal" if internal else register
            name = place.lower() if self.ways.lower_case else place
            headers["Location"] = self.ways.location.format(
                register=name, key=row["_id"] if internal else key
            )
        return Answer(self.ways.create_status, headers=headers)

    # ------------------------------------------------------------ documents

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

    def _release(self, request: Request, operation: Operation, register: str, row: Row) -> Answer:
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

    # ------------------------------------------------------------ shapes

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

    def _wrapped(self, value: Any) -> Any:
        """Some scalars in the wrapping of update bodies, as one integrator met them."""
        if not self.ways.wrapped_reads:
            return value
        if isinstance(value, list):
            return [self._wrapped(one) for one in value]
        return {
            name: {"value": one}
            if index % 2 and isinstance(one, str | int | Decimal) and name != "metadata"
            else one
            for index, (name, one) in enumerate(value.items())
        }

    def _error(self, status: int, message: str) -> Answer:
        if self.ways.bare_message:
            return Answer(status, {"message": f"VismaId: {uuid.uuid4()}.  {message}"})
        return Answer(
            status, {"ExceptionType": "IPPException", "ExceptionMessage": message, "ExceptionDetails": ""}
        )

    # ------------------------------------------------------------ seed

    def _seed(self) -> None:
        self.put("branch", "1", {"branchId": 1, "number": "1", "name": "Huvudkontor", "isMainBranch": True, "isActive": True, "corporateId": "5566778899", "vatRegistrationId": "SE556677889901", "currency": {"id": "SEK"}})  # fmt: skip
        company: Row = {"organizationCd": "1", "name": "Främmande Konsult AB", "baseCurrency": "SEK", "vatRegistrationId": "SE556677889901", "branches": [{"number": "1", "name": "Huvudkontor"}]}  # fmt: skip
        self.put(
            "organization",
            "1",
            {**company, **({"corporateId": "556677-8899"} if self.ways.corporate_id else {})},
        )
        for key, length in (
            ("CUSTOMER", 10),
            ("BIZACCT", 10),
            ("INVENTORY", 30),
            ("PROTASK", 10),
            ("PROJECT", 10),
        ):
            if key != "PROJECT" or self.ways.project_dimension:
                self.put("dimension", key, {"id": key, "length": length, "segments": [{"segmentId": 1, "length": length, "isAutoNumber": key == "CUSTOMER"}]})  # fmt: skip
        for identifier, (vat, name, kind) in enumerate(
            (("1", "Sverige", ""), ("2", "EU", ""), ("3", "Export", ""))
        ):
            self.put(
                "customerClass",
                vat,
                {"id": vat, "description": f"{name}{kind}", "taxZoneId": f"0{identifier + 1}"},
            )
        for name, (kind, _) in CLASSES.items():
            self.put("itemClass", name, {"id": name, "type": kind, "description": name})
        for days in TERMS:
            self.put("creditTerm", str(days), {"termsId": str(days), "description": f"{days} dagar", "visibleTo": "All", "dueDateType": "FixedNumberOfDays", "dueDay1": days, "instalmentType": "Single", "numberOfInstalments": 0})  # fmt: skip
        self.put("currency", "SEK", {"id": "SEK", "description": "Svensk krona", "symbol": "kr", "isBaseCurrency": True, "decimalPrecision": 2, "isUsedForAccounting": True})  # fmt: skip
        for code, name in (("SE", "Sverige"), ("DE", "Tyskland")):
            self.put("country", code, {"id": code, "name": name})
        self.put("vatZone", "01", {"id": "01", "description": "Sverige", "defaultVatCategory": "25"})
        for category, (rate, vat) in VAT.items():
            since = "2010-01-01T00:00:00"
            line: Row = {
                "vatId": vat,
                "description": f"Utgående {rate} %",
                "type": "Vat",
                "calculateOn": "ItemAmount",
            }
            if self.ways.vat_category_rates:
                line["vatRates"] = [{"revisionID": "1", "vatRate": Decimal(rate), "groupType": "Output", "startDate": since}]  # fmt: skip
            self.put("vatCategory", category, {"vatCategoryId": category, "description": f"{rate} %", "active": True, "excludeListedTaxes": False, "vatCategoryLines": [line]})  # fmt: skip
            if self.ways.vat_register:
                self.put("vat", vat, {"vatCategoryId": category, "vatId": vat, "description": f"Utgående {rate} %", "type": "Vat", "schedules": [{"startDate": since, "vatRate": Decimal(rate), "groupType": "Output"}], "zones": [{"id": "01"}]})  # fmt: skip
        for month in range(1, 13):
            start = date(2026, month, 1)
            after = (start.replace(day=28) + timedelta(days=4)).replace(day=1)
            self.put("financialPeriod", f"2026{month:02d}", {"year": 2026, "period": f"2026{month:02d}", "startDate": f"{start}T00:00:00", "endDate": f"{after}T00:00:00", "description": f"{month}", "active": True, "closedInCustomerLedger": month < 3})  # fmt: skip
        self.put("unitofmeasure", "ST", {"fromUnit": "ST", "toUnit": "ST", "unitMultDiv": "Multiply", "unitRate": Decimal(1)})  # fmt: skip
        for number, (name, kind, vat) in ARTICLES.items():
            item = self._item({"inventoryNumber": number, "itemClass": kind, "description": name})
            item["vatCode"] = {"id": vat, "description": vat}
        self.put("project", "Z", {"projectID": "Z", "description": "Mall", "status": "Active", "hold": False, "tasks": [], "systemTemplate": True, "internalID": 1})  # fmt: skip
        self.writes.clear()

    # ------------------------------------------------------------ people

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


def _mapped(sent: Row) -> Row:
    """An update body in the spelling of reads: countryId → country, county → county."""
    found: Row = {}
    for name, value in sent.items():
        if name.endswith("Address") and isinstance(value, dict):
            block = {
                key: one
                for key, one in value.items()
                if key not in ("countryId", "county", "overrideAddress")
            }
            if "countryId" in value:
                block["country"] = {"id": value["countryId"], "name": value["countryId"]}
            if "county" in value:
                block["county"] = {"id": value["county"], "name": value["county"]}
            found[name] = block
        else:
            found[name] = value
    return found


def _member(row: Mapping[str, Any], path: str) -> Any:
    value: Any = row
    for name in path.split("."):
        value = (value or {}).get(name)
    return value


def _decoded(key: str) -> str:
    key = unquote(key)
    if key.startswith("b64(") and key.endswith(")"):
        text = key[4:-1]
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    return key
