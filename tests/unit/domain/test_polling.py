"""What a poll decides, without asking anybody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import polling
from domain.catalogue import registers
from domain.errors import Forbidden, NotFound, Refused
from domain.model import Json
from domain.polling import Asked, Brake, Count, Fate, Left, Order, Pace, Reading, Stream
from domain.registers import Concern, Register
from domain.setup.settings import TenantSettings

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PACE = Pace(sweep=24 * HOUR, reference=HOUR, overlap=10 * MINUTE)
SETTINGS = TenantSettings()


def register(name: str = "customers", **members: object) -> Register:
    whole: dict[str, object] = {
        "system": "severa",
        "name": name,
        "identify": lambda body: body["guid"],
        "number": lambda _body: "",
        "title": lambda _body: "",
        "projection": lambda _body: {},
        "concerns": lambda body: (Concern("customer", name, body["guid"]),),
        "remote_time": lambda _body: None,
    }
    return Register(**{**whole, **members})  # type: ignore[arg-type]


def stream(name: str = "customers", **members: datetime | None) -> Stream:
    return Stream(name, **{"watermark": NOON, "complete_at": NOON, "swept_at": NOON, **members})


def reading(**members: object) -> Reading:
    whole: dict[str, object] = {
        "id": 1, "register": "customers", "state": "open", "whole": True, "since": None, "began_at": NOON,
        "completed_at": None, "position": "page 7", "mark_at": NOON, "newest": None,
    }  # fmt: skip
    return Reading(**{**whole, **members})  # type: ignore[arg-type]


# ---------------------------------------------------------------- which registers, since when


def names(*found: Register, streams: dict[str, Stream] | None = None, **more: frozenset[str]) -> list[str]:
    return [one.name for one in polling.wanted(found, streams or {}, SETTINGS, NOON, PACE, **more)]


def test_reference_registers_come_first_and_only_when_they_are_due() -> None:
    rows, terms = register("customers"), register("terms", reference=True)
    assert names(rows, terms) == ["terms", "customers"]
    assert names(rows, terms, streams={"terms": stream("terms", complete_at=NOON - 59 * MINUTE)}) == [
        "customers"
    ]
    assert names(rows, terms, streams={"terms": stream("terms", complete_at=NOON - 61 * MINUTE)}) == [
        "terms",
        "customers",
    ]


@pytest.mark.parametrize("kind", ["slow", "shown by another"])
def test_slow_registers_and_those_that_another_one_shows_are_read_as_seldom(kind: str) -> None:
    one = register("cases", slow=kind == "slow")
    shown = frozenset({"cases"} if kind != "slow" else ())
    assert names(one, streams={"cases": stream("cases", complete_at=NOON - MINUTE)}, shown=shown) == []
    assert names(one, shown=shown) == ["cases"], "never read is due"


def test_a_register_that_the_tenant_does_not_want_is_not_read() -> None:
    assert names(register(wanted=lambda _settings: False)) == []


def test_what_broke_last_time_comes_last() -> None:
    found = [register("a", reference=True), register("b"), register("c")]
    assert names(*found, open_ones=frozenset({"a", "b"})) == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (None, None),
        (stream(watermark=None), None),
        (stream(swept_at=None), None),
        (stream(swept_at=NOON - 25 * HOUR), None),
        (stream(), NOON - 10 * MINUTE),
        (stream(unsure_since=NOON - HOUR), NOON - 70 * MINUTE),
        (stream(unsure_since=NOON + HOUR), NOON - 10 * MINUTE),
    ],
)
def test_changes_are_asked_for_from_before_the_mark(known: Stream | None, expected: datetime | None) -> None:
    assert polling.since(register(), known, NOON, PACE) == expected


def test_a_reference_register_is_always_read_whole() -> None:
    assert polling.since(register(reference=True), stream(), NOON, PACE) is None


@pytest.mark.schedule("S40")
def test_a_reading_goes_on_for_an_hour_where_its_connector_can() -> None:
    assert polling.goes_on(reading(), NOON + 59 * MINUTE)
    assert not polling.goes_on(reading(), NOON + 60 * MINUTE)
    assert not polling.goes_on(reading(position=None), NOON)


def test_after_three_registers_in_a_row_it_is_the_server_that_is_not_understood() -> None:
    assert [polling.is_the_server(n) for n in range(5)] == [False, False, False, True, True]


# ---------------------------------------------------------------- what is left of earlier readings


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"state": "let_through"}, Left.LET_THROUGH),
        ({"state": "let_through", "position": None}, Left.LET_THROUGH),
        ({"state": "open"}, Left.GO_ON),
        ({"state": "open", "position": None}, Left.GIVE_UP),
        ({"state": "open", "began_at": NOON - HOUR}, Left.GIVE_UP),
        ({"state": "held"}, Left.NOTHING),
        ({"state": "complete"}, Left.NOTHING),
        ({"state": "dead"}, Left.NOTHING),
    ],
)
def test_what_an_earlier_poll_left_to_be_done(members: dict[str, object], expected: Left) -> None:
    assert polling.left(reading(**members), NOON) is expected


def test_a_place_that_is_forgotten_is_read_from_the_first_page_and_a_missing_right_is_not() -> None:
    assert polling.begins_anew(Refused(status=400))
    assert polling.begins_anew(NotFound(status=404))
    assert not polling.begins_anew(Forbidden(status=403))


# ---------------------------------------------------------------- which of two states is newer

MOMENTS = st.integers(0, 50).map(lambda n: NOON + n * MINUTE)


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    first, last = sorted([draw(MOMENTS), draw(MOMENTS)])
    return Asked(first, last)


@given(new=asked(), stored=asked())
def test_one_state_is_newer_only_if_it_was_asked_for_when_the_other_had_been_answered(
    new: Asked, stored: Asked
) -> None:
    found = polling.order(new, stored, NOON + 10 * HOUR)
    assert (found is Order.NEWER) == (new.asked_at >= stored.answered_at)
    if found is Order.OLDER:
        assert new.answered_at <= stored.asked_at


@given(new=asked(), stored=asked())
def test_no_two_states_are_each_older_than_the_other(new: Asked, stored: Asked) -> None:
    now = NOON + 10 * HOUR
    assert {polling.order(new, stored, now), polling.order(stored, new, now)} != {Order.OLDER}


def test_a_stored_time_that_is_still_to_come_orders_nothing() -> None:
    ahead = Asked(NOON + HOUR, NOON + HOUR)
    assert polling.order(Asked(NOON, NOON), ahead, NOON + MINUTE) is Order.NEWER


# ---------------------------------------------------------------- the mark


@given(before=st.none() | MOMENTS, newest=st.none() | MOMENTS, first=MOMENTS)
def test_the_mark_is_never_later_than_the_first_answer(
    before: datetime | None, newest: datetime | None, first: datetime
) -> None:
    found = polling.mark(before, newest, first)
    assert found is None or found <= first
    assert (found is None) == (before is None and newest is None)


def test_the_mark_stays_where_rows_were_left_out() -> None:
    assert polling.mark(NOON, NOON + HOUR, NOON + HOUR, left_out=1) == NOON


@given(stamps=st.lists(st.none() | MOMENTS), server=st.none() | MOMENTS)
def test_the_newest_stamp_is_one_of_the_rows_and_never_ahead_of_the_answer(
    stamps: list[datetime | None], server: datetime | None
) -> None:
    found = polling.newest(stamps, server)
    counting = [one for one in stamps if one is not None and (server is None or one <= server)]
    if found is None:
        assert counting == []
    else:
        assert found in counting
        assert all(one <= found for one in counting)


@pytest.mark.parametrize(
    ("members", "asked", "stands"),
    [
        ({}, False, True),
        ({"unreadable": 3}, False, True),
        ({"whole": False}, False, False),
        ({"left_out": 1}, False, False),
        ({}, True, False),
    ],
)
def test_a_sweep_is_over_when_everything_was_asked_for_and_nobody_is_asked_about_absence(
    members: dict[str, object], *, asked: bool, stands: bool
) -> None:
    assert polling.swept(reading(completed_at=NOON, **members), asked_about_absence=asked) is stands


def test_without_a_date_the_first_answer_counts_as_before_the_overlap() -> None:
    assert polling.first_mark(None, NOON, PACE) == NOON - 10 * MINUTE
    assert polling.first_mark(NOON - HOUR, NOON, PACE) == NOON - HOUR


# ---------------------------------------------------------------- let through or held

BRAKE = Brake(percent=20, records=25)


@pytest.mark.req("R-CON-3")
@pytest.mark.parametrize(
    ("count", "stops"),
    [
        (Count(known=100, changed=24, missing=0, rows=100), False),
        (Count(known=100, changed=25, missing=0, rows=100), True),
        (Count(known=125, changed=25, missing=0, rows=100), False),
        (Count(known=124, changed=20, missing=5, rows=100), True),
        (Count(known=3, changed=0, missing=3, rows=0), True),
        (Count(known=3, changed=0, missing=2, rows=1), False),
        (Count(known=0, changed=0, missing=0, rows=0), False),
    ],
)
def test_the_brake(count: Count, *, stops: bool) -> None:
    assert BRAKE.stops(register(), count) is stops


def test_absence_says_nothing_in_a_register_that_rows_leave_every_day() -> None:
    assert not BRAKE.stops(register(passing=True), Count(known=100, changed=0, missing=100, rows=0))


@pytest.mark.req("R-CON-3")
@pytest.mark.parametrize(
    ("held", "asked", "waiting", "missing", "expected"),
    [
        (False, [], 0, 0, Fate.EMPTY),
        (False, [], 3, 0, Fate.ANNOUNCED),
        (False, [], 0, 1, Fate.ANNOUNCED),
        (False, ["customer"], 30, 0, Fate.HELD),
        # one that joins a held register waits with it, whatever it brought itself
        (True, [], 0, 0, Fate.HELD),
        (True, [], 1, 1, Fate.HELD),
    ],
)
def test_what_becomes_of_a_reading_that_has_ended(
    asked: list[str], waiting: int, missing: int, expected: Fate, *, held: bool
) -> None:
    assert polling.fate(held=held, asked=asked, waiting=waiting, missing=missing) is expected


def test_a_later_reading_leaves_the_question_alone_unless_it_read_everything() -> None:
    part, whole = reading(completed_at=NOON, whole=False), reading(completed_at=NOON)
    assert polling.joins(part, held=True)
    assert not polling.joins(whole, held=True)
    assert not polling.joins(part, held=False), "nobody was asked anything"


@pytest.mark.parametrize(
    ("completed_at", "asked", "paused", "expected"),
    [
        (NOON, True, False, True),
        (NOON, True, True, False),
        (NOON, False, False, False),
        (None, True, False, False),
    ],
)
def test_only_a_whole_reading_answers_a_question_and_never_one_for_which_something_is_paused(
    completed_at: datetime | None, *, asked: bool, paused: bool, expected: bool
) -> None:
    assert polling.may_answer(reading(completed_at=completed_at), asked=asked, paused=paused) is expected


@pytest.mark.parametrize("found", registers(), ids=lambda one: f"{one.system} {one.name}")
def test_what_concerns_a_register_that_people_keep_is_held_back(found: Register) -> None:
    """A body that has everything: every register says whom its rows concern without breaking on it."""
    kept = {"customers", "customer", "addresses", "contactpersons", "contactcommunications", "contact", "products",
            "worktypes", "travelexpensetypes", "inventory", "projects", "salescases", "project"}  # fmt: skip
    body: Json = {
        "guid": "g", "internalId": 1, "inventoryId": 1, "contactId": 1, "projectID": "P1", "internalID": 1,
        "customer": {"guid": "c"}, "contact": {"guid": "k"}, "businessAccount": "10001",
    }  # fmt: skip
    assert polling.held_back(found, body) is (found.name in kept)


def test_only_the_domains_that_people_keep_are_asked_about_for_changes_and_all_for_absence() -> None:
    invoices = register("invoices", concerns=lambda body: (Concern("invoice", "invoices", body["guid"]),))
    one: list[Json] = [{"guid": "1"}]
    assert polling.asked_domains(invoices, one, [], many=True) == []
    assert polling.asked_domains(invoices, [], one, many=True) == ["invoice"]
    assert polling.asked_domains(invoices, [], one, many=False) == []
    assert polling.asked_domains(replace(invoices, passing=True), [], one, many=True) == []
    assert polling.asked_domains(register(), one, [], many=False) == ["customer"]
    assert polling.asked_domains(register(), [], one, many=False) == ["customer"]


@pytest.mark.parametrize(
    ("members", "shows"),
    [
        ({"completed_at": NOON}, True),
        ({}, False),
        ({"completed_at": NOON, "whole": False}, False),
        ({"completed_at": NOON, "unreadable": 1}, False),
        ({"completed_at": NOON, "left_out": 1}, False),
    ],
)
def test_absence_is_shown_only_by_a_whole_reading_without_a_gap(
    members: dict[str, object], *, shows: bool
) -> None:
    assert reading(**members).shows_absence is shows


def test_the_day_before_which_rows_are_left_alone_is_the_tenants() -> None:
    settings = TenantSettings(invoices_from=NOON.date())
    assert register(start_setting="invoices_from").start(settings) == NOON.date()
    assert register().start(settings) is None


def test_what_a_row_is_read_singly_by() -> None:
    assert register().key({"guid": "g"}) == "g"
    assert register(reference=True).key({"guid": "g"}) == ""
    assert register(system="visma_net").key({"guid": "g"}) == ""
    assert register(system="visma_net", single=lambda body: str(body["number"])).key({"number": 7}) == "7"
