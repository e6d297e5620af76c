"""Brings RabbitMQ to a Debian machine for the tests, or says in one sentence what a person must do."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from . import rabbitmq
from .process import ServiceMissingError

_LISTS = Path("/var/lib/apt/lists")
_POLICY = Path("/usr/sbin/policy-rc.d")
_A_DAY = 86_400


def ensure_rabbitmq() -> None:
    """Returns when a `rabbitmq-server` is there, installing it where that is possible; else ServiceMissingError."""
    if rabbitmq.program() is not None:
        return
    debian = Path("/etc/debian_version").exists() and shutil.which("apt-get")
    if not debian or os.geteuid() != 0:
        command = (
            "sudo apt-get install rabbitmq-server" if debian else "your system's package for rabbitmq-server"
        )
        raise ServiceMissingError(
            f"RabbitMQ is missing: install it ({command}), or start Docker, or set TEST_AMQP_URL."
        )
    sys.stderr.write("Installing rabbitmq-server …\n")
    with _no_services():
        if _lists_are_fresh() and _apt("install", "--no-install-recommends", "rabbitmq-server"):
            return
        if _apt("update") and _apt("install", "--no-install-recommends", "rabbitmq-server"):
            return
    raise ServiceMissingError(
        "The package rabbitmq-server could not be installed: look at what apt-get says above, "
        "or start Docker, or set TEST_AMQP_URL."
    )


def _apt(action: str, *arguments: str) -> bool:
    command = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=120", action, *arguments]
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
    return done.returncode == 0


def _lists_are_fresh() -> bool:
    lists = [path.stat().st_mtime for path in _LISTS.glob("*_Packages*")] if _LISTS.is_dir() else []
    return bool(lists) and time.time() - max(lists) < _A_DAY


@contextlib.contextmanager
def _no_services() -> Iterator[None]:
    """Installing the package must not leave a broker of the whole machine running."""
    if _POLICY.exists():  # someone has decided already (images of containers do)
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink(missing_ok=True)
