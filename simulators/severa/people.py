"""The people of an organisation: what users of Severa do by hand, as Python calls.

The same moves are routes under `/_sim/orgs` (`people_routes`). A person may change everything that the user interface
lets them change, and a little more, so that a rehearsal can bring about any state.
"""

from __future__ import annotations

from typing import Any

from simulators.severa import changes, drafting, invoices
from simulators.severa.crediting import credit
from simulators.severa.errors import bad_field, not_found
from simulators.severa.fields import by_lower_name, convert
from simulators.severa.files import add_file
from simulators.severa.models import MODELS
from simulators.severa.organisation import PERSON, Organisation
from simulators.severa.registers import Record
from simulators.severa.rendering import render
from simulators.severa.seeding import add_project

JsonObject = dict[str, Any]


class People:
    """The people of one organisation. Records go in and come out as JSON objects; references by guid, number, code or name."""

    def __init__(self, org: Organisation) -> None:
        self.org = org

    def look(self, register: str) -> list[JsonObject]:
        """Give a whole register; invoices with their `rows` and `history`. Raises `SeveraError` 404."""
        return [self._view(register, record) for record in self._register(register)]

    def look_at(self, register: str, guid: str) -> JsonObject:
        """Give one record. Raises `SeveraError` 404."""
        return self._view(register, self._record(register, guid))

    def add(self, register: str, fields: JsonObject) -> JsonObject:
        """Add a record. A customer may bring `address` ({addressline, postalCode, city, country}).

        Raises `SeveraError` 400 or 404.
        """
        self._register(register)
        if register == "invoices":
            return self.add_invoice(fields)
        if register == "projects":
            return self.look_at("projects", add_project(self.org, **fields))
        address = fields.get("address") if register == "customers" else None
        sent = {name: value for name, value in fields.items() if not (address and name == "address")}
        if register == "customers" and "currency" not in sent:
            sent["currency"] = self.org.currency_code
        record = changes.create(self.org, register, sent, PERSON)
        if address:
            flags = {"isBillingAddress": True, "isPostalAddress": True, "isVisitAddress": True}
            main = changes.create(
                self.org, "addresses", {**flags, **address, "customer": record.guid}, PERSON
            )
            record.data["headquarterAddress"] = main.guid
        return self._view(register, record)

    def change(self, register: str, guid: str, fields: JsonObject) -> JsonObject:
        """Change fields of a record, whatever its status. Raises `SeveraError` 400 or 404."""
        record = self._record(register, guid)
        known = by_lower_name(MODELS[register])
        draft = dict(record.data)
        for name, value in fields.items():
            one = known.get(name.lower())
            if one is None:
                raise bad_field(name, f"{register} has no field {name}.")
            draft[one.name] = convert(one, value, self.org.by_any, text_allowed=True)
        changes.check(self.org, register, draft, record)
        if register == "invoices" and "number" not in fields:
            invoices.give_number(self.org, draft)
        if register == "projects" and "isClosed" in fields:
            draft["closedDate"] = self.org.now().date().isoformat() if draft["isClosed"] else None
        self.org.change(register, record, draft, PERSON)
        if register == "invoicerows":
            changes.touch_invoice(self.org, record, PERSON)
        return self._view(register, record)

    def remove(self, register: str, guid: str) -> None:
        """Delete a record for good, even where the API would refuse it. Raises `SeveraError` 404."""
        record = self._record(register, guid)
        if register == "projectfees":
            changes.delete(self.org, register, record)
        else:
            self.org.remove(register, record.guid)
        if register == "invoices":
            for row in self.org.register("invoicerows").find("invoiceGuid", guid):
                self.org.remove("invoicerows", row.guid)

    def add_invoice(self, fields: JsonObject) -> JsonObject:
        """Make an invoice (see `drafting.add_invoice`) or, with `credit_of`, a credit note (see `crediting.credit`).

        Raises `SeveraError` 400 or 404.
        """
        if "credit_of" in fields:
            original = self._record("invoices", str(fields["credit_of"]))
            note = credit(self.org, original, fields)
            return self._view("invoices", note)
        return self._view("invoices", drafting.add_invoice(self.org, fields))

    def set_status(self, invoice: str, status: str) -> JsonObject:
        """Move an invoice to a status (role, name or guid). Raises `SeveraError` 400 or 404."""
        record = self._record("invoices", invoice)
        drafting.set_status(self.org, record, status)
        return self._view("invoices", record)

    def attach(
        self,
        invoice: str,
        name: str,
        data: bytes,
        *,
        internal: bool = False,
        content_type: str = "application/pdf",
        description: str | None = None,
    ) -> JsonObject:
        """Attach a file to an invoice. Raises `SeveraError` 404."""
        owner = self._record("invoices", invoice)
        record = add_file(
            self.org,
            "invoicefiles",
            owner.guid,
            name=name,
            data=data,
            by=PERSON,
            content_type=content_type,
            description=description,
            internal=internal,
        )
        return self._view("invoicefiles", record)

    def history(self, guid: str) -> list[JsonObject]:
        """Give every change of a record: time, field, old, new, by (api or person)."""
        return list(self.org.history.get(guid, ()))

    def _register(self, register: str) -> list[Record]:
        if register not in self.org.registers:
            raise not_found(f"register {register}")
        return list(self.org.register(register))

    def _record(self, register: str, guid: str) -> Record:
        self._register(register)
        record = self.org.record(register, guid)
        if record is None:
            raise not_found(f"{register} {guid}")
        return record

    def _view(self, register: str, record: Record) -> JsonObject:
        view = render(self.org, register, record)
        if register == "invoices":
            rows = self.org.register("invoicerows").find("invoiceGuid", record.guid)
            view["rows"] = [render(self.org, "invoicerows", row) for row in rows]
        view["history"] = self.history(record.guid)
        return view
