"""A reading is let through or held as a whole (docs/never-twice.md rule 16): the brake, resuming, readings that are cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from integration.poll_world import CUSTOMERS, INVOICES, Killed, World, a_register, world
from services import Database as Made

from app import tenancy
from domain.errors import InputError, RateLimited, Refused, RegisterMissing, ShortList, Unavailable
from domain.registers import Register

CONTACTS = a_register("contactpersons", "customer")


@dataclass
class Bridge:
    """As much of ``app.bootstrap.Bridge`` as a person who resumes needs."""

    db: object


@pytest.fixture
def made(database: Made) -> Iterator[World]:
    with world(database, CUSTOMERS, INVOICES, CONTACTS) as found:
        yield found


def resume(made: World, domain: str | None = None, **more: object) -> None:
    tenancy.set_paused(Bridge(made.db), "one", paused=False, domain=domain, **more)  # type: ignore[arg-type]


def in_step(made: World, n: int = 60, register: Register = CUSTOMERS) -> None:
    """So many records, read and settled."""
    made.vendor.fill(register.name, n)
    made.poll()
    made.settle_all()


def die() -> None:
    raise Killed


def cut() -> None:
    raise Unavailable("cut")


def rate_limited() -> None:
    raise RateLimited("slow down")


# ---------------------------------------------------------------- the brake


@pytest.mark.req("R-CON-3")
def test_a_mass_change_is_stored_at_once_and_nobody_is_told(made: World) -> None:
    in_step(made)
    made.vendor.fill("customers", 30, "changed")
    made.poll()
    assert made.name(CUSTOMERS, "00000") == "changed"
    assert (made.work(), made.paused()) == ([], ["customer"])
    question = made.problems()["poll.brake"]
    assert (question["changed"], question["known"], question["missing"]) == (30, 60, 0)
    assert ("customers", "held") in made.readings()


@pytest.mark.schedule("S15")
@pytest.mark.parametrize("goes_on", ["where it stopped", "anew, an hour later"])
def test_a_poller_killed_between_the_pages_of_a_mass_change_has_the_brake_asked(
    made: World, goes_on: str
) -> None:
    in_step(made)
    made.vendor.fill("customers", 60, "changed")
    made.vendor.before_answer["customers", 3] = die
    made.poll_until_killed()
    assert made.name(CUSTOMERS, "00029") == "changed", "the pages before are stored"
    assert made.work() == []
    made.audit()
    assert made.work() == [], "what no reading has let through is not the audit's business"
    made.vendor.before_answer.clear()
    if goes_on != "where it stopped":
        made.later(timedelta(minutes=61))
    made.vendor.asked.clear()
    made.poll()
    assert made.vendor.pages_asked("customers")[0] == (3 if goes_on == "where it stopped" else 0)
    assert (made.work(), made.paused()) == ([], ["customer"])
    assert made.problems()["poll.brake"]["changed"] == 60
    made.audit()
    assert made.work() == []


@pytest.mark.schedule("S15")
def test_a_mass_change_in_parts_is_one(made: World) -> None:
    """Each reading is cut after a few changed rows, begins anew an hour later, and would pass alone."""
    in_step(made, 200)
    for part in range(4):
        for i in range(part * 20, part * 20 + 20):
            made.vendor.put("customers", f"{i:05d}", "changed")
        made.vendor.before_answer["customers", (part + 1) * 2] = cut
        made.poll()
        made.vendor.before_answer.clear()
        made.later(timedelta(minutes=61))
        if made.paused():
            break
    assert made.paused() == ["customer"]
    assert len(made.work()) <= 40, "what the limits admit, and not one more"


def test_registers_of_documents_are_announced_page_by_page(made: World) -> None:
    made.vendor.fill("invoices", 100)
    made.vendor.before_answer["invoices", 9] = die
    made.poll_until_killed()
    assert len(made.work("invoice")) == 90


@pytest.mark.req("R-CON-3")
def test_the_brake_counts_what_was_known_and_no_new_records(made: World) -> None:
    in_step(made, 30)
    for i in range(1000, 1100):
        made.vendor.put("customers", str(i), "new")
    made.poll()
    assert (made.paused(), len(made.work())) == ([], 100)


def test_absence_of_many_documents_is_asked_about_and_nothing_is_paused(made: World) -> None:
    in_step(made, 60, INVOICES)
    for i in range(60):
        made.link("invoice", "invoices", f"{i:05d}")
    kept, made.vendor.rows["invoices"] = made.vendor.rows["invoices"], {}
    made.sql("update stream set swept_at = null")
    made.poll()
    assert (made.gone(INVOICES), made.work(), made.paused()) == ([], [], [])
    assert made.problems()["poll.absent"]["missing"] == 60
    made.vendor.rows["invoices"] = kept
    made.sql("update stream set swept_at = null")
    made.poll()
    assert made.problems() == {}, "it answered itself"
    assert made.gone(INVOICES) == []


@pytest.mark.schedule("S10")
def test_a_register_that_is_not_there_tells_no_absence(made: World) -> None:
    in_step(made, 5)

    def unknown() -> None:
        raise RegisterMissing(system="severa", register="customers", operation="GET customers")

    made.vendor.before_answer["customers", 0] = unknown
    made.sql("update stream set swept_at = null")
    made.poll()
    assert made.gone(CUSTOMERS) == []
    assert made.problems()["poll.short_list"]["expected"] == 5
    del made.vendor.before_answer["customers", 0]
    made.poll()
    assert made.problems() == {}


# ---------------------------------------------------------------- resuming


def hold_two(made: World) -> None:
    """Customers and their contacts both changed at once."""
    in_step(made)
    in_step(made, 60, CONTACTS)
    made.vendor.fill("customers", 30, "changed")
    made.vendor.fill("contactpersons", 40, "changed")
    made.poll()
    assert made.paused() == ["customer"]
    assert made.work() == []


@pytest.mark.schedule("S16")
@pytest.mark.parametrize("domain", [None, "customer"])
def test_resuming_lets_everything_through_that_the_brake_had_stopped(made: World, domain: str | None) -> None:
    hold_two(made)
    resume(made, domain)
    assert (made.paused(), made.problems()) == ([], {})
    made.poll()
    # Their ids are the same here: a matter is (system, kind, id), so that the larger of the two is all there is.
    assert len(made.work()) == 40
    assert not {state for _, state in made.readings()} & {"held", "let_through"}
    details = made.sql("select details from audit_log where action = 'tenant.resumed'")[0]["details"]
    assert sorted((one["register"], one["changed"]) for one in details["let_through"]) == [
        ("contactpersons", 40),
        ("customers", 30),
    ]
    made.poll()
    assert made.problems() == {}, "the same is not asked again"


@pytest.mark.schedule("S16")
def test_resuming_leaves_alone_what_a_person_has_paused(made: World) -> None:
    hold_two(made)
    tenancy.set_paused(Bridge(made.db), "one", paused=True, domain="invoice")  # type: ignore[arg-type]
    resume(made)
    assert made.paused() == ["invoice"]


@pytest.mark.req("R-CON-3")
def test_another_mass_change_the_same_day_is_asked_about_again(made: World) -> None:
    in_step(made)
    made.vendor.fill("customers", 30, "changed")
    made.poll()
    resume(made)
    made.poll()
    made.settle_all()
    made.vendor.fill("customers", 30, "changed once more")
    made.poll()
    assert (made.paused(), made.work()) == (["customer"], [])


def test_more_than_was_shown_is_not_let_through(made: World) -> None:
    in_step(made)
    made.vendor.fill("customers", 30, "changed")
    made.poll()
    shown = tenancy.held(Bridge(made.db), "one")  # type: ignore[arg-type]
    made.vendor.fill("customers", 50, "changed")
    made.poll()
    with pytest.raises(InputError, match="has changed since it was shown"):
        resume(made, shown=shown)
    assert (made.paused(), made.work()) == (["customer"], [])
    resume(made, shown=tenancy.held(Bridge(made.db), "one"))  # type: ignore[arg-type]
    made.poll()
    assert len(made.work()) == 50


def test_the_question_is_brought_up_to_date_when_it_refuses(made: World) -> None:
    """Counts that moved without a reading: a worker wrote one of the held records."""
    in_step(made)
    made.vendor.fill("customers", 30, "changed")
    made.poll()
    made.sql("delete from record where id = '00059'")
    with pytest.raises(InputError):
        resume(made)
    assert made.problems()["poll.brake"]["known"] == 59
    resume(made)
    assert made.problems() == {}


def test_what_an_open_reading_brings_is_judged_at_its_own_end(made: World) -> None:
    """Somebody resumes while the next reading is half way: what that one brought was not shown, and waits."""
    in_step(made)
    made.vendor.fill("customers", 30, "changed")
    made.poll()
    for i in range(30, 60):
        made.vendor.put("customers", f"{i:05d}", "changed later")
    made.vendor.before_answer["customers", 5] = cut
    made.poll()
    resume(made)
    made.poll()
    assert made.work() == [f"customers/{i:05d}" for i in range(30)]
    made.vendor.before_answer.clear()
    made.poll()
    assert made.paused() == ["customer"]
    assert made.problems()["poll.brake"]["changed"] == 30


def test_missing_records_are_marked_once_a_person_has_said_so(made: World) -> None:
    in_step(made)
    for i in range(60):
        made.link("customer", "customers", f"{i:05d}")
    made.vendor.rows["customers"] = {}
    made.sql("update stream set swept_at = null")
    made.poll()
    assert (made.gone(CUSTOMERS), made.work()) == ([], [])
    assert made.problems()["poll.brake"]["missing"] == 60
    resume(made)
    made.poll()
    assert len(made.gone(CUSTOMERS)) == 60
    assert len(made.work("customer")) == 60
    assert {row["cause"] for row in made.sql("select cause from outbox")} == {"gone"}


# ---------------------------------------------------------------- readings that are cut


@pytest.mark.schedule("S40")
def test_a_reading_goes_on_where_it_stopped(made: World) -> None:
    """Four pages at a time, then 429: five polls bring 200 customers, and no page is asked for twice."""
    made.vendor.fill("customers", 200)
    for number in (4, 8, 12, 16):
        made.vendor.before_answer["customers", number] = rate_limited
    for _ in range(5):
        made.poll()
        first = min((n for _, n in made.vendor.before_answer), default=None)
        if first is not None:
            del made.vendor.before_answer["customers", first]
    answered = made.vendor.pages_asked("customers")
    assert sorted(set(answered)) == list(range(20))
    assert len(answered) == 20 + 4, "only the page that was refused is asked for again"
    assert len(made.work("customer")) == 200


@pytest.mark.schedule("S40")
def test_a_reading_that_always_dies_at_the_same_page_is_announced_all_the_same(made: World) -> None:
    made.vendor.fill("customers", 100)
    made.vendor.fill("invoices", 100)
    made.vendor.before_answer["customers", 7] = cut
    made.vendor.before_answer["invoices", 7] = cut
    made.poll()
    made.poll()
    assert len(made.work("invoice")) == 70, "with their pages"
    made.later(timedelta(minutes=61))
    made.poll()
    assert len(made.work("customer")) == 70, "once the reading is given up"
    assert made.watermark(CUSTOMERS) is None
    assert made.sql("select complete_at from stream where register = 'customers'") == []


@pytest.mark.schedule("S40")
def test_one_register_that_breaks_every_time_does_not_keep_the_others_from_being_read(made: World) -> None:
    made.vendor.fill("customers", 30)
    made.vendor.fill("invoices", 5)
    made.vendor.before_answer["customers", 1] = cut
    made.poll()
    assert made.work("invoice") == []
    made.poll()
    assert len(made.work("invoice")) == 5


def test_a_page_token_that_is_not_known_any_more_begins_the_reading_anew(made: World) -> None:
    made.vendor.fill("customers", 50)
    made.vendor.before_answer["customers", 3] = cut
    made.poll()

    def refused() -> None:
        del made.vendor.before_answer["customers", 3]
        raise Refused("unknown page token", system="severa", status=400)

    made.vendor.before_answer["customers", 3] = refused
    made.poll()
    assert len(made.work("customer")) == 50
    assert made.problems() == {}


@pytest.mark.schedule("S10")
def test_a_short_list_takes_what_came_and_concludes_nothing_from_what_did_not(made: World) -> None:
    in_step(made, 40)
    mark = made.watermark(CUSTOMERS)
    for guid in [f"{i:05d}" for i in range(20, 40)]:
        del made.vendor.rows["customers"][guid]
    made.vendor.put("customers", "00003", "changed")
    made.vendor.fill("invoices", 3)
    made.sql("update stream set swept_at = null")

    def short() -> None:
        raise ShortList(system="severa", register="customers", expected=40, got=20)

    made.vendor.after_last["customers"] = short
    made.poll()
    assert made.gone(CUSTOMERS) == []
    assert made.work("customer") == ["customers/00003"]
    assert len(made.work("invoice")) == 3, "other registers go on"
    assert made.problems()["poll.short_list"] == {
        "system": "severa",
        "register": "customers",
        "expected": 40,
        "got": 20,
    }
    assert made.watermark(CUSTOMERS) == mark
    made.vendor.after_last.clear()
    made.poll()
    assert "poll.short_list" not in made.problems()


def test_a_row_that_cannot_be_read_is_a_problem_and_nothing_is_missing_for_it(made: World) -> None:
    in_step(made, 5)
    del made.vendor.rows["customers"]["00004"]
    made.vendor.rows["customers"]["00002"] = {"guid": "00002"}
    made.sql("update stream set swept_at = null")
    made.poll()
    assert made.gone(CUSTOMERS) == []
    assert "poll.unreadable" in made.problems()


@pytest.mark.req("R-OPS-1")
def test_a_poll_that_a_defect_cuts_gives_its_lease_back_and_tells_where(made: World) -> None:
    def defect() -> None:
        raise AssertionError("charset")

    made.vendor.before_answer["invoices", 0] = defect
    made.poll()
    [connection] = made.sql("select poll_token, poll_lease_until from connection")
    assert (connection["poll_token"], connection["poll_lease_until"]) == (None, None)
    question = made.problems()["poll.defect"]
    assert (question["system"], question["register"]) == ("severa", "invoices")
    assert "charset" in question["text"]
    made.vendor.before_answer.clear()
    made.poll()
    assert made.problems() == {}


@pytest.mark.req("R-OPS-1")
def test_what_cuts_a_poll_before_its_first_register_is_told_and_over_with_the_next_one(made: World) -> None:
    """As a restore beneath running processes does: tables come before the rights to them."""
    made.poll()
    made.sql("revoke select on setting from bridge_app")
    made.poll()
    told = made.problems()["poll.not_begun"]
    assert (told["system"], "register" in told) == ("severa", False)
    assert "setting" in told["text"]
    made.sql("grant select on setting to bridge_app")
    made.poll()
    assert made.problems() == {}


@pytest.mark.parametrize(
    "lost",
    [
        "update connection set poll_token = gen_random_uuid()",
        # Nobody has taken it over yet: whoever does so next reads from where this one stands.
        "update connection set poll_lease_until = bridge_now() - interval '1 second'",
    ],
    ids=["taken over", "over"],
)
def test_a_poll_that_lost_its_lease_writes_nothing_more(made: World, lost: str) -> None:
    made.vendor.fill("customers", 30)
    made.vendor.before_answer["customers", 2] = lambda: made.sql(lost)
    made.poll()
    assert len(made.sql("select id from record")) == 20
