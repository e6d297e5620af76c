"""The Visma.net connector against the shipped simulator: what the bridge does, and what can go wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connectors.endpoint import Conduct
from connectors.pacing import BudgetPacer, NoPacing, Pacer, Purpose
from connectors.signing_in import MemoryTokenStore, Token
from connectors.visma_net import NEEDED_SCOPES, VismaNetAccess, VismaNetClient, new_verifier, parse_time
from connectors.visma_net.auth import Kind
from domain.errors import (
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    SignInFailed,
    Stale,
    Unavailable,
)
from simulators.seed import NORDKONSULT
from simulators.server import running
from simulators.visma_net import create_app

FIRM = NORDKONSULT
IN_ERP = [customer for customer in FIRM.customers if customer.in_erp]
CUSTOMER = next(customer for customer in IN_ERP if customer.active_in_erp and customer.customer_class == "1")
ITEM = next(item for item in FIRM.items if item.in_erp and item.register == "work")


class Simulator:
    """The running simulator as a test sees it: its address, its faults, its switches, its ledger of calls."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=120)
        self.clients: list[VismaNetClient] = []

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.http.close()

    def arm(self, kind: str, path: str, **more: Any) -> None:
        self.http.post("/_sim/faults", json={"kind": kind, "path": path, **more}).raise_for_status()

    def switch(self, **changes: Any) -> None:
        self.http.patch("/_sim/settings", json=changes).raise_for_status()

    def count(self, method: str, path: str) -> int:
        calls = self.http.get("/_sim/calls").json()["calls"]
        return sum(call["method"] == method and call["path"].lower() == path.lower() for call in calls)

    def client(
        self,
        *,
        tokens: MemoryTokenStore | None = None,
        pacer: Pacer | None = None,
        purpose: Purpose = "new",
        kind: Kind = "service",
        secret: str = FIRM.erp_client_secret,
        tenant_id: str = FIRM.erp_tenant_id,
    ) -> VismaNetClient:
        client = VismaNetClient(
            VismaNetAccess(self.url, f"{self.url}/connect", kind, FIRM.erp_client_id, secret, tenant_id),
            Conduct(tokens=tokens or MemoryTokenStore(), pacer=pacer or NoPacing(), purpose=purpose),
        )
        self.clients.append(client)
        return client


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running(create_app()) as url:
        simulator = Simulator(url)
        yield simulator
        simulator.close()


@pytest.fixture
def erp(simulator: Simulator) -> VismaNetClient:
    return simulator.client()


def invoice(**more: Any) -> dict[str, Any]:
    return {
        "customerNumber": {"value": str(CUSTOMER.number)},
        "hold": {"value": True},
        "dontPrint": {"value": True},
        "dontEmail": {"value": True},
        "note": {"value": "severa:7c9e6679-7425-40de-944b-e07fc1f90ae7"},
        "invoiceLines": [
            {
                "operation": "Insert",
                "inventoryNumber": {"value": ITEM.code},
                "quantity": {"value": Decimal("7.5")},
                "unitPriceInCurrency": {"value": Decimal("1450.10")},
            }
        ],
        **more,
    }


# ---------------------------------------------------------------- connecting


@pytest.mark.req("R-SET-2", "R-SET-4")
def test_the_check_shows_which_company_the_connection_belongs_to(erp: VismaNetClient) -> None:
    company = erp.check()
    digits = "".join(filter(str.isdigit, company["corporateId"]))
    assert digits == "".join(filter(str.isdigit, FIRM.organisation_number))


def test_a_wrong_secret_is_told_from_an_unknown_company(simulator: Simulator) -> None:
    with pytest.raises(SignInFailed) as wrong:
        simulator.client(secret="no").check()
    with pytest.raises(SignInFailed) as unknown:
        simulator.client(tenant_id="00000000-0000-0000-0000-000000000001").check()
    assert wrong.value.reason == "wrong_secret"
    assert unknown.value.reason in ("unknown_tenant", "no_license")


def test_a_token_the_server_does_not_know_any_more_is_replaced_once(simulator: Simulator) -> None:
    dead = Token("dead", datetime.now(UTC) + timedelta(hours=1), "", None)
    tokens = MemoryTokenStore(dead)
    client = simulator.client(tokens=tokens)
    assert client.get("customer", str(CUSTOMER.number)).body["name"] == CUSTOMER.name
    assert client.get("customer", str(CUSTOMER.number)).body["name"] == CUSTOMER.name
    assert simulator.count("POST", "/connect/token") == 1
    kept = tokens.load()
    assert kept is not None
    assert kept.access_token != "dead"


