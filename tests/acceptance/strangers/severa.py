"""A Severa from the vendor's document: validates every request, enforces scopes and the quota, numbers invoices itself."""

from __future__ import annotations

import base64
import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from acceptance.strangers.document import Operation
from acceptance.strangers.serving import Answer, Refusal, Request
from acceptance.strangers.severa_books import Row, new_guid
from acceptance.strangers.severa_writing import SeveraWriting

CLIENT, SECRET = "Frammande_x1y2.apps.vismasevera.com", "severa-secret"
TOKEN_PAGED = ("customers", "products", "projects", "salescases", "phases", "projectfees", "invoices", "invoicerows", "users", "flatrates", "projecttravelexpenses", "workhours")  # fmt: skip
UNPAGED = ("vatrates", "localization")


class Severa(SeveraWriting):
    """Sign-in, scopes, quota, lists; the rest is with its books."""

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
