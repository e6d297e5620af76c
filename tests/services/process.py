"""Server programs that the tests start for themselves and never leave behind."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

# Waits for the end of its standard input, which comes when the tests end for whatever reason (SIGKILL too),
# then does what an orderly end has already done: stop the server, remove its files.
_GUARDIAN = """
cat >/dev/null
kill -s {stop} -- -{group} 2>/dev/null || true
n=0
while [ $n -lt 50 ] && kill -0 {group} 2>/dev/null; do
  case $(cat /proc/{group}/stat 2>/dev/null) in *") Z "*) break ;; esac  # ended, but its parent is not there to see it
  n=$((n+1)); sleep 0.2
done
kill -s KILL -- -{group} 2>/dev/null || true
rm -rf -- "$0"
"""


class ServiceMissingError(Exception):
    """A service the tests need is not to be had; the message is one sentence that says what to install."""


def free_ports(count: int) -> list[int]:
    """TCP ports of 127.0.0.1 that nobody listens on at this moment."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class PrivateServer:
    """One server process in its own process group, with a directory that goes when it goes."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        directory: Path,
        log: Path,
        env: Mapping[str, str],
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        """Starts `argv` in `directory`, which must be nobody else's; its output goes to `log`."""
        self.directory = directory
        self.log = log
        self._stop_signal = stop_signal
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                list(argv),
                cwd=directory,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **as_user(user),
            )
        script = _GUARDIAN.format(stop=stop_signal.name[3:], group=self.process.pid)
        self._guardian = subprocess.Popen(
            ["/bin/sh", "-c", script, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait_until(self, ready: Callable[[], bool], *, seconds: float, what: str) -> None:
        """Returns when `ready()` is true; raises ServiceMissingError with the log's end when it never is."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                last = " | ".join(self.log.read_text(errors="replace").splitlines()[-5:])
                self.stop()
                raise ServiceMissingError(f"{what} did not start within {seconds:.0f} s: {last}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ends the server, reaps it and removes its directory; a second call does nothing."""
        if self.process.poll() is None:
            self._signal(self._stop_signal)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
        self.process.wait(15)
        if self._guardian.stdin is not None:
            self._guardian.stdin.close()
        self._guardian.wait(30)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


class _AsUser(TypedDict, total=False):
    user: str
    group: int
    extra_groups: list[int]


def as_user(name: str | None) -> _AsUser:
    """Keywords for subprocess that give up root for another user, groups included; nothing for None."""
    if name is None:
        return {}
    return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}
