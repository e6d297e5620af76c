"""Projects and sales cases, from Severa to the ERP only."""

from __future__ import annotations

import pytest
from road import Json, Road, hours


def in_step(road: Road, name: str) -> tuple[Json, Json]:
    """A project of a known customer on both sides."""
    customer = road.severa.one("customers", number=10001)
    made = road.add_project(customer, name, startDate="2026-10-01")
    road.settle()
    return made, theirs(road, made)


def theirs(road: Road, project: Json) -> Json:
    return road.erp.one("project", projectID=str(project["number"]))


@pytest.mark.req("R-PRJ-1", "R-PRJ-2", "R-PRO-3")
def test_a_project_keeps_its_number_and_gets_the_template(road: Road) -> None:
    ours, made = in_step(road, "Brobygge")
    assert made["projectID"] == str(ours["number"])
    assert made["description"] == "Brobygge"
    assert made["customer"]["number"] == "10001"
    assert made["startDate"][:10] == "2026-10-01"
    assert made["billingPeriod"] == "OnDemand"
    assert "10" in [task["taskId"] for task in made["tasks"]]
    road.forget_calls()
    road.poll()
    road.settle()
    assert road.writes() == {}


@pytest.mark.req("R-PRJ-2")
def test_a_renamed_project_is_renamed_in_the_erp_by_one_write(road: Road) -> None:
    ours, _ = in_step(road, "Gammalt namn")
    road.forget_calls()
    road.severa.change("projects", ours["guid"], name="Nytt namn")
    road.settle()
    assert theirs(road, ours)["description"] == "Nytt namn"
    assert road.writes() == {"visma_net PUT /v1/project/{projectId}": 1}


@pytest.mark.req("R-PRJ-3")
def test_a_closed_project_is_completed_and_a_reopened_one_active_again(road: Road) -> None:
    ours, _ = in_step(road, "Öppen och stängd")
    road.severa.change("projects", ours["guid"], isClosed=True)
    road.settle()
    assert theirs(road, ours)["status"] == "Completed"
    road.severa.change("projects", ours["guid"], isClosed=False)
    road.settle()
    assert theirs(road, ours)["status"] == "Active"


@pytest.mark.req("R-PRJ-1", "R-PRJ-3")
def test_a_lost_sales_case_is_cancelled_and_a_revived_one_active_again(road: Road) -> None:
    customer = road.severa.one("customers", number=10001)
    made = road.add_project(customer, "Anbud", salesStatusType="InProgress")
    road.settle()
    assert theirs(road, made)["status"] == "Active"
    road.severa.change("projects", made["guid"], salesStatusType="Lost")
    road.settle()
    assert theirs(road, made)["status"] == "Cancelled"
    road.severa.change("projects", made["guid"], salesStatusType="Won")
    road.settle()
    assert theirs(road, made)["status"] == "Active"


@pytest.mark.req("R-PRJ-4")
def test_an_internal_project_stays_in_severa(road: Road) -> None:
    internal = road.severa.one("projects", isInternal=True)
    road.severa.change("projects", internal["guid"], name="Intern omdöpt")
    road.settle()
    assert road.erp.count("project", projectID=str(internal["number"])) == 0


@pytest.mark.req("R-PRJ-5", "R-INV-11", "R-LOG-3")
def test_project_and_invoice_point_at_a_customer_in_error_and_go_on_when_it_is_repaired(road: Road) -> None:
    """Nobody touches project or invoice: they go on by themselves."""
    customer = road.add_customer("Väntar AB", vatNumber="SE556111444201")
    fault = road.erp.arm("status", "^/v1/customer$", method="POST", times=None, status=400, body={"message": "The customer cannot be created."})  # fmt: skip
    project = road.add_project(customer, "Väntprojektet")
    guid = road.approve(project, [hours("2", "1000")])
    road.settle()
    assert {row["domain"]: row["name"] for row in road.problems()} == {
        "customer": "Väntar AB", "project": "Väntprojektet", "invoice": "Väntar AB",
    }  # fmt: skip
    assert road.erp.count("project", projectID=str(project["number"])) == 0
    assert road.role(guid) == "transfer"
    road.installation.erp.ask("DELETE", f"/faults/{fault}")
    road.severa.change("customers", customer["guid"], website="https://vantar.example")
    road.settle()
    assert theirs(road, project)["customer"]["name"] == "Väntar AB"
    assert road.role(guid) == "transferred"
    assert road.problems() == []


@pytest.mark.req("R-PRJ-6", "R-LOG-3")
def test_a_number_longer_than_the_key_is_a_problem_that_names_the_screen(road: Road) -> None:
    customer = road.severa.one("customers", number=10001)
    made = road.add_project(customer, "För långt nummer", number=123456)
    road.settle()
    [problem] = [row for row in road.problems() if row["code"] == "project.number_too_long"]
    assert "CS203000" in problem["where"] + problem["do"]
    assert road.erp.count("project", description="För långt nummer") == 0
    road.severa.change("projects", made["guid"], number=1777)
    road.settle()
    assert theirs(road, {"number": 1777})["description"] == "För långt nummer"
    assert "project.number_too_long" not in road.codes()
