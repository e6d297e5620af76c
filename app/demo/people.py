"""The people of the day: what users do by hand in both systems, played over HTTP on the simulators.

Nothing here goes through the bridge, so what is read here is also what the summary is proven with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx

from domain.errors import InputError
from simulators.seed import NORDKONSULT

Json = dict[str, Any]
TIMEOUT = httpx.Timeout(20.0)


class _Played:
    """One simulator's moves of people. Raises InputError when it does not answer or refuses a move."""

    def __init__(self, base_url: str, name: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._name = name
        self._client = httpx.Client(timeout=TIMEOUT)

    def close(self) -> None:
        self._client.close()

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """JSON in, JSON out; amounts come as Decimal."""
        try:
            answer = self._client.request(method, f"{self.base_url}/_sim{path}", json=body)
        except httpx.HTTPError as error:
            raise InputError(
                f"The {self._name} simulator does not answer at {self.base_url} ({type(error).__name__}): "
                "start it with 'severa-bridge simulators' or correct the address."
            ) from error
        if answer.is_error:
            raise InputError(
                f"The {self._name} simulator refuses {method} {path}: {answer.status_code} {answer.text[:300]}"
            )
        return json.loads(answer.text, parse_float=Decimal) if answer.content else None


class SeveraPeople(_Played):
    """Consultants, project managers and finance staff in Severa, in an organisation of this day's own."""

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url, "Severa")
        # An organisation of its own keeps days apart that are played on the same simulator.
        self.client_id = f"Nordkonsult_{uuid4().hex[:8]}.apps.vismasevera.com"
        self.client_secret = uuid4().hex
        made = self.call(
            "POST",
            "/orgs",
            {"firm": "nordkonsult", "client_id": self.client_id, "client_secret": self.client_secret},
        )
        self._org = f"/orgs/{self.client_id}"
        self._roles: dict[str, str] = {guid: role for role, guid in made["roles"].items()}

    def look(self, register: str) -> list[Json]:
        """Every record of a register; invoices with their rows."""
        found: list[Json] = self.call("GET", f"{self._org}/{register}")
        return found

    def look_at(self, register: str, guid: str) -> Json:
        """One record, as a person sees it."""
        found: Json = self.call("GET", f"{self._org}/{register}/{guid}")
        return found

    def add(self, register: str, **fields: Any) -> Json:
        """Enter a record; references by guid, number, code or name."""
        made: Json = self.call("POST", f"{self._org}/{register}", fields)
        return made

    def change(self, register: str, guid: str, **fields: Any) -> None:
        """Edits members of a record."""
        self.call("PATCH", f"{self._org}/{register}/{guid}", fields)

    def set_status(self, invoice: str, role: str) -> None:
        """Move an invoice to the status of a role (draft, transfer, sent, …)."""
        self.call("POST", f"{self._org}/invoices/{invoice}/status", {"status": role})

    def role(self, invoice: Json) -> str:
        """The role of an invoice's status, as the simulator set it up."""
        return self._roles.get(invoice["status"]["guid"], str(invoice["status"]["name"]))

    def hurry(self, calls_per_second: int) -> None:
        """A faster Severa than the real one, for this organisation: a day passes within a minute."""
        self.call("PATCH", f"{self._org}/switches", {"calls_per_second": calls_per_second})


class ErpPeople(_Played):
    """Finance staff in Visma.net ERP, in a company of this day's own."""

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url, "Visma.net ERP")
        self.tenant_id = str(uuid4())
        self.client_id = f"isv_nordkonsult_{uuid4().hex[:8]}"
        self.client_secret = uuid4().hex
        self.call(
            "POST",
            "/companies",
            {
                "firm": "nordkonsult",
                "tenant_id": self.tenant_id,
                "client_id": self.client_id,
                "client_secret": self.client_secret,
            },
        )
        self._company = f"/companies/{self.tenant_id}"

    def look(self, register: str) -> list[Json]:
        """All records of a register."""
        found: list[Json] = self.call("GET", f"{self._company}/{register}")
        return found

    def documents(self) -> list[Json]:
        """Every invoice and credit note of the customer ledger."""
        return [*self.look("customerinvoice"), *self.look("customercreditnote")]

    def marked(self) -> dict[str, Json]:
        """Per first line of a document's note: {documents, releases}."""
        found: dict[str, Json] = self.call("GET", f"{self._company}/marked")
        return found

    def removed(self) -> list[Json]:
        """Documents that were deleted: numbers that are gaps now."""
        return self.look("removed")

    def sent(self) -> list[Json]:
        """Documents that the ERP itself would have sent to a customer (R-PRO-5: none)."""
        return self.look("sent")

    def add(self, register: str, **fields: Any) -> Json:
        """Enters a record; as it was made."""
        made: Json = self.call("POST", f"{self._company}/{register}", fields)
        return made

    def edit(self, register: str, key: str, **fields: Any) -> None:
        """Edits members of a record."""
        self.call("PATCH", f"{self._company}/{register}/{key}", fields)

    def answer_slowly(self, method: str, path: str, seconds: float) -> None:
        """The next call of this company to that path (a regular expression) takes so long."""
        fault = {"kind": "delay", "method": method, "path": path, "seconds": seconds, "org": self.tenant_id}
        self.call("POST", "/faults", fault)

    def pay(self, number: str, amount: Decimal) -> None:
        """Register, apply and release a payment on one invoice, in its currency."""
        line = {"type": "Invoice", "number": number, "amount": f"{amount:f}"}
        self.call("POST", f"{self._company}/payments", {"lines": [line]})


def customer_name(key: str) -> str:
    """The name of one of the firm's customers in the seed."""
    return NORDKONSULT.customer(key).name
