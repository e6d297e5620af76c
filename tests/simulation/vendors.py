"""Both vendors in a play: their simulators, set back between plays, and what people do there by the control routes."""

from __future__ import annotations

import io
import itertools
import json
import pickle
import threading
import types
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from simulation.kernel import START, Kernel
from simulation.wire import ERP, SEVERA, ask
from simulators import clock as vendor_clock
from simulators import severa, visma_net
from simulators.seed import Firm, scaled
from simulators.severa import SeveraState
from simulators.visma_net import Simulation
from simulators.visma_net.seeding import company_of

Json = dict[str, Any]
TOKEN = 86_400
_RLOCK = type(threading.RLock())
_LOCK = type(threading.Lock())


def small(n: int) -> Firm:
    """Firm number n with so few records that a play is quick: two customers, three items, one project."""
    whole = scaled(n)
    customers = tuple(one for one in whole.customers if one.key in ("internal", "malarbygg", "skargard"))
    return replace(
        whole,
        customers=customers,
        items=tuple(one for one in whole.items if one.code in ("KONS", "BOK", "HOTELL")),
        projects=tuple(one for one in whole.projects if one.number in (1001, 1002)),
    )


class _Keeping(pickle.Pickler):
    """State by value; functions, locks and modules stay what they are."""

    def __init__(self, file: io.BytesIO, kept: list[Any]) -> None:
        super().__init__(file, protocol=5)
        self._kept = kept

    def persistent_id(self, thing: Any) -> Any:
        if isinstance(thing, types.FunctionType | types.MethodType | types.ModuleType | _RLOCK | _LOCK):
            self._kept.append(thing)
            return len(self._kept) - 1
        return None


class _Restoring(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, kept: list[Any]) -> None:
        super().__init__(file)
        self._kept = kept

    def persistent_load(self, pid: Any) -> Any:
        return self._kept[pid]


class Vendors:
    """One Severa and one Visma.net ERP for many plays."""

    def __init__(self) -> None:
        self.severa = SeveraState()
        self.severa.switches.calls_per_second = None
        # A token outlives a play, or every long pause would end in a sign-in instead of in what it is about.
        self.severa.switches.token_seconds = TOKEN
        self.erp = Simulation()
        self.erp.switches.token_seconds = TOKEN
        self.apps = {SEVERA: severa.create_app(self.severa), ERP: visma_net.create_app(self.erp)}
        self.firms: list[Firm] = []
        self._kept: tuple[bytes, list[Any]] = (b"", [])
        self.severa_ahead = 0.0
        self.erp_ahead = 0.0

    def add(self, firm: Firm) -> None:
        """A firm in both systems, older than every play."""
        for one in (vendor_clock.SEVERA, vendor_clock.ERP):
            one.use(lambda: START - timedelta(days=30))
        self.severa.add_organisation(firm)
        company_of(self.erp, firm)
        self.firms.append(firm)

    def keep(self) -> None:
        """The state that every play begins with."""
        self._kept = self._state()

    def remember(self) -> Callable[[], None]:
        """How to put everything back as it is now."""
        state = self._state()
        return lambda: self._put(state)

    def _state(self) -> tuple[bytes, list[Any]]:
        kept: list[Any] = []
        out = io.BytesIO()
        app = self.apps[ERP].state.erp
        _Keeping(out, kept).dump(
            (vars(self.severa), vars(self.erp), app.signin.__dict__ | {"simulation": None})
        )
        return out.getvalue(), kept

    def _put(self, state: tuple[bytes, list[Any]]) -> None:
        severa_state, erp_state, tokens = _Restoring(io.BytesIO(state[0]), state[1]).load()
        vars(self.severa).update(severa_state)
        vars(self.erp).update(erp_state)
        app = self.apps[ERP].state.erp
        app.signin.__dict__.update({**tokens, "simulation": self.erp})
        for one in self.apps.values():
            one.settings = self.severa.switches if one is self.apps[SEVERA] else self.erp.switches

    def begin_play(self, kernel: Kernel) -> None:
        """The kept state, on the clock of a play; ids that people make are the same for the same play."""
        if self._kept[0]:
            self._put(self._kept)
            app = self.apps[ERP].state.erp
            app.windows.clear()
            app.under_way.clear()
            app.being_written.clear()
        for one in self.apps.values():
            one.ledger.reset()
        self.severa_ahead = self.erp_ahead = 0.0
        for org in self.severa.organisations.values():
            org.new_guid = _guids(org.client_id)
        vendor_clock.SEVERA.use(lambda: START + timedelta(seconds=kernel.now + self.severa_ahead))
        vendor_clock.ERP.use(lambda: START + timedelta(seconds=kernel.now + self.erp_ahead))

    @staticmethod
    def end_play() -> None:
        """The machine's clock again."""
        vendor_clock.SEVERA.use(vendor_clock.machine)
        vendor_clock.ERP.use(vendor_clock.machine)

    # ---- people and the judge

    def look(self, system: str, method: str, path: str, body: Any = None) -> Any:
        """One control call below ``/_sim``; numbers come back as Decimal. AssertionError when it is refused."""
        sent = b"" if body is None else json.dumps(body).encode()
        base = SEVERA if system == "severa" else ERP
        heard = ask(
            self.apps[base], method, f"/_sim{path}", [(b"content-type", b"application/json")], sent, "people"
        )
        assert heard.status < 300, f"{method} {path}: {heard.status} {heard.body.decode()}"
        return json.loads(heard.body, parse_float=Decimal) if heard.body else None