def test_a_token_about_to_end_is_renewed_before_it_is_used(simulator: Simulator) -> None:
    tokens = MemoryTokenStore(Token("ending", datetime.now(UTC) + timedelta(seconds=50), "", None))
    simulator.client(tokens=tokens).get("customer", str(CUSTOMER.number))
    assert simulator.count("GET", f"/v1/customer/{CUSTOMER.number}") == 1
    assert simulator.count("POST", "/connect/token") == 1


@pytest.mark.req("R-SET-2")
def test_a_user_signs_in_once_and_the_refresh_token_is_rotated(simulator: Simulator) -> None:
    tokens = MemoryTokenStore()
    client = simulator.client(kind="interactive", tokens=tokens)
    verifier = new_verifier()
    sent_to = client.authorize_url("https://bridge.example/back", "state-1", verifier)
    back = httpx.get(sent_to).headers["location"]
    answer = parse_qs(urlsplit(back).query)
    assert answer["state"] == ["state-1"]
    client.exchange_code(answer["code"][0], verifier, "https://bridge.example/back")
    first = tokens.load()
    assert first is not None
    assert set(NEEDED_SCOPES["interactive"]) <= set(first.scope.split())

    tokens.save(Token("dead", datetime.now(UTC) + timedelta(hours=1), first.scope, first.refresh_token))
    another = simulator.client(kind="interactive", tokens=tokens)
    assert another.get("customer", str(CUSTOMER.number)).body["name"] == CUSTOMER.name
    second = tokens.load()
    assert second is not None
    assert second.refresh_token
    assert second.refresh_token != first.refresh_token

    # The first one is dead now: whoever comes with it has to sign in again.
    tokens.save(Token("dead", datetime.now(UTC) + timedelta(hours=1), "", first.refresh_token))
    with pytest.raises(SignInFailed) as failed:
        simulator.client(kind="interactive", tokens=tokens).get("customer", str(CUSTOMER.number))
    assert failed.value.reason == "signed_out"


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_a_register_is_read_to_its_end_whatever_the_page_size(
    simulator: Simulator, erp: VismaNetClient, size: int
) -> None:
    simulator.switch(max_page_size=size)
    pages = list(erp.pages("customer"))
    numbers = [row["number"] for page in pages for row in page.rows]
    assert sorted(numbers) == sorted(str(customer.number) for customer in IN_ERP)
    assert all(page.server_time is not None for page in pages)


@pytest.mark.parametrize(
    "register",
    [
        *(
            "customer",
            "customer/customerClass",
            "customer/balance",
            "contact",
            "inventory",
            "inventory/itemClass",
        ),
        *("inventory/itemPostClass", "project", "projectbasic", "projecttask", "customerinvoice"),
        *("customerCreditNote", "customerdocument", "customerPayment", "supplierInvoice", "supplierdocument"),
        *(
            "supplier",
            "journaltransaction",
            "account",
            "dimension",
            "numberSequence",
            "branch",
            "organization",
        ),
        *("creditTerm", "currency", "country", "vat", "vatCategory", "vatZone", "financialPeriod", "ledger"),
        *("unitofmeasure", "paymentmethod"),
    ],
)
def test_every_register_can_be_read_whole_and_by_changes(erp: VismaNetClient, register: str) -> None:
    whole = [row for page in erp.pages(register) for row in page.rows]
    since = datetime.now(UTC) + timedelta(hours=6)
    changed = [row for page in erp.pages(register, changed_since=since) for row in page.rows]
    times = [row for row in whole if row.get("lastModifiedDateTime")]
    assert len(changed) <= len(whole)
    assert not times or changed == []


def test_changes_since_a_moment_are_found_by_their_own_time(
    simulator: Simulator, erp: VismaNetClient
) -> None:
    before = erp.get("customer", str(CUSTOMER.number)).body
    seen = parse_time(before["lastModifiedDateTime"])
    erp.update("customer", str(CUSTOMER.number), {"name": {"value": "Ändrad AB"}})
    rows = [row for page in erp.pages("customer", changed_since=seen) for row in page.rows]
    changed = next(row for row in rows if row["number"] == str(CUSTOMER.number))
    assert changed["name"] == "Ändrad AB"
    assert parse_time(changed["lastModifiedDateTime"]) >= seen


def test_a_filter_that_is_obeyed_gives_its_rows_only(erp: VismaNetClient) -> None:
    (found,) = erp.list("customer", name=CUSTOMER.name)
    assert found["number"] == str(CUSTOMER.number)
    assert list(erp.list("customer", name="Finns inte AB")) == []


