"""A database that 0.1.0 left in the middle of its work: nothing lost, nothing twice (docs/never-twice.md rule 23, S47)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from left_by_0_1_0 import EDITED, Ask, left
from services import Database as Made

from db.migrate import migrate
from domain.errors import InputError


@pytest.fixture
def old(empty_database: Made) -> Iterator[Ask]:
    """The database as 0.1.0 left it; asks it as its owner."""
    with left(empty_database) as ask:
        yield ask


@pytest.fixture
def migrated(old: Ask, empty_database: Made) -> Ask:
    migrate(empty_database.owner_url, empty_database.app_url)
    return old


def by_invoice(ask: Ask) -> Mapping[str, list[dict[str, Any]]]:
    """Severa id → its rows in the domain invoice."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in ask(
        "select m.severa_id, o.* from outbox o join matter m on m.tenant_id = o.tenant_id and m.id = o.matter_id where o.domain = 'invoice'"
    ):
        found.setdefault(row["severa_id"], []).append(row)
    return found


def test_every_piece_of_open_work_is_still_there(old: Ask, empty_database: Made) -> None:
    before = old("select domain, count(*) as n from outbox group by domain order by domain")
    migrate(empty_database.owner_url, empty_database.app_url)
    assert old("select domain, count(*) as n from outbox group by domain order by domain") == before
    states = {row["state"] for row in old("select state from outbox")}
    assert states == {"ready", "waiting", "failed"}


def test_every_link_is_a_matter_of_the_same_id(old: Ask, empty_database: Made) -> None:
    before = {row["id"]: row for row in old("select * from link")}
    migrate(empty_database.owner_url, empty_database.app_url)
    after = {row["id"]: row for row in old("select * from matter")}
    assert set(before) <= set(after)
    for key, link in before.items():
        assert after[key]["severa_id"] == link["severa_id"]
        assert after[key]["base"] == link["base"]
        if link["domain"] != "invoice":
            assert after[key]["erp_id"] == link["erp_id"]


def test_what_was_booked_is_booked_and_what_was_only_claimed_is_unknown(migrated: Ask) -> None:
    rows = migrated(
        "select m.booked_number, m.erp_id, d.number, d.state from matter m join document d on d.tenant_id = m.tenant_id and d.matter_id = m.id order by d.number"
    )
    assert rows == [
        {"booked_number": "100000", "erp_id": "Invoice/100000", "number": "100000", "state": "released"},
        {"booked_number": None, "erp_id": None, "number": "100002", "state": "removed"},
        {"booked_number": None, "erp_id": None, "number": "100003", "state": "unknown"},
    ]


@pytest.mark.req("R-INV-5", "R-INV-13")
@pytest.mark.schedule("S47")
def test_rounds_are_those_of_the_unfinished_delivery(old: Ask, empty_database: Made) -> None:
    """What it had removed is a document of its round; what an earlier delivery had removed counts for none."""
    old(
        "insert into number_gap (tenant_id, document_type, number, severa_id, reason) select id, 'Invoice', '099990', %s, 'invoice.changed' from tenant",
        EDITED,
    )
    # A second one that it had to remove beside the first, which ends no round.
    old(
        """update step set result = jsonb_set(result, '{rows}', result -> 'rows' || '[{"type": "Invoice", "number": "099991", "reason": "invoice.doubled", "round": false}]')
        where name = 'removals'"""
    )
    migrate(empty_database.owner_url, empty_database.app_url)
    rows = old(
        "select m.severa_id, d.number, d.state, d.round, d.surplus from document d join matter m on m.tenant_id = d.tenant_id and m.id = d.matter_id"
        " where m.severa_id = %s order by d.number",
        EDITED,
    )
    assert [tuple(row.values()) for row in rows] == [
        (EDITED, "099990", "removed", 0, False),
        (EDITED, "099991", "removed", 2, True),
        (EDITED, "100002", "removed", 1, False),
        (EDITED, "100003", "unknown", 2, False),
    ]
    calls = old("select name, round from step where matter_id = (select matter_id from document where number = '100003') and name = 'release'")  # fmt: skip
    assert {row["round"] for row in calls} == {1, 2}


