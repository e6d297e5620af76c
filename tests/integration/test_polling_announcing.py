"""What a reading announces, what the audit finds, and what an upgrade hashes anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from integration.poll_world import CUSTOMERS, INVOICES, Killed, World, a_register, world
from services import Database as Made

from app import announcing
from db import streams
from domain.errors import NotKnown, RateLimited, Unavailable
from domain.model import Json, System
from domain.registers import Concern, Register

CONTACTS = a_register("contactpersons", "customer")


@pytest.fixture
def made(database: Made) -> Iterator[World]:
    with world(database, CUSTOMERS, INVOICES, CONTACTS) as found:
        yield found


def in_step(made: World, n: int = 60, register: Register = CUSTOMERS) -> None:
    """So many records, read and settled."""
    made.vendor.fill(register.name, n)
    made.poll()
    made.settle_all()


def cut() -> None:
    raise Unavailable("cut")


def rate_limited() -> None:
    raise RateLimited("slow down")


def test_a_large_announcement_goes_a_slice_at_a_time_in_the_order_of_the_ids(
    made: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "SLICE", 10)
    made.vendor.size = 50
    made.vendor.fill("customers", 45)
    made.poll()
    assert len(made.work("customer")) == 45
    sizes = made.sql("select count(*) as n from outbox group by xmin")
    assert max(row["n"] for row in sizes) == 10
    in_order = made.sql(
        "select m.severa_id from outbox o join matter m on m.id = o.matter_id order by o.xmin::text::bigint, o.id"
    )
    assert len({row["severa_id"] for row in in_order}) == 45
    assert ("customers", "complete") in made.readings()


def test_an_announcement_that_was_cut_is_gone_on_with_before_anything_is_asked(
    made: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "SLICE", 10)
    made.vendor.size = 50
    made.vendor.fill("customers", 45)
    plain = announcing.announce
    calls: list[int] = []

    def dying(*args: object, **kwargs: object) -> set[str]:
        calls.append(1)
        if len(calls) == 3:
            raise Killed
        return plain(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(announcing, "announce", dying)
    made.poll_until_killed()
    assert len(made.work("customer")) == 20
    monkeypatch.setattr(announcing, "announce", plain)
    made.vendor.before_answer["customers", 0] = cut
    made.poll()
    assert len(made.work("customer")) == 45


@pytest.mark.parametrize("register", [INVOICES, CUSTOMERS])
def test_what_is_gone_is_announced_for_every_domain_where_it_is_linked(
    made: World, register: Register
) -> None:
    in_step(made, 3, register)
    domain = "invoice" if register is INVOICES else "customer"
    link = made.link(domain, register.name, "00001")
    del made.vendor.rows[register.name]["00001"], made.vendor.rows[register.name]["00002"]
    made.sql("update stream set swept_at = null")
    made.poll()
    assert made.gone(register) == ["00001", "00002"]
    assert made.work() == [link]
    made.settle_all()
    made.sql("update stream set swept_at = null")
    made.poll()
    assert made.work() == [], "once"


@pytest.mark.parametrize("left", ["failed work", "a problem", "work that waits"])
@pytest.mark.parametrize("register", [INVOICES, CUSTOMERS])
def test_what_is_gone_and_was_never_linked_is_announced_once_where_something_is_open_about_it(
    made: World, register: Register, left: str
) -> None:
    domain = "invoice" if register is INVOICES else "customer"
    made.vendor.fill(register.name, 3)
    made.poll()
    made.sql("update record set settled_version = version")
    made.sql("delete from outbox using matter m where m.id = matter_id and m.severa_id <> '00001'")
    if left == "a problem":
        made.sql(
            "insert into problem (tenant_id, domain, subject, matter_id, system, register, record_id, code)"
            " select tenant_id, domain, '', id, 'severa', severa_register, severa_id, 'x.y' from matter where severa_id = '00001'"
        )
        made.sql("delete from outbox")
    else:
        state, key = ("failed", None) if left == "failed work" else ("waiting", "invoicestatuses")
        made.sql("update outbox set state = %s, waits_key = %s", state, key)
    del made.vendor.rows[register.name]["00001"], made.vendor.rows[register.name]["00002"]
    made.sql("update stream set swept_at = null")
    made.poll()
    rows = made.sql("select o.domain, o.state, o.cause from outbox o")
    assert [tuple(row.values()) for row in rows] == [(domain, "ready", "gone")]
    assert made.work() == [f"{register.name}/00001"]
    made.settle_all()
    made.sql("update stream set swept_at = null")
    made.poll()
    assert made.work() == [], "once"


def not_understood() -> None:
    raise NotKnown("GET customers could not be understood")


@pytest.mark.req("R-PRO-8", "R-LOG-3")
def test_polls_that_understood_nothing_are_counted_whichever_process_made_them(made: World) -> None:
    """Each ``poll`` is a poller of its own, as after a restart or with several."""
    made.vendor.before_answer["customers", 0] = not_understood
    made.poll()
    made.poll()
    assert made.problems() == {}
    made.vendor.before_answer.clear()
    made.poll()
    made.vendor.before_answer["customers", 0] = not_understood
    made.poll()
    made.poll()
    assert made.problems() == {}, "in a row"
    made.vendor.before_answer["customers", 0] = cut
    made.poll()
    made.vendor.before_answer["customers", 0] = not_understood
    made.poll()
    assert list(made.problems()) == ["poll.not_understood"]
    made.vendor.before_answer.clear()
    made.poll()
    assert made.problems() == {}


def test_the_audit_finds_a_change_that_was_announced_and_has_no_work(made: World) -> None:
    made.vendor.fill("invoices", 3)
    made.poll()
    made.sql("delete from outbox o using matter m where m.id = o.matter_id and m.severa_id = '00001'")
    made.audit()
    rows = made.sql(
        "select m.severa_id, o.cause from outbox o join matter m on m.id = o.matter_id order by m.severa_id"
    )
    assert [(row["severa_id"], row["cause"]) for row in rows] == [
        ("00000", "changed"), ("00001", "audit"), ("00002", "changed"),
    ]  # fmt: skip


def test_the_audit_is_silent_about_a_delivery_that_ends_between_its_looks(
    database: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    """Found unsettled, then without work: its end took both away together, and nothing was lost."""
    ends: list[Callable[[], object]] = []

    def concerns(body: Json) -> tuple[Concern, ...]:
        # The audit asks whom a row concerns behind its first look, and before it looks for work.
        for end in ends:
            end()
        return (Concern("invoice", "invoices", body["guid"]),)

    with world(database, a_register("invoices", "invoice", concerns=concerns)) as made:
        made.vendor.fill("invoices", 1)
        made.poll()
        assert made.work() == ["invoices/00000"]
        ends.append(made.settle_all)
        capsys.readouterr()
        made.audit()
        assert "audit_found" not in capsys.readouterr().out
        assert made.work() == []


def test_the_audit_leaves_failed_and_waiting_work_alone(made: World) -> None:
    made.vendor.fill("invoices", 1)
    made.poll()
    made.sql("update outbox set state = 'failed', attempts = 3")
    made.audit()
    [row] = made.sql("select state, attempts from outbox")
    assert (row["state"], row["attempts"]) == ("failed", 3)


def test_the_audit_is_silent_after_a_poll_that_a_429_cut(
    made: World, capsys: pytest.CaptureFixture[str]
) -> None:
    in_step(made)
    for i in range(20):
        made.vendor.put("customers", f"{i:05d}", "changed")
    made.vendor.before_answer["customers", 1] = rate_limited
    made.poll()
    capsys.readouterr()
    made.audit()
    assert "audit_found" not in capsys.readouterr().out
    assert made.work() == []


def upgraded(register: Register) -> Register:
    """The same register as a later program reads it."""
    members = {
        "projection": lambda body: {"name": body["name"], "length": str(len(body["name"]))},
        "mapping_version": register.mapping_version + 1,
    }
    return a_register(register.name, "invoice" if register.name == "invoices" else "customer", **members)


def test_an_upgrade_hashes_anew_and_announces_only_what_was_edited_during_it(made: World) -> None:
    in_step(made, 20, INVOICES)
    made.registers = [upgraded(INVOICES)]
    made.vendor.put("invoices", "00007", "edited during the upgrade")
    made.sql("update stream set swept_at = null")
    made.poll()
    assert made.work() == ["invoices/00007"]
    assert {row["mapping_version"] for row in made.sql("select mapping_version from record")} == {
        INVOICES.mapping_version + 1
    }


def test_an_upgrade_with_nothing_edited_announces_nothing(made: World) -> None:
    in_step(made, 20, INVOICES)
    in_step(made, 60, CUSTOMERS)
    made.registers = [upgraded(INVOICES), upgraded(CUSTOMERS)]
    made.sql("update stream set swept_at = null")
    assert made.poll() == 0
    assert (made.work(), made.paused()) == ([], [])


def test_a_quiet_poll_that_was_cut_does_not_count_as_one_to_the_end(made: World) -> None:
    """Go-live shows its errors itself; that both systems were read to the end must not be claimed by it."""
    made.vendor.before_answer["customers", 0] = cut
    with made.db.tenant(made.tenant_id) as db:
        due = streams.lease_one(db, "severa", made.tenant_id, 60)
    assert due is not None
    with pytest.raises(Unavailable):
        made.poller().poll(due, quiet=True)
    [connection] = made.sql("select checked_at, poll_token from connection")
    assert (connection["checked_at"], connection["poll_token"]) == (None, None)
    assert made.problems() == {}


def test_the_lease_is_taken_once(made: World) -> None:
    with made.db.tenant(made.tenant_id) as db:
        system: System = "severa"
        assert streams.lease_one(db, system, made.tenant_id, 60) is not None
        assert streams.lease_one(db, system, made.tenant_id, 60) is None


def test_the_only_document_that_is_missing_is_looked_at_and_nobody_is_asked(made: World) -> None:
    """Of the registers that people keep an empty answer is asked about, however few there were."""
    in_step(made, 1, INVOICES)
    link = made.link("invoice", "invoices", "00000")
    in_step(made, 1, CUSTOMERS)
    made.vendor.rows = {}
    made.sql("update stream set swept_at = null")
    made.poll()
    assert made.work() == [link]
    assert list(made.problems()) == ["poll.brake"]
    assert made.paused() == ["customer"]
