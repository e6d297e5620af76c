"""A company of the running ERP simulator, and a client signed in to it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from simulators.server import running
from simulators.visma_net import People, Simulation, create_app

SERVICE = {"client_id": "isv_nordkonsult", "client_secret": "demo-erp-secret"}


class Clock:
    """A clock that tests move by hand."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset


@dataclass
class Erp:
    """One company of the running simulator and a signed-in client."""

    http: httpx.Client
    tenant: str
    people: People
    clock: Clock

    def get(self, path: str, **query: str) -> Any:
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def create(self, path: str, body: dict[str, Any]) -> str:
        answer = self.http.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.headers["Location"])

    def invoice(self, **more: Any) -> str:
        """Create an invoice, answers its Location."""
        return self.create("/v2/customerinvoice", invoice(**more))

    def released(self, **more: Any) -> str:
        location = self.invoice(hold=False, **more)
        answer = self.http.post(f"{location}/action/release")
        assert answer.json()["actionResult"] == "Done", answer.text
        return location

    def refusal(self, method: str, path: str, body: dict[str, Any] | None = None) -> str:
        answer = self.http.request(method, path, json=body)
        assert answer.status_code == 400, (answer.status_code, answer.text)
        return str(answer.json().get("message") or answer.json()["ModelState"])


def wrapped(**members: Any) -> dict[str, Any]:
    return {name: {"value": value} for name, value in members.items()}


def line(item: str = "KONS", quantity: float = 1, price: float = 1000, **more: Any) -> dict[str, Any]:
    members = {"inventoryNumber": item, "quantity": quantity, "unitPriceInCurrency": price, **more}
    return {"operation": "Insert", **wrapped(**members)}


def invoice(lines: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    head = {
        "customerNumber": "10001",
        "documentDate": "2026-03-17T00:00:00",
        "hold": True,
        "dontPrint": True,
        "dontEmail": True,
        "sendToAutoInvoice": False,
        **more,
    }
    return {**wrapped(**head), "invoiceLines": lines or [line()]}


def number_of(location: str) -> str:
    return location.rsplit("/", 1)[1]


@pytest.fixture(scope="module")
def served_erp() -> Iterator[tuple[str, People, Clock]]:
    clock = Clock()
    simulation = Simulation(clock=clock)
    with running(create_app(simulation)) as base:
        yield base, People(simulation), clock


@pytest.fixture
def erp(served_erp: tuple[str, People, Clock]) -> Iterator[Erp]:
    base, people, clock = served_erp
    tenant = str(uuid.uuid4())
    people.add_company("nordkonsult", tenant_id=tenant)
    with httpx.Client(base_url=base, timeout=120) as http:
        form = {"grant_type": "client_credentials", "tenant_id": tenant, **SERVICE}
        token = http.post("/connect/token", data=form).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        yield Erp(http, tenant, people, clock)
        http.delete("/_sim/faults")
    clock.offset = timedelta(0)
