"""Erasing a tenant: everything of it and nothing of another, in portions, begun again wherever it was stopped (R-OPS-5)."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from cryptography.fernet import Fernet
from factories import announce, asked, claimed, make_tenant, permitted
from filling import FILL, filled, owned, rows_of, settle
from restoring import approve, at_rest, project_of
from road import QUICK, Road
from services import Database as Made
from test_identity import file_of

from app import exporting, leaving, service
from app.bootstrap import Bridge, open_bridge
from app.cli.common import interruptible
from app.leaving import NotFinished, Progress
from app.settings import Settings
from db import claim, streams, tables
from db.leaving import Waits
from db.tables import IDENTITY, TABLES
from domain.errors import InputError, Interrupted


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
def test_a_wait_that_lost_its_ctrl_c_ends_at_the_next_look(
    bridge: Bridge, owner: psycopg.Connection[Any], tmp_path: Path
) -> None:
    """Python drops what a signal's handler raises inside a callback: only the event of ``interruptible`` is left of it."""
    filled(bridge, owner, "one")

    def lost(news: Waits | Progress) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        settle(owner)

    with interruptible(bridge.stop), pytest.raises(Interrupted):
        leaving.erase(bridge, "one", export_to=None, anyway=True, say=lost)
    assert service.find_tenant(bridge, "one").state == "leaving"


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
