"""Erasing a tenant: everything of it and nothing of another, in portions, begun again wherever it was stopped (R-OPS-5)."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.fernet import Fernet
from factories import announce, asked, begin, claimed, make_tenant, meet, permitted, take
from psycopg import sql
from restoring import approve, at_rest, project_of
from road import QUICK, Road
from services import Database as Made
from test_identity import file_of

from app import exporting, leaving, service
from app.bootstrap import Bridge, open_bridge
from app.leaving import NotFinished, Progress
from app.settings import Settings
from db import claim, streams, tables, tenants
from db.leaving import Waits
from db.tables import IDENTITY, TABLES
from domain.errors import InputError

OWNED = """
select c.table_name, array_agg(c.column_name::text order by c.ordinal_position) as key
from information_schema.table_constraints t
join information_schema.key_column_usage c using (constraint_schema, constraint_name, table_schema, table_name)
join pg_class p on p.oid = format('%I', t.table_name)::regclass
where t.constraint_type = 'PRIMARY KEY' and t.table_schema = 'public' and not p.relispartition
  and exists (select from information_schema.columns o where o.table_schema = 'public' and o.table_name = t.table_name and o.column_name = 'tenant_id')
group by c.table_name
"""


@pytest.fixture
def bridge(database: Made) -> Iterator[Bridge]:
    """One process, in which nothing runs."""
    settings = Settings(
        **{**QUICK, "database_url": database.app_url, "secret_keys": Fernet.generate_key().decode()}
    )
    with open_bridge(settings) as opened:
        yield opened


@pytest.fixture
def owner(database: Made) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        yield connection


def owned(owner: psycopg.Connection[Any]) -> dict[str, tuple[str, ...]]:
    """Every table with a tenant in it, and its key without the tenant."""
    found = owner.execute(OWNED).fetchall()
    return {name: tuple(one for one in key if one != "tenant_id") for name, key in found}


def rows_of(owner: psycopg.Connection[Any], tenant: UUID) -> Counter[str]:
    counts = Counter[str]()
    for name in owned(owner):
        query = sql.SQL("select count(*) from {} where tenant_id = %s").format(sql.Identifier(name))
        [count] = owner.execute(query, [tenant]).fetchone() or (0,)
        counts[name] = count
    return counts


def filled(bridge: Bridge, owner: psycopg.Connection[Any], name: str) -> UUID:
    """A tenant with a few rows in every table, some pointing at each other."""
    tenant = make_tenant(bridge.db, name)
    with bridge.db.tenant(tenant) as db:
        tenants.put_connection(db, "visma_net", {"base_url": "http://y", "client_id": "c"}, b"sealed")
        tenants.audit(db, "anna", "tenant.added", {})
        tenants.add_settings(db, {"costs": "cost"}, "anna")
        tenants.put_branch(db, "unit", "1")
    for n in range(7):
        announce(bridge.db, tenant, n)
    with bridge.db.dispatch() as db:
        db.execute("select make_partitions(1)")
    others = [meet(bridge.db, tenant, f"joined{n}") for n in range(3)]
    values = {"t": tenant, "m": meet(bridge.db, tenant, "0"), "o": others}
    row = claimed_one(bridge, tenant)
    assert permitted(bridge.db, row)
    with bridge.db.tenant(tenant) as db:
        claim.later(db, row, delay=60, costs_attempt=True)
        claim.give_back(db, row)
    for statement in FILL:
        owner.execute(statement, values)
    assert min(rows_of(owner, tenant).values()) > 0, rows_of(owner, tenant)
    return tenant


def claimed_one(bridge: Bridge, tenant: UUID) -> claim.Claimed:
    mine = [one for one in take(bridge.db) if one.tenant_id == tenant]
    row = begin(bridge.db, mine[0])
    assert row is not None
    return row


FILL: tuple[LiteralString, ...] = (
    "update matter set joined_into = %(m)s where tenant_id = %(t)s and id = any (%(o)s)",
    "insert into document (tenant_id, matter_id, type, number, state) select %(t)s, %(m)s, 'Invoice', n::text, 'removed' from generate_series(1, 5) n",
    "insert into need (tenant_id, matter_id, needed_id, what) select %(t)s, %(m)s, o, 'open' from unnest(%(o)s::uuid[]) o",
    "insert into problem (tenant_id, domain, subject, matter_id, system, register, record_id, code) values (%(t)s, 'invoice', '', %(m)s, 'severa', 'invoices', '1', 'x')",
    "insert into number_gap (tenant_id, document_type, number, severa_id, reason) values (%(t)s, 'Invoice', '7', '1', 'x')",
    "insert into choice (tenant_id, domain, system, record_id, value) values (%(t)s, 'customer', 'severa', '1', 'DEFAULT')",
    ("insert into record (tenant_id, system, register, id, body, hash, mapping_version, asked_at, answered_at, in_scope)"
    " select %(t)s, 'severa', 'customers', n::text, '{\"amount\": 1.10, \"name\": \"\\\\ud800 Åsa\"}', '\\xfe01', 1, bridge_now(), bridge_now(), true"
    " from generate_series(1, 9) n"),
    "insert into reading (tenant_id, system, register, whole, began_at, mark_at) values (%(t)s, 'severa', 'customers', true, bridge_now(), bridge_now())",
    "insert into stream (tenant_id, system, register) values (%(t)s, 'severa', 'customers')",
    "insert into identity (tenant_id, severa_place, severa_organisation, erp_place, erp_tenant) values (%(t)s, 'x', %(t)s::text, 'y', %(t)s::text)",
    "insert into payload (tenant_id, at, system, method, path, seconds) select %(t)s, bridge_now() - n * interval '8 hours', 'severa', 'GET', '/', 0 from generate_series(0, 9) n",
    ("insert into transfer_log (tenant_id, at, domain, subject, direction, system, register, record_id, level, outcome, code)"
    " select %(t)s, bridge_now() - n * interval '20 days', 'invoice', '', 'from_severa', 'severa', 'invoices', '1', 'info', 'done', 'x' from generate_series(0, 5) n"),
)  # fmt: skip


def settle(owner: psycopg.Connection[Any]) -> None:
    """Every settle time is over."""
    owner.execute("update step set settles_at = bridge_now() - interval '1 second'")


@pytest.mark.req("R-OPS-5")
def test_every_table_of_a_tenant_is_erased_and_exported(owner: psycopg.Connection[Any]) -> None:
    """A new table with a tenant in it belongs into db/tables.py."""
    found = {name: key for name, key in owned(owner).items() if name != IDENTITY.name}
    assert {one.name: one.key for one in TABLES} == found
    assert {one.name for one in exporting.exported()} == set(found)


def test_whatever_is_sealed_or_a_token_is_kept_out_of_the_export(owner: psycopg.Connection[Any]) -> None:
    found = owner.execute(
        "select table_name, column_name from information_schema.columns where table_schema = 'public'"
        " and table_name = any (%s) and (column_name ~ '(secret|password)' or (column_name ~ 'token' and data_type = 'bytea'))",
        [[one.name for one in TABLES]],
    ).fetchall()
    kept_out = {(one.name, column) for one in TABLES for column in one.secret}
    assert set(found) <= kept_out
    assert set(found) == {("connection", "secret"), ("connection", "token")}


@pytest.mark.req("R-OPS-2", "R-OPS-5")
@pytest.mark.parametrize("portion", [1, 2, 1000])
def test_everything_of_a_tenant_goes_and_nothing_of_another(
    bridge: Bridge, owner: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, portion: int
) -> None:
    monkeypatch.setattr(leaving, "PORTION", portion)
    one, other = filled(bridge, owner, "one"), filled(bridge, owner, "other")
    settle(owner)
    before, others = rows_of(owner, one), rows_of(owner, other)
    most: list[int] = []
    whole = tables.delete

    def watched(*arguments: Any) -> Any:
        done = whole(*arguments)
        most.append(done[0])
        return done

    monkeypatch.setattr(tables, "delete", watched)
    gone = leaving.erase(bridge, "one", export_to=None, anyway=True)

    assert sum(rows_of(owner, one).values()) == 0
    assert rows_of(owner, other) == others
    assert max(most) <= portion
    # the line that says it leaves came in addition
    assert dict(gone.counts) == {**before, "audit_log": before["audit_log"] + 1}
    assert gone.ended_at is not None
    assert (gone.name, gone.exported_to, dict(gone.unfinished)) == ("one", "", {"begun": 1})
    assert [row.name for row in leaving.erasures(bridge)] == ["one"]
    assert [row["name"] for row in service.list_tenants(bridge)] == ["other"]


@pytest.mark.req("R-OPS-5")
@pytest.mark.parametrize("where", ["payload", "matter", "record", "connection"])
def test_an_erasing_that_was_stopped_goes_on_and_exports_nothing_again(
    bridge: Bridge, owner: psycopg.Connection[Any], tmp_path: Path, where: str
) -> None:
    tenant = filled(bridge, owner, "one")
    settle(owner)
    before = rows_of(owner, tenant)
    file = tmp_path / "one.zip"

    def stop(news: Waits | Progress) -> None:
        if isinstance(news, Progress) and (news.what, news.table) == ("erased", where):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leaving.erase(bridge, "one", export_to=file, anyway=True, say=stop)
    assert service.find_tenant(bridge, "one").state == "erasing"
    written = file.read_bytes()
    with pytest.raises(InputError, match="is being erased"):
        service.set_paused(bridge, "one", paused=False)
    [half] = leaving.erasures(bridge)
    assert half.ended_at is None

    gone = leaving.erase(bridge, "one", export_to=None)

    assert file.read_bytes() == written
    assert sum(rows_of(owner, tenant).values()) == 0
    assert dict(gone.counts) == {**before, "audit_log": before["audit_log"] + 1}
    assert gone.exported_to == str(file)


@pytest.mark.req("R-OPS-5")
def test_the_export_holds_every_row_and_no_secret(
    bridge: Bridge, owner: psycopg.Connection[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "AT_ONCE", 2)
    tenant = filled(bridge, owner, "one")
    settle(owner)
    before = rows_of(owner, tenant)
    file = tmp_path / "one.zip"
    leaving.erase(bridge, "one", export_to=file, anyway=True)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["one.zip"]
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
        assert archive.testzip() is None
        lines = {name: archive.read(name).decode().splitlines() for name in archive.namelist()}
        manifest = json.loads(archive.read("manifest.json"))
    counts = {
        name.removesuffix(".jsonl"): len(rows) for name, rows in lines.items() if name.endswith(".jsonl")
    }
    assert counts == {**before, "audit_log": before["audit_log"] + 1, "tenant": 1}
    assert manifest["rows"] == {name: n for name, n in counts.items() if name != "tenant"}
    connection = json.loads(lines["connection.jsonl"][0])
    assert not {"secret", "token"} & set(connection)
    assert connection["config"]["base_url"] == "http://x"
    record = lines["record.jsonl"][0]
    assert json.loads(record)["hash"] == "fe01"
    assert json.loads(record)["body"] == {"amount": 1.1, "name": "\ud800 Åsa"}
    assert '"amount": 1.10' in record, "amounts are exact"


@pytest.mark.req("R-OPS-5")
def test_a_file_that_is_there_or_cannot_be_made_is_refused_before_anything_happens(
    bridge: Bridge, owner: psycopg.Connection[Any], tmp_path: Path
) -> None:
    filled(bridge, owner, "one")
    there = tmp_path / "there.zip"
    there.write_text("mine")
    for file, said in ((there, "is there already"), (tmp_path / "no" / "one.zip", "cannot be made")):
        with pytest.raises(InputError, match=said):
            leaving.erase(bridge, "one", export_to=file, anyway=True)
    assert service.find_tenant(bridge, "one").state == "live"
    assert there.read_text() == "mine"


@pytest.mark.req("R-SET-9")
def test_what_nobody_would_look_after_is_said_and_asks_for_a_word(
    bridge: Bridge, owner: psycopg.Connection[Any]
) -> None:
    tenant = make_tenant(bridge.db, "one")
    announce(bridge.db, tenant)
    row = claimed(bridge.db, tenant)
    assert permitted(bridge.db, row)
    with bridge.db.tenant(tenant) as db:
        claim.fail(db, row, "in_doubt")
        claim.give_back(db, row)
    with pytest.raises(NotFinished, match=r"1 in doubt.*doubt list one.*--anyway") as before:
        leaving.erase(bridge, "one", export_to=None, say=lambda news: pytest.fail(str(news)))
    assert service.find_tenant(bridge, "one").state == "live", "a person may still decide it"
    assert [one.what for one in before.value.unfinished] == ["in_doubt"]
    settle(owner)
    assert leaving.erase(bridge, "one", export_to=None, anyway=True).unfinished == {"in_doubt": 1}


@pytest.mark.req("R-SET-9")
def test_what_a_delivery_left_when_the_tenant_was_leaving_is_said_and_the_tenant_may_stay(
    bridge: Bridge, owner: psycopg.Connection[Any]
) -> None:
    tenant = make_tenant(bridge.db, "one")
    announce(bridge.db, tenant)
    row = claimed(bridge.db, tenant)
    with bridge.db.tenant(tenant) as db:
        claim.begin(db, row, asked("create", "Invoice", "n1"), lease=60)
    heard: list[Waits] = []

    def ends(news: Waits | Progress) -> None:
        """The delivery comes to its end while it is waited for."""
        assert isinstance(news, Waits)
        heard.append(news)
        if news.at_work:
            with bridge.db.tenant(tenant) as db:
                claim.later(db, row, delay=60, costs_attempt=True)
                claim.give_back(db, row)
        else:
            settle(owner)

    with pytest.raises(NotFinished, match=r"1 with a document that may stand on hold.*tenant resume one"):
        leaving.erase(bridge, "one", export_to=None, say=ends)
    assert [(one.at_work, one.unanswered) for one in heard] == [(1, 1), (0, 1)]
    assert service.find_tenant(bridge, "one").state == "leaving"
    for forbidden in (
        lambda: service.go_live(bridge, "one", lambda *_: None),
        lambda: service.set_setting(bridge, "one", "costs", "cost"),
        lambda: service.retry(bridge, "one", "1"),
        lambda: service.set_paused(bridge, "one", paused=True),
    ):
        with pytest.raises(InputError, match="is leaving"):
            forbidden()

    service.set_paused(bridge, "one", paused=False)

    assert service.find_tenant(bridge, "one").state == "live"
    with bridge.db.dispatch() as db:
        assert len(streams.due(db, uuid4(), lease=60, limit=9)) == 1, "what changed meanwhile is read at once"
    owner.execute("update outbox set due_at = bridge_now()")
    assert permitted(bridge.db, claimed(bridge.db, tenant), "release")


def test_one_that_never_went_live_stays_as_it_was(bridge: Bridge) -> None:
    tenant = make_tenant(bridge.db, "one")
    with bridge.db.tenant(tenant) as db:
        db.execute("update tenant set state = 'new', live_at = null where id = %(tenant_id)s")
    leaving.leave(bridge, "one")
    service.set_paused(bridge, "one", paused=False)
    assert service.find_tenant(bridge, "one").state == "new"


def test_somebody_who_has_it_stay_while_it_is_waited_for_ends_the_erasing(
    bridge: Bridge, owner: psycopg.Connection[Any]
) -> None:
    tenant = make_tenant(bridge.db, "one")
    announce(bridge.db, tenant)
    row = claimed(bridge.db, tenant)
    assert permitted(bridge.db, row)

    def stays(_news: Waits | Progress) -> None:
        service.set_paused(bridge, "one", paused=False)
        with bridge.db.tenant(tenant) as db:
            claim.fail(db, row, "failed")
            claim.give_back(db, row)
        settle(owner)

    with pytest.raises(InputError, match="stays"):
        leaving.erase(bridge, "one", export_to=None, say=stays)
    assert service.find_tenant(bridge, "one").state == "live"


def test_two_that_erase_the_same_tenant_end_well(bridge: Bridge, owner: psycopg.Connection[Any]) -> None:
    tenant = filled(bridge, owner, "one")
    settle(owner)

    def another(news: Waits | Progress) -> None:
        if isinstance(news, Progress) and news.table == "record":
            leaving.erase(bridge, "one", export_to=None)

    gone = leaving.erase(bridge, "one", export_to=None, anyway=True, say=another)
    assert gone.ended_at is not None
    assert sum(rows_of(owner, tenant).values()) == 0


def test_what_comes_in_while_the_last_rows_go_goes_with_them(
    bridge: Bridge, owner: psycopg.Connection[Any]
) -> None:
    """A poller that ends its poll, a person whose command was under way: both know nothing of the erasing."""
    tenant = filled(bridge, owner, "one")
    settle(owner)
    late = iter(FILL[3:4])

    def write(news: Waits | Progress) -> None:
        if isinstance(news, Progress) and news.table == "connection":
            for _ in late:
                owner.execute(
                    "insert into connection (tenant_id, system, config, secret) values (%s, 'severa', '{}', '')",
                    [tenant],
                )
                owner.execute(
                    "insert into audit_log (tenant_id, who, action) values (%s, 'x', 'x')", [tenant]
                )

    leaving.erase(bridge, "one", export_to=None, anyway=True, say=write)
    assert sum(rows_of(owner, tenant).values()) == 0


@pytest.mark.req("R-SET-9")
@pytest.mark.parametrize("how", ["it leaves", "its reading is taken over"])
def test_a_go_live_whose_reading_is_cut_does_not_go_live(new_firm: Callable[..., Road], how: str) -> None:
    road = new_firm(live=False)
    bridge = road.installation.bridge

    def cut(system: str, _register: str, _rows: int) -> None:
        if how == "it leaves":
            leaving.leave(bridge, road.name)
        elif system == "visma_net":
            road.sql("update connection set poll_token = gen_random_uuid() where tenant_id = %s and system = 'visma_net'", road.tenant_id)  # fmt: skip

    with pytest.raises(InputError, match="did not go live"):
        service.go_live(bridge, road.name, cut)
    assert service.find_tenant(bridge, road.name).state == ("leaving" if how == "it leaves" else "new")


@pytest.mark.req("R-OPS-5", "R-SET-4")
@pytest.mark.schedule("S46")
def test_a_pair_of_companies_is_free_when_its_tenant_is_erased_and_nothing_is_booked_again(
    new_firm: Callable[..., Road], tmp_path: Path
) -> None:
    """Poller, relay and workers run on; one invoice is booked before, one approved while the tenant is leaving."""
    road = new_firm()
    bridge = road.installation.bridge
    booked = approve(road, project_of(road), 2)
    at_rest(road, booked)
    later: list[str] = []

    def approve_more(news: Waits | Progress) -> None:
        if isinstance(news, Waits) and not later:
            later.extend(approve(road, project_of(road), 1))

    taken = file_of(road, name=f"{road.name}-again")
    leaving.leave(bridge, road.name)
    with pytest.raises(InputError, match=f"tenant '{road.name}' already"):
        service.add_tenant(bridge, taken)
    leaving.erase(bridge, road.name, export_to=tmp_path / "firm.zip", say=approve_more)
    assert later, "what was sent last is waited for"
    assert sum(road.releases(guid) for guid in later) == 0

    assert service.add_tenant(bridge, taken)
    again = Road(
        road.installation,
        taken.name,
        service.find_tenant(bridge, taken.name).id,
        road.firm,
        road.severa,
        road.erp,
    )
    again.go_live()
    at_rest(again, [*booked, *later])
    assert [again.releases(guid) for guid in [*booked, *later]] == [1, 1, 1]
