"""A bridge whose database can be dumped, copied, put back and started anew beneath it, while both simulators live on.

PostgreSQL is a server of the test's own from the wheel, so that whole directories can be exchanged; every restore is made
by PostgreSQL's own programs. The judge is the simulators' ledger.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib.util
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from cryptography.fernet import Fernet
from offices import Json, Simulator, book, hours
from road import QUICK, Installation, Road, apart, simulators, warnings_only
from services import Database
from services.process import as_user
from stage import wait_for

from app import adopting, postgresql, running, standing
from app.adopting import Status
from app.bootstrap import open_bridge
from app.postgresql import Server
from app.settings import Settings
from db.migrate import migrate

SETTLE = 3.0
"""Seconds: create limit and visibility lag of these installations together."""


@dataclass
class Cluster:
    """One server in a directory of its own, with the bridge's database in it."""

    directory: Path
    database: str = "bridge"
    programs: Path | None = None
    """Of another version than the wheel's newest."""

    def __post_init__(self) -> None:
        self.user = postgresql.server_user()
        self.binaries = self.programs or postgresql.programs(self.user, self.directory)
        self.pgdata = self.directory / "data"
        self.server = Server(self.binaries, self.pgdata, self.user, self.directory / "log")

    def make(self) -> None:
        """An empty cluster, started, with a migrated database."""
        if self.programs is None:
            postgresql.initdb(self.binaries, self.pgdata, self.user, self.server.log, durable=False)
        else:
            self.initdb()
        self.start()
        self.sql(f"create database {self.database}", database="postgres")
        migrate(self.urls.owner_url, self.urls.app_url)

    def initdb(self, *options: str) -> None:
        """An empty cluster with what every version knows: "builtin" locales came with 17."""
        to = f"--pgdata={self.pgdata}"
        self.run("initdb", to, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--username=postgres", "--no-sync", *options)  # fmt: skip

    def start(self) -> None:
        self.server.start()

    def crash(self) -> None:
        """The server ends as it would without power: no word to its clients, nor to a standby."""
        self.run("pg_ctl", "stop", f"--pgdata={self.pgdata}", "--mode=immediate")

    def stop(self) -> None:
        assert self.server.stop(), "the server still runs"

    @property
    def urls(self) -> Database:
        host = quote(self.server.host() or str(self.pgdata), safe="/")
        where = f"/{self.database}?host={host}&port={postgresql.PORT}"
        return Database(self.database, f"postgresql://postgres@{where}", f"postgresql://bridge@{where}")

    def sql(self, *statements: str, database: str | None = None) -> None:
        """As the superuser, each a transaction of its own."""
        url = self.urls.owner_url
        if database is not None:
            url = url.replace(f"/{self.database}?", f"/{database}?")
        with psycopg.connect(url, autocommit=True) as db:
            for statement in statements:
                db.execute(statement)  # type: ignore[call-overload, unused-ignore]  # a test's own text

    def run(
        self,
        program: str,
        *arguments: str | Path,
        stdin: bytes | None = None,
        harmless: str | None = None,
        cwd: Path = Path("/"),
    ) -> bytes:
        """One of PostgreSQL's programs on this server; its standard output. ``harmless``: errors that may be in it."""
        host = self.server.host() or str(self.pgdata)
        done = subprocess.run(
            [str(self.binaries / program), *map(str, arguments)],
            env={**postgresql.environment(), "PGHOST": host, "PGPORT": str(postgresql.PORT), "PGUSER": "postgres", "HOME": "/"},
            cwd=cwd, input=stdin, capture_output=True, check=False, timeout=200,
            **as_user(self.user.name if self.user else None),
        )  # fmt: skip
        said = done.stderr.decode(errors="replace")
        errors = [line for line in said.splitlines() if "ERROR:" in line or "FATAL:" in line]
        if harmless is None or not errors:
            assert done.returncode == 0, f"{program}: {said}"
        else:
            assert all(harmless in line for line in errors), f"{program}: {said}"
        return done.stdout

    def asked(self, query: str) -> str:
        """What the server answers to one question."""
        return self.run("psql", "-Atc", query, self.database).decode().strip()

    def dump(self, *options: str) -> bytes:
        """What pg_dump writes."""
        return self.run("pg_dump", *options, self.database)

    def replace(self, source: Path) -> None:
        """Puts another data directory in the place of the present one; the server is stopped."""
        shutil.rmtree(self.pgdata)
        shutil.copytree(source, self.pgdata, symlinks=True)
        self.own(self.pgdata)

    def own(self, directory: Path) -> None:
        """Gives a copied directory to the server's user."""
        if self.user is not None:
            for path in (directory, *directory.rglob("*")):
                os.chown(path, self.user.uid, self.user.gid, follow_symlinks=False)
        directory.chmod(0o700)


def oldest_programs(keep: Path) -> Path:
    """Those of the oldest PostgreSQL in the wheel, where the server's user can reach them."""
    spec = importlib.util.find_spec(postgresql.WHEEL)
    assert spec is not None
    assert spec.origin is not None
    found = Path(spec.origin).resolve().parent.glob("pginstall*/bin/postgres")
    tree = min((path.parents[1] for path in found), key=lambda tree: postgresql.major_version(tree / "bin"))
    user = postgresql.server_user()
    if user is None or postgresql._usable(tree, user):
        return tree / "bin"
    keep.mkdir(mode=0o755)
    return postgresql._copied(tree, keep) / "bin"


@contextlib.contextmanager
def directory() -> Iterator[Path]:
    """A short path: a socket's may have at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="bridge-rs-", dir="/tmp") as name:
        place = Path(name)
        place.chmod(0o711)
        user = postgresql.server_user()
        if user is not None:
            os.chown(place, user.uid, user.gid)
        yield place


@dataclass
class House:
    """Simulators, one cluster, and a bridge on it that can be stopped and started again."""

    severa: Simulator
    erp: Simulator
    cluster: Cluster
    state_file: Path
    changed: dict[str, Any] = field(default_factory=dict)
    secret: str = field(default_factory=lambda: Fernet.generate_key().decode())
    running: ExitStack | None = None
    installation: Installation | None = None
    roads: list[Road] = field(default_factory=list)

    def start(self, database: Database | None = None) -> Installation:
        """The bridge at work: all in one, or as apart as processes are where the house has RabbitMQ."""
        assert self.running is None
        database = database or self.cluster.urls
        settings = self.settings(database)
        stack = ExitStack()
        with ExitStack() as attempt:
            bridge = attempt.enter_context(open_bridge(settings, threading.Event(), threads=4))
            if settings.amqp_url is not None:
                attempt.enter_context(apart(settings))
            else:
                everything = running.Everything(bridge, settings.worker_threads)
                attempt.callback(everything.close)
                everything.start()
            stack = attempt.pop_all()
        self.running = stack
        self.installation = Installation(bridge, self.severa, self.erp, database)
        for road in self.roads:
            road.installation = self.installation
        return self.installation

    def settings(self, database: Database | None = None) -> Settings:
        """Of this house's bridge."""
        database = database or self.cluster.urls
        return Settings(
            **{
                **QUICK, "create_limit_seconds": SETTLE - 0.5, "visibility_lag_seconds": 0.5,
                "database_url": database.app_url, "secret_keys": self.secret, "state_file": self.state_file, **self.changed,
            }
        )  # fmt: skip

    def beats(self) -> int:
        """How many beats the database has taken."""
        facts = self.status().facts
        return facts.number if facts else 0

    def stop(self) -> None:
        """Every process of the bridge ends in order."""
        if self.running is not None:
            stack, self.running = self.running, None
            stack.close()

    def add_firm(self, n: int = 1) -> Road:
        assert self.installation is not None
        road = self.installation.add_firm(n)
        self.roads.append(road)
        return road

    def status(self) -> Status:
        assert self.installation is not None
        return adopting.look(self.installation.bridge)

    def stands_off(self) -> Status:
        """The relay has looked, and switched writes off."""
        return wait_for("writes are switched off", self._off, seconds=60)  # type: ignore[no-any-return]

    def _off(self) -> Status | None:
        status = self.status()
        return status if status.facts is not None and status.facts.writes == "off" else None

    def adopt(self) -> None:
        assert self.installation is not None
        adopting.adopt(self.installation.bridge, self.status())


@functools.cache
def new_cluster() -> Path:
    """The data directory of a new cluster with a migrated database, stopped: made once per process of the tests, since making one
    takes longer than most of what is done to it. Its copies are one server to PostgreSQL; only one of them is in a house."""
    kept = ExitStack()
    atexit.register(kept.close)
    cluster = Cluster(kept.enter_context(directory()))
    cluster.make()
    cluster.stop()
    return cluster.pgdata


@contextlib.contextmanager
def house(*, oldest: bool = False, **changed: Any) -> Iterator[House]:
    """A house with a new cluster (``oldest``: of the wheel's oldest version), and the bridge started on it."""
    with directory() as place, warnings_only(), simulators() as (severa, erp), ExitStack() as stack:
        (place / "one").mkdir()
        cluster = Cluster(place / "one", programs=oldest_programs(place / "programs") if oldest else None)
        cluster.own(place / "one")
        (place / "one").chmod(0o711)
        if oldest:
            cluster.make()
        else:
            shutil.copytree(new_cluster(), cluster.pgdata, symlinks=True)
            cluster.own(cluster.pgdata)
            cluster.start()
        stack.callback(cluster.server.stop)
        made = House(severa, erp, cluster, place / "state" / "beat.json", changed)
        stack.callback(made.stop)
        made.start()
        yield made


# ---- ways to copy a directory


def stopped_copy(home: House, target: Path) -> None:
    """The server is stopped, its directory copied, and it is started again."""
    home.cluster.stop()
    shutil.copytree(home.cluster.pgdata, target, symlinks=True)
    home.cluster.start()


def base_backup(home: House, target: Path, *options: str) -> None:
    """Of the running server."""
    home.cluster.run(
        "pg_basebackup", f"--pgdata={target}", "--checkpoint=fast", "--wal-method=stream", *options
    )
    # The socket lies in this server's directory, and its lock names the living server.
    for lock in target.glob(".s.PGSQL*"):
        lock.unlink()


def base_backup_of(home: House, place: Path, *options: str) -> None:
    """A base backup as the data directory of another cluster."""
    home.cluster.own(place)
    place.chmod(0o711)
    base_backup(home, place / "data", *options)


# ---- people, and the judge


def project_of(road: Road) -> Json:
    """An open project of a customer that both systems know."""
    made = road.add_project(road.severa.one("customers", number=10001), "Återställt")
    road.settle()
    return made


def approve(road: Road, project: Json, count: int = 3) -> list[str]:
    """Invoices that are to be booked; their guids."""
    return [road.approve(project, [hours(str(n + 1)), book()]) for n in range(count)]


def announced(road: Road, project: Json, count: int = 3) -> list[str]:
    """Approved, seen and waiting to be booked: what a backup of an ordinary moment holds."""
    pause(road, "{invoice}")
    guids = approve(road, project, count)
    road.poll(seconds=120)
    wait_for("they wait to be booked", lambda: road.states("invoice").count("ready") == count, seconds=120)
    return guids


def pause(road: Road, domains: str = "{}") -> None:
    road.sql("update tenant set paused_domains = %s", domains)


def released(road: Road, guids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Releases and documents of each invoice for which it is not one of each, by the ERP's ledger."""
    found = {guid: (road.releases(guid), len(road.documents(guid))) for guid in guids}
    return {guid: counts for guid, counts in found.items() if counts != (1, 1)}


def created(road: Road) -> int:
    """How many invoices the ERP was asked to make since ``forget_calls``: a second one is a number lost at best."""
    return sum(n for call, n in road.writes().items() if call.startswith("visma_net POST") and call.endswith("/customerinvoice"))  # fmt: skip


def at_rest(road: Road, guids: Sequence[str]) -> None:
    """Everything once, numbered and written back; no question left."""
    road.settle(seconds=200)
    assert released(road, guids) == {}
    assert [road.role(guid) for guid in guids] == ["transferred"] * len(guids)
    assert [road.invoice(guid)["number"] for guid in guids] == [
        int(road.document(guid)["referenceNumber"]) for guid in guids
    ]
    assert road.codes() == []


def asked_for_a_word(
    home: House, road: Road, project: Json, before: Sequence[str], found: str, *, waiting: Sequence[str] = ()
) -> list[str]:
    """Writes are off and stay so, whatever is approved, and one sentence says why and what leads back; a person adopts;
    everything gets to rest, what was ``waiting`` to be booked too. The new guids."""
    status = home.stands_off()
    assert status.plain()["found"] == found
    assert status.sentence == f"Writes are off. {standing.FOUND[found]} {standing.OFF}"
    pause(road)
    after = approve(road, project, 1)
    road.poll(seconds=120)
    assert sum(road.releases(guid) for guid in [*waiting, *after]) == 0
    assert released(road, before) == {}
    home.adopt()
    at_rest(road, [*before, *waiting, *after])
    assert home.status().on
    return after
