"""Projects from Severa to the ERP (R-PRJ-1..6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import OutcomeUnknown, Refused, Stop, TryLater, Waiting
from domain.model import Effects, Json
from domain.project.steps import settle
from domain.setup.settings import TenantSettings
from tests.fakes_registers import RegisterErp, poll, put_erp, put_severa
from tests.unit.domain.project_world import changed, later, linked, project, settled, stopped, there, world

pytestmark = pytest.mark.req("R-PRJ-1", "R-PRJ-2")


@pytest.mark.parametrize("register", ["projects", "salescases"])
def test_a_project_or_sales_case_is_created_as_the_mapping_says(register: str) -> None:
    made = world()
    put_severa(made, register, project(salesStatus={"salesStatusTypeGuid": "inprogress"}))

    effects = settled(made, register)

    (create,) = [call for call in made.calls if call.method == "create"]
    assert create.body == {
        "projectID": {"value": "4711"},
        "customer": {"value": "10001"},
        "description": {"value": "ERP rollout"},
        "hold": {"value": False},
        "template": {"value": "Z"},
        "status": {"value": "Active"},
        "startDate": {"value": "2026-03-01T00:00:00"},
        "billingPeriod": {"value": "OnDemand"},
    }
    assert effects.link is not None
    assert (effects.link.severa_register, effects.link.severa_number) == ("projects", "4711")
    assert effects.link.erp_number == "4711"
    assert [line.code for line in effects.log] == ["project.number_short", "project.created"]


def test_without_a_start_date_the_day_of_creation_in_the_tenants_zone_is_sent() -> None:
    made = world()
    put_severa(made, "projects", project(startDate=None))

    settled(made)

    assert made.erp.stored("project", "4711")["startDate"] == "2026-02-28T00:00:00"


def test_the_echo_of_our_own_create_causes_nothing() -> None:
    made = world()
    linked(made)

    assert settled(made).log == ()
    assert made.calls == []


@pytest.mark.parametrize(
    ("tasks", "operation"), [([], "Insert"), ([{"taskId": "10", "status": "Planned"}], "Update")]
)
def test_the_task_is_added_or_activated_if_the_template_does_not_bring_it(
    tasks: list[Json], operation: str
) -> None:
    made = world()
    assert isinstance(made.erp, RegisterErp)
    made.erp.template_tasks = []
    put_severa(made, "projects", project())
    put_erp(made, "project", "4711", there(tasks=tasks))

    settled(made)

    (update,) = [call for call in made.calls if call.method == "update"]
    (task,) = update.body["tasks"]
    assert (task["operation"], task["taskId"], task["status"]) == (
        operation,
        {"value": "10"},
        {"value": "Active"},
    )
    assert {"description", "startDate"} <= set(update.body), "the document requires both on every write"
    assert made.erp.stored("project", "4711")["tasks"][0]["status"] == "Active"
    assert later(made).log == ()


@pytest.mark.req("R-PRJ-5")
def test_a_project_waits_for_its_customer_and_goes_on_when_that_is_linked() -> None:
    made = world(customer_linked=False)
    put_severa(made, "projects", project())

    with pytest.raises(Waiting) as caught:
        settle(made.delivery("project", severa=("projects", "p1")))

    assert (caught.value.domain, caught.value.severa_id) == ("customer", "c1")
    assert changed(made) == []


@pytest.mark.req("R-PRJ-4")
def test_internal_projects_and_those_of_the_internal_customer_stay_home() -> None:
    made = world(customer_linked=False)
    put_severa(made, "projects", project(isInternal=True))
    assert settled(made) == Effects()

    made.severa.stored("customers", "c1")["isInternal"] = True
    put_severa(made, "projects", project())
    poll(made)
    assert settled(made) == Effects()
    assert made.calls == []


@pytest.mark.req("R-PRJ-6")
def test_a_number_longer_than_the_project_key_is_never_sent() -> None:
    made = world()
    put_severa(made, "projects", project(number=4711001))

    stop = stopped(made)

    assert (stop.code, stop.values["limit"]) == ("project.number_too_long", 6)
    assert changed(made) == []


@pytest.mark.req("R-PRJ-6")
def test_the_key_is_asked_for_when_only_its_name_was_polled() -> None:
    made = world()
    made.books.remember("visma_net", "dimension", {"id": "PROJECT"})
    made.erp.store("dimension", {"id": "PROJECT", "length": 3}, "PROJECT")
    put_severa(made, "projects", project())

    assert stopped(made).code == "project.number_too_long"


@pytest.mark.parametrize(
    ("more", "code"),
    [({"number": None}, "project.number_missing"), ({"customer": None}, "project.customer_missing")],
)
def test_what_a_project_lacks_is_a_problem(more: Json, code: str) -> None:
    made = world()
    put_severa(made, "projects", project(**more))

    assert stopped(made).code == code


def test_an_erp_project_of_the_same_number_and_customer_is_linked() -> None:
    made = world()
    put_severa(made, "projects", project())
    put_erp(made, "project", "4711", there(description="Old name"))

    effects = settled(made)

    assert [line.code for line in effects.log] == ["project.linked", "project.updated"]
    assert made.erp.stored("project", "4711")["description"] == "ERP rollout"
    assert changed(made) == ["visma_net update project 4711"]


def test_an_erp_project_of_the_same_number_and_another_customer_is_a_problem() -> None:
    made = world()
    put_severa(made, "projects", project())
    put_erp(made, "project", "4711", there(customer={"number": "10999"}))

    stop = stopped(made)

    assert (stop.code, stop.values["other_customer"]) == ("project.number_taken", "10999")
    assert changed(made) == []


@pytest.mark.req("R-PRJ-3")
@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"isClosed": True}, "Completed", "project.completed"),
        ({"salesStatus": {"salesStatusTypeGuid": "lost"}}, "Cancelled", "project.cancelled"),
    ],
)
def test_closed_and_lost_projects_are_made_inactive_and_reopened_ones_active(
    more: Json, status: str, code: str
) -> None:
    made = world()
    ours, theirs = linked(made)
    ours.update(more)
    effects = later(made)
    assert (theirs["status"], [line.code for line in effects.log]) == (status, [code])

    ours.update(isClosed=False, salesStatus={"salesStatusTypeGuid": "won"})
    effects = later(made)
    assert (theirs["status"], [line.code for line in effects.log]) == ("Active", ["project.activated"])


@pytest.mark.req("R-PRJ-3")
def test_a_project_is_not_closed_while_an_invoice_of_it_is_in_transfer() -> None:
    made = world()
    ours, theirs = linked(made)
    invoice = {"guid": "i1", "status": {"guid": "transfer"}, "projects": [{"guid": "p1"}]}
    put_severa(made, "invoices", invoice)
    ours["isClosed"] = True

    with pytest.raises(TryLater) as caught:
        later(made)

    assert caught.value.costs_attempt is False
    assert theirs["status"] == "Active"
    made.severa.stored("invoices", "i1")["status"] = {"guid": "transferred"}
    later(made)
    assert theirs["status"] == "Completed"


@pytest.mark.req("R-PRJ-3", "R-STA-1")
@pytest.mark.parametrize(
    "settings",
    [
        # Another status counts as *transfer*, by hand or because a numbered one before it is left out.
        {"status_roles": {"transfer": "approved"}},
        {"ignored_statuses": ["transfer"]},
    ],
)
def test_a_project_waits_for_invoices_by_the_tenants_own_roles(settings: dict[str, Any]) -> None:
    made = world()
    made.tenant = replace(made.tenant, settings=TenantSettings.model_validate(settings))
    body = {"guid": "approved", "name": "Godkänd", "sortOrder": 2, "isActive": True, "isReadOnly": True}
    put_severa(made, "invoicestatuses", body)
    ours, theirs = linked(made)
    put_severa(made, "invoices", {"guid": "i1", "status": {"guid": "approved"}, "projects": [{"guid": "p1"}]})
    ours["isClosed"] = True
    with pytest.raises(TryLater):
        later(made)
    assert theirs["status"] == "Active"


@pytest.mark.req("R-PRJ-3")
def test_a_project_closed_before_it_was_known_is_made_only_for_a_late_invoice() -> None:
    made = world()
    put_severa(made, "projects", project(isClosed=True))
    assert settled(made) == Effects()
    assert made.calls == []

    put_severa(made, "invoices", {"guid": "i1", "status": {"guid": "transfer"}, "projects": [{"guid": "p1"}]})
    effects = settled(made)

    assert made.erp.stored("project", "4711")["status"] == "Active"
    assert [one.id for one in effects.announce] == ["p1"], "it is closed when the invoice is through"


def test_what_severa_owns_is_written_and_what_the_erp_changes_in_status_stays() -> None:
    made = world()
    ours, theirs = linked(made)
    ours.update(name="Rollout 2", startDate="2026-04-01")
    effects = later(made)
    assert (theirs["description"], theirs["startDate"]) == ("Rollout 2", "2026-04-01T00:00:00")
    assert [line.values["fields"] for line in effects.log] == [["name", "start"]]

    theirs.update(description="Theirs", status="OnHold")
    later(made)
    assert (theirs["description"], theirs["status"]) == ("Rollout 2", "OnHold")


def test_another_customer_in_severa_is_written_when_it_is_linked() -> None:
    made = world()
    ours, theirs = linked(made)
    ours["customer"] = {"guid": "c2", "name": "Bo AB"}
    with pytest.raises(Waiting):
        later(made)

    severa = made.books.remember("severa", "customers", {"guid": "c2", "name": "Bo AB", "number": 2})
    erp = made.books.remember("visma_net", "customer", {"internalId": 8, "number": "10002", "name": "Bo AB"})
    made.books.connect("customer", severa, erp)
    later(made)
    assert theirs["customer"] == {"number": "10002"}


@pytest.mark.req("R-CUS-8")
def test_a_renumbered_project_is_reported_and_data_keeps_flowing() -> None:
    made = world()
    ours, theirs = linked(made)
    ours.update(number=4712, name="Renamed")
    made.clock.forward(600)
    poll(made)

    (outcome,) = made.run(settle, made.delivery("project", severa=("projects", "p1")))

    assert isinstance(outcome.error, Stop)
    assert outcome.error.code == "project.renumbered"
    assert theirs["description"] == "Renamed"


def test_a_lost_answer_to_a_create_is_looked_up_by_number() -> None:
    made = world()
    put_severa(made, "projects", project())
    made.faults.arm("create", "project", OutcomeUnknown(), after=True)

    first, last = made.run(settle, made.delivery("project", severa=("projects", "p1")))

    assert isinstance(first.error, OutcomeUnknown)
    assert last.settled is not None
    assert changed(made) == ["visma_net create project"]


def test_a_project_found_after_an_unknown_create_must_be_of_our_customer() -> None:
    made = world()
    put_severa(made, "projects", project())
    made.faults.arm("create", "project", OutcomeUnknown())
    delivery = made.delivery("project", severa=("projects", "p1"))
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    made.erp.store("project", there(customer={"number": "10999"}), "4711")

    with pytest.raises(Stop) as caught:
        settle(delivery.again())

    assert caught.value.code == "project.number_taken"


def test_a_link_survives_a_refused_change() -> None:
    made = world()
    assert isinstance(made.erp, RegisterErp)
    made.erp.template_tasks = []
    put_severa(made, "projects", project())
    refused = Refused("Task cannot be added", system="visma_net", status=400, operation="PUT /v1/project")
    made.faults.arm("update", "project", refused)

    (outcome,) = made.run(settle, made.delivery("project", severa=("projects", "p1")))

    assert isinstance(outcome.error, Stop)
    assert outcome.error.code == "project.refused"
    assert made.books.link("project", severa_id="p1") is not None
    assert [line.code for line in settled(made).log] == ["project.updated"]


def test_erp_projects_of_their_own_are_left_alone() -> None:
    made = world()
    put_erp(made, "project", "9999", there(projectID="9999"))

    assert settle(made.delivery("project", erp=("project", "812"))).effects == Effects()


@pytest.mark.req("R-PRJ-1", "R-PRJ-3")
def test_a_sales_case_that_is_won_stays_active_and_a_lost_one_won_back_is_active_again() -> None:
    made = world()
    put_severa(made, "salescases", project(salesStatus={"salesStatusTypeGuid": "inprogress"}))
    settled(made, "salescases")
    stored = made.erp.stored("project", "4711")
    # It has become a project, which shows it as won.
    ours = put_severa(made, "projects", project())
    assert [line.code for line in later(made).log] == []
    assert stored["status"] == "Active"

    for state, status in (("lost", "Cancelled"), ("won", "Active")):
        made.severa.stored("projects", "p1")["salesStatus"] = {"salesStatusTypeGuid": state}
        later(made)
        assert stored["status"] == status
    assert ours["guid"] == "p1"


@pytest.mark.req("R-CUS-8")
def test_a_project_whose_number_another_has_taken_is_reported_with_a_relink() -> None:
    made = world()
    linked(made)
    del made.severa.records["projects"]["p1"]
    key = ("severa", "projects", "p1")
    made.books.records[key] = replace(made.books.records[key], gone=True)
    put_severa(made, "projects", project(guid="p9"))

    stop = stopped(made)

    assert stop.code == "project.merged"
    link = made.books.link("project", severa_id="p1")
    assert link is not None
    assert stop.values["relink"] == {"severa_id": "p9", "erp_id": link.erp_id}


@pytest.mark.req("R-PRJ-5")
def test_a_project_whose_customer_is_in_error_points_at_it_and_goes_on_when_that_is_linked() -> None:
    made = world(customer_linked=False)
    put_severa(made, "projects", project())
    made.books.problems.add(("severa", "c1"))

    stop = stopped(made)

    assert (stop.code, stop.values["customer"]) == ("project.customer_in_error", "Ada AB")
    assert stop.waits_for is not None
    assert (stop.waits_for.domain, stop.waits_for.severa_id) == ("customer", "c1")