def test_calls_without_an_answer_keep_their_settle_time(migrated: Ask) -> None:
    rows = migrated(
        "select name, extract(epoch from settles_at - sent_at)::integer as settles, extract(epoch from not_after - sent_at)::integer as not_after,"
        " matter_id is not null as of_matter from step where sent_at is not null and done_at is null"
    )
    assert {row["name"] for row in rows} >= {"create customer", "create", "release"}
    assert all(row["not_after"] == 300 and row["settles"] == 600 and row["of_matter"] for row in rows)


def test_what_waited_waits_for_the_matter(migrated: Ask) -> None:
    rows = migrated(
        "select o.domain, w.domain as waits_for from outbox o join matter w on w.tenant_id = o.tenant_id and w.id = o.waits_matter where o.state = 'waiting' order by o.id"
    )
    assert [(row["domain"], row["waits_for"]) for row in rows] == [
        ("project", "customer"),
        ("invoice", "customer"),
    ]


@pytest.mark.schedule("S1", "S47")
def test_two_begun_rows_of_one_invoice_become_one_that_knows_both_calls(
    old: Ask, empty_database: Made
) -> None:
    [link] = old("select * from link where domain = 'invoice' and document_number = '100003'")
    [row] = old("select * from outbox where subject like %s", f"record:severa/invoices/{link['severa_id']}")
    # What 0.1.0 makes when such an invoice is seen once more: a second row under the link, begun as well.
    old(
        "insert into outbox (tenant_id, domain, subject, state, begun, cause, system, register) "
        "values (%s, 'invoice', %s, 'ready', true, 'changed', 'severa', 'invoices')",
        row["tenant_id"], f"link:{link['id']}",
    )  # fmt: skip
    [second] = old("select * from outbox where subject = %s", f"link:{link['id']}")
    old(
        "insert into attempt (tenant_id, id, delivery, outbox_id, domain, subject, worker) values (%s, gen_random_uuid(), %s, %s, 'invoice', %s, 'worker/2')",
        row["tenant_id"], second["delivery"], second["id"], second["subject"],
    )  # fmt: skip
    old(
        "insert into step (tenant_id, attempt_id, name, delivery, sent_at) select tenant_id, id, 'create', delivery, clock_timestamp() from attempt where delivery = %s",
        second["delivery"],
    )
    migrate(empty_database.owner_url, empty_database.app_url)
    [left] = by_invoice(old)[link["severa_id"]]
    open_calls = old(
        "select distinct delivery from step where matter_id = %s and sent_at is not null and done_at is null",
        left["matter_id"],
    )
    assert {one["delivery"] for one in open_calls} >= {second["delivery"]}
    assert left["begun"]


def test_what_is_in_doubt_stays_in_doubt(old: Ask, empty_database: Made) -> None:
    old("update outbox set state = 'in_doubt' where state = 'failed'")
    migrate(empty_database.owner_url, empty_database.app_url)
    assert len(old("select 1 from outbox where state = 'in_doubt'")) == 1


def test_problems_and_history_hang_on_the_matter(migrated: Ask) -> None:
    assert (
        migrated("select 1 from problem where matter_id is null and domain in ('customer', 'invoice')") == []
    )
    assert migrated("select 1 from transfer_log where matter_id is null and domain = 'invoice'") == []
    # An attempt whose link was taken away, and that wrote no line, is told by nothing any more.
    assert (
        migrated(
            "select 1 from attempt a where matter_id is null and exists (select from transfer_log t where t.attempt_id = a.id)"
        )
        == []
    )
    assert len(migrated("select 1 from attempt where matter_id is not null")) > 100


def test_work_that_is_leased_stops_the_migration_with_one_sentence(old: Ask, empty_database: Made) -> None:
    old(
        "update outbox set state = 'started', token = gen_random_uuid(), lease_until = clock_timestamp() + interval '5 minutes', waits_for = null"
        " where id = (select min(id) from outbox)"
    )
    with pytest.raises(InputError, match="stop every process"):
        migrate(empty_database.owner_url, empty_database.app_url)
    assert old("select 1 from link limit 1"), "nothing was changed"
    migrate(empty_database.owner_url, empty_database.app_url, alone=True)
    assert len(old("select 1 from outbox where state = 'started'")) == 0
