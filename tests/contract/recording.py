"""Every call that reaches a simulator, written down with both bodies, and a day that uses every domain of the bridge."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import road as on_road
from road import Installation, Json, Road, book, hotel, hours
from services import Database
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulators.severa.organisation import SCOPES

SIGN_IN = ("/token", "/refreshtoken")


@dataclass(frozen=True)
class Exchange:
    """One call and its answer; ``path`` as it was sent, without prefix of an installation."""

    verb: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer_type: str
    answer: bytes

    def sent(self) -> Any:
        return json.loads(self.body)

    def got(self) -> Any:
        return json.loads(self.answer)

    @property
    def is_sign_in(self) -> bool:
        return self.path.lower().endswith(SIGN_IN)


class Recorded:
    """An ASGI application behind one that writes down what passes; people's moves (``/_sim``) are left out."""

    def __init__(self, app: ASGIApp, prefix: str = "") -> None:
        self._app = app
        self._prefix = prefix
        self.exchanges: list[Exchange] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_sim/"):
            await self._app(scope, receive, send)
            return
        sent, got = bytearray(), bytearray()
        start: Message = {}

        async def hear() -> Message:
            message = await receive()
            sent.extend(message.get("body", b""))
            return message

        async def say(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            got.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, hear, say)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
        self.exchanges.append(
            Exchange(
                verb=scope["method"],
                path=scope["raw_path"].decode("ascii").removeprefix(self._prefix),
                headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
                body=bytes(sent),
                status=start["status"],
                answer_type=headers.get("content-type", "").partition(";")[0],
                answer=bytes(got),
            )
        )


@dataclass
class Tape:
    """Both systems' calls, in the order of their answers; ``road`` is the firm whose bridge made them."""

    severa: Recorded
    erp: Recorded
    roads: list[Road] = field(default_factory=list)

    @property
    def road(self) -> Road:
        return self.roads[0]

    @contextlib.contextmanager
    def severa_reader(self) -> Iterator[httpx.Client]:
        """A client that may read everything that can be read, more than the bridge asks for."""
        firm = self.road.firm
        with httpx.Client(
            base_url=f"{self.road.severa.simulator.url}/rest-api", timeout=120, trust_env=False
        ) as http:
            asked = {
                "client_id": firm.severa_client_id,
                "client_secret": firm.severa_client_secret,
                "scope": " ".join(sorted(SCOPES)),
            }
            token = http.post("/v1/token", json=asked).json()["access_token"]
            http.headers.update({"authorization": f"Bearer {token}", "client_id": firm.severa_client_id})
            yield http

    @contextlib.contextmanager
    def erp_reader(self) -> Iterator[httpx.Client]:
        """A client with the bridge's own token."""
        last = next(one for one in reversed(self.erp.exchanges) if "authorization" in one.headers)
        kept = {"authorization": last.headers["authorization"]}
        with httpx.Client(
            base_url=self.road.erp.simulator.url, headers=kept, timeout=120, trust_env=False
        ) as http:
            yield http


