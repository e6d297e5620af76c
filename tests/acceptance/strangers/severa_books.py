"""What a strange Severa keeps: its records, how it shows them, its seed, and what people do in its own pages."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from acceptance.strangers.document import Document
from acceptance.strangers.serving import Answer, Refusal, Served
from acceptance.strangers.ways import SeveraWays

Row = dict[str, Any]
CENT = Decimal("0.01")
SEK = "7c0c4ea2-6f0e-4a3c-9b06-8d9b8b6a1f01"
SWEDEN = "0d6f1c1e-65b7-4e22-8d4b-9d1f7f5e0a01"
UNIT = "aa6f1c1e-65b7-4e22-8d4b-9d1f7f5e0a09"

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

OUTPUT = {
    "customers": "CustomerModel", "addresses": "AddressModel", "contactpersons": "ContactModel",
    "contactcommunications": "ContactCommunicationModel", "products": "ProductOutputModel",
    "worktypes": "WorkTypeOutputModel", "travelexpensetypes": "TravelExpenseTypeOutputModel",
    "projectfees": "ProjectFeeOutputModel", "projects": "ProjectOutputModel", "invoices": "InvoiceOutputModel",
    "invoicerows": "InvoiceRowOutputModel", "invoicestatuses": "InvoiceStatusModel",
}  # fmt: skip


def new_guid() -> str:
    return str(uuid.uuid4())


class SeveraBooks(Served):
    """Records and their shapes; the second half is what people do in Severa's own pages."""

    def __init__(self, document: Mapping[str, Any], ways: SeveraWays) -> None:
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
        self._seed()

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

    def _status(self, guid: str) -> Row:
        found = self.table("invoicestatuses").get(guid.lower())
        if found is None:
            raise Refusal(self._error(400, "InvalidParameter", f"status {guid} does not exist"))
        return found

    def _enter(self, row: Row, status: Row) -> None:
        row["status"] = {
            "guid": self._guid_shown(status["guid"]),
            **{name: status[name] for name in ("name", "isSent", "isWaitingPayment", "isPaid")},
        }
        if status["hasInvoiceNumber"] and row["number"] is None and self.ways.numbers_itself:
            row["number"] = self.next_number
            self.next_number += 1
            self.set_aside.add(row["guid"])

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
