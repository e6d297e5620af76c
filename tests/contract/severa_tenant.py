"""An organisation of the running Severa simulator, and a client signed in to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
import pytest

from simulators.server import running
from simulators.severa import People, SeveraState, create_app
from simulators.severa.organisation import Organisation

_numbers = count(1)


@dataclass
class Tenant:
    """One organisation of the running simulator and a client signed in to it."""

    org: Organisation
    state: SeveraState
    http: httpx.Client
    people: People
    headers: dict[str, str] = field(default_factory=dict)

    def sign_in(self, scope: str | None = None) -> dict[str, Any]:
        body = {"client_id": self.org.client_id, "client_secret": self.org.client_secret, "scope": scope}
        answer = self.http.post("/rest-api/v1/token", json=body)
        assert answer.status_code == 200, answer.text
        token: dict[str, Any] = answer.json()
        self.headers = {
            "Authorization": f"Bearer {token['access_token']}",
            "Client_Id": self.org.client_id,
        }
        return token

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.http.request(method, f"/rest-api/v1{path}", headers=self.headers, **more)

    def get(self, path: str, **params: Any) -> Any:
        answer = self.call("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def patch(self, path: str, **changes: Any) -> httpx.Response:
        """Replace fields; the keyword `status__guid` is the path `/status/guid`."""
        body = [
            {"op": "Replace", "path": "/" + name.replace("__", "/"), "value": value}
            for name, value in changes.items()
        ]
        return self.call("PATCH", path, json=body)

    def invoice(self, status: str = "draft", **fields: Any) -> dict[str, Any]:
        rows = [{"code": "KONS", "description": "Konsult", "quantity": 10, "unitPrice": 1200}]
        return self.people.add("invoices", {"project": 1001, "rows": rows, "status": status, **fields})


def message(answer: httpx.Response) -> tuple[str, str]:
    error = answer.json()["error"]
    assert error["httpStatusCode"] == answer.status_code
    return error["type"], error["details"][0]["message"]


@pytest.fixture(scope="module")
def served_severa() -> Iterator[tuple[SeveraState, str]]:
    state = SeveraState()
    app = create_app(state)
    with running(app) as base:
        yield state, base


@pytest.fixture
def tenant(served_severa: tuple[SeveraState, str]) -> Iterator[Tenant]:
    state, base = served_severa
    org = state.add_organisation(next(_numbers))
    with httpx.Client(base_url=base, timeout=120) as http:
        tenant = Tenant(org, state, http, People(org))
        tenant.sign_in()
        # Switched off here, so that a test with more than ten calls is not slowed down; its own test sets it.
        org.overrides["calls_per_second"] = None
        yield tenant
