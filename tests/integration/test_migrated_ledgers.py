"""A database that 0.1.0 left in the middle of its work, migrated and worked to its end: the ledgers of both systems judge."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from cryptography.fernet import Fernet
from left_by_0_1_0 import BOOKED, EDITED, FAILED, UNANSWERED, WAITS, World, left
from offices import Office, Simulator
from psycopg.types.json import Jsonb
from restoring import released
from road import QUICK, Installation, Road, tenant_file, warnings_only
from services import Database

from app import running, service
from app.bootstrap import open_bridge
from app.settings import Settings
from db.migrate import migrate
from simulators import severa, visma_net
from simulators.seed import scaled
from simulators.server import running as serving

EARLIER = "099990"
"""A number that 0.1.0 had listed as a gap."""


@pytest.fixture(params=[False, True], ids=["no open call was carried out", "every open call was"])
def road(request: pytest.FixtureRequest, empty_database: Database) -> Iterator[Road]:
    """The database's firm, migrated, on the new bridge; nothing has been worked on yet."""
    firm = scaled(1)
    state, simulation = severa.SeveraState(severa.Switches(calls_per_second=None)), visma_net.Simulation()
    state.add_organisation(1)
    visma_net.People(simulation).add_company(1)
    with ExitStack() as stack:
        stack.enter_context(warnings_only())
        ask = stack.enter_context(left(empty_database))
        World(ask, state, simulation, firm, happened=request.param).enter()
        # The calls are long over.
        ask(
            "update step set sent_at = clock_timestamp() - interval '1 hour' where done_at is null and sent_at is not null"
        )
        url, erp_url = (
            stack.enter_context(serving(severa.create_app(state))),
            stack.enter_context(serving(visma_net.create_app(simulation))),
        )
        http = stack.enter_context(httpx.Client(timeout=120, trust_env=False))
        theirs, erp = Simulator(url, "/orgs", http), Simulator(erp_url, "/companies", http)
        # Both systems stand elsewhere today.
        for system, config in (
            ("severa", {"base_url": f"{url}/rest-api"}),
            ("visma_net", {"base_url": erp_url, "auth_url": f"{erp_url}/connect"}),
        ):
            ask("update connection set config = config || %s where system = %s", Jsonb(config), system)
        # An earlier delivery had removed a document, too.
        ask(
            "insert into number_gap (tenant_id, document_type, number, severa_id, reason) select id, 'Invoice', %s, %s, 'invoice.changed' from tenant",
            EARLIER,
            EDITED,
        )
        migrate(empty_database.owner_url, empty_database.app_url)
        settings = Settings(
            **{**QUICK, "database_url": empty_database.app_url, "secret_keys": Fernet.generate_key().decode()}
        )
        bridge = stack.enter_context(open_bridge(settings, threading.Event()))
        # The key that sealed their secrets is lost.
        service.add_tenant(bridge, tenant_file("firm1", firm, theirs, erp))
        everything = running.Everything(bridge, settings.worker_threads)
        stack.callback(everything.close)
        everything.start()
        yield Road(
            Installation(bridge, theirs, erp, empty_database), "firm1", service.find_tenant(bridge, "firm1").id, firm,
            Office(theirs, firm.severa_client_id), Office(erp, firm.erp_tenant_id.lower()),
        )  # fmt: skip


@pytest.mark.req("R-INV-13", "R-INV-5")
@pytest.mark.schedule("S1", "S47")
def test_what_0_1_0_left_open_is_booked_once_and_nothing_is_lost(road: Road) -> None:
    road.settle(seconds=200)
    booked = [BOOKED, UNANSWERED, EDITED, WAITS]
    judge(road, booked)
    assert (road.documents(FAILED), road.role(FAILED)) == ([], "failed")
    assert road.codes() == ["invoice.total_would_differ"]
    # A person does what the problem says.
    [row] = road.severa.one("invoices", guid=FAILED)["rows"]
    road.severa.change("invoicerows", row["guid"], vatRate=25)
    road.move(FAILED, "transfer")
    road.settle(seconds=200)
    judge(road, [*booked, FAILED])
    assert road.codes() == []


def judge(road: Road, booked: list[str]) -> None:
    """Each invoice released once and numbered, each customer and project once, every removed number in the gap list."""
    assert released(road, booked) == {}
    assert {document["status"] for guid in booked for document in road.documents(guid)} == {"Open"}
    assert [road.invoice(guid)["number"] for guid in booked] == [
        int(road.document(guid)["referenceNumber"]) for guid in booked
    ]
    assert [road.role(guid) for guid in booked] == ["transferred"] * len(booked)
    for register, names in (
        ("customer", ("Migrering AB", "Väntar AB")),
        ("customers", ("Migrering AB", "Väntar AB")),
    ):
        office = road.erp if register == "customer" else road.severa
        assert [office.count(register, name=name) for name in names] == [1, 1], register
    assert [road.erp.count("project", description=name) for name in ("Migreringsprojektet", "Sent")] == [1, 1]
    gone = {row["number"] for row in road.erp.ask("GET", "removed")}
    assert {row["number"] for row in road.sql("select number from number_gap")} == gone | {EARLIER}
