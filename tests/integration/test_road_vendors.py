"""Vendors as they are: tokens end, budgets run out, servers go away; nothing is lost and nothing is doubled."""

from __future__ import annotations

import pytest
from road import Json, Road, hours
from stage import wait_for

from simulators.severa.organisation import SCOPES


@pytest.fixture(scope="module")
def project(road: Road) -> Json:
    customer = road.add_customer("Uthållig AB", vatNumber="SE556111888201")
    made = road.add_project(customer, "Uthållighetsprojektet")
    road.settle()
    return made


def approve(road: Road, project: Json, count: int) -> list[str]:
    return [road.approve(project, [hours("1", str(1000 + n))]) for n in range(count)]


def booked_once(road: Road, guids: list[str]) -> bool:
    return [road.role(guid) for guid in guids] == ["transferred"] * len(guids) and [
        (road.releases(guid), len(road.documents(guid))) for guid in guids
    ] == [(1, 1)] * len(guids)


@pytest.mark.req("R-SET-2", "R-INV-12", "R-INV-13")
def test_tokens_that_end_in_the_middle_of_the_work_are_renewed(road: Road, project: Json) -> None:
    guids = approve(road, project, 4)
    road.ask()
    for done in range(4):

        def more_released(done: int = done) -> bool:
            return sum(map(road.releases, guids)) > done

        wait_for(f"{done + 1} are released", more_released, seconds=30)
        road.severa.ask("POST", "revoke", {})
        road.installation.erp.ask("POST", "/tokens/expire", {})
    road.settle()
    assert booked_once(road, guids)
    assert road.problems() == []


@pytest.mark.req("R-OPS-2", "R-INV-12")
def test_bursts_of_429_on_both_sides_only_delay_the_work(road: Road, project: Json) -> None:
    guids = approve(road, project, 3)
    for method in ("GET", "PATCH"):
        road.severa.arm("status", "/v1/invoices", method=method, times=4, status=429, body="API calls quota exceeded! maximum admitted 10 per 1s.")  # fmt: skip
    for method in ("GET", "POST", "PUT"):
        road.erp.arm("status", "customerinvoice", method=method, times=3, status=429, headers={"Retry-After": "1"}, body={"message": "Too many requests"})  # fmt: skip
    road.settle()
    assert booked_once(road, guids)
    assert road.installation.severa.armed() == road.installation.erp.armed() == []
    assert road.problems() == []


@pytest.mark.req("R-OPS-2")
def test_severas_real_limit_is_kept_by_waiting_not_by_failing(road: Road, project: Json) -> None:
    """The limiter counts for real; a pace above it is corrected by the answers."""
    road.severa.ask("PATCH", "switches", {"calls_per_second": 10})
    try:
        guids = approve(road, project, 1)
        road.settle()
    finally:
        road.severa.ask("PATCH", "switches", {"calls_per_second": None})
    assert booked_once(road, guids)


@pytest.mark.req("R-INV-12")
def test_a_maintenance_page_on_every_path_leaves_the_invoice_in_transfer_until_it_is_over(
    road: Road, project: Json
) -> None:
    [guid] = approve(road, project, 1)
    page = {"status": 503, "body": "<html>Underhåll</html>", "times": None}
    road.erp.arm("status", "customerinvoice", **page)
    road.poll()
    wait_for("it has been tried", lambda: "ready" in road.states("invoice"), seconds=20)
    assert road.role(guid) == "transfer"
    road.installation.erp.disarm()
    road.settle()
    assert booked_once(road, [guid])
    assert road.problems() == []


@pytest.mark.req("R-SET-3", "R-LOG-3")
def test_credentials_taken_away_are_one_problem_of_the_connection_that_closes_when_given_back(
    road: Road, project: Json
) -> None:
    """Not one problem per record: whatever needs the connection waits for it."""
    road.severa.ask("PATCH", "scopes", {"scopes": []})
    road.severa.ask("POST", "revoke", {})
    guids = approve(road, project, 2)
    road.ask()
    wait_for("the problem is told", lambda: road.codes() != [], seconds=20)
    [problem] = road.problems()
    assert problem["domain"] == "connection"
    assert "Severa" in problem["wrong"]
    assert problem["do"]
    road.severa.ask("PATCH", "scopes", {"scopes": sorted(SCOPES)})
    # A token keeps the scopes it was given with: the next one has those of now.
    road.severa.ask("POST", "revoke", {})
    road.settle()
    assert booked_once(road, guids)
    assert road.problems() == []