def test_what_does_not_exist_is_not_found(erp: VismaNetClient) -> None:
    with pytest.raises(NotFound):
        erp.get("customer", "999999")


# ---------------------------------------------------------------- writing


def test_a_customer_is_created_read_and_changed_under_its_version(erp: VismaNetClient) -> None:
    body = {
        "name": {"value": "Nordlys Bygg AB"},
        "customerClassId": {"value": "1"},
        "overrideWithClassValues": True,
    }
    number = erp.create("customer", body)
    stored = erp.get("customer", number)
    assert stored.body["name"] == "Nordlys Bygg AB"
    internal_id = str(stored.body["internalId"])

    newer = erp.update("customer/internal", internal_id, {"name": {"value": "Nordlys AB"}}, etag=stored.etag)
    assert newer
    assert newer != stored.etag
    with pytest.raises(Stale):
        erp.update("customer/internal", internal_id, {"name": {"value": "Någon annan"}}, etag=stored.etag)
    assert erp.get("customer/internal", internal_id).body["name"] == "Nordlys AB"


def test_the_number_of_a_new_customer_is_learned_from_the_internal_form(
    simulator: Simulator, erp: VismaNetClient
) -> None:
    simulator.switch(location_internal_id=True, location_base="http://other.example/API/controller/api")
    number = erp.create("customer", {"name": {"value": "Nordlys AB"}, "customerClassId": {"value": "1"}})
    assert erp.get("customer", number).body["name"] == "Nordlys AB"


def test_a_code_with_reserved_characters_is_found_again(erp: VismaNetClient) -> None:
    code = "A/1 #2"
    item_class = next(iter(erp.list("inventory/itemClass")))["id"]
    key = erp.create("inventory", {"inventoryNumber": {"value": code}, "itemClass": {"value": item_class}})
    assert key == code
    assert erp.get("inventory", key).body["inventoryNumber"] == code


@pytest.mark.req("R-INV-3", "R-INV-4")
def test_an_invoice_is_made_on_hold_released_and_found_in_the_books(erp: VismaNetClient) -> None:
    number = erp.create("customerinvoice", invoice())
    held = erp.get("customerinvoice", number)
    assert held.body["status"] == "Hold"
    assert held.body["invoiceLines"][0]["amountInCurrency"] == Decimal("10875.75")

    erp.update("customerinvoice", number, {"hold": {"value": False}}, etag=held.etag)
    assert erp.act("customerinvoice", number, "release").result == "Done"

    (row,) = [
        row
        for row in erp.list(
            "customerdocument", customer=str(CUSTOMER.number), documentType="Invoice", status="Open"
        )
        if row["referenceNumber"] == number
    ]
    assert row["note"] == "severa:7c9e6679-7425-40de-944b-e07fc1f90ae7"
    assert isinstance(row["balanceInCurrency"], Decimal)


@pytest.mark.req("R-INV-5")
def test_a_held_document_is_removed_and_removing_it_again_is_no_error(erp: VismaNetClient) -> None:
    number = erp.create("customerinvoice", invoice())
    assert erp.delete("customerinvoice", number) is True
    assert erp.delete("customerinvoice", number) is False
    with pytest.raises(NotFound):
        erp.get("customerinvoice", number)


def test_a_released_document_refuses_in_the_vendors_words(erp: VismaNetClient) -> None:
    number = erp.create("customerinvoice", invoice(hold={"value": False}))
    erp.act("customerinvoice", number, "release")
    with pytest.raises(Refused, match="released") as refused:
        erp.update("customerinvoice", number, {"customerRefNumber": {"value": "PO 1"}})
    assert refused.value.status == 400
    with pytest.raises(Refused, match="released"):
        erp.delete("customerinvoice", number)


@pytest.mark.parametrize(("switch", "result"), [("queued", {"Queued", "InProcess"}), ("failed", {"Failed"})])
def test_a_release_that_is_not_done_says_so(
    simulator: Simulator, erp: VismaNetClient, switch: str, result: set[str]
) -> None:
    number = erp.create("customerinvoice", invoice(hold={"value": False}))
    simulator.switch(release=switch, release_error="Period is closed.")
    found = erp.act("customerinvoice", number, "release")
    assert found.result in result
    assert found.error == ("Period is closed." if switch == "failed" else "")


@pytest.mark.req("R-INV-8")
def test_an_attachment_comes_back_byte_for_byte(erp: VismaNetClient) -> None:
    number = erp.create("customerinvoice", invoice())
    content = b"%PDF-1.7\r\n\x00\xff" * 1000
    erp.attach("customerinvoice", number, "tidrapport mars.pdf", content)
    (attached,) = erp.get("customerinvoice", number).body["attachments"]
    assert attached["name"] == "tidrapport mars.pdf"
    assert erp.download(attached["id"]) == content