@contextlib.contextmanager
def recorded_installation(database: Database) -> Iterator[tuple[Installation, Tape]]:
    """A bridge between two recorded simulators."""
    tape = Tape(
        Recorded(on_road.severa_app(), "/rest-api"),
        Recorded(on_road.erp_app()),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(on_road, "severa_app", lambda: tape.severa)
        patch.setattr(on_road, "erp_app", lambda: tape.erp)
        with on_road.installation(database) as made:
            yield made, tape


def live_through(made: Installation, tape: Tape) -> None:
    """A firm goes live and lives through a day: every domain, both directions, create, change and undo."""
    road = made.add_firm(
        1, live=False, costs="cost-and-fee", cost_multiplier_percent=150, attachments="files-and-pdf"
    )
    tape.roads.append(road)
    road.go_live()
    project, abroad = _registers(road)
    _edits(road, project)
    guids = _invoices(road, project, abroad)
    _payments(road, guids)
    _costs(road, abroad)


def _registers(road: Road) -> tuple[Json, Json]:
    """Customers with people and places, products of all registers, projects; made in either system."""
    place = {"addressline": "Fakturafack 7", "postalCode": "903 25", "city": "Umeå", "country": "SE"}
    customer = road.add_customer("Kontraktbolaget AB", vatNumber="SE556222111101", email="a@kontrakt.example")
    road.severa.add(
        "addresses", customer=customer["guid"], isBillingAddress=True, isPostalAddress=False, **place
    )
    person = road.severa.add(
        "contactpersons", firstName="Kari", lastName="Berg", jobTitle="Ekonom", customer=customer["guid"], isEmailAllowed=True
    )  # fmt: skip
    _reach(road, person, "EmailAddress", "kari@kontrakt.example")
    finnish = road.add_customer("Utland Oy", vatNumber="FI12345671", address={**place, "country": "FI"})
    road.erp.add("customer", name="Från ERP AB", vatRegistrationId="SE556222111201")
    road.severa.add("products", name="Ny produkt", code="NYPROD", type="Materials", unitPrice={"amount": 99.5, "currencyCode": "SEK"})  # fmt: skip
    road.severa.add("worktypes", name="Nytt arbete", code="NYARB", isProductive=True)
    road.severa.add("travelexpensetypes", name="Ny resa", code="NYRES", expenseClass="OtherTravelExpense", unitCost={"amount": 9.5, "currencyCode": "SEK"})  # fmt: skip
    for kind, item_class in (("NonStockItem", "PRODUCT"), ("LaborItem", "LABOR"), ("ExpenseItem", "EXPENSE")):
        road.erp.add("inventory", inventoryNumber=f"ERP{kind[:5].upper()}", description=f"ERP {kind}", type=kind, itemClass=item_class, defaultPrice="75.00")  # fmt: skip
    project = road.add_project(customer, "Kontraktet", startDate="2026-10-01")
    abroad = road.add_project(finnish, "Utlandet", startDate="2026-10-01", currency="EUR")
    road.add_project(customer, "Anbudet", salesStatusType="InProgress")
    road.settle()
    return project, abroad


def _reach(road: Road, person: Json, kind: str, value: str) -> Json:
    type_ = next(row for row in road.severa.look("communicationtypes") if row["type"] == kind)
    return road.severa.add(
        "contactcommunications", value=value, contact=person["guid"], communicationType=type_["guid"], isForbiddenToUse=False
    )  # fmt: skip


def _edits(road: Road, project: Json) -> None:
    """Every field that travels, changed in the system that owns it."""
    ours = road.severa.one("customers", name="Kontraktbolaget AB")
    theirs = road.erp.one("customer", name="Kontraktbolaget AB")
    [person] = [row for row in road.severa.look("contactpersons") if row["customer"]["guid"] == ours["guid"]]
    road.severa.change("customers", ours["guid"], website="https://kontrakt.example")
    _reach(road, person, "MobilePhone", "+46 70 123")
    road.erp.add("contact", firstName="Ola", lastName="Nord", email="ola@kontrakt.example", phone2="+46 90 1", businessAccount=theirs["number"])  # fmt: skip
    brought = road.erp.one("customer", name="Från ERP AB")
    road.erp.change("customer", brought["number"], name="Från ERP Nytt AB")
    road.severa.change(
        "products", road.severa.one("products", code="NYPROD")["guid"], name="Omdöpt", isActive=False
    )
    road.erp.change("inventory", "NYARB", description="Nytt namn på arbetet")
    road.erp.change("inventory", "LIC", defaultPrice="13500.00")
    road.severa.change("projects", project["guid"], name="Kontraktet, omdöpt")
    tender = road.severa.one("projects", name="Anbudet")
    road.severa.change("projects", tender["guid"], salesStatusType="Lost")
    road.settle()
    road.erp.change(
        "customer", theirs["number"], mainAddress={"city": "Gällivare"}, mainContact={"phone1": "08-123"}
    )
    road.erp.change("customer", brought["number"], status="Inactive")
    road.erp.change("contact", str(road.erp.one("contact", firstName="Ola", businessAccount=theirs["number"])["contactId"]), active=False)  # fmt: skip
    road.severa.change("projects", tender["guid"], salesStatusType="Won")
    road.settle()


def _invoices(road: Road, project: Json, abroad: Json) -> dict[str, str]:
    """A plain invoice with files, two rates, one in euro, one refused, one that comes out otherwise, a credit note."""
    guids = {
        "plain": road.approve(project, [hours("7.5", "1333.33")], status="draft", orderNumber="PO-1", yourReference="Karin", ourReference="Eva"),
        "rates": road.approve(project, [hours("10", "1250"), hours("-1", "333.33"), book("3", "249.50"), hotel("2", "1399.99")]),
        "euro": road.approve(abroad, [hours("3", "333.33")], currency="EUR", currencyRate=11.2345),
        "refused": road.approve(project, [hours("10", "1000", vat=12)]),
    }  # fmt: skip
    road.severa.ask(
        "POST", f"invoices/{guids['plain']}/files", {"name": "tidrapport.pdf", "text": "tio timmar"}
    )
    road.move(guids["plain"], "transfer")
    road.settle()
    [row] = road.invoice(guids["refused"])["rows"]
    road.severa.change("invoicerows", row["guid"], vatRate=25)
    road.move(guids["refused"], "transfer")
    # The ERP's rate is changed after the bridge read it: the held document comes out otherwise and is removed.
    road.erp.change("vats", "U06", rate="7")
    guids["otherwise"] = road.approve(project, [book("3", "249.50")])
    road.settle()
    road.erp.change("vats", "U06", rate="6")
    road.move(guids["plain"], "sent")
    road.severa.change("projects", project["guid"], isClosed=True)
    road.settle()
    # The project is opened for the credit note and closed after it.
    guids["credit"] = str(road.severa.add("invoices", credit_of=guids["plain"])["guid"])
    road.settle()
    return guids


def _payments(road: Road, guids: dict[str, str]) -> None:
    """Paid in part, paid, and a payment that is taken back."""
    number = road.document(guids["rates"])["referenceNumber"]
    road.move(guids["rates"], "sent")
    road.erp.ask(
        "POST", "payments", {"lines": [{"number": number, "amount": "500.00"}], "date": "2026-11-21"}
    )
    road.settle()
    rest = road.erp.one("customerinvoice", referenceNumber=number)["balanceInCurrency"]
    paid = road.erp.ask("POST", "payments", {"lines": [{"number": number, "amount": str(on_road.money(rest))}], "date": "2026-11-22"})  # fmt: skip
    road.settle()
    road.erp.ask("POST", f"payments/{paid['refNbr']}/void", {})
    road.settle()


def _costs(road: Road, project: Json) -> None:
    """A supplier's invoice with a file, and a journal of the books."""
    supplier = road.erp.add("supplier", name="Underkonsult AB")
    line = {
        "account": "4600", "amount": "2500.00", "project": str(project["number"]), "description": "Driftsättning",
        "attachments": [{"name": "underlag.pdf", "text": "%PDF-1.4\n%%EOF\n"}],
    }  # fmt: skip
    road.erp.ask(
        "POST", "supplierinvoices", {"supplier": supplier["number"], "reference": "2207", "lines": [line]}
    )
    # In the period that everything is read of afterwards, whatever day it is.
    road.erp.ask("POST", "journals", {"date": "2026-11-23", "lines": [
        {"account": "4600", "debit": "300.00", "project": str(project["number"]), "description": "Omfört"},
        {"account": "1930", "credit": "300.00"},
    ]})  # fmt: skip
    road.settle()
