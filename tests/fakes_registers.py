"""The registers' own rules in the in-memory vendors: keys, numbers, classes, templates, unique names."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from domain.customer.registers import REGISTERS
from domain.errors import NotFound, Refused, Stale
from domain.model import Filter, Json, Stored
from tests.fakes import FakeErp, FakeSevera, World, unwrapped

ITEM_CLASSES = {"PRODUCT": "NonStockItem", "LABOR": "LaborItem", "EXPENSE": "ExpenseItem"}


class RegisterErp(FakeErp):
    """Items by number, customers numbered by a series, projects by projectID with a template's tasks."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.next_customer = 10001
        self.class_terms = "30"
        # How many times a changed class still brings its own credit terms.
        self.class_moves_terms = 0
        self.template_tasks: list[str] = ["10"]
        self.balances: dict[str, Any] = {}
        self.description_limit = 255
        # Internal ids that answer with another record since two became one.
        self.became: dict[str, str] = {}

    def get(self, register: str, key: str) -> Stored:
        if register.endswith("/internal"):
            key = self.became.get(key, key)
        if register == "customer/balance":
            body = {"customer": {"number": key}, "balance": self.balances.get(key, 0)}
            answer: Stored = self._do("get", register, key, None, lambda: Stored(body, None))
            return answer
        if register == "customer/note":
            noted = {"note": self.records["customer"][key].get("note", "")}
            shown: Stored = self._do("get", register, key, None, lambda: Stored(noted, None))
            return shown
        if register == "inventory/internal":

            def work() -> Stored:
                for row in self.records.get("inventory", {}).values():
                    if str(row["inventoryId"]) == key:
                        return Stored(copy.deepcopy(row), None)
                raise NotFound(
                    "Resource not found", system="visma_net", status=404, operation="GET inventory"
                )

            found: Stored = self._do("get", register, key, None, work)
            return found
        stored = super().get(register, key)
        return replace(stored, body=without_note(stored.body)) if register == "customer" else stored

    def _matching(self, register: str, filters: Mapping[str, Filter]) -> list[Json]:
        rows = super()._matching(register, {k: v for k, v in filters.items() if k != "createdDateTime"})
        since = filters.get("createdDateTime")
        if not isinstance(since, datetime):
            return rows
        naive = since.replace(tzinfo=None).isoformat()
        return [row for row in rows if str(row.get("createdDateTime") or "") >= naive]

    def on_create(self, register: str, body: Json, number: str) -> str:
        sent = unwrapped(body)
        rows = self.records.setdefault(register, {})
        key: str
        match register:
            case "inventory":
                key = sent["inventoryNumber"]
                new = self._item(sent, number)
            case "project":
                key = sent["projectID"]
                new = self._project(sent, number)
            case "customer":
                key = str(self.next_customer)
                self.next_customer += 1
                new = self._customer(sent, key, number)
            case "contact":
                key, new = number, {"contactId": int(number), "active": True, **sent}
            case _:
                return super().on_create(register, body, number)
        if key in rows:
            raise Refused(
                f"{key} already exists", system="visma_net", status=400, operation=f"POST {register}"
            )
        rows[key] = new
        return key

    def _item(self, sent: Json, number: str) -> Json:
        kind = ITEM_CLASSES.get(sent["itemClass"], "NonStockItem")
        return {
            "inventoryId": int(number),
            "status": "Active",
            "type": kind,
            "defaultPrice": 0,
            **sent,
            "description": sent["description"][: self.description_limit],
            "itemClass": {"id": sent["itemClass"], "type": kind},
        }

    def _project(self, sent: Json, number: str) -> Json:
        tasks = [{"taskId": task, "status": "Active"} for task in self.template_tasks]
        return {
            "internalID": int(number),
            "status": "Planned",
            **sent,
            "customer": {"number": sent["customer"]},
            "template": {"number": sent["template"]},
            "tasks": tasks,
        }

    def _customer(self, sent: Json, key: str, number: str) -> Json:
        address = sent.get("mainAddress", {})
        return {
            "internalId": int(number),
            "number": key,
            "name": sent["name"],
            "status": "Active",
            "customerClass": {"id": sent["customerClassId"]},
            "creditTerms": {"id": self.class_terms},
            "currencyId": "SEK",
            "mainAddress": _address({}, address),
            "mainContact": {"name": sent["name"], "email": "", "web": ""},
            "vatRegistrationId": "",
            "corporateId": "",
        }

    def on_update(self, register: str, key: str, body: Json, etag: str | None) -> None:
        if etag is not None and etag != self._etag(register, key):
            raise Stale("precondition failed", system="visma_net", status=412, operation=f"PUT {register}")
        row = self.records[register][key]
        for name, value in unwrapped(body).items():
            match register, name:
                case "inventory", "itemClass":
                    row["itemClass"] = {"id": value, "type": ITEM_CLASSES[value]}
                case "inventory", "description":
                    row[name] = value[: self.description_limit]
                case "customer", "creditTermsId":
                    row["creditTerms"] = {"id": value}
                case "customer", "customerClassId":
                    row["customerClass"] = {"id": value}
                    if self.class_moves_terms:
                        row["creditTerms"] = {"id": self.class_terms}
                        self.class_moves_terms -= 1
                case "customer", "mainAddress" | "invoiceAddress" | "deliveryAddress":
                    before = row.get(name) or row["mainAddress"]
                    row[name] = _address(before, value)
                    self._followers(row, name, before)
                case "customer", "mainContact":
                    row["mainContact"].update(value)
                case "project", "customer":
                    row["customer"] = {"number": value}
                case "project", "tasks":
                    self._tasks(row, value)
                case _:
                    row[name] = value

    def _followers(self, row: Json, name: str, before: Json) -> None:
        """A block that is the main address follows it; one that is sent by itself becomes an address of its own."""
        own = before.get("addressId")
        if name != "mainAddress":
            row[name]["addressId"] = own + 1 if own == row["mainAddress"].get("addressId") and own else own
            return
        for other in ("invoiceAddress", "deliveryAddress"):
            if own and (row.get(other) or {}).get("addressId") == own:
                row[other] = copy.deepcopy(row["mainAddress"])

    @staticmethod
    def _tasks(row: Json, sent: list[Json]) -> None:
        for task in sent:
            own = {name: value for name, value in task.items() if name != "operation"}
            if task["operation"] == "Insert":
                row["tasks"].append(own)
            else:
                next(one for one in row["tasks"] if one["taskId"] == own["taskId"]).update(own)


