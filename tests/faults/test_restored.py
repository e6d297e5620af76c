"""A restored, copied or rewound database books nothing twice, and goes on after one word of a person (docs/never-twice.md rule 10).

Every way of restoring really happens, with PostgreSQL's own programs, and with invoices booked in between: the backup
holds them as approved and not yet booked, the books hold them as released. docs/operations.md has a procedure for each.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from restoring import (
    Cluster,
    House,
    announced,
    approve,
    asked_for_a_word,
    at_rest,
    base_backup,
    base_backup_of,
    created,
    house,
    pause,
    project_of,
    stopped_copy,
)
from stage import wait_for

from app.adopting import Status
from app.keeper import Keeper
from app.memory import Memory, StateFile
from app.standing import Verdict
from db.pool import Database

pytestmark = pytest.mark.timeout(2400)

# What PostgreSQL's programs complain of when they drop a partition's key before its table, and go on.
PARTITIONS = "cannot drop inherited constraint"
# Seconds that a create of the lost future is on its way.
LATE = 12.0
TABLES = "select string_agg(format('%I.%I', schemaname, tablename), ', ') from pg_tables where schemaname = 'public'"

MONTHS = "select string_agg(format('%I.%I', schemaname, tablename), ', ') from pg_tables where tablename ~ '^audit_log_[0-9]+$'"


@pytest.fixture
def home() -> Iterator[House]:
    with house() as made:
        yield made


# ---- ways to bring a dump back


def into_the_same_server(cluster: Cluster) -> Callable[[], None]:
    dump = cluster.dump("--format=custom")

    def restore() -> None:
        cluster.run("dropdb", "--force", cluster.database)
        cluster.run("createdb", cluster.database)
        cluster.run("pg_restore", f"--dbname={cluster.database}", "--exit-on-error", stdin=dump)

    return restore


def with_clean(cluster: Cluster) -> Callable[[], None]:
    dump = cluster.dump("--format=custom")

    def restore() -> None:
        to = f"--dbname={cluster.database}"
        cluster.run("pg_restore", to, "--clean", "--if-exists", stdin=dump, harmless=PARTITIONS)

    return restore


def with_psql(cluster: Cluster) -> Callable[[], None]:
    dump = cluster.dump("--clean", "--if-exists")

    def restore() -> None:
        cluster.run("psql", "--quiet", f"--dbname={cluster.database}", stdin=dump, harmless=PARTITIONS)

    return restore


def data_only(cluster: Cluster) -> Callable[[], None]:
    # A month whose first rows were there before its partition: it is made once they are gone, and then they are brought back.
    cluster.sql(
        "create table kept as select * from audit_log",
        f"do $$ begin execute coalesce('drop table ' || ({MONTHS}), 'select'); end $$",
        "insert into audit_log overriding system value select * from kept",
        "drop table kept",
    )
    dump = cluster.dump("--format=custom", "--data-only", "--load-via-partition-root")

    def restore() -> None:
        cluster.sql(
            f"do $$ begin execute 'truncate ' || ({TABLES}) || ' cascade'; end $$",
            "select make_partitions(3)",
        )
        cluster.run(
            "pg_restore", f"--dbname={cluster.database}", "--data-only", "--disable-triggers", "--exit-on-error", stdin=dump
        )  # fmt: skip

    return restore


DUMPS = {
    "dropped, created and restored": into_the_same_server,
    "restored with --clean": with_clean,
    "restored with psql": with_psql,
    "truncated and restored, data only": data_only,
}


@pytest.mark.req("R-INV-13")
@pytest.mark.schedule("S7", "S24", "S43")
@pytest.mark.parametrize("way", DUMPS)
def test_a_dump_brought_back_into_the_same_server(home: House, way: str) -> None:
    road = home.add_firm()
    project = project_of(road)
    booked = announced(road, project)
    restore = DUMPS[way](home.cluster)
    pause(road)
    at_rest(road, booked)
    home.stop()
    restore()
    home.start()
    asked_for_a_word(home, road, project, booked, "restored")


@pytest.mark.req("R-INV-13")
@pytest.mark.schedule("S24")
@pytest.mark.parametrize("way", DUMPS)
def test_a_dump_brought_back_beneath_running_processes(home: House, way: str) -> None:
    road = home.add_firm()
    project = project_of(road)
    booked = announced(road, project)
    restore = DUMPS[way](home.cluster)
    pause(road)
    at_rest(road, booked)
    # More is being booked while the restore runs.
    under_way = approve(road, project, 2)
    road.ask()
    insist(restore)
    later = asked_for_a_word(home, road, project, booked, "restored")
    at_rest(road, [*booked, *under_way, *later])


def insist(restore: Callable[[], None]) -> None:
    """Processes at work hold locks, so a restore may have to be begun again, as a person would."""
    for _ in range(9):
        try:
            return restore()
        except (AssertionError, psycopg.Error) as error:
            said = str(error)
    raise AssertionError(said)


@pytest.mark.req("R-INV-13")
@pytest.mark.schedule("S7")
def test_a_dump_brought_into_another_server(home: House) -> None:
    road = home.add_firm()
    project = project_of(road)
    booked = announced(road, project)
    dump = home.cluster.dump("--format=custom")
    roles = home.cluster.run("pg_dumpall", "--roles-only")
    pause(road)
    at_rest(road, booked)
    home.stop()
    other = Cluster(home.cluster.directory.parent / "two")
    other.directory.mkdir()
    other.own(other.directory)
    other.make()
    try:
        other.sql("drop database bridge", "create database bridge", database="postgres")
        other.run("psql", "--quiet", "--dbname=postgres", stdin=roles)
        other.run("pg_restore", "--dbname=bridge", "--exit-on-error", stdin=dump)
        home.start(other.urls)
        asked_for_a_word(home, road, project, booked, "moved")
        home.stop()
    finally:
        other.stop()


# ---- ways to bring a directory back


@pytest.mark.req("R-INV-13")
@pytest.mark.schedule("S24")
@pytest.mark.parametrize("copy", [stopped_copy, base_backup])
def test_a_directory_put_back_is_read_anew_by_itself(
    home: House, copy: Callable[[House, Path], None]
) -> None:
    road = home.add_firm()
    project = project_of(road)
    booked = announced(road, project)
    backup = home.cluster.directory / "backup"
    if copy is stopped_copy:
        home.stop()
    copy(home, backup)
    if copy is stopped_copy:
        home.start()
    pause(road)
    at_rest(road, booked)
    before = home.status()
    home.stop()
    home.cluster.stop()
    home.cluster.replace(backup)
    home.cluster.start()
    home.cluster.sql("update tenant set paused_domains = '{}'")
    home.start()
    later = approve(road, project, 1)
    at_rest(road, [*booked, *later])
    status = home.status()
    assert status.on
    assert status.facts is not None
    assert before.facts is not None
    assert (before.facts.epoch, status.facts.epoch) == (1, 2)


@pytest.mark.req("R-INV-13")
@pytest.mark.schedule("S24")
def test_a_server_put_back_and_started_beneath_running_processes(home: House) -> None:
    road = home.add_firm()
    project = project_of(road)
    booked = announced(road, project)
    backup = home.cluster.directory / "backup"
    base_backup(home, backup)
    pause(road)
    at_rest(road, booked)
    home.state_file.unlink()  # the process itself remembers
    home.cluster.stop()
    home.cluster.replace(backup)
    home.cluster.start()
    wait_for("a new epoch has begun", lambda: (facts := home.status().facts) and facts.epoch == 2, seconds=60)
    pause(road)
    at_rest(road, booked)


@pytest.mark.req("R-INV-13")
@pytest.mark.schedule("S24")
def test_a_restore_to_a_point_in_time(home: House) -> None:
    road = home.add_firm()
    project = project_of(road)
    archive = home.cluster.directory / "archive"
    archive.mkdir()
    home.cluster.own(archive)
    home.cluster.sql(
        f"alter system set archive_command = 'cp %p {archive}/%f'", "alter system set archive_mode = on"
    )
    home.stop()
    home.cluster.stop()
    home.cluster.start()
    home.start()
    backup = home.cluster.directory / "backup"
    base_backup(home, backup)
    booked = announced(road, project)
    home.cluster.sql("select pg_create_restore_point('then')")
    pause(road)
    at_rest(road, booked)
    home.cluster.sql("select pg_switch_wal()")
    home.stop()
    home.cluster.stop()
    home.cluster.replace(backup)
    with (home.cluster.pgdata / "postgresql.auto.conf").open("a") as conf:
        conf.write(
            f"restore_command = 'cp {archive}/%f %p'\nrecovery_target_name = 'then'\nrecovery_target_action = 'promote'\n"
        )
    (home.cluster.pgdata / "recovery.signal").touch()
    home.cluster.own(home.cluster.pgdata)
    home.cluster.start()
    wait_for(
        "the server is promoted",
        lambda: b"f" in home.cluster.run("psql", "-Atc", "select pg_is_in_recovery()", "bridge"),
        seconds=60,
    )
    home.cluster.sql("update tenant set paused_domains = '{}'")
    home.start()
    at_rest(road, booked)
    facts = home.status().facts
    assert facts is not None
    assert facts.epoch == 2
    assert facts.same_timeline


@pytest.mark.req("R-INV-13")
@pytest.mark.schedule("S25", "S29")
def test_a_copy_started_beside_the_living_one_books_nothing(home: House) -> None:
    road = home.add_firm()
    project = project_of(road)
    announced_ones = announced(road, project)
    place = home.cluster.directory.parent / "copy"
    place.mkdir()
    base_backup_of(home, place)
    copy = House(home.severa, home.erp, Cluster(place), place / "state" / "beat.json", secret=home.secret)
    copy.cluster.start()
    try:
        copy.cluster.sql("update tenant set paused_domains = '{}'")
        copy.start()
        status: Status = copy.stands_off()
        assert status.plain()["found"] == "copied"
        assert [road.releases(guid) for guid in announced_ones] == [0, 0, 0]
        # The living one goes on as if nothing were.
        pause(road)
        later = approve(road, project, 2)
        at_rest(road, [*announced_ones, *later])
        facts = home.status().facts
        assert facts is not None
        assert facts.epoch == 1
        # Then the copy takes its place.
        home.stop()
        road.installation = copy.installation  # type: ignore[assignment]
        copy.adopt()
        last = approve(road, project, 1)
        at_rest(road, [*announced_ones, *later, *last])
    finally:
        copy.stop()
        copy.cluster.stop()


@pytest.mark.schedule("S25")
@pytest.mark.parametrize("lives", [True, False])
def test_a_copy_that_shares_the_livings_memory_hears_whether_it_lives(home: House, lives: bool) -> None:  # noqa: FBT001
    place = home.cluster.directory.parent / "copy"
    place.mkdir()
    base_backup_of(home, place)
    before = home.beats()
    wait_for("it has beaten on", lambda: home.beats() > before + 1, seconds=30)
    if not lives:
        home.stop()
    copy = Cluster(place)
    copy.start()
    db = Database(copy.urls.app_url, size=2)
    try:
        db.open()
        settings = home.settings()
        shared = Memory(StateFile(settings.state, settings.place), None)
        keeper = Keeper(db, settings, threading.Event(), shared)
        assert keeper.turn() is not lives
        facts, verdict = keeper.examine()
        assert facts is not None
        assert (verdict, facts.epoch) == ((Verdict.OFF, 1) if lives else (Verdict.SAME, 2))
    finally:
        db.close()
        copy.stop()


@pytest.mark.schedule("S25")
def test_a_server_started_anew_is_the_same_history(home: House) -> None:
    road = home.add_firm()
    project = project_of(road)
    for beneath in (True, False):
        if not beneath:
            home.stop()
        home.cluster.stop()
        home.cluster.start()
        if not beneath:
            home.start()
        at_rest(road, approve(road, project, 1))
    facts = home.status().facts
    assert facts is not None
    assert (facts.epoch, facts.quiet_until, home.status().verdict) == (1, None, Verdict.SAME)


def test_a_poll_that_ended_while_the_server_was_away_gives_its_lease_back(home: House) -> None:
    """The lease is 300 s: whoever waited for that would wait for minutes after each restart."""
    road = home.add_firm()
    road.forget_calls()
    road.erp.arm("delay", "/customer$", method="GET", seconds=3)
    road.ask()
    wait_for("a poll is under way", lambda: not home.erp.armed(), seconds=30)
    home.cluster.stop()
    wait_for(
        "the answer has come",
        lambda: any(call.endswith("/customer") for call in road.erp.calls()),
        seconds=30,
    )
    home.cluster.start()
    road.poll()


# ---- what is on its way


@pytest.mark.req("R-INV-13")
@pytest.mark.schedule("S26")
def test_a_create_of_the_lost_future_that_is_still_on_its_way_is_waited_for() -> None:
    with house(create_limit_seconds=LATE + 4, create_timeout_seconds=40.0) as home:
        _a_late_create(home)


def _a_late_create(home: House) -> None:
    road = home.add_firm()
    project = project_of(road)
    booked = announced(road, project, 1)
    restore = data_only(home.cluster)
    road.forget_calls()
    road.erp.arm("delay", "/customerinvoice$", method="POST", seconds=LATE)
    pause(road)
    wait_for("the create has been sent", lambda: not home.erp.armed(), seconds=30)
    sent = time.monotonic()
    insist(restore)
    home.stands_off()
    pause(road)
    assert road.documents(booked[0]) == []
    home.adopt()
    at_rest(road, booked)
    # The late one must be among what is judged.
    wait_for("it has been carried out", lambda: time.monotonic() > sent + LATE + 2, seconds=60)
    at_rest(road, booked)
    assert created(road) == 1
