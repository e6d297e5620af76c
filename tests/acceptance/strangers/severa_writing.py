"""What a strange Severa lets a client write: new records, and PATCH held against the published input models."""

from __future__ import annotations

from typing import Any

from acceptance.strangers.serving import Answer, Refusal
from acceptance.strangers.severa_books import Row, SeveraBooks

INPUT = {
    "customers": "CustomerModel", "addresses": "AddressModel", "contactpersons": "ContactModel",
    "contactcommunications": "ContactCommunicationModel", "products": "ProductInputModel",
    "worktypes": "WorkTypeInputModel", "travelexpensetypes": "TravelExpenseTypeInputModel",
    "projectfees": "ProjectFeeInputModel",
}  # fmt: skip
# The input model of an invoice is not published: these are the paths that its output model suggests.
INVOICE_PATHS = frozenset({"/number", "/referenceNumber", "/paymentDate", "/entryDate", "/date", "/dueDate", "/orderNumber", "/ourReference", "/yourReference"})  # fmt: skip
ALWAYS_OPEN = frozenset(
    {"/number", "/referenceNumber", "/paymentDate", "/status", "/status/guid", "/entryDate"}
)


class SeveraWriting(SeveraBooks):
    """POST and PATCH."""

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