def _address(before: Json, sent: Json) -> Json:
    new = {**before, **{name: value for name, value in sent.items() if name not in ("countryId", "county")}}
    if "county" in sent:
        new["county"] = {"id": sent["county"]}
    if "countryId" in sent:
        new["country"] = {"id": sent["countryId"]}
    return new


class RegisterSevera(FakeSevera):
    """Customer names are unique; a customer's number too. Addresses, contacts and communications name their owner."""

    # List below a record → the register that its rows stand in, and the member that names the owner.
    BELOW: ClassVar[dict[str, tuple[str, str]]] = {
        "customers/addresses": ("addresses", "customer"),
        "customers/contactpersons": ("contactpersons", "customer"),
        "contacts/contactcommunications": ("contactcommunications", "contact"),
    }

    def list(self, register: str, *, parent: str | None = None, **filters: Filter) -> Iterator[Json]:
        if parent is None or register not in self.BELOW:
            yield from super().list(register, parent=parent, **filters)
            return
        rows, owner = self.BELOW[register]

        def work() -> Any:
            found = self.records.get(rows, {}).values()
            return [copy.deepcopy(row) for row in found if row[owner]["guid"] == parent]

        yield from self._do("list", register, parent, dict(filters), work)

    def on_create(self, register: str, new: Json, parent: str | None) -> None:
        if register == "customers" and parent is None:
            self._unique(new, new)
        if register == "customers/addresses":
            new["customer"] = {"guid": parent}
            self.records.setdefault("addresses", {})[new["guid"]] = new
        if register == "contactcommunications":
            kind = self.records["communicationtypes"][new["communicationType"]["guid"]]
            new["communicationType"] = {**kind}

    def patch(
        self, register: str, guid: str, changes: Mapping[str, Any], *, not_after: float | None = None
    ) -> Json:
        if register == "customers" and "/number" in changes:
            self._unique({"guid": guid, "number": changes["/number"]}, {"number": changes["/number"]})
        return super().patch(register, guid, changes, not_after=not_after)

    def on_patch(self, register: str, body: Json, path: str, value: Any) -> None:
        if register == "customers" and path == "/headquarterAddress/guid":
            address = self.records["addresses"][value]
            country = address.get("country") or {}
            body["headquarterAddress"] = {
                "guid": value,
                **{name: address.get(name) for name in ("addressline", "postalCode", "city")},
                "country": country.get("name"),
            }
            return
        super().on_patch(register, body, path, value)
        if register == "addresses":
            # The headquarter address on the customer is a copy that is always up to date.
            customer = self.records["customers"][body["customer"]["guid"]]
            if (customer.get("headquarterAddress") or {}).get("guid") == body["guid"]:
                self.on_patch("customers", customer, "/headquarterAddress/guid", body["guid"])

    def _unique(self, new: Json, values: Json) -> None:
        for row in self.records.get("customers", {}).values():
            if row["guid"] == new["guid"]:
                continue
            for name in ("name", "number"):
                if values.get(name) is not None and row.get(name) == values[name]:
                    raise Refused(
                        f"A customer with this {name} exists.",
                        system="severa",
                        status=400,
                        operation="customers",
                    )


