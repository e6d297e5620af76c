"""What the poller must not lose, and what it must not take for a change."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from road import Json, Road, installation
from services import PostgresServer
from stage import wait_for

from app import service


def in_step(road: Road, name: str, vat_number: str) -> tuple[Json, str]:
    made = road.add_customer(name, vatNumber=vat_number)
    road.settle()
    return made, road.erp.one("customer", name=name)["number"]


def web(road: Road, number: str) -> str:
    found: str = road.erp.one("customer", number=number)["mainContact"]["web"]
    return found


@pytest.mark.req("R-PRO-8", "R-LOG-3")
def test_a_row_that_cannot_be_read_is_a_problem_and_the_rest_of_its_page_goes_on(road: Road) -> None:
    made, number = in_step(road, "Granne AB", "SE556111777201")
    road.severa.change("customers", made["guid"], website="https://granne.example")
    good = {**road.severa.one("customers", guid=made["guid"]), "history": None}
    bad = {**good, "guid": "trasig", "headquarterAddress": True}
    road.severa.arm("status", "/v1/customers$", method="GET", status=200, body=[bad, good])
    road.settle()
    assert web(road, number) == "https://granne.example"
    assert road.codes() == ["poll.unreadable"]
    assert "trasig" in road.problems()[0]["wrong"] + str(road.problems()[0]["values"])


@pytest.mark.req("R-CON-2")
def test_an_internal_job_that_touches_every_erp_row_changes_nothing(road: Road) -> None:
    for register in ("customer", "inventory", "project"):
        road.erp.ask("POST", f"{register}/touch", {})
    road.forget_calls()
    road.settle()
    assert road.writes() == {}


@pytest.mark.req("R-PRO-8")
def test_the_audit_finds_a_changed_record_without_a_row_and_makes_it(road: Road) -> None:
    """The row is deleted by hand; a change that nothing was going to settle is found and settled."""
    assert road.work() == []
    made, number = in_step(road, "Borttappad AB", "SE556111777301")
    bridge = road.installation.bridge
    service.set_paused(bridge, road.name, paused=True, domain="customer")
    road.severa.change("customers", made["guid"], website="https://borttappad.example")
    road.poll()
    [row] = road.sql(
        "delete from outbox where tenant_id = %s and domain = 'customer' returning state", road.tenant_id
    )
    assert row["state"] == "ready"
    assert road.work() == []
    # The audit leaves young changes alone: they may be on their way.
    road.sql(
        "update record set seen_at = seen_at - interval '5 minutes' where tenant_id = %s", road.tenant_id
    )
    service.set_paused(bridge, road.name, paused=False, domain="customer")
    wait_for("the audit repairs it", lambda: web(road, number) == "https://borttappad.example", seconds=20)
    road.settle()
    assert road.work() == []


@pytest.mark.req("R-SET-9")
def test_a_paused_tenant_is_neither_read_nor_written_and_catches_up_when_resumed(road: Road) -> None:
    made, number = in_step(road, "Pausad AB", "SE556111777401")
    bridge = road.installation.bridge
    service.set_paused(bridge, road.name, paused=True)
    road.forget_calls()
    road.severa.change("customers", made["guid"], website="https://pausad.example")
    road.ask()
    # The other tenant's polls show that the poller had its chance.
    other = road.installation.add_firm(901)
    other.poll()
    assert road.calls() == {}
    service.set_paused(bridge, road.name, paused=False)
    road.settle()
    assert web(road, number) == "https://pausad.example"


@pytest.mark.req("R-SET-9")
def test_a_paused_domain_holds_its_work_and_the_others_go_on(road: Road) -> None:
    made, number = in_step(road, "Halvpausad AB", "SE556111777501")
    bridge = road.installation.bridge
    service.set_paused(bridge, road.name, paused=True, domain="customer")
    road.severa.change("customers", made["guid"], website="https://halvpausad.example")
    road.severa.change("products", road.severa.one("products", code="LIC")["guid"], name="Licens under paus")
    road.settle()
    assert road.erp.one("inventory", inventoryNumber="LIC")["description"] == "Licens under paus"
    assert web(road, number) == ""
    service.set_paused(bridge, road.name, paused=False, domain="customer")
    road.settle()
    assert web(road, number) == "https://halvpausad.example"


@pytest.mark.req("R-PRO-8")
def test_a_poll_that_hangs_is_taken_over_and_its_late_page_is_refused(road: Road) -> None:
    made, number = in_step(road, "Övertagen AB", "SE556111777601")
    tenant = road.tenant_id
    before = road.severa.calls()["GET /v1/customers"]
    road.severa.arm("delay_after", "/v1/customers$", method="GET", seconds=3)
    road.ask()
    wait_for("the poll hangs", lambda: not road.installation.severa.armed(), seconds=20)
    [held] = road.sql("select poll_token from connection where tenant_id = %s and system = 'severa'", tenant)
    road.severa.change("customers", made["guid"], website="https://overtagen.example")
    road.sql(
        "update connection set poll_lease_until = clock_timestamp() - interval '1 second' where tenant_id = %s and system = 'severa'",
        tenant,
    )
    wait_for("another poll takes over", lambda: web(road, number) == "https://overtagen.example", seconds=20)
    wait_for(
        "the hanging answer has come",
        lambda: road.severa.calls()["GET /v1/customers"] >= before + 2,
        seconds=20,
    )
    road.settle()
    [now] = road.sql("select poll_token from connection where tenant_id = %s and system = 'severa'", tenant)
    assert now["poll_token"] != held["poll_token"]
    assert web(road, number) == "https://overtagen.example"


@pytest.mark.req("R-PRO-8")
def test_a_record_changed_while_later_pages_are_read_is_not_lost(postgres_server: PostgresServer) -> None:
    """Without any overlap: the mark is the newest time of the poll, and what changed during it is later than that."""
    database = postgres_server.create()
    with installation(database, severa_overlap_seconds=0, brake_records=1000) as made:
        road = made.add_firm(902, live=False)
        for n in range(130):
            road.severa.add("customers", name=f"Sidkund {n}", isActive=False)
        road.go_live()
        first = road.severa.one("customers", number=10001)
        road.severa.arm("delay_after", "/v1/customers$", method="GET", skip=1, seconds=1.5)
        last = road.severa.one("customers", name="Sidkund 129")
        for row in road.severa.look("customers"):
            road.severa.change("customers", row["guid"], notes="ändrad före pollen")
        # The mark follows the server's clock, which tells whole seconds: the changes must lie in a past one.
        changed = datetime.now(UTC)
        wait_for("the second is over", lambda: datetime.now(UTC).replace(microsecond=0) > changed, seconds=3)
        road.ask()
        wait_for(
            "the second page has been made and is under way", lambda: not made.severa.armed(), seconds=20
        )
        road.severa.change("customers", first["guid"], website="https://mellan-sidorna.example")
        road.severa.change("customers", last["guid"], website="https://sista-sidan.example")
        road.settle()
        assert web(road, "10001") == "https://mellan-sidorna.example"
    postgres_server.drop(database)
