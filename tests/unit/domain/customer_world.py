"""A Severa customer, its ERP customer, and the world in which they are settled."""

from __future__ import annotations

from typing import Any

from domain.customer.steps import settle
from domain.errors import Stop
from domain.model import Effects, Json
from tests.fakes import World
from tests.fakes_registers import poll, put_erp, put_severa
from tests.fakes_registers import world as registers


def world() -> World:
    made = registers()
    for days in (14, 30):
        terms = {
            "termsId": str(days),
            "dueDateType": "FixedNumberOfDays",
            "dueDay1": days,
            "instalmentType": "Single",
        }
        made.books.remember("visma_net", "creditTerm", terms)
    for code, name in (("SE", "Sverige"), ("NO", "Norge")):
        made.books.remember(
            "severa",
            "localization/countries",
            {"guid": code.lower(), "code2": code, "name": name, "englishName": code},
        )
    for known in ("1", "2"):
        made.books.remember("visma_net", "customer/customerClass", {"id": known})
    return made


def ours(**more: Any) -> Json:
    return {
        "guid": "c1",
        "name": "Ada Bygg AB",
        "number": 7,
        "isActive": True,
        "isInternal": False,
        "vatNumber": "SE556677889901",
        "email": "faktura@ada.example",
        "website": "https://ada.example",
        "paymentTerm": 14,
        "currency": {"code": "SEK"},
        "headquarterAddress": {
            "guid": "a1",
            "addressline": "c/o Ada\nStorgatan 1",
            "postalCode": "90325",
            "city": "Umeå",
            "country": "Sverige",
        },
        **more,
    }


def theirs(**more: Any) -> Json:
    return {
        "internalId": 501,
        "number": "20001",
        "name": "Ada Bygg AB",
        "status": "Active",
        "customerClass": {"id": "1"},
        "creditTerms": {"id": "14"},
        "currencyId": "SEK",
        "vatRegistrationId": "SE556677889901",
        "corporateId": "556677-8899",
        "mainContact": {"email": "faktura@ada.example", "web": "https://ada.example"},
        "mainAddress": {
            "addressLine1": "c/o Ada",
            "addressLine2": "Storgatan 1",
            "postalCode": "90325",
            "city": "Umeå",
            "country": {"id": "SE"},
        },
        **more,
    }


def settled(made: World, **which: Any) -> Effects:
    delivery = made.delivery("customer", **(which or {"severa": ("customers", "c1")}))
    done = settle(delivery)
    made.finish(delivery, done)
    return done.effects


def stopped(made: World, **which: Any) -> Stop:
    delivery = made.delivery("customer", **(which or {"severa": ("customers", "c1")}))
    *_, last = made.run(settle, delivery)
    assert isinstance(last.error, Stop), last
    return last.error


def linked(made: World, severa: Json | None = None, erp: Json | None = None) -> tuple[Json, Json]:
    body = severa or ours(number=20001)
    put_severa(made, "customers", body)
    put_erp(made, "customer", "20001", erp or theirs())
    settled(made, severa=("customers", body["guid"]))
    made.calls.clear()
    made.clock.forward(600)
    return made.severa.stored("customers", body["guid"]), made.erp.stored("customer", "20001")


def later(made: World) -> Effects:
    made.clock.forward(600)
    poll(made)
    return settled(made)


def changed(made: World) -> list[str]:
    return [str(call) for call in made.calls if call.method in ("create", "update", "patch")]


def codes(effects: Effects) -> list[str]:
    return [line.code for line in effects.log]
