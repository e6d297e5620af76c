"""An answer is known or not known (docs/never-twice.md rule 11): what a poll concludes from lists that did not come whole."""

from __future__ import annotations

from datetime import datetime

import pytest
from road import Json, Road

CUSTOMERS = "/v1/customers$"
ERP_CUSTOMERS = "/v1/customer$"


def in_step(road: Road, name: str, vat_number: str) -> tuple[Json, str]:
    made = road.add_customer(name, vatNumber=vat_number)
    road.settle()
    return made, road.erp.one("customer", name=name)["number"]


def web(road: Road, number: str) -> str:
    found: str = road.erp.one("customer", number=number)["mainContact"]["web"]
    return found


def gone(road: Road) -> int:
    [row] = road.sql(
        "select count(*) as n from record where tenant_id = %s and gone_at is not null", road.tenant_id
    )
    return int(row["n"])


def mark(road: Road, system: str, register: str) -> tuple[datetime | None, datetime | None]:
    [row] = road.sql(
        "select watermark, complete_at from stream where tenant_id = %s and system = %s and register = %s",
        road.tenant_id,
        system,
        register,
    )
    return row["watermark"], row["complete_at"]


def sweep(road: Road) -> None:
    """The next poll reads every register whole, and marks what it does not see."""
    road.sql("update stream set swept_at = null where tenant_id = %s", road.tenant_id)


def unread(road: Road, since: dict[tuple[str, str], datetime]) -> set[tuple[str, str]]:
    """Registers that were not read completely since then."""
    now = complete(road)
    return {key for key, at in since.items() if now[key] <= at}


def complete(road: Road) -> dict[tuple[str, str], datetime]:
    rows = road.sql("select system, register, complete_at from stream where tenant_id = %s", road.tenant_id)
    return {(row["system"], row["register"]): row["complete_at"] for row in rows}


@pytest.mark.req("R-PRO-8", "R-LOG-3")
@pytest.mark.schedule("S10")
def test_a_severa_list_that_repeats_a_page_gives_its_changes_and_concludes_no_absence(road: Road) -> None:
    made, number = in_step(road, "Kort Lista AB", "SE556111779101")
    road.severa.change("customers", made["guid"], website="https://kort.example")
    row = {**road.severa.one("customers", guid=made["guid"]), "history": None}
    sweep(road)
    before, absent, read = mark(road, "severa", "customers"), gone(road), complete(road)
    again = {"NextPageToken": "again"}
    road.severa.arm("status", CUSTOMERS, method="GET", status=200, body=[row], headers=again, times=6)
    road.poll()
    assert [(one["code"], one["system"], one["register"]) for one in road.problems()] == [
        ("poll.short_list", "severa", "customers")
    ]
    assert road.problems()[0]["values"] == {
        "system": "severa",
        "register": "customers",
        "got": 1,
    }
    assert gone(road) == absent
    assert mark(road, "severa", "customers") == before
    swept = {key for key in unread(road, read) if key[0] == "severa"}
    assert ("severa", "customers") in swept
    assert ("severa", "products") not in swept
    assert ("severa", "invoices") not in swept
    # What came is transferred, and the next complete reading closes the problem.
    road.settle()
    assert web(road, number) == "https://kort.example"
    assert road.codes() == []
    assert mark(road, "severa", "customers") > before


@pytest.mark.req("R-PRO-8")
@pytest.mark.schedule("S10")
def test_an_erp_list_below_its_count_marks_nothing_gone(road: Road) -> None:
    made = road.add_customer("Ensam Kund AB", vatNumber="SE556111779201")
    road.settle()
    row = road.erp.one("customer", name="Ensam Kund AB")
    shown = {
        "internalId": row["internalId"],
        "number": row["number"],
        "name": row["name"],
        "metadata": {"totalCount": 900, "maxPageSize": 500},
    }
    sweep(road)
    before, absent = mark(road, "visma_net", "customer"), gone(road)
    road.erp.arm("status", ERP_CUSTOMERS, method="GET", status=200, body=[shown], times=6)
    road.poll()
    problems = [one for one in road.problems() if one["code"] == "poll.short_list"]
    assert [(one["values"]["expected"], one["values"]["got"]) for one in problems] == [(900, 1)]
    assert gone(road) == absent
    assert mark(road, "visma_net", "customer") == before
    road.settle()
    assert "poll.short_list" not in road.codes()
    assert road.severa.one("customers", guid=made["guid"])["name"] == "Ensam Kund AB"


@pytest.mark.req("R-PRO-8")
@pytest.mark.schedule("S10")
@pytest.mark.parametrize(
    "body", ["<html><body>Maintenance</body></html>", "", None, {}, '[{"guid": "cut'], ids=repr
)
def test_a_register_that_is_not_understood_does_not_stop_the_others(road: Road, body: object) -> None:
    sweep(road)
    before, absent, read = mark(road, "severa", "customers"), gone(road), complete(road)
    road.severa.arm("status", CUSTOMERS, method="GET", status=200, body=body, times=None)
    road.poll()
    [connection] = road.sql(
        "select last_error from connection where tenant_id = %s and system = 'severa'", road.tenant_id
    )
    assert "GET /v1/customers could not be understood" in connection["last_error"]
    assert gone(road) == absent
    assert mark(road, "severa", "customers") == before
    left = {register for system, register in unread(road, read) if system == "severa"}
    assert "customers" in left
    assert not left & {"products", "projects", "invoices"}
    road.installation.severa.disarm()
    road.settle()
    assert road.codes() == []
    [connection] = road.sql(
        "select last_error from connection where tenant_id = %s and system = 'severa'", road.tenant_id
    )
    assert connection["last_error"] is None


@pytest.mark.req("R-PRO-8")
@pytest.mark.schedule("S10")
def test_a_register_that_is_suddenly_not_there_is_a_short_list_and_nothing_of_it_is_gone(road: Road) -> None:
    sweep(road)
    absent = gone(road)
    road.erp.arm(
        "status", "/v1/inventory$", method="GET", status=404, body={"message": "Not found."}, times=1
    )
    road.poll()
    [problem] = road.problems()
    assert (problem["code"], problem["register"]) == ("poll.short_list", "inventory")
    assert problem["values"]["got"] == 0
    assert problem["values"]["expected"] > 0
    assert gone(road) == absent
    road.settle()
    assert road.codes() == []


@pytest.mark.req("R-PRO-8", "R-LOG-3")
def test_answers_that_are_not_understood_three_polls_in_a_row_are_told_until_they_are(road: Road) -> None:
    road.severa.arm("status", CUSTOMERS, method="GET", status=200, body="<html></html>", times=None)
    for _ in range(2):
        road.poll()
    assert road.codes() == []
    road.poll()
    [problem] = road.problems()
    assert (problem["code"], problem["register"]) == ("poll.not_understood", "customers")
    assert "GET /v1/customers could not be understood" in problem["wrong"]
    road.installation.severa.disarm()
    road.settle()
    assert road.codes() == []
