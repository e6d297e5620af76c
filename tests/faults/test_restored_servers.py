"""Another server takes the place of the one that was written to: upgraded, promoted, or an older directory that nobody
remembers (docs/never-twice.md rule 10). Each really happens, with PostgreSQL's own programs; docs/operations.md has a
procedure for each.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from restoring import (
    Cluster,
    House,
    announced,
    approve,
    asked_for_a_word,
    at_rest,
    base_backup_of,
    house,
    pause,
    project_of,
    stopped_copy,
)
from services import Database, RabbitServer
from stage import wait_for

from app import postgresql
from domain.errors import Unavailable

pytestmark = [pytest.mark.timeout(2400), pytest.mark.req("R-INV-13"), pytest.mark.schedule("S24")]


# ---- upgraded


def upgraded(home: House, target: Cluster) -> None:
    """``target`` is made of the stopped server by pg_upgrade, which leaves the old one as it was."""
    target.directory.mkdir()
    target.own(target.directory)
    target.initdb("--no-data-checksums")
    target.run(
        "pg_upgrade", "--no-sync", "--username=postgres", f"--socketdir={target.directory}",
        f"--old-datadir={home.cluster.pgdata}", f"--new-datadir={target.pgdata}",
        f"--old-bindir={home.cluster.binaries}", f"--new-bindir={target.binaries}",
        cwd=target.directory,
    )  # fmt: skip


@pytest.mark.parametrize("worked_on", [False, True], ids=["at once", "the old one worked on meanwhile"])
def test_an_upgraded_server_asks_for_a_word(worked_on: bool) -> None:  # noqa: FBT001
    with house(oldest=True) as home:
        road = home.add_firm()
        project = project_of(road)
        booked = approve(road, project, 1)
        at_rest(road, booked)
        waiting = announced(road, project)
        home.stop()
        home.cluster.stop()
        newest = postgresql.programs(home.cluster.user, home.cluster.directory)
        new = Cluster(home.cluster.directory.parent / "new", programs=newest)
        upgraded(home, new)
        if worked_on:
            # It was tried on the side, and the old one booked on; then what was tried takes its place.
            home.cluster.start()
            home.start()
            pause(road)
            at_rest(road, waiting)
            booked, waiting = [*booked, *waiting], []
            home.stop()
            home.cluster.stop()
        home.cluster.replace(new.pgdata)
        home.cluster = Cluster(home.cluster.directory, programs=newest)
        home.cluster.start()
        home.start()
        asked_for_a_word(home, road, project, booked, "moved", waiting=waiting)


# ---- promoted


def standby_of(home: House) -> Cluster:
    """A hot standby in a directory of its own, that streams from the house's server."""
    place = home.cluster.directory.parent / "two"
    place.mkdir()
    base_backup_of(home, place, "--write-recovery-conf")
    standby = Cluster(place)
    options = shlex.join(["-h", "", "-p", str(postgresql.PORT), "-k", str(standby.pgdata)])
    # Not as the bridge starts its own: that one has to take writes.
    standby.run("pg_ctl", "start", "--wait", f"--pgdata={standby.pgdata}", f"--log={place / 'log'}", f"--options={options}")  # fmt: skip
    streaming = "select count(*) from pg_stat_replication where state = 'streaming'"
    wait_for("it streams", lambda: home.cluster.asked(streaming) == "1", seconds=60)
    return standby


def cut_off(standby: Cluster) -> None:
    """What the living server writes from now on does not reach it any more."""
    standby.sql("alter system set primary_conninfo = ''", "select pg_reload_conf()")
    wait_for(
        "nothing reaches it",
        lambda: standby.asked("select count(*) from pg_stat_wal_receiver") == "0",
        seconds=60,
    )


def promote(standby: Cluster) -> None:
    standby.run("pg_ctl", "promote", "--wait", f"--pgdata={standby.pgdata}")


def at(address: Path, cluster: Cluster) -> Database:
    """The cluster's database under an address that may be given to another server."""
    real = dict(part.split("=", 1) for part in urlsplit(cluster.urls.app_url).query.split("&"))["host"]
    found, own = cluster.urls, quote(str(address), safe="/")
    return Database(
        found.name, *(url.replace(f"host={real}", f"host={own}") for url in (found.owner_url, found.app_url))
    )


