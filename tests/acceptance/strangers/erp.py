"""A Visma.net ERP from the vendor's document: validates every request, keeps to a budget of calls, answers in its own way."""

from __future__ import annotations

import base64
import math
import time
import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, unquote
from zoneinfo import ZoneInfo

from acceptance.strangers.document import Operation
from acceptance.strangers.erp_books import KINDS, Row, bare
from acceptance.strangers.erp_documents import ErpDocuments
from acceptance.strangers.serving import Answer, Refusal, Request
from acceptance.strangers.ways import ErpWays

CLIENT, SECRET = "isv_frammande", "erp-secret"
TENANT = "3f0c2a1e-1111-4222-8333-444455556666"
SCOPES = {"GET": "read", "POST": "create", "PUT": "update", "DELETE": "delete"}
PAGED = ("customer", "inventory", "inventory/itemclass", "project", "customerinvoice", "customercreditnote", "customerdocument", "customerpayment", "supplierinvoice", "creditterm", "country", "vatzone", "journaltransaction", "projecttask", "projectbasic")  # fmt: skip
WINDOW = 6.0
"""Seconds of the fixed window that stands for the hour."""


class Erp(ErpDocuments):
    """Sign-in, budget, lists; the rest is with its books."""

    def __init__(self, document: Mapping[str, Any], ways: ErpWays) -> None:
        super().__init__(document, ways)
        self._seed()

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
                return self._release(register, self._row(register, key))
            case ("POST", register, _, "attachment"):
                self._row(register, key).setdefault("attachments", []).append({"name": "file", "revision": 1})
                return Answer(201)
        raise NotImplementedError(f"{request.method} {operation.template}")

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
