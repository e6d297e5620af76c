"""A delivery of a project wrote, and its last transaction was lost: the status is ours, and Severa's next one is carried over."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from domain.model import Json
from domain.project.steps import settle
from tests.fakes import Killed, World
from tests.fakes_registers import poll, put_erp, put_severa
from tests.unit.domain.ends_lost import deaths, rest
from tests.unit.domain.project_world import changed, later, linked, project, settled, there, world

pytestmark = pytest.mark.req("R-PRJ-3")

NEED = ("active",)


def lost(made: World) -> None:
    """A delivery whose last transaction never came: what it agreed on and saw is forgotten."""
    made.clock.forward(600)
    poll(made)
    settle(made.delivery("project", severa=("projects", "p1")))
    made.clock.forward(600)
    poll(made)


def quiet(made: World) -> None:
    """Nothing is left to be written; once the end that was lost is made up for, nothing is asked either."""
    made.calls.clear()
    later(made)
    assert changed(made) == []
    made.calls.clear()
    later(made)
    assert made.calls == []


def needed(made: World, *needs: str) -> None:
    made.books.needs["project", "p1"] = needs


@pytest.fixture
def both() -> tuple[World, Json, Json]:
    made = world()
    return (made, *linked(made))


Both = tuple[World, Json, Json]


@pytest.mark.parametrize("looks", [0, 1])
def test_a_project_that_is_opened_again_is_opened_there_too(both: Both, looks: int) -> None:
    made, severa, erp = both
    severa["isClosed"] = True
    lost(made)
    assert erp["status"] == "Completed"
    for _ in range(looks):
        quiet(made)
    severa["isClosed"] = False
    later(made)
    assert erp["status"] == "Active"
    quiet(made)


def test_a_project_that_is_closed_again_is_closed_there_too(both: Both) -> None:
    made, severa, erp = both
    severa["isClosed"] = True
    later(made)
    severa["isClosed"] = False
    lost(made)
    assert erp["status"] == "Active"
    severa["isClosed"] = True
    later(made)
    assert erp["status"] == "Completed"
    quiet(made)


@pytest.mark.parametrize("looks", [0, 1])
def test_what_somebody_sets_in_the_erp_afterwards_stays(both: Both, looks: int) -> None:
    """Who sets it back to what it was before anybody looked is not told from a write that never came."""
    made, severa, erp = both
    severa["isClosed"] = True
    lost(made)
    for _ in range(looks):
        quiet(made)
    erp["status"] = "Active" if looks else "Suspended"
    later(made)
    assert erp["status"] == ("Active" if looks else "Suspended")
    quiet(made)


@pytest.mark.parametrize("looks", [0, 1])
@pytest.mark.parametrize("closed_in", ["Severa", "the ERP"])
def test_what_was_opened_for_a_late_document_is_set_back(both: Both, looks: int, closed_in: str) -> None:
    made, severa, erp = both
    if closed_in == "Severa":
        severa["isClosed"] = True
        later(made)
    else:
        # A person of the ERP made it inactive: so it is again afterwards.
        erp["status"] = "Completed"
        later(made)
    assert erp["status"] == "Completed"
    needed(made, *NEED)
    lost(made)
    assert erp["status"] == "Active"
    for _ in range(looks):
        quiet(made)
    needed(made)
    later(made)
    assert erp["status"] == "Completed"
    quiet(made)


def test_what_was_sent_is_forgotten_with_the_end_that_tells_of_it(both: Both) -> None:
    """Else a status that a person sets months later would be taken for ours."""
    made, severa, _ = both
    severa["isClosed"] = True
    lost(made)
    for status, closed in (("Completed", True), ("Active", False)):
        severa["isClosed"] = closed
        later(made)
        link = made.books.link("project", severa_id="p1")
        assert link is not None
        assert "sent" not in link.state
        assert link.base["status"] == [status, status]


def test_of_what_is_seen_late_the_sent_status_is_not_forgotten(both: Both) -> None:
    """Severa is polled sooner than the ERP: as seen last both agree, and what was sent stands there."""
    made, severa, erp = both
    severa["isClosed"] = True
    made.clock.forward(600)
    poll(made)
    settle(made.delivery("project", severa=("projects", "p1")))
    severa["isClosed"] = False
    made.clock.forward(60)
    made.books.remember("severa", "projects", severa)
    settled(made)
    later(made)
    assert erp["status"] == "Active"


@pytest.mark.parametrize(
    ("field", "value", "there"),
    [("name", "Other", "description"), ("startDate", "2026-04-01", "startDate")],
)
@pytest.mark.parametrize("then", ["back", "on"])
def test_what_severa_owns_is_carried_over_again(
    both: Both, field: str, value: str, there: str, then: str
) -> None:
    made, severa, erp = both
    before = severa[field]
    severa[field] = value
    lost(made)
    assert str(erp[there]).startswith(value)
    severa[field] = before if then == "back" else f"{value[:-1]}9"
    later(made)
    assert str(erp[there]).startswith(severa[field])
    quiet(made)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("n", range(1, 9))
def test_wherever_it_dies_the_next_state_stands(both: Both, n: int, when: str) -> None:
    made, severa, erp = both
    severa["isClosed"], severa["name"] = True, "Other"
    made.clock.forward(600)
    poll(made)
    made.faults.arm_nth(n, Killed(), after=when == "after")
    with contextlib.suppress(Killed):
        settle(made.delivery("project", severa=("projects", "p1")))
    made.faults.clear()
    made.clock.forward(made.settle_seconds + 600)
    severa["isClosed"], severa["name"] = False, "Last"
    poll(made)
    settled(made)
    made.clock.forward(600)
    poll(made)
    settled(made)
    assert (erp["status"], erp["description"]) == ("Active", "Last")
    quiet(made)
    assert changed(made) == []


WHICH = {"domain": "project", "severa": ("projects", "p1")}


def unlinked() -> World:
    made = world()
    put_severa(made, "projects", project())
    return made


def met() -> World:
    made = unlinked()
    put_erp(made, "project", "4711", there(status="Planned"))
    return made


def met_active() -> World:
    made = unlinked()
    put_erp(made, "project", "4711", there())
    return made


def only(made: World) -> Json | None:
    rows = list(made.erp.records.get("project", {}).values())
    assert len(rows) <= 1
    return rows[0] if rows else None


@pytest.mark.parametrize("put_up", [unlinked, met, met_active])
@pytest.mark.parametrize("status", ["OnHold", "Completed", "Cancelled"])
def test_whenever_a_first_meeting_dies_a_status_that_somebody_sets_in_the_erp_stays(
    put_up: Callable[[], World], status: str
) -> None:
    seen = 0
    for death in deaths(put_up, settle, **WHICH):
        erp = only(death.made)
        if erp is None or not (put_up is unlinked or death.committed("sending met")):
            continue
        seen += 1
        erp["status"] = status
        assert rest(death, settle, **WHICH) == [], death.at
        assert only(death.made) is erp
        assert erp["status"] == status, death.at
    assert seen


@pytest.mark.parametrize("put_up", [unlinked, met])
def test_whenever_a_first_meeting_dies_the_project_is_there_once_and_active(
    put_up: Callable[[], World],
) -> None:
    for death in deaths(put_up, settle, **WHICH):
        assert rest(death, settle, **WHICH) == [], death.at
        erp = only(death.made)
        assert erp is not None
        assert erp["status"] == "Active", death.at


@pytest.mark.parametrize("put_up", [unlinked, met])
def test_whenever_a_first_meeting_dies_a_project_that_is_closed_meanwhile_is_closed_there_too(
    put_up: Callable[[], World],
) -> None:
    for death in deaths(put_up, settle, **WHICH):
        death.made.severa.stored("projects", "p1")["isClosed"] = True
        begun = only(death.made) is not None and (put_up is unlinked or death.committed("sending met"))
        assert rest(death, settle, **WHICH) == [], death.at
        erp = only(death.made)
        if begun:
            assert erp is not None
            assert erp["status"] == "Completed", death.at


def test_whenever_a_create_dies_what_changes_in_severa_meanwhile_is_there_once() -> None:
    for death in deaths(unlinked, settle, **WHICH):
        severa = death.made.severa.stored("projects", "p1")
        severa["name"], severa["startDate"] = "Last", "2026-05-01"
        assert rest(death, settle, **WHICH) == [], death.at
        erp = only(death.made)
        assert erp is not None
        assert (erp["description"], erp["startDate"][:10]) == ("Last", "2026-05-01"), death.at


def test_whenever_a_create_dies_one_that_is_renumbered_meanwhile_is_not_made_twice() -> None:
    for death in deaths(unlinked, settle, **WHICH):
        death.made.severa.stored("projects", "p1")["number"] = 4712
        begun = only(death.made) is not None
        told = rest(death, settle, **WHICH)
        assert set(told) == ({"project.renumbered"} if begun else set()), death.at
        assert only(death.made) is not None


def test_whenever_a_create_dies_one_that_goes_to_another_customer_meanwhile_is_not_taken_for_anothers() -> (
    None
):
    for death in deaths(unlinked, settle, **WHICH):
        made = death.made
        ours = put_severa(made, "customers", {"guid": "c2", "name": "Bo AB", "number": 10002})
        theirs = put_erp(made, "customer", "10002", {"internalId": 8, "number": "10002", "name": "Bo AB"})
        made.books.connect(
            "customer",
            made.books.remember("severa", "customers", ours),
            made.books.remember("visma_net", "customer", theirs),
        )
        made.severa.stored("projects", "p1")["customer"] = {"guid": "c2", "name": "Bo AB"}
        assert rest(death, settle, **WHICH) == [], death.at
        erp = only(made)
        assert erp is not None
        assert erp["customer"] == {"number": "10002"}, death.at