def lead_to(address: Path, cluster: Cluster) -> None:
    """The address is this server's from now on."""
    draft = address.with_suffix(".new")
    draft.symlink_to(cluster.pgdata)
    os.replace(draft, address)


@contextmanager
def taken_over(home: House) -> Iterator[Cluster]:
    """The standby, which becomes the house's server; stopped in the end."""
    standby = standby_of(home)
    try:
        yield standby
    finally:
        home.stop()
        standby.stop()


@pytest.mark.parametrize("whole", [True, False], ids=["all reached it", "the last bookings did not reach it"])
def test_a_standby_promoted_beneath_running_processes_is_read_anew_by_itself(whole: bool) -> None:  # noqa: FBT001
    with house() as home:
        address = home.cluster.directory.parent / "address"
        lead_to(address, home.cluster)
        home.stop()
        home.start(at(address, home.cluster))
        road = home.add_firm()
        project = project_of(road)
        booked = announced(road, project)
        with taken_over(home) as standby:
            if not whole:
                cut_off(standby)
            pause(road)
            at_rest(road, booked)
            if whole:
                home.cluster.stop()  # in order: it waits until its standby has everything
            else:
                home.cluster.crash()
            promote(standby)
            assert standby.asked("select paused_domains from tenant") == ("{}" if whole else "{invoice}")
            lead_to(address, standby)
            wait_for("a new epoch has begun", lambda: epoch(home) == 2, seconds=120)
            pause(road)
            later = approve(road, project, 1)
            at_rest(road, [*booked, *later])
            assert home.status().on


def epoch(home: House) -> int | None:
    """None: the server does not answer, or does not say."""
    try:
        facts = home.status().facts
    except Unavailable:
        return None
    return facts.epoch if facts else None


@pytest.mark.parametrize("remembered", [True, False], ids=["by RabbitMQ", "by nobody"])
def test_a_standby_promoted_at_another_address_is_known_again_by_who_remembers(
    amqp_url: str,
    rabbitmq: RabbitServer,
    remembered: bool,  # noqa: FBT001
) -> None:
    with house(amqp_url=amqp_url) as home:
        road = home.add_firm()
        project = project_of(road)
        booked = announced(road, project)
        with taken_over(home) as standby:
            cut_off(standby)
            pause(road)
            at_rest(road, booked)
            home.stop()
            home.cluster.crash()
            if not remembered:
                delete_queues(rabbitmq, amqp_url)
            promote(standby)
            home.start(standby.urls)
            if remembered:
                wait_for("a new epoch has begun", lambda: epoch(home) == 2, seconds=120)
                pause(road)
                at_rest(road, [*booked, *approve(road, project, 1)])
            else:
                asked_for_a_word(home, road, project, booked, "copied")


# ---- put back, and nobody remembers


def delete_queues(rabbitmq: RabbitServer, amqp_url: str) -> None:
    """All of the bridge's, the one that remembers the last beat among them."""
    vhost = urlsplit(amqp_url).path.lstrip("/")
    names = [queue["name"] for queue in rabbitmq.management("GET", f"/api/queues/{vhost}")]
    assert any(name.startswith("bridge.beat.") for name in names)
    for name in names:
        rabbitmq.management("DELETE", f"/api/queues/{vhost}/{name}")


@pytest.mark.schedule("S25")
@pytest.mark.parametrize("lost", ["the state file and all queues", "the state file"])
def test_a_directory_put_back_that_nobody_remembers_asks_for_a_word(
    amqp_url: str, rabbitmq: RabbitServer, lost: str
) -> None:
    with house(amqp_url=amqp_url) as home:
        road = home.add_firm()
        project = project_of(road)
        booked = announced(road, project)
        backup = home.cluster.directory / "backup"
        home.stop()
        stopped_copy(home, backup)
        home.start()
        pause(road)
        at_rest(road, booked)
        home.stop()
        home.cluster.stop()
        home.cluster.replace(backup)
        home.state_file.unlink()
        if "queues" in lost:
            delete_queues(rabbitmq, amqp_url)
        home.cluster.start()
        home.start()
        if "queues" in lost:
            asked_for_a_word(home, road, project, booked, "copied")
        else:
            # RabbitMQ remembers alone.
            wait_for("a new epoch has begun", lambda: epoch(home) == 2, seconds=120)
            pause(road)
            at_rest(road, [*booked, *approve(road, project, 1)])
