"""A Severa from the vendor's document: validates every request, enforces scopes and the quota, numbers invoices itself."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from acceptance.strangers.document import Document, Operation
from acceptance.strangers.serving import Answer, Refusal, Request, Served
from acceptance.strangers.ways import SeveraWays

Row = dict[str, Any]
CENT = Decimal("0.01")
SEK = "7c0c4ea2-6f0e-4a3c-9b06-8d9b8b6a1f01"
SWEDEN = "0d6f1c1e-65b7-4e22-8d4b-9d1f7f5e0a01"
UNIT = "aa6f1c1e-65b7-4e22-8d4b-9d1f7f5e0a09"
CLIENT, SECRET = "Frammande_x1y2.apps.vismasevera.com", "severa-secret"

STATUSES = (
    # name, not editable, number, sent, waits, paid, default, default for credit notes
    ("Misslyckad", False, False, False, False, False, False, False),
    ("Utkast", False, False, False, False, False, True, False),
    ("Att föra över", True, False, False, False, False, False, True),
    ("Överförd", True, True, False, False, False, False, False),
    ("Skickad", True, True, True, True, False, False, False),
    ("Delvis betald", True, True, True, True, False, False, False),
    ("Betald", True, True, True, False, True, False, False),
)

TOKEN_PAGED = ("customers", "products", "projects", "salescases", "phases", "projectfees", "invoices", "invoicerows", "users", "flatrates", "projecttravelexpenses", "workhours")  # fmt: skip
UNPAGED = ("vatrates", "localization")
INPUT = {
    "customers": "CustomerModel", "addresses": "AddressModel", "contactpersons": "ContactModel",
    "contactcommunications": "ContactCommunicationModel", "products": "ProductInputModel",
    "worktypes": "WorkTypeInputModel", "travelexpensetypes": "TravelExpenseTypeInputModel",
    "projectfees": "ProjectFeeInputModel",
}  # fmt: skip
OUTPUT = {
    "customers": "CustomerModel", "addresses": "AddressModel", "contactpersons": "ContactModel",
    "contactcommunications": "ContactCommunicationModel", "products": "ProductOutputModel",
    "worktypes": "WorkTypeOutputModel", "travelexpensetypes": "TravelExpenseTypeOutputModel",
    "projectfees": "ProjectFeeOutputModel", "projects": "ProjectOutputModel", "invoices": "InvoiceOutputModel",
    "invoicerows": "InvoiceRowOutputModel", "invoicestatuses": "InvoiceStatusModel",
}  # fmt: skip
# The input model of an invoice is not published: these are the paths that its output model suggests.
INVOICE_PATHS = frozenset({"/number", "/referenceNumber", "/paymentDate", "/entryDate", "/date", "/dueDate", "/orderNumber", "/ourReference", "/yourReference"})  # fmt: skip
ALWAYS_OPEN = frozenset(
    {"/number", "/referenceNumber", "/paymentDate", "/status", "/status/guid", "/entryDate"}
)


def new_guid() -> str:
    return str(uuid.uuid4())


class Severa(Served):
    """State, rules and answers. The methods in the second half are what people do in Severa's own pages."""

    def __init__(self, document: Path, ways: SeveraWays) -> None:
        super().__init__()
        self.ways = ways
        self.floats = ways.floats
        self.document = Document(document)
        self.tables: dict[str, dict[str, Row]] = {}
        self.tokens: dict[str, tuple[float, set[str]]] = {}
        self.recent: deque[float] = deque()
        self.throttled = 0
        self.next_number = 9001
        self.patches: list[tuple[str, str, list[Row]]] = []
        self.set_aside: set[str] = set()
        """Invoices that got a number of Severa's own on entering a numbered status."""
        self.asked_scopes = ""
        self._seed()

    # ------------------------------------------------------------ requests

    def handle(self, request: Request) -> Answer:
        if not request.path.startswith("/rest-api/"):
            self.violation(f"{request.method} {request.path} is not below /rest-api")
            return Answer(404, text="Not found", kind="text/plain")
        path = request.path.removeprefix("/rest-api")
        operation = self.document.operation(request.method, path)
        if operation is None:
            self.violation(f"{request.method} {path} is not in the document")
            return self._error(404, "InvalidRequest", "Resource not found")
        try:
            body = request.json() if "multipart" not in request.headers.get("content-type", "") else None
        except ValueError:
            return self._error(400, "InvalidRequest", "The body is no JSON")
        if body is not None and not request.headers.get("content-type", "").startswith("application/json"):
            self.violation(f"{request.method} {path}: Content-Type {request.headers.get('content-type')}")
        wrong = self.document.check(operation, request.query, body)
        for one in wrong:
            self.violation(one)
        if wrong:
            return self._error(400, "InvalidParameter", wrong[0])
        if path == "/v1/token":
            return self._sign_in(body)
        self._authorised(request, operation)
        return self._operate(request, operation, path, body)

    def _sign_in(self, body: Row) -> Answer:
        if (body.get("client_id"), body.get("client_secret")) != (CLIENT, SECRET):
            return self._error(401, "AuthenticationRequired", "Client authentication failed")
        asked = str(body.get("scope") or "")
        self.asked_scopes = asked
        separator = self.ways.scope_separator
        if separator == ",":
            parts = asked.split(",")
        elif separator == " ":
            parts = asked.split(" ")
        else:
            parts = asked.replace(",", " ").split()
        names = {part.strip() for part in parts if part.strip()}
        if not names or any(" " in name or "," in name or ":" not in name for name in names):
            return self._error(
                401, "AuthenticationRequired", "Requested scopes are not allowed for the client"
            )
        token = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()
        self.tokens[token] = (time.monotonic() + self.ways.token_seconds, names)
        expires = datetime.now(UTC) + timedelta(seconds=self.ways.token_seconds)
        answer: Row = {
            "access_token": token,
            "access_token_type": "Bearer",
            "access_token_expires_in": self.ways.token_seconds,
            "access_token_expires_utc": expires.isoformat().replace("+00:00", "Z"),
            "refresh_token": new_guid(),
            "refresh_token_expires_in": 86400,
            "refresh_token_expires_utc": expires.isoformat().replace("+00:00", "Z"),
        }
        if self.ways.scope_in_answer:
            answer["scope"] = asked
        return Answer(200, answer)

    def _authorised(self, request: Request, operation: Operation) -> None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        until, scopes = self.tokens.get(token, (0.0, set()))
        if kind != "Bearer" or until < time.monotonic():
            raise Refusal(self._error(401, "AuthenticationRequired", "Authentication is required"))
        if self.ways.needs_client_id and request.headers.get("client_id") != CLIENT:
            self.violation(f"{request.method} {request.path}: no Client_Id header")
            raise Refusal(self._error(401, "AuthenticationRequired", "Client_Id is missing"))
        now = time.monotonic()
        while self.recent and self.recent[0] < now - 1:
            self.recent.popleft()
        if len(self.recent) >= self.ways.per_second:
            self.throttled += 1
            quota = f"API calls quota exceeded! maximum admitted {self.ways.per_second} per 1s."
            raise Refusal(Answer(429, text=quota, kind="text/plain"))
        self.recent.append(now)
        lacking = self.document.scopes(operation) - scopes
        if lacking:
            raise Refusal(self._error(403, "InsufficientApiScope", f"Scope {sorted(lacking)} is needed"))

    def _operate(self, request: Request, operation: Operation, path: str, body: Any) -> Answer:
        parts = path.removeprefix("/v1/").split("/")
        match (request.method, *parts):
            case ("GET", "organizationdetails"):
                return Answer(200, self._shown("", self.organisation))
            case ("GET", "organizationsettings"):
                return Answer(200, self.settings)
            case ("GET", "integrations", *_):
                return self._error(403, "AddonMissing", "Addon required")
            case ("GET", "localization", "countries", key):
                return self._country(key)
            case ("GET", "localization", name):
                return Answer(200, [self._shown("", row) for row in self.table(name).values()])
            case ("GET", "salescases"):
                return self._list(request, "salescases", self._projects(open_case=True))
            case ("GET", "projects"):
                rows = self._projects(open_case=False)
                if self.ways.cases_in_projects:
                    rows += self._projects(open_case=True)
                return self._list(request, "projects", rows)
            case ("GET", "invoicestatuses"):
                rows = sorted(self.table("invoicestatuses").values(), key=lambda row: row["sortOrder"])
                return self._list(
                    request, "invoicestatuses", rows[::-1] if self.ways.statuses_reversed else rows
                )
            case ("GET", "invoices", _, "pdf"):
                return Answer(200, content=b"%PDF-1.4\n%%EOF\n", kind="application/pdf")
            case ("GET", register):
                return self._list(request, register, list(self.table(register).values()))
            case ("GET", register, guid):
                return Answer(200, self._shown(register, self._row(register, guid)))
            case ("GET", owner, guid, below):
                return self._below(request, owner, guid, below)
            case ("POST", register):
                return self._made(register, self._create(register, body))
            case ("POST", "customers", guid, "addresses"):
                self._row("customers", guid)
                return self._made(
                    "addresses", self._create("addresses", {**body, "customer": {"guid": guid}})
                )
            case ("PATCH", register, guid):
                return self._patch(register, guid, body)
        raise NotImplementedError(f"{request.method} {operation.template}")

    def _made(self, register: str, row: Row) -> Answer:
        shown = self._shown(register, row)
        many = self.ways.post_array or register == "projectfees"
        return Answer(201, [shown] if many else shown)

    def _country(self, key: str) -> Answer:
        for row in self.table("countries").values():
            if key == row["guid"]:
                return Answer(200, row)
            if key in (row["code2"], row["code3"], row["name"], row["englishName"]):
                return Answer(200, [row])
        return self._error(404, "InvalidParameter", "Resource not found")

    def _below(self, request: Request, owner: str, guid: str, below: str) -> Answer:
        owner = {"contacts": "contactpersons"}.get(owner, owner)
        self._row(owner, guid)
        link = {
            ("customers", "addresses"): ("addresses", "customer"),
            ("customers", "contactpersons"): ("contactpersons", "customer"),
            ("contactpersons", "contactcommunications"): ("contactcommunications", "contact"),
            ("projects", "projectfees"): ("projectfees", "project"),
        }
        if (owner, below) in link:
            register, member = link[(owner, below)]
            rows = [
                row for row in self.table(register).values() if (row.get(member) or {}).get("guid") == guid
            ]
        elif (owner, below) == ("invoices", "invoicerows"):
            register, rows = (
                "invoicerows",
                [row for row in self.table("invoicerows").values() if row["invoiceGuid"] == guid],
            )
        else:
            register, rows = f"{owner}/{below}", list(self.table(f"{guid}/{below}").values())
        return self._list(request, register, rows, below=True)

    def _projects(self, *, open_case: bool) -> list[Row]:
        in_progress = {
            row["guid"]
            for row in self.table("salesstatustypes").values()
            if row["salesState"] == "InProgress"
        }
        return [
            row
            for row in self.table("projects").values()
            if (row["salesStatus"]["salesStatusTypeGuid"] in in_progress) is open_case
        ]

    # ------------------------------------------------------------ lists

    def _list(self, request: Request, register: str, rows: list[Row], *, below: bool = False) -> Answer:
        rows = [row for row in rows if all(self._fits(row, name, request) for name in request.query)]
        wanted = int(request.one("rowCount") or 20)
        name = register.rsplit("/", 1)[-1]
        if (
            (name == "contactcommunications" and below)
            or name in UNPAGED
            or name == "projectbillingcustomers"
        ):
            return Answer(200, [self._shown(name, row) for row in rows])
        if wanted > 100:
            self.violation(f"{request.path}: rowCount {wanted} is over the documented maximum")
            if self.ways.row_limit == "refuse":
                return self._error(400, "InvalidParameter", "rowCount must be between 1 and 100")
        wanted = min(wanted, 100, self.ways.page_cap)
        headers: dict[str, str] = {}
        if name in TOKEN_PAGED or name.startswith("reimbursedprojectfees"):
            filters = {key: value for key, value in request.query.items() if key != "pageToken"}
            first = 0
            if (token := request.one("pageToken")) is not None:
                asked, first = json.loads(base64.urlsafe_b64decode(token))
                if asked != filters:
                    self.violation(f"{request.path}: the filters were not repeated with the page token")
                    return self._error(400, "InvalidParameter", "pageToken belongs to another query")
            if first + wanted < len(rows):
                mark = base64.urlsafe_b64encode(json.dumps([filters, first + wanted]).encode())
                headers[self.ways.next_token_header] = mark.decode()
        else:
            first = int(request.one("firstRow") or 0)
        page = rows[first : first + wanted]
        return Answer(200, [self._shown(name, row) for row in page], headers)

    def _fits(self, row: Row, name: str, request: Request) -> bool:
        values = request.query[name]
        match name:
            case "rowCount" | "pageToken" | "firstRow" | "calculateRowCount" | "changedSinceOptions":
                return True
            case "changedSince":
                since = datetime.fromisoformat(values[0])
                if since.tzinfo is None:
                    self.violation(f"{request.path}: changedSince={values[0]} has no offset")
                options = {"Addresses", "Contacts"}.intersection(request.query.get("changedSinceOptions", []))
                return self._changed(row, options) >= since
            case "isActive" | "active":
                return bool(row.get("isActive", True)) is (values[0] == "true")
            case "isInternal" | "internal":
                return bool(row.get("isInternal")) is (values[0] == "true")
            case "isClosed":
                return bool(row.get("isClosed")) is (values[0] == "true")
            case "numbers":
                return str(row.get("number")) in values
            case "customerNames":
                return any(value.casefold() in str(row["name"]).casefold() for value in values)
            case "vatNumber":
                return row.get("vatNumber") == values[0]
            case "emailAddresses":
                return row.get("email") in values
            case "code":
                return row.get("code") == values[0]
            case "invoiceStatusGuids":
                return row["status"]["guid"].casefold() in {value.casefold() for value in values}
            case "customerGuids":
                return (row.get("customer") or {}).get("guid") in values
            case "projectGuids":
                projects = row.get("projects") or [row.get("project") or row]
                return any(project.get("guid") in values for project in projects)
            case "salesState":
                return row.get("salesState") == values[0]
            case "rowType" | "productType" | "type":
                return row.get(name) == values[0]
            case "startDate":
                return str(row["date"]) >= values[0][:10]
            case "endDate":
                return str(row["date"]) <= values[0][:10]
        raise NotImplementedError(f"filter {name} of {request.path}")

    def _changed(self, row: Row, options: set[str]) -> datetime:
        times = [row["_created"], row["_updated"] or row["_created"]]
        for register, option in (("addresses", "Addresses"), ("contactpersons", "Contacts")):
            if option in options:
                times += [
                    one["_updated"] or one["_created"]
                    for one in self.table(register).values()
                    if (one.get("customer") or {}).get("guid") == row["guid"]
                ]
        return max(times)

    # ------------------------------------------------------------ writing

    def _create(self, register: str, body: Row) -> Row:
        if register in ("customers", "products", "worktypes", "travelexpensetypes"):
            name, table = body["name"], self.table(register)
            if register == "customers" and any(row["name"] == name for row in table.values()):
                raise Refusal(self._error(400, "InvalidOperation", f"Customer {name} already exists"))
        row: Row = {**self._defaults(register), **body}
        for member, target in (
            ("customer", "customers"),
            ("contact", "contactpersons"),
            ("project", "projects"),
        ):
            if isinstance(row.get(member), dict) and register != "invoices":
                row[member] = self._reference(target, row[member]["guid"])
        self._resolve(register, row)
        return self.put(register, row)

    def _reference(self, register: str, guid: str) -> Row:
        found = self.table(register).get(guid)
        if found is None:
            raise Refusal(self._error(400, "InvalidParameter", f"{register} {guid} does not exist"))
        shown = {"guid": guid, "name": found.get("name")}
        return {**shown, "number": found.get("number")} if register in ("customers", "projects") else shown

    def _resolve(self, register: str, row: Row) -> None:
        """References given by guid are shown with their names."""
        if register == "contactcommunications":
            kind = self.table("communicationtypes").get((row.get("communicationType") or {}).get("guid", ""))
            if kind is None:
                raise Refusal(self._error(400, "InvalidParameter", "communicationType does not exist"))
            row["communicationType"] = {name: kind[name] for name in ("guid", "name", "isActive", "type")}
        if register == "addresses" and isinstance(row.get("country"), dict):
            country = self.table("countries").get(str(row["country"].get("guid")))
            if country is None:
                raise Refusal(self._error(400, "InvalidParameter", "country does not exist"))
            row["country"] = {name: country[name] for name in ("guid", "name", "englishName", "hasRegions")}
        if register == "customers" and isinstance(row.get("currency"), dict):
            currency = self.table("currencies").get(str(row["currency"].get("guid")))
            if currency is not None:
                row["currency"] = {name: currency[name] for name in ("guid", "name", "code", "symbol")}
        if register == "customers" and isinstance(row.get("headquarterAddress"), dict):
            address = self.table("addresses").get(str(row["headquarterAddress"].get("guid")))
            if address is None:
                raise Refusal(self._error(400, "InvalidParameter", "headquarterAddress does not exist"))
            row["headquarterAddress"] = {"guid": address["guid"]}

    def _patch(self, register: str, guid: str, operations: list[Row]) -> Answer:
        row = self._row(register, guid)
        self.patches.append((register, guid, operations))
        changed = dict(row)
        for operation in operations:
            if operation["op"] != "Replace":
                self.violation(f"PATCH {register}: op {operation['op']}")
                raise Refusal(self._error(400, "InvalidOperation", "Only Replace is supported"))
            path = str(operation.get("path"))
            if register == "invoices":
                self._patch_invoice(changed, path, operation.get("value"))
            else:
                self._patch_member(register, changed, path, operation.get("value"))
        self._resolve(register, changed)
        row.update(changed)
        self.touch(row)
        shown = self._shown(register, row)
        match self.ways.patch_answer:
            case "array":
                return Answer(200, [shown])
            case "object":
                return Answer(200, shown)
            case _:
                return Answer(200)

    def _patch_member(self, register: str, row: Row, path: str, value: Any) -> None:
        schema = self.document.schema(INPUT[register])
        names = path.strip("/").split("/")
        target = row
        for index, name in enumerate(names):
            member = schema.get("properties", {}).get(name)
            if not path.startswith("/") or member is None or member.get("readOnly"):
                self.violation(f"PATCH {register}: {path} is not in {INPUT[register]}")
                raise Refusal(
                    self._error(400, "InvalidParameter", f"The target location {path} was not found")
                )
            if index == len(names) - 1:
                wrong = list(self.document.value(path, value, member))
                if wrong:
                    self.violation(f"PATCH {register}: {wrong[0]}")
                    raise Refusal(self._error(400, "InvalidParameter", wrong[0]))
                target[name] = value
                return
            schema = self.document.resolved(member)
            target[name] = dict(target.get(name) or {})
            target = target[name]

    def _patch_invoice(self, row: Row, path: str, value: Any) -> None:
        accepted = {"guid": {"/status/guid"}, "object": {"/status"}, "both": {"/status", "/status/guid"}}
        paths = INVOICE_PATHS | accepted[self.ways.status_path]
        if path not in paths:
            if self.ways.foreign_path == "ignore":
                return
            raise Refusal(
                self._error(
                    400, "InvalidParameter", f"The target location specified by path {path} was not found"
                )
            )
        status = self._status(row["status"]["guid"])
        if status["isReadOnly"] and path not in ALWAYS_OPEN:
            raise Refusal(self._error(400, "InvalidOperation", "The invoice is read-only"))
        match path:
            case "/status" | "/status/guid":
                guid = value.get("guid") if isinstance(value, dict) else value
                self._enter(row, self._status(str(guid)))
            case "/number":
                self._number(row, value)
            case "/referenceNumber":
                if self.ways.reference_kept:
                    row["referenceNumber"] = value
            case _:
                name = path.strip("/")
                if value is not None and (not isinstance(value, str) or len(value) != 10):
                    self.violation(f"PATCH invoices: {path} {value!r} is no date")
                row[name] = value

    def _number(self, row: Row, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            self.violation(f"PATCH invoices: /number {value!r} is no int32")
            raise Refusal(self._error(400, "InvalidParameter", "number must be int32"))
        match self.ways.number_write:
            case "refused":
                raise Refusal(self._error(400, "InvalidOperation", "number cannot be changed"))
            case "ignored":
                return
        if row["guid"] in self.set_aside:
            raise Refusal(self._error(400, "InvalidOperation", "The invoice already has a number"))
        if any(
            one["number"] == value and one["guid"] != row["guid"] for one in self.table("invoices").values()
        ):
            raise Refusal(self._error(400, "InvalidOperation", f"Number {value} is used"))
        row["number"] = value

    def _enter(self, row: Row, status: Row) -> None:
        row["status"] = {
            "guid": self._guid_shown(status["guid"]),
            **{name: status[name] for name in ("name", "isSent", "isWaitingPayment", "isPaid")},
        }
        if status["hasInvoiceNumber"] and row["number"] is None and self.ways.numbers_itself:
            row["number"] = self.next_number
            self.next_number += 1
            self.set_aside.add(row["guid"])

    def _status(self, guid: str) -> Row:
        found = self.table("invoicestatuses").get(guid.lower())
        if found is None:
            raise Refusal(self._error(400, "InvalidParameter", f"status {guid} does not exist"))
        return found

    # ------------------------------------------------------------ shapes

    def table(self, register: str) -> dict[str, Row]:
        return self.tables.setdefault(register, {})

    def _row(self, register: str, guid: str) -> Row:
        found = self.table(register).get(guid.lower())
        if found is None:
            raise Refusal(self._error(404, "InvalidParameter", "Resource not found"))
        return found

    def put(self, register: str, row: Row) -> Row:
        """Keeps a new row."""
        row = {"guid": new_guid(), **row, "_created": datetime.now(UTC), "_updated": None}
        self.table(register)[row["guid"]] = row
        return row

    def touch(self, row: Row) -> None:
        row["_updated"] = datetime.now(UTC)

    def _guid_shown(self, guid: str) -> str:
        return guid.upper() if self.ways.upper_status_guids else guid.lower()

    def _shown(self, register: str, row: Row) -> Row:
        shown = {name: value for name, value in row.items() if not name.startswith("_")}
        if "_created" in row:
            shown["createdDateTime"] = self._stamp(row["_created"])
            updated = row["_updated"] or (row["_created"] if self.ways.never_changed == "same" else None)
            shown["lastUpdatedDateTime"] = None if updated is None else self._stamp(updated)
        if register == "invoicestatuses":
            shown["guid"] = self._guid_shown(shown["guid"])
        if register == "customers" and shown.get("headquarterAddress"):
            address = self.table("addresses")[shown["headquarterAddress"]["guid"]]
            shown["headquarterAddress"] = {
                "guid": address["guid"],
                **{name: address.get(name) for name in ("addressline", "postalCode", "city")},
                "country": (address.get("country") or {}).get("name"),
            }
        if register == "contactpersons":
            shown["name"] = f"{shown['firstName']} {shown['lastName']}"
            mine = [
                c for c in self.table("contactcommunications").values() if c["contact"]["guid"] == row["guid"]
            ]
            shown["emails"] = [c["value"] for c in mine if c["communicationType"]["type"] == "EmailAddress"]
            shown["phoneNumbers"] = [c["value"] for c in mine if "Phone" in c["communicationType"]["type"]]
        if not self.ways.multi_currency:
            shown = _without(shown, "multiCurrencyInfo")
        if self.ways.leaves_nulls_out:
            shown = {name: value for name, value in shown.items() if value is not None}
        if register in OUTPUT:
            self.crashes += self.document.answers(OUTPUT[register], shown)
        return shown

    def _stamp(self, at: datetime) -> str:
        match self.ways.stamps:
            case "offset":
                return at.astimezone(timezone(timedelta(hours=2))).isoformat(timespec="milliseconds")
            case "whole":
                return at.strftime("%Y-%m-%dT%H:%M:%SZ")
            case _:
                return at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"

    def _error(self, status: int, kind: str, message: str) -> Answer:
        detail = {"message": message, "url": None, "location": None}
        return Answer(
            status,
            {"error": {"httpStatusCode": status, "type": kind, "details": [detail], "stack": None}},
        )

    def _defaults(self, register: str) -> Row:
        match register:
            case "customers":
                return {"number": None, "isActive": True, "isInternal": False, "notes": None, "email": None, "website": None, "vatNumber": None, "currency": None, "headquarterAddress": None, "paymentTerm": None}  # fmt: skip
            case "addresses":
                return {"addressline": None, "postalCode": None, "city": None, "isBillingAddress": False, "isPostalAddress": False, "isVisitAddress": False, "country": None, "countryRegion": None}  # fmt: skip
            case "contactpersons":
                return {"salutation": None, "jobTitle": None, "isActive": True, "isDeleted": False, "isEmailAllowed": False}  # fmt: skip
            case "contactcommunications":
                return {"isForbiddenToUse": True}
            case "products" | "worktypes" | "travelexpensetypes":
                return {"isActive": True, "code": None}
            case _:
                return {}

    # ------------------------------------------------------------ seed

    def _seed(self) -> None:
        self.organisation: Row = {
            "guid": new_guid(), "name": "Främmande Konsult AB", "vatNumber": "SE556677889901", "isVatRegistered": True,
            "country": {"guid": SWEDEN, "name": "Sverige"},
            "currency": {"guid": SEK, "code": "SEK", "name": "Svensk krona"} if self.ways.organisation_currency else None,
            "activeCompanies": [{"guid": new_guid(), "name": "Främmande Konsult AB", "rootBusinessUnitGuid": UNIT, "currencyCode": "SEK", "currencyGuid": SEK}],
            "activeAddons": ["REST API"],
        }  # fmt: skip
        self.settings: Row = {
            "nextProjectNumber": 2001, "nextCustomerNumber": 700, "lastCustomerNumber": 699, "nextInvoiceNumber": 9001,
            "currencyRoundingType": "AwayFromZero", "setCreditNoteInvoiceNumber": False, "paymentTerm": 30,
            "uniqueIdentifierForProductsAndWorktypes": True, "workWeek": [],
        }  # fmt: skip
        unit = self.put("businessunits", {"guid": UNIT, "name": "Främmande Konsult AB", "parentGuid": None, "isActive": True, "vatNumber": "SE556677889901", "companyGuid": self.organisation["activeCompanies"][0]["guid"], "companyBusinessUnitGuid": UNIT, "code": "1"})  # fmt: skip
        self.company = unit["companyGuid"]
        self.put("currencies", {"guid": SEK, "name": "Svensk krona", "code": "SEK", "rate": 1, "symbol": "kr", "isActive": True, "isOrganizationCurrency": self.ways.organisation_currency})  # fmt: skip
        for guid, code2, code3, name, english in (
            (SWEDEN, "SE", "SWE", "Sverige", "Sweden"),
            (new_guid(), "DE", "DEU", "Tyskland", "Germany"),
        ):
            self.table("countries")[guid] = {"guid": guid, "name": name, "englishName": english, "code2": code2, "code3": code3, "hasRegions": "NoRegion", "isInEU": True, "isRegistrationCountry": code2 == "SE"}  # fmt: skip
        for percentage in (25, 12, 6, 0):
            self.put("vatrates", {"percentage": percentage, "code": f"S{percentage}", "isActive": True, "isDefault": percentage == 25, "countryGuid": SWEDEN})  # fmt: skip
        for kind in ("Phone", "MobilePhone", "EmailAddress"):
            self.put("communicationtypes", {"name": kind, "isActive": True, "type": kind})
        for state in ("InProgress", "Won", "Lost"):
            self.put("salesstatustypes", {"name": state, "isActive": True, "salesState": state})
        for order, (name, fixed, number, sent, waits, paid, default, credit) in enumerate(STATUSES, 1):
            self.put("invoicestatuses", {"name": name, "isActive": True, "isDefault": default, "isReadOnly": fixed, "hasInvoiceNumber": number, "isSent": sent, "isWaitingPayment": waits, "isPaid": paid, "isDefaultForCreditNote": credit, "sortOrder": order * 10})  # fmt: skip
        self.put("customers", {**self._defaults("customers"), "name": "Främmande Konsult AB (intern)", "isInternal": True})  # fmt: skip

    # ------------------------------------------------------------ people

    def money(self, amount: Decimal) -> Row:
        return {"amount": amount, "currencyCode": "SEK", "multiCurrencyInfo": None}

    def customer(self, name: str, **members: Any) -> Row:
        """A customer with its address."""
        with self.lock:
            row = self.put("customers", {**self._defaults("customers"), "name": name, "currency": {"guid": SEK, "code": "SEK", "name": "Svensk krona", "symbol": "kr"}, "paymentTerm": 30, **members})  # fmt: skip
            country = self.table("countries")[SWEDEN]
            address = self.put("addresses", {**self._defaults("addresses"), "addressline": "Storgatan 1", "postalCode": "111 22", "city": "Stockholm", "isBillingAddress": True, "isPostalAddress": True, "isVisitAddress": True, "country": {"guid": SWEDEN, "name": "Sverige", "englishName": "Sweden", "hasRegions": country["hasRegions"]}, "customer": {"guid": row["guid"], "name": name, "number": row["number"]}})  # fmt: skip
            row["headquarterAddress"] = {"guid": address["guid"]}
            return row

    def product(self, register: str, code: str, name: str, **members: Any) -> Row:
        with self.lock:
            base: Row = {**self._defaults(register), "name": name, "code": code, **members}
            if register == "travelexpensetypes":
                base = {"expenseClass": "OtherTravelExpense", "includeTime": False, "unitCost": self.money(Decimal(50)), **base}  # fmt: skip
            if register == "products":
                base = {"type": "Materials", "unitPrice": self.money(Decimal("249.5")), **base}
            if register == "worktypes":
                base = {"isProductive": True, "isDefault": False, **base}
            return self.put(register, base)

    def project(self, number: int, name: str, customer: Row, *, state: str = "Won") -> Row:
        with self.lock:
            kind = next(row for row in self.table("salesstatustypes").values() if row["salesState"] == state)
            return self.put("projects", {
                "name": name, "number": number, "isInternal": False, "isClosed": False, "closedDate": None, "startDate": "2026-01-01",
                "customer": {"guid": customer["guid"], "name": customer["name"], "number": customer["number"]},
                "businessUnit": {"guid": UNIT, "name": "Främmande Konsult AB", "companyGuid": self.company, "companyBusinessUnitGuid": UNIT, "code": "1"},
                "currency": {"guid": SEK, "code": "SEK", "name": "Svensk krona", "symbol": "kr"},
                "salesStatus": {"guid": new_guid(), "name": state, "salesStatusTypeGuid": kind["guid"]},
                "projectStatus": None, "rootPhase": {"guid": new_guid(), "name": name},
            })  # fmt: skip

    def invoice(
        self,
        project: Row,
        rows: Iterable[tuple[str, str, str, str, int]],
        *,
        status: str = "Att föra över",
        credits: Row | None = None,
        **members: Any,
    ) -> Row:
        """An invoice; ``rows`` are code, row type, quantity, price, VAT percent. A credit note has this server's sign."""
        with self.lock:
            sign = Decimal(self.ways.credit_sign if credits else 1)
            guid = new_guid()
            net, taxes = Decimal(0), dict[int, Decimal]()
            for order, (code, kind, quantity, price, vat) in enumerate(rows, 1):
                amount = (Decimal(quantity) * Decimal(price) * sign).quantize(CENT, ROUND_HALF_UP)
                net += amount
                taxes[vat] = taxes.get(vat, Decimal(0)) + amount
                self.put("invoicerows", {"invoiceGuid": guid, "rowType": kind, "category": {"Hours": "Hours", "TravelExpenses": "Travels"}.get(kind, "ProjectFees"), "description": f"Rad {order} {code}", "quantity": Decimal(quantity) * sign, "unitPrice": self.money(Decimal(price)), "measurementUnit": "st", "vatRate": vat, "sortOrder": order, "flatRateGuid": None, "hasInvoiceComment": False, "code": [code]})  # fmt: skip
            tax = sum(
                ((amount * vat / 100).quantize(CENT, ROUND_HALF_UP) for vat, amount in taxes.items()),
                Decimal(0),
            )
            state = next(row for row in self.table("invoicestatuses").values() if row["name"] == status)
            customer = self.table("customers")[project["customer"]["guid"]]
            payer = {"guid": customer["guid"], "name": customer["name"], "number": customer["number"]}
            row: Row = {
                "guid": guid, "number": None, "referenceNumber": None, "status": None, "customer": payer, "billingCustomer": payer,
                "projects": [{"guid": project["guid"], "name": project["name"], "number": project["number"]}],
                "date": "2026-11-20", "dueDate": "2026-12-20", "paymentDate": None, "entryDate": None, "paymentTerm": 30,
                "ourReference": None, "yourReference": None, "orderNumber": None,
                "currency": {"guid": SEK, "code": "SEK", "name": "Svensk krona", "symbol": "kr"}, "currencyRate": 1,
                "totalExcludingTax": self.money(net), "totalTax": self.money(tax), "totalIncludingTax": self.money(net + tax),
                "receiverCustomerName": customer["name"],
                "receiverAddress": {"addressline": "Storgatan 1", "postalCode": "111 22", "city": "Stockholm", "state": None, "country": "Sverige"},
                "senderVatNumber": "SE556677889901", "isCreditNote": credits is not None,
                "reimburseInvoice": {"guid": credits["guid"], "number": credits["number"]} if credits else None,
                "creditNoteInvoice": None, "invoiceNumberBusinessUnitGuid": UNIT, "notes": None, "freeText1": None, "freeText2": None, "canBeDeleted": True,
                **members,
            }  # fmt: skip
            self._enter(row, state)
            return self.put("invoices", row)

    def move(self, invoice: Row, status: str) -> None:
        """A person sets a status by its name."""
        with self.lock:
            self._enter(
                invoice, next(row for row in self.table("invoicestatuses").values() if row["name"] == status)
            )
            self.touch(invoice)

    def change(self, row: Row, **members: Any) -> None:
        with self.lock:
            row.update(members)
            self.touch(row)


def _without(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _without(one, name) for key, one in value.items() if key != name}
    return [_without(one, name) for one in value] if isinstance(value, list) else value
