"""Commands of the program, each to its end in a process of its own, forked from one that has imported the program.

A run of all tests has hundreds of them, and what a new interpreter imports costs each more than a second of processor. Entry point,
environment, terminal, signals, files and exit code are a command's own; what runs for long is started anew (``PROGRAM``).
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerContext
from pathlib import Path

from app.cli import main
from app.cli.showing import console

ROOT = Path(__file__).parents[1]
PROGRAM = [sys.executable, "-c", "from app.cli import main; main()"]
# What the server of forks tells of a process that it lost sight of: then counts what the command wrote down itself.
LOST_SIGHT = 255
_FORKS: ForkServerContext = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["app.cli"])


def run(
    arguments: Sequence[str], env: Mapping[str, str], *, timeout: float, terminal: str = os.devnull
) -> subprocess.CompletedProcess[str]:
    """One command. ``terminal``: what its standard input is. Raises subprocess.TimeoutExpired, and the command is killed."""
    with tempfile.TemporaryDirectory(prefix="command-") as directory:
        out, err, code = Path(directory, "out"), Path(directory, "err"), Path(directory, "code")
        process = _FORKS.Process(target=_command, args=(list(arguments), dict(env), terminal, out, err, code))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(list(arguments), timeout, out.read_bytes(), err.read_bytes())
        ended = process.exitcode
        if ended == LOST_SIGHT and code.exists():
            ended = int(code.read_text())
        return subprocess.CompletedProcess(
            list(arguments), ended, out.read_text(errors="replace"), err.read_text(errors="replace")
        )  # fmt: skip


def _command(
    arguments: list[str], env: dict[str, str], terminal: str, out: Path, err: Path, code: Path
) -> None:
    """In the new process: everything that an operator's shell would have given it."""
    for number, path, flags in ((0, terminal, os.O_RDWR), (1, out, _WRITTEN), (2, err, _WRITTEN)):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - as long as the process
    os.environ.clear()
    os.environ.update(env)
    os.chdir(ROOT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if env.get("COLUMNS"):
        console.width = int(env["COLUMNS"])  # it read them when it was imported
    sys.argv = ["severa-bridge", *arguments]
    try:
        main()
    except SystemExit as end:
        if isinstance(end.code, int | None):
            code.write_text(str(end.code or 0))
        raise
    code.write_text("0")


_WRITTEN = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