def world() -> World:
    """A tenant with the reference registers that products, customers and projects look at."""
    made = World(severa=RegisterSevera, erp=RegisterErp)
    books = made.books
    books.registers.update({(one.system, one.name): one for one in REGISTERS})
    for name, kind in ITEM_CLASSES.items():
        books.remember("visma_net", "inventory/itemClass", {"id": name, "type": kind})
    books.remember(
        "severa",
        "currencies",
        {"guid": "sek", "code": "SEK", "isOrganizationCurrency": True, "name": "Krona"},
    )
    books.remember(
        "severa",
        "currencies",
        {"guid": "eur", "code": "EUR", "isOrganizationCurrency": False, "name": "Euro"},
    )
    for kind in ("Phone", "MobilePhone", "EmailAddress"):
        type_ = {"guid": kind.lower(), "name": kind, "type": kind, "isActive": True}
        made.severa.store("communicationtypes", type_)
        books.remember("severa", "communicationtypes", type_)
    for key, length in (("INVENTORY", 12), ("PROJECT", 6), ("CUSTOMER", 10)):
        books.remember("visma_net", "dimension", {"id": key, "length": length})
    return made


def put_severa(made: World, register: str, body: Json) -> Json:
    """A record that stands in Severa and was polled."""
    made.severa.store(register, body)
    made.books.remember("severa", register, body)
    return body


def put_erp(made: World, register: str, key: str, body: Json) -> Json:
    """A record that stands in the ERP and was polled."""
    made.erp.store(register, body, key)
    made.books.remember("visma_net", register, body)
    return body


def without_note(customer: Json) -> Json:
    """An ERP customer as it is shown: its own note stands in what is sent, and on a path of its own."""
    return {name: value for name, value in customer.items() if name != "note"}


def poll(made: World) -> None:
    """Both systems as they are now become what the bridge has seen last."""
    for register, rows in made.severa.records.items():
        if "/" not in register:
            for row in rows.values():
                made.books.remember("severa", register, row)
    for register, rows in made.erp.records.items():
        for row in rows.values():
            made.books.remember("visma_net", register, without_note(row) if register == "customer" else row)
