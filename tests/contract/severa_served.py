"""The Severa connector's client against a simulator of its own, and people's moves there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.endpoint import Conduct, Timeouts
from connectors.pacing import NoPacing
from connectors.severa import SeveraAccess, SeveraClient
from connectors.signing_in import MemoryTokenStore
from simulators.control import Controlled
from simulators.seed import NORDKONSULT
from simulators.server import running
from simulators.severa import create_app

CLIENT_ID = NORDKONSULT.severa_client_id


# Every test has a server of its own: connections are not kept.
PEOPLE = httpx.Client(timeout=120, limits=httpx.Limits(max_keepalive_connections=0))


LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session", autouse=True)
def _people_go_home() -> Iterator[None]:
    yield
    PEOPLE.close()


@pytest.fixture
def simulator() -> Controlled:
    app = create_app()
    app.settings.calls_per_second = None
    return app


@pytest.fixture
def url(simulator: Controlled) -> Iterator[str]:
    with running(simulator) as base:
        yield base


@pytest.fixture
def tokens() -> MemoryTokenStore:
    return MemoryTokenStore()


@pytest.fixture
def client(url: str, tokens: MemoryTokenStore) -> Iterator[SeveraClient]:
    one = severa(url, tokens=tokens)
    yield one
    one.close()


@pytest.fixture(scope="module")
def shared_url() -> Iterator[str]:
    """One simulator for all tests that only read."""
    app = create_app()
    app.settings.calls_per_second = None
    with running(app) as base:
        yield base


@pytest.fixture(scope="module")
def reader(shared_url: str) -> Iterator[SeveraClient]:
    one = severa(shared_url)
    yield one
    one.close()


def severa(url: str, **more: Any) -> SeveraClient:
    secret = more.pop("client_secret", NORDKONSULT.severa_client_secret)
    conduct = {
        "tokens": MemoryTokenStore(),
        "pacer": NoPacing(),
        "timeouts": Timeouts(read=5, create=5),
        **more,
    }
    return SeveraClient(SeveraAccess(f"{url}/rest-api", CLIENT_ID, secret), Conduct(**conduct))


def person(url: str, path: str, body: Any = None, method: str = "POST") -> Any:
    """A person's move in Severa."""
    answer = PEOPLE.request(method, f"{url}/_sim/orgs/{CLIENT_ID}/{path}", json=body)
    assert answer.is_success, answer.text
    return answer.json(parse_float=Decimal) if answer.content else None


def calls(url: str) -> list[dict[str, Any]]:
    """The simulator's ledger, asked for by HTTP: then it is not written at the same moment."""
    found: list[dict[str, Any]] = PEOPLE.get(f"{url}/_sim/calls").json()["calls"]
    return found


def drafted(url: str, client: SeveraClient, **more: Any) -> dict[str, Any]:
    customer = next(row for row in client.list("customers", isInternal=False) if row["number"])
    project = next(row for row in client.list("projects") if row["customer"]["guid"] == customer["guid"])
    rows = [
        {"code": ["KONS"], "description": "Rådgivning", "quantity": 3, "unitPrice": 1250.55, "vatRate": 25}
    ]
    body = {"customer": customer["guid"], "projects": [project["guid"]], "rows": rows, **more}
    invoice: dict[str, Any] = person(url, "invoices", body)
    return invoice