def _guids(client_id: str) -> Callable[[], str]:
    counter = itertools.count(1)
    return lambda: str(uuid5(NAMESPACE_URL, f"play/{client_id}/{next(counter)}"))


class Firms:
    """What the people of one firm do in both systems, and what stands there."""

    def __init__(self, vendors: Vendors, firm: Firm, name: str) -> None:
        self.vendors = vendors
        self.firm = firm
        self.name = name
        self._severa = f"/orgs/{firm.severa_client_id}"
        self._erp = f"/companies/{firm.erp_tenant_id.lower()}"

    def severa(self, method: str, path: str, body: Any = None) -> Any:
        return self.vendors.look("severa", method, f"{self._severa}/{path}", body)

    def erp(self, method: str, path: str, body: Any = None) -> Any:
        return self.vendors.look("erp", method, f"{self._erp}/{path}", body)

    def register(self, system: str, register: str) -> list[Json]:
        found: list[Json] = (self.severa if system == "severa" else self.erp)("GET", register)
        return found

    @property
    def roles(self) -> dict[str, str]:
        """Status guid → our word for it."""
        found = next(
            org["roles"]
            for org in self.vendors.look("severa", "GET", "/orgs")
            if org["client_id"] == self.firm.severa_client_id
        )
        return {guid: role for role, guid in found.items()}

    # ---- Severa's people

    def project(self, number: int = 1001) -> Json:
        return next(one for one in self.register("severa", "projects") if one["number"] == number)

    def invoice(self, guid: str) -> Json:
        found: Json = self.severa("GET", f"invoices/{guid}")
        return found

    def role(self, guid: str) -> str:
        return self.roles[self.invoice(guid)["status"]["guid"]]

    def draft(self, project: Json, *, price: str = "1000", hours: str = "2", **members: Any) -> str:
        """An invoice of one row; its guid."""
        row = {
            "code": "KONS", "description": "Konsultation", "quantity": hours, "unitPrice": price, "vatRate": 25,
            "rowType": "Hours", "unit": "h",
        }  # fmt: skip
        made = self.severa(
            "POST",
            "invoices",
            {
                "customer": project["customer"]["guid"],
                "projects": [project["guid"]],
                "date": "2026-11-20",
                "dueDate": "2026-12-20",
                "status": "draft",
                "rows": [row],
                **members,
            },
        )
        guid: str = made["guid"]
        return guid

    def move(self, guid: str, status: str) -> None:
        self.severa("POST", f"invoices/{guid}/status", {"status": status})

    def reprice(self, guid: str, price: str) -> None:
        """A person changes the price of an invoice's first row."""
        row = next(
            one for one in self.register("severa", "invoicerows") if _guid(one.get("invoiceGuid")) == guid
        )
        self.severa(
            "PATCH", f"invoicerows/{row['guid']}", {"unitPrice": {"amount": price, "currencyCode": "SEK"}}
        )

    def change(self, register: str, guid: str, **members: Any) -> None:
        self.severa("PATCH", f"{register}/{guid}", members)

    # ---- the ERP's people

    def documents(self) -> list[Json]:
        """All invoices and credit notes, as the ERP shows them."""
        return [*self.register("erp", "customerinvoice"), *self.register("erp", "customercreditnote")]

    def pay(self, document: Json, *, date: str, amount: str | None = None) -> str:
        kind = "CreditNote" if document.get("documentType") == "CreditNote" else "Invoice"
        amount = amount or str(document["amountInCurrency"])
        line = {"type": kind, "number": document["referenceNumber"], "amount": amount}
        made = self.erp("POST", "payments", {"lines": [line], "date": date})
        number: str = made["refNbr"] if "refNbr" in made else made["referenceNumber"]
        return number

    def void(self, payment: str) -> None:
        self.erp("POST", f"payments/{payment}/void", {})


def _guid(value: Any) -> str:
    return str(value["guid"]) if isinstance(value, dict) else str(value)