# ---------------------------------------------------------------- faults


@pytest.mark.req("R-INV-13")
@pytest.mark.parametrize(
    "fault", [{"kind": "commit_then_drop"}, {"kind": "commit_then_status", "status": 504}]
)
def test_a_create_without_an_answer_is_unknown_and_is_not_sent_again(
    simulator: Simulator, erp: VismaNetClient, fault: dict[str, Any]
) -> None:
    before = len(list(erp.list("customerinvoice")))
    simulator.arm(path="/v2/customerinvoice", method="POST", **fault)
    with pytest.raises(OutcomeUnknown):
        erp.create("customerinvoice", invoice())
    assert simulator.count("POST", "/v2/customerinvoice") == 1
    assert len(list(erp.list("customerinvoice"))) == before + 1


def test_an_action_and_an_attachment_without_an_answer_are_unknown_too(
    simulator: Simulator, erp: VismaNetClient
) -> None:
    number = erp.create("customerinvoice", invoice(hold={"value": False}))
    simulator.arm("commit_then_drop", "/attachment$", method="POST")
    with pytest.raises(OutcomeUnknown):
        erp.attach("customerinvoice", number, "a.pdf", b"%PDF")
    simulator.arm("commit_then_drop", "/action/release", method="POST")
    with pytest.raises(OutcomeUnknown):
        erp.act("customerinvoice", number, "release")
    assert simulator.count("POST", f"/v1/customerinvoice/{number}/action/release") == 1
    assert erp.get("customerinvoice", number).body["status"] == "Open"


def test_a_read_and_a_change_without_an_answer_may_be_repeated(
    simulator: Simulator, erp: VismaNetClient
) -> None:
    simulator.arm("drop", "/v1/customer/", method="GET")
    with pytest.raises(Unavailable):
        erp.get("customer", str(CUSTOMER.number))
    simulator.arm("status", "/v1/customer/", method="PUT", status=503, body="<html>maintenance</html>")
    with pytest.raises(Unavailable, match="maintenance"):
        erp.update("customer", str(CUSTOMER.number), {"name": {"value": "Ny"}})
    assert erp.get("customer", str(CUSTOMER.number)).body["name"] == CUSTOMER.name


def test_a_page_that_fails_in_the_middle_ends_the_read(simulator: Simulator, erp: VismaNetClient) -> None:
    simulator.switch(max_page_size=1)
    simulator.arm("status", "/v1/customer$", method="GET", status=500, skip=2)
    pages = erp.pages("customer")
    assert len(next(pages).rows) == 1
    assert len(next(pages).rows) == 1
    with pytest.raises(Unavailable):
        next(pages)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry-After": "120"}, 120), ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "900"}, 900)],
)
def test_too_many_calls_is_a_no_with_a_time_even_for_a_create(
    simulator: Simulator, erp: VismaNetClient, headers: dict[str, str], seconds: float
) -> None:
    simulator.arm("status", "/v2/customerinvoice", method="POST", status=429, headers=headers)
    with pytest.raises(RateLimited) as limited:
        erp.create("customerinvoice", invoice())
    assert limited.value.retry_after == seconds
    # It was asked: whoever says this for ever is asked ever more seldom.
    assert limited.value.costs_attempt


@pytest.mark.req("R-OPS-2")
def test_the_last_fifth_of_the_budget_is_kept_for_begun_work(simulator: Simulator) -> None:
    simulator.switch(rate_limit=10, rate_window_seconds=3600)
    pacer = BudgetPacer()
    tokens = MemoryTokenStore()
    new = simulator.client(pacer=pacer, tokens=tokens, purpose="new")
    begun = simulator.client(pacer=pacer, tokens=tokens, purpose="begun")
    limited: RateLimited | None = None
    for _ in range(10):
        try:
            new.get("customer", str(CUSTOMER.number))
        except RateLimited as refused:
            limited = refused
            break
    assert limited is not None
    assert limited.retry_after
    assert begun.get("customer", str(CUSTOMER.number)).body["name"] == CUSTOMER.name


def test_nobody_listening_is_a_matter_of_time_even_for_a_create() -> None:
    with running(create_app()) as url:
        simulator = Simulator(url)
        client = simulator.client()
        client.check()
    with pytest.raises(Unavailable):
        client.create("customerinvoice", invoice())
    simulator.close()
